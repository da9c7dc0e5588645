//! The people of an earlier Dango, made with the real package, taken over: they log in as before, in memory and in SQLite.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests write scratch files and stop loudly"
)]

mod world;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use dango_actions::{ImportReport, KeySkipped, LineProblem, Machine, SignedIn};
use dango_audit::AuditEvent;
use dango_identity::{AccountStatus, Role};
use dango_store::MemoryStore;
use dango_store_sqlite::{Open, SqliteStore};
use serde_json::Value;
use world::{World, earlier, from, known, made, recovery, text, wait};

/// Does the same over both stores.
fn everywhere(check: impl Fn(&World)) {
    check(&World::over(Arc::new(MemoryStore::new())));
    let directory = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(&directory.path().join("dango.db"), Open::OrCreate).expect("opened");
    check(&World::over(Arc::new(store)));
}

fn taken(report: &ImportReport) -> Vec<&str> {
    report.users.iter().map(|user| user.email.as_str()).collect()
}

fn detail(event: &AuditEvent, key: &str) -> Value {
    serde_json::from_str::<Value>(&event.details).expect("JSON")[key].clone()
}

fn count(records: &[AuditEvent], event: &str) -> usize {
    records.iter().filter(|record| record.event == event).count()
}

#[test]
fn a_dry_run_says_what_a_run_does_and_does_nothing() {
    everywhere(|world| {
        let earlier = earlier();
        let planned = world.plan(&earlier);
        assert!(world.users().is_empty() && world.records().is_empty());
        let done = world.import(&earlier);
        assert_eq!(format!("{planned:#?}"), format!("{done:#?}"));

        assert_eq!(
            taken(&done),
            [
                "admin@dango.test",
                "editor@dango.test",
                "viewer@dango.test",
                "temporary@dango.test",
                "left@dango.test",
                "half@dango.test",
                "used@dango.test",
                "locked@dango.test",
                "invited@dango.test",
                "too-late@dango.test",
                "google@dango.test",
                "straße@dango.test",
                "zoë@bücher.example",
            ]
        );
        let skipped: Vec<_> = done
            .skipped
            .iter()
            .map(|user| (user.email.as_str(), user.reason.as_str()))
            .collect();
        assert_eq!(
            skipped,
            [
                ("notanemail", "email_invalid"),
                ("strasse@dango.test", "email_taken"),
                ("two words@dango.test", "email_invalid"),
                ("аdmin@dango.test", "email_invalid"),
            ]
        );
        let users = world.users();
        assert_eq!(users.len(), done.users.len());
        // Each line of the log is a record of its own, told apart from what happened here.
        let events = done.events.as_ref().expect("a log");
        let imported: Vec<AuditEvent> = world
            .records()
            .into_iter()
            .filter(|record| detail(record, "imported") == true)
            .collect();
        assert_eq!((events.imported, events.known, events.malformed, imported.len()), (20, 0, 0, 20));
        assert!(world.is_intact());
    });
}

#[test]
fn everybody_gets_in_as_before_and_the_old_hash_goes_with_the_first_login() {
    everywhere(|world| {
        world.import(&earlier());
        for (email, role) in [
            ("editor@dango.test", Role::Editor),
            ("viewer@dango.test", Role::Viewer),
            ("half@dango.test", Role::Viewer),
            // Locks are not taken over.
            ("locked@dango.test", Role::Viewer),
        ] {
            assert!(world.stored(email).starts_with("$2b$12$"));
            assert_eq!(
                world.log_in(email, "not the password").err(),
                Some("invalid_credentials"),
                "{email}"
            );
            let SignedIn::Full(holder) = world.enter(email) else {
                panic!("{email}: not a full session");
            };
            assert_eq!(holder.user().role, role);
            assert!(world.stored(email).starts_with("$argon2id$"), "{email}: the hash is replaced");
            assert!(matches!(world.enter(email), SignedIn::Full(_)), "{email}: and works");
        }
        assert!(matches!(world.enter("temporary@dango.test"), SignedIn::Restricted(..)));
        let left = text(&known("left@dango.test", "password")).to_owned();
        assert_eq!(world.log_in("left@dango.test", &left).err(), Some("invalid_credentials"));
        for (email, status) in [
            ("admin@dango.test", AccountStatus::Active),
            ("left@dango.test", AccountStatus::Inactive),
            ("invited@dango.test", AccountStatus::InviteExpired),
            ("too-late@dango.test", AccountStatus::InviteExpired),
            ("google@dango.test", AccountStatus::InviteExpired),
        ] {
            assert_eq!(world.user(email).status, status, "{email}");
        }
        // What was true of them is still: the time they came, and the last time they were there.
        let editor = world.user("editor@dango.test").user;
        assert!(editor.created_at < world.now() && world.user("admin@dango.test").user.last_login.is_none());
    });
}

