//! What a record says besides who, what and when: a small map whose keys are a closed list and whose values are of closed kinds.

use std::collections::BTreeMap;

use dango_core::{CredentialPath, HostName, RemoteName, SourceName, SourceType, Timestamp, VariableName};

use crate::json;
use crate::words::{Id, Label, NAME_MAX, Seq, Word, harmless};

/// The most items that a list holds; what is beyond is told by [`Detail::Count`].
pub const LIST_MAX: usize = 100;

macro_rules! keys {
    ($($variant:ident = $name:literal,)*) => {
        /// The keys that details may have.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Detail {
            $(
                #[doc = concat!("`", $name, "`")]
                $variant,
            )*
        }

        impl Detail {
            /// Every key, in the order in which they are written.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The key's name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

keys! {
    Action = "action",
    Key = "key",
    Path = "path",
    Paths = "paths",
    File = "file",
    Source = "source",
    SourceType = "source_type",
    Provider = "provider",
    Remote = "remote",
    Host = "host",
    Role = "role",
    OldRole = "old_role",
    NewRole = "new_role",
    Permission = "permission",
    Scopes = "scopes",
    Method = "method",
    Via = "via",
    Reason = "reason",
    Code = "code",
    Factors = "factors",
    Attempts = "attempts",
    Remaining = "remaining",
    Count = "count",
    Total = "total",
    FirstSeq = "first_seq",
    LastSeq = "last_seq",
    SessionId = "session_id",
    KeyId = "key_id",
    OldKeyId = "old_key_id",
    NewKeyId = "new_key_id",
    Holder = "holder",
    Format = "format",
    Encrypted = "encrypted",
    Enabled = "enabled",
    Revoked = "revoked",
    ExitStatus = "exit_status",
    ExpiresAt = "expires_at",
    LockedUntil = "locked_until",
    OccurredAt = "occurred_at",
    Imported = "imported",
    OldVersion = "old_version",
    NewVersion = "new_version",
    Keys = "keys",
    Only = "only",
    Warnings = "warnings",
}

/// A value of details: made only from types that hold no free text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailValue(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Text(String),
    Number(i64),
    Flag(bool),
    List(Vec<String>),
}

impl From<Word> for DetailValue {
    fn from(word: Word) -> Self {
        Self(Kind::Text(word.as_str().to_owned()))
    }
}

impl From<&Id> for DetailValue {
    fn from(id: &Id) -> Self {
        Self(Kind::Text(id.as_str().to_owned()))
    }
}

macro_rules! from_name {
    ($($name:ty),*) => {
        $(
            impl From<&$name> for DetailValue {
                fn from(name: &$name) -> Self {
                    Self(Kind::Text(harmless(&name.to_string(), NAME_MAX)))
                }
            }

            impl From<&[$name]> for DetailValue {
                fn from(names: &[$name]) -> Self {
                    Self(Kind::List(names.iter().take(LIST_MAX).map(|name| harmless(&name.to_string(), NAME_MAX)).collect()))
                }
            }
        )*
    };
}

from_name!(CredentialPath, VariableName, SourceName, SourceType, RemoteName, HostName);

/// A name that is checked by nobody, such as a key of `.env`, which may be any text.
impl From<&Label> for DetailValue {
    fn from(label: &Label) -> Self {
        Self(Kind::Text(label.as_str().to_owned()))
    }
}

impl From<&[Label]> for DetailValue {
    fn from(labels: &[Label]) -> Self {
        Self(Kind::List(
            labels.iter().take(LIST_MAX).map(|label| label.as_str().to_owned()).collect(),
        ))
    }
}

impl From<&[Word]> for DetailValue {
    fn from(words: &[Word]) -> Self {
        Self(Kind::List(
            words.iter().take(LIST_MAX).map(|word| word.as_str().to_owned()).collect(),
        ))
    }
}

/// A count or a status. What is beyond what all readers of JSON take exactly, 2⁵³ − 1, stays there.
impl From<i64> for DetailValue {
    fn from(number: i64) -> Self {
        const EXACT: i64 = (1 << 53) - 1;
        Self(Kind::Number(number.clamp(-EXACT, EXACT)))
    }
}

impl From<Seq> for DetailValue {
    fn from(seq: Seq) -> Self {
        Self::from(seq.as_column())
    }
}

impl From<bool> for DetailValue {
    fn from(flag: bool) -> Self {
        Self(Kind::Flag(flag))
    }
}

impl From<Timestamp> for DetailValue {
    fn from(at: Timestamp) -> Self {
        Self(Kind::Text(at.to_string()))
    }
}

/// The details of a record, each key at most once.
///
/// ```
/// use dango_audit::{Detail, Details, Word};
///
/// let key = "STRIPE_API_KEY".parse::<dango_core::VariableName>()?;
/// let details = Details::new().with(Detail::Key, &key).with(Detail::Action, Word::new("created"));
/// assert_eq!(details.to_json(), r#"{"action":"created","key":"STRIPE_API_KEY"}"#);
/// # Ok::<(), dango_core::ParseNameError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details(BTreeMap<Detail, DetailValue>);

impl Details {
    /// Makes details that say nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says something more, or something else under the same key.
    #[must_use]
    pub fn with(mut self, key: Detail, value: impl Into<DetailValue>) -> Self {
        self.0.insert(key, value.into());
        self
    }

    /// The details as one JSON text: one line, no blanks, the keys in the order of [`Detail::ALL`].
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        self.push_members(&mut out);
        out.push('}');
        out
    }

    /// Appends the members to an object that was begun.
    pub(crate) fn push_members(&self, out: &mut String) {
        for (key, value) in &self.0 {
            json::push_name(out, key.as_str());
            match &value.0 {
                Kind::Text(text) => json::push_string(out, text),
                Kind::Number(number) => out.push_str(&number.to_string()),
                Kind::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
                Kind::List(texts) => {
                    out.push('[');
                    for (index, text) in texts.iter().enumerate() {
                        if index > 0 {
                            out.push(',');
                        }
                        json::push_string(out, text);
                    }
                    out.push(']');
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_is_written_as_its_json_type() {
        let paths: Vec<CredentialPath> = vec!["sources.a".parse().expect("a path"), r#"sources."b c".d"#.parse().expect("a path")];
        let details = Details::new()
            .with(Detail::Imported, true)
            .with(Detail::Count, 3)
            .with(Detail::Count, 4)
            .with(Detail::Paths, paths.as_slice())
            .with(Detail::ExpiresAt, Timestamp::from_unix_micros(0))
            .with(Detail::Factors, [Word::new("password"), Word::new("totp")].as_slice())
            .with(Detail::KeyId, &"00ff".parse::<Id>().expect("an id"));
        let json = details.to_json();
        assert_eq!(
            json,
            r#"{"paths":["sources.a","sources.\"b c\".d"],"factors":["password","totp"],"count":4,"key_id":"00ff","expires_at":"1970-01-01T00:00:00Z","imported":true}"#
        );
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    }

    #[test]
    fn lists_and_paths_of_any_length_stay_small() {
        let path: CredentialPath = "a".repeat(5000).parse().expect("a path");
        let details = Details::new().with(Detail::Paths, vec![path; 5000].as_slice());
        assert!(details.to_json().len() < LIST_MAX * (NAME_MAX + 8));
    }

    #[test]
    fn no_key_has_the_name_of_what_pairs_intents_with_outcomes() {
        let mut names: Vec<&str> = Detail::ALL.iter().map(|key| key.as_str()).collect();
        assert!(!names.contains(&"phase") && !names.contains(&"intent"));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Detail::ALL.len());
    }
}
