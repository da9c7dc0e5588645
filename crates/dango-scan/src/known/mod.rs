//! The project's own values: which of them are looked for, in which forms, and the index that finds them.

mod index;
mod pieces;
mod worth;

use dango_core::SecretValue;

pub(crate) use index::{FormIndex, Occurrence};

/// A value that the project stores, with the name under which people know it.
///
/// Under several names it is found under the first.
pub struct KnownValue {
    name: String,
    value: SecretValue,
}

impl KnownValue {
    /// Takes a value and its name: a credential's path, or the name of a variable. The name's last part tells settings from secrets.
    pub fn new(name: impl Into<String>, value: SecretValue) -> Self {
        Self { name: name.into(), value }
    }
}

/// The forms to look for, the names of their values, and how many values are left out.
pub(crate) struct Known {
    pub(crate) names: Vec<String>,
    pub(crate) forms: Vec<pieces::Form>,
    pub(crate) left_out: usize,
}

/// Lists the forms of all values that are worth it.
pub(crate) fn forms_of(values: impl IntoIterator<Item = KnownValue>) -> Known {
    let mut known = Known {
        names: Vec::new(),
        forms: Vec::new(),
        left_out: 0,
    };
    for KnownValue { name, value } in values {
        if value.expose().trim().is_empty() {
            continue;
        }
        let number = known.names.len();
        let before = known.forms.len();
        pieces::push_forms(number, worth::leaf(&name), &value, &mut known.forms);
        match known.forms.len() > before {
            true => known.names.push(name),
            false => known.left_out += 1,
        }
    }
    known
}
