//! Credentials that are older than their policy allows, and rotations that nobody ended, as `dango doctor` tells them. The rules are `dango-rotation`'s.

use dango_core::Timestamp;
use dango_doctor::{Code, Finding};
use dango_rotation::{Due, Note, Purpose};

use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::rotate::ReadFiles;
use crate::rotate::ages::Ages;
use crate::source::{self, Sources};

const ROTATIONS: &str = ".dango/rotations";
/// A rotation waits for somebody for this many microseconds before it is told: a day.
const PATIENCE: i64 = 86_400 * 1_000_000;

/// Looks at both. What cannot be looked at is told unless something else was: then that is the reason, and it has been said.
pub(super) fn check(opened: &Opened, found: &[Finding], output: &mut Output<'_>) -> Vec<Finding> {
    let looked = due(opened, output).and_then(|mut due| {
        due.extend(under_way(opened, output.host.clock.now())?);
        Ok(due)
    });
    match looked {
        Ok(told) => told,
        Err(_) if !found.is_empty() => Vec::new(),
        Err(failure) => vec![Finding::new(
            Code::RotationUnknown,
            ROTATIONS,
            format!("how old credentials are could not be looked at: {}", failure.message),
            "`dango rotate --list` says more",
        )],
    }
}

/// The sources whose credentials are due. Without a policy nothing is opened and no log is read.
fn due(opened: &Opened, output: &mut Output<'_>) -> Result<Vec<Finding>, Failure> {
    let file = source::configured(opened)?;
    if file.sources().iter().all(|source| source.rotate_every().is_none()) {
        return Ok(Vec::new());
    }
    let sources = Sources::read(opened, output)?;
    let files = ReadFiles::read(opened, output)?;
    let ages = Ages::read(opened, output)?;
    let overdue = ages.overdue(&sources, &files, output).into_iter();
    Ok(overdue
        .map(|(name, every, due)| {
            let (code, message) = match due {
                Due::Overdue { days } => (
                    Code::RotationOverdue,
                    format!("the credentials of {name} are to be replaced every {every}, and that was due {days} days ago"),
                ),
                _ => (
                    Code::RotationUnknown,
                    format!(
                        "the credentials of {name} are to be replaced every {every}, and the audit log does not know when they were stored"
                    ),
                ),
            };
            Finding::new(code, format!("sources.{name}"), message, format!("`dango rotate {name}`"))
        })
        .collect())
}

fn under_way(opened: &Opened, now: Timestamp) -> Result<Vec<Finding>, Failure> {
    let asides = opened.vault().asides().map_err(|error| opened.vault_failure(&error))?;
    let mut found = Vec::new();
    for (name, note) in asides {
        let note: Note = note.parse().map_err(|error| Failure::caused_by(&error))?;
        if now.unix_micros().saturating_sub(note.began.unix_micros()) < PATIENCE {
            continue;
        }
        let (message, fix) = match note.purpose {
            Purpose::Rotation => (
                format!(
                    "the credential of {name} is being replaced since {}, and the old one is still kept",
                    note.began
                ),
                format!("`dango rotate {name}` goes on; `dango rotate {name} --abort` gives it up"),
            ),
            // It goes on by the path of the credential, which its note does not name: it may be sealed.
            Purpose::Exposure => (
                format!(
                    "a credential of {name} is being dealt with as exposed since {}, and the exposed value is still kept",
                    note.began
                ),
                "`dango exposed PATH`, with the path of that credential, goes on; with `--abort` it is given up".to_owned(),
            ),
        };
        found.push(Finding::new(Code::RotationUnfinished, ROTATIONS, message, fix));
    }
    Ok(found)
}
