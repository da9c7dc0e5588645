//! The desk over files that do as they are told: who may, one intent and one outcome a change, groups, and what happens when something breaks.

#![allow(clippy::panic, reason = "a test that finds another answer ends")]

mod files;
#[path = "../world/mod.rs"]
mod world;

use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use dango_actions::{Actions, AuditView, Caller, ChangeVariableError, FilesProblem, LARGEST_VALUE, ListSecretsError, SecretsDesk};
use dango_audit::AuditEvent;
use dango_identity::Role;
use dango_store::{Job, MemoryStore, Store, StoreFailure};
use files::Files;
use world::{World, block_on, cli, detail, race, summary, visitor};

fn desk(actions: &Actions) -> (SecretsDesk, Arc<Files>) {
    let files = Arc::new(Files::default());
    let desk = SecretsDesk::open(actions.clone(), files.clone(), 64).expect("a thread");
    (desk, files)
}

fn set(desk: &SecretsDesk, caller: &Caller, key: &str, value: &str) -> Result<&'static str, ChangeVariableError> {
    block_on(desk.set_variable(caller, key, value.to_owned())).map(|set| set.action())
}

fn code<T>(answer: Result<T, ChangeVariableError>) -> Option<&'static str> {
    answer.err().map(|error| error.code())
}

fn summaries(world: &World) -> Vec<String> {
    world.records().iter().map(summary).collect()
}

/// Every outcome with the intent that it names; each intent is named once.
fn pairs(records: &[AuditEvent]) -> usize {
    let changes = records.iter().filter(|record| record.event.to_string().starts_with("secret_"));
    let (outcomes, intents): (Vec<_>, Vec<_>) = changes.partition(|record| record.outcome.is_some());
    let mut named: Vec<String> = outcomes.iter().filter_map(|record| detail(record, "intent")).collect();
    named.sort();
    named.dedup();
    assert_eq!((named.len(), intents.len()), (outcomes.len(), outcomes.len()));
    named.len()
}

