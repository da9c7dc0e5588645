//! Every way to change a log behind its back that we could think of, and what a verification says to it.
#![allow(dead_code, reason = "not every test file uses everything that they share")]

mod sample;

use std::sync::atomic::AtomicU64;

use dango_audit::checkpoint::Checkpoint;
use dango_audit::{
    AuditStore, ChainKey, Draft, Erasure, Event, Fault, FirstBad, Label, MemoryStore, Outcome, PersonalIndex, PersonalRow, Report,
    SealedHead, Seq, Stage, Subject, Verifier, log,
};
use proptest::prelude::*;
use sample::{Columns, Counting, alice, at, drafts, entropy, from_browser, id, key, now, rows, store_of};

#[derive(Clone)]
struct Log {
    rows: Vec<Columns>,
    head: Option<SealedHead>,
}

fn untouched() -> Log {
    let mut store = store_of(&drafts());
    Log {
        rows: rows(&mut store),
        head: now(store.head()).expect("memory"),
    }
}

fn verify(log: &Log) -> Report {
    let key = key();
    let mut verifier = Verifier::new(&key);
    log.rows.iter().for_each(|row| verifier.push(&row.row()));
    verifier.finish(log.head.as_ref())
}

fn first_bad(log: &Log) -> Option<(u64, Fault)> {
    verify(log).first_bad.map(|FirstBad { seq, fault }| (seq.get(), fault))
}

/// Every text that differs from this one in one byte, is a byte shorter or longer, or is not there.
fn other_texts(text: &str) -> Vec<Option<String>> {
    let mut others = vec![Some(format!("{text} ")), Some(String::new()), None];
    for place in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.as_bytes().to_vec();
            bytes[place] ^= 1 << bit;
            others.extend(String::from_utf8(bytes).ok().map(Some));
        }
        let mut bytes = text.as_bytes().to_vec();
        bytes.remove(place);
        others.extend(String::from_utf8(bytes).ok().map(Some));
    }
    others.retain(|other| other.as_deref() != Some(text));
    others
}

#[test]
fn a_log_that_nobody_touched_is_fine() {
    let report = verify(&untouched());
    assert!(report.is_ok(), "{report:?}");
    assert_eq!((report.events, report.open_intents), (6, vec![]));
}

#[test]
fn every_changed_byte_of_every_column_is_found_and_named() {
    let untouched = untouched();
    let mut tried = 0;
    for index in 0..untouched.rows.len() {
        let mut check = |change: &dyn Fn(&mut Columns)| {
            let mut log = untouched.clone();
            change(&mut log.rows[index]);
            let bad = first_bad(&log).unwrap_or_else(|| panic!("not found: {:?}", log.rows[index]));
            assert_eq!(bad.0, index as u64 + 1, "{:?}", log.rows[index]);
            tried += 1;
        };
        let whole = untouched.rows[index].clone();
        for bit in 0..63 {
            check(&|row| row.seq ^= 1 << bit);
            check(&|row| row.at ^= 1 << bit);
        }
        for other in other_texts(&whole.event).into_iter().flatten() {
            check(&|row| row.event.clone_from(&other));
        }
        for other in other_texts(&whole.actor).into_iter().flatten() {
            check(&|row| row.actor.clone_from(&other));
        }
        for other in other_texts(&whole.origin).into_iter().flatten() {
            check(&|row| row.origin.clone_from(&other));
        }
        for other in other_texts(&whole.details).into_iter().flatten() {
            check(&|row| row.details.clone_from(&other));
        }
        let optional: [fn(&mut Columns) -> &mut Option<String>; 3] =
            [|row| &mut row.target, |row| &mut row.outcome, |row| &mut row.request_id];
        for column in optional {
            let text = column(&mut whole.clone()).clone();
            let mut others = text
                .as_deref()
                .map_or_else(|| vec![Some(String::new()), Some("x".to_owned())], other_texts);
            others.dedup();
            for other in others {
                check(&|row| column(row).clone_from(&other));
            }
        }
        for place in 0..32 {
            for bit in 0..8 {
                check(&|row| row.hash[place] ^= 1 << bit);
                check(&|row| row.prev_hash[place] ^= 1 << bit);
            }
        }
        for length in [0, 31, 33] {
            check(&|row| row.hash.resize(length, 0));
            check(&|row| row.prev_hash.resize(length, 0));
        }
    }
    assert!(tried > 10_000, "{tried}");
}

