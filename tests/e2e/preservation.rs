//! Over a corpus of realistic `secrets.toml` files: setting or removing one key changes that key and not one byte elsewhere.

use std::path::PathBuf;

use dango_tests::{Output, Scratch, python, workspace_root};
use serde_json::{Value, json};

use crate::answers::{Answer, names};

const ADDED: &str = "sources.e2e_added.api_key";
const CHANGED: &str = "${changed}\n\"by a test\"\\";

/// A file of the corpus that parses, in a project of its own.
struct Sample {
    name: String,
    project: Scratch,
    bytes: Vec<u8>,
}

fn samples() -> Vec<Sample> {
    let corpus = workspace_root().join("crates/dango-secrets/tests/corpus");
    let found: Vec<String> = names(&corpus).into_iter().filter(|name| name.ends_with(".toml")).collect();
    let samples: Vec<Sample> = found.iter().filter_map(|name| sample(&corpus, name)).collect();
    assert!(
        samples.len() >= 40,
        "only {} of {} files parse; 40 are wanted",
        samples.len(),
        found.len()
    );
    samples
}

fn sample(corpus: &std::path::Path, name: &str) -> Option<Sample> {
    let bytes = std::fs::read(corpus.join(name)).expect("the corpus is readable");
    let project = Scratch::initialised();
    project.write(".dlt/secrets.toml", &bytes);
    let listed = project.run(&["secrets", "list", "--json"]);
    if listed.status == 0 {
        let rows = listed.json();
        let is_plain = rows.as_array().expect("a list").iter().all(|row| row["encrypted"] == false);
        // A file with encrypted values is not changed without their key; `encryption` has such files with theirs.
        return is_plain.then(|| Sample {
            name: name.to_owned(),
            project,
            bytes,
        });
    }
    // A file that does not parse is never written.
    let _ = project
        .dango(&["secrets", "set", ADDED])
        .stdin("x")
        .run()
        .fails(1, &["secrets.toml:"]);
    assert_eq!(project.read_bytes(".dlt/secrets.toml"), bytes, "{name}");
    None
}

impl Sample {
    fn new_bytes(&self) -> Vec<u8> {
        self.project.read_bytes(".dlt/secrets.toml")
    }

    fn restore(&self) {
        self.project.write(".dlt/secrets.toml", &self.bytes);
    }

    fn set(&self, path: &str, value: &str) -> Output {
        self.project.dango(&["secrets", "set", "--raw", "--", path]).stdin(value).run()
    }

    /// The string credentials on a single line, first, middle and last.
    fn strings(&self) -> Vec<String> {
        let listed = self.project.run(&["secrets", "list", "--json"]).success().json();
        let rows = listed.as_array().expect("a list");
        let paths = rows
            .iter()
            .filter(|row| row["type"] == "string")
            .filter_map(|row| row["path"].as_str());
        let paths: Vec<String> = paths.map(str::to_owned).collect();
        let wanted = [0, paths.len() / 2, paths.len().saturating_sub(1)];
        let mut picked: Vec<String> = wanted.iter().filter_map(|&at| paths.get(at).cloned()).collect();
        picked.dedup();
        picked
    }
}

/// The bytes of `old` and of `new` between what they have in common at both ends.
fn between<'a>(old: &'a [u8], new: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[start..], &new[start..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    (&old[..old.len() - end], &new[..new.len() - end])
}

/// Whether `new` is `old` with one stretch put in.
fn only_adds(old: &[u8], new: &[u8]) -> bool {
    between(old, new).0.is_empty()
}

