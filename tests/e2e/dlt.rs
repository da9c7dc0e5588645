//! Real dlt reads what was stored: every string and every type, through the file and through `dango run`; credential objects are in `dlt_credentials.rs`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use dango_tests::{Scratch, dango, python};
use serde_json::{Value, json};

use crate::answers::{Answer, set};
use crate::values::texts;

/// The script that asks dlt.
pub(crate) const READER: &str = include_str!("scripts/dlt_reader.py");

/// What dlt reads from the project's files.
#[track_caller]
pub(crate) fn from_file(project: &Scratch, job: &Value) -> Value {
    let answer = project.command(python(), &["-c", READER]).stdin(with_mode(job, "file")).run();
    answer.success().json()
}

/// What dlt reads below `dango run`, in a folder without files of its own, so that variables are all it has.
#[track_caller]
pub(crate) fn from_run(project: &Scratch, job: &Value) -> Value {
    from_run_through(project, &[], job)
}

/// The same, with the first words of a command between `dango run` and Python.
#[track_caller]
fn from_run_through(project: &Scratch, between: &[OsString], job: &Value) -> Value {
    let mut words: Vec<OsString> = vec!["--project".into(), project.path().into(), "run".into(), "--".into()];
    words.extend_from_slice(between);
    words.extend([python().into(), "-c".into(), READER.into()]);
    project
        .dango(&words)
        .inside(project.home())
        .stdin(with_mode(job, "environment"))
        .run()
        .success()
        .json()
}

fn with_mode(job: &Value, mode: &str) -> String {
    let mut job = job.clone();
    job["mode"] = mode.into();
    job.to_string()
}

/// The values of one project, all below one section of its own.
struct Section {
    project: Scratch,
    name: String,
    values: BTreeMap<String, String>,
}

impl Section {
    /// Numbers the values; nothing is stored yet.
    fn new(name: String, values: &[String]) -> Self {
        let values = values
            .iter()
            .enumerate()
            .map(|(number, value)| (format!("v{number:04}"), value.clone()));
        Self {
            project: Scratch::initialised(),
            name,
            values: values.collect(),
        }
    }
}

/// Lets dlt read the projects' values from their files, and below one `dango run` inside the other.
#[track_caller]
fn assert_read_exactly(sections: &[Section]) {
    let described: Vec<Value> = sections
        .iter()
        .map(|section| json!({ "name": section.name, "folder": section.project.path(), "values": section.values }))
        .collect();
    let count: usize = sections.iter().map(|section| section.values.len()).sum();
    let job = json!({ "task": "strings", "sections": described });
    let (outermost, inner) = sections.split_first().expect("there is a section");
    let mut words: Vec<OsString> = Vec::new();
    for section in inner {
        words.extend([
            dango().into(),
            "--project".into(),
            section.project.path().into(),
            "run".into(),
            "--".into(),
        ]);
    }
    for answer in [
        from_file(&outermost.project, &job),
        from_run_through(&outermost.project, &words, &job),
    ] {
        assert_eq!(answer["wrong"], json!([]), "dlt reads something else");
        assert_eq!(answer["read"], count);
    }
}

#[test]
fn every_string_that_set_writes_is_read_by_dlt_from_the_file_and_below_run() {
    let chunks: Vec<Vec<String>> = texts(1_040).chunks(104).map(<[String]>::to_vec).collect();
    let sections: Vec<Section> = chunks
        .iter()
        .enumerate()
        .map(|(number, values)| Section::new(format!("e2e{number}"), values))
        .collect();
    for section in &sections {
        for (number, (name, value)) in section.values.iter().enumerate() {
            let path = format!("sources.{}.{name}", section.name);
            // Both ways to hand over a value whose end matters: as it is, and with the line feed that is taken off.
            let (options, end): (&[&str], &str) = if number % 2 == 0 { (&["--raw"], "") } else { (&[], "\n") };
            let words = [&["secrets", "set", path.as_str()], options].concat();
            let answer = section.project.dango(&words).stdin(format!("{value}{end}")).run();
            assert_eq!(answer.status, 0, "set {value:?}: {}", answer.stderr);
        }
    }
    assert_read_exactly(&sections);
}

#[test]
fn every_string_that_import_takes_is_read_by_dlt_from_the_file_and_below_run() {
    let section = Section::new("e2e".to_owned(), &texts(3_000));
    section
        .project
        .write("import.json", json!({ "sources": { "e2e": section.values } }).to_string());
    let _ = section
        .project
        .run(&["secrets", "import", "--format", "json", "import.json"])
        .success();
    assert_read_exactly(&[section]);
}

#[test]
fn a_source_function_is_given_the_stored_token_from_the_file_and_below_run() {
    let project = Scratch::initialised();
    set(&project, "sources.e2e.token", "sk_live_${HOME}\\\"'00123");
    for answer in [
        from_file(&project, &json!({ "task": "source" })),
        from_run(&project, &json!({ "task": "source" })),
    ] {
        assert_eq!(answer["token"], "sk_live_${HOME}\\\"'00123");
    }
}

#[test]
fn quoted_and_unicode_keys_are_read_by_dlt() {
    let project = Scratch::initialised();
    set(&project, "sources.e2e.\"größe\"", "a");
    set(&project, "sources.e2e.\"with space\"", "b");
    set(&project, "sources.\"e2e-dash\".k", "c");
    let names = json!(["größe", "with space"]);
    let answer = from_file(&project, &json!({ "task": "types", "section": "e2e", "names": names, "hints": {} }));
    assert_eq!(answer["alone"], json!({ "größe": ["str", "'a'"], "with space": ["str", "'b'"] }));
    let answer = from_file(
        &project,
        &json!({ "task": "types", "section": "e2e-dash", "names": ["k"], "hints": {} }),
    );
    assert_eq!(answer["alone"], json!({ "k": ["str", "'c'"] }));
}