#[test]
fn a_deleted_record_is_named() {
    for index in 0..6 {
        let mut log = untouched();
        log.rows.remove(index);
        let fault = if index == 5 { Fault::CutOff } else { Fault::Missing };
        assert_eq!(first_bad(&log), Some((index as u64 + 1, fault)));
        // Also when the ones behind it are numbered anew.
        log.rows[index.min(4)..]
            .iter_mut()
            .filter(|row| row.seq > index as i64)
            .for_each(|row| row.seq -= 1);
        assert_eq!(first_bad(&log).map(|(seq, _)| seq), Some(index as u64 + 1));
    }
}

#[test]
fn an_inserted_record_is_named() {
    for index in 0..=6 {
        for from in 0..6 {
            let mut log = untouched();
            let mut copy = log.rows[from].clone();
            log.rows[index..].iter_mut().for_each(|row| row.seq += 1);
            copy.seq = index as i64 + 1;
            log.rows.insert(index, copy);
            // A copy of the record itself is the record; then the one behind it is the copy.
            let place = index as u64 + if from == index { 2 } else { 1 };
            assert_eq!(first_bad(&log).map(|(seq, _)| seq), Some(place), "{from} at {index}");
        }
    }
    let mut log = untouched();
    let copy = log.rows[2].clone();
    log.rows.insert(3, copy);
    assert_eq!(first_bad(&log), Some((4, Fault::OutOfPlace)));
    let mut log = untouched();
    log.rows.insert(
        0,
        Columns {
            seq: 0,
            ..log.rows[0].clone()
        },
    );
    assert_eq!(first_bad(&log), Some((1, Fault::OutOfPlace)));
}

#[test]
fn swapped_records_are_named() {
    for one in 0..6 {
        for other in one + 1..6 {
            let mut log = untouched();
            log.rows.swap(one, other);
            assert_eq!(first_bad(&log), Some((one as u64 + 1, Fault::Missing)));
            let (a, b) = (log.rows[one].seq, log.rows[other].seq);
            (log.rows[one].seq, log.rows[other].seq) = (b, a);
            assert_eq!(first_bad(&log).map(|(seq, _)| seq), Some(one as u64 + 1));
        }
    }
}

#[test]
fn a_cut_off_tail_is_found_down_to_nothing() {
    for kept in 0..6 {
        let mut log = untouched();
        log.rows.truncate(kept);
        assert_eq!(first_bad(&log), Some((kept as u64 + 1, Fault::CutOff)));
        log.head = None;
        let expected = (kept > 0).then_some((kept as u64 + 1, Fault::HeadMissing));
        assert_eq!(first_bad(&log), expected);
    }
}

#[test]
fn a_head_for_a_shorter_chain_cannot_be_made_without_the_key() {
    let mut log = untouched();
    log.rows.truncate(4);
    let short = {
        let mut store = store_of(&drafts()[..4]);
        now(store.head()).expect("memory").expect("there")
    };
    // Everything right but the tag, which is that of the longer chain.
    let forged = short.with_row(|short| {
        untouched()
            .head
            .expect("there")
            .with_row(|long| SealedHead::from_row(dango_audit::HeadRow { tag: long.tag, ..short }))
    });
    log.head = Some(forged);
    assert_eq!(first_bad(&log), Some((5, Fault::HeadForged)));
    log.head = untouched()
        .head
        .map(|head| head.with_row(|row| SealedHead::from_row(dango_audit::HeadRow { seq: -1, ..row })));
    assert_eq!(first_bad(&log), Some((5, Fault::HeadForged)));
}

