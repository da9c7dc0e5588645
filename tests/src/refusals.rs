//! Refused logins over a real SQLite store: every kind of refusal in random order, and what each of them takes. Judging the times is left to others.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use dango_actions::{Actions, Caller, LogInError, Setup};
use dango_audit::{Actor, ChainKey, Draft, Event, Label, Outcome, Stage, Target, log};
use dango_core::{Clock, Entropy, OsEntropy, SystemClock, Timestamp};
use dango_identity::{
    AuditChainKey, Client, HashingCost, HashingGate, IdentityKey, NewUser, Password, PasswordHasher, PasswordRecord, Pepper, Role,
    StoreError, StoredPassword,
};
use dango_store::{StoreExt, StoreFailure};
use dango_store_sqlite::{Open, SqliteStore};
use pollster::block_on;

const RIGHT: &str = "correct horse battery staple";
const WRONG: &str = "correct horse battery stable";

/// Why somebody is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such account.
    Unknown,
    /// The account is switched off; the password is right.
    Inactive,
    /// The password is wrong.
    WrongPassword,
    /// A control: too many failures, which is told before anything is hashed.
    Locked,
    /// A control: the password is wrong, and its stored hash costs twice as much as one does today.
    DearerHash,
}

impl Refusal {
    /// Those that must not be told apart.
    pub const ALIKE: [Self; 3] = [Self::Unknown, Self::Inactive, Self::WrongPassword];

    /// Its name, as [`FromStr`] reads it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Inactive => "inactive",
            Self::WrongPassword => "wrong-password",
            Self::Locked => "locked",
            Self::DearerHash => "dearer-hash",
        }
    }
}

/// What is measured of a login.
#[derive(Clone, Copy, Debug)]
pub enum Meter {
    /// What a client waits.
    WallClock,
    /// What all threads of this process compute: other programs that keep the machine busy hardly change it.
    ProcessorTime,
}

impl Meter {
    fn now(self) -> Duration {
        let clock = match self {
            Self::WallClock => rustix::time::ClockId::Monotonic,
            Self::ProcessorTime => rustix::time::ClockId::ProcessCPUTime,
        };
        rustix::time::clock_gettime(clock).try_into().expect("these clocks begin at zero")
    }
}

/// Makes people in a new database in a folder, lets each be refused once, and tells what every refusal took in microseconds.
///
/// All are refused in one random order: whatever else the machine does meets every kind with the same probability.
///
/// # Errors
///
/// Where anything fails, or somebody is let in or refused for another reason.
pub fn sample(folder: &Path, wanted: &[(Refusal, usize)], meter: Meter) -> Result<Vec<(Refusal, f64)>, Box<dyn Error>> {
    let key = IdentityKey::make(&OsEntropy)?;
    let store = Arc::new(SqliteStore::open(&folder.join("people.db"), Open::OrCreate)?);
    let mut tries: Vec<(Refusal, String)> = Vec::new();
    for (refusal, count) in wanted {
        // One that is locked stays so; everybody else has a budget for one try only.
        tries.extend((0..*count).map(|number| match refusal {
            Refusal::Locked => (*refusal, address(*refusal, 0)),
            _ => (*refusal, address(*refusal, number)),
        }));
    }
    add_people(&store, &key, wanted)?;
    let actions = Actions::new(store, &key, Setup::default(), Arc::new(SystemClock), Arc::new(OsEntropy))?;
    for _ in 0..5 {
        refuse(&actions, Refusal::WrongPassword, &address(Refusal::Locked, 0))?;
    }
    shuffle(&mut tries)?;
    let mut taken = Vec::with_capacity(tries.len());
    for (refusal, email) in tries {
        let begun = meter.now();
        refuse(&actions, refusal, &email)?;
        taken.push((refusal, (meter.now() - begun).as_secs_f64() * 1e6));
    }
    Ok(taken)
}

/// Of one length, because a longer address is a longer row.
fn address(refusal: Refusal, number: usize) -> String {
    format!("{:_<14}{number:06}@example.com", refusal.name())
}

