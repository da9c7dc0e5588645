//! The named permissions and sets of them; who has which is in `role`.

use std::fmt;
use std::str::FromStr;

macro_rules! permissions {
    ($($name:ident = $text:literal, $doc:literal;)+) => {
        /// One thing that a person or a key may be allowed to do. The names are those of earlier Dango versions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Permission {
            $(#[doc = $doc] $name,)+
        }

        impl Permission {
            /// Every permission, in the order of the reference table.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name, as it stands in the matrix, in errors and in audit records.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

permissions! {
    SourceView = "source.view", "See the data sources.";
    SourceViewCredentials = "source.view_credentials", "Read stored values: with an API key that names it, never in a session.";
    SourceSync = "source.sync", "Start a sync.";
    SourceManage = "source.manage", "Add, change and remove data sources.";
    CsvUpload = "csv.upload", "Upload CSV files.";
    CsvDelete = "csv.delete", "Delete uploaded CSV files.";
    DbtView = "dbt.view", "See dbt models.";
    DbtRun = "dbt.run", "Run dbt.";
    DbtManage = "dbt.manage", "Change dbt models.";
    DashboardView = "dashboard.view", "See dashboards.";
    DashboardCreate = "dashboard.create", "Make dashboards.";
    DashboardManage = "dashboard.manage", "Change and remove anybody's dashboards.";
    QueryExecute = "query.execute", "Run queries.";
    HealthView = "health.view", "See how the platform is.";
    LogsView = "logs.view", "See the activity log.";
    PlatformManage = "platform.manage", "Restart and reconfigure the platform.";
    ConfigView = "config.view", "See settings.";
    ConfigManage = "config.manage", "Change settings, secrets and connections.";
    UsersView = "users.view", "See the users.";
    UsersManage = "users.manage", "Invite, change and remove users.";
    AuthManage = "auth.manage", "Change how people log in.";
    AuditView = "audit.view", "Read and export the audit log.";
    NotebooksView = "notebooks.view", "See notebooks.";
    NotebooksExecute = "notebooks.execute", "Run notebooks.";
    NotebooksManage = "notebooks.manage", "Make and remove notebooks.";
    GovernanceView = "governance.view", "See data governance.";
    GovernanceManage = "governance.manage", "Decide in data governance.";
    SchedulerView = "scheduler.view", "See schedules.";
    SchedulerManage = "scheduler.manage", "Make and remove schedules.";
}

impl Permission {
    const fn bit(self) -> u64 {
        1 << self as u8
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is the name of no permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a permission")]
pub struct ParsePermissionError;

impl FromStr for Permission {
    type Err = ParsePermissionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|permission| permission.name() == text);
        found.copied().ok_or(ParsePermissionError)
    }
}

/// A set of permissions; the empty one by default, so what nobody granted is denied.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PermissionSet(u64);

impl PermissionSet {
    /// Nothing is allowed.
    pub const EMPTY: Self = Self(0);

    /// Everything there is.
    pub const ALL: Self = Self::of(Permission::ALL);

    /// What no session has, whatever the role: only an API key that names it. No page and no cookie reads a stored value.
    pub const OF_KEYS_ALONE: Self = Self::of(&[Permission::SourceViewCredentials]);

    /// The set of these permissions.
    pub const fn of(permissions: &[Permission]) -> Self {
        let mut bits = 0;
        let mut next = 0;
        // `for` is not available in a constant.
        while next < permissions.len() {
            bits |= permissions[next].bit();
            next += 1;
        }
        Self(bits)
    }

    /// Whether a permission is in it.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Whether every permission of the other set is in this one, too.
    pub const fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What is in both sets: a key's scopes and its owner's permissions, at the moment of use.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The permissions in it, in the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.contains(*permission))
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::name)).finish()
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | permission.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_the_29_permissions_of_earlier_versions_each_with_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Permission::ALL.iter().map(|permission| permission.name()).collect();
        assert_eq!((Permission::ALL.len(), names.len()), (29, 29));
        for permission in Permission::ALL {
            assert_eq!(permission.name().parse(), Ok(*permission));
        }
        assert_eq!("Users.manage".parse::<Permission>(), Err(ParsePermissionError));
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set = PermissionSet::of(&[Permission::AuditView, Permission::SourceView]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Permission::SourceView, Permission::AuditView]);
        assert_eq!(set.iter().collect::<PermissionSet>(), set);
        assert!(!set.contains(Permission::UsersManage) && !PermissionSet::EMPTY.contains(Permission::SourceView));
        assert!(PermissionSet::ALL.covers(set) && set.covers(PermissionSet::EMPTY) && !set.covers(PermissionSet::ALL));
        assert_eq!(
            set.intersection(PermissionSet::of(&[Permission::AuditView, Permission::DbtRun]))
                .iter()
                .collect::<Vec<_>>(),
            [Permission::AuditView]
        );
        assert_eq!(
            set.without(PermissionSet::of(&[Permission::AuditView])).iter().collect::<Vec<_>>(),
            [Permission::SourceView]
        );
        assert_eq!(PermissionSet::default(), PermissionSet::EMPTY);
    }
}
