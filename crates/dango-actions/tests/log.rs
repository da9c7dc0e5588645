//! Changes of files and the log itself: intents and outcomes, verification, checkpoints, export, retention.

#![allow(clippy::panic, reason = "a test that finds another answer ends")]

mod world;

use std::sync::Arc;

use async_trait::async_trait;
use dango_actions::{
    AuditView, AuthManage, BeginChangesError, Caller, ChangeDraft, CheckpointError, CheckpointPolicy, Ending, KeptCheckpoint, UsersManage,
};
use dango_audit::export::ExportFormat;
use dango_audit::query::{Filter, Order};
use dango_audit::{Detail, Event, Target, TargetKind, Word};
use dango_core::Clock;
use dango_identity::Role;
use dango_store::{Job, MemoryStore, Store, StoreFailure};
use world::{World, block_on, cli, email, summary};

fn change(number: usize) -> ChangeDraft {
    let key: dango_core::VariableName = format!("KEY_{number}").parse().expect("a name");
    ChangeDraft::new(Event::SecretSet)
        .on(Target::new(TargetKind::Variable, &key))
        .with(Detail::Key, &key)
        .with(Detail::File, Word::new(".env"))
}

/// A store that stops taking writes.
struct Stopping {
    inner: MemoryStore,
    stopped: std::sync::atomic::AtomicBool,
}

#[async_trait]
impl Store for Stopping {
    async fn run_write(&self, job: Job) -> Result<(), StoreFailure> {
        if self.stopped.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(StoreFailure::Full);
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

fn stopping() -> (World, Arc<Stopping>) {
    let store = Arc::new(Stopping {
        inner: MemoryStore::new(),
        stopped: false.into(),
    });
    (World::over(store.clone(), world::identity_key(7)), store)
}

#[test]
fn a_change_is_an_intent_and_an_outcome_that_names_it() {
    let world = World::new();
    let pending = block_on(world.actions.begin_changes(&cli(), vec![change(1)])).expect("begun");
    let open = block_on(world.actions.verify_audit(&world.permit::<AuditView>(), ""))
        .expect("read")
        .open_intents;
    assert_eq!(open, pending.intents().collect::<Vec<_>>());
    let ending = Ending::done().with(Detail::Action, Word::new("created"));
    block_on(world.actions.finish_changes(pending, ending)).expect("finished");
    let records = world.records();
    assert_eq!(
        records.iter().map(summary).collect::<Vec<_>>(),
        ["secret_set intent", "secret_set success"]
    );
    assert_eq!(records[1].details, r#"{"intent":1,"action":"created","key":"KEY_1","file":".env"}"#);
    assert_eq!(records[1].actor.label.as_deref(), Some("ada"));
    let report = block_on(world.actions.verify_audit(&world.permit::<AuditView>(), "")).expect("read");
    assert!(report.is_ok() && report.open_intents.is_empty());
}

#[test]
fn ten_thousand_changes_are_recorded_at_once_each_with_its_own_end() {
    let world = World::new();
    let changes: Vec<_> = (0..10_000).map(change).collect();
    let pending = block_on(world.actions.begin_changes(&cli(), changes)).expect("begun");
    assert_eq!((pending.len(), pending.is_empty()), (10_000, false));
    // The last one has no ending: it stays open.
    let endings = (0..9_999).map(|number| {
        if number % 2 == 0 {
            Ending::done()
        } else {
            Ending::failed(Word::new("invalid_value"))
        }
    });
    block_on(world.actions.finish_each_change(pending, endings.collect())).expect("finished");
    let report = block_on(world.actions.verify_audit(&world.permit::<AuditView>(), "")).expect("read");
    assert!(report.is_ok());
    assert_eq!((report.events, report.open_intents.len()), (19_999, 1));
}

#[test]
fn nothing_is_begun_that_cannot_be_recorded_and_reading_goes_on() {
    let (world, store) = stopping();
    world.add("ada@x.example", Role::Admin);
    let pending = block_on(world.actions.begin_changes(&cli(), vec![change(1)])).expect("begun");
    store.stopped.store(true, std::sync::atomic::Ordering::SeqCst);
    let refused = block_on(world.actions.begin_changes(&cli(), vec![change(2)]));
    assert!(matches!(refused, Err(BeginChangesError::Unrecorded(_))));
    let late = block_on(world.actions.finish_changes(pending, Ending::done()));
    assert_eq!(late.err().map(|error| error.code()), Some("audit_unavailable"));
    let manage = world.permit::<UsersManage>();
    let unlock = block_on(world.actions.unlock(&manage, email("ada@x.example")));
    assert_eq!(unlock.err().map(|error| error.code()), Some("database_unavailable"));
    assert_eq!(world.users().len(), 1);
    let permit = world.permit::<AuditView>();
    assert_eq!(
        block_on(world.actions.verify_audit(&permit, "")).expect("read").open_intents.len(),
        1
    );
    let mut out = Vec::new();
    let exported = block_on(
        world
            .actions
            .export_audit(&permit, Filter::default(), ExportFormat::Jsonl, None, &mut out),
    )
    .expect("exported");
    assert!(exported.unrecorded.is_some() && exported.records > 0);
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count() as u64, exported.records);
}

#[test]
fn a_viewer_changes_no_secret_and_an_editor_a_source() {
    let world = World::new();
    world.add("ed@x.example", Role::Editor);
    let holder = world.session_of("ed@x.example");
    let begin = |event| block_on(world.actions.begin_changes(holder.caller(), vec![ChangeDraft::new(event)]));
    let (refused, records) = world.recorded(|| begin(Event::SecretSet));
    assert_eq!(refused.err().map(|error| error.code()), Some("permission_denied"));
    assert_eq!(records, ["permission_denied denied permission_denied"]);
    let pending = begin(Event::SourceEdited).expect("an editor may");
    block_on(world.actions.finish_changes(pending, Ending::done())).expect("finished");
    let nobody = Caller::anonymous(dango_identity::Client::default());
    assert!(block_on(world.actions.begin_changes(&nobody, vec![change(1)])).is_err());
}

#[test]
fn checkpoints_are_signed_when_due_and_convict_a_log_that_was_cut() {
    let world = World::new();
    let record = |world: &World| {
        let pending = block_on(world.actions.begin_changes(&cli(), vec![change(1)])).expect("begun");
        block_on(world.actions.finish_changes(pending, Ending::done())).expect("finished");
    };
    let due = |world: &World, last: Option<&KeptCheckpoint>| block_on(world.actions.checkpoint_if_due(last, CheckpointPolicy::default()));
    assert_eq!(due(&world, None).expect("read"), None);
    record(&world);
    let first = due(&world, None).expect("read").expect("due");
    let kept = KeptCheckpoint {
        note: first.note.clone(),
        written_at: world.clock.now(),
    };
    record(&world);
    assert_eq!(due(&world, Some(&kept)).expect("read"), None);
    world.pass(60);
    let second = due(&world, Some(&kept)).expect("read").expect("due");
    assert_eq!((first.size, second.size), (2, 4));
    let notes = format!("{}{}", first.note, second.note);
    let permit = world.permit::<AuditView>();
    assert!(block_on(world.actions.verify_audit(&permit, &notes)).expect("read").is_ok());

    // A log under the same key that is not the one of the checkpoints: shorter, then longer.
    let other = World::new();
    other.pass(1);
    record(&other);
    let kept = KeptCheckpoint {
        note: second.note.clone(),
        written_at: world.clock.now(),
    };
    assert!(matches!(due(&other, Some(&kept)), Err(CheckpointError::Contradiction)));
    let report = block_on(other.actions.verify_audit(&other.permit::<AuditView>(), &notes)).expect("read");
    assert!(!report.is_ok());
    let garbage = block_on(world.actions.verify_audit(&permit, "garbage"));
    assert_eq!(garbage.err().map(|error| error.code()), Some("checkpoint_not_a_note"));
}

#[test]
fn an_export_holds_what_a_list_holds_and_is_recorded() {
    let world = World::new();
    let changes: Vec<_> = (0..700).map(change).collect();
    let pending = block_on(world.actions.begin_changes(&cli(), changes)).expect("begun");
    block_on(world.actions.finish_changes(pending, Ending::done())).expect("finished");
    let permit = world.permit::<AuditView>();
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let mut listed: Vec<i64> = world.records().iter().map(|record| record.seq).collect();
        if order == Order::NewestFirst {
            listed.reverse();
        }
        let filter = Filter {
            order,
            ..Filter::default()
        };
        let mut out = Vec::new();
        let (exported, records) = world
            .recorded(|| block_on(world.actions.export_audit(&permit, filter, ExportFormat::Jsonl, None, &mut out)).expect("exported"));
        let seqs: Vec<i64> = String::from_utf8(out)
            .expect("UTF-8")
            .lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).expect("JSON")["seq"]
                    .as_i64()
                    .expect("a number")
            })
            .collect();
        assert_eq!(seqs, listed, "{order:?}");
        assert_eq!(exported.records, listed.len() as u64);
        assert_eq!(records, ["audit_exported intent", "audit_exported success"]);
    }
    world.verified();
}

