//! Whether people can sign in: enabled, disabled, counted.

use dango_tests::Scratch;
use serde_json::json;

use super::{add, newest, with_admin};
use crate::answers::{Answer, names};

#[test]
fn a_project_without_users_has_a_status_and_is_left_as_it_is() {
    let project = Scratch::initialised();
    let before = names(&project.path());
    let status = project.run(&["auth", "status", "--json"]).success().json();
    assert_eq!(
        status,
        json!({"enabled": false, "active_users": 0, "admins": 0, "editors": 0, "viewers": 0, "inactive": 0, "locked": 0})
    );
    let _ = project.run(&["auth", "status"]).success().says(&["add-user"]);
    assert_eq!(project.run(&["auth", "list-users", "--json"]).success().json(), json!([]));
    let _ = project.run(&["auth", "enable"]).fails(1, &["no administrator", "add-user"]);
    let _ = project.run(&["auth", "unlock", "ada@example.com"]).fails(1, &["no users yet"]);
    assert_eq!(names(&project.path()), before, "nothing is made before somebody is added");
}

#[test]
fn the_door_is_closed_after_a_question_and_opened_again() {
    let project = with_admin();
    let _ = add(&project, "bob@example.com", "viewer");
    let _ = project.run(&["auth", "disable"]).fails(1, &["not confirmed", "--yes"]);
    assert_eq!(
        project.run(&["auth", "disable", "--yes", "--json"]).success().json(),
        json!({"enabled": false})
    );
    let _ = project.run(&["auth", "disable"]).success().says(&["already"]);
    let status = project.run(&["auth", "status", "--json"]).success().json();
    assert_eq!(
        (&status["enabled"], &status["active_users"], &status["admins"]),
        (&json!(false), &json!(2), &json!(1))
    );
    assert_eq!(
        project.run(&["auth", "enable", "--json"]).success().json(),
        json!({"enabled": true})
    );
    let _ = project.run(&["auth", "enable"]).success().says(&["already"]);
    assert_eq!(newest(&project, 2), ["auth_enabled success", "auth_enabled success"]);
}

#[test]
fn a_folder_that_is_no_project_is_refused_and_gets_nothing() {
    let project = Scratch::new();
    for arguments in [
        &["auth", "status"][..],
        &["auth", "add-user", "a@example.com"],
        &["audit", "list"],
        &["audit", "verify"],
    ] {
        let _ = project.run(arguments).fails(1, &["not in a Dango project"]);
    }
    assert!(names(&project.path()).is_empty());
}
