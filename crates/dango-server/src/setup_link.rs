//! The one-time link of the first administrator: when there is one, and who sees it. It is in no log and in no answer.

use std::io::{self, Write};

use dango_actions::{Actions, Caller, ClaimError, ClaimLink, Machine, UsersView};

use crate::failure::Failure;
use crate::system::System;

/// Whether the project has somebody who can add people.
async fn has_administrator(actions: &Actions, system: &System) -> Result<bool, Failure> {
    let permit = actions.permit::<UsersView>(&caller(system)).await;
    let permit = permit.map_err(|error| Failure::caused_by(&error))?;
    let status = actions.status(&permit).await.map_err(Failure::from)?;
    Ok(status.admins > 0)
}

/// Makes the link, in the place of any earlier one; none where there is an administrator.
pub(crate) async fn offer(actions: &Actions, system: &System) -> Result<Option<ClaimLink>, Failure> {
    if has_administrator(actions, system).await? {
        return Ok(None);
    }
    let permit = actions.permit::<Machine>(&caller(system)).await;
    let permit = permit.map_err(|error| Failure::caused_by(&error))?;
    match actions.offer_claim(&permit).await {
        Ok(link) => Ok(Some(link)),
        Err(ClaimError::AdministratorExists) => Ok(None),
        Err(ClaimError::Fault(fault)) => Err(Failure::from(fault)),
        Err(error) => Err(Failure::caused_by(&error)),
    }
}

/// Shows it to whoever started the server: the link alone on standard output, as everything that is shown once; what it is, the log
/// says.
///
/// # Security
///
/// Whoever has the link becomes the administrator. It is in no log: where standard output is kept, as under systemd, the shipped unit
/// throws it away, and `dango-server setup-link` prints a link to whoever may run it.
pub(crate) async fn show(actions: &Actions, system: &System) -> Result<(), Failure> {
    let Some(link) = offer(actions, system).await? else {
        return Ok(());
    };
    let shown = tell(&link);
    shown.map_err(|error| Failure::new(format!("the setup link cannot be shown: {error}")))
}

fn tell(link: &ClaimLink) -> io::Result<()> {
    tracing::warn!(
        "there is no administrator yet: become the first one with the link on standard output, which works once, until {}",
        link.expires_at
    );
    let mut output = io::stdout().lock();
    writeln!(output, "{}", link.url().expose())?;
    output.flush()
}

pub(crate) fn caller(system: &System) -> Caller {
    Caller::cli(Some(system.uid), Some(&system.user))
}
