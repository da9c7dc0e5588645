//! A project's stored values as answers have them: listed without one, or given to an API key.

use dango_actions::{CredentialEntry, GivenValues, ValuesListing, VariableEntry};

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
    }
    /// Values, opened. Nothing in them is resolved: whoever runs a program knows its environment.
    Values<'a> {
        /// Credentials as TOML, one line each, with the records of connections in `[dango.oauth]`. `${NAME}` refers to a variable,
        /// `\\u0024{` is the text `${`.
        credentials: &'a str,
        /// Variables of `.env` in their order; of duplicates the last one counts.
        variables: Vec<Variable<'a>>,
    }
    /// A variable with its value.
    Variable<'a> {
        key: &'a str,
        value: &'a str,
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
        };
        Self {
            credentials: listing.credentials.iter().map(credential).collect(),
            variables: listing.variables.iter().map(variable).collect(),
        }
    }
}

impl<'a> From<&'a GivenValues> for Values<'a> {
    fn from(given: &'a GivenValues) -> Self {
        let variables = given.variables.iter().map(|variable| Variable {
            key: &variable.key,
            value: variable.value.expose(),
            literal: variable.is_literal,
        });
        Self {
            credentials: &given.credentials,
            variables: variables.collect(),
        }
    }
}