/// Asks tomlkit which paths differ in each pair of files.
fn changed_paths(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<Value> {
    let scratch = Scratch::new();
    let mut arguments = vec!["-c".into(), include_str!("scripts/toml_changes.py").into()];
    for (number, (old, new)) in pairs.iter().enumerate() {
        for (name, bytes) in [("old", old), ("new", new)] {
            let name = format!("{number}-{name}.toml");
            scratch.write(&name, bytes);
            arguments.push(PathBuf::from(name).into_os_string());
        }
    }
    scratch
        .command(python(), &arguments)
        .run()
        .success()
        .json()
        .as_array()
        .expect("one answer a pair")
        .clone()
}

/// The path as a list of its parts, as tomlkit gives it.
fn parts(path: &str) -> Value {
    let path: dango_core::CredentialPath = path.parse().expect("the program lists canonical paths");
    json!([path.parts()])
}

#[test]
fn a_new_key_only_adds_and_taking_it_away_leaves_the_rest() {
    let mut pairs = Vec::new();
    for sample in samples() {
        let _ = sample.set(ADDED, CHANGED).success();
        let new = sample.new_bytes();
        assert!(only_adds(&sample.bytes, &new), "{}: something but the new key changed", sample.name);
        pairs.push((sample.bytes.clone(), new.clone()));
        let _ = sample.project.run(&["secrets", "unset", ADDED]).success();
        let rest = sample.new_bytes();
        assert!(only_adds(&rest, &new), "{}: something but the key was taken away", sample.name);
        assert!(only_adds(&sample.bytes, &rest), "{}: the old text is not whole", sample.name);
    }
    for (number, changed) in changed_paths(&pairs).iter().enumerate() {
        assert_eq!(changed, &parts(ADDED), "pair {number}");
    }
}

#[test]
fn a_replaced_string_changes_within_its_value() {
    let mut pairs = Vec::new();
    let mut paths = Vec::new();
    for sample in samples() {
        for path in sample.strings() {
            let _ = sample.set(&path, CHANGED).success();
            let new = sample.new_bytes();
            let (was, _) = between(&sample.bytes, &new);
            let value = sample_value(&sample, &path);
            let lines = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'\n').count();
            assert!(
                lines(was) <= lines(value.as_bytes()) + 2,
                "{} {path}: more than the value changed: {:?}",
                sample.name,
                String::from_utf8_lossy(was)
            );
            pairs.push((sample.bytes.clone(), new));
            paths.push((sample.name.clone(), path));
            sample.restore();
        }
    }
    for (changed, (name, path)) in changed_paths(&pairs).iter().zip(&paths) {
        assert_eq!(changed, &parts(path), "{name}");
    }
}

fn sample_value(sample: &Sample, path: &str) -> String {
    sample.restore();
    sample
        .project
        .run(&["secrets", "get", "--reveal", "--no-resolve", "--", path])
        .success()
        .stdout
}

#[test]
fn a_removed_string_is_cut_out_and_nothing_else() {
    let mut pairs = Vec::new();
    let mut paths = Vec::new();
    for sample in samples() {
        for path in sample.strings() {
            let _ = sample.project.run(&["secrets", "unset", "--", &path]).success();
            let new = sample.new_bytes();
            assert!(
                only_adds(&new, &sample.bytes),
                "{} {path}: bytes outside the key changed",
                sample.name
            );
            pairs.push((sample.bytes.clone(), new));
            paths.push((sample.name.clone(), path));
            sample.restore();
        }
    }
    for (changed, (name, path)) in changed_paths(&pairs).iter().zip(&paths) {
        let changed = changed.as_array().expect("a list");
        let wanted = &parts(path)[0];
        assert!(
            changed.len() == 1 && &changed[0] == wanted,
            "{name}: {path} was removed, {changed:?} changed"
        );
    }
}

#[test]
fn storing_the_same_value_again_leaves_the_file_alone() {
    for sample in samples() {
        for path in sample.strings() {
            let value = sample_value(&sample, &path);
            if value.contains("${") {
                continue; // Whether it is a reference cannot be told from the text.
            }
            let _ = sample.project.dango(&["secrets", "set", "--", &path]).stdin(&value).run().success();
            assert_eq!(sample.new_bytes(), sample.bytes, "{} {path}", sample.name);
        }
    }
}
