//! `dango source`: the catalogue, and the project's sources with their credentials; one file a verb.

mod add;
mod check;
mod edit;
mod fields;
mod list;
mod remove;
pub(crate) mod types;
mod wizard;

use clap::Subcommand;
use dango_core::{CredentialPath, ParseTimestampError, SourceName};
use dango_secrets::document::SecretsDocument;
use dango_secrets::dotenv::{EnvDocument, Precedence};
use dango_secrets::home::SharedFile;
use dango_secrets::storage::Edit;
use dango_secrets::{Value, dlt};
use dango_sources::{ConfiguredSource, CredentialState, Expiry, Presence, SourcesFile, expiry};
use dango_vault::Connection;
use zeroize::Zeroizing;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::{Failure, chain};
use crate::opened::{Opened, failure_of_update, process_variable};
use crate::output::Output;
pub(crate) use fields::find as find_field;

#[derive(Subcommand, Debug)]
pub(crate) enum SourceCommand {
    /// List the source types, or show the fields of one
    Types(types::TypesArguments),
    /// Add a source: a wizard on a terminal, options without one
    Add(add::AddArguments),
    /// List the project's sources and the state of their credentials
    List,
    /// Remove a source, and its credentials if wanted
    Remove(remove::RemoveArguments),
    /// Change a source's fields
    Edit(edit::EditArguments),
    /// Ask providers and databases whether they take the credentials (exit 3 if one does not)
    Check(check::CheckArguments),
}

pub(crate) fn run(command: SourceCommand, global: &Global, output: &mut Output<'_>) -> Outcome {
    match command {
        SourceCommand::Types(arguments) => types::run(&arguments, output),
        SourceCommand::Add(arguments) => add::run(&arguments, global, output),
        SourceCommand::List => list::run(global, output),
        SourceCommand::Remove(arguments) => remove::run(&arguments, global, output),
        SourceCommand::Edit(arguments) => edit::run(&arguments, global, output),
        SourceCommand::Check(arguments) => check::run(&arguments, global, output),
    }
}

/// Reads a source's name; a malformed one is wrong usage.
pub(crate) fn parse_name(text: &str) -> Result<SourceName, Failure> {
    text.parse()
        .map_err(|error: dango_core::ParseNameError| Failure::usage(error.to_string()))
}

/// The project's sources with what is known of their credentials.
pub(crate) struct Sources {
    pub(crate) file: SourcesFile,
    pub(crate) secrets: SecretsDocument,
    pub(crate) env: EnvDocument,
}

impl Sources {
    pub(crate) fn read(opened: &Opened, output: &mut Output<'_>) -> Result<Self, Failure> {
        let (secrets, env) = (opened.secrets(output)?, opened.env()?);
        Self::with(opened, secrets, env)
    }

    /// The sources of this project, with credentials that somebody else has read.
    pub(crate) fn with(opened: &Opened, secrets: SecretsDocument, env: EnvDocument) -> Result<Self, Failure> {
        Ok(Self {
            file: configured(opened)?,
            secrets,
            env,
        })
    }

    /// The source of a name.
    pub(crate) fn find(&self, name: &SourceName) -> Result<&ConfiguredSource, Failure> {
        self.file.find(name).ok_or_else(|| {
            Failure::refused(format!("there is no source named {name}"))
                .hint("`dango source list` shows what there is; `dango source add` adds one")
        })
    }

    /// What a source's credentials lack; `None` for a type that is not in the catalogue.
    pub(crate) fn state(&self, source: &ConfiguredSource, output: &Output<'_>) -> Option<CredentialState> {
        self.file.state(source, &self.presence(output))
    }

    /// Whether a credential is there: in the environment, in `.env` or in `secrets.toml`, in the order in which dlt asks.
    pub(crate) fn presence<'a>(&'a self, output: &'a Output<'_>) -> impl Fn(&CredentialPath) -> Presence + 'a {
        let process = process_variable(output.host);
        let loaded = self.env.values(&process, Precedence::Environment).unwrap_or_default();
        move |path| {
            let variable = dlt::variable_name(path).ok().and_then(|name| {
                let name = name.as_str();
                process(name).or_else(|| loaded.value(name).cloned())
            });
            match (variable, self.secrets.value(path)) {
                (Some(value), _) => Presence::of(value.expose()),
                (None, Some(Value::String(text))) if text.has_reference() => Presence::Present,
                (None, Some(Value::String(text))) => Presence::of(&text.verbatim()),
                (None, Some(Value::Table(_)) | None) => Presence::Absent,
                (None, Some(_)) => Presence::Present,
            }
        }
    }

    /// The stored connection of a source, where it has one.
    pub(crate) fn connection(&self, name: &SourceName, output: &Output<'_>) -> Option<Connection> {
        Connection::find(&self.secrets, name.as_str(), output.host.clock.as_ref())
    }

    /// When the stored connection of a source ends, where one is stored.
    pub(crate) fn expiry(&self, name: &SourceName, output: &Output<'_>) -> Result<Expiry, Failure> {
        let clock = output.host.clock.as_ref();
        let Some(connection) = self.connection(name, output) else {
            return Ok(Expiry::None);
        };
        let end = Connection::path_of(name.as_str()).child("expires_at");
        if connection.unreadable.contains(&end) {
            return Err(Failure::refused(format!("{end} is {ParseTimestampError}"))
                .hint("correct it in .dlt/secrets.toml, or connect the source again"));
        }
        Ok(expiry(connection.expires_at, clock.now()))
    }
}

/// What `sources.yml` says; nothing where there is none.
pub(crate) fn configured(opened: &Opened) -> Result<SourcesFile, Failure> {
    let contents = opened
        .project
        .read(SharedFile::Sources)
        .map_err(|error| Failure::caused_by(&error))?;
    parse(opened, contents.as_ref().map(|contents| contents.bytes()))
}

/// Reads, edits and replaces `sources.yml` under its lock.
fn edit_file(opened: &Opened, output: &Output<'_>, mut edit: impl FnMut(&SourcesFile) -> Result<String, Failure>) -> Result<(), Failure> {
    let result = opened.project.update(SharedFile::Sources, output.host.entropy.as_ref(), |bytes| {
        let file = parse(opened, bytes)?;
        let text = edit(&file)?;
        Ok(Edit::Replace(Zeroizing::new(text.into_bytes()), ()))
    });
    result.map_err(failure_of_update)
}

fn parse(opened: &Opened, bytes: Option<&[u8]>) -> Result<SourcesFile, Failure> {
    let path = opened.project.sources_yml();
    let text = std::str::from_utf8(bytes.unwrap_or_default())
        .map_err(|error| Failure::refused(format!("{} is not UTF-8 at byte offset {}", path.display(), error.valid_up_to())))?;
    SourcesFile::parse(text).map_err(|error| {
        Failure::refused(format!("{}:{}: {}", path.display(), error.line(), chain(&error)))
            .hint("correct that line in an editor; nothing was changed")
    })
}
