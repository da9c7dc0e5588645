//! Whatever the server cannot check it refuses: a database that is gone, damaged, locked or full, a key that is gone, a wrong directory.

use std::fs;

use dango_tests::{Scratch, Server, dango_server};
use serde_json::json;

use super::{EMAIL, PASSWORD, with_administrator};

/// Nobody gets in, by a session from before or by a password; the reason is in the log, not in the answer.
fn nobody_gets_in(server: &Server, session: &mut dango_tests::Client) {
    let me = session.get("/api/auth/me");
    assert_eq!(
        (me.status, me.header("content-type")),
        (503, "application/problem+json"),
        "{}",
        me.text
    );
    let secrets = session.get("/api/secrets");
    assert_eq!(secrets.status, 503, "{}", secrets.text);
    let login = server
        .client()
        .post("/api/auth/login", &json!({"email": EMAIL, "password": PASSWORD}));
    assert_eq!(login.status, 503, "{}", login.text);
    let written = session.post("/api/secrets", &json!({"key": "KEY", "value": "x"}));
    assert_eq!(written.status, 503, "{}", written.text);
    let ready = server.client().get("/api/ready");
    assert_eq!(ready.status, 503, "{}", ready.text);
    assert_eq!(server.client().get("/api/health").status, 200);
    for answer in [&me, &secrets, &login, &written, &ready] {
        assert!(
            !answer.text.contains("sqlite") && !answer.text.contains(".dango"),
            "{}",
            answer.text
        );
        assert!(!answer.header("retry-after").is_empty());
    }
}

#[test]
fn a_database_that_is_gone_lets_nobody_in() {
    let (project, server) = with_administrator();
    let mut session = server.signed_in(EMAIL, PASSWORD);
    assert_eq!(session.get("/api/auth/me").status, 200);
    for file in ["dango.db", "dango.db-wal", "dango.db-shm"] {
        fs::rename(project.path().join(".dango").join(file), project.path().join(file)).expect("it is there");
    }
    nobody_gets_in(&server, &mut session);
    assert!(!project.path().join(".dango/dango.db").exists());
    // Nor is another one taken in its place at the next start.
    drop(server);
    let refused = project.command(dango_server(), &["--listen", "127.0.0.1:0"]).run();
    assert_eq!(refused.status, 1, "{}", refused.stderr);
    assert!(!project.path().join(".dango/dango.db").exists());
}

#[test]
fn a_database_that_was_damaged_is_not_replaced() {
    let (project, server) = with_administrator();
    // Ended well, so that all of it is in the one file.
    assert_eq!(server.stop().0, 0);
    let database = project.path().join(".dango/dango.db");
    let whole = fs::read(&database).expect("it is there");
    fs::write(&database, [b"no database".as_slice(), &whole[11..]].concat()).expect("writable");
    let refused = project.command(dango_server(), &["--listen", "127.0.0.1:0"]).run();
    assert_eq!(refused.status, 1, "{}", refused.stderr);
    assert_eq!(fs::read(&database).expect("it is there")[..11], *b"no database");
}

#[test]
fn a_key_that_is_gone_or_that_others_may_read_starts_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let (project, server) = with_administrator();
    drop(server);
    let key = project.path().join(".dango/identity.key");
    let start = || project.command(dango_server(), &["--listen", "127.0.0.1:0"]).run();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("ours");
    let refused = start();
    assert_eq!(refused.status, 1, "{}", refused.stderr);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("ours");
    let kept = fs::read(&key).expect("it is there");
    fs::remove_file(&key).expect("ours");
    let refused = start();
    assert_eq!(refused.status, 1, "{}", refused.stderr);
    assert!(!key.exists(), "no other key is made beside a database");
    fs::write(&key, kept).expect("writable");
}

#[test]
fn settings_that_are_wrong_start_nothing_and_make_nothing() {
    for (file, variables, options, said) in [
        ("listn = '127.0.0.1:1'\n", [].as_slice(), [].as_slice(), "server.toml:1"),
        ("listen = 7\n", &[], &[], "server.toml:1"),
        ("listen = \n", &[], &[], "server.toml:1"),
        ("", &[("DANGO_SERVER_LISTN", "x")], &[], "DANGO_SERVER_LISTN"),
        ("", &[("DANGO_SERVER_LISTEN", "nowhere")], &[], "DANGO_SERVER_LISTEN"),
        ("", &[], &["--public-url", "ftp://x"], "--public-url"),
        ("", &[], &["--database-url", "mysql://x"], "--database-url"),
    ] {
        let mut project = Scratch::initialised();
        if !file.is_empty() {
            project.write(".dango/server.toml", file);
        }
        for (name, value) in variables {
            project.give(name, *value);
        }
        let refused = project.command(dango_server(), options).run();
        assert_eq!(refused.status, 1, "{said}: {}", refused.stderr);
        assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
        assert!(!project.path().join(".dango/dango.db").exists() && !project.path().join(".dango/identity.key").exists());
    }
}
