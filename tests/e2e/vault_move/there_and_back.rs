//! The whole way: what is there byte for byte, what a dump of the database gives away, and what is in the log.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn a_project_goes_to_postgres_and_comes_back_byte_for_byte() {
    let (postgres, project) = (database(), filled());
    let before = contents(&project);
    assert_eq!(before.keys().copied().collect::<Vec<_>>(), {
        let mut files = FILES;
        files.sort_unstable();
        files
    });
    assert_eq!(status(&project, &postgres)["home"], "files");

    // Nothing is done by asking what would be.
    let planned = project
        .dango(&["vault", "move", "--to", "postgres", "--dry-run", "--json"])
        .env("DANGO_SERVER_DATABASE_URL", postgres.url(ROLE, PASSWORD, "dango"));
    let planned = planned.run().success().json();
    assert_eq!((&planned["action"], &planned["resumes"]), (&"planned".into(), &false.into()));
    let secrets = planned["files"]
        .as_array()
        .unwrap()
        .iter()
        .find(|file| file["file"] == ".dlt/secrets.toml");
    assert_eq!(
        secrets.map(|file| (file["values"].as_u64(), file["encrypted"].as_u64())),
        Some((Some(3), Some(3)))
    );
    assert_eq!(contents(&project), before);
    assert_eq!(
        postgres.sql("dango", "SELECT count(*) FROM pg_namespace WHERE nspname = 'dango'"),
        "0",
        "not even a schema was made"
    );

    let said = moved(&project, &postgres, "postgres").says(&["compared row by row"]);
    assert!(said.stderr.contains("postgres://127.0.0.1"), "{}", said.stderr);
    assert_eq!(contents(&project), BTreeMap::new(), "in rows alone");
    assert_eq!(rows(&postgres), "7|1", "a row for each file that there can be");
    let told = status(&project, &postgres);
    assert_eq!(
        (&told["home"], &told["move"], &told["reachable"]),
        (&"postgres".into(), &Value::Null, &true.into())
    );
    assert_eq!(told["files"].as_array().map(Vec::len), Some(7));
    let again = moving(&project, &postgres, "postgres").run().success();
    assert!(again.stderr.contains("already"), "{}", again.stderr);

    // Neither a value nor the name of one is in what a thief of the database has.
    let dump = postgres.dump("dango", "dango");
    for word in [
        CANARY,
        "stripe_secret_key",
        "ZULU_TOKEN",
        "ALPHA_URL",
        "shop",
        "first line",
        "dango:v1:",
        PASSWORD,
    ] {
        assert!(!dump.contains(word), "{word} is in a dump");
    }
    // The log is still here, and nobody has begun another one: `dango-server migrate` takes it there.
    assert_eq!(postgres.sql("dango", "SELECT count(*) FROM dango.audit"), "0");
    let log = project
        .run(&["audit", "list", "--type", "project_moved", "--json"])
        .success()
        .json();
    assert_eq!(log["events"][1]["details"]["action"], "to_postgres", "{log}");

    let back = moved(&project, &postgres, "files").says(&["in files again"]);
    assert!(!back.stderr.contains(CANARY));
    assert_eq!(contents(&project), before, "byte for byte");
    for file in FILES {
        let mode = fs::metadata(project.path().join(file)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{file}");
    }
    assert!(!project.path().join(".dango/home").exists());
    let value = project
        .run(&["secrets", "get", "sources.shop.stripe_secret_key", "--reveal"])
        .success();
    assert_eq!(value.stdout, format!("second-{CANARY}\n"));
    let doctor = project.run(&["doctor", "--json"]);
    assert!(
        !doctor.stdout.contains("move") && !doctor.stdout.contains("seal"),
        "{}",
        doctor.stdout
    );
    // What came back is not in the rows any more.
    assert_eq!(
        postgres.sql("dango", "SELECT max(octet_length(sealed)) < 400 FROM dango.project_files"),
        "t"
    );
    let nothing = moving(&project, &postgres, "files").run().success();
    assert!(nothing.stderr.contains("already"), "{}", nothing.stderr);
    // Once more there, and once more back.
    let _ = moved(&project, &postgres, "postgres");
    let _ = moved(&project, &postgres, "files");
    assert_eq!(contents(&project), before);
}

#[test]
fn what_is_plain_is_encrypted_first_and_the_local_log_tells_where_no_setting_names_postgres() {
    let (postgres, project) = (database(), Scratch::initialised());
    let _ = project.run(&["key", "create", "--holder", "file"]).success();
    let (secrets, env) = (
        format!("[sources.shop]\na = 'x-{CANARY}' # why\nn = 7\n[other]\nb = 'y-{CANARY}'\n"),
        format!("A='{CANARY}'\nREFERS=${{A}}\n"),
    );
    project.write(".dlt/secrets.toml", &secrets);
    project.write(".env", &env);
    let url = format!("postgres://{ROLE}@127.0.0.1:{}/dango", postgres.port());
    let to = |to: &str| {
        let arguments = ["vault", "move", "--to", to, "--database-url", &url, "--yes", "--json"];
        project.dango(&arguments).env("PGPASSWORD", PASSWORD).run().success().json()
    };
    let there = to("postgres");
    assert_eq!((&there["action"], &there["to"]), (&"moved".into(), &"postgres".into()));
    assert!(there["encrypted"].as_u64().unwrap() >= 3, "{there}");
    assert!(!postgres.dump("dango", "dango").contains(CANARY));
    let back = to("files");
    assert_eq!(back["action"], "moved");
    for file in [".dlt/secrets.toml", ".env"] {
        assert!(
            project.read(file).contains("dango:v1:"),
            "{file} came back as it was in the database"
        );
    }
    let _ = project.run(&["secrets", "decrypt", "--all"]).success();
    let _ = project.run(&["env", "decrypt", "--all"]).success();
    assert_eq!((project.read(".dlt/secrets.toml"), project.read(".env")), (secrets, env));
    let listed = project
        .run(&["audit", "list", "--type", "project_moved", "--json"])
        .success()
        .json();
    assert_eq!(listed["events"].as_array().map(Vec::len), Some(2), "there and back: {listed}");
    let _ = project.run(&["audit", "verify"]).success();
}
