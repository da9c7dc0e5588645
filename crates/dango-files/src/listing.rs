//! What there is in `.env` and `secrets.toml`, without a value: read from documents, no key and no file needed.

use std::collections::HashMap;
use std::sync::Arc;

use dango_actions::{ListedConnection, ListedCredential, ListedVariable};
use dango_core::Clock;
use dango_secrets::document::SecretsDocument;
use dango_secrets::dotenv::EnvDocument;
use dango_vault::{is_encrypted, is_encrypted_binding};

use crate::connections::list_connections;

/// Where Dango keeps its own records in `secrets.toml`.
const OWN_TABLE: &str = "dango";

/// What is listed of `secrets.toml`.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) credentials: Arc<[ListedCredential]>,
    pub(crate) connections: Arc<[ListedConnection]>,
}

/// Every key once, in the order of the file; of duplicates the last one counts.
pub(crate) fn list_variables(document: &EnvDocument) -> Arc<[ListedVariable]> {
    let bindings = document.bindings();
    let last: HashMap<&str, bool> = bindings.map(|binding| (binding.key(), is_encrypted_binding(binding))).collect();
    let keys = document.keys().into_iter();
    keys.map(|key| ListedVariable {
        key: key.to_owned(),
        is_encrypted: last.get(key).copied().unwrap_or_default(),
    })
    .collect()
}

pub(crate) fn list_credentials(document: &SecretsDocument, clock: &dyn Clock) -> Credentials {
    let entries = document.entries().into_iter();
    let credentials = entries.filter(|entry| entry.path.parts().first().is_none_or(|first| first != OWN_TABLE));
    Credentials {
        credentials: credentials
            .map(|entry| ListedCredential {
                path: entry.path.to_string(),
                is_encrypted: is_encrypted(&entry.value),
            })
            .collect(),
        connections: list_connections(document, clock).into(),
    }
}

#[cfg(test)]
mod tests {
    use dango_core::SystemClock;

    use super::*;

    const SEALED: &str = "dango:v1:0123456789abcdef:AAAA";

    #[test]
    fn variables_are_listed_once_and_the_last_duplicate_counts() {
        let text = format!("A=plain\nexport 'B'=x\nmy.key\nA={SEALED}\n# C=1\n");
        let listed = list_variables(&EnvDocument::parse(text.as_bytes()).expect("UTF-8"));
        let listed: Vec<_> = listed
            .iter()
            .map(|variable| (variable.key.as_str(), variable.is_encrypted))
            .collect();
        assert_eq!(listed, [("A", true), ("B", false), ("my.key", false)]);
    }

    #[test]
    fn credentials_are_listed_by_path_without_the_records_of_dango() {
        let text = format!(
            "top = 1\n[sources.stripe]\nkey = 'x'\nsealed = '{SEALED}'\n[sources.\"a.b\"]\nlist = [1]\n[dango.oauth.x]\nprovider = 'google'\n[dango.seal]\ncounter = 1\n"
        );
        let listed = list_credentials(&SecretsDocument::parse(text.as_bytes()).expect("TOML"), &SystemClock);
        let paths: Vec<_> = listed
            .credentials
            .iter()
            .map(|credential| (credential.path.as_str(), credential.is_encrypted))
            .collect();
        let expected = [
            ("top", false),
            ("sources.stripe.key", false),
            ("sources.stripe.sealed", true),
            ("sources.\"a.b\".list", false),
        ];
        assert_eq!(paths, expected);
        assert_eq!(listed.connections.len(), 1);
    }
}