#[test]
fn a_second_factor_is_asked_for_as_before_and_each_code_works_once() {
    everywhere(|world| {
        world.import(&earlier());
        let admin = "admin@dango.test";
        assert!(world.stored(admin).starts_with("$2b$12$"));
        assert!(world.enter_with(admin, world.app(admin)).is_ok());
        assert!(world.stored(admin).starts_with("$argon2id$"), "the hash is replaced");
        assert_eq!(
            world.enter_with(admin, world.app(admin)).err(),
            Some("invalid_code"),
            "the same code again"
        );
        world.pass(60);
        assert!(world.enter_with(admin, world.app(admin)).is_ok());

        let codes = known(admin, "recovery_codes");
        for code in codes.as_array().expect("codes").iter().map(text) {
            assert!(world.enter_with(admin, recovery(code)).is_ok(), "{code}");
            assert_eq!(world.enter_with(admin, recovery(code)).err(), Some("invalid_code"), "{code} again");
            world.pass(3600);
        }
        // What was used before was used, and somebody else's are nobody's.
        let used = "used@dango.test";
        let spent = known(used, "used_codes");
        assert_eq!(world.enter_with(used, recovery(text(&spent[0]))).err(), Some("invalid_code"));
        assert_eq!(world.enter_with(used, recovery(text(&codes[0]))).err(), Some("invalid_code"));
        assert!(world.enter_with(used, recovery(text(&known(used, "recovery_codes")[0]))).is_ok());
    });
}

#[test]
fn keys_that_worked_work_and_those_that_did_not_do_not() {
    everywhere(|world| {
        let report = world.import(&earlier());
        let keys = known("editor@dango.test", "api_keys");
        for (name, key) in keys.as_object().expect("keys") {
            let works = !matches!(name.as_str(), "revoked" | "expired");
            match world.use_key(text(key)) {
                Ok(holder) => assert!(works && holder.user.role == Role::Editor, "{name}"),
                Err(_) => assert!(!works, "{name}"),
            }
        }
        assert!(
            world
                .use_key(text(&known("left@dango.test", "api_keys")["of somebody who left"]))
                .is_err()
        );
        assert_eq!(report.api_keys(), 3);
        let of_left = report
            .users
            .iter()
            .find(|user| user.email.as_str() == "left@dango.test")
            .expect("is there");
        assert_eq!(of_left.api_keys[0].skipped, Some(KeySkipped::OwnerLocked));
    });
}

#[test]
fn a_second_run_takes_nothing_but_who_is_new_and_brings_nobody_back() {
    everywhere(|world| {
        world.import(&earlier());
        let (users, records) = (world.users().len(), world.records());
        let again = world.import(&earlier());
        assert!(
            again.users.is_empty()
                && again
                    .events
                    .as_ref()
                    .is_some_and(|events| (events.imported, events.known) == (0, 20))
        );
        assert_eq!(world.users().len(), users);
        let later = world.records();
        assert_eq!(count(&later, "user_created"), count(&records, "user_created"));
        assert_eq!(count(&later, "login_success"), count(&records, "login_success"));

        // The earlier Dango is still in use: somebody comes, somebody changes the address, and a line is written.
        world.delete("viewer@dango.test");
        let directory = tempfile::tempdir().expect("a directory");
        let database = directory.path().join("auth.db");
        let script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); \
                      db.execute(\"UPDATE users SET email = 'ed@dango.test' WHERE email = 'editor@dango.test'\"); \
                      db.execute(\"INSERT INTO users (id, email, role, created_at, updated_at) VALUES ('n', 'new@dango.test', 'admin', '', '')\"); \
                      db.commit()";
        std::fs::copy(made("auth.db"), &database).expect("copied");
        let ran = std::process::Command::new("python3").args(["-c", script]).arg(&database).status();
        assert!(ran.expect("python3").success());
        let mut log = std::fs::read(made("audit.jsonl")).expect("read");
        log.extend_from_slice(b"{\"timestamp\": \"2029-01-01T00:00:00+00:00\", \"event\": \"logout\"}\nhalf a li");
        let third = world.import(&from(&database, &log));
        assert_eq!(taken(&third), ["new@dango.test"]);
        let reasons: Vec<_> = third.skipped.iter().map(|user| user.reason.as_str()).collect();
        assert_eq!(reasons.iter().filter(|reason| **reason == "imported_before").count(), 13);
        let events = third.events.expect("a log");
        assert_eq!((events.imported, events.known, events.malformed), (1, 20, 1));
        assert_eq!(
            (events.bad_lines[0].line, events.bad_lines[0].problem),
            (22, LineProblem::NotAnObject)
        );
    });
}

