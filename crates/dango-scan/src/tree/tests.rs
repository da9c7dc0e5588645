//! Which files are searched, in and out of a repository.
#![allow(clippy::disallowed_methods, reason = "tests write scratch files and start the real git")]

use std::fs;
use std::os::unix::fs::symlink;

use dango_core::SecretValue;

use super::*;
use crate::git::tests::{Sandbox, TOKEN};
use crate::known::KnownValue;
use crate::scanner::Formats;

const VALUE: &str = "hunter22-in-a-tree";

fn scanner() -> Scanner {
    let value = SecretValue::new(VALUE.to_owned()).unwrap();
    Scanner::new([KnownValue::new("K", value)], Formats::Sought).0
}

/// The files and rules that are found, and the survey.
fn found(sandbox: &Sandbox, files: Files, stores: &[&str], repository: Option<&Repository>) -> (Vec<(String, &'static str)>, Survey) {
    let stores: Vec<PathBuf> = stores.iter().map(|store| sandbox.path().join(store)).collect();
    let tree = Tree {
        roots: &[sandbox.path()],
        files,
        base: &sandbox.path(),
        stores: &stores,
        repository,
    };
    let survey = search(&scanner(), &tree).unwrap();
    (
        survey.findings.iter().map(|finding| (finding.file.clone(), finding.rule)).collect(),
        survey,
    )
}

fn names<'f>(found: &'f [(String, &'static str)]) -> Vec<&'f str> {
    found.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn without_a_repository_all_files_are_searched_but_stores_and_programs_of_others() {
    let sandbox = Sandbox::new();
    for file in [
        "a.txt",
        ".hidden/b",
        "node_modules/x/c.js",
        ".venv/pyvenv.cfg",
        ".venv/lib/d.py",
        ".env",
        "keep/.env",
    ] {
        sandbox.write(file, VALUE);
    }
    symlink(sandbox.path().join("a.txt"), sandbox.path().join("link")).unwrap();
    let (found, survey) = found(&sandbox, Files::All, &[".env"], None);
    assert_eq!(names(&found), [".hidden/b", "a.txt", "keep/.env"]);
    assert_eq!(survey.left_out, [".venv", "node_modules"]);
    assert!(survey.unread.is_empty());
}

#[test]
fn in_a_repository_ignored_files_are_searched_for_the_projects_values_alone() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "--quiet"]);
    sandbox.write(".gitignore", "ignored/\n*.log\nnode_modules/\n");
    for file in [
        "ignored/deep/a.txt",
        "b.log",
        "c.txt",
        "node_modules/d.js",
        "ignored/node_modules/e.js",
    ] {
        sandbox.write(file, &format!("{VALUE}\n{TOKEN}\n"));
    }
    let (found, _) = found(&sandbox, Files::All, &[], Some(&sandbox.repository()));
    assert_eq!(
        found,
        [
            ("b.log", "known-value"),
            ("c.txt", "known-value"),
            ("c.txt", "github-token"),
            ("ignored/deep/a.txt", "known-value")
        ]
        .map(|(name, rule)| (name.to_owned(), rule))
    );
}

#[test]
fn a_store_that_git_tracks_is_searched() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "--quiet"]);
    for file in [".env", "state/key", "state/shared.yml"] {
        sandbox.write(file, VALUE);
    }
    let stores = [".env", "state"];
    assert!(found(&sandbox, Files::All, &stores, Some(&sandbox.repository())).0.is_empty());
    sandbox.git(&["add", ".env", "state/shared.yml"]);
    let (found, _) = found(&sandbox, Files::All, &stores, Some(&sandbox.repository()));
    assert_eq!(names(&found), [".env", "state/shared.yml"]);
}

#[test]
fn logs_are_told_by_their_names_and_folders() {
    let sandbox = Sandbox::new();
    for file in [
        "app.log",
        "app.log.2",
        "a-2026.LOG",
        "logs/x",
        "run/nohup.out",
        "trace.pickle",
        "catalog.txt",
        "blog",
        "state/server.log",
        "state/key",
    ] {
        sandbox.write(file, VALUE);
    }
    let (found, _) = found(&sandbox, Files::Logs, &["state"], None);
    assert_eq!(
        names(&found),
        [
            "a-2026.LOG",
            "app.log",
            "app.log.2",
            "logs/x",
            "run/nohup.out",
            "state/server.log",
            "trace.pickle"
        ]
    );
}

#[test]
fn a_value_in_a_name_is_a_finding_and_the_name_is_told_without_it() {
    let sandbox = Sandbox::new();
    sandbox.write(&format!("dump-{VALUE}.txt"), VALUE);
    let (found, _) = found(&sandbox, Files::All, &[], None);
    assert_eq!(names(&found), ["dump-***.txt", "dump-***.txt"]);
}

#[test]
fn a_pipe_is_not_waited_for_and_a_root_that_is_missing_is_told() {
    let sandbox = Sandbox::new();
    assert!(
        std::process::Command::new("mkfifo")
            .arg(sandbox.path().join("pipe"))
            .status()
            .unwrap()
            .success()
    );
    assert!(open(&sandbox.path().join("pipe"), false).unwrap().is_none());
    fs::write(sandbox.path().join("file"), VALUE).unwrap();
    let roots = [
        sandbox.path().join("pipe"),
        sandbox.path().join("missing"),
        sandbox.path().join("file"),
    ];
    let tree = Tree {
        roots: &roots,
        files: Files::All,
        base: &sandbox.path(),
        stores: &[],
        repository: None,
    };
    let survey = search(&scanner(), &tree).unwrap();
    assert_eq!(survey.findings.len(), 1);
    let unread: Vec<&str> = survey.unread.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(unread, ["missing", "pipe"]);
}

#[test]
fn keys_in_folders_of_tests_are_not_told_and_tokens_of_providers_are() {
    let sandbox = Sandbox::new();
    let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n{TOKEN}\n", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw");
    for file in ["tests/data/key.pem", "src/key.pem", "tests.pem"] {
        sandbox.write(file, &key);
    }
    let (found, _) = found(&sandbox, Files::All, &[], None);
    let keys: Vec<&str> = found
        .iter()
        .filter(|(_, rule)| *rule == "private-key")
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(keys, ["src/key.pem", "tests.pem"]);
    assert_eq!(found.len(), 5);
}

#[test]
fn of_a_folder_of_tests_that_is_named_everything_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "tests/key.pem",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\n",
    );
    let base = sandbox.path();
    for (root, expected) in [("", 0), ("tests", 1), ("tests/key.pem", 1)] {
        let roots = [base.join(root)];
        let tree = Tree {
            roots: &roots,
            files: Files::All,
            base: &base,
            stores: &[],
            repository: None,
        };
        assert_eq!(search(&scanner(), &tree).unwrap().findings.len(), expected, "{root}");
    }
}
