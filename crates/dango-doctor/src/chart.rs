//! Everything that is read of a project before it is judged: its files, what dlt reads beside them, and what is encrypted, opened.

use std::path::{Path, PathBuf};

use dango_core::{CredentialPath, SecretValue};
use dango_scan::git::{GitError, Repository};
use dango_secrets::Value;
use dango_secrets::dlt::{self, DltFiles, Machine, SettingsFile, UnreadableFile};
use dango_secrets::document::{DocumentError, DocumentProblem, Entry, SecretsDocument};
use dango_secrets::dotenv::{EnvDocument, EnvValues, Precedence};
use dango_secrets::storage::{self, Contents, ReadError};
use dango_sources::{Presence, SourcesFile};
use dango_vault::{OpeningError, Selection, is_encrypted, open_env, open_secrets};

use crate::code::Code;
use crate::disk;
use crate::finding::{Finding, word};
use crate::repair::Repair;
use crate::site::Site;

/// What dango keeps of its own in `secrets.toml`.
pub(crate) const OWN_TABLE: &str = "dango";

/// What is known of a project.
pub(crate) struct Chart<'a> {
    pub(crate) site: &'a Site<'a>,
    /// `.dlt/secrets.toml` as it is written; empty where there is none, nothing where it cannot be read.
    pub(crate) secrets: Option<SecretsDocument>,
    /// The same with what is encrypted opened, where all of it opens.
    pub(crate) opened: Option<SecretsDocument>,
    /// Why it does not.
    pub(crate) closed: Option<OpeningError>,
    /// `.env` as it is written.
    pub(crate) env: Option<EnvDocument>,
    /// Why what is encrypted in it does not open.
    pub(crate) closed_env: Option<OpeningError>,
    /// What is in it once it is loaded.
    pub(crate) variables: EnvValues,
    pub(crate) sources: Option<SourcesFile>,
    /// Where dlt looks.
    pub(crate) dlt: DltFiles,
    /// What it finds there.
    pub(crate) settings: Vec<Settings>,
    pub(crate) repository: Result<Repository, GitError>,
}

