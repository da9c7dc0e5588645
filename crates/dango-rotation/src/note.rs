//! How far a rotation is, as one line that is kept beside the values; it holds no secret.

use std::fmt;
use std::str::FromStr;

use dango_core::Timestamp;

/// Why values are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// They are due; the old ones are good until they are revoked.
    Rotation,
    /// The old ones are known to somebody who must not know them.
    Exposure,
}

/// How far it is. A stage is noted before the files are touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The old values are laid aside; there are no new ones yet.
    Open,
    /// The new values are laid aside, too; the files have the old ones.
    Taken,
    /// The files have the old values, the new ones, or some of each.
    Writing,
    /// The files have the new values.
    Written,
    /// The old values are being put back.
    Returning,
    /// The new values are there to stay.
    Settled,
}

impl Stage {
    const ALL: [Self; 6] = [
        Self::Open,
        Self::Taken,
        Self::Writing,
        Self::Written,
        Self::Returning,
        Self::Settled,
    ];

    /// A stable word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Taken => "taken",
            Self::Writing => "writing",
            Self::Written => "written",
            Self::Returning => "returning",
            Self::Settled => "settled",
        }
    }
}

impl Purpose {
    /// A stable word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rotation => "rotation",
            Self::Exposure => "exposure",
        }
    }
}

/// What is noted of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// Why.
    pub purpose: Purpose,
    /// How far.
    pub stage: Stage,
    /// Since when.
    pub began: Timestamp,
    /// Whether somebody has said that the old value is revoked at the provider.
    pub revoked: bool,
    /// What the provider has said of the new value that is stored.
    pub answer: Answer,
}

/// What a provider has said of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing, or nobody could be asked.
    Unknown,
    /// It takes the value.
    Accepted,
    /// It does not.
    Refused,
}

impl Note {
    /// A rotation that begins.
    pub const fn new(purpose: Purpose, stage: Stage, began: Timestamp) -> Self {
        Self {
            purpose,
            stage,
            began,
            revoked: false,
            answer: Answer::Unknown,
        }
    }

    /// Whether the new value is stored and does not work.
    pub fn is_refused(self) -> bool {
        self.stage == Stage::Written && self.answer == Answer::Refused
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let revoked = if self.revoked { " revoked" } else { "" };
        let answer = match self.answer {
            Answer::Unknown => "",
            Answer::Accepted => " accepted",
            Answer::Refused => " refused",
        };
        let (purpose, stage) = (self.purpose.as_str(), self.stage.as_str());
        write!(f, "{purpose} {stage} {}{revoked}{answer}", self.began.unix_micros())
    }
}

/// A text that is no note of ours. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the note of this rotation in .dango/rotations is damaged")]
pub struct ParseNoteError;

impl FromStr for Note {
    type Err = ParseNoteError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split(' ');
        let purpose = match words.next() {
            Some("rotation") => Purpose::Rotation,
            Some("exposure") => Purpose::Exposure,
            _ => return Err(ParseNoteError),
        };
        let stage = words
            .next()
            .and_then(|word| Stage::ALL.into_iter().find(|stage| stage.as_str() == word));
        let began = words.next().and_then(|word| word.parse().ok()).map(Timestamp::from_unix_micros);
        let (mut revoked, mut answer) = (false, Answer::Unknown);
        for word in words {
            match word {
                "revoked" => revoked = true,
                "accepted" => answer = Answer::Accepted,
                "refused" => answer = Answer::Refused,
                _ => return Err(ParseNoteError),
            }
        }
        match (stage, began) {
            (Some(stage), Some(began)) => Ok(Self {
                purpose,
                stage,
                began,
                revoked,
                answer,
            }),
            _ => Err(ParseNoteError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_back_and_nothing_else_is_one() {
        for stage in Stage::ALL {
            for purpose in [Purpose::Rotation, Purpose::Exposure] {
                for answer in [Answer::Unknown, Answer::Accepted, Answer::Refused] {
                    for revoked in [false, true] {
                        let began = Timestamp::from_unix_micros(-5);
                        let note = Note {
                            revoked,
                            answer,
                            ..Note::new(purpose, stage, began)
                        };
                        assert_eq!(note.to_string().parse(), Ok(note));
                    }
                }
            }
        }
        let earlier: Note = "exposure settled 7 revoked accepted".parse().expect("a note of an earlier version");
        assert_eq!((earlier.revoked, earlier.answer), (true, Answer::Accepted));
        for text in [
            "",
            "rotation",
            "rotation taken",
            "rotation taken x",
            "rotation gone 1",
            "rotation taken 1 2",
            "theft taken 1",
        ] {
            assert_eq!(text.parse::<Note>(), Err(ParseNoteError), "{text:?}");
        }
    }
}