#[test]
fn old_records_and_people_are_let_go_and_the_rest_verifies() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let eve = world.add("eve@x.example", Role::Viewer);
    world.log_in("eve@x.example");
    world.pass(100 * 86_400);
    world.log_in("ada@x.example");
    let manage = world.permit::<UsersManage>();
    block_on(world.actions.delete_user(&manage, eve.id, None)).expect("deleted");
    let erased = block_on(world.actions.erase_person(&manage, email("eve@x.example"))).expect("erased");
    assert!(erased >= 1);
    assert!(!world.records().iter().any(|record| record.to_json().contains("eve@x.example")));
    world.verified();
    assert_eq!(
        block_on(world.actions.erase_person(&manage, email("eve@x.example")))
            .err()
            .map(|error| error.code()),
        Some("not_found")
    );
    let before = dango_core::Timestamp::from_unix_micros(world.clock.now().unix_micros() - 86_400_000_000);
    let if_due = |before| block_on(world.actions.prune_audit_if_due(&world.permit::<AuthManage>(), before)).expect("pruned");
    let (pruned, records) = world.recorded(|| if_due(before));
    assert_eq!((pruned.expect("some").count(), records.len()), (5, 1));
    let (again, records) = world.recorded(|| if_due(before));
    assert_eq!((again, records.len()), (None, 0), "a schedule that finds nothing says nothing");
    world.verified();
    assert_eq!(world.records().last().map(summary).as_deref(), Some("audit_pruned success"));
}
