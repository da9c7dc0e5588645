//! The file seal: a keyed digest over all encrypted values of a file, with a counter that only grows. Reading and writing files is the caller's.

mod comparison;
mod seen;

use std::collections::BTreeMap;

use dango_core::{CredentialPath, VariableName};

pub use comparison::{SealChanges, SealState};
pub use seen::{ParseSeenError, SeenState};

use crate::binding::{Binding, Purpose};
use crate::derivation::{DerivedKey, Role};
use crate::encoding::{Fields, base64url, parse_base64url_array, parse_number};
use crate::envelope::Envelope;
use crate::key::{KeyId, MasterKey};
use crate::key_set::KeySet;

/// The comment line that carries the seal in `.env`.
const COMMENT: &str = "# dango:seal:v1:";

/// The largest counter: what every reader of TOML holds, with room to spare.
const LARGEST_COUNTER: u64 = 1 << 62;

/// The largest counter that is taken over from a seal which nobody has authenticated.
///
/// A forged counter can so neither make the real one run out nor outrun it.
const LARGEST_UNPROVEN_COUNTER: u64 = 1 << 48;

/// The digest over a file's encrypted values, as it stands in the file.
///
/// In `.dlt/secrets.toml` it is the table `[dango.seal]` with `key_id`, `counter` and `digest`; in `.env` the comment line
/// `# dango:seal:v1:<key id>:<counter>:<digest>`. A seal that cannot be read counts as none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSeal {
    key_id: KeyId,
    counter: u64,
    digest: [u8; 32],
}

impl FileSeal {
    /// Reads the members of `[dango.seal]`.
    pub fn from_members(key_id: &str, counter: i64, digest: &str) -> Option<Self> {
        Some(Self {
            key_id: key_id.parse().ok()?,
            counter: u64::try_from(counter).ok().filter(|counter| *counter <= LARGEST_COUNTER)?,
            digest: parse_base64url_array(digest)?,
        })
    }

    /// Reads the comment line of `.env`, with or without its line end; `None` for any other line.
    pub fn parse_comment(line: &str) -> Option<Self> {
        let mut members = line.trim_end_matches(['\r', '\n']).strip_prefix(COMMENT)?.splitn(3, ':');
        let key_id = members.next()?;
        let counter = i64::try_from(parse_number(members.next()?)?).ok()?;
        Self::from_members(key_id, counter, members.next()?)
    }

    /// Whether a line of `.env` is one that a seal stands in, readable or not.
    pub fn is_comment(line: &str) -> bool {
        line.starts_with(COMMENT)
    }

    /// Writes the comment line of `.env`, without a line end.
    pub fn to_comment(&self) -> String {
        format!("{COMMENT}{}:{}:{}", self.key_id, self.counter, self.digest_text())
    }

    /// The key that made it.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// How often the file was sealed; at most 2⁶².
    pub fn counter(&self) -> i64 {
        i64::try_from(self.counter).expect("a counter is at most 2^62")
    }

    /// The digest as base64url, 43 characters.
    pub fn digest_text(&self) -> String {
        base64url(&self.digest)
    }
}

/// The encrypted values of one file, each with its place.
///
/// A value that does not parse as an [`Envelope`] is none of them; a variable that is set twice is two of them.
#[derive(Clone, Debug, Default)]
pub struct SealedValues {
    /// Names and envelope texts.
    values: Vec<(String, String)>,
}

impl SealedValues {
    /// No value at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value of `.dlt/secrets.toml`.
    pub fn add_path(&mut self, path: &CredentialPath, envelope: &Envelope) {
        self.values.push((Binding::path(path).name().to_owned(), envelope.to_string()));
    }

    /// Adds a value of `.env`.
    pub fn add_variable(&mut self, name: &VariableName, envelope: &Envelope) {
        self.values.push((Binding::variable(name).name().to_owned(), envelope.to_string()));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Names and envelopes in the order of their bytes.
    fn sorted(&self) -> Vec<&(String, String)> {
        let mut sorted: Vec<_> = self.values.iter().collect();
        sorted.sort_unstable();
        sorted
    }
}

/// Makes and checks the seal of one file.
///
/// On every use: [`FileSealer::check`] the file against its seal and the state that was seen last, kept in `.dango/`. On every edit of
/// an intact file: [`FileSealer::seal`], write the file, then the new state; in this order a crash in between leaves a file that is merely
/// newer than what was seen. An edit of a file that is not intact must not hide what is wrong with it: leave its seal alone, and
/// [`FileSealer::note_edits`] so that the edited values themselves are not reported. `secrets reseal` is [`FileSealer::seal`] whatever the state.
pub struct FileSealer<'a> {
    keys: &'a KeySet,
    purpose: Purpose,
}

