//! What the audit log and the person hear of each step.

use dango_actions::{ChangeDraft, Ending};
use dango_audit::{Detail, Event, Word};
use dango_core::{CredentialPath, SourceName};
use dango_rotation::{Change, Purpose, RotationError};
use dango_sources::ConfiguredSource;
use dango_vault::{ValuePlace, VaultError};
use serde::Serialize;

use super::failure;
use super::procedure::Stop;
use super::provider::Said;
use crate::Outcome;
use crate::failure::{Failure, Status};
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::{self as records, all_done, recorded};

/// Where a rotation is recorded: its places, and the source that reads them.
pub(crate) struct Shape {
    places: Vec<ValuePlace>,
    source: Option<SourceName>,
}

impl Shape {
    pub(crate) fn of(changes: &[Change], source: Option<&SourceName>) -> Self {
        Self {
            places: changes.iter().map(|change| change.place.clone()).collect(),
            source: source.cloned(),
        }
    }

    /// A record for each place.
    fn each(&self, event: Event) -> Vec<ChangeDraft> {
        let drafts = self.places.iter().map(|place| match place {
            ValuePlace::Secret(path) => records::credential(event, path),
            ValuePlace::Variable(key) => records::variable(event, key.as_str()),
        });
        drafts.collect()
    }

    /// One record for all of it.
    pub(crate) fn whole(&self, event: Event) -> ChangeDraft {
        let draft = match (&self.source, self.places.as_slice()) {
            (Some(source), _) => records::source(event, source),
            (None, [ValuePlace::Secret(path)]) => return records::credential(event, path),
            (None, [ValuePlace::Variable(key)]) => return records::variable(event, key.as_str()),
            (None, [ValuePlace::Secret(path), ..]) => records::credential(event, path),
            (None, [ValuePlace::Variable(key), ..]) => records::variable(event, key.as_str()),
            (None, []) => ChangeDraft::new(event),
        };
        let paths: Vec<CredentialPath> = self
            .places
            .iter()
            .filter_map(|place| match place {
                ValuePlace::Secret(path) => Some(path.clone()),
                ValuePlace::Variable(key) => CredentialPath::from_parts([key.as_str()]),
            })
            .collect();
        draft.with(Detail::Paths, paths.as_slice())
    }
}

/// The values are laid aside.
pub(super) fn begun<T>(
    opened: &Opened,
    shape: &Shape,
    purpose: Purpose,
    output: &mut Output<'_>,
    begin: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let event = match purpose {
        Purpose::Rotation => Event::CredentialRotationStarted,
        Purpose::Exposure => Event::CredentialExposed,
    };
    recorded(opened, vec![shape.whole(event)], output, |_| begin(), all_done(1))
}

/// A provider was asked.
pub(super) fn asked(opened: &Opened, source: &SourceName, said: &Said, output: &mut Output<'_>) -> Outcome {
    let draft = records::source(Event::SourceChecked, source);
    let ending = match said.word() {
        "accepted" => Ending::done().with(Detail::Code, Word::new(said.word())),
        _ => Ending::failed(Word::new(said.code)),
    };
    recorded(opened, vec![draft], output, |_| Ok(()), |()| vec![ending])
}

/// The new values are stored; or the place whose value somebody else has changed meanwhile, and then the rest is not certain.
pub(super) fn written(
    opened: &Opened,
    shape: &Shape,
    output: &mut Output<'_>,
    write: impl FnOnce() -> Result<(), RotationError>,
) -> Result<Option<ValuePlace>, Failure> {
    let drafts = shape.each(Event::SecretSet);
    let count = drafts.len();
    let mut changed = None;
    let change = |_: &mut Output<'_>| {
        write().map_err(|error| {
            let told = failure(&error, opened);
            if let RotationError::Vault(VaultError::Changed { place }) = error {
                changed = Some(place);
            }
            told
        })
    };
    let done = recorded(opened, drafts, output, change, |()| vec![stored(); count]);
    match changed {
        Some(place) => Ok(Some(place)),
        None => done.map(|()| None),
    }
}

