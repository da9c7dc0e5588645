//! The procedure: one step after another, each recorded, until the new value is there to stay, the old one is back, or somebody has to wait.

use dango_core::SourceName;
use dango_rotation::{Change, Next, Note, Probe, Purpose, Rotation, Stage, Verdict};
use dango_sources::ConfiguredSource;
use dango_vault::{AsideRole, ValuePlace};

use super::failure;
use super::provider::{Provider, Said};
use super::record::{self, Shape};
use crate::Outcome;
use crate::failure::{Failure, Status};
use crate::opened::Opened;
use crate::output::Output;
use crate::prompt;

/// What somebody wants of a run of the procedure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// A provider is asked.
    pub(crate) check: bool,
    /// The new value is good, whatever is known of it.
    pub(crate) settle: bool,
    /// Confirmations are given.
    pub(crate) yes: bool,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The new value is there to stay.
    Settled,
    /// The new value is stored, and somebody has to say whether it works.
    Stored,
    /// The new value is stored and does not work, and the old one is worse.
    Refused,
}

/// The rotation of one source's credentials, or of a value that no source reads.
pub(crate) struct Procedure<'a> {
    opened: &'a Opened,
    source: Option<&'a ConfiguredSource>,
    asked: Asked,
    /// What was said of the new value last.
    pub(crate) said: Said,
}

impl<'a> Procedure<'a> {
    pub(crate) fn new(opened: &'a Opened, source: Option<&'a ConfiguredSource>, asked: Asked) -> Self {
        Self {
            opened,
            source,
            asked,
            said: Said::nothing(),
        }
    }

    /// Lays the values aside.
    pub(crate) fn begin(&self, name: String, purpose: Purpose, changes: Vec<Change>, output: &mut Output<'_>) -> Result<Rotation, Failure> {
        let stage = match changes.iter().all(|change| change.new.is_some()) {
            true => Stage::Taken,
            false => Stage::Open,
        };
        let note = Note::new(purpose, stage, output.host.clock.now());
        let shape = Shape::of(&changes, self.source.map(ConfiguredSource::name));
        record::begun(self.opened, &shape, purpose, output, || {
            Rotation::begin(&self.opened.vault(), name, note, changes).map_err(|error| failure(&error, self.opened))
        })
    }

    /// Goes on until the rotation has ended or waits for somebody, and says so.
    pub(crate) fn go_on(&mut self, rotation: Rotation, output: &mut Output<'_>) -> Outcome {
        let name = rotation.name().to_owned();
        let places: Vec<ValuePlace> = rotation.changes().iter().map(|change| change.place.clone()).collect();
        let (stop, rotation) = self.advance(rotation, output)?;
        if stop == Stop::Settled {
            self.end(&rotation, output)?;
        }
        record::tell(&name, &places, stop, self.source, &self.said, output)
    }

    /// Goes on until the new value is stored and accepted, or stored and waiting for somebody's word.
    pub(crate) fn advance(&mut self, mut rotation: Rotation, output: &mut Output<'_>) -> Result<(Stop, Rotation), Failure> {
        loop {
            let note = rotation.note();
            let verdict = match note.stage {
                Stage::Taken | Stage::Written if self.asked.settle => Verdict::Accepted,
                Stage::Taken if !self.asked.check => Verdict::Accepted,
                Stage::Written if !self.asked.check => Verdict::Unchecked,
                Stage::Taken | Stage::Written => self.ask(&rotation, output)?,
                _ => Verdict::Unchecked,
            };
            match note.stage.next(note.purpose, verdict) {
                Next::Write => self.write(&mut rotation, output)?,
                Next::Settle => return Ok((Stop::Settled, rotation)),
                Next::KeepRefused => return Ok((Stop::Refused, rotation)),
                Next::Drop => return Err(self.drop_new(rotation, output)),
                Next::PutBack if note.stage == Stage::Returning => return Err(self.returned(&mut rotation, output)?),
                Next::PutBack => return Err(self.refused_in_the_files(&mut rotation, output)?),
                Next::Wait => self.wait(&rotation, output)?,
                Next::Decide if note.stage == Stage::Written => match self.decide(&rotation, output)? {
                    Decision::Good => return Ok((Stop::Settled, rotation)),
                    Decision::Bad => return Err(self.refused_in_the_files(&mut rotation, output)?),
                    Decision::Later => return Ok((Stop::Stored, rotation)),
                },
                Next::Decide => self.write_unchecked(&mut rotation, output)?,
            }
        }
    }

    /// Puts the old values back and ends it.
    pub(crate) fn abort(&mut self, mut rotation: Rotation, output: &mut Output<'_>) -> Outcome {
        let name = rotation.name().to_owned();
        let left = self.put_back(&mut rotation, "given-up", output)?;
        output.say(format!("{name}: given up; the files have the old value"));
        tell_left(&left, output);
        record::aborted(&name, output)
    }

