//! The rules of logging in with another provider, as a table.

use super::*;
use crate::account::Activity;
use crate::epoch::SecurityEpoch;
use crate::id::UserId;
use crate::role::Role;
use dango_core::OsEntropy;

const NOW: Timestamp = Timestamp::from_unix_micros(1_700_000_000_000_000);

fn user(address: &str) -> User {
    User {
        id: UserId::make(NOW, &OsEntropy).expect("random"),
        email: address.parse().expect("an address"),
        role: Role::Editor,
        activity: Activity::Active,
        invite_expires_at: None,
        must_change_password: false,
        epoch: SecurityEpoch::default(),
        created_at: NOW,
        updated_at: NOW,
        last_login: None,
    }
}

fn verified(address: &str) -> EmailClaim {
    EmailClaim::Verified(address.parse().expect("an address"))
}

fn refusal(login: &ExternalLogin<'_>) -> Option<&'static str> {
    match login {
        ExternalLogin::Refused(refusal) => Some(refusal.code()),
        _ => None,
    }
}

#[test]
fn the_one_who_linked_the_identity_is_logged_in_whatever_the_address_says() {
    let (owner, victim) = (user("owner@x.example"), user("victim@x.example"));
    for email in [
        EmailClaim::Absent,
        EmailClaim::Unverified,
        verified("owner@x.example"),
        verified("victim@x.example"),
    ] {
        let facts = LinkFacts {
            linked: Some(&owner),
            by_email: Some(&victim),
            by_email_links: false,
        };
        let login = decide_external_login(&email, facts, FirstUse::ByVerifiedEmail);
        assert!(matches!(login, ExternalLogin::Of(user) if user.id == owner.id), "{email:?}");
    }
}

#[test]
fn an_address_alone_opens_nothing_unless_it_is_verified_and_an_administrator_wants_it() {
    let victim = user("victim@x.example");
    let facts = LinkFacts {
        linked: None,
        by_email: Some(&victim),
        by_email_links: false,
    };
    let decide = |email, first_use| decide_external_login(&email, facts, first_use);
    for (email, first_use, expected) in [
        (verified("victim@x.example"), FirstUse::default(), Some("first-use-not-allowed")),
        (EmailClaim::Unverified, FirstUse::ByVerifiedEmail, Some("email-not-verified")),
        (EmailClaim::Absent, FirstUse::ByVerifiedEmail, Some("no-account")),
        (verified("somebody.else@x.example"), FirstUse::ByVerifiedEmail, Some("no-account")),
        (verified("VICTIM@x.example"), FirstUse::ByVerifiedEmail, None),
    ] {
        assert_eq!(refusal(&decide(email.clone(), first_use)), expected, "{email:?} {first_use:?}");
    }
    let login = decide(verified("victim@x.example"), FirstUse::ByVerifiedEmail);
    assert!(matches!(login, ExternalLogin::FirstUseOf(user) if user.id == victim.id));
    let linked = LinkFacts {
        by_email_links: true,
        ..facts
    };
    let login = decide_external_login(&verified("victim@x.example"), linked, FirstUse::ByVerifiedEmail);
    assert_eq!(refusal(&login), Some("different-provider-linked"));
}

#[test]
fn nobody_who_may_not_log_in_gets_in_this_way() {
    let mut off = user("a@x.example");
    off.activity = Activity::Inactive;
    let mut invited = user("b@x.example");
    invited.invite_expires_at = Some(NOW);
    let mut both = invited.clone();
    both.activity = Activity::Inactive;
    for (user, expected) in [(&off, "inactive"), (&invited, "invite-not-accepted"), (&both, "inactive")] {
        let linked = LinkFacts {
            linked: Some(user),
            ..LinkFacts::default()
        };
        assert_eq!(
            refusal(&decide_external_login(&EmailClaim::Absent, linked, FirstUse::default())),
            Some(expected)
        );
        let first = LinkFacts {
            by_email: Some(user),
            ..LinkFacts::default()
        };
        let claim = EmailClaim::Verified(user.email.clone());
        assert_eq!(
            refusal(&decide_external_login(&claim, first, FirstUse::ByVerifiedEmail)),
            Some(expected)
        );
    }
}

#[test]
fn who_logs_in_elsewhere_sets_no_password_here_unless_that_is_allowed() {
    use FirstFactors::{Both, Links, Neither, Password};
    for (factors, allowed) in [(Password, true), (Both, true), (Neither, true), (Links, false)] {
        assert_eq!(
            check_local_password(factors, LocalPassword::default()).is_ok(),
            allowed,
            "{factors:?}"
        );
        assert!(check_local_password(factors, LocalPassword::Allowed).is_ok());
    }
}

#[test]
fn an_identity_is_compared_byte_for_byte_and_has_limits() {
    let identity = |issuer: &str, subject: &str| ExternalIdentity::new(issuer, subject);
    assert_ne!(identity("https://op.example", "1"), identity("https://op.example/", "1"));
    assert_ne!(identity("https://op.example", "a"), identity("https://op.example", "A"));
    for (issuer, subject) in [
        ("", "1"),
        ("https://op.example", ""),
        ("https://op.example", "\u{430}"),
        ("https://op.example", "a\nb"),
    ] {
        assert_eq!(identity(issuer, subject), Err(InvalidExternalIdentity));
    }
    assert!(identity("i", &"s".repeat(255)).is_ok() && identity("i", &"s".repeat(256)).is_err());
}
