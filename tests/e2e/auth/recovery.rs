//! `dango auth recover` where nothing is lost but a password.

use super::{add, each, with_admin};
use crate::answers::Answer;

#[test]
fn an_emergency_administrator_is_made_once_under_each_address() {
    let project = with_admin();
    let first = project
        .run(&["auth", "recover"])
        .success()
        .says(&["recovery@localhost", "delete-user"]);
    assert_eq!(first.stdout.lines().count(), 1);
    assert!(!first.stderr.contains(first.stdout.trim_end()));
    let _ = project
        .run(&["auth", "recover"])
        .fails(1, &["already", "reset-password", "--email"]);
    let other = project
        .run(&["auth", "recover", "--email", "ops@example.com", "--json"])
        .success()
        .json();
    assert_eq!(
        (&other["user"]["role"], &other["user"]["must_change_password"]),
        (&"admin".into(), &true.into())
    );
    assert!(other["temp_password"].is_string());
    assert_eq!(
        each(&project, "email"),
        ["ada@example.com", "recovery@localhost", "ops@example.com"]
    );
    let _ = project.run(&["auth", "recover", "--email", "nonsense"]).fails(2, &["e-mail"]);
}

#[test]
fn recover_says_when_nobody_can_sign_in() {
    let project = with_admin();
    let _ = add(&project, "bob@example.com", "admin");
    let _ = project.run(&["auth", "disable", "--yes"]).success();
    let _ = project.run(&["auth", "recover"]).success().says(&["dango auth enable"]);
}
