//! The emulated readers against what the real ones read: `tests/dotenv/readings.json` names programs and versions.

use std::collections::BTreeMap;

use dango_core::SecretValue;
use proptest::prelude::*;
use serde_json::Value;

use super::{bash, docker, node};
use crate::References;
use crate::dotenv::EnvDocument;

fn each_case(mut check: impl FnMut(&str, &Value)) {
    let fixture: Value = serde_json::from_str(include_str!("../../../tests/dotenv/readings.json")).expect("JSON");
    let cases = fixture["cases"].as_array().expect("a list");
    assert!(cases.len() > 250);
    for case in cases {
        check(case["input"].as_str().expect("text"), case);
    }
}

fn variables(value: &Value) -> BTreeMap<String, String> {
    let members = value.as_object().expect("an object").iter();
    members
        .map(|(key, value)| (key.clone(), value.as_str().expect("text").to_owned()))
        .collect()
}

#[test]
fn node_dotenv_is_matched_on_every_fixture() {
    each_case(|input, case| {
        let read: BTreeMap<String, String> = node::read(input)
            .into_iter()
            .map(|item| (item.key, item.value.to_string()))
            .collect();
        assert_eq!(read, variables(&case["node"]), "{input:?}");
    });
}

#[test]
fn docker_is_matched_on_every_fixture() {
    each_case(|input, case| {
        let lines = docker::read(input);
        let is_refused = lines.iter().any(|line| matches!(line.kind, docker::LineKind::Refused));
        assert_eq!(is_refused, case["docker"].is_null(), "{input:?}");
        if !is_refused {
            let read = lines.iter().filter_map(|line| match line.kind {
                docker::LineKind::Variable { key, value } => Some((key.to_owned(), value.to_owned())),
                _ => None,
            });
            assert_eq!(read.collect::<BTreeMap<_, _>>(), variables(&case["docker"]), "{input:?}");
        }
    });
}

#[test]
fn docker_refuses_lines_of_64_kib() {
    let line = |length: usize| format!("A={}\nB=1\n", "x".repeat(length - 2));
    let is_refused = |text: &str| docker::read(text).iter().any(|line| matches!(line.kind, docker::LineKind::Refused));
    assert!(!is_refused(&line(65_535)));
    assert!(is_refused(&line(65_536)));
}

#[test]
fn bash_is_matched_on_every_fixture_that_runs_no_substitution() {
    each_case(|input, case| {
        let real = &case["bash"];
        let read = Shell::source(input);
        if real.is_null() {
            assert!(input.contains(['`', '$']), "{input:?}");
            return;
        }
        assert_eq!(read.stops, real["stops"], "{input:?}");
        assert!(read.runs || real["runs"] == false, "{input:?}");
        let mut expected = variables(&real["variables"]);
        expected.retain(|name, _| read.variables.get(name).is_none_or(Option::is_some));
        if read.runs {
            // What a command line leaves behind is not told.
            expected.retain(|name, _| read.variables.contains_key(name));
        }
        let known = read.variables.into_iter().filter_map(|(name, value)| Some((name, value?)));
        assert_eq!(known.collect::<BTreeMap<_, _>>(), expected, "{input:?}");
    });
}

#[test]
fn bash_reads_on_behind_a_line_that_stops_it() {
    let commands = bash::read("A=it's\nB=1\nC=(\nD=1");
    let effects: Vec<&str> = commands
        .iter()
        .map(|command| match command.effect {
            bash::Effect::Assigns(_) => "assigns",
            bash::Effect::Runs => "runs",
            bash::Effect::Fails => "fails",
            bash::Effect::Stops => "stops",
        })
        .collect();
    assert_eq!(effects, ["stops", "assigns", "stops", "assigns"]);
}

fn node_values(text: &str) -> Vec<(String, String)> {
    node::read(text)
        .into_iter()
        .map(|item| (item.key, item.value.to_string()))
        .collect()
}

proptest! {
    #[test]
    fn node_dotenv_reads_what_set_writes_and_all_else_as_before(
        file in "(A=|B=|K=|'|\"|`|\\\\|\n|\r|#| |x|: |export |\\$\\{A\\}){0,16}",
        value in "('|\"|`|\\\\|\n|\r|#| |[a-z]|\\$|\u{feff}|\u{2028}|=){0,12}",
    ) {
        let before = EnvDocument::parse(file.as_bytes()).expect("UTF-8 without NUL");
        let key = "K".parse().expect("a name");
        let value = SecretValue::new(value).expect("no NUL");
        if let Ok((after, _)) = before.set(&key, &value, References::Literal) {
            let read = node_values(after.text());
            let last = read.iter().rfind(|(key, _)| key == "K");
            prop_assert_eq!(last.map(|(_, value)| value.as_str()), Some(value.expose()));
            let others = |all: Vec<(String, String)>| all.into_iter().filter(|(key, _)| key != "K").collect::<Vec<_>>();
            prop_assert_eq!(others(node_values(before.text())), others(read));
        }
    }
}

/// What the environment is after sourcing; `None` for what only bash itself can tell.
struct Shell {
    variables: BTreeMap<String, Option<String>>,
    runs: bool,
    stops: bool,
}

impl Shell {
    fn source(text: &str) -> Self {
        let preset = [("EXT", "ext"), ("EMPTY", "")].map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
        let mut shell = Self {
            variables: BTreeMap::from(preset),
            runs: false,
            stops: false,
        };
        for command in bash::read(text) {
            match command.effect {
                bash::Effect::Runs => shell.runs = true,
                bash::Effect::Fails => {}
                bash::Effect::Stops => {
                    shell.stops = true;
                    break;
                }
                bash::Effect::Assigns(assigned) => {
                    for (name, parts) in assigned {
                        let value = parts.iter().map(|part| shell.expand(part)).collect();
                        shell.variables.insert(name, value);
                    }
                }
            }
        }
        shell
    }

    fn expand(&self, part: &bash::Part) -> Option<String> {
        match part {
            bash::Part::Literal(text) => Some(text.to_string()),
            bash::Part::Variable { name, default, .. } => match (self.variables.get(name), default) {
                (Some(None), _) => None,
                (Some(Some(value)), None) => Some(value.clone()),
                (Some(Some(value)), _) if !value.is_empty() => Some(value.clone()),
                (_, default) => Some(default.as_ref().map_or_else(String::new, |default| default.to_string())),
            },
            _ => None,
        }
    }
}
