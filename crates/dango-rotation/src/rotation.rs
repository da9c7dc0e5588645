//! The old and the new values of a rotation: laid aside, exchanged in the files, put back, forgotten; how far it is, is noted before each step.

use dango_core::SecretValue;
use dango_vault::{Aside, AsideRole, AsideValue, Exchange, ValuePlace, Vault, VaultError};

use crate::note::{Answer, Note, ParseNoteError, Stage};

/// One value that takes the place of another, as both are laid aside. There is no `Debug`: both are secrets.
#[derive(Clone)]
pub struct Change {
    /// Where.
    pub place: ValuePlace,
    /// What goes.
    pub old: SecretValue,
    /// What comes; not yet known at [`Stage::Open`].
    pub new: Option<SecretValue>,
    /// What came before that, was refused once it was stored, and is still there.
    pub refused: Option<SecretValue>,
}

/// Why a step was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// The project's files could not be read or changed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// What is noted of it cannot be read.
    #[error(transparent)]
    Note(#[from] ParseNoteError),
    /// A value of it is gone.
    #[error("a value of this rotation is missing in .dango/rotations")]
    Incomplete,
}

impl RotationError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Vault(error) => error.code(),
            Self::Note(_) | Self::Incomplete => "rotations-malformed",
        }
    }
}

/// A rotation under way.
///
/// Whoever has it holds the [`RotationLease`](dango_vault::RotationLease) of its name.
pub struct Rotation {
    name: String,
    note: Note,
    changes: Vec<Change>,
}

impl Rotation {
    /// Lays values aside.
    ///
    /// # Errors
    ///
    /// [`RotationError::Vault`]; then nothing is laid aside.
    pub fn begin(vault: &Vault<'_>, name: String, note: Note, changes: Vec<Change>) -> Result<Self, RotationError> {
        let rotation = Self { name, note, changes };
        vault.lay_aside(&rotation.to_aside())?;
        Ok(rotation)
    }

