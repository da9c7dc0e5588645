//! `dango-server auth enable|disable|recover`: the door opened and closed, and a way back in, where the database is. For a file it is what
//! `dango auth` does.

use std::io::{self, BufRead, IsTerminal, Write};

use dango_actions::{Actions, AuthManage, Effect, Machine, RecoverError, Recovered, SwitchError, UserView, UsersView};
use dango_core::Timestamp;
use dango_identity::{Activity, Email};
use dango_secrets::project::Project;
use serde_json::{Value, json};

use crate::database::Database;
use crate::failure::{BRING_KEY, Failure, chain};
use crate::house::{Entry, House, premises};
use crate::settings::{Access, AccessVerb, Settings};
use crate::setup_link::caller;
use crate::system::System;
use crate::{open, say};

/// Does it, and answers the exit status.
pub(crate) fn run(system: &System, settings: &Settings, project: &Project, access: &Access) -> Result<u8, Failure> {
    match &access.verb {
        AccessVerb::Enable => enable(system, settings, project)?,
        AccessVerb::Disable => disable(system, settings, project, access.is_confirmed)?,
        AccessVerb::Recover(email) => return recover(system, settings, project, (access, email)),
    }
    match access.has_json {
        true => say(&format!("{:#}", json!({ "enabled": access.verb == AccessVerb::Enable }))),
        false => Ok(0),
    }
}

fn enable(system: &System, settings: &Settings, project: &Project) -> Result<(), Failure> {
    let premises = premises(system, settings, project)?;
    let kept = premises.kept_checkpoint().map_err(|error| Failure::caused_by(&error))?;
    // Where nobody ever was, nothing is made to say so.
    if Database::of(system, settings)?.is_file() && !premises.has_database(kept.as_ref())? {
        return Err(nobody(Failure::new("there is no administrator")));
    }
    let house = open(system, settings, project, Entry::Checked)?;
    let switched = pollster::block_on(async {
        let permit = house.actions.permit::<AuthManage>(&caller(system)).await;
        house.actions.enable(&permit.map_err(SwitchError::from)?).await
    });
    keep_checkpoint(&house, system);
    match switched.map_err(refused)? {
        Effect::Changed => tell("people can sign in again"),
        Effect::Unchanged => tell("people could sign in already; nothing was changed"),
    }
    Ok(())
}

fn disable(system: &System, settings: &Settings, project: &Project, is_confirmed: bool) -> Result<(), Failure> {
    let house = open(system, settings, project, Entry::Checked)?;
    let (is_open, admins) = standing(&house.actions, system)?;
    if is_open || admins == 0 {
        let question = "close the door: nobody can sign in, and no session and no API key counts, until `dango-server auth enable`?";
        confirm(question, is_confirmed)?;
    }
    let switched = pollster::block_on(async {
        let permit = house.actions.permit::<AuthManage>(&caller(system)).await;
        house.actions.disable(&permit.map_err(SwitchError::from)?).await
    });
    keep_checkpoint(&house, system);
    match switched.map_err(refused)? {
        Effect::Changed => {
            tell("nobody can sign in any more");
            tell("hint: `dango-server auth enable` lets people in again");
        }
        Effect::Unchanged => tell("nobody could sign in already; nothing was changed"),
    }
    Ok(())
}