    /// Forgets the old values.
    pub(crate) fn end(&self, rotation: &Rotation, output: &mut Output<'_>) -> Outcome {
        let shape = Shape::of(rotation.changes(), self.source.map(ConfiguredSource::name));
        record::ended(self.opened, &shape, output, || {
            rotation
                .forget(&self.opened.vault(), AsideRole::Old)
                .map_err(|error| failure(&error, self.opened))
        })
    }

    fn ask(&mut self, rotation: &Rotation, output: &mut Output<'_>) -> Result<Verdict, Failure> {
        let Some(source) = self.source else {
            self.said = Said::nobody_to_ask();
            return Ok(Verdict::Unchecked);
        };
        let mut provider = Provider::new(source, rotation.changes(), self.opened, output);
        let instead = match rotation.note().stage {
            Stage::Taken => provider.instead()?,
            // What is in the files is asked about, as the pipeline reads it.
            _ => Vec::new(),
        };
        let verdict = provider.ask(&instead).map_err(|failure| interrupted(failure, rotation))?;
        self.said = provider.said();
        record::asked(self.opened, source.name(), &self.said, output)?;
        Ok(verdict)
    }

    fn write(&self, rotation: &mut Rotation, output: &mut Output<'_>) -> Outcome {
        let shape = Shape::of(rotation.changes(), self.source_name());
        if rotation.note().purpose == Purpose::Exposure {
            // What somebody else has stored instead is not the exposed value either.
            let left = record::written_around(self.opened, &shape, output, || rotation.write_around(&self.opened.vault()))?;
            tell_left(&left, output);
            match left.len() < rotation.changes().len() {
                true => output.say(format!("{}: the new value is stored", rotation.name())),
                false => {
                    output.say(format!("{}: the new value is stored nowhere", rotation.name()));
                    output.hint("`dango secrets set PATH` or `dango env set KEY` stores one where it is wanted");
                }
            }
            return Ok(());
        }
        let Some(place) = record::written(self.opened, &shape, output, || rotation.write(&self.opened.vault()))? else {
            output.say(format!("{}: the new value is stored", rotation.name()));
            return Ok(());
        };
        // Somebody was faster: what was exchanged beside it goes back, and theirs stays.
        let left = self.put_back(rotation, "value-changed", output)?;
        tell_left(&left, output);
        Err(
            Failure::refused(format!("{place} was changed by somebody else meanwhile, and stays as they left it"))
                .with_code("value-changed")
                .hint("do it again if the new value is to take its place"),
        )
    }

    fn write_unchecked(&mut self, rotation: &mut Rotation, output: &mut Output<'_>) -> Outcome {
        let question = format!(
            "{}: whether the new value works cannot be found out ({}); store it all the same, and keep the old one until you say that it works?",
            rotation.name(),
            self.said
        );
        if let Err(failure) = prompt::confirm(&question, self.asked.yes, output) {
            let note = rotation.note();
            if note.purpose == Purpose::Rotation {
                self.discard(rotation, "not-confirmed", output)?;
            }
            return Err(failure
                .hint("`--no-check` stores it without asking")
                .with_code("rotation-unchecked"));
        }
        self.write(rotation, output)
    }

    /// Nobody could be asked: on a terminal again, else later.
    fn wait(&self, rotation: &Rotation, output: &mut Output<'_>) -> Outcome {
        let name = rotation.name();
        let has_new = rotation.note().stage == Stage::Written;
        if output.host.terminal.input {
            output.warn(format!("{name}: {}", self.said));
        }
        let command = command(rotation);
        let again = prompt::decide("Ask again?", false, output);
        if again.map_err(|failure| goes_on(failure, rotation))? {
            return Ok(());
        }
        let state = match has_new {
            true => "the new value is stored and the old one is kept",
            false => "the new value is kept, and the old one is still the one in use",
        };
        Err(
            Failure::refused(format!("{name}: whether the new value works is not known: {}; {state}", self.said))
                .with_code("rotation-unreachable")
                .hint(format!("`{command}` asks again and goes on"))
                .hint(match (has_new, rotation.note().purpose) {
                    (true, Purpose::Rotation) => format!("`{command} --finish` takes the new value as good"),
                    (true, Purpose::Exposure) => format!("`{command} --no-check` goes on without asking"),
                    (false, _) => format!("`{command} --no-check` stores it without asking"),
                })
                .hint(format!("`{command} --abort` gives it up")),
        )
    }

    fn decide(&self, rotation: &Rotation, output: &mut Output<'_>) -> Result<Decision, Failure> {
        if !output.host.terminal.input || self.asked.yes || rotation.note().purpose == Purpose::Exposure {
            return Ok(match rotation.note().purpose {
                Purpose::Exposure => Decision::Good,
                Purpose::Rotation => Decision::Later,
            });
        }
        let choices = [
            "decide later: the old value is kept until then",
            "it works: forget the old value",
            "it does not: put the old value back",
        ];
        let question = "Try the new value now, for instance with `dango sync`. Does it work?";
        let picked = prompt::choice(question, choices.map(str::to_owned).to_vec());
        let picked = picked.map_err(|failure| goes_on(failure, rotation))?;
        Ok(match picked {
            1 => Decision::Good,
            2 => Decision::Bad,
            _ => Decision::Later,
        })
    }

