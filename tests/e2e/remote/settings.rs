//! `remote add`, `list`, `remove` and `use`: they connect to nothing, and refuse what ssh or a shell could take for more.

use dango_tests::Scratch;

use crate::answers::Answer;

#[test]
fn remotes_are_added_listed_chosen_and_removed_without_a_connection() {
    let mut project = Scratch::initialised();
    // With no program to be found, nothing could be connected to.
    project.give("PATH", "/nonexistent");
    let add = |name: &str, host: &str| project.run(&["remote", "add", name, host, "--path", "/srv/my project"]);
    let _ = project
        .run(&["remote", "list"])
        .success()
        .says(&["no remote is known yet", "hint:"]);
    let _ = project.run(&["remote", "env", "list"]).fails(1, &["no remote is known yet"]);
    let _ = add("prod", "deploy@example.org:2222").success().says(&["prod is in use"]);
    let _ = add("staging", "deploy@[::1]:22").success();
    let _ = add("prod", "other@example.org").fails(1, &["named prod already"]);
    let _ = project.run(&["remote", "use", "staging"]).success();
    let rows = project.run(&["remote", "list", "--json"]).success().json();
    assert_eq!(
        rows,
        serde_json::json!([
            {"name": "prod", "host": "deploy@example.org:2222", "path": "/srv/my project", "identity": null, "in_use": false},
            {"name": "staging", "host": "deploy@[::1]:22", "path": "/srv/my project", "identity": null, "in_use": true},
        ])
    );
    let _ = project.run(&["remote", "remove", "staging"]).success();
    let rows = project.run(&["remote", "list", "--json"]).success().json();
    assert_eq!(rows[0]["in_use"], true, "the only one is meant: {rows}");
    let _ = project.run(&["remote", "use", "staging"]).fails(1, &["no remote named staging"]);
    let _ = project
        .run(&["remote", "env", "list"])
        .fails(1, &["`ssh` cannot be started", "hint:"]);
}

#[test]
fn what_could_be_an_option_or_a_command_is_wrong_usage() {
    let project = Scratch::initialised();
    for host in [
        "-oProxyCommand=touch pwned",
        "user@-oProxyCommand=x",
        "user@host;id",
        "$(id)@host",
        "user@host:0",
        "",
    ] {
        let arguments = ["remote", "add", "prod", "--path", "/srv", "--", host];
        let _ = project.run(&arguments).ending_with(2);
    }
    for path in ["", "/a\nb", "~root/x"] {
        let _ = project.run(&["remote", "add", "prod", "host", "--path", path]).ending_with(2);
    }
    let _ = project.run(&["remote", "add", "../x", "host", "--path", "/srv"]).ending_with(2);
    assert!(!project.path().join(".dango/remote.toml").exists());
    project.write(
        ".dango/remote.toml",
        "[remotes.prod]\nhost = \"-oProxyCommand=touch pwned\"\npath = \"/srv\"\n",
    );
    let _ = project
        .run(&["remote", "env", "list"])
        .fails(1, &["remote.toml", "remotes.prod.host", "user@host:port"]);
    assert!(!project.path().join("pwned").exists());
}
