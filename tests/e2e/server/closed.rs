//! Whatever the server cannot check it refuses: a database that is gone, damaged, or locked, a key that is gone, wrong settings. Full disks are in `disks`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use dango_tests::{Scratch, Server, dango_server, python};
use serde_json::json;

use super::{EMAIL, PASSWORD, with_administrator};

/// Far beyond what an answer that may be a second old needs to change.
const PATIENCE: Duration = Duration::from_secs(60);

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
    let log = server.log();
    assert!(
        log.contains("not ready: the database cannot be used") && log.contains("its file was deleted"),
        "{log}"
    );
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

/// Waits until the server says of itself that it is ready, or that it is not.
#[track_caller]
pub(super) fn wait_until_ready(server: &Server, status: u16) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = server.client().get("/api/ready");
        if answer.status == status {
            return;
        }
        assert!(Instant::now() < deadline, "{} for {status}: {}", answer.text, server.log());
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_database_that_another_program_has_locked_is_written_again_as_soon_as_it_lets_go() {
    let (project, server) = with_administrator();
    let mut session = server.signed_in(EMAIL, PASSWORD);
    assert_eq!(session.post("/api/secrets", &json!({"key": "KEY", "value": "before"})).status, 201);
    let script = "import sqlite3, sys\n\
                  held = sqlite3.connect('.dango/dango.db', isolation_level=None)\n\
                  held.execute('BEGIN IMMEDIATE')\n\
                  print('locked', flush=True)\n\
                  sys.stdin.read()\n";
    let mut holder = Command::new(python());
    let holder = holder
        .args(["-c", script])
        .current_dir(project.path())
        .env_clear()
        .envs(project.environment());
    let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python starts");
    let mut said = String::new();
    let out = holder.stdout.take().expect("it was asked for");
    BufReader::new(out).read_line(&mut said).expect("it says something");
    assert_eq!(said.trim(), "locked");

    let login = json!({"email": EMAIL, "password": PASSWORD});
    thread::scope(|scope| {
        // Whatever has to be written waits for a while, and is refused then; no wrong word about the password, no session.
        let refused = scope.spawn(|| server.client().post("/api/auth/login", &login));
        let mut client = session.clone();
        let written = scope.spawn(move || client.post("/api/secrets", &json!({"key": "KEY", "value": "after"})));
        for (answer, what) in [(refused, "login"), (written, "change")] {
            let answer = answer.join().expect("no panic");
            assert_eq!(
                (answer.status, answer.header("content-type")),
                (503, "application/problem+json"),
                "{what}: {}",
                answer.text
            );
            assert!(
                answer.header("set-cookie").is_empty() && !answer.header("retry-after").is_empty(),
                "{what}"
            );
        }
    });
    wait_until_ready(&server, 503);
    // What can be read is read by whoever may, and by nobody else.
    assert_eq!(session.get("/api/auth/me").status, 200);
    assert_eq!(server.client().get("/api/auth/me").status, 401);
    let log = server.log();
    assert!(
        log.contains("not ready: the database cannot be used") && log.contains("locked"),
        "{log}"
    );
    assert!(project.read(".env").contains("before"));

    drop(holder.stdin.take());
    assert!(holder.wait().is_ok_and(|status| status.success()));
    wait_until_ready(&server, 200);
    assert_eq!(session.post("/api/secrets", &json!({"key": "KEY", "value": "after"})).status, 200);
    assert_eq!(server.signed_in(EMAIL, PASSWORD).get("/api/auth/me").status, 200);
    assert_eq!(project.run(&["audit", "verify"]).status, 0);
}

#[test]
fn a_server_whose_key_is_taken_away_or_exchanged_says_so_until_it_is_back() {
    let (project, server) = with_administrator();
    wait_until_ready(&server, 200);
    let key = project.path().join(".dango/identity.key");
    let kept = fs::read(&key).expect("it is there");
    let other = Scratch::initialised();
    drop(Server::start(&other));
    let exchanged = fs::read(other.path().join(".dango/identity.key")).expect("it was made");
    for found in [None, Some(&exchanged)] {
        fs::remove_file(&key).expect("ours");
        if let Some(found) = found {
            fs::write(&key, found).expect("writable");
            fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("ours");
        }
        wait_until_ready(&server, 503);
        assert_eq!(server.client().get("/api/secrets").status, 401);
        assert!(server.log().contains("identity_key_unavailable"), "{}", server.log());
        fs::write(&key, &kept).expect("writable");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("ours");
        wait_until_ready(&server, 200);
    }
    assert_eq!(server.signed_in(EMAIL, PASSWORD).get("/api/auth/me").status, 200);
}