#[test]
fn a_variable_is_created_updated_and_deleted_and_the_log_tells_it_as_the_command_line_does() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let admin = world.session_of("ada@x.example").caller().clone();
    let (desk, files) = desk(&world.actions);
    let before = world.records().len();
    assert_eq!(set(&desk, &admin, "STRIPE_KEY", "sk_canary").ok(), Some("created"));
    assert_eq!(set(&desk, &admin, "STRIPE_KEY", "sk_canary").ok(), Some("updated"));
    assert_eq!(set(&desk, &admin, "STRIPE_KEY", "other").ok(), Some("updated"));
    assert_eq!(code(set(&desk, &admin, "STRIPE_KEY", "${HOME}")), Some("invalid_value"));
    files
        .variables
        .lock()
        .expect("not poisoned")
        .insert("my key".to_owned(), String::new());
    block_on(desk.delete_variable(&admin, "STRIPE_KEY")).expect("deleted");
    block_on(desk.delete_variable(&admin, "my key")).expect("deleted");
    desk.close();
    let told: Vec<(String, String)> = world.records()[before..]
        .iter()
        .filter(|record| record.outcome.is_some())
        .map(|record| (summary(record), record.details.clone()))
        .collect();
    let told: Vec<(&str, &str)> = told.iter().map(|(summary, details)| (summary.as_str(), details.as_str())).collect();
    let first = before + 1;
    assert_eq!(told[0].0, "secret_set success");
    let expected = format!(r#"{{"intent":{first},"action":"created","key":"STRIPE_KEY","file":".env","encrypted":false}}"#);
    assert_eq!(told[0].1, expected);
    assert!(told[1].1.contains(r#""action":"unchanged""#) && told[2].1.contains(r#""action":"updated""#));
    assert_eq!(told[3].0, "secret_set failure env_value_reference");
    assert_eq!(told[4].0, "secret_deleted success");
    assert!(!told[5].1.contains("my key"), "a key that is no name is not told: {}", told[5].1);
    assert_eq!(pairs(&world.records()), 6);
    assert!(!format!("{:?}", world.records()).contains("canary"));
    assert_eq!(files.who.lock().expect("not poisoned")[0], "ada@x.example");
    world.verified();
}

#[test]
fn only_those_who_may_are_served_and_denials_are_recorded() {
    let world = World::new();
    let (desk, files) = desk(&world.actions);
    for (address, role) in [("ed@x.example", Role::Editor), ("vi@x.example", Role::Viewer)] {
        world.add(address, role);
        let caller = world.session_of(address).caller().clone();
        let (refused, left) = world.recorded(|| set(&desk, &caller, "not a key", "x"));
        assert_eq!(
            (code(refused), left),
            (
                Some("permission_denied"),
                vec!["permission_denied denied permission_denied".to_owned()]
            )
        );
        assert_eq!(code(block_on(desk.delete_variable(&caller, "A"))), Some("permission_denied"));
        assert!(matches!(block_on(desk.list(&caller)), Err(ListSecretsError::Denied(_))));
    }
    assert!(block_on(desk.list(&visitor())).is_err());
    assert!(files.saves.lock().expect("not poisoned").is_empty());
}

#[test]
fn an_administrator_who_was_switched_off_in_between_changes_nothing_any_more() {
    let world = World::new();
    for address in ["ada@x.example", "bea@x.example"] {
        world.add(address, Role::Admin);
    }
    let admin = world.session_of("ada@x.example").caller().clone();
    let (desk, files) = desk(&world.actions);
    block_on(world.actions.deactivate_user(&world.permit(), world::email("ada@x.example"))).expect("deactivated");
    assert_eq!(code(set(&desk, &admin, "A", "1")), Some("permission_denied"));
    assert!(files.saves.lock().expect("not poisoned").is_empty());
    assert_eq!(
        summaries(&world).last().map(String::as_str),
        Some("permission_denied denied permission_denied")
    );
}

#[test]
fn what_is_malformed_is_refused_without_a_record_and_without_being_repeated() {
    let world = World::new();
    let (desk, files) = desk(&world.actions);
    let long = "canary".repeat(LARGEST_VALUE);
    let name = "K".repeat(129);
    let (_, left) = world.recorded(|| {
        for (key, value, expected) in [
            ("", "x", "invalid_key"),
            ("1A", "x", "invalid_key"),
            ("KEY=canary", "x", "invalid_key"),
            (name.as_str(), "x", "invalid_key"),
            ("A", "canary\0", "invalid_value"),
            ("A", long.as_str(), "invalid_value"),
        ] {
            let error = set(&desk, &cli(), key, value).expect_err("refused");
            assert_eq!(error.code(), expected);
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
        assert_eq!(code(block_on(desk.delete_variable(&cli(), "KEY=canary"))), Some("not_found"));
        files.is_unparsable.store(true, Ordering::SeqCst);
        for refused in [
            set(&desk, &cli(), "A", "1").map(|_| ()),
            block_on(desk.delete_variable(&cli(), "A")),
        ] {
            let Err(ChangeVariableError::Files(error)) = refused else {
                panic!("not refused")
            };
            assert!(matches!(error.problem(), FilesProblem::Unparsable { line: 7, column: 2, .. }));
        }
    });
    assert_eq!(left, Vec::<String>::new());
    assert!(files.saves.lock().expect("not poisoned").is_empty());
}

#[test]
fn what_waits_is_saved_together_and_everybody_has_an_answer() {
    let world = World::new();
    let (desk, files) = desk(&world.actions);
    let reached = files.gate.shut();
    let answers = std::thread::scope(|scope| {
        let first = scope.spawn(|| set(&desk, &cli(), "FIRST", "1").ok());
        reached.recv().expect("the first is being saved");
        let mut others: Vec<_> = (0..40)
            .map(|number| {
                let desk = desk.clone();
                Box::pin(async move { desk.set_variable(&cli(), &format!("K{number}"), number.to_string()).await })
            })
            .collect();
        // Each is handed over when it is first asked for.
        let waker = std::task::Waker::noop();
        for other in &mut others {
            assert!(other.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
        }
        // Whoever gives up waiting has its change made all the same.
        others.truncate(20);
        files.gate.open();
        assert_eq!(first.join().expect("no panic"), Some("created"));
        others.into_iter().map(block_on).collect::<Vec<_>>()
    });
    assert!(
        answers
            .iter()
            .all(|answer| answer.as_ref().is_ok_and(|set| set.action() == "created"))
    );
    desk.close();
    assert_eq!(*files.saves.lock().expect("not poisoned"), [1, 40]);
    assert_eq!(files.variables.lock().expect("not poisoned").len(), 41);
    assert_eq!(pairs(&world.records()), 41);
    world.verified();
}

#[test]
fn a_full_queue_sends_away_at_once_and_a_closed_desk_has_finished() {
    let world = World::new();
    let files = Arc::new(Files::default());
    let desk = SecretsDesk::open(world.actions.clone(), files.clone(), 2).expect("a thread");
    let reached = files.gate.shut();
    let waker = std::task::Waker::noop();
    let mut waiting = Vec::new();
    let mut hand_over = |number: usize| {
        let desk = desk.clone();
        let mut request = Box::pin(async move { desk.set_variable(&cli(), &format!("K{number}"), "1".to_owned()).await });
        let polled = request.as_mut().poll(&mut std::task::Context::from_waker(waker));
        waiting.push(request);
        polled
    };
    assert!(hand_over(0).is_pending());
    reached.recv().expect("it is being saved");
    assert!(hand_over(1).is_pending() && hand_over(2).is_pending());
    let std::task::Poll::Ready(Err(busy)) = hand_over(3) else {
        panic!("not sent away")
    };
    assert_eq!(busy.code(), "busy");
    assert!(busy.retry_after().is_some());
    std::thread::scope(|scope| {
        let closing = scope.spawn(|| desk.close());
        files.gate.open();
        closing.join().expect("no panic");
    });
    assert_eq!(files.variables.lock().expect("not poisoned").len(), 3);
    assert_eq!(pairs(&world.records()), 3);
    assert_eq!(code(set(&desk, &cli(), "LATE", "1")), Some("stopping"));
}

#[test]
fn work_that_breaks_off_leaves_open_intents_and_the_desk_goes_on() {
    let world = World::new();
    let (desk, files) = desk(&world.actions);
    files.is_broken.store(true, Ordering::SeqCst);
    assert_eq!(code(set(&desk, &cli(), "A", "1")), Some("interrupted"));
    files.is_broken.store(false, Ordering::SeqCst);
    assert_eq!(set(&desk, &cli(), "B", "1").ok(), Some("created"));
    let report = block_on(world.actions.verify_audit(&world.permit::<AuditView>(), "")).expect("read");
    assert!(report.is_ok());
    assert_eq!(report.open_intents.len(), 1);
}

/// A store that stops taking writes, now or after some more.
struct Stopping {
    inner: MemoryStore,
    left: Mutex<usize>,
}

#[async_trait]
impl Store for Stopping {
    async fn run_write(&self, job: Job) -> Result<(), StoreFailure> {
        {
            let mut left = self.left.lock().expect("not poisoned");
            *left = left.checked_sub(1).ok_or(StoreFailure::Full)?;
        }
        self.inner.run_write(job).await
    }

    async fn run_read(&self, job: Job) -> Result<(), StoreFailure> {
        self.inner.run_read(job).await
    }

    async fn schema_version(&self) -> Result<u32, StoreFailure> {
        self.inner.schema_version().await
    }
}

#[test]
fn nothing_is_changed_that_cannot_be_recorded_and_an_unrecorded_outcome_is_told() {
    let store = Arc::new(Stopping {
        inner: MemoryStore::new(),
        left: Mutex::new(0),
    });
    let world = World::over(store.clone(), world::identity_key(7));
    let (desk, files) = desk(&world.actions);
    let refused = set(&desk, &cli(), "A", "1").expect_err("cannot be recorded");
    assert!(matches!(refused, ChangeVariableError::Unrecorded(_)));
    assert_eq!(refused.code(), "audit_unavailable");
    assert!(files.saves.lock().expect("not poisoned").is_empty());
    assert!(block_on(desk.list(&cli())).is_ok(), "reading goes on");
    *store.left.lock().expect("not poisoned") = 1;
    let late = set(&desk, &cli(), "A", "1").expect_err("its outcome is in no record");
    assert!(matches!(late, ChangeVariableError::OutcomeUnrecorded(_)));
    assert_eq!(files.variables.lock().expect("not poisoned").len(), 1);
}

#[test]
fn many_at_once_have_one_pair_of_records_each() {
    let world = World::new();
    let (desk, files) = desk(&world.actions);
    let answers = race(20, |thread| {
        (0..5)
            .map(|number| set(&desk, &cli(), &format!("K_{thread}_{number}"), "value").ok())
            .collect::<Vec<_>>()
    });
    assert!(answers.iter().flatten().all(|answer| *answer == Some("created")));
    assert_eq!(files.variables.lock().expect("not poisoned").len(), 100);
    assert_eq!(pairs(&world.records()), 100);
    world.verified();
}
