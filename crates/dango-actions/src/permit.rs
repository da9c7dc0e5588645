//! The ticket that an action demands, and who gets one. What roles may do is the domain's.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};

use dango_audit::{Detail, Details, Event, Outcome, Word};
use dango_core::Timestamp;
use dango_identity::{Permission, Role, UserId};

use crate::actions::Actions;
use crate::caller::{Account, Caller, Who};
use crate::fault::Fault;
use crate::unit::Record;

/// What an action asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A permission.
    Permission(Permission),
    /// A permission, and for people a proof of who they are that is at most minutes old.
    Fresh(Permission),
    /// To sit at the machine: nobody gets this over the network, whatever their role.
    Machine,
}

impl Need {
    /// The permission, if it is one.
    pub const fn permission(self) -> Option<Permission> {
        match self {
            Self::Permission(permission) | Self::Fresh(permission) => Some(permission),
            Self::Machine => None,
        }
    }
}

/// A kind of ticket. The types have no values; they only tell one [`Permit`] from another.
pub trait Grant: Send + Sync + 'static {
    /// What it takes to get one.
    const NEED: Need;
}

macro_rules! grants {
    ($($(#[$doc:meta])* $name:ident = $need:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl Grant for $name {
            const NEED: Need = $need;
        }
    )*};
}

grants! {
    /// To see who there is.
    UsersView = Need::Permission(Permission::UsersView);
    /// To invite, change and remove people.
    UsersManage = Need::Fresh(Permission::UsersManage);
    /// To say whether anybody is let in, and to let go of old records of the audit log.
    AuthManage = Need::Fresh(Permission::AuthManage);
    /// To read the audit log.
    AuditView = Need::Permission(Permission::AuditView);
    /// To read stored values, which only API keys get that were made for it.
    ValuesRead = Need::Permission(Permission::SourceViewCredentials);
    /// To do what only whoever owns the files may: to become an administrator without being one.
    Machine = Need::Machine;
}

/// The ticket for an action: this caller may. It comes from [`Actions::permit`] alone, and is looked at again inside the
/// transaction, so an administrator who is switched off in between does nothing any more.
///
/// ```compile_fail,E0308
/// use dango_actions::{Actions, Permit, UsersView};
/// async fn wrong_ticket(actions: &Actions, permit: &Permit<UsersView>) {
///     let _ = actions.disable(permit).await;
/// }
/// ```
#[derive(Debug)]
pub struct Permit<G> {
    caller: Caller,
    grant: PhantomData<fn() -> G>,
}

impl<G> Permit<G> {
    /// Who may.
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }
}

/// Somebody may not do something.
#[derive(Debug, thiserror::Error)]
pub struct Denied {
    need: Need,
    is_stale: bool,
    /// Why the denial could not be recorded, if it could not.
    #[source]
    unrecorded: Option<Box<Fault>>,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.need {
            Need::Machine => f.write_str("this can only be done at the machine's command line"),
            Need::Fresh(_) if self.is_stale => f.write_str("this needs a login that is at most minutes old"),
            Need::Permission(permission) | Need::Fresh(permission) => write!(f, "permission denied: {permission}"),
        }
    }
}

impl Denied {
    pub(crate) const fn new(need: Need, is_stale: bool) -> Self {
        Self {
            need,
            is_stale,
            unrecorded: None,
        }
    }

    /// The stable code, as HTTP answers have it.
    pub const fn code(&self) -> &'static str {
        if self.is_stale {
            "reauthentication_required"
        } else {
            "permission_denied"
        }
    }

    /// The permission that was missing, or needs a fresh proof.
    pub const fn permission(&self) -> Option<Permission> {
        self.need.permission()
    }

    /// Why the denial stands in no record, if that failed: it is refused all the same.
    pub fn unrecorded(&self) -> Option<&Fault> {
        self.unrecorded.as_deref()
    }

    pub(crate) fn record(&self) -> Record {
        let details = Details::new().with(Detail::Code, Word::new(self.code()));
        let details = match self.need.permission() {
            Some(permission) => details.with(Detail::Permission, Word::new(permission.name())),
            None => details.with(Detail::Permission, Word::new("machine")),
        };
        Record::of(Event::PermissionDenied).with_details(details)
    }
}

impl Actions {
    /// Hands out the ticket for an action.
    ///
    /// Audit: `permission_denied` with the permission, at most [`DENIALS_A_MINUTE`] an actor and minute.
    ///
    /// # Errors
    ///
    /// [`Denied`]: the role does not allow it, the key's scopes do not, the proof is too old, or it is not to be had over the network.
    pub async fn permit<G: Grant>(&self, caller: &Caller) -> Result<Permit<G>, Denied> {
        self.check(caller, G::NEED).await?;
        Ok(Permit {
            caller: caller.clone(),
            grant: PhantomData,
        })
    }

