//! Values as other formats know them: typed, nested and without references.

use dango_core::{CredentialPath, SecretValue};
use zeroize::Zeroizing;

use crate::{Text, Value};

/// A value to export or one that was imported.
///
/// There is no `Debug`: any value may be a secret.
#[derive(Clone)]
#[non_exhaustive]
pub enum Tree {
    /// Text.
    String(SecretValue),
    /// An integer of 64 bits.
    Integer(i64),
    /// A floating-point number (IEEE 754 binary64), infinities and NaN included.
    Float(f64),
    /// A boolean.
    Boolean(bool),
    /// A date, a time or both, as TOML spells it.
    Datetime(Zeroizing<String>),
    /// An array.
    Array(Vec<Tree>),
    /// A table, in order; no name occurs twice.
    Table(Vec<(String, Tree)>),
}

impl Tree {
    /// Takes over the entries of a file's root, or of one table in it, with `resolve` for each string.
    ///
    /// `resolve` gets the path of the string, or of the array that it is in.
    ///
    /// # Errors
    ///
    /// Everything that `resolve` refuses, in order.
    pub fn from_entries<E>(
        entries: &[(String, Value)],
        resolve: &mut dyn FnMut(&CredentialPath, &Text) -> Result<SecretValue, E>,
    ) -> Result<Vec<(String, Self)>, Vec<E>> {
        let mut errors = Vec::new();
        let tree = convert_entries(None, entries, resolve, &mut errors);
        if errors.is_empty() { Ok(tree) } else { Err(errors) }
    }
}

type Resolve<'a, E> = &'a mut dyn FnMut(&CredentialPath, &Text) -> Result<SecretValue, E>;

fn convert_entries<E>(
    parent: Option<&CredentialPath>,
    entries: &[(String, Value)],
    resolve: Resolve<'_, E>,
    errors: &mut Vec<E>,
) -> Vec<(String, Tree)> {
    let mut tree = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        let path = child(parent, name);
        tree.extend(convert(&path, value, resolve, errors).map(|value| (name.clone(), value)));
    }
    tree
}

fn convert<E>(path: &CredentialPath, value: &Value, resolve: Resolve<'_, E>, errors: &mut Vec<E>) -> Option<Tree> {
    Some(match value {
        Value::String(text) => match resolve(path, text) {
            Ok(value) => Tree::String(value),
            Err(error) => {
                errors.push(error);
                return None;
            }
        },
        Value::Integer { value, .. } => Tree::Integer(*value),
        Value::Float { value, .. } => Tree::Float(*value),
        Value::Boolean(value) => Tree::Boolean(*value),
        Value::Datetime(text) => Tree::Datetime(text.clone()),
        Value::Array(values) => Tree::Array(values.iter().filter_map(|value| convert(path, value, resolve, errors)).collect()),
        Value::Table(entries) => Tree::Table(convert_entries(Some(path), entries, resolve, errors)),
    })
}

/// The path of a name below another path, or at the root.
pub(super) fn child(parent: Option<&CredentialPath>, name: &str) -> CredentialPath {
    match parent {
        Some(parent) => parent.child(name),
        None => CredentialPath::from_parts([name]).expect("one part is not none"),
    }
}
