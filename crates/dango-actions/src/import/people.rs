//! Which people of an earlier Dango are taken over, and as what: decided from the rows alone, so that a dry run says what a run does.

use std::collections::{HashMap, HashSet};

use dango_audit::Label;
use dango_core::Timestamp;
use dango_identity::{Activity, ApiKeyName, ApiKeyPrefix, Email, ParseEmailError, PasswordRecord, Role, StoredPassword, TotpSecret};
use dango_store::{EarlierApiKey, EarlierDatabase, EarlierUser, ImportMark};
use data_encoding::HEXLOWER_PERMISSIVE;

use super::mark::{mark, parse_time};
use super::report::{FirstEntry, ImportedFactor, ImportedKey, ImportedUser, KeySkipped, NoPassword, SkippedUser, UserSkipped};

/// Nobody had more recovery codes.
const MOST_CODES: usize = 100;

/// What is there already.
#[derive(Default)]
pub(super) struct Known {
    /// What the addresses of the users that there are look like.
    pub(super) likenesses: HashSet<String>,
    /// What was taken over before.
    pub(super) marks: HashSet<ImportMark>,
}

/// Who is taken over, and who is not.
pub(super) struct Plan {
    pub(super) people: Vec<Person>,
    pub(super) skipped: Vec<SkippedUser>,
}

/// Somebody who is taken over, with everything of theirs.
pub(super) struct Person {
    pub(super) mark: ImportMark,
    pub(super) told: ImportedUser,
    pub(super) created_at: Timestamp,
    pub(super) last_login: Option<Timestamp>,
    pub(super) password: Option<StoredPassword>,
    /// From when on there is no invitation that could be accepted, for those who have no password.
    pub(super) invite_expired_at: Option<Timestamp>,
    pub(super) totp: Option<Factor>,
    pub(super) api_keys: Vec<PlannedKey>,
}

/// A second factor that is taken over: the app's secret, and the SHA-256 of each recovery code that is left.
pub(super) type Factor = (TotpSecret, Vec<[u8; 32]>);

/// A key that is taken over.
pub(super) struct PlannedKey {
    /// Its place in [`ImportedUser::api_keys`].
    pub(super) place: usize,
    pub(super) sha256: [u8; 32],
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) last_used_at: Option<Timestamp>,
}

/// Decides about everybody. Where two cannot both be taken, the one who was there first is.
pub(super) fn plan(earlier: &EarlierDatabase, known: &Known, now: Timestamp) -> Plan {
    let mut keys: HashMap<&str, Vec<&EarlierApiKey>> = HashMap::new();
    for key in &earlier.api_keys {
        keys.entry(&key.user_id).or_default().push(key);
    }
    let mut users: Vec<&EarlierUser> = earlier.users.iter().collect();
    users.sort_by_cached_key(|user| (past(&user.created_at, now), user.id.clone()));
    let (mut people, mut skipped) = (Vec::new(), Vec::new());
    let mut taken = Taken {
        likenesses: known.likenesses.clone(),
        marks: known.marks.clone(),
        hashes: HashSet::new(),
    };
    for user in users {
        let keys = keys.get(user.id.as_str()).map_or(&[][..], Vec::as_slice);
        match person(user, keys, &mut taken, now) {
            Ok(person) => people.push(person),
            Err(reason) => skipped.push(SkippedUser {
                email: Label::new(&user.email),
                reason,
            }),
        }
    }
    Plan { people, skipped }
}

/// What is there, and what of the plan will be.
struct Taken {
    likenesses: HashSet<String>,
    marks: HashSet<ImportMark>,
    hashes: HashSet<[u8; 32]>,
}

fn person(user: &EarlierUser, keys: &[&EarlierApiKey], taken: &mut Taken, now: Timestamp) -> Result<Person, UserSkipped> {
    let mark = mark("user", user.id.as_bytes());
    if taken.marks.contains(&mark) {
        return Err(UserSkipped::ImportedBefore);
    }
    let email = user
        .email
        .parse::<Email>()
        .map_err(|error: ParseEmailError| UserSkipped::EmailInvalid(error))?;
    if taken.likenesses.contains(email.likeness()) {
        return Err(UserSkipped::EmailTaken);
    }
    let role: Role = user.role.parse().map_err(|_| UserSkipped::RoleUnknown)?;
    let totp = second_factor(user)?;
    // Nothing fails any more.
    taken.marks.insert(mark);
    taken.likenesses.insert(email.likeness().to_owned());

    let created_at = past(&user.created_at, now);
    let activity = if user.is_active { Activity::Active } else { Activity::Inactive };
    let (password, entry) = password(user, created_at, now);
    let may_log_in = user.is_active && password.is_some();
    let invite_ended = user.invite_expires_at.as_deref().map_or(created_at, |at| past(at, now));
    let (told_keys, api_keys) = api_keys(keys, may_log_in, &mut taken.hashes, now);
    Ok(Person {
        mark,
        created_at,
        last_login: user.last_login.as_deref().and_then(parse_time).map(|at| at.min(now)),
        invite_expired_at: password.is_none().then_some(invite_ended),
        password,
        told: ImportedUser {
            email,
            role,
            activity,
            entry,
            second_factor: totp.as_ref().map(|(_, codes)| ImportedFactor {
                recovery_codes: codes.len(),
            }),
            api_keys: told_keys,
        },
        totp,
        api_keys,
    })
}

