//! What is checked: a type of the catalogue, the way it signs in, and the values of its fields. Where they are stored is not known here.

use std::sync::atomic::{AtomicBool, Ordering};

use dango_core::SecretValue;
use dango_sources::{TypeSpec, Variant};

/// One source's credentials, opened and resolved.
pub struct Subject {
    spec: &'static TypeSpec,
    variant: Option<&'static Variant>,
    fields: Vec<Field>,
}

struct Field {
    name: &'static str,
    value: SecretValue,
    /// Whether a check has taken the value.
    is_used: AtomicBool,
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
        self.fields.retain(|there| there.name != field);
        if !value.expose().is_empty() {
            self.fields.push(Field {
                name: field,
                value,
                is_used: AtomicBool::new(false),
            });
        }
    }

    /// The value of a field that a check has used, to send it or to sign with it: of any other, the outcome says nothing.
    pub fn used(&self, field: &str) -> Option<&SecretValue> {
        let found = self.fields.iter().find(|there| there.name == field);
        found
            .filter(|there| there.is_used.load(Ordering::Relaxed))
            .map(|there| &there.value)
    }

    /// The type.
    pub const fn spec(&self) -> &'static TypeSpec {
        self.spec
    }

    /// The name of the way it signs in, where its type has several.
    pub(crate) fn way(&self) -> Option<&'static str> {
        self.variant.map(|variant| variant.name)
    }

    /// The value of a field, which counts as used from now on.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        let found = self.fields.iter().find(|there| there.name == field)?;
        found.is_used.store(true, Ordering::Relaxed);
        Some(found.value.expose())
    }
}

#[cfg(test)]
mod tests {
    use dango_sources::catalogue;

    use super::*;

    #[test]
    fn only_what_a_check_has_taken_counts_as_used() {
        let spec = catalogue().find(&"zendesk".parse().expect("a type")).expect("is in the catalogue");
        let mut subject = Subject::new(spec, None);
        for field in ["email", "token"] {
            subject.put(field, SecretValue::new("canary".to_owned()).expect("text"));
        }
        assert_eq!(subject.text("token"), Some("canary"));
        let used = |subject: &Subject, field| subject.used(field).map(|value| value.expose().to_owned());
        assert_eq!(
            (used(&subject, "token"), used(&subject, "email"), used(&subject, "password")),
            (Some("canary".to_owned()), None, None)
        );
        // Another value of the same field was not used yet.
        subject.put("token", SecretValue::new("another".to_owned()).expect("text"));
        assert_eq!(used(&subject, "token"), None);
    }
}
