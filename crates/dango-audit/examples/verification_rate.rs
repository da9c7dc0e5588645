//! Measures how many records a second are verified on one thread; what is right is tested elsewhere.
//!
//! `cargo run --release -p dango-audit --example verification_rate`

use std::time::{Duration, Instant};

use dango_audit::checkpoint::{Checkpoint, LogName};
use dango_audit::{
    Actor, ChainKey, Detail, Details, Draft, Event, Head, Id, Label, Origin, Outcome, Personal, PersonalIndex, PersonalRefs, Stage, Target,
    TargetKind, UserAgent, Verifier, Word, append,
};
use dango_core::{OsEntropy, Timestamp, VariableName};

const RECORDS: u64 = 1_000_000;
const CHUNK: u64 = 1_000;

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

    let log: LogName = "dango.example/audit".parse()?;
    let mut checkpoints = Vec::new();
    for what in ["verify", "verify against a checkpoint of all of them"] {
        let mut verifier = Verifier::new(&key).with_personal(&index).with_checkpoints(&checkpoints);
        let mut head = Head::genesis();
        let (mut appending, mut verifying) = (Duration::ZERO, Duration::ZERO);
        // In chunks, as they come from a database: what was just read is near, and memory does not grow.
        for _ in 0..RECORDS / CHUNK {
            let start = Instant::now();
            let mut records = Vec::new();
            for _ in 0..CHUNK {
                let (record, next) = append(&key, &head, &draft, refs);
                records.push(record);
                head = next;
            }
            appending += start.elapsed();
            let start = Instant::now();
            records.iter().for_each(|record| verifier.push(&record.row()));
            verifying += start.elapsed();
        }
        checkpoints.push(Checkpoint::of(log.clone(), &head));
        let report = verifier.finish(Some(&head.seal(&key)));
        let rate = |time: Duration| RECORDS as f64 / time.as_secs_f64();
        println!("append: {:.0} records a second", rate(appending));
        println!("{what}: {:.0} records a second, intact: {}", rate(verifying), report.is_ok());
    }
    Ok(())
}
