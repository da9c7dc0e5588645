//! A project's values behind the port of the use cases, [`ProjectValues`]: read and opened for one answer, nothing kept.

use std::collections::HashSet;

use dango_actions::{
    CredentialChange, CredentialChanged, CredentialEntry, FilesError, FilesProblem, GivenValues, Keeping, ProjectValues, Tables,
    ValuesListing, ValuesWarning, VariableEntry, WantedValues,
};
use dango_core::CredentialPath;
use dango_secrets::document::{EditError, SecretsDocument};
use dango_secrets::dotenv::{Binding, EnvDocument, EnvPiece};
use dango_secrets::environment::WITHHELD;
use dango_secrets::{Otherwise, Piece, Text, Value};
use dango_vault::{
    Keys, Protection, Removal, SealWarning, Selection, SetError, Vault, VaultError, is_encrypted, is_encrypted_binding, open_env,
    open_secrets,
};

use crate::VaultFiles;
use crate::problem::{of_document_error, of_env_error, of_read_error, of_vault};

/// Where Dango keeps its own records in `secrets.toml`; connections alone are of use to whoever loads a source.
const OWN_TABLE: &str = "dango";
const CONNECTIONS: &str = "oauth";
/// What such a record says of how long a connection is good. It has more, such as whose account it is and an app's secret.
const OF_CONNECTIONS: [&str; 6] = ["source_type", "provider", "created_at", "expires_at", "last_refreshed", "scopes"];

impl ProjectValues for VaultFiles {
    fn list(&self) -> Result<ValuesListing, FilesError> {
        let (secrets, env) = self.documents()?;
        let entries = secrets.entries().into_iter().filter(|entry| !is_own(&entry.path));
        let credentials = entries.map(|entry| CredentialEntry {
            path: entry.path.to_string(),
            value_type: entry.value.value_type().map_or("", |value_type| value_type.as_str()),
            is_encrypted: is_encrypted(&entry.value),
            has_reference: entry.value.has_reference(),
        });
        let variables = env.keys().into_iter().map(|key| VariableEntry {
            key: key.to_owned(),
            is_encrypted: last(&env, key).is_some_and(is_encrypted_binding),
            has_reference: last(&env, key).is_some_and(Binding::has_reference),
            is_withheld: WITHHELD.contains(&key),
        });
        Ok(ValuesListing {
            credentials: credentials.collect(),
            variables: variables.collect(),
        })
    }

    fn read(&self, wanted: &WantedValues) -> Result<GivenValues, FilesError> {
        let read = || {
            let (secrets, env) = self.documents()?;
            self.with_vault("", |vault, keys| read((&secrets, &env), wanted, vault, keys))
        };
        let given = read()?;
        match given.warnings.is_empty() {
            true => Ok(given),
            // A file that is changed between two looks is not as its seal says; one that is wrong is so again.
            false => read(),
        }
    }

    fn change(&self, change: &CredentialChange, by: &str) -> Result<CredentialChanged, FilesError> {
        if is_own(change.path()) {
            let reason = "what is below `dango` are Dango's own records, which are not set or deleted one by one".to_owned();
            return Err(FilesError::new(FilesProblem::Value { reason }, "own_record"));
        }
        let changed = self.with_vault(by, |vault, _| match change {
            CredentialChange::Set { path, value, keeping } => {
                let protection = match keeping {
                    Keeping::Habit => Protection::Habit,
                    Keeping::Encrypted => Protection::Encrypt,
                    Keeping::Plain => Protection::Plain,
                };
                let report = vault.set_secrets(&[(path.clone(), value.clone())], protection)?;
                let outcome = report.outcomes.first().copied();
                Ok(CredentialChanged::Set {
                    outcome: outcome.unwrap_or(dango_secrets::SetOutcome::Unchanged),
                    encrypted: !report.encrypted.is_empty(),
                })
            }
            CredentialChange::Delete { path, tables } => {
                let what = match tables {
                    Tables::Stay => Removal::Value,
                    Tables::MayGo => Removal::ValueOrTable,
                };
                vault.unset_secret(path, what).map(CredentialChanged::Deleted)
            }
        });
        changed.map_err(of_credential)
    }
}

impl VaultFiles {
    /// Both files as they are now; one that is not there is an empty one.
    fn documents(&self) -> Result<(SecretsDocument, EnvDocument), FilesError> {
        let secrets = self.project.secrets().map_err(of_read_error)?;
        let env = self.project.env().map_err(of_read_error)?;
        let secrets = SecretsDocument::parse(secrets.as_ref().map_or(&[], |read| read.bytes())).map_err(of_document_error)?;
        let env = EnvDocument::parse(env.as_ref().map_or(&[], |read| read.bytes())).map_err(of_env_error)?;
        Ok((secrets, env))
    }
}

/// What is wrong with a change of a credential, in the words of the port.
fn of_credential(error: VaultError) -> FilesError {
    let word = error.code();
    let problem = match &error {
        VaultError::Set(SetError::Edit(EditError::NotFound { .. })) => FilesProblem::NoCredential,
        VaultError::Set(SetError::Edit(_) | SetError::IsTable { .. }) => FilesProblem::Value { reason: error.to_string() },
        _ => return of_vault(error),
    };
    FilesError::new(problem, word).caused_by(error)
}

