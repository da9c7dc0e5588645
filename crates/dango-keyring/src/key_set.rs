//! The active key and those that rotation has retired, and their text form for the places where keys are kept. Sealing with them is elsewhere.

use dango_core::{SecretValue, Timestamp};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::encoding::{base64url, parse_base64url, parse_number};
use crate::key::{KeyId, MasterKey, ParseKeyError};
use crate::memory::KEY_LENGTH;

/// The most keys of one set: what Windows Credential Manager holds in one entry (1,280 characters).
const MOST_KEYS: usize = 16;

const PREFIX: &str = "dango:keys:v1:";

/// One active key, which seals, and the retired ones, which still open what they sealed.
///
/// It has no `Debug`, `Display`, `Serialize` or `Clone`:
///
/// ```compile_fail,E0277
/// let keys = dango_keyring::KeySet::new(dango_keyring::MasterKey::make(&dango_core::OsEntropy).unwrap(), None);
/// println!("{keys:?}");
/// ```
///
/// ```compile_fail,E0277
/// let keys = dango_keyring::KeySet::new(dango_keyring::MasterKey::make(&dango_core::OsEntropy).unwrap(), None);
/// println!("{keys}");
/// ```
///
/// ```compile_fail,E0599
/// let keys = dango_keyring::KeySet::new(dango_keyring::MasterKey::make(&dango_core::OsEntropy).unwrap(), None);
/// let copy: dango_keyring::KeySet = keys.clone();
/// ```
///
/// ```compile_fail,E0277
/// let keys = dango_keyring::KeySet::new(dango_keyring::MasterKey::make(&dango_core::OsEntropy).unwrap(), None);
/// serde_json::to_string(&keys).unwrap();
/// ```
pub struct KeySet {
    active: HeldKey,
    /// The one retired last stands first.
    retired: Vec<HeldKey>,
}

struct HeldKey {
    key: MasterKey,
    created: Option<Timestamp>,
}

impl KeySet {
    /// A set of one active key; `created` is absent where nobody knows.
    pub fn new(key: MasterKey, created: Option<Timestamp>) -> Self {
        Self {
            active: HeldKey { key, created },
            retired: Vec::new(),
        }
    }

    /// The id of the key that seals.
    pub fn active_id(&self) -> KeyId {
        self.active.key.id()
    }

    /// The ids of the keys that only open, the one retired last first.
    pub fn retired_ids(&self) -> impl Iterator<Item = KeyId> {
        self.retired.iter().map(|held| held.key.id())
    }

    /// Whether a key is in the set, active or retired: what it sealed opens if nobody changed it.
    pub fn contains(&self, id: KeyId) -> bool {
        self.find(id).is_some()
    }

    /// When a key of the set was made, in whole seconds; `None` also where nobody knows.
    pub fn created(&self, id: KeyId) -> Option<Timestamp> {
        self.held().find(|held| held.key.id() == id).and_then(|held| held.created)
    }

    /// Makes a new key the active one and keeps the others to open what they sealed.
    ///
    /// Store the result before sealing with it: a crash in between must not lose the only key of a value.
    ///
    /// # Errors
    ///
    /// [`TooManyKeys`], with the set as it was, where earlier rotations were never finished.
    pub fn rotate(mut self, key: MasterKey, created: Option<Timestamp>) -> Result<Self, (TooManyKeys, Self)> {
        if self.retired.len() + 1 >= MOST_KEYS {
            return Err((TooManyKeys, self));
        }
        let before = std::mem::replace(&mut self.active, HeldKey { key, created });
        self.retired.insert(0, before);
        Ok(self)
    }

    /// Forgets the retired keys; what they sealed no longer opens.
    pub fn without_retired(mut self) -> Self {
        self.retired.clear();
        self
    }

