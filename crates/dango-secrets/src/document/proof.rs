//! The judge of every write: `toml_edit` reads the text before and after, and only the wanted change may show.
//!
//! It is the only file that imports `toml_edit`; nothing is written with it.

use dango_core::CredentialPath;
use toml_edit::{Datetime, Document, Item, TableLike, Value as TomlValue};

use super::new_value::NewValue;

/// Whether `toml_edit` takes a text for a TOML date, time or both.
pub(super) fn is_datetime(text: &str) -> bool {
    text.parse::<Datetime>().is_ok()
}

/// Whether `toml_edit` takes a text for TOML.
pub(super) fn accepts(text: &str) -> bool {
    Document::parse(text).is_ok()
}

/// Whether `after` says what `before` says, but for `path`, where it says `wanted`, or nothing for `None`.
///
/// Tables on the way to `path` may appear or, once empty, vanish.
pub(super) fn holds(before: &str, after: &str, path: &CredentialPath, wanted: Option<&NewValue>) -> bool {
    let (Ok(before), Ok(after)) = (Document::parse(before), Document::parse(after)) else {
        return false;
    };
    differs_only_at(Some(before.as_table()), Some(after.as_table()), path.parts(), wanted)
}

fn differs_only_at(before: Option<&dyn TableLike>, after: Option<&dyn TableLike>, path: &[String], wanted: Option<&NewValue>) -> bool {
    let Some((first, rest)) = path.split_first() else { return false };
    if !others_are_equal(before, after, first) {
        return false;
    }
    let old = before.and_then(|table| table.get(first));
    let new = after.and_then(|table| table.get(first));
    if rest.is_empty() {
        return match wanted {
            Some(wanted) => new.is_some_and(|new| is_wanted(View::of(new), wanted)),
            None => new.is_none(),
        };
    }
    let is_table_or_nothing = |item: Option<&Item>| item.is_none_or(Item::is_table_like);
    is_table_or_nothing(old)
        && is_table_or_nothing(new)
        && (old.is_some() || new.is_some())
        && differs_only_at(old.and_then(Item::as_table_like), new.and_then(Item::as_table_like), rest, wanted)
}

fn others_are_equal(before: Option<&dyn TableLike>, after: Option<&dyn TableLike>, but: &str) -> bool {
    let count = |table: Option<&dyn TableLike>| table.map_or(0, |table| table.len() - usize::from(table.contains_key(but)));
    count(before) == count(after)
        && before.is_none_or(|before| {
            before.iter().filter(|(key, _)| *key != but).all(|(key, old)| {
                let new = after.and_then(|after| after.get(key));
                new.is_some_and(|new| are_equal(View::of(old), View::of(new)))
            })
        })
}

/// An item seen as data: how it is laid out makes no difference.
enum View<'a> {
    Nothing,
    Scalar(&'a TomlValue),
    Array(Vec<View<'a>>),
    Table(&'a dyn TableLike),
}

impl<'a> View<'a> {
    fn of(item: &'a Item) -> Self {
        match item {
            Item::None => Self::Nothing,
            Item::Value(value) => Self::of_value(value),
            Item::Table(table) => Self::Table(table),
            Item::ArrayOfTables(tables) => Self::Array(tables.iter().map(|table| Self::Table(table)).collect()),
        }
    }

    fn of_value(value: &'a TomlValue) -> Self {
        match value {
            TomlValue::Array(array) => Self::Array(array.iter().map(Self::of_value).collect()),
            TomlValue::InlineTable(table) => Self::Table(table),
            scalar => Self::Scalar(scalar),
        }
    }
}

fn are_equal(old: View<'_>, new: View<'_>) -> bool {
    match (old, new) {
        (View::Scalar(old), View::Scalar(new)) => match (old, new) {
            (TomlValue::String(old), TomlValue::String(new)) => old.value() == new.value(),
            (TomlValue::Integer(old), TomlValue::Integer(new)) => old.value() == new.value(),
            (TomlValue::Float(old), TomlValue::Float(new)) => old.value().to_bits() == new.value().to_bits(),
            (TomlValue::Boolean(old), TomlValue::Boolean(new)) => old.value() == new.value(),
            (TomlValue::Datetime(old), TomlValue::Datetime(new)) => old.value() == new.value(),
            _ => false,
        },
        (View::Array(old), View::Array(new)) => old.len() == new.len() && old.into_iter().zip(new).all(|(old, new)| are_equal(old, new)),
        (View::Table(old), View::Table(new)) => {
            old.len() == new.len()
                && old
                    .iter()
                    .all(|(key, old)| new.get(key).is_some_and(|new| are_equal(View::of(old), View::of(new))))
        }
        _ => false,
    }
}

fn is_wanted(found: View<'_>, wanted: &NewValue) -> bool {
    match (found, wanted) {
        (View::Scalar(TomlValue::String(found)), NewValue::String { text, .. }) => found.value() == text.expose(),
        (View::Scalar(TomlValue::Integer(found)), NewValue::Integer(wanted)) => found.value() == wanted,
        (View::Scalar(TomlValue::Float(found)), NewValue::Float(wanted)) => {
            found.value().to_bits() == wanted.to_bits() || (found.value().is_nan() && wanted.is_nan())
        }
        (View::Scalar(TomlValue::Boolean(found)), NewValue::Boolean(wanted)) => found.value() == wanted,
        (View::Scalar(TomlValue::Datetime(found)), NewValue::Datetime(wanted)) => {
            wanted.as_str().parse::<Datetime>().is_ok_and(|wanted| *found.value() == wanted)
        }
        (View::Array(found), NewValue::Array(wanted)) => {
            found.len() == wanted.len() && found.into_iter().zip(wanted).all(|(found, wanted)| is_wanted(found, wanted))
        }
        (View::Table(found), NewValue::Table(wanted)) => {
            found.len() == wanted.len()
                && wanted
                    .iter()
                    .all(|(key, wanted)| found.get(key).is_some_and(|found| is_wanted(View::of(found), wanted)))
        }
        _ => false,
    }
}
