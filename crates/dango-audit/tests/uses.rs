//! The use cases over the model of a store: lists, exports, erasing, pruning, proofs, a new chain after the key was lost.
#![allow(dead_code, reason = "not every test file uses everything that they share")]

mod sample;

use std::ops::ControlFlow;

use dango_audit::export::{ExportFormat, Exporter};
use dango_audit::log::LogError;
use dango_audit::merkle::{leaf_hash, verify_consistency, verify_inclusion};
use dango_audit::query::{ActorFilter, Filter, Intents, Order, PageLimit};
use dango_audit::{
    Actor, AuditEvent, AuditStore, ChainKey, Detail, Details, Draft, Erasure, Event, Fault, Label, MemoryStore, Origin, Outcome,
    PersonalRow, Seq, Stage, Subject, Target, TargetKind, UserAgent, Verifier, Word, log,
};
use sample::{alice, at, drafts, entropy, from_browser, id, key, now, rows, store_of};
use serde_json::{Value, json};

const CANARY: &str = "sk_live_canary";

fn all(store: &mut MemoryStore, filter: &Filter) -> Vec<AuditEvent> {
    let mut events = Vec::new();
    let visit = &mut |event: &AuditEvent| {
        events.push(event.clone());
        ControlFlow::Continue(())
    };
    now(log::walk(store, filter, visit)).expect("memory");
    events
}

fn seqs(store: &mut MemoryStore, filter: &Filter) -> Vec<i64> {
    all(store, filter).iter().map(|event| event.seq).collect()
}

fn export(store: &mut MemoryStore, format: ExportFormat) -> String {
    let mut bytes = Vec::new();
    let mut exporter = Exporter::begin(format, &mut bytes).expect("memory");
    let filter = Filter {
        order: Order::OldestFirst,
        ..Filter::default()
    };
    all(store, &filter).iter().for_each(|event| exporter.write(event).expect("memory"));
    exporter.finish().expect("memory");
    String::from_utf8(bytes).expect("UTF-8")
}

fn ended(second: i64, event: Event, actor: Actor) -> Draft {
    Draft::new(at(second), event, actor, Stage::Ended(Outcome::Success))
}

#[test]
fn a_listed_record_has_the_members_of_the_contract() {
    let mut store = store_of(&drafts());
    let page = now(log::list(&mut store, &Filter::default(), PageLimit::default())).expect("memory");
    let value: Value = serde_json::from_str(&page.to_json()).expect("JSON");
    assert_eq!(value["next_cursor"], Value::Null);
    let stored = rows(&mut store);
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    assert_eq!(
        value["events"][5],
        json!({
            "seq": 1,
            "at": "2023-11-14T22:13:20.000000Z",
            "event": "login_success",
            "actor": {"kind": "user", "id": "0192f3a4-7c1e-7abc-8def-000000000001", "label": "alice@example.com"},
            "target": {"kind": "user", "id": "0192f3a4-7c1e-7abc-8def-000000000001", "label": "alice@example.com"},
            "outcome": "success",
            "origin": {"ip": "192.0.2.7", "user_agent": "Mozilla/5.0 (X11; Linux x86_64)", "session": "0192f3a4-7c1e-7abc-8def-000000000009"},
            "request_id": "0192f3a4-7c1e-7abc-8def-000000000008",
            "details": {},
            "prev_hash": "0".repeat(64),
            "hash": hex(&stored[0].hash),
        })
    );
    let (intent, outcome) = (&value["events"][3], &value["events"][2]);
    assert_eq!(
        (&intent["outcome"], &intent["details"]),
        (
            &Value::Null,
            &json!({"phase": "intent", "action": "created", "key": "STRIPE_API_KEY"})
        )
    );
    assert_eq!(
        (&outcome["outcome"], &outcome["details"]),
        (
            &json!("success"),
            &json!({"intent": 3, "action": "created", "key": "STRIPE_API_KEY"})
        )
    );
    assert_eq!(
        outcome["target"],
        json!({"kind": "variable", "id": "STRIPE_API_KEY", "label": null})
    );
    assert_eq!(outcome["prev_hash"], intent["hash"]);
}

