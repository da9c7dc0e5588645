//! `dango auth` and `dango audit list` on a server's project, with a key of the scope `admin` and without.

use serde_json::json;

use super::Team;
use crate::answers::Answer;
use crate::server::{EMAIL, PASSWORD};

#[test]
fn users_are_added_listed_changed_and_deleted() {
    let team = Team::logged_in("people", "admin");
    let added = team
        .dango(&["auth", "add-user", "bob@team.example", "--role", "editor", "--json"])
        .success()
        .json();
    assert!(added["invite_url"].as_str().is_some_and(|url| url.contains("/invite/")), "{added}");
    let both = |arguments: &[&str]| {
        let (there, here) = (team.project.run(arguments).success(), team.dango(arguments).success());
        assert_eq!(there.json(), here.json());
    };
    both(&["auth", "list-users", "--json"]);
    let table = team.dango(&["auth", "list-users"]).success().stdout;
    assert!(table.contains("bob@team.example") && table.contains("invited"), "{table}");
    for (arguments, member, value) in [
        (&["auth", "change-role", "bob@team.example", "viewer"][..], "role", json!("viewer")),
        (&["auth", "deactivate-user", "bob@team.example"], "status", json!("inactive")),
        (&["auth", "reactivate-user", "BOB@team.example"], "is_active", json!(true)),
        (&["auth", "unlock", "bob@team.example"], "role", json!("viewer")),
    ] {
        let answer = team.dango(&[arguments, &["--json"]].concat()).success().json();
        assert_eq!(answer[member], value, "{arguments:?}");
    }
    let reset = team.dango(&["auth", "reset-password", "bob@team.example"]).success();
    assert!(reset.stdout.trim_end().len() >= 12, "{}", reset.stdout);
    let _ = team.dango(&["auth", "reset-2fa", "bob@team.example"]).success();
    let _ = team
        .dango(&["auth", "delete-user", "bob@team.example"])
        .fails(1, &["not confirmed"]);
    let _ = team.dango(&["auth", "delete-user", "bob@team.example", "--yes"]).success();
    let _ = team
        .dango(&["auth", "add-user", "eve@team.example", "--base-url", "https://dango.example.com"])
        .fails(2, &["--base-url"]);
    let _ = team
        .dango(&["auth", "unlock", "bob@team.example"])
        .fails(1, &["no user with this address"]);
    let _ = team.dango(&["auth", "deactivate-user", EMAIL]).ending_with(1);
    both(&["audit", "list", "--type", "role_changed", "--json"]);
    let listed = team.dango(&["audit", "list", "--limit", "3"]).success().stdout;
    assert_eq!(listed.lines().count(), 4, "{listed}");
}

#[test]
fn a_key_without_the_scope_does_nothing_to_people() {
    let team = Team::logged_in("scope", "edit");
    for arguments in [
        &["auth", "list-users"][..],
        &["auth", "add-user", "eve@team.example", "--role", "admin"],
        &["audit", "list"],
    ] {
        let _ = team.dango(arguments).fails(1, &["permission denied", "--scope"]);
    }
    let _ = team.log_in("run").success();
    let _ = team
        .here
        .dango(&["secrets", "set", "sources.x.y"])
        .stdin("v")
        .run()
        .fails(1, &["config.manage"]);
    let _ = team.here.dango(&["env", "set", "X"]).stdin("v").run().fails(1, &["config.manage"]);
    let _ = team.dango(&["secrets", "list"]).success();
}

#[test]
fn a_key_that_changes_values_and_may_not_read_them_sets_and_removes_without_a_denial() {
    let team = Team::new("changes");
    let body = json!({"name": "ci", "scopes": ["config.manage"], "expires_in_days": 1});
    let made = team.server.signed_in(EMAIL, PASSWORD).post("/api/auth/api-keys", &body).json();
    let key = made["key"].as_str().expect("a key");
    let dango = |arguments: &[&str]| team.here.dango(arguments).env("DANGO_SERVER_KEY", key);
    let _ = dango(&["secrets", "set", "sources.x.y"]).stdin("v".repeat(100_000)).run().success();
    let _ = dango(&["env", "set", "X"]).stdin("v").run().success();
    let _ = dango(&["secrets", "unset", "sources.x.y"]).run().success();
    let _ = dango(&["env", "unset", "X"]).run().success();
    assert!(team.events("permission_denied").is_empty());
}
