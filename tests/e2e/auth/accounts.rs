//! Every verb about one account: its success, its refusals, its JSON, its record.

use dango_tests::Scratch;
use serde_json::Value;

use super::{add, each, newest, users, with_admin};
use crate::answers::Answer;

/// The members of the object *user*, as the HTTP API has them.
const USER: [&str; 14] = [
    "id",
    "email",
    "role",
    "status",
    "is_active",
    "totp_enabled",
    "oauth_provider",
    "locked_until",
    "must_change_password",
    "last_login",
    "invite_expires_at",
    "has_pending_invite",
    "created_at",
    "updated_at",
];

fn members(object: &Value) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn an_invitation_link_is_the_only_data_and_is_shown_once() {
    let project = Scratch::initialised();
    let answer = add(&project, "ada@example.com", "admin").says(&["admin", "not shown again", "identity.key"]);
    let token = answer
        .stdout
        .trim_end()
        .strip_prefix("http://localhost:8800/invite/")
        .expect("a link")
        .to_owned();
    assert!(token.len() >= 43 && !answer.stderr.contains(&token));
    assert_eq!(answer.stdout.lines().count(), 1);
    let listed = project.run(&["auth", "list-users", "--json"]).success().hides(&[&token]);
    let user = &listed.json()[0];
    assert_eq!(members(user), USER);
    assert_eq!(
        (&user["email"], &user["role"], &user["status"], &user["has_pending_invite"]),
        (&"ada@example.com".into(), &"admin".into(), &"invited".into(), &true.into())
    );
    let _ = project.run(&["audit", "export"]).success().hides(&[&token]);
    assert!(!String::from_utf8_lossy(&project.read_bytes(".dango/dango.db")).contains(&token));
    assert_eq!(newest(&project, 2), ["audit_exported success", "user_created success"]);
}

#[test]
fn add_user_gives_a_link_or_a_temporary_password_as_json() {
    let project = with_admin();
    let invited = project
        .run(&["auth", "add-user", "Eve@Example.com", "--role", "editor", "--json"])
        .success()
        .json();
    assert_eq!(members(&invited), ["user", "invite_url"]);
    assert_eq!(members(&invited["user"]), USER);
    let with_password = project
        .run(&["auth", "add-user", "bob@example.com", "--password", "--json"])
        .success();
    let answer = with_password.json();
    assert_eq!(members(&answer), ["user", "temp_password"]);
    assert_eq!(answer["user"]["role"], "viewer", "the least unless more is asked for");
    assert_eq!(answer["user"]["must_change_password"], true);
    let password = answer["temp_password"].as_str().expect("text");
    assert!(password.len() >= 20 && !with_password.stderr.contains(password));
    let link = project
        .run(&["auth", "add-user", "x@example.com", "--base-url", "https://dango.example.com/"])
        .success();
    assert!(link.stdout.starts_with("https://dango.example.com/invite/"), "{}", link.stdout);
}

#[test]
fn an_address_is_added_once_however_it_is_written() {
    let project = with_admin();
    for same in ["ada@example.com", "ADA@example.com", "Ada@EXAMPLE.com", "\u{ff41}da@example.com"] {
        let _ = project.run(&["auth", "add-user", same]).fails(1, &["already", "reset-password"]);
    }
    assert_eq!(users(&project).len(), 1);
    assert_eq!(newest(&project, 1), ["user_created failure"]);
}

#[test]
fn a_wrong_command_line_is_told_from_a_refusal_and_changes_nothing() {
    let project = with_admin();
    for wrong in ["", "ada", "@example.com", "a@b@c", "a b@example.com", "a\u{202e}b@example.com"] {
        let _ = project.run(&["auth", "add-user", "--", wrong]).fails(2, &["no e-mail address"]);
        let _ = project.run(&["auth", "unlock", "--", wrong]).fails(2, &["no e-mail address"]);
    }
    let _ = project
        .run(&["auth", "add-user", "b@example.com", "--role", "owner"])
        .fails(2, &["admin, editor, viewer"]);
    let _ = project
        .run(&["auth", "change-role", "ada@example.com", "root"])
        .fails(2, &["admin, editor, viewer"]);
    let _ = project
        .run(&["auth", "add-user", "b@example.com", "--base-url", "javascript:x"])
        .fails(2, &["--base-url"]);
    let _ = project.run(&["auth", "add-user"]).ending_with(2);
    assert_eq!(each(&project, "email"), ["ada@example.com"]);
}