#[test]
fn what_happened_before_is_told_of_the_same_people_and_says_that_it_did() {
    everywhere(|world| {
        world.import(&earlier());
        let records = world.records();
        let find = |event: &str, which: usize| {
            let mut found = records
                .iter()
                .filter(|record| record.event == event && detail(record, "imported") == true);
            found.nth(which).unwrap_or_else(|| panic!("no {event}"))
        };
        let editor = world.user("editor@dango.test").user.id.to_string();
        let login = find("login_success", 0);
        assert_eq!(
            (login.actor.id.as_deref(), login.ip.as_deref()),
            (Some(editor.as_str()), Some("192.0.2.7"))
        );
        assert!(detail(login, "occurred_at").as_str().is_some_and(|at| at.starts_with("2026-")));
        let changed = find("role_changed", 1);
        assert_eq!(changed.actor.label.as_deref(), Some("admin@dango.test"));
        assert_eq!(
            changed.target.as_ref().and_then(|target| target.label.as_deref()),
            Some("used@dango.test")
        );
        assert_eq!(
            (detail(changed, "old_role"), detail(changed, "new_role")),
            ("viewer".into(), "admin".into())
        );
        assert_eq!(detail(find("secret_set", 0), "key"), "STRIPE_API_KEY");
        let all: String = records.iter().map(AuditEvent::to_json).collect();
        assert!(!all.contains("my password") && !all.contains("odd "), "free texts are left behind");

        let summary = records.iter().find(|record| record.event == "users_imported").expect("a record");
        assert_eq!((detail(summary, "count"), detail(summary, "total")), (13.into(), 17.into()));
        let here = records
            .iter()
            .filter(|record| record.event == "user_created" && detail(record, "method") == "import");
        assert_eq!(here.count(), 13);
        assert_eq!(detail(records.last().expect("a record"), "count"), 20);
    });
}

#[test]
fn a_run_that_breaks_off_anywhere_leaves_nobody_or_everybody_and_the_next_one_ends_it() {
    // More lines than fit into one transaction, each with a fact that takes randomness.
    let lines = (0..1200).map(|line| {
        let (day, ip) = (line % 28 + 1, format!("10.0.{}.{}", line / 256, line % 256));
        format!("{{\"timestamp\": \"2026-01-{day:02}T00:00:00.{line:06}Z\", \"event\": \"logout\", \"ip\": \"{ip}\"}}\n")
    });
    let earlier = from(&made("auth.db"), lines.collect::<String>().as_bytes());
    // How much randomness a whole run takes.
    let whole = World::over(Arc::new(MemoryStore::new()));
    let before = whole.entropy.0.load(Ordering::SeqCst);
    whole.import(&earlier);
    let needed = before - whole.entropy.0.load(Ordering::SeqCst);
    let mut seen = [false; 3];
    for left in (0..60).step_by(12).chain((60..needed).step_by(450)) {
        let world = World::over(Arc::new(MemoryStore::new()));
        let permit = world.permit::<Machine>();
        world.entropy.0.store(left, Ordering::SeqCst);
        let broken = wait(world.actions.import(&permit, Arc::clone(&earlier)));
        assert!(broken.is_err(), "{left}");
        let (users, lines) = (world.users().len(), count(&world.records(), "logout"));
        assert!([0, 13].contains(&users) && (users == 13 || lines == 0), "{left}: {users}, {lines}");
        seen[usize::from(users == 13) + usize::from(lines > 0)] = true;

        world.entropy.0.store(u64::MAX, Ordering::SeqCst);
        let rest = world.import(&earlier);
        assert_eq!(
            rest.events.map(|events| (events.imported + events.known, events.known)),
            Some((1200, lines as u64)),
            "{left}"
        );
        assert_eq!((world.users().len(), count(&world.records(), "logout")), (13, 1200), "{left}");
        assert!(world.is_intact());
    }
    assert_eq!(seen, [true; 3], "it broke off before, between and among the lines");
}

#[test]
fn two_runs_at_once_take_everybody_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    let earlier = earlier();
    let start = std::sync::Barrier::new(4);
    let worlds: Vec<World> = (0..4)
        .map(|_| World::over(Arc::new(SqliteStore::open(&path, Open::OrCreate).expect("opened"))))
        .collect();
    let taken: usize = std::thread::scope(|scope| {
        let runs: Vec<_> = worlds
            .iter()
            .map(|world| {
                scope.spawn(|| {
                    start.wait();
                    let report = world.import(&earlier);
                    report.users.len() + usize::try_from(report.events.expect("a log").imported).expect("few")
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).sum()
    });
    assert_eq!(taken, 13 + 20);
    let world = World::over(Arc::new(SqliteStore::open(&path, Open::Existing).expect("opened")));
    assert_eq!(world.users().len(), 13);
    assert!(world.is_intact());
}