#[test]
fn filters_and_pages_give_each_record_once() {
    let mut store = store_of(&drafts());
    let none = Filter::default();
    assert_eq!(seqs(&mut store, &none), [6, 5, 4, 3, 2, 1]);
    assert_eq!(
        seqs(
            &mut store,
            &Filter {
                order: Order::OldestFirst,
                ..none.clone()
            }
        ),
        [1, 2, 3, 4, 5, 6]
    );
    assert_eq!(
        seqs(
            &mut store,
            &Filter {
                since: Some(at(1)),
                until: Some(at(3)),
                ..none.clone()
            }
        ),
        [4, 3, 2]
    );
    assert_eq!(
        seqs(
            &mut store,
            &Filter {
                event: Some(Event::SecretSet),
                ..none.clone()
            }
        ),
        [4, 3]
    );
    let by = |actor: &str| Filter {
        actor: Some(ActorFilter::new(actor)),
        ..none.clone()
    };
    assert_eq!(seqs(&mut store, &by("ALICE@example.com")), [1]);
    assert_eq!(seqs(&mut store, &by("alice")), [4, 3]);
    assert_eq!(seqs(&mut store, &by(id(5).as_str())), [5]);
    assert!(seqs(&mut store, &by("nobody")).is_empty());
    let ended = Filter {
        intents: Intents::LeftOut,
        ..none.clone()
    };
    assert_eq!(seqs(&mut store, &ended), [6, 5, 4, 2, 1]);

    for order in [Order::NewestFirst, Order::OldestFirst] {
        for limit in 1..8 {
            let mut filter = Filter { order, ..none.clone() };
            let mut seen = Vec::new();
            loop {
                let page = now(log::list(&mut store, &filter, PageLimit::new(limit).expect("small"))).expect("memory");
                assert!(page.events.len() <= limit as usize && !page.events.is_empty());
                seen.extend(page.events.iter().map(|event| event.seq));
                // What is added between two pages disturbs none.
                filter.cursor = page.next_cursor.map(|cursor| cursor.to_string().parse().expect("a cursor"));
                if filter.cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, seqs(&mut store, &Filter { order, ..none.clone() }), "{order:?} by {limit}");
        }
    }
}

#[test]
fn hostile_texts_stay_in_one_line_and_one_cell() {
    let agent = "=cmd|'/c calc'!A1\r\n\u{1b}[2J\u{202e}\",{\"seq\":1}";
    let origin = Origin {
        user_agent: Some(UserAgent::new(agent)),
        ..from_browser()
    };
    let actor = Actor::user(id(1), Label::new("+1@example.com\n{\"seq\":2}"));
    let path: dango_core::CredentialPath = r#"sources."a\"b,\u202e\n".key"#.parse().expect("a path");
    let draft = ended(0, Event::SecretSet, actor)
        .from(origin)
        .on(Target::new(TargetKind::Secret, &path))
        .with_details(Details::new().with(Detail::Path, &path));
    let mut store = store_of(&[draft]);

    let jsonl = export(&mut store, ExportFormat::Jsonl);
    assert_eq!(jsonl.lines().count(), 1);
    assert!(
        jsonl
            .trim_end()
            .chars()
            .all(|c| !c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c)),
        "{jsonl:?}"
    );
    let value: Value = serde_json::from_str(&jsonl).expect("JSON");
    assert_eq!(value["target"]["id"], path.to_string());
    assert_eq!(value["details"]["path"], path.to_string());

    let csv = export(&mut store, ExportFormat::Csv);
    assert_eq!(csv.matches("\r\n").count(), 2, "{csv:?}");
    assert!(csv.starts_with("seq,at,event,actor.kind,"));
    assert!(csv.contains(",\"'+1@example.com"), "{csv}");
    assert!(csv.contains(",\"'=cmd|'/c calc'!A1"), "{csv}");
}

#[test]
fn an_empty_log_is_exported_as_nothing_but_a_header() {
    let mut store = MemoryStore::new();
    assert_eq!(export(&mut store, ExportFormat::Jsonl), "");
    assert_eq!(export(&mut store, ExportFormat::Csv).lines().count(), 1);
    assert_eq!(
        now(log::list(&mut store, &Filter::default(), PageLimit::default()))
            .expect("memory")
            .to_json(),
        r#"{"events":[],"next_cursor":null}"#
    );
    assert!(now(log::verify(&mut store, &key(), &[])).expect("memory").is_ok());
}

