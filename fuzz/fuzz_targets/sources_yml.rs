//! What `sources.yml` says is kept by every edit, but for what was edited.
//!
//! The input is a file and then, behind NUL bytes, a name, a field and a value. Without them the first source is edited.
#![no_main]

use dango_core::SourceName;
use dango_sources::{ConfiguredSource, EditError, NewSource, SourcesFile, SyncCommand, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut parts = text.split('\0');
    let Ok(file) = SourcesFile::parse(parts.next().unwrap_or_default()) else {
        return;
    };
    assert!(file.sources().iter().all(|source| file.find(source.name()).is_some()));
    let name = parts.next().and_then(|name| name.parse().ok());
    let first = file.sources().first().map(|source| source.name().clone());
    let Some(name) = name.or(first) else {
        add(&file, &"s1".parse().expect("a name"), "field", "value");
        return;
    };
    let field = parts.next().unwrap_or("start_date");
    let value = parts.next().unwrap_or("2024-01-01");
    match file.find(&name) {
        None => add(&file, &name, field, value),
        Some(source) => {
            remove(&file, &name);
            for new in [
                Value::String(value.to_owned()),
                Value::List(vec![Value::Null, Value::Number(value.to_owned())]),
            ] {
                set(&file, source, field, &new);
            }
            unset(&file, source, field);
        }
    }
});

fn read(text: &str) -> SourcesFile {
    SourcesFile::parse(text).expect("an edited file can be read")
}

fn members(source: &ConfiguredSource) -> Vec<(&str, &Value)> {
    source.members().collect()
}

/// All sources but one, in order.
fn others<'f>(file: &'f SourcesFile, but: &SourceName) -> Vec<Vec<(&'f str, &'f Value)>> {
    file.sources().iter().filter(|source| source.name() != but).map(members).collect()
}

fn add(file: &SourcesFile, name: &SourceName, field: &str, value: &str) {
    let source = NewSource {
        name: name.clone(),
        source_type: "stripe".parse().expect("a type"),
        fields: vec![(field.to_owned(), Value::String(value.to_owned()))],
        sync: Some(SyncCommand::from_text(value)),
    };
    let Ok(text) = file.add(&source) else { return };
    let edited = read(&text);
    assert_eq!(others(file, name), others(&edited, name));
    let added = edited.sources().last().expect("it was added");
    assert_eq!((added.name(), added.source_type()), (name, &source.source_type));
    assert_eq!(members(added)[2], (field, &source.fields[0].1));
    assert_comments(file.text(), &text);
    match edited.remove(name) {
        Ok(text) => assert_eq!(others(&read(&text), name), others(file, name)),
        // `saphyr-parser` sees a line break in a block without text where the file ends, and none elsewhere.
        Err(EditError::NotFaithful { source: None }) if file.text().contains(['|', '>']) => {}
        Err(error) => panic!("what was added cannot be removed: {error}"),
    }
}

fn remove(file: &SourcesFile, name: &SourceName) {
    let Ok(text) = file.remove(name) else { return };
    let edited = read(&text);
    assert!(edited.find(name).is_none());
    assert_eq!(others(&edited, name), others(file, name));
    assert!(text.len() <= file.text().len() + " []".len());
}

fn set(file: &SourcesFile, source: &ConfiguredSource, field: &str, value: &Value) {
    let name = source.name();
    let text = match file.set_field(name, field, value) {
        Ok(text) => text,
        Err(EditError::Unknown { .. } | EditError::NoField { .. }) => panic!("the source is there"),
        Err(_) => return,
    };
    let edited = read(&text);
    assert_eq!(others(&edited, name), others(file, name));
    assert_eq!(edited.sources().len(), file.sources().len());
    let now = edited.find(name).expect("it is still there");
    assert_eq!(now.source_type(), source.source_type());
    let (before, after) = (members(source), members(now));
    let changed = after.iter().filter(|member| !before.contains(member)).count();
    assert!(changed <= 1 && (before.len()..=before.len() + 1).contains(&after.len()));
    assert_comments(file.text(), &text);
    let again = edited.set_field(name, field, value);
    assert_eq!(again.as_deref(), Ok(text.as_str()), "setting the same again changes something");
}

fn unset(file: &SourcesFile, source: &ConfiguredSource, field: &str) {
    let name = source.name();
    let Ok(text) = file.unset_field(name, field) else { return };
    let edited = read(&text);
    assert_eq!(others(&edited, name), others(file, name));
    let now = edited.find(name).expect("it is still there");
    let (before, after) = (members(source), members(now));
    let gone = before.iter().filter(|member| !after.contains(member)).count();
    assert!(gone == 1 && after.len() <= before.len());
    assert!(text.len() < file.text().len());
}

/// Lines that hold nothing but a comment are all still there, unless a text of several lines holds them.
fn assert_comments(before: &str, after: &str) {
    if before.contains(['|', '>', '"', '\'']) {
        return;
    }
    let comments = |text: &str| {
        text.lines()
            .filter(|line| line.trim_start_matches([' ', '\t']).starts_with('#'))
            .count()
    };
    assert_eq!(comments(before), comments(after), "a comment came or went");
}