    /// The provider does not take the new value, which is stored nowhere.
    fn drop_new(&self, mut rotation: Rotation, output: &mut Output<'_>) -> Failure {
        let name = rotation.name().to_owned();
        if let Err(failure) = self.discard(&mut rotation, "refused", output) {
            return failure;
        }
        let hint = match rotation.note().purpose {
            Purpose::Rotation => "the old value is in the files as before; make another one at the provider and do it again",
            Purpose::Exposure => "make another one at the provider and do it again",
        };
        Failure::refused(format!("{name}: the new value was not stored: {}", self.said))
            .with_code("rotation-refused")
            .hint(hint)
    }

    /// Lets go of new values that are stored nowhere.
    fn discard(&self, rotation: &mut Rotation, why: &'static str, output: &mut Output<'_>) -> Outcome {
        let shape = Shape::of(rotation.changes(), self.source_name());
        record::given_up(self.opened, &shape, why, output, || {
            let vault = self.opened.vault();
            let done = match rotation.note().purpose {
                Purpose::Rotation => rotation.forget(&vault, AsideRole::New),
                Purpose::Exposure => rotation.take_back(&vault),
            };
            done.map_err(|error| failure(&error, self.opened))
        })
    }

    /// The provider takes the new value no more, or not as it is read from the files.
    fn refused_in_the_files(&self, rotation: &mut Rotation, output: &mut Output<'_>) -> Result<Failure, Failure> {
        let left = self.put_back(rotation, "refused", output)?;
        tell_left(&left, output);
        Ok(Failure::refused(format!(
            "{}: the new value does not work from the files: {}; the old value is back",
            rotation.name(),
            self.said
        ))
        .with_code("rotation-refused")
        .hint("do not revoke the old value at the provider"))
    }

    /// What an earlier process was about to put back.
    fn returned(&self, rotation: &mut Rotation, output: &mut Output<'_>) -> Result<Failure, Failure> {
        let left = self.put_back(rotation, "resumed", output)?;
        tell_left(&left, output);
        Ok(Failure::refused(format!(
            "{}: an earlier rotation was being given up; the old value is back",
            rotation.name()
        ))
        .with_code("rotation-given-up")
        .hint("do it again with a new value"))
    }

    fn put_back(&self, rotation: &mut Rotation, why: &'static str, output: &mut Output<'_>) -> Result<Vec<ValuePlace>, Failure> {
        let shape = Shape::of(rotation.changes(), self.source_name());
        record::given_up(self.opened, &shape, why, output, || {
            let vault = self.opened.vault();
            let left = match rotation.is_stored() {
                true => rotation.put_back(&vault),
                false => Ok(Vec::new()),
            };
            left.and_then(|left| rotation.forget(&vault, AsideRole::New).map(|()| left))
                .map_err(|error| failure(&error, self.opened))
        })
    }

    fn source_name(&self) -> Option<&SourceName> {
        self.source.map(ConfiguredSource::name)
    }
}

enum Decision {
    Good,
    Bad,
    Later,
}

/// The command that goes on with a rotation.
fn command(rotation: &Rotation) -> String {
    match (rotation.note().purpose, rotation.changes().first()) {
        (Purpose::Exposure, Some(change)) => format!("dango exposed {}", change.place),
        _ => format!("dango rotate {}", rotation.name()),
    }
}

/// Ctrl-C while the provider was asked: what has been done by then stays, and either way is open.
fn interrupted(failure: Failure, rotation: &Rotation) -> Failure {
    if !matches!(failure.status, Status::Program(_)) {
        return failure;
    }
    let state = match rotation.note().stage {
        Stage::Written => "the new value is stored, and the old one is kept",
        _ => "the new value is kept, and the old one is still the one in use",
    };
    let command = command(rotation);
    Failure {
        message: format!("{}: interrupted before the provider had answered; {state}", rotation.name()),
        hints: Vec::new(),
        ..failure
    }
    .hint(format!("`{command}` asks again and goes on"))
    .hint(format!("`{command} --abort` gives it up"))
}

/// A question that was not answered: the rotation stays where it is.
fn goes_on(failure: Failure, rotation: &Rotation) -> Failure {
    Failure {
        message: format!("{}: not decided; the rotation stays where it is", rotation.name()),
        ..failure
    }
    .hint(format!("`{}` goes on with it", command(rotation)))
}

fn tell_left(left: &[ValuePlace], output: &mut Output<'_>) {
    for place in left {
        output.warn(format!("{place} was changed by somebody else meanwhile, and stays as they left it"));
    }
}