#[test]
fn a_user_who_is_not_there_is_named_by_every_verb_and_the_refusal_is_recorded() {
    let project = with_admin();
    for (verb, event) in [
        ("reset-password", "password_reset"),
        ("deactivate-user", "user_deactivated"),
        ("reactivate-user", "user_reactivated"),
        ("delete-user", "user_deleted"),
        ("unlock", "account_unlocked"),
        ("reset-2fa", "two_fa_reset"),
    ] {
        let _ = project
            .run(&["auth", verb, "nobody@example.com"])
            .fails(1, &["nobody@example.com", "list-users"]);
        assert_eq!(newest(&project, 1), [format!("{event} failure")], "{verb}");
    }
    let _ = project
        .run(&["auth", "change-role", "nobody@example.com", "editor"])
        .fails(1, &["nobody@example.com"]);
}

#[test]
fn roles_and_activity_change_and_a_second_time_is_only_a_note() {
    let project = with_admin();
    let _ = add(&project, "bob@example.com", "viewer");
    let changed = project
        .run(&["auth", "change-role", "bob@example.com", "editor", "--json"])
        .success()
        .json();
    assert_eq!((members(&changed), &changed["role"]), (USER.to_vec(), &"editor".into()));
    let _ = project
        .run(&["auth", "change-role", "bob@example.com", "editor"])
        .success()
        .says(&["already"]);
    let off = project
        .run(&["auth", "deactivate-user", "BOB@example.com", "--json"])
        .success()
        .json();
    assert_eq!((&off["status"], &off["is_active"]), (&"inactive".into(), &false.into()));
    let _ = project
        .run(&["auth", "deactivate-user", "bob@example.com"])
        .success()
        .says(&["already"]);
    let on = project
        .run(&["auth", "reactivate-user", "bob@example.com", "--json"])
        .success()
        .json();
    assert_eq!(on["is_active"], true);
    let _ = project
        .run(&["auth", "reactivate-user", "bob@example.com"])
        .success()
        .says(&["already"]);
    let _ = project.run(&["auth", "unlock", "bob@example.com"]).success().says(&["not locked"]);
    let _ = project
        .run(&["auth", "reset-2fa", "bob@example.com"])
        .success()
        .says(&["no second factor"]);
    assert_eq!(
        project.run(&["auth", "reset-2fa", "bob@example.com", "--json"]).success().json()["success"],
        true
    );
    let reset = project
        .run(&["auth", "reset-password", "bob@example.com", "--json"])
        .success()
        .json();
    assert_eq!(members(&reset), ["user", "temp_password"]);
}

#[test]
fn the_last_administrator_stays_invited_or_not() {
    let project = with_admin();
    for arguments in [
        &["auth", "change-role", "ada@example.com", "viewer"][..],
        &["auth", "deactivate-user", "ada@example.com"],
        &["auth", "delete-user", "ada@example.com", "--yes"],
    ] {
        let _ = project
            .run(arguments)
            .fails(1, &["only active administrator", "change-role EMAIL admin"]);
    }
    // One who has a password is not replaced by one who may never accept the invitation.
    let _ = project
        .run(&["auth", "add-user", "bob@example.com", "--role", "admin", "--password"])
        .success();
    let _ = project
        .run(&["auth", "deactivate-user", "bob@example.com"])
        .fails(1, &["only active administrator"]);
    let _ = project.run(&["auth", "change-role", "ada@example.com", "viewer"]).success();
    assert_eq!(each(&project, "role"), ["viewer", "admin"]);
}

#[test]
fn a_user_is_deleted_only_once_that_is_confirmed() {
    let project = with_admin();
    let _ = add(&project, "bob@example.com", "editor");
    let _ = project
        .run(&["auth", "delete-user", "bob@example.com"])
        .fails(1, &["not confirmed", "--yes", "deactivate-user"]);
    assert_eq!(users(&project).len(), 2);
    let deleted = project
        .run(&["auth", "delete-user", "bob@example.com", "--yes", "--json"])
        .success();
    assert_eq!(deleted.json(), serde_json::json!({"success": true}));
    assert_eq!(each(&project, "email"), ["ada@example.com"]);
    let _ = add(&project, "bob@example.com", "viewer");
}

#[test]
fn the_tables_are_for_people_and_quiet_silences_all_but_data() {
    let project = with_admin();
    let table = project.run(&["auth", "list-users"]).success().stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("EMAIL") && lines[0].contains("LAST LOGIN"), "{table}");
    assert!(
        lines[1].contains("ada@example.com") && lines[1].contains("invited") && lines[1].contains("never"),
        "{table}"
    );
    let quiet = project.run(&["--quiet", "auth", "add-user", "bob@example.com"]).success();
    assert_eq!((quiet.stdout.lines().count(), quiet.stderr.as_str()), (1, ""));
}