/// A settings file of dlt's that is there.
pub(crate) struct Settings {
    pub(crate) path: PathBuf,
    pub(crate) kind: SettingsKind,
    /// Nothing where it cannot be read; that is a finding already.
    pub(crate) document: Option<SecretsDocument>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SettingsKind {
    Secrets,
    Config,
}

impl<'a> Chart<'a> {
    /// Reads everything; what cannot be read is found.
    pub(crate) fn read(site: &'a Site<'a>, found: &mut Vec<Finding>) -> Self {
        let dlt = locate(site);
        let own = site.project.secrets_toml();
        let mut settings = Vec::new();
        let own_first = std::iter::once(&own).chain(dlt.secrets.iter().filter(|path| **path != own));
        for (path, kind) in own_first
            .map(|path| (path, SettingsKind::Secrets))
            .chain(dlt.config.iter().map(|path| (path, SettingsKind::Config)))
        {
            settings.extend(read_settings(site, path, kind, found));
        }
        let secrets = match settings.iter().find(|file| file.path == own) {
            Some(file) => file.document.clone(),
            // One that is there and was not read is a finding already.
            None => (!matches!(storage::is_there(&own), Ok(true) | Err(_))).then(empty),
        };
        let (opened, closed) = match secrets.as_ref().map(|document| open_secrets(document, Selection::All, site.keys)) {
            Some(Ok(opened)) => (Some(opened), None),
            Some(Err(error)) => (secrets.clone(), Some(error)),
            None => (None, None),
        };
        let env = read_env(site, found);
        let (opened_env, closed_env) = match env.as_ref().map(|document| open_env(document, site.keys)) {
            Some(Ok(opened)) => (Some(opened), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let process = |name: &str| site.variable(name);
        let loaded = opened_env.as_ref().or(env.as_ref());
        let variables = loaded
            .and_then(|env| env.values(&process, Precedence::Environment).ok())
            .unwrap_or_default();
        Self {
            site,
            secrets,
            opened,
            closed,
            env,
            closed_env,
            variables,
            sources: read_sources(site, found),
            dlt,
            settings,
            repository: Repository::find(&disk::real(site.project.root()), site.environment),
        }
    }

    /// Every value of `secrets.toml` that can be looked at, Dango's own left out.
    pub(crate) fn values(&self) -> Vec<Entry> {
        let entries = self.opened.as_ref().map(SecretsDocument::entries).unwrap_or_default();
        let is_looked_at = |entry: &Entry| entry.path.parts()[0] != OWN_TABLE && !is_encrypted(&entry.value);
        entries.into_iter().filter(is_looked_at).collect()
    }

    /// A variable as programs get it: from the environment, else from `.env`.
    pub(crate) fn variable(&self, name: &str) -> Option<SecretValue> {
        self.site.variable(name).or_else(|| self.variables.value(name).cloned())
    }

    /// Whether a credential is there, in the order in which dlt asks.
    pub(crate) fn presence(&self, path: &CredentialPath) -> Presence {
        let variable = dlt::variable_name(path).ok().and_then(|name| self.variable(name.as_str()));
        match (variable, self.opened.as_ref().and_then(|document| document.value(path))) {
            (Some(value), _) => Presence::of(value.expose()),
            (None, Some(Value::String(text))) if text.has_reference() => Presence::Present,
            (None, Some(Value::String(text))) => Presence::of(&text.verbatim()),
            (None, Some(Value::Table(_)) | None) => Presence::Absent,
            (None, Some(_)) => Presence::Present,
        }
    }

    /// The files of a kind as dlt merges them, the project's opened.
    pub(crate) fn roots(&self, kind: SettingsKind) -> Vec<(String, Option<Value>)> {
        let wanted = match kind {
            SettingsKind::Secrets => &self.dlt.secrets,
            SettingsKind::Config => &self.dlt.config,
        };
        let files = self.settings.iter().filter(|file| file.kind == kind && wanted.contains(&file.path));
        files
            .map(|file| {
                let opened = self.opened.as_ref().filter(|_| file.path == self.site.project.secrets_toml());
                let document = opened.or(file.document.as_ref());
                (self.site.name_of(&file.path), document.map(SecretsDocument::root))
            })
            .collect()
    }
}

/// Files as [`dlt::explain`] takes them. Those that cannot be read are left out: that they stop every look-up is told once.
pub(crate) fn as_settings(roots: &[(String, Option<Value>)]) -> Vec<SettingsFile<'_>> {
    let readable = roots.iter().filter_map(|(location, root)| Some((location, root.as_ref()?)));
    readable
        .map(|(location, root)| SettingsFile {
            location: location.clone(),
            content: Ok::<&Value, UnreadableFile>(root),
        })
        .collect()
}

/// Reads a file; what keeps it from being read is found.
pub(crate) fn read_file(site: &Site<'_>, path: &Path, found: &mut Vec<Finding>) -> Option<Contents> {
    let error = match storage::read(path) {
        Ok(contents) => return contents,
        Err(error) => error,
    };
    let place = site.name_of(path);
    let (code, fix) = match &error {
        ReadError::NotAFile { .. } => (Code::NotAFile, format!("put a regular file at {place}, or take away what is there")),
        ReadError::DanglingLink { .. } | ReadError::LinkLoop { .. } => (
            Code::DanglingLink,
            format!("let the link lead to the file again: `ls -l {}` shows where it leads", word(&place)),
        ),
        ReadError::Denied { .. } => (Code::Unreadable, format!("`chmod u+r {}`, or make the file yours", word(&place))),
        _ => (Code::Unreadable, format!("see that {place} can be read")),
    };
    found.push(Finding::new(code, place, one_line(&error), fix));
    None
}

/// An error and its causes.
pub(crate) fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

fn empty() -> SecretsDocument {
    SecretsDocument::parse(b"").expect("no text is a document without values")
}

fn read_settings(site: &Site<'_>, path: &Path, kind: SettingsKind, found: &mut Vec<Finding>) -> Option<Settings> {
    let contents = read_file(site, path, found)?;
    let (document, has_mark) = match SecretsDocument::parse(contents.bytes()) {
        Ok(document) => {
            let has_mark = document.has_bom();
            (Some(document), has_mark)
        }
        Err(error) => {
            found.extend(malformed(site, path, kind, &error));
            (None, false)
        }
    };
    if has_mark {
        found.push(marked(site, path));
    }
    Some(Settings {
        path: path.to_owned(),
        kind,
        document,
    })
}

fn malformed(site: &Site<'_>, path: &Path, kind: SettingsKind, error: &DocumentError) -> Option<Finding> {
    let place = site.name_of(path);
    let code = match (kind, &error.problem) {
        // dlt reads these; that others do not matters in a file that Dango edits.
        (SettingsKind::Config, DocumentProblem::IntegerTooLarge | DocumentProblem::FloatTooLarge) => return None,
        (SettingsKind::Config, _) => Code::ConfigMalformed,
        (SettingsKind::Secrets, _) => Code::SecretsMalformed,
    };
    let (line, column) = (error.line, error.column);
    Some(Finding::new(
        code,
        format!("{place}:{line}:{column}"),
        format!("{place} cannot be read: {}", error.problem),
        format!("correct line {line} of {place} in an editor"),
    ))
}

fn marked(site: &Site<'_>, path: &Path) -> Finding {
    let place = site.name_of(path);
    // A link may lead to a file of other projects, which is not ours to change.
    let is_ours = disk::real(path).starts_with(disk::real(site.project.root()));
    let fix = match is_ours {
        true => "`dango doctor --fix` removes it".to_owned(),
        false => format!("save {place} as UTF-8 without a byte order mark"),
    };
    let message = format!("{place} begins with a byte order mark, with which dlt cannot read it");
    let repair = is_ours.then(|| Repair::RemoveMark { path: path.to_owned() });
    Finding::new(Code::ByteOrderMark, place, message, fix).with(repair)
}

fn read_env(site: &Site<'_>, found: &mut Vec<Finding>) -> Option<EnvDocument> {
    let path = site.project.env_file();
    let before = found.len();
    let Some(contents) = read_file(site, &path, found) else {
        return (found.len() == before).then(EnvDocument::default);
    };
    match EnvDocument::parse(contents.bytes()) {
        Ok(document) => Some(document),
        Err(error) => {
            let (line, column) = error.place();
            found.push(Finding::new(
                Code::EnvMalformed,
                format!(".env:{line}:{column}"),
                format!(".env cannot be read: {error}"),
                format!("correct line {line} of .env in an editor"),
            ));
            None
        }
    }
}

fn read_sources(site: &Site<'_>, found: &mut Vec<Finding>) -> Option<SourcesFile> {
    let contents = read_file(site, &site.project.sources_yml(), found)?;
    let place = ".dango/sources.yml";
    let (at, message) = match std::str::from_utf8(contents.bytes()) {
        Ok(text) => match SourcesFile::parse(text) {
            Ok(file) => return Some(file),
            Err(error) => (format!("{place}:{}", error.line()), one_line(&error)),
        },
        Err(error) => (place.to_owned(), format!("it is not UTF-8 at byte offset {}", error.valid_up_to())),
    };
    found.push(Finding::new(
        Code::SourcesMalformed,
        at,
        format!("{place} cannot be read: {message}"),
        format!("correct {place} in an editor"),
    ));
    None
}

/// Where dlt looks when it is started in the project.
fn locate(site: &Site<'_>) -> DltFiles {
    DltFiles::locate(&Machine {
        working_dir: site.project.root(),
        environment: &|name| site.variable(name).map(|value| value.expose().to_owned()),
        home: site.home,
        effective_uid: site.user,
        temporary_dir: site.temporary_dir,
        is_file: &|path| disk::look(path).is_some_and(|seen| seen.is_file),
        is_dir: &|path| disk::look(path).is_some_and(|seen| seen.is_dir),
        is_writable: &|path| disk::is_writable(path, site.user),
        first_line: &|path| {
            let contents = storage::read(path).ok()??;
            let text = std::str::from_utf8(contents.bytes()).ok()?;
            Some(text.lines().next().unwrap_or_default().to_owned())
        },
    })
}