/// A time that lies behind us: now, where it says otherwise or nothing.
fn past(text: &str, now: Timestamp) -> Timestamp {
    parse_time(text).map_or(now, |at| at.min(now))
}

/// The hash as it is. It is verified once more, at the next login, which stores another in its place.
fn password(user: &EarlierUser, created_at: Timestamp, now: Timestamp) -> (Option<StoredPassword>, FirstEntry) {
    let Some(hash) = &user.password_hash else {
        let why = match (user.is_invited, &user.oauth_provider) {
            (true, _) => NoPassword::Invited,
            (false, Some(_)) => NoPassword::OtherProvider,
            (false, None) => NoPassword::NeverSet,
        };
        return (None, FirstEntry::Invitation(why));
    };
    let Ok(record) = PasswordRecord::parse(hash.expose()) else {
        return (None, FirstEntry::Invitation(NoPassword::Unreadable));
    };
    let set_at = user.password_changed_at.as_deref().map_or(created_at, |at| past(at, now));
    let entry = if user.must_change_password {
        FirstEntry::PasswordToChange
    } else {
        FirstEntry::Password
    };
    (Some(StoredPassword::chosen(record, set_at)), entry)
}

/// One that is on; one that was only being set up protects nothing and is left behind.
fn second_factor(user: &EarlierUser) -> Result<Option<Factor>, UserSkipped> {
    if !user.totp_enabled {
        return Ok(None);
    }
    let secret = user.totp_secret.as_ref().ok_or(UserSkipped::SecondFactorUnreadable)?;
    let secret = TotpSecret::parse_base32(secret).map_err(|_| UserSkipped::SecondFactorUnreadable)?;
    let codes = user.recovery_codes.as_ref();
    let codes: Vec<String> = codes
        .and_then(|codes| serde_json::from_str(codes.expose()).ok())
        .unwrap_or_default();
    let mut seen = HashSet::new();
    let mut hashes: Vec<[u8; 32]> = codes.iter().filter_map(|code| sha256(code)).collect();
    hashes.retain(|hash| seen.insert(*hash));
    hashes.truncate(MOST_CODES);
    Ok(Some((secret, hashes)))
}

fn api_keys(
    keys: &[&EarlierApiKey],
    may_log_in: bool,
    taken: &mut HashSet<[u8; 32]>,
    now: Timestamp,
) -> (Vec<ImportedKey>, Vec<PlannedKey>) {
    let (mut told, mut planned) = (Vec::new(), Vec::new());
    for key in keys {
        let decided = api_key(key, may_log_in, taken, now);
        let place = told.len();
        told.push(ImportedKey {
            name: name(&key.name),
            prefix: prefix(&key.prefix),
            skipped: decided.as_ref().err().copied(),
        });
        planned.extend(decided.map(|key| PlannedKey { place, ..key }));
    }
    (told, planned)
}

fn api_key(key: &EarlierApiKey, may_log_in: bool, taken: &mut HashSet<[u8; 32]>, now: Timestamp) -> Result<PlannedKey, KeySkipped> {
    if !key.is_active {
        return Err(KeySkipped::Revoked);
    }
    if !may_log_in {
        return Err(KeySkipped::OwnerLocked);
    }
    let sha256 = sha256(key.key_hash.expose()).ok_or(KeySkipped::Unreadable)?;
    let expires_at = match &key.expires_at {
        Some(at) => Some(parse_time(at).ok_or(KeySkipped::Unreadable)?),
        None => None,
    };
    if expires_at.is_some_and(|at| at <= now) {
        return Err(KeySkipped::Expired);
    }
    if !taken.insert(sha256) {
        return Err(KeySkipped::Duplicate);
    }
    Ok(PlannedKey {
        place: 0,
        sha256,
        created_at: past(&key.created_at, now),
        expires_at,
        last_used_at: key.last_used_at.as_deref().and_then(parse_time).map(|at| at.min(now)),
    })
}

fn sha256(digits: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?.try_into().ok()
}

/// The name, without what a name does not have: a key goes on working whatever it was called.
fn name(text: &str) -> ApiKeyName {
    let cleaned: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let cut: String = cleaned.trim().chars().take(128).collect();
    ApiKeyName::parse(&cut)
        .or_else(|_| ApiKeyName::parse("(no name)"))
        .expect("the stand-in is a name")
}

/// The oldest schema has none.
fn prefix(text: &str) -> ApiKeyPrefix {
    ApiKeyPrefix::parse(text)
        .or_else(|| ApiKeyPrefix::parse(""))
        .expect("no characters are none that a key does not have")
}

#[cfg(test)]
mod tests;
