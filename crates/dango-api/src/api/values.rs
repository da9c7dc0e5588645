//! A project's stored values for programs with an API key: listed, given, and single credentials changed.

use axum::body::Body;
use axum::http::StatusCode;
use bytes::Bytes;
use dango_actions::{Caller, CredentialChange, CredentialChanged, Keeping, KeyHolder, Purpose, Tables, WantedValues};
use dango_core::{CredentialPath, SecretValue};
use dango_secrets::document::{NewType, NewValue};
use dango_secrets::dotenv::GivenValue;
use dango_secrets::{References, SetOutcome};
use zeroize::Zeroizing;

use super::Answer;
use crate::ask::Ask;
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::reply;
use crate::wire;

/// `GET /api/project/values`.
pub(crate) async fn list(caller: Caller, ask: Ask) -> Answer {
    let listed = ask.values().list(&caller).await;
    let listed = listed.map_err(|error| error.into_problem(ask.now()))?;
    reply::json(StatusCode::OK, &wire::Listing::from(&listed))
}

/// `POST /api/project/values`: the one operation whose answer holds stored values.
pub(crate) async fn read(caller: Caller, ask: Ask) -> Answer {
    let wire::ReadValues { purpose, only, key } = ask.parse()?;
    let (wanted, purpose) = wanted(&purpose, only.as_deref(), key)?;
    let given = ask.values().read(&caller, wanted, purpose).await;
    let given = given.map_err(|error| error.into_problem(ask.now()))?;
    for warning in &given.warnings {
        tracing::warn!(code = warning.code, "values were given: {}", warning.text);
    }
    // Room for all of it, so that growing leaves no copies; and it is wiped once it is sent.
    let length = |variable: &GivenValue| variable.value.as_ref().map_or(4, |value| value.expose().len());
    let values = given.variables.iter().map(|variable| length(variable) + variable.key.len() + 64);
    let warnings = given.warnings.iter().map(|warning| warning.text.len() + warning.code.len() + 64);
    let room = given.credentials.len() + values.sum::<usize>() + warnings.sum::<usize>() + 128;
    let mut text = Zeroizing::new(Vec::with_capacity(room * 2));
    serde_json::to_writer(&mut *text, &wire::Values::new(&given, caller.key_ends_at()))
        .map_err(|_| Problem::new(code!(internal), "the answer cannot be written"))?;
    Ok(reply::text_of(StatusCode::OK, Body::from(Bytes::from_owner(text))))
}

/// `PUT /api/project/credentials`.
pub(crate) async fn set(KeyHolder { caller, .. }: KeyHolder, ask: Ask) -> Answer {
    let wire::SetCredential {
        path,
        value,
        value_type,
        reference,
        keep,
    } = ask.parse()?;
    let path = path_of(&path)?;
    let keeping = match keep.as_deref() {
        None => Keeping::Habit,
        Some("encrypted") => Keeping::Encrypted,
        Some("plain") => Keeping::Plain,
        Some(_) => return Err(invalid("`keep` is `encrypted` or `plain`")),
    };
    let value_type: Result<NewType, _> = value_type.as_deref().unwrap_or("string").parse();
    let value_type = value_type.map_err(|_| invalid("`value_type` is string, integer, float, boolean, datetime or json"))?;
    let references = if reference == Some(true) {
        References::Expand
    } else {
        References::Literal
    };
    let value = SecretValue::new(value.into_text()).map_err(|_| Problem::new(code!(invalid_value), "the value has a NUL"))?;
    let value = NewValue::parse(value_type, &value, references);
    let value = value.map_err(|error| Problem::new(code!(invalid_value), error.to_string()))?;
    let change = CredentialChange::Set {
        path: path.clone(),
        value,
        keeping,
    };
    let (action, encrypted) = match change_of(&caller, &ask, change).await? {
        CredentialChanged::Set { outcome, encrypted } => (action(outcome), encrypted),
        CredentialChanged::Deleted(_) => ("unchanged", false),
    };
    let path = &path.to_string();
    reply::json(StatusCode::OK, &wire::CredentialSet { path, action, encrypted })
}

/// `DELETE /api/project/credentials`.
pub(crate) async fn delete(KeyHolder { caller, .. }: KeyHolder, ask: Ask) -> Answer {
    let wire::DeleteCredential { path, table } = ask.parse()?;
    let path = path_of(&path)?;
    let tables = if table == Some(true) { Tables::MayGo } else { Tables::Stay };
    let change = CredentialChange::Delete {
        path: path.clone(),
        tables,
    };
    let removed = match change_of(&caller, &ask, change).await? {
        CredentialChanged::Deleted(removed) => removed as u64,
        CredentialChanged::Set { .. } => 0,
    };
    let answer = wire::CredentialDeleted {
        path: &path.to_string(),
        action: "deleted",
        removed,
    };
    reply::json(StatusCode::OK, &answer)
}

async fn change_of(caller: &Caller, ask: &Ask, change: CredentialChange) -> Result<CredentialChanged, Problem> {
    let changed = ask.values().change(caller, change).await;
    changed.map_err(|error| error.into_problem(ask.now()))
}

/// Which values, and what for.
fn wanted(purpose: &str, only: Option<&str>, key: Option<String>) -> Result<(WantedValues, Purpose), Problem> {
    let only = only.map(path_of).transpose()?;
    let purpose = match purpose {
        "run" => Purpose::Run,
        "sync" => Purpose::Sync,
        "get" => Purpose::Get,
        "export" => Purpose::Export,
        _ => return Err(invalid("`purpose` is run, sync, get or export")),
    };
    match (purpose, only, key) {
        (Purpose::Get, Some(path), None) => Ok((WantedValues::Credential(path), purpose)),
        (Purpose::Get, None, Some(key)) => Ok((WantedValues::Variable(key), purpose)),
        (Purpose::Sync, only, None) => Ok((WantedValues::Sync { only }, purpose)),
        (Purpose::Run | Purpose::Export, only, None) => Ok((WantedValues::Run { only }, purpose)),
        _ => Err(invalid("`get` takes either `only` or `key`; the others take no `key`")),
    }
}

fn path_of(text: &str) -> Result<CredentialPath, Problem> {
    text.parse()
        .map_err(|_| invalid("a path is the dotted path of a key in .dlt/secrets.toml, as in sources.stripe.api_key"))
}

fn invalid(what: &'static str) -> Problem {
    Problem::new(code!(invalid_body), what)
}

const fn action(outcome: SetOutcome) -> &'static str {
    match outcome {
        SetOutcome::Created => "created",
        SetOutcome::Replaced => "updated",
        SetOutcome::Unchanged => "unchanged",
    }
}
