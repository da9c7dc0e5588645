//! Changes of files in the log: what each command records, what a refused one does, and what happens where nothing can be recorded.

use dango_tests::Scratch;
use serde_json::Value;

use crate::answers::Answer;
use crate::auth::newest;
use crate::terminal::{end, shown_until, start};

const SECRETS: &str = ".dlt/secrets.toml";

/// The latest record, which is the outcome of the last command.
fn last(project: &Scratch) -> Value {
    let listed = project.run(&["audit", "list", "--limit", "1", "--json"]).success().json();
    listed["events"][0].clone()
}

#[test]
fn every_command_that_changes_a_file_is_recorded_with_its_target_and_never_its_value() {
    let project = Scratch::initialised();
    project.write("in.json", "{\"sources\": {\"i\": {\"k\": \"canary-imported\"}}}");
    let steps: &[(&[&str], &str, &str)] = &[
        (&["secrets", "set", "sources.a.k"], "secret_set", "sources.a.k"),
        (&["env", "set", "TOKEN"], "secret_set", "TOKEN"),
        (&["secrets", "import", "in.json"], "secret_set", "sources.i.k"),
        (&["key", "create", "--holder", "file"], "key_created", ""),
        (&["secrets", "encrypt", "--all"], "secrets_encrypted", "secrets.toml"),
        (&["env", "encrypt", "--all"], "secrets_encrypted", ".env"),
        (&["secrets", "set", "sources.a.k", "--raw"], "secret_set", "sources.a.k"),
        (&["secrets", "rollback", "sources.a.k@1"], "secret_rolled_back", "sources.a.k"),
        (&["key", "export", "backup"], "key_exported", ""),
        (&["key", "rotate"], "key_rotated", ""),
        (&["secrets", "decrypt", "--all"], "secrets_decrypted", "secrets.toml"),
        (&["secrets", "unset", "sources.a.k"], "secret_deleted", "sources.a.k"),
        (&["env", "unset", "TOKEN"], "secret_deleted", "TOKEN"),
    ];
    for (number, (command, event, target)) in steps.iter().enumerate() {
        let _ = project.dango(command).stdin(format!("canary value {number}")).run().success();
        let record = last(&project);
        assert_eq!(
            (&record["event"], &record["outcome"]),
            (&(*event).into(), &"success".into()),
            "{command:?}"
        );
        assert_eq!(record["target"]["id"].as_str().unwrap_or_default(), *target, "{command:?}");
        assert!(record["details"]["intent"].is_u64(), "the intent came first: {command:?}");
        assert!(!record.to_string().contains("canary"), "{command:?}");
    }
    let report = project.run(&["audit", "verify", "--json"]).success().json();
    assert_eq!(report["ok"], true);
}

#[test]
fn a_change_that_fails_is_recorded_as_failed_and_history_leaves_it_out() {
    let project = Scratch::initialised();
    crate::answers::set(&project, "sources.a.k", "v");
    let _ = project
        .dango(&["secrets", "set", "sources.a.k.deeper"])
        .stdin("w")
        .run()
        .fails(1, &[]);
    let record = last(&project);
    assert_eq!((&record["event"], &record["outcome"]), (&"secret_set".into(), &"failure".into()));
    let history = project.run(&["secrets", "history", "sources.a.k", "--json"]).success().json();
    let actions: Vec<&Value> = history.as_array().expect("a list").iter().map(|row| &row["action"]).collect();
    assert_eq!(actions, [&Value::from("created")]);
}

#[test]
fn what_cannot_be_recorded_is_not_done_and_reading_goes_on() {
    let project = Scratch::initialised();
    crate::answers::set(&project, "sources.a.k", "v");
    let before = project.read(SECRETS);
    project.write(".dango/dango.db", "no database");
    let _ = project
        .dango(&["secrets", "set", "sources.a.k"])
        .stdin("w")
        .run()
        .fails(1, &["dango.db"]);
    assert_eq!(project.read(SECRETS), before);
    assert_eq!(crate::answers::revealed(&project, "sources.a.k"), "v");
}

#[test]
fn an_encrypted_value_is_explained_as_one_and_a_new_source_can_be_encrypted_at_once() {
    let project = Scratch::initialised();
    let _ = project.run(&["key", "create", "--holder", "file"]).success();
    let add = ["source", "add", "stripe", "--encrypt", "--field", "stripe_secret_key"];
    let _ = project.dango(&add).stdin("canary-of-stripe").run().success();
    assert!(!project.read(SECRETS).contains("canary"), "{}", project.read(SECRETS));
    let path = "sources.stripe_analytics.stripe_secret_key";
    assert_eq!(crate::answers::revealed(&project, path), "canary-of-stripe");
    let explained = project.run(&["secrets", "explain", path, "--json"]).success().json();
    let places = explained["places"].as_array().expect("a list");
    assert!(
        places.iter().any(|place| place["wins"] == true && place["encrypted"] == true),
        "{explained}"
    );
}

#[test]
fn what_is_done_in_an_editor_is_recorded_once_the_editor_is_closed() {
    let mut project = Scratch::initialised();
    let editor = project.home().join("editor");
    project.give("EDITOR", format!("sh {}", editor.display()));
    // No type that is known, so there is nothing to be asked before.
    project.write(".dango/sources.yml", "sources:\n  - name: odd\n    type: of_nobody\n");
    let _ = project.dango(&["secrets", "set", "a.b"]).stdin("v").run().success();
    let records = || newest(&project, 100);
    let edit = |script: &str| {
        std::fs::write(&editor, script).unwrap();
        end(&mut start(&project, "source edit odd"))
    };
    let before = records();

    // Whoever closes the terminal takes the program along, and the file is what it was.
    let (status, shown) = edit("kill -9 $PPID");
    assert_eq!(status, 137, "{shown}");
    assert_eq!(records(), before, "nothing was begun");
    let verified = project.run(&["audit", "verify"]).success();
    assert!(!verified.stderr.contains("begun"), "{}", verified.stderr);

    let (status, shown) = edit("true");
    assert_eq!((status, records()), (0, before.clone()), "nothing was changed: {shown}");
    let (status, shown) = edit("echo '# by hand' >> \"$1\"");
    assert_eq!(status, 0, "{shown}");
    assert_eq!(
        (records()[0].as_str(), records().len()),
        ("source_edited success", before.len() + 1)
    );
    std::fs::write(&editor, "echo '# and left' >> \"$1\"; exit 3").unwrap();
    let mut session = start(&project, "source edit odd");
    let _ = shown_until(&mut session, "the editor ended with an error");
    assert_eq!(end(&mut session).0, 1);
    assert_eq!(records()[0], "source_edited failure");

    let text = project.read(".dango/sources.yml");
    project.write(".dango/dango.db", "no database");
    let (status, shown) = edit("echo '# unseen' >> \"$1\"");
    assert_eq!((status, project.read(".dango/sources.yml")), (1, text), "{shown}");
}