fn refuse(actions: &Actions, refusal: Refusal, email: &str) -> Result<(), Box<dyn Error>> {
    let typed = if refusal == Refusal::Inactive { RIGHT } else { WRONG };
    let caller = Caller::anonymous(Client::default());
    let answer = block_on(actions.log_in(&caller, email, Password::new(typed.to_owned())?, None, None));
    match (answer, refusal) {
        (Err(LogInError::Locked(_)), Refusal::Locked) => Ok(()),
        (Err(LogInError::InvalidCredentials), other) if other != Refusal::Locked => Ok(()),
        (Err(error), _) => Err(error.into()),
        (Ok(_), _) => Err(format!("{refusal} was let in").into()),
    }
}

fn add_people(store: &SqliteStore, key: &IdentityKey, wanted: &[(Refusal, usize)]) -> Result<(), Box<dyn Error>> {
    let now = SystemClock.now();
    let (today, dearer) = (hash_at(HashingCost::FLOOR, key)?, hash_at(HashingCost::new(19_456, 4, 1)?, key)?);
    for (refusal, count) in wanted.iter().copied() {
        let count = match refusal {
            Refusal::Unknown => 0,
            Refusal::Locked => 1,
            _ => count,
        };
        let record = if refusal == Refusal::DearerHash { &dearer } else { &today };
        let people: Result<Vec<NewUser>, Box<dyn Error>> = (0..count).map(|number| person(refusal, number, record, now)).collect();
        let (people, chain) = (people?, ChainKey::from_derived(AuditChainKey::derive(key).expose()));
        let adding = store.write(move |tx| {
            Box::pin(async move {
                for new in &people {
                    let _ = tx.insert_user(new).await?;
                    if refusal == Refusal::Inactive {
                        let _ = tx.deactivate_user(new.user.id, now).await?;
                    }
                    // Whoever is there stands in the log already.
                    let id = new.user.id.to_string().parse().map_err(StoreFailure::unavailable)?;
                    let target = Target::user(&id, Label::new(new.user.email.as_str()));
                    let draft = Draft::new(now, Event::UserCreated, Actor::system(), Stage::Ended(Outcome::Success)).on(target);
                    log::record(tx, &chain, &OsEntropy, &draft)
                        .await
                        .map_err(StoreFailure::unavailable)?;
                }
                Ok::<_, StoreError>(())
            })
        });
        block_on(adding)?;
    }
    Ok(())
}

fn person(refusal: Refusal, number: usize, record: &PasswordRecord, now: Timestamp) -> Result<NewUser, Box<dyn Error>> {
    let email = address(refusal, number).parse()?;
    let chosen = StoredPassword::chosen(record.clone(), now);
    Ok(NewUser::with_password(email, Role::Viewer, chosen, now, &OsEntropy)?)
}

fn hash_at(cost: HashingCost, key: &IdentityKey) -> Result<PasswordRecord, Box<dyn Error>> {
    let gate = Arc::new(HashingGate::new(std::num::NonZeroUsize::MIN, 1));
    let hasher = PasswordHasher::new(cost, Pepper::derive(key), Vec::new(), gate, &OsEntropy)?;
    Ok(hasher.hash(&Password::new(RIGHT.to_owned())?, &OsEntropy)?)
}

/// Every order is as likely as any other (Fisher and Yates).
fn shuffle<T>(items: &mut [T]) -> Result<(), Box<dyn Error>> {
    for last in (1..items.len()).rev() {
        let mut bytes = [0; 8];
        OsEntropy.fill(&mut bytes)?;
        let other = u64::from_le_bytes(bytes) % (last as u64 + 1);
        items.swap(last, usize::try_from(other)?);
    }
    Ok(())
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Refusal {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = [Self::Unknown, Self::Inactive, Self::WrongPassword, Self::Locked, Self::DearerHash];
        all.into_iter()
            .find(|refusal| refusal.name() == name)
            .ok_or_else(|| format!("{name} is no refusal"))
    }
}
