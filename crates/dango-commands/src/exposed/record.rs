//! The record of an exposure: what is known of it, gathered and written to a file that only its owner reads.

use std::path::{Path, PathBuf};

use dango_core::SecretValue;
use dango_rotation::{Answer, ExposureRecord, Replacement, Rotation, Trace, Whereabout, is_record};
use dango_secrets::storage::{self, Edit, UpdateError};
use dango_sources::ConfiguredSource;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::Outcome;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::{Output, printable};
use crate::scan::{Search, look_for};

/// The folder in `.dango/` for records that go nowhere else.
const FOLDER: &str = "exposures";

/// Where the credentials of a source are revoked.
pub(super) fn revoke_url(source: Option<&ConfiguredSource>) -> Option<&'static str> {
    source.and_then(ConfiguredSource::spec).and_then(|spec| spec.credentials_url)
}

/// Looks for the exposed value; what keeps it from being looked for is said in the record.
pub(super) fn search(old: Option<SecretValue>, places: &[String], opened: &Opened, output: &mut Output<'_>) -> Search {
    let name = places.first().map(String::as_str).unwrap_or_default();
    let Some(old) = old else {
        return Search::without("files and history: the value is no text");
    };
    look_for(name, old, opened, output).unwrap_or_else(|failure| Search {
        findings: Vec::new(),
        searched: Vec::new(),
        inapplicable: Vec::new(),
        unsearched: vec![format!("files and history: {}", failure.message)],
    })
}

/// Everything that a record says.
pub(super) struct Facts<'a> {
    pub(super) rotation: &'a Rotation,
    pub(super) source: Option<&'a ConfiguredSource>,
    pub(super) replacement: Replacement,
    pub(super) traces: Option<Vec<Trace>>,
    pub(super) search: Search,
}

/// A record and the file that it is in.
pub(super) struct Written {
    pub(super) record: ExposureRecord,
    pub(super) file: PathBuf,
}

impl Facts<'_> {
    /// Writes the record; a later one of the same exposure takes its place.
    pub(super) fn write(self, file: Option<&Path>, opened: &Opened, output: &Output<'_>) -> Result<Written, Failure> {
        let note = self.rotation.note();
        let places = self.rotation.changes().iter().map(|change| change.place.to_string());
        let found = self.search.findings.into_iter().map(|finding| Whereabout {
            file: finding.file,
            line: finding.line,
            commit: finding.commit,
        });
        let record = ExposureRecord {
            subject: places.collect::<Vec<_>>().join(", "),
            source: self.source.map(|source| {
                let title = source.spec().map_or(source.source_type().as_str(), |spec| spec.title);
                (source.name().to_string(), title.to_owned())
            }),
            began: note.began,
            at: output.host.clock.now(),
            by: output.host.user.clone(),
            revoke_url: revoke_url(self.source).map(str::to_owned),
            revoked: note.revoked,
            replacement: self.replacement,
            traces: self.traces,
            found: found.collect(),
            searched: self.search.searched,
            inapplicable: self.search.inapplicable,
            unsearched: self.search.unsearched,
        };
        let file = match file {
            Some(file) => output.host.directory.join(file),
            None => opened
                .project
                .dango_dir()
                .join(FOLDER)
                .join(default_name(&record, self.rotation.name())),
        };
        let text = record.to_markdown();
        let written = storage::update(&file, output.host.entropy.as_ref(), |there| match there {
            Some(there) if !is_record(there) => Err(NoRecord),
            _ => Ok(Edit::Replace(Zeroizing::new(text.clone().into_bytes()), ())),
        });
        written.map_err(|error| match error {
            UpdateError::Edit(NoRecord) => Failure::refused(format!("{} is no record of an exposure, and stays as it is", file.display()))
                .hint("`--record` takes a file that is not there yet, or an earlier record")
                .with_code("record-exists"),
            UpdateError::Read(error) => Failure::caused_by(&error),
            UpdateError::Write(error) => Failure::caused_by(&error),
        })?;
        Ok(Written { record, file })
    }
}

/// The file for the record is something else.
struct NoRecord;

/// A file name of the day on which it began and of what it is about.
fn default_name(record: &ExposureRecord, name: &str) -> String {
    let began: String = record.began.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') {
                c
            } else {
                '-'
            }
        })
        .take(64)
        .collect();
    format!("{began}-{name}.md")
}

#[derive(Serialize)]
struct Done<'a> {
    path: &'a str,
    source: Option<&'a str>,
    state: &'static str,
    revoked: bool,
    revoke_url: Option<&'a str>,
    replaced: bool,
    accepted: bool,
    traces: Option<usize>,
    found: Vec<Place<'a>>,
    unsearched: &'a [String],
    open: Vec<&'static str>,
    record: String,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: u64,
    commit: Option<&'a str>,
}

/// Says where it was found, what became of it and where the record is.
pub(super) fn tell(rotation: &Rotation, written: &Written, is_closed: bool, output: &mut Output<'_>) -> Outcome {
    let (record, file) = (&written.record, written.file.display().to_string());
    if output.json {
        return output.json(&Done {
            path: &record.subject,
            source: record.source.as_ref().map(|(name, _)| name.as_str()),
            state: if is_closed { "closed" } else { "open" },
            revoked: record.revoked,
            revoke_url: record.revoke_url.as_deref(),
            replaced: record.replacement != Replacement::None,
            accepted: rotation.note().answer == Answer::Accepted,
            traces: record.traces.as_ref().map(Vec::len),
            found: record
                .found
                .iter()
                .map(|place| Place {
                    file: &place.file,
                    line: place.line,
                    commit: place.commit.as_deref(),
                })
                .collect(),
            unsearched: &record.unsearched,
            open: record.open_steps(),
            record: file,
        });
    }
    for place in &record.found {
        let commit = place
            .commit
            .as_deref()
            .map(|commit| format!(" (commit {})", commit.get(..12).unwrap_or(commit)));
        let line = format!("{}:{}{}", place.file, place.line, commit.unwrap_or_default());
        output.line(&printable(&line))?;
    }
    for what in &record.inapplicable {
        output.say(printable(&format!("not searched: {what}")));
    }
    for what in &record.unsearched {
        output.warn(printable(&format!("could not be searched: {what}")));
    }
    let name = rotation.name();
    match is_closed {
        true => output.say(format!("{name}: revoked and replaced; the exposed value is forgotten here")),
        false => output.say(format!("{name}: under way")),
    }
    output.say(format!("the record is in {file}"));
    if !record.found.is_empty() {
        output.hint(
            "take it out of where it was found; in git's history it stays for everybody who has a copy, so only the revocation helps",
        );
    }
    Ok(())
}