    /// Whether a caller has what an action needs, for a door that wants to know before it reads on; the action looks again.
    ///
    /// Permission: what is asked about. Audit: `permission_denied`, at most [`DENIALS_A_MINUTE`] times a minute and actor.
    ///
    /// # Errors
    ///
    /// [`Denied`].
    pub async fn check(&self, caller: &Caller, need: Need) -> Result<(), Denied> {
        let role = caller.account().map_or(Role::Viewer, |account| account.role);
        let now = self.clock().now();
        match self.decide(caller, role, need, now) {
            Ok(()) => Ok(()),
            Err(mut denied) => {
                if self.denials().admits(caller, Event::PermissionDenied, now) {
                    denied.unrecorded = self.record(caller, denied.record(), Outcome::Denied).await.err().map(Box::new);
                }
                Err(denied)
            }
        }
    }

    /// Records that somebody was kept from something by another rule than a permission: a key where a session is needed, something
    /// that has to be done first, a page of another site.
    ///
    /// Permission: none. Audit: `permission_denied` with the rule's code, at most [`DENIALS_A_MINUTE`] a minute and actor.
    ///
    /// # Errors
    ///
    /// [`Fault`] if it cannot be recorded.
    pub async fn record_denial(&self, caller: &Caller, code: &'static str) -> Result<(), Fault> {
        if !self.denials().admits(caller, Event::PermissionDenied, self.clock().now()) {
            return Ok(());
        }
        let record = Record::of(Event::PermissionDenied).with(Detail::Code, Word::new(code));
        self.record(caller, record, Outcome::Denied).await
    }

    /// Who gets which ticket, in the role that the account has at that moment.
    pub(crate) fn decide(&self, caller: &Caller, role: Role, need: Need, now: Timestamp) -> Result<(), Denied> {
        let denied = |is_stale| Err(Denied::new(need, is_stale));
        let at_machine = matches!(caller.who(), Who::Cli { .. } | Who::System);
        match need {
            Need::Machine if at_machine => Ok(()),
            Need::Machine => denied(false),
            Need::Permission(permission) | Need::Fresh(permission) if !caller.permissions(role).contains(permission) => denied(false),
            Need::Fresh(_) if !self.is_fresh(caller.who(), now) => denied(true),
            Need::Permission(_) | Need::Fresh(_) => Ok(()),
        }
    }

    /// Keys prove themselves with every request; whether they may administer is in their scopes.
    fn is_fresh(&self, who: &Who, now: Timestamp) -> bool {
        match who {
            Who::User(Account { auth, .. }) => auth.is_some_and(|auth| auth.is_fresh(self.sessions().limits().step_up, now)),
            Who::Cli { .. } | Who::System | Who::ApiKey { .. } => true,
            Who::Anonymous => false,
        }
    }
}

/// How many denials of one kind and one actor are recorded in a minute: enough to see it, too few to fill a disk.
pub const DENIALS_A_MINUTE: u32 = 60;

/// Counts denials, in memory: it protects the log, not the data. Each kind has its own count, so that a crowd of harmless ones
/// hides no grave one.
#[derive(Debug, Default)]
pub(crate) struct DenialCap {
    counts: Mutex<HashMap<(Source, Event), (i64, u32)>>,
}

/// Whose denials are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    User(UserId),
    Address(Ipv4Addr),
    /// The first half of an address: what a provider gives to one customer (RFC 6177), who could use a new one each time.
    Network(u64),
    Nowhere,
}

impl Source {
    fn of(caller: &Caller) -> Self {
        let address = caller.client().address.map(|address| address.to_canonical());
        match (caller.user_id(), address) {
            (Some(user), _) => Self::User(user),
            (None, Some(IpAddr::V4(address))) => Self::Address(address),
            (None, Some(IpAddr::V6(address))) => Self::Network((address.to_bits() >> 64) as u64),
            (None, None) => Self::Nowhere,
        }
    }
}

impl DenialCap {
    const MINUTE: i64 = 60_000_000;
    const COUNTS: usize = 10_000;

    pub(crate) fn admits(&self, caller: &Caller, event: Event, now: Timestamp) -> bool {
        let minute = now.unix_micros().div_euclid(Self::MINUTE);
        let counted = (Source::of(caller), event);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= Self::COUNTS {
            counts.retain(|_, (last, _)| *last == minute);
        }
        if counts.len() >= Self::COUNTS && !counts.contains_key(&counted) {
            return false;
        }
        match counts.entry(counted) {
            Entry::Occupied(mut entry) if entry.get().0 == minute => {
                let (_, count) = entry.get_mut();
                *count = count.saturating_add(1);
                *count <= DENIALS_A_MINUTE
            }
            entry => {
                entry.insert_entry((minute, 1));
                true
            }
        }
    }
}