impl KeySet {
    /// What makes and checks the seal of a file.
    pub fn file_sealer(&self, purpose: Purpose) -> FileSealer<'_> {
        FileSealer { keys: self, purpose }
    }
}

impl FileSealer<'_> {
    /// Seals a file as it is with the active key; what comes back beside the seal is the state that was seen last.
    ///
    /// `before` is the seal that the file had, `seen` the state that was kept; the new counter is larger than theirs. For a file without
    /// encrypted values the seal need not be written.
    ///
    /// # Errors
    ///
    /// [`CounterExhausted`] after 2⁶² seals.
    pub fn seal(
        &self,
        values: &SealedValues,
        before: Option<&FileSeal>,
        seen: Option<&SeenState>,
    ) -> Result<(FileSeal, SeenState), CounterExhausted> {
        let unproven = before
            .map(|seal| seal.counter)
            .filter(|counter| *counter <= LARGEST_UNPROVEN_COUNTER);
        let last = unproven.max(seen.map(SeenState::counter)).unwrap_or(0);
        if last >= LARGEST_COUNTER {
            return Err(CounterExhausted);
        }
        let master = self.keys.active();
        let counter = last + 1;
        let digest = self.key(master, Role::FileSeal).authenticate(&self.message(counter, values));
        let seal = FileSeal {
            key_id: master.id(),
            counter,
            digest,
        };
        let state = self.state_of(master, &seal, values);
        Ok((seal, state))
    }

    /// Compares a file with its seal and with the state that was seen last.
    ///
    /// `seal` is `None` where the file has none or one that cannot be read, `seen` where no state was kept.
    pub fn check(&self, values: &SealedValues, seal: Option<&FileSeal>, seen: Option<&SeenState>) -> SealState {
        let changes = || seen.and_then(|seen| self.changes(values, seen));
        let Some(seal) = seal else {
            let nothing_was_seen = seen.is_none_or(SeenState::is_empty);
            return if values.is_empty() && nothing_was_seen {
                SealState::Intact { newer: None }
            } else {
                SealState::Missing { changes: changes() }
            };
        };
        let Some(master) = self.keys.find(seal.key_id) else {
            return SealState::UnknownKey { id: seal.key_id };
        };
        let message = self.message(seal.counter, values);
        if !self.key(master, Role::FileSeal).verify(&message, &seal.digest) {
            return SealState::Changed { changes: changes() };
        }
        match seen {
            Some(seen) if seal.counter < seen.counter() => SealState::RolledBack {
                seen: seen.counter(),
                found: seal.counter,
                changes: changes(),
            },
            Some(seen) if seal.counter == seen.counter() && !seen.is_of(seal) => SealState::Changed { changes: changes() },
            Some(seen) if seal.counter == seen.counter() => SealState::Intact { newer: None },
            _ => SealState::Intact {
                newer: Some(self.state_of(master, seal, values)),
            },
        }
    }

    /// Notes in the last seen state which values were edited by this program (`None`: removed or decrypted), in a file whose seal stays
    /// broken. All edits of one change are given together, because each call goes through the whole state.
    pub fn note_edits(&self, seen: &mut SeenState, edits: &BTreeMap<Binding, Option<Envelope>>) {
        if let Some(master) = self.keys.find(seen.key_id()) {
            seen.replace(&self.key(master, Role::SealedFingerprint), edits);
        }
    }

    fn changes(&self, values: &SealedValues, seen: &SeenState) -> Option<SealChanges> {
        let master = self.keys.find(seen.key_id())?;
        let key = self.key(master, Role::SealedFingerprint);
        Some(SealChanges::between(seen, &SeenState::fingerprints(&key, values)))
    }

    fn state_of(&self, master: &MasterKey, seal: &FileSeal, values: &SealedValues) -> SeenState {
        SeenState::new(seal, SeenState::fingerprints(&self.key(master, Role::SealedFingerprint), values))
    }

    fn key(&self, master: &MasterKey, role: Role) -> DerivedKey {
        DerivedKey::derive(master, role, self.purpose.as_str())
    }

    /// Version, purpose, counter, and names and envelopes in order, each preceded by its length.
    fn message(&self, counter: u64, values: &SealedValues) -> Vec<u8> {
        let mut fields = Fields::default()
            .with("dango:seal:v1")
            .with(self.purpose.as_str())
            .with(counter.to_be_bytes());
        for (name, envelope) in values.sorted() {
            fields.add(name.as_bytes());
            fields.add(envelope.as_bytes());
        }
        fields.into_bytes()
    }
}

/// The counter of a seal has reached 2⁶².
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the counter of the file's seal cannot grow any more")]
pub struct CounterExhausted;

#[cfg(test)]
mod tests;
