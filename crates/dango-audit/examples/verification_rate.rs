//! Measures how many records a second are verified on one thread; what is right is tested elsewhere.
//!
//! `cargo run --release -p dango-audit --example verification_rate`

use std::time::Instant;

use dango_audit::{
    Actor, ChainKey, Detail, Details, Draft, Event, Head, Id, Label, Origin, Outcome, Personal, PersonalIndex, PersonalRefs, Row, Stage,
    Target, TargetKind, UserAgent, Verifier, Word, append,
};
use dango_core::{OsEntropy, Timestamp, VariableName};

const RECORDS: u64 = 1_000_000;

#[expect(clippy::print_stdout, reason = "an example that reports what it measured")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = ChainKey::from_derived(&[7; 32]);
    let user: Id = "0192f3a4-7c1e-7abc-8def-0123456789ab".parse()?;
    let variable: VariableName = "STRIPE_API_KEY".parse()?;
    let draft = Draft::new(
        Timestamp::from_unix_micros(1_700_000_000_000_000),
        Event::SecretSet,
        Actor::user(user.clone(), Label::new("alice@example.com")),
        Stage::Ended(Outcome::Success),
    )
    .on(Target::new(TargetKind::Variable, &variable))
    .from(Origin {
        ip: Some("192.0.2.7".parse()?),
        user_agent: Some(UserAgent::new(
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        )),
        session: Some(user.clone()),
    })
    .with_request(user)
    .with_details(
        Details::new()
            .with(Detail::Key, &variable)
            .with(Detail::Action, Word::new("created")),
    );

    let entry = Personal::make(draft.actor_facts().ok_or("the actor has a name")?, &OsEntropy)?;
    let refs = PersonalRefs {
        actor: Some(entry.id()),
        target: None,
    };
    let mut index = PersonalIndex::new();
    index.add(entry.row());

    let start = Instant::now();
    let mut head = Head::genesis();
    let mut records = Vec::new();
    for _ in 0..RECORDS {
        let (record, next) = append(&key, &head, &draft, refs);
        records.push(record);
        head = next;
    }
    println!("append: {:.0} records a second", rate(start));
    let rows: Vec<Row<'_>> = records.iter().map(dango_audit::StoredRecord::row).collect();
    let head = head.seal(&key);

    for with_checkpoint in [false, true] {
        let checkpoint = dango_audit::checkpoint::Checkpoint::of("dango.example/audit".parse()?, head.open(&key)?);
        let checkpoints = if with_checkpoint { vec![checkpoint] } else { Vec::new() };
        let start = Instant::now();
        let mut verifier = Verifier::new(&key).with_personal(&index).with_checkpoints(&checkpoints);
        rows.iter().for_each(|row| verifier.push(row));
        let report = verifier.finish(Some(&head));
        let what = if with_checkpoint { "verify against a checkpoint" } else { "verify" };
        println!("{what}: {:.0} records a second, intact: {}", rate(start), report.is_ok());
    }
    Ok(())
}

fn rate(start: Instant) -> f64 {
    RECORDS as f64 / start.elapsed().as_secs_f64()
}
