//! `--fix`: what is safe is put right, each repair recorded as any other change is.

use std::path::Path;

use dango_actions::{ChangeDraft, Ending};
use dango_audit::{Detail, Event, Target, TargetKind, Word};
use dango_doctor::{Finding, Repair, RepairError};

use super::{site, temporary};
use crate::Outcome;
use crate::failure::chain;
use crate::opened::Opened;
use crate::output::{Output, printable};
use crate::recorded::{credential, recorded, set_ending};

/// How a repair ended: whether anything was left to do.
type Ended = Result<bool, RepairError>;

/// Puts right what can be. A repair that fails is told of, stays a finding, and keeps no other from being made.
///
/// The log cannot be written while others may read its key. So what lies in the way of the log is closed first and recorded right behind.
pub(super) fn carry_out(opened: &Opened, found: &[Finding], output: &mut Output<'_>) -> Outcome {
    let mut repairs: Vec<&Repair> = Vec::new();
    for repair in found.iter().filter_map(|finding| finding.repair.as_ref()) {
        // Two leftovers of one file go in one sweep.
        if !repairs.contains(&repair) {
            repairs.push(repair);
        }
    }
    let (first, rest): (Vec<&Repair>, Vec<&Repair>) = repairs
        .into_iter()
        .partition(|repair| is_in_the_way(repair, &opened.project.dango_dir()));
    let mut ended: Vec<Ended> = first.iter().map(|repair| make(repair, opened, output)).collect();
    let all: Vec<&Repair> = first.into_iter().chain(rest.iter().copied()).collect();
    let drafts = all.iter().map(|repair| draft(repair)).collect();
    let change = |output: &mut Output<'_>| {
        ended.extend(rest.iter().map(|repair| make(repair, opened, output)));
        Ok(ended)
    };
    let ended = recorded(opened, drafts, output, change, |ended: &Vec<Ended>| {
        all.iter().zip(ended).map(|(repair, ended)| ending(repair, ended)).collect()
    })?;
    for (repair, ended) in all.iter().zip(&ended) {
        match ended {
            Ok(true) => output.say(printable(&done(repair, opened))),
            // Another repair has done it as well.
            Ok(false) => {}
            Err(error) => output.warn(format!("not put right: {}", chain(error))),
        }
    }
    Ok(())
}

fn make(repair: &Repair, opened: &Opened, output: &Output<'_>) -> Ended {
    let (temporary, home) = (temporary(output.host), output.host.home());
    repair.carry_out(&site(opened, output.host, home.as_deref(), &temporary))
}

/// What the identity key and the database are refused for.
fn is_in_the_way(repair: &Repair, folder: &Path) -> bool {
    matches!(repair, Repair::Close { path, .. } if path.starts_with(folder))
}

fn draft(repair: &Repair) -> ChangeDraft {
    match repair {
        Repair::WriteDefault { path, .. } => credential(Event::SecretSet, path),
        Repair::Close { path, .. } => of_file(Event::PermissionsTightened, path),
        Repair::Ignore { .. } => of_file(Event::ProjectRepaired, Path::new(".gitignore")),
        Repair::RemoveMark { path } | Repair::RemoveLeftovers { target: path } => of_file(Event::ProjectRepaired, path),
        _ => ChangeDraft::new(Event::ProjectRepaired).on(Target::of(TargetKind::Project)),
    }
    .with(Detail::Action, Word::new(repair.word()))
}

/// A record holds the names of the house alone, so a file of any other name is not named.
fn of_file(event: Event, path: &Path) -> ChangeDraft {
    const KNOWN: [&str; 11] = [
        ".env",
        ".gitignore",
        "secrets.toml",
        "config.toml",
        "identity.key",
        "key",
        "wrapped-keys",
        "history",
        "dango.db",
        ".dango",
        ".dlt",
    ];
    let name = path.file_name().and_then(|name| KNOWN.into_iter().find(|known| name == *known));
    match name {
        Some(name) => dango_actions::drafts::file(event, name),
        None => ChangeDraft::new(event).on(Target::of(TargetKind::File)),
    }
}

fn ending(repair: &Repair, ended: &Ended) -> Ending {
    match (ended, repair) {
        (Err(error), _) => Ending::failed(Word::new(error.code())),
        (Ok(_), Repair::WriteDefault { .. }) => set_ending("created", false),
        (Ok(_), _) => Ending::done(),
    }
}

fn done(repair: &Repair, opened: &Opened) -> String {
    let name = |path: &Path| {
        let below = path.strip_prefix(opened.project.root()).unwrap_or(path);
        let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
        below.display().to_string()
    };
    match repair {
        Repair::Close { path, .. } => format!("{}: permissions taken away from others", name(path)),
        Repair::Ignore { name } => format!(".gitignore: it names {name} now"),
        Repair::RemoveMark { path } => format!("{}: the byte order mark is gone", name(path)),
        Repair::RemoveLeftovers { target } => format!("what writes of {} have left is gone", name(target)),
        Repair::WriteDefault { path, value } => format!("{path}: set to `{value}`"),
        _ => "put right".to_owned(),
    }
}