#[test]
fn records_behind_the_head_are_found() {
    let mut log = untouched();
    let mut store = store_of(&drafts()[..4]);
    log.head = now(store.head()).expect("memory");
    assert_eq!(first_bad(&log), Some((5, Fault::BehindHead)));
}

#[test]
fn a_chain_hashed_again_without_the_key_is_found_at_its_first_record() {
    let mut other = MemoryStore::new();
    let (wrong, entropy) = (ChainKey::from_derived(&[8; 32]), entropy());
    for draft in drafts() {
        now(log::record(&mut other, &wrong, &entropy, &draft)).expect("memory");
    }
    let head = now(other.head()).expect("memory");
    let log = Log {
        rows: rows(&mut other),
        head,
    };
    assert_eq!(first_bad(&log), Some((1, Fault::Altered)));

    // From the middle on: the hashes are those of another key, and each record follows the one before.
    let mut log = untouched();
    let mut prev = log.rows[2].hash.clone();
    for (row, forged) in log.rows[3..].iter_mut().zip(rows(&mut other)[3..].iter()) {
        row.prev_hash = prev;
        row.hash.clone_from(&forged.hash);
        prev = row.hash.clone();
    }
    assert_eq!(first_bad(&log), Some((4, Fault::Altered)));
}

#[test]
fn behind_the_first_bad_record_the_rest_is_only_counted() {
    let mut log = untouched();
    log.rows[1].at += 1;
    log.rows[4].at += 1;
    log.rows.truncate(5);
    let report = verify(&log);
    assert_eq!(report.first_bad.map(|bad| bad.seq), Some(Seq::new(2)));
    assert_eq!((report.events, report.last_good.0), (5, Seq::FIRST));
}

#[test]
fn an_intent_without_outcome_is_reported_and_no_fault() {
    let drafts = drafts();
    let mut store = store_of(&[drafts[0].clone(), drafts[1].clone(), drafts[2].clone(), drafts[5].clone()]);
    let report = now(log::verify(&mut store, &key(), &[])).expect("memory");
    assert!(report.is_ok());
    assert_eq!(report.open_intents, [Seq::new(3)]);
}

#[test]
fn a_checkpoint_kept_elsewhere_finds_what_the_head_cannot() {
    let name = || "dango.example/audit".parse().expect("a name");
    let mut store = store_of(&drafts());
    let checkpoint = now(log::checkpoint(&mut store, &key(), name())).expect("memory");
    let verify = |store: &mut MemoryStore| now(log::verify(store, &key(), std::slice::from_ref(&checkpoint))).expect("memory");
    assert!(verify(&mut store).is_ok());

    // Yesterday's copy of the database, head and all.
    let mut older = store_of(&drafts()[..4]);
    assert_eq!(
        verify(&mut older).first_bad.map(|bad| (bad.seq.get(), bad.fault)),
        Some((5, Fault::CutOffBeforeCheckpoint))
    );
    let mut empty = MemoryStore::new();
    assert_eq!(
        verify(&mut empty).first_bad.map(|bad| bad.fault),
        Some(Fault::CutOffBeforeCheckpoint)
    );

    // Another history, written by somebody who has the key.
    let mut other = drafts();
    other.swap(0, 1);
    other.push(other[5].clone());
    let mut rewritten = store_of(&other);
    assert_eq!(
        verify(&mut rewritten).first_bad.map(|bad| (bad.seq.get(), bad.fault)),
        Some((6, Fault::CheckpointMismatch))
    );

    // The log goes on, and checkpoints of all its sizes hold.
    let mut store = store_of(&drafts());
    let all: Vec<Checkpoint> = (0..=6)
        .map(|size| now(log::checkpoint(&mut store_of(&drafts()[..size]), &key(), name())).expect("memory"))
        .collect();
    assert!(now(log::verify(&mut store, &key(), &all)).expect("memory").is_ok());
}

