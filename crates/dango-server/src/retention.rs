//! The thread that lets go of what has ended: sessions, tries, and old records of the log where that is wanted. Of several servers on one
//! database one does it. What has ended is decided by `dango-actions`.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use dango_actions::{Actions, AuthManage, Caller, Machine, PruneAuditError};
use dango_core::{Clock, Timestamp};
use dango_secrets::home::{Claim, Rows};

use crate::failure::{Failure, chain};

/// How often it looks whether something is to be done, so that another follows soon where the one that did it is gone.
const LOOK: Duration = Duration::from_secs(300);
/// How often sessions and tries are looked through.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(3600);
/// How often the log is: it is verified whole before records leave it.
const BETWEEN_PRUNINGS: Duration = Duration::from_secs(86_400);

/// How long it waits after trouble: the log is not verified again and again.
const AFTER_TROUBLE: Duration = Duration::from_secs(3600);

/// Whose claims these are: the database's, and no project's.
const DATABASE: &str = "database";

/// For how long an end waits for what it is at: a database that is let go of by all is whole in its file. Whatever takes longer is broken off,
/// as each portion is a transaction of its own.
const GRACE: Duration = Duration::from_secs(2);

/// The thread; dropped, it ends.
pub(crate) struct Sweeper {
    end: Option<Sender<()>>,
    ended: Receiver<()>,
}

/// What the thread needs.
pub(crate) struct Swept {
    pub(crate) actions: Actions,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where servers on the same database agree who does it; nothing where there is one server.
    pub(crate) rows: Option<Arc<dyn Rows>>,
    /// Who this server is among them.
    pub(crate) holder: [u8; 16],
    /// After how many days records leave the log; nothing for never.
    pub(crate) audit_days: Option<NonZeroU32>,
}

impl Sweeper {
    pub(crate) fn start(swept: Swept) -> std::io::Result<Self> {
        let (end, ends) = channel();
        let (ending, ended) = channel();
        std::thread::Builder::new().name("dango-retention".to_owned()).spawn(move || {
            // Dropped after everything else of the thread, whatever ends it.
            let _ending: Sender<()> = ending;
            let swept = swept;
            let (mut sweep, mut pruning) = (
                Chore::new("retention", BETWEEN_SWEEPS),
                Chore::new("audit-retention", BETWEEN_PRUNINGS),
            );
            loop {
                swept.look(&mut sweep, &mut pruning);
                if ends.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Self { end: Some(end), ended })
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.end = None;
        let _ = self.ended.recv_timeout(GRACE);
    }
}

/// Something that is done once in a while, by one server.
struct Chore {
    name: &'static str,
    interval: Duration,
    not_before: Timestamp,
}

impl Chore {
    const fn new(name: &'static str, interval: Duration) -> Self {
        Self {
            name,
            interval,
            not_before: Timestamp::from_unix_micros(i64::MIN),
        }
    }
}

impl Swept {
    fn look(&self, sweep: &mut Chore, pruning: &mut Chore) {
        self.take_turn(sweep, |chore| pollster::block_on(self.sweep(chore)));
        if let Some(days) = self.audit_days {
            self.take_turn(pruning, |_| pollster::block_on(self.prune(days)));
        }
    }

    /// Does what is due, if no other server does it.
    fn take_turn(&self, chore: &mut Chore, work: impl FnOnce(&Chore) -> Result<(), Failure>) {
        let now = self.clock.now();
        if now < chore.not_before {
            return;
        }
        let done = match self.is_mine(chore) {
            Ok(false) => return,
            Ok(true) => {
                let done = work(chore);
                // The claim stays until then, so that the others do not do it again.
                let pause = if done.is_ok() { chore.interval } else { AFTER_TROUBLE };
                chore.not_before = later(now, pause);
                done
            }
            Err(failure) => Err(failure),
        };
        if let Err(failure) = done {
            failure.at("what has ended stays until the next try").log();
        }
    }

    /// Claims the work until it is due again, or prolongs the claim; nobody else can have it meanwhile.
    fn is_mine(&self, chore: &Chore) -> Result<bool, Failure> {
        let Some(rows) = &self.rows else { return Ok(true) };
        let claim = Claim {
            name: chore.name.to_owned(),
            holder: self.holder,
        };
        rows.claim(DATABASE, &claim, chore.interval)
            .map_err(|error| Failure::caused_by(&error))
    }

    async fn sweep(&self, chore: &Chore) -> Result<(), Failure> {
        let permit = self.actions.permit::<Machine>(&Caller::system()).await;
        let permit = permit.map_err(|error| Failure::caused_by(&error))?;
        let (mut sessions, mut attempts) = (0, 0);
        loop {
            let gone = self.actions.let_go_of_ended(&permit).await.map_err(Failure::from)?;
            sessions += gone.sessions;
            attempts += gone.attempts;
            if !gone.has_more || !self.is_mine(chore)? {
                break;
            }
        }
        if sessions + attempts > 0 {
            tracing::info!(sessions, attempts, "let go of what has ended");
        }
        Ok(())
    }

    async fn prune(&self, days: NonZeroU32) -> Result<(), Failure> {
        let permit = self.actions.permit::<AuthManage>(&Caller::system()).await;
        let permit = permit.map_err(|error| Failure::caused_by(&error))?;
        let kept = i64::from(days.get()) * 86_400 * 1_000_000;
        let before = Timestamp::from_unix_micros(self.clock.now().unix_micros().saturating_sub(kept));
        match self.actions.prune_audit_if_due(&permit, before).await {
            Ok(Some(segment)) => tracing::info!(records = segment.count(), "pruned the audit log"),
            Ok(None) => {}
            // Asking again soon makes it no better, and each time is recorded.
            Err(error @ PruneAuditError::NotIntact) => tracing::error!("{}", chain(&error)),
            Err(error) => return Err(Failure::caused_by(&error)),
        }
        Ok(())
    }
}

fn later(at: Timestamp, wait: Duration) -> Timestamp {
    let micros = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_unix_micros(at.unix_micros().saturating_add(micros))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use dango_actions::{AuditView, LetGo, Setup};
    use dango_audit::query::{Filter, PageLimit};
    use dango_core::{OsEntropy, SecretValue};
    use dango_identity::{Client, IdentityKey, Password};
    use dango_secrets::home::{MemoryRows, Trouble};
    use dango_store::MemoryStore;
    use pollster::block_on;

    use super::*;

    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_micros(self.0.load(Ordering::SeqCst))
        }

        fn local_offset_seconds(&self, _: Timestamp) -> i32 {
            0
        }
    }

