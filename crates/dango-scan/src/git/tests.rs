//! Real repositories made by the real git, hostile ones among them.
#![allow(clippy::disallowed_methods, reason = "tests write scratch files and start the real git")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use dango_core::SecretValue;
use tempfile::TempDir;

use super::*;
use crate::finding::Finding;
use crate::known::KnownValue;
use crate::scanner::{Formats, Scanner};
use crate::survey::Survey;

/// A token whose checksum is right: the example of GitHub's own documentation.
pub(crate) const TOKEN: &str = concat!("ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17");
const VALUE: &str = "hunter22-in-history";

/// A folder for one test, and git in it with nothing of the machine's owner.
pub(crate) struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("top")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("top").canonicalize().unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn environment(&self) -> Environment {
        let given = [
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
            ("HOME", self.folder.path().as_os_str().to_owned()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ];
        given.into_iter().map(|(name, value)| (name.into(), value)).collect()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.path(), arguments)
    }

    pub(crate) fn git_in(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=Ada",
                "-c",
                "user.email=ada@example.org",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .envs(self.environment())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::find(&self.path(), &self.environment()).unwrap()
    }
}

fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "--quiet"]);
    sandbox
}

fn scanner() -> Scanner {
    let value = SecretValue::new(VALUE.to_owned()).unwrap();
    Scanner::new([KnownValue::new("sources.a.k", value)], Formats::Sought).0
}

const ALL: Within<'static> = Within { places: &[] };

fn staged(sandbox: &Sandbox) -> Vec<Finding> {
    search_staged(&scanner(), &sandbox.repository(), ALL).unwrap().findings
}

fn history(sandbox: &Sandbox) -> Survey {
    search_history(&scanner(), &sandbox.repository(), ALL).unwrap()
}

fn places(findings: &[Finding]) -> Vec<(&str, u64, Option<&str>)> {
    findings
        .iter()
        .map(|finding| (finding.file.as_str(), finding.line, finding.commit.as_deref()))
        .collect()
}

#[test]
fn only_what_the_staged_change_brings_is_found_before_and_after_the_first_commit() {
    let sandbox = repository();
    sandbox.write("a b.txt", &format!("{VALUE}\n"));
    assert!(staged(&sandbox).is_empty(), "nothing is staged yet");
    sandbox.git(&["add", "--all"]);
    assert_eq!(places(&staged(&sandbox)), [("a b.txt", 1, None)]);
    sandbox.commit("one");
    assert!(staged(&sandbox).is_empty());
    sandbox.write("a b.txt", &format!("harmless\n{VALUE}\n"));
    sandbox.git(&["add", "--all"]);
    assert!(staged(&sandbox).is_empty(), "it was there before");
    sandbox.write("a b.txt", &format!("harmless\n{VALUE}\nonce more {VALUE}\n"));
    sandbox.git(&["add", "--all"]);
    assert_eq!(staged(&sandbox).len(), 1, "once more than before");
    sandbox.write("a b.txt", "only the index counts\n");
    assert_eq!(staged(&sandbox).len(), 1);
}

#[test]
fn a_renamed_file_a_link_and_a_file_whose_name_has_everything_are_searched() {
    let sandbox = repository();
    sandbox.commit("empty");
    let name = "odd \"name\"\n\té\u{1f361}.txt";
    sandbox.write(name, VALUE);
    std::os::unix::fs::symlink(format!("/somewhere/{VALUE}"), sandbox.path().join("link")).unwrap();
    sandbox.git(&["add", "--all"]);
    assert_eq!(places(&staged(&sandbox)), [("link", 1, None), (name, 1, None)]);
}

