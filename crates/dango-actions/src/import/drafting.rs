//! A line of an earlier Dango's log as a record of ours: who it was, to whom it was done, and what it said that a record has room for.
//!
//! The record is ours and of now. That it tells of something earlier, which nobody vouches for, is in `imported` and `occurred_at`.

use std::collections::HashMap;

use dango_audit::{Actor, Category, Detail, DetailValue, Details, Draft, Event, Id, Label, Origin, Outcome, Stage, Target, Word};
use dango_core::{CredentialPath, SourceName, SourceType, Timestamp, VariableName};
use dango_identity::{Email, Role, User};
use dango_store::EarlierDatabase;
use serde_json::Value;

use super::log::{EarlierEvent, EarlierLog};
use crate::caller::audit_id;

/// Who is who: what earlier versions called people, and their accounts here.
pub(super) struct Names {
    by_id: HashMap<String, (Id, Label)>,
    by_email: HashMap<String, (Id, Label)>,
}

impl Names {
    /// Everybody who was or is an account. What somebody typed who was not let in is nobody's name.
    pub(super) fn of(database: &EarlierDatabase, log: &EarlierLog, users: &[User]) -> Self {
        let here: HashMap<&str, Id> = users.iter().map(|user| (user.email.likeness(), audit_id(user.id))).collect();
        let accounts = database.users.iter().map(|user| (user.id.as_str(), user.email.as_str()));
        let told = log.events.iter().filter(|event| event.event != Event::LoginFailure);
        let told = told.filter_map(|event| Some((event.user_id.as_deref()?, event.email.as_deref()?)));
        let mut names = Self {
            by_id: HashMap::new(),
            by_email: HashMap::new(),
        };
        for (id, email) in accounts.chain(told) {
            let here = email.parse::<Email>().ok().and_then(|email| here.get(email.likeness()).cloned());
            let Some(known) = here.or_else(|| id.parse().ok()) else {
                continue;
            };
            let name = (known, Label::new(email));
            names.by_email.entry(email.to_owned()).or_insert_with(|| name.clone());
            names.by_id.entry(id.to_owned()).or_insert(name);
        }
        names
    }

    /// The record for a line.
    pub(super) fn draft(&self, event: &EarlierEvent, now: Timestamp) -> Draft {
        let (actor, target) = self.parties(event);
        let origin = Origin {
            ip: event.ip,
            ..Origin::default()
        };
        let draft = Draft::new(now, event.event, actor, Stage::Ended(outcome(event.event)))
            .from(origin)
            .with_details(details(event));
        match target {
            Some((id, label)) => draft.on(Target::user(&id, label)),
            None => draft,
        }
    }

    /// Earlier versions named one person. Where an administrator did something, that is whom it was done to, and who did it is in
    /// the details.
    fn parties(&self, event: &EarlierEvent) -> (Actor, Option<(Id, Label)>) {
        let named = event.user_id.as_ref().and_then(|id| self.by_id.get(id)).cloned();
        let is_by = |name: &str| name.ends_with("_by");
        let by = event
            .details
            .iter()
            .find(|(name, _)| is_by(name))
            .and_then(|(_, value)| value.as_str());
        if let Some(by) = by {
            let by = self.by_email.get(by).cloned();
            return (by.map_or_else(Actor::unknown, |(id, label)| Actor::user(id, label)), named);
        }
        if event.details.get("via").and_then(Value::as_str) == Some("cli") {
            return (Actor::cli(None, None), named);
        }
        let is_about = event.event.category() == Category::Users && event.event != Event::InviteAccepted;
        if is_about || event.event == Event::LoginFailure {
            return (Actor::unknown(), named);
        }
        (named.map_or_else(Actor::unknown, |(id, label)| Actor::user(id, label)), None)
    }
}

const fn outcome(event: Event) -> Outcome {
    match event {
        Event::LoginFailure => Outcome::Failure,
        Event::PermissionDenied | Event::RateLimitHit => Outcome::Denied,
        _ => Outcome::Success,
    }
}

/// Words that earlier versions wrote.
const WORDS: [&str; 12] = [
    "created",
    "updated",
    "admin_revoke_all",
    "invite",
    "temp_password",
    "cli",
    "google",
    "github",
    "facebook",
    "different_provider_linked",
    "no_account",
    "inactive",
];

/// What a record has room for: words, names and numbers. Free texts are left behind.
fn details(event: &EarlierEvent) -> Details {
    let details = Details::new().with(Detail::OccurredAt, event.at).with(Detail::Imported, true);
    event
        .details
        .iter()
        .fold(details, |details, (name, value)| match detail(name, value) {
            Some((key, value)) => details.with(key, value),
            None => details,
        })
}