    struct Servers {
        clock: Arc<Hand>,
        rows: Arc<MemoryRows>,
        all: Vec<(Swept, Chore, Chore)>,
    }

    impl Servers {
        fn new(count: u8, audit_days: Option<u32>) -> Self {
            let clock = Arc::new(Hand(AtomicI64::new(1_795_000_000_000_000)));
            let key = IdentityKey::parse(&SecretValue::new("07".repeat(32)).expect("hex")).expect("a key");
            let (shared, entropy) = (Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(OsEntropy));
            let actions = Actions::new(Arc::new(MemoryStore::new()), &key, Setup::default(), Arc::clone(&shared), entropy).expect("random");
            let rows = Arc::new(MemoryRows::new());
            let server = |number| {
                let swept = Swept {
                    actions: actions.clone(),
                    clock: Arc::clone(&shared),
                    rows: Some(Arc::clone(&rows) as _),
                    holder: [number; 16],
                    audit_days: audit_days.and_then(NonZeroU32::new),
                };
                (
                    swept,
                    Chore::new("retention", BETWEEN_SWEEPS),
                    Chore::new("audit-retention", BETWEEN_PRUNINGS),
                )
            };
            let all = (0..count).map(server).collect();
            Self { clock, rows, all }
        }

        fn actions(&self) -> &Actions {
            &self.all[0].0.actions
        }

        fn pass(&self, seconds: u64) {
            let micros = i64::try_from(seconds * 1_000_000).expect("small");
            self.clock.0.fetch_add(micros, Ordering::SeqCst);
            self.rows.pass(Duration::from_secs(seconds));
        }

        /// All look; answers who has done it, just now.
        fn look(&mut self) -> Vec<u8> {
            for (swept, sweep, pruning) in &mut self.all {
                swept.look(sweep, pruning);
            }
            let now = self.clock.now();
            let done = self
                .all
                .iter()
                .filter(|(_, sweep, _)| sweep.not_before == later(now, BETWEEN_SWEEPS));
            done.map(|(swept, ..)| swept.holder[0]).collect()
        }

        /// Leaves a try that matters for a month, and a record of it.
        fn guess(&self) {
            let password = Password::new("not the right one".to_owned()).expect("short enough");
            let caller = Caller::anonymous(Client::default());
            let refused = block_on(self.actions().log_in(&caller, "nobody@x.example", password, None, None));
            assert!(refused.is_err());
        }

        fn records(&self) -> usize {
            let permit = block_on(self.actions().permit::<AuditView>(&Caller::system())).expect("it may");
            let limit = PageLimit::new(500).expect("few");
            let page = block_on(self.actions().list_audit(&permit, Filter::default(), limit)).expect("readable");
            page.events.len()
        }

        /// What was left over.
        fn left(&self) -> LetGo {
            let permit = block_on(self.actions().permit::<Machine>(&Caller::system())).expect("it may");
            block_on(self.actions().let_go_of_ended(&permit)).expect("done")
        }
    }

    #[test]
    fn of_three_servers_one_does_it_each_hour_and_another_follows_one_that_is_gone() {
        let mut servers = Servers::new(3, None);
        servers.guess();
        servers.pass(31 * 86_400);
        assert_eq!(servers.look(), [0]);
        assert_eq!(servers.left(), LetGo::default());
        assert_eq!(
            servers.records(),
            1,
            "without a setting nothing leaves the log, and nothing is added to it"
        );
        servers.all.remove(0);
        servers.pass(3599);
        assert!(servers.look().is_empty());
        servers.pass(1);
        servers.rows.trouble([Trouble::NotDone]);
        assert_eq!(servers.look(), [2], "whom the database did not answer stops nobody");
    }

    #[test]
    fn old_records_leave_the_log_where_that_is_wanted() {
        let mut servers = Servers::new(2, Some(30));
        servers.guess();
        servers.pass(29 * 86_400);
        servers.guess();
        let _ = servers.look();
        assert_eq!(servers.records(), 2);
        servers.pass(2 * 86_400);
        let _ = servers.look();
        assert_eq!(servers.records(), 2, "the first is gone, and a record says so");
        let _ = servers.look();
        assert_eq!(servers.records(), 2);
    }
}
