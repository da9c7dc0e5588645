//! What an independent program makes from `docs/formats/audit.md` (`vectors/make.py`), byte for byte; how the vectors are made is not here.
#![allow(dead_code, reason = "not every test file uses everything that they share")]

mod sample;

use dango_audit::checkpoint::{Checkpoint, CheckpointKey, CheckpointVerifier};
use dango_audit::merkle::{leaf_hash, verify_consistency, verify_inclusion};
use dango_audit::retention::{SealedSegment, SegmentBuilder, SegmentRow};
use dango_audit::{
    Actor, AuditStore, ChainKey, Detail, Details, Digest, Draft, Event, HeadRow, Id, Label, MemoryStore, Origin, Outcome, Personal,
    PersonalRow, SealedHead, Seq, Stage, Target, TargetKind, UserAgent, Word, canonical_bytes, log,
};
use dango_core::{CredentialPath, Timestamp, VariableName};
use data_encoding::HEXLOWER;
use sample::{Counting, now, rows};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/vectors.json")).expect("JSON")
}

fn list(name: &str) -> Vec<Value> {
    let some = vectors()[name].as_array().expect("an array").clone();
    assert!(!some.is_empty(), "{name}");
    some
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(text(value).as_bytes()).expect("hex")
}

fn key() -> ChainKey {
    ChainKey::from_derived(&hex(&vectors()["chain_key"]).try_into().expect("32 bytes"))
}

fn signer() -> CheckpointKey {
    let seed = hex(&vectors()["checkpoint_seed"]).try_into().expect("32 bytes");
    CheckpointKey::from_derived(text(&vectors()["log_name"]).parse().expect("a name"), &seed)
}

fn id(number: u8) -> Id {
    sample::id(number)
}

/// The records of the vectors as a caller says them.
fn drafts() -> Vec<Draft> {
    let at = |index: i64| Timestamp::from_unix_micros(1_700_000_000_000_000 + index * 1_000_001);
    let ended = |index, event, actor, outcome| Draft::new(at(index), event, actor, Stage::Ended(outcome));
    let cli = || Actor::cli(Some("1000".parse().expect("an id")), Some(Label::new("alice")));
    let variable: VariableName = "STRIPE_API_KEY".parse().expect("a name");
    let path: CredentialPath = r#"sources."a\"b".key"#.parse().expect("a path");
    let set = Draft::new(at(2), Event::SecretSet, cli(), Stage::Intent)
        .on(Target::new(TargetKind::Variable, &variable))
        .with_details(
            Details::new()
                .with(Detail::Action, Word::new("created"))
                .with(Detail::Key, &variable),
        );
    vec![
        ended(0, Event::LoginSuccess, sample::alice(), Outcome::Success)
            .on(Target::user(&id(1), Label::new("alice@example.com")))
            .from(sample::from_browser())
            .with_request(id(8))
            .with_details(Details::new().with(Detail::Factors, [Word::new("password"), Word::new("totp")].as_slice())),
        ended(1, Event::LoginFailure, Actor::unknown(), Outcome::Denied)
            .from(Origin {
                ip: Some("2001:DB8:0::7".parse().expect("an address")),
                user_agent: Some(UserAgent::new("a\r\n\u{202e}b \"q\" é")),
                session: None,
            })
            .with_details(
                Details::new()
                    .with(Detail::Reason, Word::new("no_account"))
                    .with(Detail::Attempts, 3),
            ),
        set.clone(),
        set.at_stage(at(3), Stage::IntentEnded(Seq::new(3), Outcome::Failure)).with_details(
            Details::new()
                .with(Detail::Action, Word::new("created"))
                .with(Detail::Key, &variable)
                .with(Detail::Encrypted, true),
        ),
        ended(
            4,
            Event::RoleChanged,
            Actor::api_key(id(5), Label::new("deploy"), &id(1)),
            Outcome::Success,
        )
        .on(Target::user(&id(2), Label::new("bob@example.com")))
        .with_request(id(8))
        .with_details(
            Details::new()
                .with(Detail::OldRole, Word::new("viewer"))
                .with(Detail::NewRole, Word::new("editor")),
        ),
        ended(5, Event::SecretDeleted, cli(), Outcome::Success)
            .on(Target::new(TargetKind::Secret, &path))
            .with_details(Details::new().with(Detail::Path, &path).with(Detail::Count, -1)),
        ended(6, Event::ServerStopped, Actor::system(), Outcome::Success).on(Target::of(TargetKind::Server)),
    ]
}

/// The store after so many of the records.
fn store(size: usize) -> MemoryStore {
    let (mut store, entropy) = (MemoryStore::new(), Counting(1.into()));
    for draft in &drafts()[..size] {
        now(log::record(&mut store, &key(), &entropy, draft)).expect("memory");
    }
    store
}

fn whole() -> MemoryStore {
    store(drafts().len())
}

