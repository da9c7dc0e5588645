//! `dango-server verify`: whether the audit log is as it was written, found out where the database is, with the checkpoint that is
//! kept here. It changes nothing of the log.

use std::sync::Arc;

use dango_actions::{Actions, AuditView, Setup, VerifyAuditError};
use dango_audit::Report;
use dango_secrets::project::Project;
use dango_store_sqlite::Open;

use crate::database::{Database, Opened};
use crate::failure::{Failure, identity_key_is_lost};
use crate::house::premises;
use crate::settings::Settings;
use crate::setup_link::caller;
use crate::system::System;

/// What the log turned out to be.
pub(crate) enum Verified {
    /// As it was written: in so many words.
    Intact(String),
    /// Another than it was.
    TamperedWith(Failure),
}

/// Verifies the whole log.
pub(crate) fn run(system: &System, settings: &Settings, project: &Project) -> Result<Verified, Failure> {
    let premises = premises(system, settings, project)?;
    let kept = premises.kept_checkpoint().map_err(|error| Failure::caused_by(&error))?;
    let database = Database::of(system, settings)?;
    if database.is_file() && !premises.has_database(kept.as_ref())? {
        return Ok(Verified::Intact("there is no audit log yet".to_owned()));
    }
    let key = premises.identity_key().load()?;
    let key = key.ok_or_else(|| identity_key_is_lost(&premises))?;
    let Opened { store, clock, .. } = database.open(system, settings, &premises, Open::Existing)?;
    let actions = Actions::new(store, &key, Setup::default(), clock, Arc::clone(&system.entropy));
    let actions = actions.map_err(|error| Failure::caused_by(&error))?;
    pollster::block_on(async {
        let permit = actions.permit::<AuditView>(&caller(system)).await;
        let permit = permit.map_err(|error| Failure::caused_by(&error))?;
        let notes = kept.map(|kept| kept.note).unwrap_or_default();
        match actions.verify_audit(&permit, &notes).await {
            Ok(report) => Ok(judged(&report)),
            Err(error @ VerifyAuditError::Checkpoint { .. }) => Ok(Verified::TamperedWith(
                Failure::caused_by(&error).at(premises.checkpoint().display()),
            )),
            Err(VerifyAuditError::Fault(fault)) => Err(Failure::from(fault)),
            Err(error) => Err(Failure::caused_by(&error)),
        }
    })
}

fn judged(report: &Report) -> Verified {
    match report.first_bad {
        Some(bad) => Verified::TamperedWith(
            Failure::new(format!(
                "the audit log was tampered with: record {} is the first bad one: {}",
                bad.seq, bad.fault
            ))
            .hint("nothing before that record was changed")
            .hint("if the identity key was exchanged, give the one that the log was written with"),
        ),
        None => {
            let pruned = match report.pruned {
                0 => String::new(),
                pruned => format!(", {pruned} pruned before them"),
            };
            let records = if report.events == 1 { "record" } else { "records" };
            Verified::Intact(format!("the audit log is as it was written: {} {records}{pruned}", report.events))
        }
    }
}
