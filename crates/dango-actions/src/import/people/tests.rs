//! Who is taken over and who is not, by example.

use dango_core::SecretValue;

use super::*;

const BCRYPT: &str = "$2b$12$2jALfeagCMONNKm31z8yEe.qiU5pJhp7L.PSR6lsWlztbwlZk2ZL.";

fn now() -> Timestamp {
    "2026-11-22T00:00:00Z".parse().expect("a time")
}

fn secret(text: &str) -> Option<SecretValue> {
    Some(SecretValue::new(text.to_owned()).expect("a secret"))
}

fn user(number: u32, email: &str) -> EarlierUser {
    EarlierUser {
        id: format!("{number:08}"),
        email: email.to_owned(),
        role: "viewer".to_owned(),
        is_active: true,
        password_hash: secret(BCRYPT),
        must_change_password: false,
        password_changed_at: None,
        totp_secret: None,
        totp_enabled: false,
        recovery_codes: None,
        oauth_provider: None,
        is_invited: false,
        invite_expires_at: None,
        created_at: format!("2026-01-01T00:00:{number:02}+00:00"),
        last_login: None,
    }
}

fn key(owner: u32, name: &str, byte: u8) -> EarlierApiKey {
    EarlierApiKey {
        user_id: format!("{owner:08}"),
        name: name.to_owned(),
        prefix: "dango_ak_abc".to_owned(),
        key_hash: secret(&format!("{byte:02x}").repeat(32)).expect("a secret"),
        is_active: true,
        created_at: "2026-01-01T00:00:00+00:00".to_owned(),
        last_used_at: None,
        expires_at: None,
    }
}

fn planned(users: Vec<EarlierUser>, api_keys: Vec<EarlierApiKey>, known: &Known) -> Plan {
    let database = EarlierDatabase {
        schema_version: 6,
        users,
        api_keys,
    };
    plan(&database, known, now())
}

fn one(user: EarlierUser, api_keys: Vec<EarlierApiKey>) -> Person {
    let mut plan = planned(vec![user], api_keys, &Known::default());
    assert!(plan.skipped.is_empty(), "{:?}", plan.skipped);
    plan.people.pop().expect("somebody")
}

fn reasons(plan: &Plan) -> Vec<(&str, UserSkipped)> {
    plan.skipped.iter().map(|user| (user.email.as_str(), user.reason)).collect()
}

#[test]
fn whoever_is_there_or_was_is_not_taken_again_and_the_first_of_two_alike_is() {
    let known = Known {
        likenesses: ["here@x.test".to_owned()].into(),
        marks: [mark("user", b"00000002")].into(),
    };
    let users = vec![
        user(5, "strasse@x.test"),
        user(1, "Here@X.test"),
        user(2, "renamed@x.test"),
        user(3, "straße@x.test"),
        user(4, "new@x.test"),
    ];
    let plan = planned(users, Vec::new(), &known);
    let taken: Vec<&str> = plan.people.iter().map(|person| person.told.email.as_str()).collect();
    assert_eq!(taken, ["straße@x.test", "new@x.test"]);
    assert_eq!(
        reasons(&plan),
        [
            ("Here@X.test", UserSkipped::EmailTaken),
            ("renamed@x.test", UserSkipped::ImportedBefore),
            ("strasse@x.test", UserSkipped::EmailTaken),
        ]
    );
}

#[test]
fn what_is_no_address_or_no_role_is_told_without_what_commands_a_terminal() {
    let mut root = user(3, "root@x.test");
    root.role = "root".to_owned();
    let plan = planned(
        vec![user(1, "notanemail"), user(2, "\u{1b}[2J@x"), root],
        Vec::new(),
        &Known::default(),
    );
    assert!(plan.people.is_empty());
    let codes: Vec<_> = plan
        .skipped
        .iter()
        .map(|user| (user.email.as_str(), user.reason.as_str()))
        .collect();
    assert_eq!(
        codes,
        [
            ("notanemail", "email_invalid"),
            (r"\u{1b}[2J@x", "email_invalid"),
            ("root@x.test", "role_unknown")
        ]
    );
}

#[test]
fn users_without_a_password_wait_for_an_invitation_that_has_expired() {
    let without = |number, change: fn(&mut EarlierUser)| {
        let mut user = user(number, "a@x.test");
        (user.password_hash, user.must_change_password) = (None, true);
        change(&mut user);
        one(user, vec![key(number, "of nobody", 1)])
    };
    let cases = [
        (without(1, |_| ()), NoPassword::NeverSet),
        (
            without(2, |user| user.oauth_provider = Some("google".to_owned())),
            NoPassword::OtherProvider,
        ),
        (
            without(3, |user| {
                (user.is_invited, user.invite_expires_at) = (true, Some("2100-01-01T00:00:00+00:00".to_owned()))
            }),
            NoPassword::Invited,
        ),
        (
            without(4, |user| user.password_hash = secret("$2b$31$never affordable")),
            NoPassword::Unreadable,
        ),
    ];
    for (person, why) in cases {
        assert_eq!(person.told.entry, FirstEntry::Invitation(why));
        assert!(person.password.is_none());
        // Nothing that could be accepted, whatever the earlier invitation said.
        assert!(person.invite_expired_at.is_some_and(|at| at <= now()), "{why:?}");
        assert_eq!(person.told.api_keys[0].skipped, Some(KeySkipped::OwnerLocked));
        assert!(person.api_keys.is_empty());
    }
}

