//! Two files compared by name and keyed fingerprint: which values differ is told, never what they are.

use std::collections::BTreeMap;

use dango_core::{Entropy, EntropyError};
use dango_keyring::{Fingerprint, MasterKey};
use dango_secrets::Value;
use dango_secrets::document::SecretsDocument;
use dango_secrets::dotenv::EnvDocument;
use zeroize::Zeroizing;

use crate::sealer::secret;

/// One comparison, with a key of its own that ends with it: its fingerprints say nothing afterwards.
pub struct Comparison {
    key: MasterKey,
}

/// The values of one side, by name.
pub struct Side(BTreeMap<String, Fingerprint>);

/// A value that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The path, or the variable.
    pub name: String,
    /// The value on the left, where there is one.
    pub left: Option<Fingerprint>,
    /// The value on the right, where there is one.
    pub right: Option<Fingerprint>,
}

impl Comparison {
    /// Begins a comparison.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness for its key.
    pub fn begin(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        MasterKey::make(entropy).map(|key| Self { key })
    }

    /// The credentials of an opened document: equal where they mean the same, however they are spelled.
    pub fn secrets(&self, opened: &SecretsDocument) -> Side {
        let entries = opened.entries().into_iter();
        let own = |path: &dango_core::CredentialPath| path.parts().first().is_some_and(|first| first == crate::secrets::OWN_TABLE);
        let values = entries.filter(|entry| !own(&entry.path));
        Side(
            values
                .filter_map(|entry| {
                    let mut text = Zeroizing::new(String::new());
                    write(&mut text, &entry.value);
                    Some((entry.path.to_string(), self.key.fingerprint(&secret(&text)?)))
                })
                .collect(),
        )
    }

    /// The variables of an opened document, their references as they are written; the last of several with one name counts.
    pub fn env(&self, opened: &EnvDocument) -> Side {
        let bindings = opened.bindings();
        let values = bindings.filter_map(|bound| Some((bound.key().to_owned(), self.key.fingerprint(&secret(bound.expose()?)?))));
        Side(values.collect())
    }

    /// What differs, by name.
    pub fn differences(&self, left: &Side, right: &Side) -> Vec<Difference> {
        let mut names: Vec<&String> = left.0.keys().chain(right.0.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let differences = names.into_iter().map(|name| Difference {
            name: name.clone(),
            left: left.0.get(name).copied(),
            right: right.0.get(name).copied(),
        });
        differences.filter(|difference| difference.left != difference.right).collect()
    }
}

/// Writes what a value means, so that no two values are written alike; a NUL becomes two characters.
fn write(out: &mut Zeroizing<String>, value: &Value) {
    match value {
        Value::String(text) => {
            let kind = if text.has_reference() { "reference" } else { "string" };
            field(out, kind, &text.verbatim().replace('\\', "\\\\").replace('\0', "\\0"));
        }
        Value::Integer { value, .. } => field(out, "integer", &value.to_string()),
        Value::Float { value, .. } => field(out, "float", &value.to_bits().to_string()),
        Value::Boolean(value) => field(out, "boolean", &value.to_string()),
        Value::Datetime(text) => field(out, "datetime", text),
        Value::Array(items) => {
            field(out, "array", &items.len().to_string());
            items.iter().for_each(|item| write(out, item));
        }
        Value::Table(entries) => {
            field(out, "table", &entries.len().to_string());
            let sorted: BTreeMap<&String, &Value> = entries.iter().map(|(key, value)| (key, value)).collect();
            for (key, value) in sorted {
                field(out, "key", key);
                write(out, value);
            }
        }
        _ => field(out, "unknown", ""),
    }
}

fn field(out: &mut Zeroizing<String>, kind: &str, text: &str) {
    let mut longer = Zeroizing::new(String::with_capacity(out.len() + kind.len() + text.len() + 24));
    for piece in [out.as_str(), kind, ":", &text.len().to_string(), ":", text, "\n"] {
        longer.push_str(piece);
    }
    *out = longer;
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;

    use super::*;

    #[test]
    fn values_that_mean_the_same_are_equal_and_others_are_named() {
        let parse = |text: &str| SecretsDocument::parse(text.as_bytes()).expect("TOML");
        let comparison = Comparison::begin(&OsEntropy).expect("random");
        let left = comparison.secrets(&parse("a = 'x'\nb = 16\nc = [1, 2]\nd = '1'\n[dango.oauth.x]\nq = 1\n"));
        let right = comparison.secrets(&parse("a = \"x\"\nb = 0x10\nc = [1, 3]\nd = 1\ne = 1\n"));
        let found = comparison.differences(&left, &right);
        let names: Vec<(&str, bool, bool)> = found
            .iter()
            .map(|difference| (difference.name.as_str(), difference.left.is_some(), difference.right.is_some()))
            .collect();
        assert_eq!(names, [("c", true, true), ("d", true, true), ("e", false, true)]);
        let again = Comparison::begin(&OsEntropy).expect("random");
        let other = again.secrets(&parse("a = 'x'\n"));
        assert_ne!(left.0.get("a"), other.0.get("a"), "another comparison, another key");
    }
}
