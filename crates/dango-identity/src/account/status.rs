//! What state an account shows, of all that are true at once.

use std::fmt;

use dango_core::Timestamp;

use super::Activity;
use crate::lockout::Lock;

/// What an account shows. Where several are true the first in this order is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccountStatus {
    /// Switched off by an administrator.
    Inactive,
    /// Too many failures; clients that it does not know have to wait.
    Locked,
    /// The invitation was not accepted in time.
    InviteExpired,
    /// Invited, and the invitation can still be accepted.
    Invited,
    /// In use.
    Active,
}

impl AccountStatus {
    /// Every status, in order of precedence.
    pub const ALL: [Self; 5] = [Self::Inactive, Self::Locked, Self::InviteExpired, Self::Invited, Self::Active];

    /// Works out what is shown. An invitation has expired at its last moment, not after it.
    pub fn of(activity: Activity, lock: Option<Lock>, invite_expires_at: Option<Timestamp>, now: Timestamp) -> Self {
        match (activity, lock, invite_expires_at) {
            (Activity::Inactive, _, _) => Self::Inactive,
            (Activity::Active, Some(_), _) => Self::Locked,
            (Activity::Active, None, Some(expires_at)) if now >= expires_at => Self::InviteExpired,
            (Activity::Active, None, Some(_)) => Self::Invited,
            (Activity::Active, None, None) => Self::Active,
        }
    }

    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Locked => "locked",
            Self::InviteExpired => "invite_expired",
            Self::Invited => "invited",
            Self::Active => "active",
        }
    }
}

impl fmt::Display for AccountStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000)
    }

    #[test]
    fn the_sixteen_combinations_show_one_state_each() {
        use AccountStatus::{Active, Inactive, InviteExpired, Invited, Locked};
        let now = at(100);
        // None, to come, this very moment, past.
        let invites = [None, Some(at(101)), Some(at(100)), Some(at(99))];
        let table = [
            (Activity::Active, None, [Active, Invited, InviteExpired, InviteExpired]),
            (Activity::Active, Some(Lock::Stopped), [Locked; 4]),
            (Activity::Inactive, None, [Inactive; 4]),
            (Activity::Inactive, Some(Lock::Until(at(200))), [Inactive; 4]),
        ];
        for (activity, lock, expected) in table {
            assert_eq!(
                invites.map(|invite| AccountStatus::of(activity, lock, invite, now)),
                expected,
                "{activity:?} {lock:?}"
            );
        }
    }

    #[test]
    fn an_invitation_expires_to_the_microsecond() {
        let shown = |micros| AccountStatus::of(Activity::Active, None, Some(at(100)), Timestamp::from_unix_micros(micros));
        assert_eq!(shown(99_999_999), AccountStatus::Invited);
        assert_eq!(shown(100_000_000), AccountStatus::InviteExpired);
    }

    #[test]
    fn the_order_is_the_precedence_and_the_words_are_those_of_the_interface() {
        assert!(AccountStatus::ALL.is_sorted());
        assert_eq!(
            AccountStatus::ALL.map(AccountStatus::as_str),
            ["inactive", "locked", "invite_expired", "invited", "active"]
        );
    }
}
