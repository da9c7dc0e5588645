//! The variables that a program is given: `.env`, and every credential under the name that dlt reads.

use std::collections::{HashMap, HashSet};

use dango_core::{CredentialPath, SecretValue, VariableName};

use crate::dlt::{self, EnvironmentTextError, NameError};
use crate::document::SecretsDocument;
use crate::dotenv::{EnvDocument, EnvValueError, Precedence};
use crate::{Lookup, ReferenceError, Value};

/// The top-level table that holds Dango's own records; nothing in it is a credential.
const OWN_TABLE: &str = "dango";

/// Variables that open secrets; no program that is run inherits them.
pub const WITHHELD: [&str; 4] = ["DANGO_KEY", "DANGO_PASSPHRASE", "DANGO_IDENTITY_KEY", "DANGO_SERVER_KEY"];

/// One variable that is added to a program's environment.
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: SecretValue,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a variable comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The file `.env`.
    DotEnv,
    /// A credential of `.dlt/secrets.toml`.
    Credential(CredentialPath),
}

/// Why a program cannot be given its environment.
///
/// # Security
///
/// It names paths and variables, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// Two credentials have the same name as a variable.
    #[error("{first} and {second} would both be the variable {name}")]
    Collision {
        /// The variable.
        name: String,
        /// The credential that comes first in the file.
        first: CredentialPath,
        /// The other one.
        second: CredentialPath,
    },
    /// A key that no variable's name can hold.
    #[error(transparent)]
    Name(#[from] NameError),
    /// `.env` has no values that could be handed on.
    #[error(".env: {0}")]
    DotEnv(EnvValueError),
    /// A value that has no text in an environment.
    #[error("{path} cannot be a variable: {problem}")]
    Value {
        /// The credential.
        path: CredentialPath,
        /// Why.
        problem: EnvironmentTextError,
    },
    /// A `${NAME}` reference that stands for nothing.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// More than the operating system takes for one variable.
    #[error("{place} is too large for the environment: {size} bytes with its name, and the system takes {limit}")]
    TooLarge {
        /// The credential's path, or the variable's name in `.env`.
        place: String,
        /// The size of `NAME=value` with the NUL that ends it.
        size: usize,
        /// The largest size allowed.
        limit: usize,
    },
}

/// What is asked of an environment.
#[derive(Clone, Copy)]
pub struct Selection<'a> {
    /// Only credentials at or below this path; `None` for all. `.env` is not narrowed.
    pub only: Option<&'a CredentialPath>,
    /// The most bytes that one `NAME=value` may have, its final NUL included.
    pub limit: usize,
}

/// Puts together what a program is given beside the environment it inherits.
///
/// A variable that `process` has already, an empty one too, wins over both files and is left out; so does
/// one of `.env` over a credential of the same name, because dlt asks its environment first.
///
/// # Errors
///
/// Every problem there is, not only the first: nothing may be started while one is left.
pub fn assemble(
    secrets: &SecretsDocument,
    env: &EnvDocument,
    process: &dyn Fn(&str) -> Option<SecretValue>,
    selection: Selection<'_>,
) -> Result<Vec<Variable>, Vec<EnvironmentError>> {
    let mut variables: Vec<Variable> = Vec::new();
    let mut problems = Vec::new();
    let lookup = Variables { env, process };
    match env.values(process, Precedence::Environment) {
        Ok(values) => {
            let given = values.into_iter().filter_map(|(name, value)| Some((name, value?)));
            let new = given.filter(|(name, _)| process(name).is_none() && !WITHHELD.contains(&name.as_str()));
            variables.extend(new.map(|(name, value)| Variable {
                name,
                value,
                origin: Origin::DotEnv,
            }));
        }
        Err(error) => problems.push(EnvironmentError::DotEnv(error)),
    }
    let from_env: HashSet<String> = variables.iter().map(|variable| variable.name.clone()).collect();
    let is_set = |name: &str| from_env.contains(name) || process(name).is_some() || WITHHELD.contains(&name);
    let (credentials, more) = named(secrets, &lookup, selection.only, &is_set);
    variables.extend(credentials);
    problems.extend(more);
    problems.extend(variables.iter().filter_map(|variable| too_large(variable, selection.limit)));
    if problems.is_empty() { Ok(variables) } else { Err(problems) }
}

/// Every credential at or below a path (`None` for all) as a variable, whatever is set in the environment.
///
/// # Errors
///
/// Every problem there is.
pub fn credentials(
    secrets: &SecretsDocument,
    lookup: &dyn Lookup,
    only: Option<&CredentialPath>,
) -> Result<Vec<Variable>, Vec<EnvironmentError>> {
    let (variables, problems) = named(secrets, lookup, only, &|_| false);
    if problems.is_empty() { Ok(variables) } else { Err(problems) }
}

