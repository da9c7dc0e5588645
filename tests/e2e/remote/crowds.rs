//! Many at once and many at a time: two clients that set fifty variables each, a thousand variables, a project with a dango of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use dango_tests::Sshd;
use serde_json::{Map, Value};

use super::{listed, set};
use crate::answers::Answer;

#[test]
fn two_clients_with_fifty_variables_each_keep_all_hundred() {
    let server = Sshd::new();
    server.write(".env", "# ours\n");
    thread::scope(|scope| {
        for client in ["A", "B"] {
            let server = &server;
            scope.spawn(move || {
                let project = server.client();
                for number in 0..50 {
                    let _ = set(&project, &format!("{client}_{number}"), &format!("value {number}")).success();
                }
            });
        }
    });
    let text = server.read(".env");
    assert!(text.starts_with("# ours\n"));
    for client in ["A", "B"] {
        for number in 0..50 {
            assert!(
                text.contains(&format!("{client}_{number}='value {number}'\n")),
                "{client}_{number} is lost"
            );
        }
    }
    assert_eq!(text.lines().count(), 101);
    assert_eq!(server.names(), [".env", ".env.lock"], "nothing else is left");
}

/// A server on which the file is changed by somebody else between the first session's look at it and its writing: the script asks
/// `id` in between, and there `id` is a program that knows no lock.
fn with_an_intruder(every_time: bool) -> Sshd {
    let server = Sshd::new();
    let programs = server.folder().join("programs");
    fs::create_dir(&programs).unwrap();
    let (file, once) = (server.project().join(".env"), server.folder().join("once"));
    let condition = if every_time { "true" } else { "mkdir \"$ONCE\" 2>/dev/null" };
    let script = format!(
        "#!/bin/sh\nONCE='{}'\nif {condition}; then echo INTRUDER=1 >> '{}'; fi\nexec /usr/bin/id \"$@\"\n",
        once.display(),
        file.display()
    );
    let path = programs.join("id");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    server.restarted(&[&format!("SetEnv PATH={}:/usr/bin:/bin", programs.display())])
}

#[test]
fn a_change_between_reading_and_writing_is_kept() {
    let server = with_an_intruder(false);
    let client = server.client();
    server.write(".env", "A=1\n");
    let _ = set(&client, "A", "2").success();
    assert_eq!(server.read(".env"), "A=2\nINTRUDER=1\n");
    let _ = set(&client, "B", "3").success();
    assert_eq!(server.read(".env"), "A=2\nINTRUDER=1\nB=3\n");
}

#[test]
fn a_plan_is_not_carried_out_on_another_file_than_it_was_made_for() {
    let server = with_an_intruder(true);
    let client = server.client();
    crate::answers::set(&client, "sources.a.k", "v");
    server.write(".env", "A=1\n");
    let _ = client
        .run(&["remote", "push-secrets", "--yes"])
        .fails(1, &["changed since the plan was made", "nothing was sent", "again"]);
    assert_eq!(server.read(".env"), "A=1\nINTRUDER=1\n");
}

#[test]
fn a_thousand_variables_are_sent_listed_and_changed() {
    let server = Sshd::new();
    let client = server.client();
    let values: Map<String, Value> = (0..1000)
        .map(|number| (format!("key_{number}"), format!("value {number}").into()))
        .collect();
    let file = serde_json::json!({ "sources": { "many": values } });
    client.write("in.json", file.to_string());
    let _ = client.run(&["secrets", "import", "in.json"]).success();
    let _ = client
        .run(&["remote", "push-secrets", "--yes"])
        .success()
        .says(&["1000 sent to prod"]);
    assert_eq!(listed(&client).len(), 1000);
    let _ = set(&client, "SOURCES__MANY__KEY_500", "other").success();
    let text = server.read(".env");
    assert_eq!(text.lines().count(), 1000);
    assert!(text.contains("SOURCES__MANY__KEY_500=other\n"));
}
