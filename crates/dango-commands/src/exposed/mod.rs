//! `dango exposed`: a credential that somebody may have seen, taken through the steps from its revocation to a record of what happened.

mod record;
mod traces;

use clap::Args;
use dango_audit::query::{Bound, parse_bound};
use dango_core::Timestamp;
use dango_rotation::{Answer, Change, Check, Located, Note, Purpose, Replacement, Rotation, Stage, is_there, plain_text};
use dango_sources::{ConfiguredSource, FieldKind};
use dango_vault::ValuePlace;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::{Failure, Status};
use crate::input::SecretInput;
use crate::opened::Opened;
use crate::output::Output;
use crate::prompt;
use crate::rotate::{self, Asked, Procedure, ReadFiles, Stop, copies_of, locate_named, reader_of, spelled};
use crate::signals;
use crate::source::Sources;

#[derive(Args, Debug)]
pub(crate) struct ExposedArguments {
    /// The credential, as in sources.stripe.api_key, or a variable of .env
    #[arg(value_name = "PATH")]
    path: String,
    /// It is revoked at its provider already
    #[arg(long)]
    revoked: bool,
    /// There is no new value yet: look for the old one and write the record
    #[arg(long, conflicts_with_all = ["from_file", "from_env", "no_check", "abort"])]
    no_new_value: bool,
    /// Ask no provider whether it takes the new value
    #[arg(long)]
    no_check: bool,
    /// Look at the audit log only from then on: a time, a date in UTC, or how long ago, as in 2026-11-21 or 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Where the record is written [default: a file in .dango/exposures/]
    #[arg(long, value_name = "FILE")]
    record: Option<std::path::PathBuf>,
    /// Close it although something could not be searched or the audit log could not be read; the record says what
    #[arg(long, conflicts_with = "abort")]
    accept_incomplete: bool,
    /// It was not exposed after all: put the old value back and forget the rest
    #[arg(long)]
    abort: bool,
    #[command(flatten)]
    input: SecretInput,
}

/// What the steps have come to.
struct Progress {
    rotation: Rotation,
    /// Why there is no new value that works, where there is none.
    failure: Option<Failure>,
}

pub(crate) fn run(arguments: &ExposedArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let now = output.host.clock.now();
    let since = arguments
        .since
        .as_deref()
        .map(|text| parse_bound(text, Bound::Since, now))
        .transpose();
    let since = since.map_err(|error| Failure::usage(format!("--since: {error}")))?;
    let opened = Opened::find(global, output.host)?;
    let sources = Sources::read(&opened, output)?;
    let files = ReadFiles::read(&opened, output)?;
    let Subject { name, source, located } = subject(&arguments.path, &sources, &files, &opened, output)?;
    let _lease = rotate::lease(&name, &opened)?;
    let under_way = rotate::load(&name, &opened)?;
    let is_other = |rotation: &Rotation| {
        let is_it = |located: &Located| rotation.changes().iter().any(|change| change.place == located.place);
        !located.as_ref().is_none_or(is_it)
    };
    match &under_way {
        Some(rotation) if rotation.note().purpose == Purpose::Rotation => {
            return Err(Failure::refused(format!("a rotation of {name} is under way"))
                .hint(format!(
                    "`dango rotate {name} --finish` ends it, `dango rotate {name} --abort` gives it up"
                ))
                .with_code("rotation-under-way"));
        }
        Some(rotation) if is_other(rotation) => {
            let places = rotation.changes().iter().map(|change| change.place.to_string());
            return Err(Failure::refused(format!("another credential of {name} is being dealt with"))
                .hint(format!(
                    "`dango exposed {}` goes on with that",
                    places.collect::<Vec<_>>().join(" or ")
                ))
                .with_code("exposure-under-way"));
        }
        _ => {}
    }
    let asked = Asked {
        check: !arguments.no_check,
        settle: false,
        yes: global.yes,
    };
    let mut procedure = Procedure::new(&opened, source.as_ref(), asked);
    if arguments.abort {
        return match under_way {
            Some(rotation) => procedure.abort(rotation, output),
            None => Err(Failure::refused(format!("{name} is not being dealt with as exposed")).with_code("no-exposure")),
        };
    }
    let rotation = match under_way {
        Some(rotation) => {
            output.say(format!("{name}: going on with what was begun at {}", rotation.note().began));
            rotation
        }
        None => {
            let located = located.ok_or_else(|| {
                Failure::refused(format!("{name}: another process has just ended what was under way")).with_code("no-exposure")
            })?;
            procedure.begin(name, Purpose::Exposure, old_values(located, &files, output), output)?
        }
    };
    let rotation = revoke(rotation, arguments, source.as_ref(), &opened, output)?;
    let progress = replace(rotation, arguments, &mut procedure, &opened, output)?;
    conclude(progress, arguments, since, source.as_ref(), &procedure, &opened, output)
}

