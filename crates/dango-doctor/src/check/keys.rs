//! The encryption key, what does not open with it, and the seals of the two files.

use dango_keyring::{OpenError, SealState};
use dango_secrets::storage::ReadError;
use dango_vault::{ClosedProblem, ClosedValue, OpeningError, SealWarning, VaultError};

use crate::chart::{Chart, one_line};
use crate::code::Code;
use crate::finding::{Finding, word};

const SECRETS: &str = ".dlt/secrets.toml";
const ENV: &str = ".env";

pub(super) fn check(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let site = chart.site;
    let status = site.place.status();
    let (mut unavailable, mut is_here) = (None, true);
    for (error, file) in [(&chart.closed, SECRETS), (&chart.closed_env, ENV)] {
        match error {
            Some(OpeningError::Keys { source, .. }) => {
                unavailable.get_or_insert_with(|| (one_line(source.as_ref()), source.code()));
            }
            Some(OpeningError::Closed(values)) => found.extend(values.iter().map(|value| closed(value, file))),
            Some(error) => found.push(Finding::new(Code::ValueClosed, file, one_line(error), "see its message")),
            None => {}
        }
    }
    match &status {
        Ok(status) if !status.retired.is_empty() => {
            let ids: Vec<String> = status.retired.iter().map(ToString::to_string).collect();
            found.push(Finding::new(
                Code::KeyRotationUnfinished,
                "key",
                format!(
                    "a rotation of the encryption key was broken off: {} is still needed",
                    ids.join(", ")
                ),
                "`dango key rotate` goes on with it",
            ));
        }
        Ok(_) => {}
        Err(VaultError::Keys(source)) => {
            unavailable.get_or_insert_with(|| (one_line(source.as_ref()), source.code()));
        }
        // A file that cannot be read hides what it has encrypted, and is told as what it is.
        Err(VaultError::Document(_) | VaultError::Env(_) | VaultError::Read(_)) if chart.secrets.is_none() || chart.env.is_none() => {}
        // Where the values are in a database, what they need is known there; whether a key that was chosen is at hand, here.
        Err(VaultError::Read(ReadError::Home(_))) => {
            is_here = false;
            if site.place.is_chosen()
                && let Err(source) = site.keys.fetch()
            {
                unavailable.get_or_insert_with(|| (one_line(source.as_ref()), source.code()));
            }
        }
        Err(error) => {
            unavailable.get_or_insert_with(|| (one_line(error), error.code()));
        }
    }
    if let Some((message, code)) = &unavailable {
        found.push(Finding::new(Code::KeyUnavailable, "key", message, fix_of_key(code)));
    }
    if let Some(id) = site.place.ignored_environment_key() {
        found.push(Finding::new(
            Code::KeyIgnored,
            "DANGO_KEY",
            format!("the key {id} in the environment is not this project's and is not used"),
            "unset DANGO_KEY and DANGO_KEY_FILE, or give this project's key: `dango key status`",
        ));
    }
    // Without the key no seal can be looked at, which is said already.
    if unavailable.is_none() && is_here {
        seals(chart, found);
    }
}

/// What to do about a key that was not fetched, by the code of why.
fn fix_of_key(code: &str) -> &'static str {
    match code {
        "key-not-chosen" | "key-missing" => "`dango key import FILE` brings it back from a backup; servers and CI give it in DANGO_KEY",
        "passphrase-missing" => "give the passphrase in DANGO_PASSPHRASE, or run this on a terminal: nothing encrypted was looked at",
        "passphrase-wrong" => "give the right passphrase: nothing encrypted was looked at",
        "key-twice-in-environment" => "unset one of DANGO_KEY and DANGO_KEY_FILE",
        "key-empty" | "key-malformed" => "give 32 bytes as 64 hexadecimal digits or as base64 in DANGO_KEY, or unset it",
        _ => "`dango key status` says more; `dango key import FILE --holder passphrase` puts a backup elsewhere",
    }
}

fn closed(value: &ClosedValue, file: &str) -> Finding {
    let (code, fix) = match value.problem {
        ClosedProblem::Sealed(OpenError::UnknownKey { .. }) => (
            Code::UnknownKey,
            "`dango key import FILE` brings the key that it was encrypted with".to_owned(),
        ),
        _ => {
            let group = if file == ENV { "env" } else { "secrets" };
            (
                Code::ValueClosed,
                format!(
                    "`dango {group} history {0}` shows what can be brought back; else `dango {group} set {0}`",
                    word(&value.place)
                ),
            )
        }
    };
    Finding::new(
        code,
        value.place.clone(),
        format!("{file}: {}: {}", value.place, value.problem),
        fix,
    )
}

fn seals(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let vault = chart.site.vault();
    let checked = [
        (
            chart.secrets.as_ref().map(|document| vault.check_secrets(document)),
            SECRETS,
            "secrets",
            &chart.closed,
        ),
        (
            chart.env.as_ref().map(|document| vault.check_env(document)),
            ENV,
            "env",
            &chart.closed_env,
        ),
    ];
    for (checked, file, group, closed) in checked {
        match checked {
            Some(Ok(Some(warning))) if !is_explained(&warning, closed.as_ref()) => found.push(seal(&warning, file, group)),
            Some(Err(error)) => found.push(Finding::new(
                Code::SealUnchecked,
                file,
                format!("the seal over the encrypted values of {file} was not checked: {}", one_line(&error)),
                "see that the key is there: `dango key status`",
            )),
            _ => {}
        }
    }
}

/// Whether all that the seal misses are values that do not open, which are told one by one.
fn is_explained(warning: &SealWarning, closed: Option<&OpeningError>) -> bool {
    let Some(OpeningError::Closed(values)) = closed else { return false };
    match (&warning.state, warning.changes()) {
        (SealState::Changed { .. }, Some(changes)) => {
            let is_closed = |place: &String| values.iter().any(|value| value.place == *place);
            changes.removed.is_empty() && changes.added.iter().chain(&changes.replaced).all(is_closed)
        }
        (SealState::UnknownKey { .. }, _) => true,
        _ => false,
    }
}

fn seal(warning: &SealWarning, file: &str, group: &str) -> Finding {
    let code = match warning.state {
        SealState::Missing { .. } => Code::SealMissing,
        SealState::Changed { .. } => Code::SealChanged,
        SealState::RolledBack { .. } => Code::SealRolledBack,
        _ => Code::SealUnchecked,
    };
    let fix = format!("put the values back that are missing; if the file is as it should be, `dango {group} reseal`");
    Finding::new(code, file, warning.to_string(), fix)
}
