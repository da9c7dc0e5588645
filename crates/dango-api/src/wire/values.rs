//! A project's stored values as answers have them: listed without one, or given to an API key.

use dango_actions::{CredentialEntry, GivenValues, ValuesListing, VariableEntry};
use dango_core::Timestamp;

use super::answers;
use crate::schema::Schema;

/// What stands in the place of a value in lists.
const MASKED: &str = "***";

answers! {
    /// What a project has, without a value.
    Listing<'a> {
        credentials: Vec<ListedCredential<'a>>,
        variables: Vec<ListedVariable<'a>>,
    }
    /// A credential of `.dlt/secrets.toml`.
    ListedCredential<'a> {
        path: &'a str,
        masked_value: &'static str = Schema::constant(MASKED),
        /// That of a string where it is encrypted.
        value_type: &'static str = types(),
        encrypted: bool,
        /// Whether it refers to a variable.
        reference: bool,
    }
    /// A variable of `.env`.
    ListedVariable<'a> {
        key: &'a str,
        masked_value: &'static str = Schema::constant(MASKED),
        encrypted: bool,
        reference: bool,
        /// Whether it opens what Dango keeps, such as `DANGO_KEY`. Such a variable is given to nobody.
        withheld: bool,
    }
    /// Values, opened. Nothing in them is resolved: whoever runs a program knows its environment.
    Values<'a> {
        /// Credentials as TOML, one line each; for `sync`, with what `[dango.oauth]` says of how long connections are good. `${NAME}`
        /// refers to a variable, `\\u0024{` is the text `${`.
        credentials: &'a str,
        /// Variables of `.env` in their order; of duplicates the last one counts.
        variables: Vec<Variable<'a>>,
        /// What is wrong with the files, though their values open: as that one is an older version of itself.
        warnings: Vec<Warning<'a>>,
        /// When the key ends that asked. Nothing of this answer is to be used after that.
        key_expires_at: Option<String> = Schema::time(),
    }
    /// Something to tell whoever asked.
    Warning<'a> {
        code: &'a str,
        message: &'a str,
    }
    /// A variable with its value.
    Variable<'a> {
        key: &'a str,
        /// None for a key that stands alone, which takes back what stands before it.
        value: Option<&'a str>,
        /// Whether `${` in it stands for itself.
        literal: bool,
    }
    /// A credential that was set.
    CredentialSet<'a> {
        path: &'a str,
        action: &'static str = Schema::word(["created", "updated", "unchanged"]),
        encrypted: bool,
    }
    /// A credential or a table that was deleted.
    CredentialDeleted<'a> {
        path: &'a str,
        action: &'static str = Schema::constant("deleted"),
        /// How many values went.
        removed: u64 = Schema::count(),
    }
}

fn types() -> Schema {
    Schema::word(["string", "integer", "float", "boolean", "datetime", "array"])
}

impl<'a> From<&'a ValuesListing> for Listing<'a> {
    fn from(listing: &'a ValuesListing) -> Self {
        let credential = |entry: &'a CredentialEntry| ListedCredential {
            path: &entry.path,
            masked_value: MASKED,
            value_type: entry.value_type,
            encrypted: entry.is_encrypted,
            reference: entry.has_reference,
        };
        let variable = |entry: &'a VariableEntry| ListedVariable {
            key: &entry.key,
            masked_value: MASKED,
            encrypted: entry.is_encrypted,
            reference: entry.has_reference,
            withheld: entry.is_withheld,
        };
        Self {
            credentials: listing.credentials.iter().map(credential).collect(),
            variables: listing.variables.iter().map(variable).collect(),
        }
    }
}

impl<'a> Values<'a> {
    pub(crate) fn new(given: &'a GivenValues, key_ends_at: Option<Timestamp>) -> Self {
        let variables = given.variables.iter().map(|variable| Variable {
            key: &variable.key,
            value: variable.value.as_ref().map(|value| value.expose()),
            literal: variable.is_literal,
        });
        Self {
            credentials: &given.credentials,
            variables: variables.collect(),
            warnings: given
                .warnings
                .iter()
                .map(|warning| Warning {
                    code: warning.code,
                    message: &warning.text,
                })
                .collect(),
            key_expires_at: key_ends_at.map(|end| end.to_string()),
        }
    }
}