#[test]
fn explain_names_the_place_that_dlt_takes_the_value_from() {
    let project = Scratch::initialised();
    set(&project, "sources.e2e.token", "specific");
    set(&project, "token", "general");
    for (variables, place) in [
        (&[][..], "[sources.e2e] token"),
        (&[("TOKEN", "bare")], "TOKEN"),
        (&[("TOKEN", "bare"), ("SOURCES__TOKEN", "sources")], "SOURCES__TOKEN"),
        (&[("SOURCES__E2E__TOKEN", ""), ("TOKEN", "bare")], "SOURCES__E2E__TOKEN"),
    ] {
        let explain = project.dango(&["secrets", "explain", "sources.e2e.token", "--json"]);
        let explain = variables
            .iter()
            .fold(explain, |explain, (name, value)| explain.env(name, value))
            .run()
            .success()
            .json();
        let places = explain["places"].as_array().expect("a list");
        let winner = places.iter().find(|place| place["wins"] == true).expect("one wins");
        assert_eq!(winner["name"], place, "{variables:?}");
        let taken = variables
            .iter()
            .find(|(name, _)| *name == place)
            .map_or("specific", |(_, value)| value);
        let read = project
            .command(python(), &["-c", READER])
            .stdin(with_mode(&json!({ "task": "source" }), "file"));
        let read = variables
            .iter()
            .fold(read, |read, (name, value)| read.env(name, value))
            .run()
            .success()
            .json();
        assert_eq!(read["token"], taken, "{variables:?}");
    }
}

/// The option's name, the text, the type and text that Python shows, and the type hint of an argument for it.
const TYPED: &[(&str, &str, &str, &str, &str)] = &[
    ("integer", "0", "int", "0", "int"),
    ("integer", "12", "int", "12", "int"),
    ("integer", "-7", "int", "-7", "int"),
    ("integer", "9223372036854775807", "int", "9223372036854775807", "int"),
    ("integer", "-9223372036854775808", "int", "-9223372036854775808", "int"),
    ("float", "1.5", "float", "1.5", "float"),
    ("float", "-0.25", "float", "-0.25", "float"),
    ("float", "1e10", "float", "10000000000.0", "float"),
    ("float", "3.0", "float", "3.0", "float"),
    ("float", "6.02214076e23", "float", "6.02214076e+23", "float"),
    ("float", "0.1", "float", "0.1", "float"),
    ("boolean", "true", "bool", "True", "bool"),
    ("boolean", "false", "bool", "False", "bool"),
    ("datetime", "2026-11-21", "date", "datetime.date(2026, 11, 21)", ""),
    (
        "datetime",
        "2026-11-21T21:34:00",
        "datetime",
        "datetime.datetime(2026, 11, 21, 21, 34)",
        "",
    ),
    (
        "datetime",
        "2026-11-21T21:34:00.25",
        "datetime",
        "datetime.datetime(2026, 11, 21, 21, 34, 0, 250000)",
        "",
    ),
    (
        "datetime",
        "2026-11-21T21:34:00Z",
        "datetime",
        "datetime.datetime(2026, 11, 21, 21, 34, tzinfo=datetime.timezone(datetime.timedelta(0), 'UTC'))",
        "",
    ),
    ("datetime", "07:32:00", "time", "datetime.time(7, 32)", ""),
    ("json", "[]", "list", "[]", "list"),
    ("json", "[\"a\", \"b\"]", "list", "['a', 'b']", "list"),
    (
        "json",
        "[1, [2.5, true], \"x\\ny${HOME}\"]",
        "list",
        "[1, [2.5, True], 'x\\ny${HOME}']",
        "list",
    ),
    (
        "json",
        "[{\"k\": \"v\"}, {\"k\": \"w\"}]",
        "list",
        "[{'k': 'v'}, {'k': 'w'}]",
        "list",
    ),
    (
        "json",
        "{\"a\": 1, \"b\": {\"c\": [\"x\"], \"d e\": \"f\"}}",
        "dict",
        "{'a': 1, 'b': {'c': ['x'], 'd e': 'f'}}",
        "",
    ),
    ("json", "\"a string\"", "str", "'a string'", "str"),
    ("json", "12", "int", "12", "int"),
];

#[test]
fn every_type_is_read_by_dlt_as_what_it_is() {
    let project = Scratch::initialised();
    let mut hints = BTreeMap::new();
    let mut names = Vec::new();
    for (number, (value_type, text, _, _, hint)) in TYPED.iter().enumerate() {
        let name = format!("t{number}");
        let path = format!("sources.e2e.{name}");
        let _ = project
            .dango(&["secrets", "set", &path, "--type", value_type])
            .stdin(*text)
            .run()
            .success();
        if !hint.is_empty() {
            hints.insert(name.clone(), *hint);
        }
        names.push(name);
    }
    let job = json!({ "task": "types", "section": "e2e", "names": names, "hints": hints });
    let file = from_file(&project, &job);
    for (name, (value_type, text, python_type, python_text, _)) in names.iter().zip(TYPED) {
        assert_eq!(file["alone"][name], json!([python_type, python_text]), "--type {value_type} {text}");
    }
    for (name, hint) in &hints {
        assert_eq!(file["injected"][name], file["alone"][name], "as {hint}");
    }
    assert_eq!(
        from_run(&project, &job)["injected"],
        file["injected"],
        "an argument with a hint is the same below run"
    );
}