#[test]
fn an_erased_person_is_nowhere_and_the_chain_still_verifies() {
    let mut store = store_of(&drafts());
    let before = rows(&mut store);
    let draft = ended(6, Event::PersonalDataErased, Actor::system()).on(Target::new(TargetKind::User, &id(1)));
    let erased = now(log::erase(
        &mut store,
        &key(),
        &entropy(),
        &Erasure::Subject(Subject::user(&id(1))),
        draft,
    ))
    .expect("memory");
    // As actor and target, and as the owner of the API key.
    assert_eq!(erased, 3);

    let report = now(log::verify(&mut store, &key(), &[])).expect("memory");
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(report.erased, 3);
    assert_eq!(rows(&mut store)[..6], before);
    let mut entries = String::new();
    now(store.all_personal(&mut |row: PersonalRow<'_>| entries.push_str(&format!("{row:?}")))).expect("memory");
    for text in [
        export(&mut store, ExportFormat::Jsonl),
        export(&mut store, ExportFormat::Csv),
        entries,
    ] {
        assert!(!text.contains("alice@example.com") && !text.contains("deploy"), "{text}");
    }
    let events = all(&mut store, &Filter::default());
    let login = events.last().expect("the first record");
    assert!(login.actor.is_withheld && login.actor.label.is_none() && login.ip.is_none());
    assert_eq!(login.actor.id.as_deref(), Some(id(1).as_str()));
    assert!(!events[1].actor.is_withheld, "{:?}", events[1]);
}

#[test]
fn what_is_pruned_is_gone_and_what_is_kept_verifies_also_twice() {
    let name = || "dango.example/audit".parse().expect("a name");
    let key = key();
    let mut store = store_of(&drafts());
    let whole = now(log::checkpoint(&mut store, &key, name())).expect("memory");
    let old = now(log::checkpoint(&mut store_of(&drafts()[..1]), &key, name())).expect("memory");
    let segment = now(log::prune(&mut store, &key, at(2))).expect("memory").expect("something is old");
    assert_eq!(
        (segment.first_seq(), segment.last_seq(), segment.count()),
        (Seq::FIRST, Seq::new(2), 2)
    );
    let pruned = ended(6, Event::AuditPruned, Actor::system()).with_details(
        Details::new()
            .with(Detail::FirstSeq, segment.first_seq())
            .with(Detail::LastSeq, segment.last_seq()),
    );
    now(log::record(&mut store, &key, &entropy(), &pruned)).expect("memory");

    let report = now(log::verify(&mut store, &key, &[whole.clone(), old])).expect("memory");
    assert!(report.is_ok(), "{report:?}");
    assert_eq!((report.events, report.pruned, report.checkpoints_passed_over), (5, 2, 1));

    let segment = now(log::prune(&mut store, &key, at(5))).expect("memory").expect("something is old");
    assert_eq!((segment.first_seq().get(), segment.last_seq().get()), (3, 5));
    assert_eq!(segment.times(), (at(2), at(4)));
    let report = now(log::verify(&mut store, &key, &[whole])).expect("memory");
    assert!(report.is_ok(), "{report:?}");
    assert_eq!((report.events, report.pruned), (2, 5));
    assert_eq!(now(log::prune(&mut store, &key, at(5))).expect("memory"), None);
    // The entries that only pruned records referred to went with them.
    let mut entries = 0;
    now(store.all_personal(&mut |_| entries += 1)).expect("memory");
    assert_eq!(entries, 0);

    // Without its segment, or with an earlier one, the rest hangs in the air.
    let rows = rows(&mut store);
    let mut verifier = Verifier::new(&key);
    rows.iter().for_each(|row| verifier.push(&row.row()));
    let bad = verifier
        .finish(now(store.head()).expect("memory").as_ref())
        .first_bad
        .expect("found");
    assert_eq!((bad.seq, bad.fault), (Seq::FIRST, Fault::Missing));
    let stolen = now(store.segment()).expect("memory").expect("there");
    let forged = stolen.with_row(|row| {
        dango_audit::retention::SealedSegment::from_row(dango_audit::retention::SegmentRow {
            last_at: row.last_at + 1,
            ..row
        })
    });
    let verifier = Verifier::after(&key, &forged);
    assert_eq!(verifier.finish(None).first_bad.map(|bad| bad.fault), Some(Fault::SegmentForged));
}

#[test]
fn an_open_intent_and_what_follows_it_are_not_pruned() {
    let drafts = drafts();
    let open = [drafts[0].clone(), drafts[1].clone(), drafts[2].clone(), drafts[4].clone()];
    let mut store = store_of(&open);
    let segment = now(log::prune(&mut store, &key(), at(100)))
        .expect("memory")
        .expect("something is old");
    assert_eq!(segment.last_seq(), Seq::new(2));
    assert_eq!(now(log::prune(&mut store, &key(), at(100))).expect("memory"), None);
    assert_eq!(
        now(log::verify(&mut store, &key(), &[])).expect("memory").open_intents,
        [Seq::new(3)]
    );
}

#[test]
fn an_outcome_whose_intent_was_pruned_is_fine() {
    let mut store = store_of(&drafts());
    let segment = now(log::prune(&mut store, &key(), at(4)))
        .expect("memory")
        .expect("something is old");
    assert_eq!(segment.last_seq(), Seq::new(4));
    assert!(now(log::verify(&mut store, &key(), &[])).expect("memory").is_ok());
}

#[test]
fn nothing_is_pruned_from_a_log_that_was_tampered_with() {
    let mut store = store_of(&drafts());
    now(store.erase(&Erasure::Subject(Subject::user(&id(1))))).expect("memory");
    let error = now(log::prune(&mut store, &key(), at(2))).expect_err("refused");
    assert!(
        matches!(error, LogError::NotIntact(bad) if bad.fault == Fault::PersonalMissing),
        "{error:?}"
    );
    assert_eq!(rows(&mut store).len(), 6);
}

#[test]
fn a_new_chain_after_a_lost_key_keeps_the_old_records_beside_it() {
    let mut store = store_of(&drafts());
    let new = ChainKey::from_derived(&[9; 32]);
    let draft = ended(7, Event::AuditChainStarted, Actor::system());
    assert!(matches!(
        now(log::record(&mut store, &new, &entropy(), &draft)),
        Err(LogError::Head(_))
    ));
    assert_eq!(now(log::begin_anew(&mut store, &new, &entropy(), draft)).expect("memory"), 6);
    assert_eq!(store.retired().len(), 6);
    let report = now(log::verify(&mut store, &new, &[])).expect("memory");
    assert!(report.is_ok() && report.events == 1);
    assert_eq!(all(&mut store, &Filter::default())[0].details, r#"{"count":6}"#);
}

#[test]
fn a_record_is_proved_to_somebody_who_has_only_a_checkpoint() {
    let name = || "dango.example/audit".parse().expect("a name");
    let mut store = store_of(&drafts());
    let first = now(log::checkpoint(&mut store_of(&drafts()[..4]), &key(), name())).expect("memory");
    let last = now(log::checkpoint(&mut store, &key(), name())).expect("memory");
    now(log::prune(&mut store, &key(), at(1)))
        .expect("memory")
        .expect("something is old");
    for seq in 2..=6 {
        let proof = now(log::prove_inclusion(&mut store, &key(), Seq::new(seq), last.size()))
            .expect("memory")
            .expect("is in it");
        assert!(
            verify_inclusion(&leaf_hash(&proof.leaf), proof.index, proof.size, &proof.path, last.root()),
            "{seq}"
        );
        assert!(!proof.leaf.windows(5).any(|window| window == b"alice"));
    }
    for seq in [0, 1, 7] {
        assert_eq!(
            now(log::prove_inclusion(&mut store, &key(), Seq::new(seq), last.size())).expect("memory"),
            None
        );
    }
    let path = now(log::prove_consistency(&mut store, &key(), first.size(), last.size()))
        .expect("memory")
        .expect("grew");
    assert!(verify_consistency(first.size(), first.root(), last.size(), last.root(), &path));
}

#[test]
fn the_same_person_from_the_same_place_is_kept_once() {
    let login = |second| ended(second, Event::LoginSuccess, alice()).from(from_browser());
    let mut store = store_of(&[login(0), login(1), login(2)]);
    let mut entries = 0;
    now(store.all_personal(&mut |_| entries += 1)).expect("memory");
    assert_eq!(entries, 1);
}

/// Texts of users go in through types that refuse secrets or are made for names; this is what is left of each.
#[test]
fn a_secret_put_where_an_id_belongs_is_refused() {
    for secret in [
        CANARY,
        "dak_0123456789abcdefghij0123456789abcdefghij123456",
        "ABCD-EFGH-JKMN-PQRS",
        "hunter2",
    ] {
        assert!(secret.parse::<dango_audit::Id>().is_err(), "{secret}");
    }
    let error = CANARY.parse::<Event>().expect_err("no event");
    assert!(!format!("{error} {error:?}").contains(CANARY));
    let unknown =
        ended(0, Event::LoginFailure, Actor::unknown()).with_details(Details::new().with(Detail::Reason, Word::new("no_account")));
    assert!(!export(&mut store_of(&[unknown]), ExportFormat::Jsonl).contains('@'));
}
