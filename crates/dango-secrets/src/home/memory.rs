//! Rows in memory, for tests: a clock that is set by hand, answers that get lost, and everything open to a thief.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dango_core::Timestamp;

use super::rows::{Claim, Placed, Put, Row, Rows, RowsError};

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// It is not done, and there is no answer.
    NotDone,
    /// It is done, and there is no answer.
    NoAnswer,
    /// There is no answer, and it is done after the next call was.
    Late,
    /// The database says that it does not do it.
    Refused,
}

/// The key of a row: project and name.
pub type RowKey = (String, String);

/// Rows that are gone with the process.
#[derive(Default)]
pub struct MemoryRows {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rows: BTreeMap<RowKey, Row>,
    /// Who has a name, and until when.
    claims: BTreeMap<RowKey, ([u8; 16], i64)>,
    now: i64,
    pace: i64,
    calls: usize,
    troubles: VecDeque<Trouble>,
    late: Vec<Late>,
}

/// A call that is done later.
struct Late {
    after: usize,
    call: Call,
}

/// A call as a value.
enum Call {
    Row(RowKey),
    Put {
        key: RowKey,
        expected: u64,
        row: Row,
        claim: Claim,
    },
    Claim {
        key: RowKey,
        holder: [u8; 16],
        term: i64,
    },
    Release {
        key: RowKey,
        holder: [u8; 16],
    },
}

enum Done {
    Row(Option<Row>),
    Placed(Placed),
    Held(bool),
    Nothing,
}

impl MemoryRows {
    /// No rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the next calls end so, one after the other; what comes after them is well.
    pub fn trouble(&self, troubles: impl IntoIterator<Item = Trouble>) {
        self.with(|state| state.troubles = troubles.into_iter().collect());
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.with(|state| state.calls)
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.with(|state| state.now += micros(time));
    }

    /// Lets so much time pass with each call from now on.
    pub fn pace(&self, time: Duration) {
        self.with(|state| state.pace = micros(time));
    }

    /// Everything that whoever has the database has.
    pub fn dump(&self) -> BTreeMap<RowKey, Row> {
        self.with(|state| state.rows.clone())
    }

    /// Puts other rows in the place of all.
    pub fn restore(&self, rows: BTreeMap<RowKey, Row>) {
        self.with(|state| state.rows = rows);
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn call(&self, call: Call) -> Result<Done, RowsError> {
        self.with(|state| {
            state.calls += 1;
            state.now += state.pace;
            let calls = state.calls;
            let (due, late) = std::mem::take(&mut state.late).into_iter().partition(|late| late.after < calls);
            state.late = late;
            for late in Vec::from_iter::<Vec<Late>>(due) {
                state.act(late.call);
            }
            let lost = || RowsError::Unknown("the connection was lost".into());
            match state.troubles.pop_front().unwrap_or(Trouble::None) {
                Trouble::None => Ok(state.act(call)),
                Trouble::NotDone => Err(lost()),
                Trouble::Refused => Err(RowsError::Refused("no space is left".into())),
                Trouble::NoAnswer => {
                    state.act(call);
                    Err(lost())
                }
                Trouble::Late => {
                    state.late.push(Late { after: calls + 1, call });
                    Err(lost())
                }
            }
        })
    }
}

impl State {
    fn act(&mut self, call: Call) -> Done {
        match call {
            Call::Row(key) => Done::Row(self.rows.get(&key).cloned()),
            Call::Put { key, expected, row, claim } => {
                let claimed = (key.0.clone(), claim.name);
                let is_held = self
                    .claims
                    .get(&claimed)
                    .is_some_and(|(holder, until)| *holder == claim.holder && *until > self.now);
                let there = self.rows.get(&key).map_or(0, |row| row.revision);
                Done::Placed(if !is_held {
                    Placed::ClaimLost
                } else if there != expected {
                    Placed::Outrun
                } else {
                    let changed = Timestamp::from_unix_micros(self.now);
                    self.rows.insert(key, Row { changed, ..row });
                    Placed::Done
                })
            }
            Call::Claim { key, holder, term } => {
                let is_free = self
                    .claims
                    .get(&key)
                    .is_none_or(|(other, until)| *other == holder || *until <= self.now);
                if is_free {
                    self.claims.insert(key, (holder, self.now + term));
                }
                Done::Held(is_free)
            }
            Call::Release { key, holder } => {
                if self.claims.get(&key).is_some_and(|(other, _)| *other == holder) {
                    self.claims.remove(&key);
                }
                Done::Nothing
            }
        }
    }
}

impl Rows for MemoryRows {
    fn row(&self, project: &str, name: &str) -> Result<Option<Row>, RowsError> {
        match self.call(Call::Row(key(project, name)))? {
            Done::Row(row) => Ok(row),
            _ => Ok(None),
        }
    }

    fn revision(&self, project: &str, name: &str) -> Result<Option<u64>, RowsError> {
        Ok(self.row(project, name)?.map(|row| row.revision))
    }

    fn put(&self, put: &Put<'_>) -> Result<Placed, RowsError> {
        let row = Row {
            revision: put.expected + 1,
            key: put.key.to_owned(),
            sealed: put.sealed.to_vec(),
            changed: Timestamp::from_unix_micros(0),
        };
        let call = Call::Put {
            key: key(put.project, put.name),
            expected: put.expected,
            row,
            claim: put.claim.clone(),
        };
        match self.call(call)? {
            Done::Placed(placed) => Ok(placed),
            _ => Ok(Placed::Outrun),
        }
    }

    fn claim(&self, project: &str, claim: &Claim, term: Duration) -> Result<bool, RowsError> {
        let call = Call::Claim {
            key: key(project, &claim.name),
            holder: claim.holder,
            term: micros(term),
        };
        Ok(matches!(self.call(call)?, Done::Held(true)))
    }

    fn release(&self, project: &str, claim: &Claim) -> Result<(), RowsError> {
        let call = Call::Release {
            key: key(project, &claim.name),
            holder: claim.holder,
        };
        self.call(call).map(drop)
    }
}

fn key(project: &str, name: &str) -> RowKey {
    (project.to_owned(), name.to_owned())
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