/// The new values are stored wherever the exposed ones still were; the other places are answered.
pub(super) fn written_around(
    opened: &Opened,
    shape: &Shape,
    output: &mut Output<'_>,
    write: impl FnOnce() -> Result<Vec<ValuePlace>, RotationError>,
) -> Result<Vec<ValuePlace>, Failure> {
    let drafts = shape.each(Event::SecretSet);
    recorded(
        opened,
        drafts,
        output,
        |_| write().map_err(|error| failure(&error, opened)),
        |left| {
            let endings = shape.places.iter().map(|place| match left.contains(place) {
                true => Ending::failed(Word::new("value-changed")),
                false => stored(),
            });
            endings.collect()
        },
    )
}

/// How the record of a value that was exchanged ends.
fn stored() -> Ending {
    Ending::done()
        .with(Detail::Action, Word::new("updated"))
        .with(Detail::Via, Word::new("rotation"))
}

/// The old values are back, or were never away.
pub(super) fn given_up<T>(
    opened: &Opened,
    shape: &Shape,
    why: &'static str,
    output: &mut Output<'_>,
    give_up: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let draft = shape.whole(Event::CredentialRotationAborted).with(Detail::Reason, Word::new(why));
    recorded(opened, vec![draft], output, |_| give_up(), all_done(1))
}

/// The old values are forgotten.
pub(super) fn ended(opened: &Opened, shape: &Shape, output: &mut Output<'_>, end: impl FnOnce() -> Outcome) -> Outcome {
    recorded(opened, vec![shape.whole(Event::CredentialRotated)], output, |_| end(), all_done(1))
}

#[derive(Serialize)]
struct Done<'a> {
    source: &'a str,
    state: &'static str,
    places: Vec<String>,
    check: &'static str,
    check_code: &'static str,
    revoke_url: Option<&'static str>,
}

/// How a run ended that did not fail.
pub(super) fn tell(
    name: &str,
    places: &[ValuePlace],
    stop: Stop,
    source: Option<&ConfiguredSource>,
    said: &Said,
    output: &mut Output<'_>,
) -> Outcome {
    let revoke_url = source.and_then(ConfiguredSource::spec).and_then(|spec| spec.credentials_url);
    let state = match stop {
        Stop::Settled => "rotated",
        Stop::Stored => "stored",
        Stop::Refused => "refused",
    };
    match stop {
        Stop::Settled => {
            let how = match said.word() {
                "accepted" => "it is accepted; ",
                _ => "",
            };
            output.say(format!("{name}: {how}the old value is forgotten here and can be revoked now"));
            output.hint(match revoke_url {
                Some(url) => format!("revoke the old one at {url}"),
                None => "revoke the old one where it was made".to_owned(),
            });
        }
        Stop::Stored | Stop::Refused => {
            output.say(format!("{name}: the old value is kept until you say that the new one works"));
            output.hint(format!("try it with `dango sync {name}`, then `dango rotate {name} --finish`"));
            output.hint(format!("`dango rotate {name} --abort` puts the old one back"));
        }
    }
    if output.json {
        output.json(&Done {
            source: name,
            state,
            places: places.iter().map(ToString::to_string).collect(),
            check: said.word(),
            check_code: said.code,
            revoke_url,
        })?;
    }
    match stop {
        Stop::Refused => Err(Failure::silent(Status::Refused)),
        Stop::Settled | Stop::Stored => Ok(()),
    }
}

/// A rotation was given up on demand.
pub(super) fn aborted(name: &str, output: &mut Output<'_>) -> Outcome {
    if !output.json {
        return Ok(());
    }
    output.json(&Done {
        source: name,
        state: "aborted",
        places: Vec::new(),
        check: "unchecked",
        check_code: "not-asked",
        revoke_url: None,
    })
}
