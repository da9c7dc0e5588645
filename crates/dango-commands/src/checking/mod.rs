//! Whether sources' credentials are taken, for every command that wants to know: values gathered, servers asked, answers remembered.

mod asking;
mod gathering;
mod memory;

pub(crate) use asking::{Asked, check_sources, stand_in};
pub(crate) use memory::{Checked, Key, Memory};

use dango_check::Outcome as Verdict;
use dango_core::{CredentialPath, SecretValue, SourceName};
use dango_sources::{NewSource, SourcesFile};

use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::source::Sources;

/// Asks whether a source's credentials are taken, and with which of them; nothing is remembered, and nothing that was remembered is believed.
///
/// `instead` holds values that are not written yet: each counts in place of whatever the files and the environment have for its path.
/// Ctrl-C is a failure, and from then on ends this process no more by itself.
pub(crate) fn check_source(
    name: &SourceName,
    instead: &[(CredentialPath, SecretValue)],
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<(Verdict, Vec<(CredentialPath, SecretValue)>), Failure> {
    let sources = Sources::read(opened, output)?;
    let asked = ask(name, instead, &sources, opened, output)?;
    Ok((asked.verdict?, asked.used))
}

/// The same of a source that is in no file yet: its values are given, those of settings stand in its entry.
pub(crate) fn check_planned(
    planned: &NewSource,
    values: &[(CredentialPath, SecretValue)],
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<Verdict, Failure> {
    let stored = Sources::read(opened, output)?;
    let text = stored.file.add(planned).map_err(|error| Failure::caused_by(&error))?;
    let file = SourcesFile::parse(&text).map_err(|error| Failure::caused_by(&error))?;
    let sources = Sources { file, ..stored };
    ask(&planned.name, values, &sources, opened, output)?.verdict
}

fn ask(
    name: &SourceName,
    instead: &[(CredentialPath, SecretValue)],
    sources: &Sources,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<Asked, Failure> {
    let source = sources.find(name)?;
    let found = check_sources(&[source], instead, sources, opened, output)?;
    Ok(found.into_iter().next().unwrap_or_else(Asked::nothing))
}