#[test]
fn what_was_committed_and_deleted_is_found_with_its_first_commit() {
    let sandbox = repository();
    sandbox.commit("empty");
    sandbox.write("etl/load.py", &format!("# one\nkey = '{VALUE}'\n"));
    let first = sandbox.commit("brings it");
    sandbox.write("etl/load.py", &format!("# two\n\nkey = '{VALUE}'\n"));
    sandbox.commit("moves it");
    fs::remove_file(sandbox.path().join("etl/load.py")).unwrap();
    for number in 0..3 {
        sandbox.write("other", &number.to_string());
        sandbox.commit("later");
    }
    assert_eq!(places(&history(&sandbox).findings), [("etl/load.py", 2, Some(first.as_str()))]);
    let only = [sandbox.path().join("other")];
    let elsewhere = search_history(&scanner(), &sandbox.repository(), Within { places: &only }).unwrap();
    assert!(elsewhere.findings.is_empty());
    let below = [sandbox.path().join("etl")];
    assert_eq!(
        search_history(&scanner(), &sandbox.repository(), Within { places: &below })
            .unwrap()
            .findings
            .len(),
        1
    );
}

#[test]
fn branches_stashes_tags_messages_and_what_no_commit_reaches_are_searched() {
    let sandbox = repository();
    sandbox.commit("empty");
    sandbox.git(&["checkout", "--quiet", "-b", "side"]);
    sandbox.write("side.txt", VALUE);
    let side = sandbox.commit("side");
    sandbox.git(&["checkout", "--quiet", "main"]);
    let message = sandbox.commit(&format!("use\n\nthe key {TOKEN}"));
    sandbox.git(&["tag", "-a", "v1", "-m", &format!("with {VALUE}")]);
    sandbox.write("tracked", "1");
    sandbox.commit("tracked");
    sandbox.write("tracked", &format!("stashed {VALUE}"));
    sandbox.git(&["stash", "--quiet"]);
    sandbox.write("dangling", &format!("never committed {VALUE}"));
    sandbox.git(&["hash-object", "-w", "dangling"]);
    let findings = history(&sandbox).findings;
    let found = places(&findings);
    assert!(found.contains(&("side.txt", 1, Some(side.as_str()))), "{found:?}");
    assert!(found.contains(&("message of the commit", 3, Some(message.as_str()))), "{found:?}");
    assert!(found.contains(&("message of a tag", 1, None)), "{found:?}");
    assert!(
        found.iter().any(|(file, _, commit)| *file == "tracked" && commit.is_some()),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|(file, _, commit)| file.contains("no commit reaches") && commit.is_none()),
        "{found:?}"
    );
    assert_eq!(found.len(), 5, "{found:?}");
}

#[test]
fn merges_and_thousands_of_objects_in_a_pack_are_searched() {
    let sandbox = repository();
    for number in 0..700 {
        sandbox.write(&format!("many/{number}.txt"), &format!("number {number}\n"));
    }
    sandbox.write("many/last.txt", VALUE);
    let first = sandbox.commit("many");
    sandbox.git(&["checkout", "--quiet", "-b", "side"]);
    sandbox.write("side", "1");
    sandbox.commit("side");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.write("main", "1");
    sandbox.commit("main");
    sandbox.git(&["merge", "--quiet", "--no-commit", "side"]);
    sandbox.write("evil", VALUE);
    let merge = sandbox.commit("merge");
    sandbox.git(&["gc", "--quiet"]);
    assert_eq!(
        places(&history(&sandbox).findings),
        [("evil", 1, Some(merge.as_str())), ("many/last.txt", 1, Some(first.as_str()))]
    );
}

#[test]
fn nothing_that_a_repositorys_configuration_names_is_started() {
    let sandbox = repository();
    let witness = sandbox.path().join("../started");
    let command = format!("touch {}; cat", witness.display());
    for (key, value) in [
        ("core.fsmonitor", command.as_str()),
        ("core.pager", &command),
        ("diff.external", &command),
        ("diff.x.textconv", &command),
        ("filter.x.clean", &command),
        ("filter.x.smudge", &command),
        ("core.sshCommand", &command),
        ("core.hooksPath", "hooks"),
        ("remote.origin.url", "ssh://example.org/x"),
        ("remote.origin.promisor", "true"),
        ("extensions.partialClone", "origin"),
    ] {
        sandbox.git(&["config", key, value]);
    }
    sandbox.write("a.txt", VALUE);
    sandbox.git(&["-c", "core.fsmonitor=false", "add", "a.txt"]);
    sandbox.write(".gitattributes", "* filter=x diff=x\n");
    let _ = fs::remove_file(&witness);
    let mut environment = sandbox.environment();
    for name in ["GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_SSH_COMMAND", "GIT_ASKPASS"] {
        environment.insert(name.into(), command.clone().into());
    }
    environment.insert("GIT_TRACE".into(), witness.clone().into());
    let repository = Repository::find(&sandbox.path(), &environment).unwrap();
    assert_eq!(search_staged(&scanner(), &repository, ALL).unwrap().findings.len(), 1);
    assert_eq!(search_history(&scanner(), &repository, ALL).unwrap().findings.len(), 1);
    repository.ignored().unwrap();
    repository.tracked(&[sandbox.path()]).unwrap();
    assert!(!witness.exists());
}