/// Credentials with their names; one whose variable is set already is left out, and not resolved.
fn named(
    secrets: &SecretsDocument,
    lookup: &dyn Lookup,
    only: Option<&CredentialPath>,
    is_set: &dyn Fn(&str) -> bool,
) -> (Vec<Variable>, Vec<EnvironmentError>) {
    let mut variables = Vec::new();
    let mut problems = Vec::new();
    let mut seen: HashMap<String, CredentialPath> = HashMap::new();
    for entry in secrets.entries().into_iter().filter(|entry| is_selected(&entry.path, only)) {
        let name = match dlt::variable_name(&entry.path) {
            Ok(name) => name.as_str().to_owned(),
            Err(error) => {
                problems.push(error.into());
                continue;
            }
        };
        if let Some(first) = seen.get(&name) {
            problems.push(EnvironmentError::Collision {
                name,
                first: first.clone(),
                second: entry.path,
            });
            continue;
        }
        seen.insert(name.clone(), entry.path.clone());
        if is_set(&name) {
            continue;
        }
        match text(&entry.path, &entry.value, lookup) {
            Ok(value) => variables.push(Variable {
                name,
                value,
                origin: Origin::Credential(entry.path),
            }),
            Err(problem) => problems.push(problem),
        }
    }
    (variables, problems)
}

fn is_selected(path: &CredentialPath, only: Option<&CredentialPath>) -> bool {
    path.parts().first().is_none_or(|first| first != OWN_TABLE) && only.is_none_or(|prefix| path.starts_with(prefix))
}

fn text(path: &CredentialPath, value: &Value, lookup: &dyn Lookup) -> Result<SecretValue, EnvironmentError> {
    let resolved = value.resolve(path, lookup)?;
    let problem = |problem| EnvironmentError::Value {
        path: path.clone(),
        problem,
    };
    let mut text = dlt::environment_text(&resolved).map_err(problem)?;
    SecretValue::new(std::mem::take(&mut *text)).map_err(|_| problem(EnvironmentTextError::Nul))
}

fn too_large(variable: &Variable, limit: usize) -> Option<EnvironmentError> {
    let size = variable.name.len() + 1 + variable.value.expose().len() + 1;
    let place = match &variable.origin {
        Origin::DotEnv => format!("{} in .env", variable.name),
        Origin::Credential(path) => path.to_string(),
    };
    (size > limit).then_some(EnvironmentError::TooLarge { place, size, limit })
}

/// Where references find their variables: the process environment first, then `.env`.
pub struct Variables<'a> {
    /// The project's `.env`.
    pub env: &'a EnvDocument,
    /// The process environment.
    pub process: &'a dyn Fn(&str) -> Option<SecretValue>,
}

impl Lookup for Variables<'_> {
    fn variable(&self, name: &VariableName) -> Result<Option<SecretValue>, Vec<VariableName>> {
        if let Some(value) = (self.process)(name.as_str()) {
            return Ok(Some(value));
        }
        if let Some(names) = self.env.cycle(name, self.process) {
            return Err(names);
        }
        // Values that cannot be expanded are a problem of `.env` itself, which `assemble` reports; here they are unset.
        Ok(self.env.value(name.as_str(), self.process, Precedence::Environment).ok().flatten())
    }
}

/// Every value that a program run in this project may come to know, for a filter of its output.
///
/// Values that cannot be resolved are left out: a program that needs them is not started.
pub fn known_values(secrets: &SecretsDocument, env: &EnvDocument, process: &dyn Fn(&str) -> Option<SecretValue>) -> Vec<SecretValue> {
    let lookup = Variables { env, process };
    let from_env = env.values(process, Precedence::Environment).unwrap_or_default();
    let mut values: Vec<SecretValue> = from_env.into_iter().filter_map(|(_, value)| value).collect();
    for entry in secrets.entries().into_iter().filter(|entry| is_selected(&entry.path, None)) {
        values.extend(dlt::variable_name(&entry.path).ok().and_then(|name| process(name.as_str())));
        collect_texts(&entry.path, &entry.value, &lookup, &mut values);
    }
    values
}

/// The texts in a value, one by one: a list of keys is printed item by item.
fn collect_texts(path: &CredentialPath, value: &Value, lookup: &dyn Lookup, values: &mut Vec<SecretValue>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_texts(path, item, lookup, values)),
        Value::Table(entries) => entries.iter().for_each(|(_, item)| collect_texts(path, item, lookup, values)),
        value => values.extend(text(path, value, lookup).ok()),
    }
}
