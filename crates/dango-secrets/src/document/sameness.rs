//! Whether a value that is there is the one to be written; data only, not layout.

use super::new_value::NewValue;
use crate::{Otherwise, Piece, References, Text, Value};

/// Whether a value of the file is the one that is to be written, of the same type and with the same references.
pub(super) fn is_same(old: &Value, new: &NewValue) -> bool {
    match (old, new) {
        (Value::String(old), NewValue::String { text, references }) => match references {
            References::Literal => !old.has_reference() && old.verbatim().as_str() == text.expose(),
            References::Expand => is_same_text(old, &Text::from_plain(text.expose())),
        },
        (Value::Integer { value, .. }, NewValue::Integer(new)) => value == new,
        (Value::Float { value, .. }, NewValue::Float(new)) => value.to_bits() == new.to_bits() || (value.is_nan() && new.is_nan()),
        (Value::Boolean(old), NewValue::Boolean(new)) => old == new,
        (Value::Datetime(old), NewValue::Datetime(new)) => old.as_str() == new.as_str(),
        (Value::Array(old), NewValue::Array(new)) => old.len() == new.len() && old.iter().zip(new).all(|(old, new)| is_same(old, new)),
        (Value::Table(old), NewValue::Table(new)) => {
            let find = |name: &str| new.iter().find(|(key, _)| key == name);
            old.len() == new.len() && old.iter().all(|(name, old)| find(name).is_some_and(|(_, new)| is_same(old, new)))
        }
        _ => false,
    }
}

fn is_same_text(old: &Text, new: &Text) -> bool {
    let (old, new) = (old.pieces(), new.pieces());
    old.len() == new.len()
        && old.iter().zip(new).all(|(old, new)| match (old, new) {
            (Piece::Literal(old), Piece::Literal(new)) => old == new,
            (Piece::Reference(old), Piece::Reference(new)) => {
                old.name == new.name
                    && match (&old.otherwise, &new.otherwise) {
                        (Otherwise::Fail, Otherwise::Fail) => true,
                        (Otherwise::Default(old), Otherwise::Default(new)) => is_same_text(old, new),
                        (Otherwise::FailWith(old), Otherwise::FailWith(new)) => old == new,
                        _ => false,
                    }
            }
            _ => false,
        })
}
