//! The first minutes with the server: where it starts, where it refuses to, and how the first administrator comes in.

use std::fs;

use dango_tests::{Scratch, Server, dango_server};
use serde_json::json;

use super::{EMAIL, PASSWORD, claim, with_administrator};

#[test]
fn the_first_administrator_comes_in_by_a_link_that_works_once_and_that_nothing_else_tells() {
    let project = Scratch::initialised();
    let server = Server::start(&project);
    let link = server.setup_link();
    assert!(link.starts_with(&server.url()), "{link}");
    let token = link.rsplit('/').next().expect("a link has a token").to_owned();
    for path in ["/", "/setup", "/api/health", "/api/ready", "/api/auth/me", "/api/openapi.json"] {
        assert!(!server.client().get(path).text.contains(&token), "{path}");
    }
    claim(&server);
    let again = json!({"token": token, "email": "eve@team.example", "password": PASSWORD});
    let again = server.client().post("/api/auth/claim", &again);
    assert_eq!((again.status, again.code().as_str()), (410, "claim_invalid"));
    let mut client = server.signed_in(EMAIL, PASSWORD);
    assert_eq!(client.get("/api/auth/me").json()["role"], "admin");
    assert!(!server.log().contains(&token));
    // At the next start there is nothing to claim.
    let (status, log) = server.stop();
    assert_eq!(status, 0, "{log}");
    let server = Server::start(&project);
    assert_eq!(server.signed_in(EMAIL, PASSWORD).get("/api/auth/me").status, 200);
    assert!(!server.said().contains("/setup/"));
}

#[test]
fn outside_of_a_project_nothing_starts_and_nothing_is_made() {
    let folder = Scratch::new();
    let refused = folder.command(dango_server(), &["--listen", "127.0.0.1:0"]).run();
    assert_eq!(refused.status, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("dango init"), "{}", refused.stderr);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn from_a_folder_below_it_is_the_same_project() {
    let (project, server) = with_administrator();
    drop(server);
    fs::create_dir_all(project.path().join("pipelines/deep")).expect("a scratch folder is writable");
    let mut command = std::process::Command::new(dango_server());
    command
        .args(["--listen", "127.0.0.1:0"])
        .current_dir(project.path().join("pipelines/deep"))
        .env_clear()
        .envs(project.environment());
    let server = Server::launch(&mut command);
    assert_eq!(server.signed_in(EMAIL, PASSWORD).get("/api/auth/me").status, 200);
}

#[test]
fn what_one_door_does_the_other_sees_at_once() {
    let (project, server) = with_administrator();
    let mut client = server.signed_in(EMAIL, PASSWORD);
    // The command line changes, the server lists.
    let set = project.dango(&["env", "set", "FROM_CLI"]).stdin("one").run();
    assert_eq!(set.status, 0, "{}", set.stderr);
    assert_eq!(client.get("/api/secrets").json()["env_vars"][0]["key"], "FROM_CLI");
    // The server changes, the command line reads.
    let body = json!({"key": "FROM_WEB", "value": "two\nlines = \"and\" $more"});
    assert_eq!(client.post("/api/secrets", &body).status, 201);
    let got = project.run(&["env", "get", "FROM_WEB", "--reveal"]).success();
    assert_eq!(got.stdout, "two\nlines = \"and\" $more\n");
    // An editor changes between two requests, in place.
    let edited = project.read(".env").replace("FROM_CLI", "BY_HAND_");
    project.write(".env", edited);
    assert_eq!(client.get("/api/secrets").json()["env_vars"][0]["key"], "BY_HAND_");
    // People and their rights, too.
    let added = project
        .run(&["auth", "add-user", "bob@team.example", "--role", "viewer", "--password", "--json"])
        .success();
    let added: serde_json::Value = serde_json::from_str(&added.stdout).expect("JSON");
    let mut bob = server.client();
    let login = json!({"email": "bob@team.example", "password": added["temp_password"]});
    assert_eq!(bob.post("/api/auth/login", &login).json()["must_change_password"], true);
    let _ = project.run(&["auth", "deactivate-user", "bob@team.example", "--yes"]).success();
    assert_eq!(bob.get("/api/auth/me").status, 401);
    let _ = project.run(&["auth", "disable", "--yes"]).success();
    assert_ne!(client.get("/api/auth/me").status, 200);
    let _ = project.run(&["auth", "enable"]).success();
    let listed = project.run(&["audit", "verify"]);
    assert_eq!(listed.status, 0, "{}", listed.stderr);
}

#[test]
fn limits_of_requests_are_settings_and_hold_on_this_machine_too() {
    let project = Scratch::initialised();
    let options = [
        "--max-requests-per-key",
        "2",
        "--max-anonymous-requests-per-address",
        "3",
        "--operations-listen",
        "127.0.0.1:0",
    ];
    let server = Server::start_with(&project, &options);
    claim(&server);
    let mut session = server.signed_in(EMAIL, PASSWORD);
    let made = session.post("/api/auth/api-keys", &json!({"name": "ci"})).json();
    let mut program = server.client().with_key(made["key"].as_str().expect("a key"));
    let mut stranger = server.client();
    let statuses = |client: &mut dango_tests::Client| (0..4).map(|_| client.get("/api/auth/me").status).collect::<Vec<_>>();
    assert_eq!(statuses(&mut program), [200, 200, 429, 429]);
    assert_eq!(statuses(&mut stranger), [401, 401, 401, 429]);
    assert_eq!(statuses(&mut session), [200; 4]);
    let refused = program.get("/api/secrets");
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"), "{}", refused.text);
    assert!(!refused.header("retry-after").is_empty() && refused.header("ratelimit").starts_with("\"key\";r=0;t="));
    let operations = server.operations().expect("it was asked for");
    let metrics = dango_tests::Client::of(&operations).get("/metrics").text;
    assert!(metrics.contains("dango_http_rate_limited_total 4"), "{metrics}");
    // Who is sent away fills no log.
    assert!(!server.log().contains("429"), "{}", server.log());
}
