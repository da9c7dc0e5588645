//! What is checked: a type of the catalogue, the way it signs in, and the values of its fields. Where they are stored is not known here.

use dango_core::SecretValue;
use dango_sources::{TypeSpec, Variant};

/// One source's credentials, opened and resolved.
pub struct Subject {
    spec: &'static TypeSpec,
    variant: Option<&'static Variant>,
    fields: Vec<(&'static str, SecretValue)>,
}

impl Subject {
    /// A source of a type that signs in one way, without any value yet.
    pub const fn new(spec: &'static TypeSpec, variant: Option<&'static Variant>) -> Self {
        Self {
            spec,
            variant,
            fields: Vec::new(),
        }
    }

    /// Gives a field of the catalogue its value; an empty one counts as none.
    pub fn put(&mut self, field: &'static str, value: SecretValue) {
        self.fields.retain(|(name, _)| *name != field);
        if !value.expose().is_empty() {
            self.fields.push((field, value));
        }
    }

    /// The type.
    pub const fn spec(&self) -> &'static TypeSpec {
        self.spec
    }

    /// The name of the way it signs in, where its type has several.
    pub(crate) fn way(&self) -> Option<&'static str> {
        self.variant.map(|variant| variant.name)
    }

    /// The value of a field.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(name, _)| *name == field);
        found.map(|(_, value)| value.expose())
    }
}