fn read(
    (secrets, env): (&SecretsDocument, &EnvDocument),
    wanted: &WantedValues,
    vault: &Vault<'_>,
    keys: &Keys<'_>,
) -> Result<GivenValues, FilesError> {
    let only = match wanted {
        WantedValues::Run { only } | WantedValues::Sync { only } => only.as_ref(),
        WantedValues::Credential(path) => Some(path),
        WantedValues::Variable(_) => None,
    };
    let takes_credentials = !matches!(wanted, WantedValues::Variable(_));
    let is_below = |path: &CredentialPath| only.is_none_or(|only| path.starts_with(only));
    let is_wanted = |path: &CredentialPath| match is_own(path) {
        _ if !takes_credentials => false,
        // Whoever loads a source looks at when its connection ends, whatever else is wanted.
        true => matches!(wanted, WantedValues::Sync { .. }) && says_how_long_a_connection_is_good(path),
        false => is_below(path),
    };
    let mut warnings = Vec::new();
    let opened = match takes_credentials {
        true => open_secrets(secrets, only.map_or(Selection::All, Selection::Below), keys).map_err(|error| of_vault(error.into()))?,
        false => SecretsDocument::parse(b"").map_err(of_document_error)?,
    };
    // A part that is plain needs no key, and so none is asked for to look at the rest.
    let needs_key = || {
        secrets
            .entries()
            .iter()
            .any(|entry| is_below(&entry.path) && is_encrypted(&entry.value))
    };
    if takes_credentials && (only.is_none() || needs_key()) {
        warnings.extend(of_seal(vault.check_secrets(secrets)));
    }
    let paths: Vec<CredentialPath> = opened
        .entries()
        .into_iter()
        .map(|entry| entry.path)
        .filter(|path| !is_own(path) && is_wanted(path))
        .collect();
    let names = match wanted {
        WantedValues::Run { .. } | WantedValues::Sync { .. } => None,
        WantedValues::Credential(_) if paths.is_empty() => {
            return Err(FilesError::new(FilesProblem::NoCredential, "value_not_found"));
        }
        WantedValues::Credential(_) => Some(referred(&opened, &is_wanted)),
        WantedValues::Variable(key) if WITHHELD.contains(&key.as_str()) => {
            return Err(FilesError::new(FilesProblem::Withheld, "value_withheld"));
        }
        WantedValues::Variable(key) if last(env, key).is_none() => {
            return Err(FilesError::new(FilesProblem::NotFound, "value_not_found"));
        }
        WantedValues::Variable(key) => Some(HashSet::from([key.clone()])),
    };
    let names = names.map(|names| with_what_they_refer_to(names, env));
    let takes_variables = names.as_ref().is_none_or(|names| !names.is_empty());
    let variables = match takes_variables {
        true => {
            let opened = open_env(env, keys).map_err(|error| of_vault(error.into()))?;
            warnings.extend(of_seal(vault.check_env(env)));
            opened.given()
        }
        false => Vec::new(),
    };
    let is_given = |key: &String| !WITHHELD.contains(&key.as_str()) && names.as_ref().is_none_or(|names| names.contains(key));
    Ok(GivenValues {
        credentials: opened.extract(&is_wanted),
        paths,
        variables: variables.into_iter().filter(|variable| is_given(&variable.key)).collect(),
        warnings,
    })
}

/// What is wrong with a seal, or why that is not known; neither keeps a value from being used, as on the machine itself.
fn of_seal(checked: Result<Option<SealWarning>, VaultError>) -> Option<ValuesWarning> {
    match checked {
        Ok(None) => None,
        Ok(Some(warning)) => Some(ValuesWarning {
            code: warning.code(),
            text: warning.to_string(),
        }),
        Err(error) => Some(ValuesWarning {
            code: error.code(),
            text: "the seal over the encrypted values was not checked".to_owned(),
        }),
    }
}

fn is_own(path: &CredentialPath) -> bool {
    path.parts().first().is_some_and(|first| first == OWN_TABLE)
}

fn says_how_long_a_connection_is_good(path: &CredentialPath) -> bool {
    match path.parts() {
        [_, table, _, member] => table == CONNECTIONS && OF_CONNECTIONS.contains(&member.as_str()),
        _ => false,
    }
}

fn last<'e>(env: &'e EnvDocument, key: &str) -> Option<&'e Binding> {
    env.bindings().rfind(|binding| binding.key() == key)
}

/// The variables that credentials refer to.
fn referred(secrets: &SecretsDocument, is_wanted: &dyn Fn(&CredentialPath) -> bool) -> HashSet<String> {
    let mut names = HashSet::new();
    for entry in secrets.entries().iter().filter(|entry| is_wanted(&entry.path)) {
        of_value(&entry.value, &mut names);
    }
    names
}

fn of_value(value: &Value, names: &mut HashSet<String>) {
    match value {
        Value::String(text) => of_text(text, names),
        Value::Array(items) => items.iter().for_each(|item| of_value(item, names)),
        Value::Table(entries) => entries.iter().for_each(|(_, item)| of_value(item, names)),
        _ => {}
    }
}

fn of_text(text: &Text, names: &mut HashSet<String>) {
    for piece in text.pieces() {
        let Piece::Reference(reference) = piece else { continue };
        names.insert(reference.name.to_string());
        if let Otherwise::Default(default) = &reference.otherwise {
            of_text(default, names);
        }
    }
}

/// The variables, and all that they refer to through others.
fn with_what_they_refer_to(mut names: HashSet<String>, env: &EnvDocument) -> HashSet<String> {
    loop {
        let before = names.len();
        for binding in env.bindings() {
            if names.contains(binding.key()) {
                let pieces = binding.pieces().into_iter();
                names.extend(pieces.filter_map(|piece| match piece {
                    EnvPiece::Reference { name, .. } => Some(name.to_owned()),
                    EnvPiece::Literal(_) => None,
                }));
            }
        }
        if names.len() == before {
            return names;
        }
    }
}
