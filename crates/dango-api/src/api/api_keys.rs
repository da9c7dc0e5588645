//! One's own API keys: listed, made and revoked; and the one that a request is sent with.

use axum::http::StatusCode;
use dango_actions::{Holder, KeyHolder};
use dango_core::Timestamp;
use dango_identity::{Administration, AllowList, ApiKeyName, Full, KeyScopes, NewApiKey, Permission, PermissionSet};

use super::Answer;
use crate::ask::Ask;
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::reply;
use crate::wire;

const DAY_MICROS: i64 = 86_400_000_000;

/// `GET /api/auth/api-keys`.
pub(crate) async fn list(holder: Holder<Full>, ask: Ask) -> Answer {
    let listed = ask.actions().list_api_keys(&holder).await;
    let listed = listed.map_err(|fault| fault.into_problem(ask.now()))?;
    let now = ask.now();
    let keys: Vec<_> = listed.keys.iter().map(|record| wire::ApiKey::new(record, now)).collect();
    reply::json(StatusCode::OK, &keys)
}

/// `POST /api/auth/api-keys`.
pub(crate) async fn make(holder: Holder<Full>, ask: Ask) -> Answer {
    let wire::MakeApiKey {
        name,
        expires_at,
        expires_in_days,
        scopes,
    } = ask.parse()?;
    let name = ApiKeyName::parse(&name).map_err(|_| {
        Problem::new(
            code!(invalid_body),
            "a key's name has 1 to 128 characters, none of them a control character",
        )
    })?;
    let new = NewApiKey {
        name,
        expires_at: expiry(expires_at.as_deref(), expires_in_days, ask.now())?,
        scopes: scopes_of(scopes.as_deref())?,
        allow_list: AllowList::default(),
    };
    let issued = ask.actions().make_api_key(holder, new).await;
    let issued = issued.map_err(|error| error.into_problem(ask.now()))?;
    let answer = wire::IssuedKey {
        record: wire::ApiKey::new(&issued.record, ask.now()),
        key: issued.key.expose(),
    };
    reply::json(StatusCode::CREATED, &answer)
}

/// `DELETE /api/auth/api-keys/{id}`.
pub(crate) async fn revoke(holder: Holder<Full>, ask: Ask) -> Answer {
    let revoked = ask.actions().revoke_api_key(holder, ask.id()?).await;
    revoked.map_err(|error| error.into_problem(ask.now()))?;
    reply::success()
}

/// `GET /api/auth/api-key`.
pub(crate) async fn show_own(holder: KeyHolder, ask: Ask) -> Answer {
    reply::json(StatusCode::OK, &wire::ApiKey::new(holder.key.record(), ask.now()))
}

/// `DELETE /api/auth/api-key`.
pub(crate) async fn end_own(holder: KeyHolder, ask: Ask) -> Answer {
    let ended = ask.actions().end_own_key(holder).await;
    ended.map_err(|error| error.into_problem(ask.now()))?;
    reply::success()
}

/// When the key ends: at a time, or in so many days, or never.
fn expiry(at: Option<&str>, days: Option<i64>, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let invalid = |what: &'static str| Problem::new(code!(invalid_expiry), what);
    match (at, days) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(invalid("send either `expires_at` or `expires_in_days`")),
        (Some(text), None) => text
            .parse()
            .map(Some)
            .map_err(|_| invalid("`expires_at` is a time such as 2026-11-21T21:34:00Z")),
        (None, Some(days)) if (1..=365).contains(&days) => Ok(Some(Timestamp::from_unix_micros(
            now.unix_micros().saturating_add(days * DAY_MICROS),
        ))),
        (None, Some(_)) => Err(invalid("`expires_in_days` is 1 to 365")),
    }
}

/// What administering people takes, where a key names its permissions.
const ADMINISTRATION: [Permission; 3] = [Permission::UsersView, Permission::UsersManage, Permission::AuthManage];

/// What the key may do. Where no permission is named, everything that its owner may, but for administering people, which has to be
/// asked for, and for reading values, which has to be named.
fn scopes_of(scopes: Option<&[String]>) -> Result<KeyScopes, Problem> {
    let mut administration = Administration::Withheld;
    let mut named: Vec<Permission> = Vec::new();
    for scope in scopes.unwrap_or_default() {
        match (scope.as_str(), scope.parse::<Permission>()) {
            (wire::SCOPE_ADMIN, _) => administration = Administration::Granted,
            (_, Ok(permission)) if KeyScopes::ADMINISTRATION.contains(permission) => {
                return Err(Problem::new(
                    code!(invalid_body),
                    "`users.manage` and `auth.manage` are not named; the scope `admin` stands for both",
                ));
            }
            (_, Ok(permission)) => named.push(permission),
            _ => return Err(Problem::new(code!(invalid_body), "a scope is `admin` or the name of a permission")),
        }
    }
    if administration == Administration::Granted && !named.is_empty() {
        named.extend(ADMINISTRATION);
    }
    let permissions = (!named.is_empty()).then(|| named.into_iter().collect::<PermissionSet>());
    Ok(KeyScopes {
        permissions,
        administration,
    })
}
