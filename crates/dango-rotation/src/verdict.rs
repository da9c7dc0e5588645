//! What a provider says of a credential, and what is to be done with it at each stage.

use dango_core::{CredentialPath, SecretValue};

use crate::note::{Purpose, Stage};

/// What is known of a credential after somebody asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The provider takes it.
    Accepted,
    /// The provider does not.
    Refused,
    /// Nobody could ask: nothing is known.
    Unreachable,
    /// There is nobody to ask: the type has no check, or lacks what one needs.
    Unchecked,
}

/// Somebody who can ask the provider.
pub trait Probe {
    /// Why it could not be asked at all.
    type Error;

    /// Asks with what is stored, but for these values that are not.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from asking, such as a file that cannot be read.
    fn ask(&mut self, instead: &[(CredentialPath, SecretValue)]) -> Result<Verdict, Self::Error>;
}

/// What to do after a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Write the new values.
    Write,
    /// Let go of the new values; nothing was written.
    Drop,
    /// Put the old values back.
    PutBack,
    /// Keep the new values in the files although they are refused: the old ones are worse.
    KeepRefused,
    /// It is done: the old values can go.
    Settle,
    /// Ask again later; nothing is changed.
    Wait,
    /// Somebody has to decide.
    Decide,
}

impl Stage {
    /// What to do once a provider has spoken of the new values.
    ///
    /// An exposed value is never put back: a pipeline that does not load is the smaller harm.
    pub const fn next(self, purpose: Purpose, verdict: Verdict) -> Next {
        match (self, verdict) {
            (Self::Open, _) => Next::Decide,
            (Self::Taken, Verdict::Accepted) => Next::Write,
            (Self::Taken, Verdict::Refused) => Next::Drop,
            (Self::Writing, _) => Next::Write,
            (Self::Written, Verdict::Accepted) => Next::Settle,
            (Self::Written, Verdict::Refused) => match purpose {
                Purpose::Rotation => Next::PutBack,
                Purpose::Exposure => Next::KeepRefused,
            },
            (Self::Taken | Self::Written, Verdict::Unreachable) => Next::Wait,
            (Self::Taken | Self::Written, Verdict::Unchecked) => Next::Decide,
            (Self::Returning, _) => Next::PutBack,
            (Self::Settled, _) => Next::Settle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_that_was_not_accepted_and_nothing_settles_that_is_not_stored() {
        for purpose in [Purpose::Rotation, Purpose::Exposure] {
            for verdict in [Verdict::Refused, Verdict::Unreachable, Verdict::Unchecked] {
                assert_ne!(Stage::Taken.next(purpose, verdict), Next::Write, "{verdict:?}");
            }
            for verdict in [Verdict::Accepted, Verdict::Refused, Verdict::Unreachable, Verdict::Unchecked] {
                for stage in [Stage::Open, Stage::Taken, Stage::Writing, Stage::Returning] {
                    assert_ne!(stage.next(purpose, verdict), Next::Settle, "{stage:?} {verdict:?}");
                }
            }
        }
    }

    #[test]
    fn an_exposed_value_never_comes_back_and_a_rotated_one_does() {
        assert_eq!(Stage::Written.next(Purpose::Rotation, Verdict::Refused), Next::PutBack);
        assert_eq!(Stage::Written.next(Purpose::Exposure, Verdict::Refused), Next::KeepRefused);
        assert_eq!(Stage::Written.next(Purpose::Rotation, Verdict::Unreachable), Next::Wait);
    }
}
