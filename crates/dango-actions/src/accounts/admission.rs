//! Whether anybody is let in, and how many there are.

use dango_audit::{Detail, Event, Word};
use dango_identity::{AccountStatus, Activity, Role, User};
use dango_store::Admission;

use super::UserView;
use crate::actions::Actions;
use crate::fault::{Fault, refusals};
use crate::permit::{AuthManage, Permit, UsersView};
use crate::unit::Record;

/// Whether something was changed, or was so already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It was changed.
    Changed,
    /// It was so already.
    Unchanged,
}

impl Effect {
    pub(crate) const fn of(changed: bool) -> Self {
        if changed { Self::Changed } else { Self::Unchanged }
    }

    /// The word for records and programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
        }
    }
}

refusals! {
    /// Nobody is let in who was not before.
    SwitchError {
        /// There is nobody who could administer.
        NoAdministrator = "no_administrator", "there is no administrator who is switched on";
    }
}

/// How many people there are, and whether they are let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuthStatus {
    /// Whether people can sign in: nobody has closed the door, and there is an administrator.
    pub enabled: bool,
    /// Accounts that are switched on, invited and locked ones among them.
    pub active_users: u64,
    /// Administrators among them.
    pub admins: u64,
    /// Editors among them.
    pub editors: u64,
    /// Viewers among them.
    pub viewers: u64,
    /// Accounts that are switched off.
    pub inactive: u64,
    /// Accounts that are switched on and locked for browsers they do not know.
    pub locked: u64,
}

impl Actions {
    /// Lets people sign in again.
    ///
    /// Permission: `auth.manage`. Audit: `auth_enabled`.
    ///
    /// # Errors
    ///
    /// [`SwitchError::NoAdministrator`] where no administrator, invited ones among them, is switched on.
    pub async fn enable(&self, permit: &Permit<AuthManage>) -> Result<Effect, SwitchError> {
        self.act(permit, |mut unit| {
            Box::pin(async move {
                let record = Record::of(Event::AuthEnabled);
                if !unit.tx.users().await?.iter().any(can_administer) {
                    return unit.refuse(record, SwitchError::NoAdministrator).await;
                }
                let changed = unit.tx.set_admission(Admission::Open, unit.now).await?;
                let effect = Effect::of(changed);
                unit.succeed(record.with(Detail::Action, Word::new(effect.as_str()))).await?;
                Ok(Ok(effect))
            })
        })
        .await
    }

    /// Closes the door: no sign-in, no session and no API key counts until [`Actions::enable`]. It never opens anything.
    ///
    /// Permission: `auth.manage`. Audit: `auth_disabled`.
    ///
    /// # Errors
    ///
    /// [`SwitchError`]; never [`SwitchError::NoAdministrator`].
    pub async fn disable(&self, permit: &Permit<AuthManage>) -> Result<Effect, SwitchError> {
        self.act(permit, |mut unit| {
            Box::pin(async move {
                let effect = Effect::of(unit.tx.set_admission(Admission::Closed, unit.now).await?);
                let record = Record::of(Event::AuthDisabled).with(Detail::Action, Word::new(effect.as_str()));
                unit.succeed(record).await?;
                Ok(Ok(effect))
            })
        })
        .await
    }

    /// Counts people. It changes nothing and goes on where the log cannot be written.
    ///
    /// Permission: `users.view`. Audit: none.
    ///
    /// # Errors
    ///
    /// [`Fault`] if the database cannot be read.
    pub async fn status(&self, permit: &Permit<UsersView>) -> Result<AuthStatus, Fault> {
        let users = self.list_users(permit).await?;
        let admission = self
            .read(permit.caller(), |unit| Box::pin(async move { Ok(unit.tx.admission().await?) }))
            .await?;
        Ok(count(&users, admission))
    }
}

/// Whether somebody is an administrator who is switched on, or will be once the invitation is accepted.
fn can_administer(user: &User) -> bool {
    user.role == Role::Admin && user.activity == Activity::Active
}

fn count(users: &[UserView], admission: Admission) -> AuthStatus {
    let mut status = AuthStatus {
        enabled: admission == Admission::Open && users.iter().any(|view| can_administer(&view.user)),
        ..AuthStatus::default()
    };
    for view in users {
        if view.user.activity == Activity::Inactive {
            status.inactive += 1;
            continue;
        }
        status.active_users += 1;
        status.locked += u64::from(view.status == AccountStatus::Locked);
        match view.user.role {
            Role::Admin => status.admins += 1,
            Role::Editor => status.editors += 1,
            Role::Viewer => status.viewers += 1,
        }
    }
    status
}