    /// Whether another set has the same keys in the same roles, in constant time for each key.
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.retired.len() == other.retired.len() && self.held().zip(other.held()).all(|(one, other)| one.key.ct_eq(&other.key))
    }

    /// Writes the set as one line: `dango:keys:v1:` and, separated by commas and the active one first, `<id>.<created>.<base64url>`.
    ///
    /// `created` is in seconds since 1970, or `-`.
    pub fn to_text(&self) -> SecretValue {
        secret(&self.write())
    }

    /// Writes the set as a key file: a single key as 64 hex digits, which `DANGO_KEY_FILE` reads, too, and which do not say when it was
    /// made; several as [`KeySet::to_text`] does; with a line feed.
    pub fn to_key_file(&self) -> SecretValue {
        let text = if self.retired.is_empty() {
            Zeroizing::new(HEXLOWER.encode(self.active.key.bytes()))
        } else {
            self.write()
        };
        let mut line = Zeroizing::new(String::with_capacity(text.len() + 1));
        line.push_str(&text);
        line.push('\n');
        secret(&line)
    }

    /// Reads what [`KeySet::to_text`] or [`KeySet::to_key_file`] wrote, or a bare key, with white space around it ignored.
    ///
    /// # Errors
    ///
    /// [`ParseKeysError`], which repeats nothing of the text but key ids.
    pub fn parse(text: &SecretValue) -> Result<Self, ParseKeysError> {
        let Some(entries) = text.expose().trim().strip_prefix(PREFIX) else {
            return Ok(Self::new(MasterKey::parse_file(text)?, None));
        };
        let mut keys: Vec<HeldKey> = Vec::new();
        for entry in entries.split(',') {
            let held = parse_entry(entry)?;
            let id = held.key.id();
            if keys.iter().any(|other| other.key.id() == id) {
                return Err(ParseKeysError::Twice { id });
            }
            if keys.len() == MOST_KEYS {
                return Err(TooManyKeys.into());
            }
            keys.push(held);
        }
        let mut keys = keys.into_iter();
        let active = keys.next().ok_or(ParseKeysError::Form)?;
        Ok(Self {
            active,
            retired: keys.collect(),
        })
    }

    /// The key that seals.
    pub(crate) fn active(&self) -> &MasterKey {
        &self.active.key
    }

    /// The key with an id, active or retired.
    pub(crate) fn find(&self, id: KeyId) -> Option<&MasterKey> {
        self.keys().find(|key| key.id() == id)
    }

    /// All keys, the active one first.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        self.held().map(|held| &held.key)
    }

    /// All ids, the active one first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys().map(MasterKey::id)
    }

    fn write(&self) -> Zeroizing<String> {
        // Large enough never to grow: a text that grows leaves a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + (self.retired.len() + 1) * 96));
        text.push_str(PREFIX);
        for (index, held) in self.held().enumerate() {
            if index > 0 {
                text.push(',');
            }
            let created = held.created.and_then(seconds).map_or_else(|| "-".to_owned(), |at| at.to_string());
            text.push_str(&held.key.id().to_string());
            text.push('.');
            text.push_str(&created);
            text.push('.');
            text.push_str(&Zeroizing::new(base64url(held.key.bytes())));
        }
        text
    }

    fn held(&self) -> impl Iterator<Item = &HeldKey> {
        std::iter::once(&self.active).chain(&self.retired)
    }
}

/// Copies a text into a secret of exactly its length, so that no shrinking leaves a copy behind.
fn secret(text: &Zeroizing<String>) -> SecretValue {
    SecretValue::new(text.as_str().to_owned()).expect("digits, letters and punctuation hold no NUL")
}

/// Whole seconds since 1970; times before that are written as unknown.
fn seconds(at: Timestamp) -> Option<u64> {
    u64::try_from(at.unix_micros().div_euclid(1_000_000)).ok()
}

fn parse_entry(entry: &str) -> Result<HeldKey, ParseKeysError> {
    let mut parts = entry.split('.');
    let (Some(id), Some(created), Some(key), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(ParseKeysError::Form);
    };
    let id: KeyId = id.parse().map_err(|_| ParseKeysError::Form)?;
    let created = match created {
        "-" => None,
        seconds => Some(parse_created(seconds).ok_or(ParseKeysError::Form)?),
    };
    let bytes = Zeroizing::new(parse_base64url(key).map_err(|_| ParseKeysError::Form)?);
    let bytes: &[u8; KEY_LENGTH] = bytes.as_slice().try_into().map_err(|_| ParseKeysError::Form)?;
    let key = MasterKey::from_bytes(bytes);
    if key.id() == id {
        Ok(HeldKey { key, created })
    } else {
        Err(ParseKeysError::WrongId { id })
    }
}

fn parse_created(text: &str) -> Option<Timestamp> {
    let micros = i64::try_from(parse_number(text)?).ok()?.checked_mul(1_000_000)?;
    Some(Timestamp::from_unix_micros(micros))
}

/// Rotation was begun too often without being finished: a set holds 16 keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a set holds at most {MOST_KEYS} keys: earlier rotations were not finished")]
pub struct TooManyKeys;

/// A text that is no set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseKeysError {
    /// Neither a set nor a bare key.
    #[error("no key can be read there")]
    Key(#[from] ParseKeyError),
    /// It begins like a set and does not go on like one.
    #[error("the set of keys is malformed")]
    Form,
    /// A key is not the one that its id names: the text was damaged.
    #[error("the key stored as {id} is another one: the text is damaged")]
    WrongId {
        /// The id beside the key.
        id: KeyId,
    },
    /// The same key twice.
    #[error("the key {id} is stored twice")]
    Twice {
        /// Its id.
        id: KeyId,
    },
    /// More than a set holds.
    #[error(transparent)]
    TooMany(#[from] TooManyKeys),
}

impl ParseKeysError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Key(error) => error.code(),
            Self::Form => "keys-malformed",
            Self::WrongId { .. } => "keys-damaged",
            Self::Twice { .. } => "keys-twice",
            Self::TooMany(_) => "keys-too-many",
        }
    }
}

#[cfg(test)]
mod tests;