fn detail(name: &str, value: &Value) -> Option<(Detail, DetailValue)> {
    let text = value.as_str();
    let word = || WORDS.into_iter().find(|word| Some(*word) == text).map(Word::new);
    let role = || text?.parse::<Role>().ok().map(|role| Word::new(role.name()));
    Some(match name {
        "action" => (Detail::Action, word()?.into()),
        "method" => (Detail::Method, word()?.into()),
        "via" => (Detail::Via, word()?.into()),
        "provider" => (Detail::Provider, word()?.into()),
        "reason" => (Detail::Reason, word()?.into()),
        "role" => (Detail::Role, role()?.into()),
        "old_role" => (Detail::OldRole, role()?.into()),
        "new_role" => (Detail::NewRole, role()?.into()),
        "count" => (Detail::Count, value.as_i64()?.into()),
        "enabled" => (Detail::Enabled, value.as_bool()?.into()),
        "key_id" => (Detail::KeyId, (&text?.parse::<Id>().ok()?).into()),
        "key" => (Detail::Key, key(text?)?),
        "source" => (Detail::Source, (&text?.parse::<SourceName>().ok()?).into()),
        "source_type" => (Detail::SourceType, (&text?.parse::<SourceType>().ok()?).into()),
        _ => return None,
    })
}

/// A variable of `.env`, or a path in `secrets.toml`.
fn key(text: &str) -> Option<DetailValue> {
    let variable = text.parse::<VariableName>().ok().map(|name| DetailValue::from(&name));
    variable.or_else(|| text.parse::<CredentialPath>().ok().map(|path| DetailValue::from(&path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drafts(lines: &[&str]) -> Vec<Draft> {
        let log = EarlierLog::read(lines.join("\n").as_bytes());
        assert_eq!(log.malformed, 0);
        let database = EarlierDatabase {
            schema_version: 6,
            users: Vec::new(),
            api_keys: Vec::new(),
        };
        let names = Names::of(&database, &log, &[]);
        let now = Timestamp::from_unix_micros(0);
        log.events.iter().map(|event| names.draft(event, now)).collect()
    }

    #[test]
    fn whoever_did_it_is_the_actor_and_whom_it_was_done_to_the_target() {
        let drafts = drafts(&[
            r#"{"timestamp":"2026-01-02T03:04:05Z","event":"login_success","user_id":"aa","email":"admin@x.test","ip":"192.0.2.1"}"#,
            r#"{"timestamp":"2026-01-02T03:04:06Z","event":"user_deactivated","user_id":"bb","email":"bob@x.test","details":{"deactivated_by":"admin@x.test"}}"#,
            r#"{"timestamp":"2026-01-02T03:04:07Z","event":"user_deleted","user_id":"bb","email":"bob@x.test","details":{"via":"cli"}}"#,
            r#"{"timestamp":"2026-01-02T03:04:08Z","event":"login_failure","email":"hunter2","ip":"192.0.2.2"}"#,
        ]);
        let (admin, bob) = (Label::new("admin@x.test"), Label::new("bob@x.test"));
        let id = |text: &str| text.parse::<Id>().expect("an id");
        let facts = |draft: &Draft| (draft.actor_facts(), draft.target_facts());
        let login = Draft::new(
            Timestamp::from_unix_micros(0),
            Event::LoginSuccess,
            Actor::user(id("aa"), admin.clone()),
            Stage::Ended(Outcome::Success),
        );
        let login = login.from(Origin {
            ip: Some([192, 0, 2, 1].into()),
            ..Origin::default()
        });
        let occurred = |text: &str| {
            Details::new()
                .with(Detail::OccurredAt, text.parse::<Timestamp>().expect("a time"))
                .with(Detail::Imported, true)
        };
        assert_eq!(drafts[0], login.with_details(occurred("2026-01-02T03:04:05Z")));
        let (actor, target) = facts(&drafts[1]);
        assert_eq!(actor.expect("somebody").label(), Some("admin@x.test"));
        assert_eq!(target.expect("somebody").label(), Some("bob@x.test"));
        let (actor, target) = facts(&drafts[2]);
        assert_eq!(
            (actor, target.expect("somebody").label().map(str::to_owned)),
            (None, Some(bob.as_str().to_owned()))
        );
        // What was typed may have been a password.
        let (actor, target) = facts(&drafts[3]);
        assert_eq!((actor.as_ref().and_then(|facts| facts.label()), target), (None, None));
        assert_eq!(actor.expect("an address").ip(), Some("192.0.2.2"));
    }

    #[test]
    fn details_keep_words_names_and_numbers_and_leave_texts_behind() {
        let told = |details: &str| {
            let line = format!(r#"{{"timestamp":"2026-01-02T03:04:05Z","event":"secret_set","details":{details}}}"#);
            let log = EarlierLog::read(line.as_bytes());
            super::details(&log.events[0]).to_json()
        };
        let always = r#""occurred_at":"2026-01-02T03:04:05Z","imported":true}"#;
        for (given, kept) in [
            (
                r#"{"key":"STRIPE_API_KEY","action":"created"}"#,
                r#"{"action":"created","key":"STRIPE_API_KEY","#,
            ),
            (r#"{"key":"sources.a.b"}"#, r#"{"key":"sources.a.b","#),
            (r#"{"name":"my secret key","identifier":"me@x.test","sql":"SELECT 'pw'"}"#, "{"),
            (
                r#"{"role":"editor","old_role":"root","count":3,"enabled":false}"#,
                r#"{"role":"editor","count":3,"enabled":false,"#,
            ),
            (r#"{"action":{"x":1},"count":"3","via":"browser"}"#, "{"),
        ] {
            assert_eq!(told(given), format!("{kept}{always}"), "{given}");
        }
    }
}
