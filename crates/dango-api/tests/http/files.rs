//! A project's files in memory, which do as they are told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use dango_actions::{
    CredentialChange, CredentialChanged, CredentialEntry, GivenValues, ProjectValues, ValuesListing, ValuesWarning, VariableEntry,
    WantedValues,
};
use dango_actions::{
    FilesError, FilesProblem, ListedConnection, ListedCredential, ListedVariable, ProjectFiles, SecretsListing, VariableChange,
    VariableChanged, VariableEdit,
};
use dango_core::{SecretValue, Timestamp};
use dango_secrets::SetOutcome;
use dango_secrets::dotenv::GivenValue;
use dango_store::BoxFuture;

pub(crate) struct Files {
    pub(crate) variables: Mutex<BTreeMap<String, String>>,
    pub(crate) connections: Mutex<Vec<ListedConnection>>,
    /// What every use of the files answers, if it is to fail.
    pub(crate) problem: Mutex<Option<FilesProblem>>,
    /// What is told with values that are given.
    pub(crate) warnings: Mutex<Vec<ValuesWarning>>,
    /// What happens while the files are read.
    pub(crate) meanwhile: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl Default for Files {
    fn default() -> Self {
        let connection = ListedConnection {
            name: "sheets".to_owned(),
            source_type: "google_sheets".to_owned(),
            provider: "google".to_owned(),
            identifier: Some("ada@team.example".to_owned()),
            account_info: None,
            connected_at: Some(Timestamp::from_unix_micros(1_794_000_000_000_000)),
            expires_at: None,
            refreshed_at: None,
            scopes: Vec::new(),
        };
        Self {
            variables: Mutex::default(),
            connections: Mutex::new(vec![connection]),
            problem: Mutex::default(),
            warnings: Mutex::default(),
            meanwhile: Mutex::default(),
        }
    }
}

impl Files {
    fn check(&self) -> Result<(), FilesError> {
        let problem = self.problem.lock().expect("not poisoned").clone();
        problem.map_or(Ok(()), |problem| Err(FilesError::new(problem, "told_to")))
    }

    fn change_one(&self, change: &VariableChange) -> Result<VariableChanged, FilesError> {
        self.check()?;
        let mut variables = self.variables.lock().expect("not poisoned");
        match &change.edit {
            VariableEdit::Set { value, .. } if value.expose().contains("${") => {
                let reason = "python-dotenv would expand the reference".to_owned();
                Err(FilesError::new(FilesProblem::Value { reason }, "env_value_reference"))
            }
            VariableEdit::Set { key, value } => {
                let outcome = match variables.insert(key.to_string(), value.expose().to_owned()) {
                    None => SetOutcome::Created,
                    Some(old) if old == value.expose() => SetOutcome::Unchanged,
                    Some(_) => SetOutcome::Replaced,
                };
                Ok(VariableChanged::Set { outcome, encrypted: false })
            }
            VariableEdit::Delete { key } => match variables.remove(key) {
                Some(_) => Ok(VariableChanged::Deleted),
                None => Err(FilesError::new(FilesProblem::NotFound, "env_key_not_found")),
            },
        }
    }
}

impl Files {
    fn listed(&self) -> Result<Arc<SecretsListing>, FilesError> {
        self.check()?;
        let variables = self.variables.lock().expect("not poisoned");
        let listed = variables.keys().map(|key| ListedVariable {
            key: key.clone(),
            is_encrypted: false,
        });
        let credential = ListedCredential {
            path: "sources.stripe.api_key".to_owned(),
            is_encrypted: true,
        };
        Ok(Arc::new(SecretsListing {
            variables: listed.collect(),
            credentials: Arc::new([credential]),
            connections: self.connections.lock().expect("not poisoned").clone().into(),
        }))
    }
}

impl ProjectFiles for Files {
    fn list(&self) -> BoxFuture<'_, Result<Arc<SecretsListing>, FilesError>> {
        Box::pin(std::future::ready(self.listed()))
    }

    fn change(&self, changes: &[VariableChange]) -> Vec<Result<VariableChanged, FilesError>> {
        changes.iter().map(|change| self.change_one(change)).collect()
    }
}

/// The one credential that there is.
const PATH: &str = "sources.stripe.api_key";

impl ProjectValues for Files {
    fn list(&self) -> Result<ValuesListing, FilesError> {
        self.check()?;
        let variables = self.variables.lock().expect("not poisoned");
        let credential = CredentialEntry {
            path: PATH.to_owned(),
            value_type: "string",
            is_encrypted: true,
            has_reference: false,
        };
        let variables = variables.keys().map(|key| VariableEntry {
            key: key.clone(),
            is_encrypted: false,
            has_reference: false,
            is_withheld: false,
        });
        Ok(ValuesListing {
            credentials: vec![credential],
            variables: variables.collect(),
        })
    }

    fn read(&self, wanted: &WantedValues) -> Result<GivenValues, FilesError> {
        self.check()?;
        if let Some(happens) = self.meanwhile.lock().expect("not poisoned").take() {
            happens();
        }
        let path = PATH.parse().expect("a path");
        let is_wanted = match wanted {
            WantedValues::Run { only } | WantedValues::Sync { only } => only.as_ref().is_none_or(|only| only == &path),
            WantedValues::Credential(only) => only == &path,
            WantedValues::Variable(_) => false,
        };
        let variables = self.variables.lock().expect("not poisoned");
        if let WantedValues::Variable(key) = wanted
            && !variables.contains_key(key)
        {
            return Err(FilesError::new(FilesProblem::NotFound, "value_not_found"));
        }
        let is_given = |key: &String| !matches!(wanted, WantedValues::Variable(only) if only != key);
        let variables = variables.iter().filter(|(key, _)| is_given(key)).map(|(key, value)| GivenValue {
            key: key.clone(),
            value: SecretValue::new(value.clone()).ok(),
            is_literal: true,
        });
        Ok(GivenValues {
            credentials: if is_wanted {
                format!("{PATH} = \"stored\"\n")
            } else {
                String::new()
            }
            .into(),
            paths: if is_wanted { vec![path] } else { Vec::new() },
            variables: variables.collect(),
            warnings: self.warnings.lock().expect("not poisoned").clone(),
        })
    }

    fn change(&self, change: &CredentialChange, _: &str) -> Result<CredentialChanged, FilesError> {
        self.check()?;
        match change {
            CredentialChange::Set { .. } => Ok(CredentialChanged::Set {
                outcome: SetOutcome::Created,
                encrypted: true,
            }),
            CredentialChange::Delete { .. } => Ok(CredentialChanged::Deleted(1)),
        }
    }
}
