//! `--fix`: what it does to files, what it leaves alone, what it records, and what it says where it cannot.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::seeds::{append, chmod};
use super::{examine, full};
use crate::answers::Answer;
use crate::scan::git;

#[test]
fn a_repair_changes_nothing_but_what_is_wrong() {
    let project = full();
    let text = project.read(".dlt/secrets.toml");
    project.write(".dlt/secrets.toml", format!("\u{feff}{}", text.replace('\n', "\r\n")));
    chmod(&project, ".dlt/secrets.toml", 0o640);
    append(&project, ".dlt/.secrets.toml.dango-999999999-00112233aabbccdd.tmp", "x");
    append(&project, ".env.bak", "A=kanarienvogel\n");
    git(&project, &["add", "--force", ".env"]);
    let told = project.run(&["doctor", "--fix"]).ending_with(3);
    assert!(
        told.stdout.contains("[copy]") && told.stdout.contains("[tracked]"),
        "{}",
        told.stdout
    );
    assert_eq!(
        project.read(".dlt/secrets.toml"),
        text.replace('\n', "\r\n"),
        "every other byte stays"
    );
    assert!(
        !project
            .path()
            .join(".dlt/.secrets.toml.dango-999999999-00112233aabbccdd.tmp")
            .exists()
    );
    // What would destroy something, or change what others see, is a person's to do.
    assert_eq!(project.read(".env.bak"), "A=kanarienvogel\n");
    assert_eq!(git(&project, &["ls-files", ".env"]), ".env");
    let mode = fs::metadata(project.path().join(".dlt/secrets.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_a_link_leads_to_outside_of_the_project_is_not_put_right() {
    let project = full();
    let outside = project.everything().join("shared");
    fs::create_dir(&outside).unwrap();
    for (file, name) in [(".dlt/secrets.toml", "secrets.toml"), (".env", "env")] {
        fs::rename(project.path().join(file), outside.join(name)).unwrap();
        std::os::unix::fs::symlink(outside.join(name), project.path().join(file)).unwrap();
    }
    let marked = format!("\u{feff}{}", fs::read_to_string(outside.join("secrets.toml")).unwrap());
    fs::write(outside.join("secrets.toml"), &marked).unwrap();
    append(&project, "..env.dango-999999999-00112233aabbccdd.tmp", "x");
    fs::set_permissions(outside.join("env"), fs::Permissions::from_mode(0o640)).unwrap();
    let told = project.run(&["doctor", "--fix"]).ending_with(3);
    for code in ["[byte-order-mark]", "[leftover]", "[file-open]"] {
        assert!(told.stdout.contains(code), "{code} is not told: {}", told.stdout);
    }
    assert!(!told.stderr.contains("is gone"), "{}", told.stderr);
    assert_eq!(fs::read_to_string(outside.join("secrets.toml")).unwrap(), marked);
    assert_eq!(fs::metadata(outside.join("env")).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 2, "not even a lock");
}

#[test]
fn the_name_of_a_file_writes_no_line_of_its_own() {
    let project = full();
    project.write(".gitignore", "");
    project.write(".env.x\n!.env", "A=1\n");
    let fixed = project.run(&["doctor", "--fix"]);
    assert!(!fixed.stderr.lines().any(|line| line.starts_with("!.env")), "{}", fixed.stderr);
    assert!(!project.read(".gitignore").lines().any(|line| line == "!.env"));
    assert_eq!(git(&project, &["status", "--porcelain", "--untracked-files=all", "--", ".env"]), "");
}

#[test]
fn every_repair_is_in_the_log() {
    let project = full();
    let before = project.run(&["audit", "verify", "--json"]).success().json()["events"]
        .as_u64()
        .unwrap();
    chmod(&project, ".dango/identity.key", 0o644);
    chmod(&project, ".env", 0o644);
    let _ = project.run(&["doctor", "--fix"]).success();
    let log = project
        .run(&["audit", "list", "--json", "--type", "permissions_tightened"])
        .success()
        .json();
    let events = log["events"].as_array().unwrap();
    assert_eq!(events.len(), 2);
    for event in events {
        assert_eq!(
            (event["outcome"].as_str(), event["details"]["action"].as_str()),
            (Some("success"), Some("closed"))
        );
    }
    let after = project.run(&["audit", "verify", "--json"]).success().json()["events"]
        .as_u64()
        .unwrap();
    assert_eq!(after - before, 4, "an intent and an outcome for each");
}

#[test]
fn where_nothing_is_wrong_a_repair_makes_nothing() {
    let project = dango_tests::Scratch::initialised();
    let before = crate::doctor::house::listing(&project);
    let _ = project.run(&["doctor", "--fix"]).success();
    assert_eq!(crate::doctor::house::listing(&project), before);
}

#[test]
fn looking_alone_changes_no_file() {
    let project = full();
    chmod(&project, ".env", 0o644);
    let before = crate::doctor::house::listing(&project);
    assert_eq!(examine(&project, &[]).len(), 1);
    assert_eq!(crate::doctor::house::listing(&project), before);
}