/// What is dealt with: under its name, with the source that reads it, and where it is unless that is under way already.
struct Subject {
    name: String,
    source: Option<ConfiguredSource>,
    located: Option<Located>,
}

/// Finds what somebody has named. What is under way goes on whatever has become of the place since: the value may have been taken out by hand.
fn subject(text: &str, sources: &Sources, files: &ReadFiles, opened: &Opened, output: &Output<'_>) -> Result<Subject, Failure> {
    if let Some(name) = under_way_at(text, opened)? {
        let source = name.parse().ok().and_then(|name| sources.file.find(&name).cloned());
        return Ok(Subject {
            name,
            source,
            located: None,
        });
    }
    let located = locate_named(text, files, output).map_err(|failure| {
        let is_source = text.parse().is_ok_and(|name| sources.file.find(&name).is_some());
        match is_source {
            true => failure.hint("that is a source; name its credential, as `dango secrets list` shows it"),
            false => failure,
        }
    })?;
    let source = reader_of(&located.place, sources, files, output).cloned();
    let name = source
        .as_ref()
        .map_or_else(|| located.place.to_string(), |source| source.name().to_string());
    Ok(Subject {
        name,
        source,
        located: Some(located),
    })
}

/// The name under which a place is being dealt with as exposed.
fn under_way_at(text: &str, opened: &Opened) -> Result<Option<String>, Failure> {
    let variable = text.parse().ok().map(ValuePlace::Variable);
    let path = text.parse().ok().map(ValuePlace::Secret);
    for place in variable.into_iter().chain(path) {
        let entries = opened.vault().asides_of(&place).map_err(|error| opened.vault_failure(&error))?;
        let is_exposure = |note: &str| note.parse().is_ok_and(|note: Note| note.purpose == Purpose::Exposure);
        if let Some((name, _)) = entries.into_iter().find(|(_, note)| is_exposure(note)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The exposed value wherever it is stored: all of these places need another one.
fn old_values(located: Located, files: &ReadFiles, output: &Output<'_>) -> Vec<Change> {
    let first = Change {
        place: located.place,
        old: located.value,
        new: None,
        refused: None,
    };
    let copies = copies_of(&first, files, output);
    std::iter::once(first).chain(copies).collect()
}

/// The first step: it is revoked where it was made, or somebody says that it is not yet.
fn revoke(
    mut rotation: Rotation,
    arguments: &ExposedArguments,
    source: Option<&ConfiguredSource>,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<Rotation, Failure> {
    let note = rotation.note();
    if note.revoked {
        return Ok(rotation);
    }
    let at = match record::revoke_url(source) {
        Some(url) => format!("at {url}"),
        None => "where it was made".to_owned(),
    };
    let name = rotation.name().to_owned();
    if !arguments.revoked {
        output.say(format!("{name}: revoke the exposed value now, {at}"));
    }
    let revoked = arguments.revoked || prompt::decide("Is it revoked?", false, output)?;
    if revoked {
        let noted = rotation.annotate(&opened.vault(), Note { revoked, ..note });
        noted.map_err(|error| rotate::failure(&error, opened))?;
    }
    Ok(rotation)
}

/// The second and the third step: a new value, taken and stored. What goes wrong here keeps nobody from the steps behind.
fn replace(
    mut rotation: Rotation,
    arguments: &ExposedArguments,
    procedure: &mut Procedure<'_>,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<Progress, Failure> {
    let note = rotation.note();
    let needs_value = note.stage == Stage::Open || note.is_refused();
    if note.stage == Stage::Settled || (arguments.no_new_value && needs_value) {
        return Ok(Progress { rotation, failure: None });
    }
    let name = rotation.name().to_owned();
    if needs_value {
        give(&mut rotation, arguments, opened, output)?;
    }
    match procedure.advance(rotation, output) {
        Ok((stop, mut rotation)) => {
            let (stage, answer) = match (stop, procedure.said.word()) {
                (Stop::Refused, _) => (Stage::Written, Answer::Refused),
                (_, "accepted") => (Stage::Settled, Answer::Accepted),
                _ => (Stage::Settled, Answer::Unknown),
            };
            let note = Note {
                stage,
                answer,
                ..rotation.note()
            };
            let noted = rotation.annotate(&opened.vault(), note);
            noted.map_err(|error| rotate::failure(&error, opened))?;
            let failure = (stop == Stop::Refused).then(|| {
                Failure::refused(format!("{name}: the new value is stored, and does not work: {}", procedure.said))
                    .with_code("rotation-refused")
                    .hint("the exposed value is not put back; make another one at the provider")
                    .hint(format!("`dango exposed {}` takes it and stores it", arguments.path))
            });
            Ok(Progress { rotation, failure })
        }
        Err(failure) if matches!(failure.status, Status::Program(_)) => Err(failure),
        Err(failure) => match rotate::load(&name, opened)? {
            Some(rotation) => Ok(Progress {
                rotation,
                failure: Some(failure),
            }),
            None => Err(failure),
        },
    }
}

fn give(rotation: &mut Rotation, arguments: &ExposedArguments, opened: &Opened, output: &mut Output<'_>) -> Outcome {
    let places: Vec<ValuePlace> = rotation.changes().iter().map(|change| change.place.clone()).collect();
    let label = places.first().map(ToString::to_string).unwrap_or_default();
    let new = arguments.input.read(&format!("the new {label}"), output)?;
    if new.expose().is_empty() {
        return Err(Failure::refused(format!("the new value of {label} is empty; nothing was changed"))
            .hint("`--no-new-value` goes on without one"));
    }
    if old_text(rotation).is_some_and(|old| old.expose() == new.expose()) {
        return Err(Failure::refused("the new value is the exposed one; nothing was changed").with_code("value-unchanged"));
    }
    if let [_, others @ ..] = places.as_slice()
        && !others.is_empty()
    {
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        output.say(format!("the same value is replaced in {}", others.join(", ")));
    }
    let values = places.iter().map(|place| spelled(place, &new, FieldKind::String));
    let values = values.collect::<Result<_, _>>()?;
    rotation
        .give(&opened.vault(), values)
        .map_err(|error| rotate::failure(&error, opened))
}

fn old_text(rotation: &Rotation) -> Option<dango_core::SecretValue> {
    let change = rotation.changes().first()?;
    plain_text(&Located {
        place: change.place.clone(),
        value: change.old.clone(),
    })
}

/// The steps behind: who touched it, where it is, the record; and what is left to do.
fn conclude(
    progress: Progress,
    arguments: &ExposedArguments,
    since: Option<Timestamp>,
    source: Option<&ConfiguredSource>,
    procedure: &Procedure<'_>,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Outcome {
    let rotation = &progress.rotation;
    let note = rotation.note();
    let places: Vec<String> = rotation.changes().iter().map(|change| change.place.to_string()).collect();
    let replacement = replacement(rotation, opened, output)?;
    // A check has taken Ctrl-C over, and a search may be long; all that was done so far is on the disk.
    let _mortal = signals::Mortal::start();
    let traces = traces::read(rotation, source, since, opened, output);
    let search = record::search(old_text(rotation), &places, opened, output);
    let written = record::Facts {
        rotation,
        source,
        replacement,
        traces,
        search,
    }
    .write(arguments.record.as_deref(), opened, output)?;
    let is_looked_at = written.record.is_complete() || arguments.accept_incomplete;
    let is_dealt_with = note.stage == Stage::Settled && note.revoked && progress.failure.is_none();
    let is_closed = is_dealt_with && is_looked_at;
    if is_closed {
        procedure.end(rotation, output)?;
    }
    record::tell(rotation, &written, is_closed, output)?;
    if let Some(failure) = progress.failure {
        return Err(failure);
    }
    match (is_closed, written.record.found.is_empty()) {
        (false, _) => {
            let open = written.record.open_steps().join("; ");
            let failure = Failure::refused(format!("{}: not dealt with yet: {open}", rotation.name()))
                .with_code("exposure-open")
                .hint(format!("`dango exposed {}` goes on", arguments.path));
            Err(match is_dealt_with {
                true => failure.hint("`--accept-incomplete` closes it without what could not be looked at; the record says what that is"),
                false => failure,
            })
        }
        (true, false) => Err(Failure::silent(Status::Found)),
        (true, true) => Ok(()),
    }
}

/// What has taken the place of the exposed value, and where.
fn replacement(rotation: &Rotation, opened: &Opened, output: &mut Output<'_>) -> Result<Replacement, Failure> {
    let check = match (rotation.note().stage, rotation.note().answer) {
        _ if !rotation.is_stored() => return Ok(Replacement::None),
        (Stage::Settled, Answer::Accepted) => Check::Accepted,
        (Stage::Settled, _) => Check::Unknown,
        (Stage::Written, Answer::Refused) => Check::Refused,
        // Another one that is not stored yet: the one before it was refused.
        (Stage::Taken, _) => Check::Refused,
        _ => Check::Due,
    };
    let files = ReadFiles::read(opened, output)?;
    let has_new = |change: &&Change| {
        let new = change
            .refused
            .as_ref()
            .filter(|_| rotation.note().stage == Stage::Taken)
            .or(change.new.as_ref());
        new.is_some_and(|new| {
            let new = Located {
                place: change.place.clone(),
                value: new.clone(),
            };
            files.with(output, |files| is_there(&new, files))
        })
    };
    let (places, others): (Vec<&Change>, Vec<&Change>) = rotation.changes().iter().partition(has_new);
    let names = |changes: Vec<&Change>| changes.iter().map(|change| change.place.to_string()).collect();
    Ok(Replacement::Stored {
        places: names(places),
        others: names(others),
        check,
    })
}
