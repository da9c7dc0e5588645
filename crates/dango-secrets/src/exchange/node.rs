//! What a reader of JSON or YAML found, with its place, before it is known what will become of it.

use dango_core::SecretValue;
use zeroize::Zeroizing;

use super::{Import, ImportError, ImportProblem, Place, Tree};

/// A value and where it begins.
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    String(Zeroizing<String>),
    Array(Vec<Node>),
    Table(Vec<(String, Node)>),
}

impl Node {
    /// Makes it the root of an import.
    pub(super) fn into_import(self) -> Result<Import, ImportError> {
        match self.kind {
            Kind::Table(entries) => Ok(Import::from_tree(table(entries)?)),
            _ => Err(ImportError::new(self.place, ImportProblem::NotATable)),
        }
    }

    fn into_tree(self) -> Result<Tree, ImportError> {
        Ok(match self.kind {
            Kind::Null => return Err(ImportError::new(self.place, ImportProblem::Null)),
            Kind::Boolean(value) => Tree::Boolean(value),
            Kind::Integer(value) => Tree::Integer(value),
            Kind::Float(value) => Tree::Float(value),
            Kind::String(text) => Tree::String(secret(self.place, text)?),
            Kind::Array(values) => Tree::Array(values.into_iter().map(Self::into_tree).collect::<Result<_, _>>()?),
            Kind::Table(entries) => Tree::Table(table(entries)?),
        })
    }
}

fn table(entries: Vec<(String, Node)>) -> Result<Vec<(String, Tree)>, ImportError> {
    let entries = entries.into_iter().map(|(name, value)| {
        if name.contains('\0') {
            return Err(ImportError::new(value.place, ImportProblem::Nul));
        }
        Ok((name, value.into_tree()?))
    });
    entries.collect()
}

pub(super) fn secret(place: Place, mut text: Zeroizing<String>) -> Result<SecretValue, ImportError> {
    SecretValue::new(std::mem::take(&mut *text)).map_err(|_| ImportError::new(place, ImportProblem::Nul))
}
