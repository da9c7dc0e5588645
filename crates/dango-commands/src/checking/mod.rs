//! Whether sources' credentials are taken, for every command that wants to know: values gathered, servers asked, answers remembered.

mod asking;
mod gathering;
mod memory;

pub(crate) use asking::{Asked, check_sources, stand_in};
pub(crate) use memory::{Checked, Key, Memory};

use dango_check::Outcome as Verdict;
use dango_core::{CredentialPath, SecretValue, SourceName};

use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::source::Sources;

/// Asks whether a source's credentials are taken; nothing is remembered, and nothing that was remembered is believed.
///
/// `instead` holds values that are not written yet: each counts in place of whatever the files and the environment have for its path.
/// Ctrl-C is a failure, and from then on ends this process no more by itself.
pub(crate) fn check_source(
    name: &SourceName,
    instead: &[(CredentialPath, SecretValue)],
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<Verdict, Failure> {
    let sources = Sources::read(opened, output)?;
    let source = sources.find(name)?;
    let found = check_sources(&[source], instead, &sources, opened, output)?;
    let verdict = found.into_iter().next().map(|found| found.verdict);
    verdict.unwrap_or_else(|| Err(Failure::refused("nothing was asked")))
}