#[test]
fn a_replaced_object_does_not_hide_what_is_behind_it() {
    let sandbox = repository();
    sandbox.write("a.txt", VALUE);
    let commit = sandbox.commit("one");
    let blob = sandbox.git(&["rev-parse", "HEAD:a.txt"]);
    sandbox.write("b.txt", "harmless");
    let other = sandbox.git(&["hash-object", "-w", "b.txt"]);
    sandbox.git(&["replace", &blob, &other]);
    assert_eq!(places(&history(&sandbox).findings), [("a.txt", 1, Some(commit.as_str()))]);
}

#[test]
fn no_repository_no_git_and_a_damaged_repository_are_told_apart() {
    let sandbox = Sandbox::new();
    let code = |found: Result<Repository, GitError>| found.err().map(|error| error.code());
    assert_eq!(
        code(Repository::find(&sandbox.path(), &sandbox.environment())),
        Some("not-a-repository")
    );
    let mut without = sandbox.environment();
    without.insert("PATH".into(), "/nowhere".into());
    assert_eq!(code(Repository::find(&sandbox.path(), &without)), Some("git-missing"));

    sandbox.git(&["init", "--quiet"]);
    sandbox.write("a.txt", VALUE);
    sandbox.commit("one");
    let blob = sandbox.git(&["rev-parse", "HEAD:a.txt"]);
    let object = sandbox.path().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    fs::remove_file(&object).unwrap();
    fs::write(&object, "no object").unwrap();
    let damaged = search_history(&scanner(), &sandbox.repository(), ALL);
    assert!(damaged.is_err_and(|error| error.code().starts_with("git-")));
}

#[test]
fn a_bare_repository_and_one_with_sha_256_have_a_history() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "--quiet", "--object-format=sha256"]);
    sandbox.write("a.txt", VALUE);
    let commit = sandbox.commit("one");
    assert_eq!(places(&history(&sandbox).findings), [("a.txt", 1, Some(commit.as_str()))]);
    sandbox.git(&["clone", "--quiet", "--bare", ".", "../bare"]);
    let bare = Repository::find(&sandbox.path().join("../bare"), &sandbox.environment()).unwrap();
    assert_eq!(bare.top(), None);
    assert_eq!(search_history(&scanner(), &bare, ALL).unwrap().findings.len(), 1);
}

#[test]
fn a_clone_without_all_of_its_history_says_so_and_nothing_is_fetched() {
    let origin = repository();
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    for text in ["one", VALUE, "three"] {
        origin.write("a.txt", text);
        origin.commit(text.split('-').next().unwrap());
    }
    assert_eq!(history(&origin).partly, []);
    let from = format!("file://{}", origin.path().display());
    for (kind, word) in [("--depth=1", "shallow"), ("--filter=blob:none", "partial")] {
        let clone = Sandbox::new();
        clone.git(&["clone", "--quiet", kind, &from, "."]);
        // What a hostile repository would have git start to fetch the rest.
        let started = clone.path().join("started");
        clone.git(&["config", "remote.origin.url", &format!("ext::touch {}", started.display())]);
        clone.git(&["config", "protocol.ext.allow", "always"]);
        let survey = history(&clone);
        assert!(survey.partly.iter().any(|(_, why)| why.contains(word)), "{:?}", survey.partly);
        assert!(!started.exists(), "{kind}");
    }
}