#[test]
fn personal_data_that_was_changed_or_taken_away_unrecorded_is_found() {
    let mut store = store_of(&drafts());
    let rows = rows(&mut store);
    let head = now(store.head()).expect("memory");
    let mut entries = Vec::new();
    now(store.all_personal(&mut |row: PersonalRow<'_>| {
        entries.push((
            row.id.to_vec(),
            row.subject.to_owned(),
            row.label.map(str::to_owned),
            row.ip.map(str::to_owned),
            row.user_agent.map(str::to_owned),
            row.salt.to_vec(),
        ));
    }))
    .expect("memory");
    let key = key();
    let verify = |index: &PersonalIndex| {
        let mut verifier = Verifier::new(&key).with_personal(index);
        rows.iter().for_each(|row| verifier.push(&row.row()));
        verifier.finish(head.as_ref())
    };
    for index in 0..entries.len() {
        for change in [true, false] {
            let mut personal = PersonalIndex::new();
            for (place, (id, subject, label, ip, user_agent, salt)) in entries.iter().enumerate() {
                let changed = place == index;
                if changed && !change {
                    continue;
                }
                personal.add(PersonalRow {
                    id,
                    subject,
                    label: if changed { Some("mallory@example.com") } else { label.as_deref() },
                    ip: ip.as_deref(),
                    user_agent: user_agent.as_deref(),
                    salt,
                });
            }
            let fault = verify(&personal).first_bad.expect("found").fault;
            assert_eq!(fault, if change { Fault::PersonalAltered } else { Fault::PersonalMissing });
        }
    }
}

#[test]
fn one_recorded_erasure_does_not_cover_another_that_was_not() {
    let mut store = store_of(&drafts());
    let entropy = Counting(AtomicU64::new(1000));
    let draft = Draft::new(
        at(6),
        Event::PersonalDataErased,
        dango_audit::Actor::system(),
        Stage::Ended(Outcome::Success),
    );
    let bob = Erasure::Subject(Subject::user(&id(2)));
    assert_eq!(now(log::erase(&mut store, &key(), &entropy, &bob, draft)).expect("memory"), 1);
    let report = now(log::verify(&mut store, &key(), &[])).expect("memory");
    assert!(report.is_ok() && report.erased == 1, "{report:?}");

    let mut more = store.clone();
    assert!(now(more.erase(&Erasure::Subject(Subject::user(&id(1))))).expect("memory") > 0);
    let report = now(log::verify(&mut more, &key(), &[])).expect("memory");
    assert_eq!(report.first_bad.map(|bad| bad.fault), Some(Fault::PersonalMissing));

    // Nor one that comes later.
    let later = Draft::new(at(7), Event::Logout, alice(), Stage::Ended(Outcome::Success)).from(from_browser());
    now(log::record(&mut store, &key(), &entropy, &later)).expect("memory");
    assert!(now(store.erase(&Erasure::Label(Label::new("alice@example.com")))).expect("memory") > 0);
    let report = now(log::verify(&mut store, &key(), &[])).expect("memory");
    assert_eq!(
        report.first_bad.map(|bad| (bad.seq.get(), bad.fault)),
        Some((8, Fault::PersonalMissing))
    );
}

#[test]
fn nothing_is_added_to_a_chain_of_another_key() {
    let mut store = store_of(&drafts());
    let error = now(log::record(&mut store, &ChainKey::from_derived(&[9; 32]), &entropy(), &drafts()[5])).expect_err("refused");
    assert_eq!(error.code(), "audit_head_forged");
    assert_eq!(rows(&mut store).len(), 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_rearrangement_of_rows_but_the_right_one_is_found(order in proptest::collection::vec(0..6_usize, 0..9), renumber: bool) {
        let whole = untouched();
        let mut log = Log { rows: order.iter().map(|index| whole.rows[*index].clone()).collect(), head: whole.head.clone() };
        if renumber {
            log.rows.iter_mut().zip(1..).for_each(|(row, seq)| row.seq = seq);
        }
        prop_assert_eq!(verify(&log).is_ok(), log.rows == whole.rows);
    }
}