    /// What was begun under a name and has not ended.
    ///
    /// # Errors
    ///
    /// [`RotationError`].
    pub fn load(vault: &Vault<'_>, name: &str) -> Result<Option<Self>, RotationError> {
        let Some(aside) = vault.aside(name)? else { return Ok(None) };
        let note: Note = aside.note.parse()?;
        let mut changes: Vec<Change> = Vec::new();
        for AsideValue { place, role, text } in aside.values {
            match (role, changes.iter_mut().find(|change| change.place == place)) {
                (AsideRole::Old, None) => changes.push(Change {
                    place,
                    old: text,
                    new: None,
                    refused: None,
                }),
                (AsideRole::New, Some(change)) => change.new = Some(text),
                (AsideRole::Refused, Some(change)) => change.refused = Some(text),
                _ => return Err(RotationError::Incomplete),
            }
        }
        let is_complete = note.stage == Stage::Open || changes.iter().all(|change| change.new.is_some());
        match is_complete && !changes.is_empty() {
            true => Ok(Some(Self {
                name: aside.name,
                note,
                changes,
            })),
            false => Err(RotationError::Incomplete),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How far it is, and why it is made.
    pub const fn note(&self) -> Note {
        self.note
    }

    /// What it changes.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether a new value may be in the files.
    pub fn is_stored(&self) -> bool {
        let is_after = !matches!(self.note.stage, Stage::Open | Stage::Taken);
        is_after || self.changes.iter().any(|change| change.refused.is_some())
    }

    /// Takes the new values of one that has none, or others for those that were refused; the files are left alone.
    ///
    /// # Errors
    ///
    /// [`RotationError`]; then it is as it was.
    pub fn give(&mut self, vault: &Vault<'_>, new: Vec<SecretValue>) -> Result<(), RotationError> {
        if new.len() != self.changes.len() {
            return Err(RotationError::Incomplete);
        }
        let changes = self.changes.iter().zip(new);
        let is_refused = self.note.is_refused();
        let given = Self {
            name: self.name.clone(),
            note: Note {
                stage: Stage::Taken,
                answer: Answer::Unknown,
                ..self.note
            },
            changes: changes
                .map(|(change, new)| Change {
                    new: Some(new),
                    refused: change.new.clone().filter(|_| is_refused).or_else(|| change.refused.clone()),
                    ..change.clone()
                })
                .collect(),
        };
        vault.lay_aside(&given.to_aside())?;
        *self = given;
        Ok(())
    }

    /// Lets go of new values that are stored nowhere yet; the old ones stay laid aside, and so do those that are stored and were refused.
    ///
    /// # Errors
    ///
    /// [`RotationError`]; then it is as it was.
    pub fn take_back(&mut self, vault: &Vault<'_>) -> Result<(), RotationError> {
        let (stage, answer) = match self.is_stored() {
            true => (Stage::Written, Answer::Refused),
            false => (Stage::Open, Answer::Unknown),
        };
        let back = Self {
            name: self.name.clone(),
            note: Note {
                stage,
                answer,
                ..self.note
            },
            changes: self
                .changes
                .iter()
                .map(|change| Change {
                    new: change.refused.clone(),
                    refused: None,
                    ..change.clone()
                })
                .collect(),
        };
        vault.lay_aside(&back.to_aside())?;
        *self = back;
        Ok(())
    }

    /// Notes something.
    ///
    /// # Errors
    ///
    /// [`RotationError::Vault`]; then it is not noted.
    pub fn annotate(&mut self, vault: &Vault<'_>, note: Note) -> Result<(), RotationError> {
        vault.note_aside(&self.name, &note.to_string())?;
        self.note = note;
        Ok(())
    }

    /// Writes the new values where the old ones are; goes on where an earlier process ended.
    ///
    /// # Errors
    ///
    /// [`VaultError::Changed`] where somebody else has changed one of the values: then [`Rotation::put_back`] restores the others. After
    /// any other error the next call goes on.
    pub fn write(&mut self, vault: &Vault<'_>) -> Result<(), RotationError> {
        self.enter(vault, Stage::Writing)?;
        self.exchange(vault, &self.changes, Direction::Forth)?;
        self.enter(vault, Stage::Written)
    }

    /// Writes the new values where the old ones still are, for old ones that must not stay anywhere. A place with neither of the two was changed
    /// by somebody else, so the old one is gone from there: it is left alone and named.
    ///
    /// # Errors
    ///
    /// [`RotationError`]; the next call goes on.
    pub fn write_around(&mut self, vault: &Vault<'_>) -> Result<Vec<ValuePlace>, RotationError> {
        self.enter(vault, Stage::Writing)?;
        let left = self.exchange_each(vault, Direction::Forth)?;
        self.enter(vault, Stage::Written)?;
        Ok(left)
    }

    /// Puts the old values back where the new ones are. What has neither of the two was changed by somebody else: it is left alone and named.
    ///
    /// # Errors
    ///
    /// [`RotationError`]; the next call goes on.
    pub fn put_back(&mut self, vault: &Vault<'_>) -> Result<Vec<ValuePlace>, RotationError> {
        self.enter(vault, Stage::Returning)?;
        self.exchange_each(vault, Direction::Back)
    }

    /// Forgets the values that are stored nowhere now: those laid aside, and of the history those that `gone` names and those that were
    /// refused.
    ///
    /// # Errors
    ///
    /// [`RotationError::Vault`]; the next call goes on.
    pub fn forget(&self, vault: &Vault<'_>, gone: AsideRole) -> Result<(), RotationError> {
        for change in &self.changes {
            let value = match gone {
                AsideRole::Old => Some(&change.old),
                AsideRole::New => change.new.as_ref(),
                AsideRole::Refused => None,
            };
            for value in value.into_iter().chain(&change.refused) {
                vault.forget_previous(&change.place, value)?;
            }
        }
        Ok(vault.forget_aside(&self.name)?)
    }

    fn enter(&mut self, vault: &Vault<'_>, stage: Stage) -> Result<(), RotationError> {
        if self.note.stage == stage {
            return Ok(());
        }
        self.annotate(vault, Note { stage, ..self.note })
    }

    /// Exchanges one value after the other, and answers for the places that have neither.
    fn exchange_each(&self, vault: &Vault<'_>, direction: Direction) -> Result<Vec<ValuePlace>, RotationError> {
        let mut left = Vec::new();
        for change in &self.changes {
            let exchanged = self.exchange(vault, std::slice::from_ref(change), direction);
            let exchanged = match (exchanged, &change.refused) {
                (Err(RotationError::Vault(VaultError::Changed { .. })), Some(refused)) => {
                    let from_refused = match direction {
                        Direction::Forth => Change {
                            old: refused.clone(),
                            ..change.clone()
                        },
                        Direction::Back => Change {
                            new: Some(refused.clone()),
                            ..change.clone()
                        },
                    };
                    self.exchange(vault, &[from_refused], direction)
                }
                (exchanged, _) => exchanged,
            };
            match exchanged {
                Ok(()) => {}
                Err(RotationError::Vault(VaultError::Changed { place })) => left.push(place),
                Err(error) => return Err(error),
            }
        }
        Ok(left)
    }

    fn exchange(&self, vault: &Vault<'_>, changes: &[Change], direction: Direction) -> Result<(), RotationError> {
        let (mut secrets, mut variables) = (Vec::new(), Vec::new());
        for change in changes {
            let new = change.new.clone().ok_or(RotationError::Incomplete)?;
            let (from, to) = match direction {
                Direction::Forth => (change.old.clone(), new),
                Direction::Back => (new, change.old.clone()),
            };
            match &change.place {
                ValuePlace::Secret(path) => secrets.push(Exchange {
                    place: path.clone(),
                    from,
                    to,
                }),
                ValuePlace::Variable(key) => variables.push(Exchange {
                    place: key.clone(),
                    from,
                    to,
                }),
            }
        }
        if !secrets.is_empty() {
            vault.exchange_secrets(&secrets)?;
        }
        if !variables.is_empty() {
            vault.exchange_env(&variables)?;
        }
        Ok(())
    }

    fn to_aside(&self) -> Aside {
        let value = |place: &ValuePlace, role, text: &SecretValue| AsideValue {
            place: place.clone(),
            role,
            text: text.clone(),
        };
        let values = self.changes.iter().flat_map(|change| {
            let old = value(&change.place, AsideRole::Old, &change.old);
            let new = change.new.as_ref().map(|new| value(&change.place, AsideRole::New, new));
            let refused = change
                .refused
                .as_ref()
                .map(|refused| value(&change.place, AsideRole::Refused, refused));
            [Some(old), new, refused].into_iter().flatten()
        });
        Aside {
            name: self.name.clone(),
            note: self.note.to_string(),
            values: values.collect(),
        }
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Forth,
    Back,
}

#[cfg(test)]
mod tests;