#[test]
fn records_are_written_as_the_other_program_writes_them() {
    let rows = rows(&mut whole());
    let theirs = list("records");
    assert_eq!(rows.len(), theirs.len());
    for (row, theirs) in rows.iter().zip(&theirs) {
        let optional = |member: &str| theirs[member].as_str();
        let row = row.row();
        assert_eq!((Some(row.seq), Some(row.at)), (theirs["seq"].as_i64(), theirs["at"].as_i64()));
        assert_eq!(
            (row.event, row.actor, row.target),
            (text(&theirs["event"]), text(&theirs["actor"]), optional("target"))
        );
        assert_eq!((row.outcome, row.origin), (optional("outcome"), text(&theirs["origin"])));
        assert_eq!((row.request_id, row.details), (optional("request_id"), text(&theirs["details"])));
        assert_eq!(canonical_bytes(&row), hex(&theirs["canonical_bytes"]));
        assert_eq!(
            (row.prev_hash, row.hash),
            (hex(&theirs["prev_hash"]).as_slice(), hex(&theirs["hash"]).as_slice())
        );
    }
}

#[test]
fn entries_of_personal_data_are_the_same() {
    let mut store = whole();
    let mut count = 0;
    now(store.all_personal(&mut |_| count += 1)).expect("memory");
    let theirs = list("personal");
    assert_eq!(count, theirs.len());
    for entry in &theirs {
        let (id, salt) = (hex(&entry["id"]), hex(&entry["salt"]));
        let row = PersonalRow {
            id: &id,
            subject: text(&entry["subject"]),
            label: entry["label"].as_str(),
            ip: entry["ip"].as_str(),
            user_agent: entry["user_agent"].as_str(),
            salt: &salt,
        };
        let parsed = Personal::from_row(row).expect("intact");
        let mut ours = None;
        now(store.personal(&[parsed.id()], &mut |row| ours = Personal::from_row(row))).expect("memory");
        assert_eq!(ours, Some(parsed));
    }
}

#[test]
fn heads_are_sealed_alike_at_every_length() {
    for (size, theirs) in (1..).zip(list("heads")) {
        let ours = now(store(size).head()).expect("memory").expect("there");
        let theirs = SealedHead::from_row(HeadRow {
            seq: theirs["seq"].as_i64().expect("a number"),
            count: theirs["count"].as_i64().expect("a number"),
            hash: &hex(&theirs["hash"]),
            frontier: &hex(&theirs["frontier"]),
            tag: &hex(&theirs["tag"]),
        });
        assert!(theirs.open(&key()).is_ok());
        assert_eq!(ours, theirs);
    }
}

#[test]
fn a_segment_is_sealed_alike() {
    let theirs = &vectors()["segment"];
    let number = |member: &str| theirs[member].as_i64().expect("a number");
    let theirs = SealedSegment::from_row(SegmentRow {
        first_seq: number("first_seq"),
        last_seq: number("last_seq"),
        first_at: number("first_at"),
        last_at: number("last_at"),
        hash: &hex(&theirs["hash"]),
        frontier: &hex(&theirs["frontier"]),
        tag: &hex(&theirs["tag"]),
    });
    assert!(theirs.open(&key()).is_ok());
    let mut builder = SegmentBuilder::after(None);
    rows(&mut whole())[..2].iter().for_each(|row| builder.push(&row.row()));
    assert_eq!(builder.finish().expect("two records").seal(&key()), theirs);
}

#[test]
fn checkpoints_are_signed_alike_and_open_with_the_other_programs_key() {
    for (size, theirs) in (1..).zip(list("checkpoints")) {
        let head = now(store(size).head()).expect("memory").expect("there");
        let name = text(&vectors()["log_name"]).parse().expect("a name");
        let ours = Checkpoint::of(name, head.open(&key()).expect("opens"));
        assert_eq!(signer().sign(&ours), text(&theirs["note"]));
        let verifier: CheckpointVerifier = text(&theirs["verifier"]).parse().expect("a key");
        assert_eq!(&verifier, signer().verifier());
        assert_eq!(verifier.open(text(&theirs["note"])), Ok(ours));
    }
}

#[test]
fn proofs_are_the_same_and_verify() {
    let mut store = whole();
    let path = |value: &Value| -> Vec<Digest> {
        let hashes = value["path"].as_array().expect("an array").iter();
        hashes.map(|hash| text(hash).parse().expect("a digest")).collect()
    };
    let root = |size: usize| {
        *now(log::checkpoint(&mut self::store(size), &key(), "log".parse().expect("a name")))
            .expect("memory")
            .root()
    };
    for theirs in list("inclusion") {
        let (seq, size) = (
            theirs["seq"].as_u64().expect("a number"),
            theirs["size"].as_u64().expect("a number"),
        );
        let ours = now(log::prove_inclusion(&mut store, &key(), Seq::new(seq), size))
            .expect("memory")
            .expect("is in it");
        assert_eq!(ours.path, path(&theirs));
        assert!(verify_inclusion(
            &leaf_hash(&ours.leaf),
            seq - 1,
            size,
            &ours.path,
            &root(drafts().len())
        ));
    }
    for theirs in list("consistency") {
        let (first, second) = (
            theirs["first"].as_u64().expect("a number"),
            theirs["second"].as_u64().expect("a number"),
        );
        let ours = now(log::prove_consistency(&mut store, &key(), first, second))
            .expect("memory")
            .expect("grew");
        assert_eq!(ours, path(&theirs));
        let first_root = root(usize::try_from(first).expect("small"));
        assert!(verify_consistency(first, &first_root, second, &root(drafts().len()), &ours));
    }
}
