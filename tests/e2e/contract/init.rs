//! `dango init`: what it makes, what it leaves alone, and how private it is.

use dango_tests::Scratch;

use crate::answers::{Answer, mode, names};

#[test]
fn a_fresh_project_has_its_files_private_and_ignored() {
    let project = Scratch::new();
    let answer = project.run(&["init"]).success();
    assert_eq!(answer.stdout, "");
    for (name, expected) in [(".dango", 0o700), (".dlt", 0o700), (".dlt/secrets.toml", 0o600), (".env", 0o600)] {
        assert_eq!(mode(project.path().join(name)), expected, "{name}");
    }
    let ignored = project.read(".gitignore");
    let _ = project.command("git", &["init", "-q"]).run().success();
    for secret in [".dlt/secrets.toml", ".env", ".dango/identity.key", ".dango/key", ".dango/dango.db"] {
        let _ = project.command("git", &["check-ignore", "-q", secret]).run().success();
    }
    let _ = project
        .command("git", &["check-ignore", "-q", ".dango/sources.yml"])
        .run()
        .ending_with(1);
    let _ = project
        .command("git", &["check-ignore", "-q", ".dlt/config.toml"])
        .run()
        .ending_with(1);
    assert!(ignored.ends_with('\n'));
}

#[test]
fn an_existing_project_is_completed_and_nothing_that_is_there_changes() {
    let project = Scratch::new();
    project.write(".dlt/secrets.toml", "# mine\r\nk = 'v'");
    project.write(".dlt/config.toml", "[load]\n");
    project.write(".env", "A=1");
    project.write(".gitignore", "*.pyc\n.env");
    let _ = project.run(&["init"]).success();
    assert_eq!(project.read(".dlt/secrets.toml"), "# mine\r\nk = 'v'");
    assert_eq!(project.read(".dlt/config.toml"), "[load]\n");
    assert_eq!(project.read(".env"), "A=1");
    let ignored = project.read(".gitignore");
    assert!(ignored.starts_with("*.pyc\n.env\n"), "{ignored}");
    assert_eq!(ignored.lines().filter(|line| *line == ".env").count(), 1, "{ignored}");
    assert!(project.path().join(".dango").is_dir());
}

#[test]
fn init_makes_the_project_that_the_global_option_or_the_variable_names() {
    let here = Scratch::new();
    let _ = here.run(&["--project", "named", "init"]).success();
    assert!(here.path().join("named/.dlt/secrets.toml").is_file());
    let _ = here.dango(&["init"]).env("DANGO_PROJECT_ROOT", "by-variable").run().success();
    assert!(here.path().join("by-variable/.dlt/secrets.toml").is_file());
    let _ = here.run(&["--project", "other", "init", "given"]).success();
    assert!(here.path().join("given/.dlt/secrets.toml").is_file());
    assert!(!here.path().join("other").exists());
    assert!(!here.path().join(".dlt").exists(), "the working directory was not meant");
}

#[test]
fn a_second_init_changes_nothing_and_says_so() {
    let project = Scratch::initialised();
    let before: Vec<(String, Vec<u8>)> = files(&project);
    let _ = project.run(&["init"]).success().says(&["nothing was changed"]);
    assert_eq!(files(&project), before);
    assert_eq!(project.run(&["init", "--quiet"]).success().stderr, "");
    let made = project.run(&["init", "--json"]).success().json();
    assert_eq!(made["created"], serde_json::json!([]));
}

fn files(project: &Scratch) -> Vec<(String, Vec<u8>)> {
    let names = names(&project.path());
    names
        .into_iter()
        .filter(|name| !name.ends_with('/'))
        .map(|name| (name.clone(), project.read_bytes(&name)))
        .collect()
}

#[test]
fn a_directory_may_be_named_and_what_is_in_the_way_is_said() {
    let scratch = Scratch::new();
    let _ = scratch.run(&["init", "."]).success();
    scratch.write("file", "");
    let _ = scratch.run(&["init", "file"]).fails(1, &["file"]);
    let other = Scratch::new();
    other.write(".dlt", "a file");
    let _ = other.run(&["init"]).fails(1, &[".dlt"]);
    assert_eq!(other.read(".dlt"), "a file");
}

#[test]
fn dlt_works_in_a_fresh_project() {
    let project = Scratch::initialised();
    crate::answers::set(&project, "sources.e2e.token", "t");
    let answer = crate::dlt::from_file(&project, &serde_json::json!({ "task": "source" }));
    assert_eq!(answer["token"], "t");
}
