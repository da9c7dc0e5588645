//! Each verb on a project that a server holds does and prints what it does and prints on the server's machine.

use std::collections::BTreeMap;
use std::process::Stdio;

use dango_tests::Scratch;
use serde_json::json;

use super::{PATH, Team};
use crate::answers::{Answer, set};

/// What a program sees under names of ours.
fn environment(machine: &Scratch, arguments: &[&str]) -> BTreeMap<String, String> {
    let ran = machine
        .dango(&[arguments, &["--", "env", "-0"]].concat())
        .env("REGION", "from the shell")
        .env("DANGO_SERVER_KEY", machine_key(machine))
        .run()
        .success();
    let pairs = ran.stdout.split('\0').filter_map(|pair| pair.split_once('='));
    let ours = pairs.filter(|(name, _)| {
        name.contains("__") && !name.starts_with("RUNTIME") || ["REGION", "LATE", "ODD", "DANGO_SERVER_KEY"].contains(name)
    });
    ours.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The key that a login kept on a machine; none where nobody has logged in.
fn machine_key(machine: &Scratch) -> String {
    let folder = machine.home().join(".config/dango/servers");
    let files = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let file = files
        .map(|entry| entry.path())
        .find(|path| path.extension().is_none_or(|end| end != "lock"));
    file.map(|path| std::fs::read_to_string(path).expect("text").trim().to_owned())
        .unwrap_or_default()
}

#[test]
fn a_program_is_given_what_it_is_given_on_the_servers_machine() {
    let team = Team::logged_in("run", "run");
    let project = &team.project;
    for (path, value) in [
        ("sources.pg.credentials.password", "two\nlines 'and' \"quotes\" \\"),
        ("sources.pg.\"odd key\".v", "é€😀"),
        ("destination.bq.literal", "${REGION} stands for itself"),
    ] {
        set(project, path, value);
    }
    for arguments in [
        &["secrets", "set", "sources.pg.port", "--type", "integer"][..],
        &["secrets", "set", "sources.pg.ports", "--type", "json"],
    ] {
        let value = if arguments[2].ends_with('s') { "[1, 2]" } else { "5432" };
        let _ = project.dango(arguments).stdin(value).run().success();
    }
    let reference = ["secrets", "set", "sources.pg.host", "--reference"];
    let _ = project.dango(&reference).stdin("${HOST:-none}.${REGION}.example").run().success();
    project.write(
        ".env",
        "REGION=from the file\nHOST=db-${REGION}\nLATE=1\nLATE='2 # no comment'\nODD=\"a\\nb\"\n",
    );
    let there = environment(project, &["run"]);
    let here = environment(&team.here, &["run"]);
    assert_eq!(here["SOURCES__PG__HOST"], "db-from the shell.from the shell.example");
    assert_eq!(here[&format!("SOURCES__STRIPE__{}", "API_KEY")], team.canary.value());
    assert!(!here.contains_key("DANGO_SERVER_KEY"), "the key is taken out");
    assert_eq!(here, there);
    let narrowed = environment(&team.here, &["run", "--only", "sources.stripe"]);
    assert_eq!(narrowed, environment(project, &["run", "--only", "sources.stripe"]));
    assert!(!narrowed.contains_key("SOURCES__PG__PORT"));
}

#[test]
fn a_run_is_one_record_and_leaves_nothing_behind() {
    let team = Team::logged_in("left", "run");
    let _ = team.project.run(&["key", "create", "--holder", "file"]).success();
    let _ = team.project.run(&["secrets", "encrypt", "--all"]).success();
    let ran = team
        .dango(&["run", "--redact", "--", "sh", "-c", "printf '%s' \"$SOURCES__STRIPE__API_KEY\""])
        .success();
    assert_eq!(ran.stdout, "***");
    let used = team.events("secrets_used");
    assert_eq!(used.len(), 1);
    assert_eq!(used[0]["details"]["paths"], json!([PATH]));
    assert_eq!(
        (&used[0]["details"]["via"], &used[0]["actor"]["kind"]),
        (&json!("run"), &json!("api_key"))
    );
    for place in [team.here.everything(), team.project.everything()] {
        assert_eq!(team.canary.files_below(place), [] as [std::path::PathBuf; 0]);
    }
    assert!(!team.canary.is_in(team.server.log()));
    let _ = team.project.run(&["audit", "verify"]).success();
}

#[test]
fn the_exit_status_and_a_command_that_is_not_there_are_those_of_a_local_run() {
    let team = Team::logged_in("status", "run");
    assert_eq!(team.dango(&["run", "--", "sh", "-c", "exit 42"]).status, 42);
    assert_eq!(team.dango(&["run", "--", "no-such-command"]).status, 127);
    team.project
        .write(".dlt/secrets.toml", "[sources.x]\na = \"${NO_SUCH_VARIABLE}\"\n");
    let refused = team
        .dango(&["run", "--", "touch", "started"])
        .fails(1, &["NO_SUCH_VARIABLE", "nothing was started"]);
    drop(refused);
    assert!(!team.here.path().join("started").exists());
}

#[test]
fn credentials_are_listed_shown_set_removed_and_exported() {
    let team = Team::logged_in("secrets", "edit");
    let listed = team.dango(&["secrets", "list", "--json"]).success().json();
    assert_eq!(listed, team.project.run(&["secrets", "list", "--json"]).success().json());
    assert_eq!(team.dango(&["secrets", "get", PATH]).success().stdout, "***\n");
    let shown = team.dango(&["secrets", "get", PATH, "--reveal"]).success();
    assert_eq!(shown.stdout, format!("{}\n", team.canary.value()));
    let set = team
        .here
        .dango(&["secrets", "set", "sources.x.port", "--type", "integer", "--json"])
        .stdin("0x10")
        .run();
    let _ = set.success();
    let both = |arguments: &[&str]| {
        let (there, here) = (team.project.run(arguments).success(), team.dango(arguments).success());
        assert_eq!(there.stdout, here.stdout, "{arguments:?}");
    };
    both(&["secrets", "get", "sources.x.port", "--reveal", "--json"]);
    both(&["secrets", "get", "sources", "--reveal"]);
    both(&["secrets", "list", "sources.x"]);
    for format in ["toml", "json", "yaml", "dotenv", "shell"] {
        both(&["secrets", "export", "--reveal", "--format", format]);
    }
    let again = team
        .here
        .dango(&["secrets", "set", "sources.x.port", "--json"])
        .stdin("new")
        .run()
        .success();
    assert_eq!(
        again.json(),
        json!({"path": "sources.x.port", "action": "updated", "encrypted": false})
    );
    assert_eq!(
        team.dango(&["secrets", "unset", "sources.x.port", "--json"]).success().json()["removed"],
        1
    );
    let _ = team
        .dango(&["secrets", "unset", "sources.x.port"])
        .fails(1, &["there is no credential sources.x.port"]);
    let _ = team.dango(&["secrets", "unset", "sources"]).fails(1, &["not confirmed"]);
    let _ = team.dango(&["secrets", "unset", "sources", "--yes"]).success();
    assert_eq!(team.dango(&["secrets", "list", "--json"]).success().json(), json!([]));
    let by = team.events("secret_set");
    assert!(
        by.iter()
            .any(|event| event["actor"]["kind"] == "api_key" && event["details"]["path"] == "sources.x.port")
    );
    let _ = team.project.run(&["audit", "verify"]).success();
}

#[test]
fn variables_are_listed_shown_set_and_removed() {
    let team = Team::logged_in("env", "edit");
    team.project.write(".env", "REGION=eu\nHOST=\"db.${REGION}\"\n");
    let set = team
        .here
        .dango(&["env", "set", "TOKEN", "--json"])
        .stdin(team.canary.value())
        .run()
        .success();
    assert_eq!(set.json(), json!({"key": "TOKEN", "action": "created", "encrypted": false}));
    let both = |arguments: &[&str]| {
        let (there, here) = (team.project.run(arguments).success(), team.dango(arguments).success());
        assert_eq!(there.stdout, here.stdout, "{arguments:?}");
    };
    both(&["env", "list"]);
    both(&["env", "list", "--json"]);
    both(&["env", "get", "HOST", "--reveal"]);
    both(&["env", "get", "HOST", "--reveal", "--no-resolve"]);
    both(&["env", "get", "TOKEN", "--reveal", "--json"]);
    both(&["env", "get", "TOKEN"]);
    let revealed = team.events("secret_revealed");
    assert!(
        revealed.iter().any(|event| event["details"]["keys"] == json!(["REGION", "HOST"])),
        "{revealed:?}"
    );
    let _ = team.dango(&["env", "unset", "TOKEN"]).success();
    let _ = team.dango(&["env", "get", "TOKEN", "--reveal"]).fails(1, &["no such"]);
    let _ = team
        .here
        .dango(&["env", "set", "A", "--reference"])
        .stdin("x")
        .run()
        .fails(1, &["literally"]);
}

#[test]
fn a_source_of_the_project_here_is_loaded_with_the_servers_credentials() {
    let team = Team::logged_in("sync", "run");
    let _ = team.here.run(&["init"]).success();
    team.here.write(
        ".dango/sources.yml",
        "sources:\n  - name: shop\n    type: notion\n    sync: sh -c 'printf %s \"$SOURCES__SHOP__API_KEY\"'\n",
    );
    let missing = team.dango(&["sync", "shop"]);
    assert_eq!(missing.status, 1, "{}", missing.stderr);
    set(&team.project, "sources.shop.api_key", team.canary.value());
    // What the server's own project says of commands is never executed here.
    team.project.write(
        ".dango/sources.yml",
        "sources:\n  - name: shop\n    type: notion\n    sync: touch from-the-server\n",
    );
    let ran = team.dango(&["sync", "shop"]).success();
    assert_eq!(ran.stdout, team.canary.value());
    assert!(!team.here.path().join("from-the-server").exists());
    assert_eq!(team.events("secrets_used")[0]["details"]["via"], "sync");
}

#[test]
fn what_a_server_does_not_do_is_not_done_to_the_files_here_instead() {
    let team = Team::logged_in("refused", "edit");
    let _ = team.here.run(&["init"]).success();
    for arguments in [
        &["secrets", "encrypt", "--all"][..],
        &["secrets", "reseal"],
        &["secrets", "history", PATH],
        &["env", "lint"],
        &["auth", "enable"],
        &["auth", "recover"],
        &["audit", "verify"],
    ] {
        let _ = team
            .dango(arguments)
            .fails(1, &["a project that a server holds", "DANGO_SERVER_URL"]);
    }
    // Whoever changes a credential is not left to guess where.
    for arguments in [
        &["rotate", "shop"][..],
        &["exposed", PATH],
        &["oauth", "list"],
        &["source", "add", "notion"],
        &["source", "remove", "shop", "--yes"],
        &["source", "check"],
    ] {
        let _ = team
            .dango(arguments)
            .fails(1, &["a project that a server holds", &team.server.url(), "the files here"]);
    }
    let _ = team.dango(&["source", "list"]).success();
    // The variable chooses for these commands alone; the option says plainly what is meant.
    let _ = team.dango(&["key", "status"]).success();
    let url = team.server.url();
    let _ = team
        .dango(&["--server", &url, "key", "status"])
        .fails(1, &["on the server's machine"]);
    let _ = team
        .here
        .dango(&["run", "--offline-cache", "1h", "--", "true"])
        .env("DANGO_SERVER_URL", "")
        .run()
        .fails(2, &["--server"]);
}

#[test]
fn no_value_and_no_key_is_in_the_arguments_of_any_process() {
    let team = Team::logged_in("process", "run");
    let key = machine_key(&team.here);
    assert!(key.starts_with("dak_"));
    let mut running = team.here.dango(&["run", "--", "sleep", "60"]).into_command();
    let mut child = running.stdout(Stdio::null()).spawn().expect("starts");
    let all = || {
        let pids = std::fs::read_dir("/proc").expect("Linux").filter_map(Result::ok);
        let lines = pids.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        lines.flatten().collect::<Vec<u8>>()
    };
    // Until the program has taken the place of dango.
    let cmdline = format!("/proc/{}/cmdline", child.id());
    while !std::fs::read(&cmdline).is_ok_and(|line| line.starts_with(b"sleep")) {
        let seen = all();
        assert!(!team.canary.is_in(&seen) && !seen.windows(key.len()).any(|window| window == key.as_bytes()));
        assert!(child.try_wait().expect("a child").is_none(), "it has ended");
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
}

#[test]
fn what_is_of_no_use_to_a_program_and_what_opens_the_house_leaves_the_server_for_nobody() {
    let team = Team::logged_in("house", "run");
    let inner = team.canary.value();
    team.project.write(
        ".dlt/secrets.toml",
        format!(
            "[sources.shop]\napi_key = \"shop\"\n[dango.oauth.shop]\nprovider = \"google\"\nidentifier = \"{inner}\"\n\
             [dango.oauth.shop.metadata]\napp_id = \"x\"\napp_secret = \"{inner}\"\n"
        ),
    );
    team.project
        .write(".env", format!("DANGO_IDENTITY_KEY={inner}\nREGION=eu\nGONE=1\nGONE\n"));
    let key = machine_key(&team.here);
    let mut client = team.server.client().with_key(&key);
    for purpose in ["run", "sync", "export"] {
        let answer = client.post("/api/project/values", &json!({"purpose": purpose}));
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(!team.canary.is_in(answer.text.as_bytes()), "{purpose}");
        assert_eq!(answer.text.contains("dango.oauth.shop.provider"), purpose == "sync", "{purpose}");
        assert!(answer.text.contains("REGION"), "{purpose}: {}", answer.text);
    }
    let _ = team
        .dango(&["env", "get", "DANGO_IDENTITY_KEY", "--reveal"])
        .fails(1, &["gives it to nobody"]);
    let _ = team
        .dango(&["secrets", "get", "sources.typo", "--reveal"])
        .fails(1, &["no such credential", "secrets.toml"]);
    assert_eq!(team.dango(&["run", "--", "printenv", "GONE"]).status, 1);
}

#[test]
fn a_file_that_was_put_back_is_told_of_here_and_recorded_there() {
    let team = Team::logged_in("back", "run");
    let _ = team.project.run(&["key", "create", "--holder", "file"]).success();
    let _ = team.project.run(&["secrets", "encrypt", "--all"]).success();
    let file = team.project.path().join(".dlt/secrets.toml");
    let older = std::fs::read(&file).expect("there");
    set(&team.project, PATH, "newer");
    let _ = team.dango(&["run", "--", "true"]).success();
    assert!(team.events("secrets_used")[0]["details"]["warnings"].is_null());
    std::fs::write(&file, older).expect("written");
    let _ = team
        .dango(&["run", "--", "true"])
        .success()
        .says(&["warning", "an older version of itself"]);
    assert_eq!(team.events("secrets_used")[0]["details"]["warnings"], json!(["seal-rolled-back"]));
}