#[test]
fn a_password_comes_with_its_duties_and_its_times() {
    let mut due = user(1, "a@x.test");
    (due.must_change_password, due.is_invited) = (true, true);
    due.password_changed_at = Some("2026-02-03T04:05:06+00:00".to_owned());
    due.last_login = Some("2100-01-01T00:00:00+00:00".to_owned());
    let person = one(due, Vec::new());
    assert_eq!((person.told.entry, person.invite_expired_at), (FirstEntry::PasswordToChange, None));
    let password = person.password.expect("a password");
    assert_eq!(
        (password.record.as_str(), password.set_at.to_string().as_str()),
        (BCRYPT, "2026-02-03T04:05:06Z")
    );
    // Nobody logged in tomorrow, or was made at no time.
    assert_eq!(person.last_login, Some(now()));
    let mut odd = user(2, "b@x.test");
    odd.created_at = "once".to_owned();
    assert_eq!(one(odd, Vec::new()).created_at, now());
}

#[test]
fn a_second_factor_that_is_on_is_taken_and_never_lost() {
    let with = |enabled, secret_text: Option<&str>, codes: Option<&str>| {
        let mut user = user(1, "a@x.test");
        user.totp_enabled = enabled;
        user.totp_secret = secret_text.and_then(secret);
        user.recovery_codes = codes.and_then(secret);
        user
    };
    let good = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    let (hash, other) = ("ab".repeat(32), "CD".repeat(32));
    let codes = format!(r#"["{hash}", "{hash}", "{other}", "short", ""]"#);
    let person = one(with(true, Some(good), Some(&codes)), Vec::new());
    assert_eq!(person.told.second_factor, Some(ImportedFactor { recovery_codes: 2 }));
    assert_eq!(person.totp.expect("a factor").1, [[0xab; 32], [0xcd; 32]]);
    // Codes that cannot be read are none; the app is there still.
    for codes in [None, Some("{}"), Some("[1]"), Some("nonsense")] {
        assert_eq!(
            one(with(true, Some(good), codes), Vec::new()).told.second_factor,
            Some(ImportedFactor { recovery_codes: 0 })
        );
    }
    // One that was being set up is left behind, its codes too.
    assert_eq!(one(with(false, Some(good), Some(&codes)), Vec::new()).told.second_factor, None);
    for bad in [None, Some("!!!"), Some("JBSWY3DP")] {
        let plan = planned(vec![with(true, bad, Some(&codes))], Vec::new(), &Known::default());
        assert_eq!(reasons(&plan), [("a@x.test", UserSkipped::SecondFactorUnreadable)]);
    }
}

#[test]
fn keys_that_work_are_taken_and_those_that_do_not_are_told_with_the_reason() {
    let change = |mut key: EarlierApiKey, change: fn(&mut EarlierApiKey)| {
        change(&mut key);
        key
    };
    let keys = vec![
        key(1, "good", 1),
        change(key(1, "revoked", 2), |key| key.is_active = false),
        change(key(1, "expired", 3), |key| {
            key.expires_at = Some("2026-11-22T00:00:00+00:00".to_owned())
        }),
        change(key(1, "odd end", 4), |key| key.expires_at = Some("soon".to_owned())),
        change(key(1, "odd hash", 5), |key| key.key_hash = secret("ab").expect("a secret")),
        key(1, "twin", 1),
        change(key(1, "\u{1b}[31m", 6), |key| key.prefix = "über".to_owned()),
        change(key(1, "", 7), |key| {
            key.expires_at = Some("2026-11-22T00:00:00.000001+00:00".to_owned())
        }),
        key(9, "of nobody", 8),
    ];
    let person = one(user(1, "a@x.test"), keys);
    let told: Vec<_> = person
        .told
        .api_keys
        .iter()
        .map(|key| (key.name.as_str(), key.skipped.map(KeySkipped::as_str)))
        .collect();
    assert_eq!(
        told,
        [
            ("good", None),
            ("revoked", Some("revoked")),
            ("expired", Some("expired")),
            ("odd end", Some("unreadable")),
            ("odd hash", Some("unreadable")),
            ("twin", Some("duplicate")),
            ("[31m", None),
            ("(no name)", None),
        ]
    );
    let places: Vec<_> = person.api_keys.iter().map(|key| (key.place, key.sha256[0])).collect();
    assert_eq!(places, [(0, 1), (6, 6), (7, 7)]);
    assert_eq!(person.told.api_keys[6].prefix.as_str(), "");
}

#[test]
fn whoever_was_switched_off_stays_off_and_keeps_the_password_but_no_key() {
    let mut left = user(1, "a@x.test");
    left.is_active = false;
    let person = one(left, vec![key(1, "still there", 1)]);
    assert_eq!(person.told.activity, Activity::Inactive);
    assert!(person.password.is_some() && person.invite_expired_at.is_none());
    assert_eq!(person.told.api_keys[0].skipped, Some(KeySkipped::OwnerLocked));
}
