//! People who log in where the command line works too, by the use cases that a server calls: locked and let in again, and sessions
//! whose rows somebody writes by hand.

use std::sync::Arc;

use dango_actions::{Actions, AuthenticateError, Caller, LogInStep, Setup, SignedIn};
use dango_core::{OsEntropy, SecretValue, SystemClock};
use dango_identity::{Client, IdentityKey, Password, PlainToken};
use dango_store_sqlite::{Open, SqliteStore};
use dango_tests::Scratch;
use pollster::block_on;
use serde_json::Value;

use super::{add, newest, users};
use crate::answers::Answer;
use crate::audit::sql;

const RIGHT: &str = "correct horse battery staple";

/// The use cases over a project's own database and key.
fn door(project: &Scratch) -> Actions {
    let text = SecretValue::new(project.read(".dango/identity.key").trim_end().to_owned()).expect("hex");
    let key = IdentityKey::parse(&text).expect("a key");
    let store = SqliteStore::open(&project.path().join(".dango/dango.db"), Open::Existing).expect("opened");
    Actions::new(Arc::new(store), &key, Setup::default(), Arc::new(SystemClock), Arc::new(OsEntropy)).expect("random")
}

/// Adds somebody who has chosen [`RIGHT`].
fn admit(project: &Scratch, email: &str, role: &str) {
    let link = add(project, email, role).stdout;
    let token = link.trim_end().rsplit_once('/').expect("a link").1;
    let token = PlainToken::parse(token).expect("a token");
    let accepted = block_on(door(project).accept_invite(&visitor(), &token, password(RIGHT)));
    assert!(accepted.is_ok(), "{:?}", accepted.err());
}

fn visitor() -> Caller {
    Caller::anonymous(Client::default())
}

fn password(text: &str) -> Password {
    Password::new(text.to_owned()).expect("short enough")
}

/// Logs in; the token of the session, or the code of the refusal.
fn log_in(project: &Scratch, email: &str, text: &str) -> Result<String, &'static str> {
    match block_on(door(project).log_in(&visitor(), email, password(text), None, None)) {
        Ok(LogInStep::Done(login)) => Ok(login.issued.token.expose().to_owned()),
        Ok(LogInStep::SecondFactor(_)) => panic!("a second factor is asked for"),
        Err(error) => Err(error.code()),
    }
}

fn present(project: &Scratch, token: &str) -> Result<SignedIn, AuthenticateError> {
    let token = PlainToken::parse(token).expect("a token");
    block_on(door(project).authenticate(token, visitor()))
}

#[test]
fn who_is_locked_out_is_seen_unlocked_and_let_in() {
    let project = Scratch::initialised();
    admit(&project, "ada@example.com", "admin");
    admit(&project, "bob@example.com", "viewer");
    for _ in 0..5 {
        assert_eq!(
            log_in(&project, "bob@example.com", "a wrong password").err(),
            Some("invalid_credentials")
        );
    }
    assert_eq!(log_in(&project, "bob@example.com", RIGHT).err(), Some("account_locked"));
    let bob = || {
        users(&project)
            .into_iter()
            .find(|user| user["email"] == "bob@example.com")
            .expect("there")
    };
    assert_eq!(bob()["status"], "locked");
    assert!(bob()["locked_until"].is_string(), "{}", bob());
    let status = || project.run(&["auth", "status", "--json"]).success().json()["locked"].clone();
    assert_eq!(status(), 1);
    let table = project.run(&["auth", "list-users"]).success().stdout;
    assert!(
        table.lines().any(|line| line.contains("bob@") && line.contains("locked")),
        "{table}"
    );

    let before = records(&project);
    let unlocked = project.run(&["auth", "unlock", "bob@example.com", "--json"]).success();
    assert_eq!(unlocked.json()["status"], "active");
    let _ = unlocked.says(&["unlocked bob@example.com"]);
    assert_eq!(records(&project), before + 1, "one record");
    assert_eq!(newest(&project, 1), ["account_unlocked success"]);
    assert_eq!(
        (&bob()["status"], &bob()["locked_until"], status()),
        (&"active".into(), &Value::Null, 0.into())
    );
    assert!(log_in(&project, "bob@example.com", RIGHT).is_ok());
    let _ = project.run(&["audit", "verify"]).success();
}

fn records(project: &Scratch) -> u64 {
    let verdict = project.run(&["audit", "verify", "--json"]).success().json();
    verdict["events"].as_u64().expect("a number")
}

#[test]
fn a_session_row_written_with_sql_is_refused_and_recorded_once() {
    let project = Scratch::initialised();
    admit(&project, "ada@example.com", "admin");
    admit(&project, "eve@example.com", "viewer");
    let admin = log_in(&project, "ada@example.com", RIGHT).expect("logged in");
    let own = log_in(&project, "eve@example.com", RIGHT).expect("logged in");
    assert!(matches!(present(&project, &own), Ok(SignedIn::Full(_))));

    let refused = |token: &str, what: &str| {
        let before = records(&project);
        let answer = present(&project, token);
        assert!(
            matches!(answer, Err(AuthenticateError::Unauthenticated)),
            "{what}: {:?}",
            answer.err()
        );
        assert_eq!(records(&project), before + 1, "{what}");
        assert_eq!(newest(&project, 1), ["session_row_invalid denied"], "{what}");
    };
    // Eve's own row becomes the administrator's.
    sql(
        &project,
        "UPDATE sessions SET user_id = (SELECT id FROM users WHERE email = 'ada@example.com')
         WHERE user_id = (SELECT id FROM users WHERE email = 'eve@example.com')",
    );
    refused(&own, "another user");
    let id = project.run(&["audit", "list", "--limit", "1", "--json"]).success().json()["events"][0]["target"]["id"].clone();
    assert!(id.as_str().is_some_and(|id| id.len() == 36), "which session it is: {id}");

    // A row for a token that she chose: the administrator's, with the hash of hers.
    let chosen = PlainToken::<dango_identity::kind::Session>::make(&OsEntropy).expect("random");
    let script = "import hashlib,os,sqlite3,sys
db = sqlite3.connect('.dango/dango.db')
columns = [row[1] for row in db.execute('PRAGMA table_info(sessions)')]
row = dict(zip(columns, db.execute('SELECT * FROM sessions').fetchone()))
row |= {'digest': hashlib.sha256(sys.argv[1].encode()).digest(), 'id': os.urandom(16)}
names = ', '.join(row)
db.execute(f'INSERT INTO sessions ({names}) VALUES ({\", \".join(\"?\" * len(row))})', list(row.values()))
db.commit()";
    let insert = project.command(dango_tests::python(), &["-c", script, chosen.expose()]);
    let _ = insert.run().success();
    refused(chosen.expose(), "a row of her own");

    sql(&project, "UPDATE sessions SET expires_at = expires_at + 1, stage = 'full'");
    refused(&admin, "a longer life");
    let _ = project.run(&["audit", "verify"]).success();
}