fn recover(system: &System, settings: &Settings, project: &Project, (access, email): (&Access, &Email)) -> Result<u8, Failure> {
    let house = open(system, settings, project, Entry::Recovering)?;
    // A log whose end was not written with this key has no checkpoint.
    if pollster::block_on(house.actions.checkpoint_if_due(None, Default::default())).is_err() {
        let question =
            "the audit log was not written with this identity key, or was tampered with: put its records away and begin a new chain?";
        confirm(question, access.is_confirmed)
            .map_err(|failure| failure.hint(BRING_KEY).hint("`dango-server verify` says more about the log"))?;
    }
    let recovered = pollster::block_on(async {
        let permit = house.actions.permit::<Machine>(&caller(system)).await;
        house
            .actions
            .recover(&permit.map_err(RecoverError::from)?, Some(email.clone()))
            .await
    });
    // A refusal has begun the chain, too.
    keep_checkpoint(&house, system);
    let Recovered {
        user,
        password,
        retired_records,
    } = recovered.map_err(|error| match error {
        RecoverError::UserExists => Failure::new(format!(
            "there is a user {email} already, or one whose address cannot be told from it"
        ))
        .hint("`--email EMAIL` makes the emergency administrator under another address"),
        RecoverError::Fault(fault) => Failure::from(fault),
        error => Failure::caused_by(&error),
    })?;
    if let Some(retired) = retired_records {
        tell(&format!(
            "warning: the audit log belonged to another identity key: its {retired} records are put away, and a new chain has begun"
        ));
    }
    tell(&format!(
        "warning: {email} is an administrator now; delete the account once you are back in, on the page of users"
    ));
    tell("this temporary password has to be changed at the first login, within 24 hours; it is not shown again:");
    let done = match access.has_json {
        true => say(&format!(
            "{:#}",
            json!({ "user": user_object(&user), "temp_password": password.expose() })
        )),
        false => say(password.expose()),
    };
    // An administrator who cannot sign in has not been helped.
    if standing(&house.actions, system).is_ok_and(|(is_open, _)| !is_open) {
        tell("hint: nobody can sign in at present: `dango-server auth enable` opens the door");
    }
    done
}

/// Whether people can sign in, and how many administrators there are.
fn standing(actions: &Actions, system: &System) -> Result<(bool, u64), Failure> {
    let permit = pollster::block_on(actions.permit::<UsersView>(&caller(system)));
    let permit = permit.map_err(|error| Failure::caused_by(&error))?;
    let status = pollster::block_on(actions.status(&permit)).map_err(Failure::from)?;
    Ok((status.enabled, status.admins))
}

fn refused(error: SwitchError) -> Failure {
    match error {
        SwitchError::NoAdministrator => nobody(Failure::caused_by(&error)),
        SwitchError::Fault(fault) => Failure::from(fault),
        error => Failure::caused_by(&error),
    }
}

fn nobody(failure: Failure) -> Failure {
    failure
        .hint("`dango-server setup-link` prints a link for the first one")
        .hint("`dango-server auth recover` adds an emergency administrator")
}

/// Keeps a checkpoint with what was recorded, done or refused. What was done stays done where it cannot be kept.
fn keep_checkpoint(house: &House, system: &System) {
    let renewed = pollster::block_on(house.standing.renew(&house.actions, &house.premises, &*system.entropy));
    if let Err(error) = renewed {
        tell(&format!("warning: the audit log has no new checkpoint: {}", chain(&error)));
    }
}

/// Asks what has to be answered with yes; without a terminal, and without `--yes`, that is a refusal.
fn confirm(question: &str, is_confirmed: bool) -> Result<(), Failure> {
    if is_confirmed {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::new(format!("not confirmed: {question}")).hint("add `--yes` to answer without a terminal"));
    }
    let unasked = |error: io::Error| Failure::new(format!("cannot ask on the terminal: {error}"));
    let mut terminal = io::stderr().lock();
    write!(terminal, "{question} [y/N] ")
        .and_then(|()| terminal.flush())
        .map_err(unasked)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(unasked)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new("not confirmed; nothing was changed")),
    }
}

/// Tells whoever runs it what happened, beside what was asked for.
fn tell(text: &str) {
    // Where even this cannot be written, the exit status says it.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// The object *user* of the HTTP interface.
fn user_object(view: &UserView) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "id": view.user.id.to_string(),
        "email": view.user.email.to_string(),
        "role": view.user.role.name(),
        "status": view.status.as_str(),
        "is_active": view.user.activity == Activity::Active,
        "totp_enabled": view.totp_enabled,
        "oauth_provider": view.oauth_provider,
        "locked_until": time(view.locked_until()),
        "must_change_password": view.user.must_change_password,
        "last_login": time(view.user.last_login),
        "invite_expires_at": time(view.user.invite_expires_at),
        "has_pending_invite": view.has_pending_invite(),
        "created_at": view.user.created_at.to_string(),
        "updated_at": view.user.updated_at.to_string(),
    })
}
