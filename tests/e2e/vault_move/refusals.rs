//! What is not moved: without a yes, a key, a database, or where others have moved already.

use super::*;

#[test]
fn nothing_is_begun_that_cannot_be_ended() {
    let (mut postgres, project) = (database(), filled());
    let before = contents(&project);
    let url = postgres.url(ROLE, PASSWORD, "dango");
    let dango = |arguments: &[&str]| project.dango(&[&["vault", "move", "--to", "postgres"], arguments].concat());
    // No database, no yes, an address that is none: none of it is repeated.
    let _ = dango(&["--yes"])
        .run()
        .fails(1, &["no PostgreSQL database is named", "DANGO_SERVER_DATABASE_URL"]);
    let asked = dango(&[]).env("DANGO_SERVER_DATABASE_URL", &url).run();
    let _ = asked.fails(1, &["not confirmed", "5 values in 5 files", "--yes"]);
    let malformed = format!("postgres://{PASSWORD}@h:x/d");
    let _ = dango(&["--yes", "--database-url", &malformed])
        .run()
        .fails(2, &["--database-url"])
        .hides(&[PASSWORD]);
    let variable = dango(&["--yes"]).env("DANGO_SERVER_DATABASE_URL", &malformed).run();
    let _ = variable.fails(1, &["DANGO_SERVER_DATABASE_URL"]).hides(&[PASSWORD]);
    let _ = project.run(&["vault", "move"]).fails(2, &["--to"]);
    // The settings of the server are read, but not with a password that others read.
    project.write(".dango/server.toml", format!("database_url = \"{url}\"\n"));
    let _ = project.command("chmod", &["644", ".dango/server.toml"]).run().success();
    let _ = dango(&["--yes"])
        .run()
        .fails(1, &["others may read", "chmod 600"])
        .hides(&[PASSWORD]);
    let _ = project.command("chmod", &["600", ".dango/server.toml"]).run().success();
    let planned = dango(&["--dry-run", "--json"]).run().success().json();
    assert_eq!(planned["action"], "planned");
    let _ = project.command("rm", &[".dango/server.toml"]).run().success();
    // A wrong password, a role without a schema, nobody there.
    let wrong = dango(&["--yes"])
        .env("DANGO_SERVER_DATABASE_URL", postgres.url(ROLE, "wrong", "dango"))
        .run();
    let _ = wrong.fails(1, &["postgres://127.0.0.1", "password"]).hides(&["wrong@"]);
    postgres.role("stranger", PASSWORD);
    let stranger = dango(&["--yes"])
        .env("DANGO_SERVER_DATABASE_URL", postgres.url("stranger", PASSWORD, "dango"))
        .run();
    let _ = stranger.fails(1, &["dango-server migrate"]);
    // Without the key of the project.
    let _ = project.command("mv", &[".dango/key", "../key"]).run().success();
    let _ = moving(&project, &postgres, "postgres").run().fails(1, &["key"]);
    let other = moving(&project, &postgres, "postgres").env("DANGO_KEY", "00".repeat(32)).run();
    assert_eq!(other.status, 1, "{}", other.stderr);
    let _ = project.command("mv", &["../key", ".dango/key"]).run().success();
    // Without the key of the log.
    let _ = project.command("mv", &[".dango/identity.key", "../identity"]).run().success();
    let _ = moving(&project, &postgres, "postgres")
        .run()
        .fails(1, &["identity key", "DANGO_IDENTITY_KEY"]);
    let _ = project.command("mv", &["../identity", ".dango/identity.key"]).run().success();
    postgres.stop();
    let _ = moving(&project, &postgres, "postgres").run().fails(1, &["nothing was changed"]);
    assert_eq!(contents(&project), before);
    assert!(!project.path().join(".dango/home").exists());
    let _ = project.run(&["secrets", "list"]).success();
}

#[test]
fn what_refuses_is_asked_before_anything_is_encrypted_or_begun() {
    let (postgres, project) = (database(), Scratch::initialised());
    let _ = project.run(&["key", "create", "--holder", "file"]).success();
    project.write("shared.env", format!("A='{CANARY}'\n"));
    let _ = project.command("chmod", &["600", "shared.env"]).run().success();
    let _ = project.command("rm", &[".env"]).run().success();
    let _ = project.command("ln", &["-s", "shared.env", ".env"]).run().success();
    let refused = moving(&project, &postgres, "postgres").run();
    let _ = refused.fails(1, &[".env is a symbolic link", "readlink", "nothing was moved"]);
    assert_eq!(project.read("shared.env"), format!("A='{CANARY}'\n"), "it is plain as before");
    // Another database than that of the settings would get what is not its.
    let other = format!("postgres://{ROLE}@127.0.0.1:{}/other", postgres.port());
    let refused = project
        .dango(&["vault", "move", "--to", "postgres", "--yes", "--database-url", &other])
        .env("DANGO_SERVER_DATABASE_URL", postgres.url(ROLE, PASSWORD, "dango"))
        .run();
    let _ = refused.fails(1, &["--database-url names", "/other", "/dango"]).hides(&[PASSWORD]);
    assert!(!project.path().join(".dango/home").exists());
}

#[test]
fn rows_of_others_stay_as_they_are_and_a_copy_does_not_push_in() {
    let (postgres, project) = (database(), filled());
    let other = filled();
    let copy = Scratch::copy_of(&project);
    let _ = moving_alone(&other, &postgres, "postgres").run().success();
    let of_other = || {
        postgres.sql(
            "dango",
            "SELECT md5(string_agg(sealed::text, '' ORDER BY project, name)) FROM dango.project_files",
        )
    };
    let theirs = of_other();
    let ours = contents(&copy);
    // Machines that share a project have one id: the first that gets its key from the keyring, or moves, makes it.
    let _ = moving_alone(&project, &postgres, "postgres").run().success();
    assert_eq!(rows(&postgres), "14|2");
    copy.write(".dango/project-id", project.read_bytes(".dango/project-id"));
    let refused = moving_alone(&copy, &postgres, "postgres").run();
    let _ = refused.fails(1, &["in the database already", "nothing was moved"]);
    assert_eq!(contents(&copy), ours, "and has its files still");
    let _ = moving_alone(&project, &postgres, "files").run().success();
    assert_eq!(contents(&project), ours);
    let key = postgres.sql("dango", "SELECT count(*) FROM dango.project_files WHERE octet_length(sealed) > 400");
    assert_ne!(key, "0", "the other project's rows are there");
    let _ = moving_alone(&other, &postgres, "files").run().success();
    assert_ne!(of_other(), theirs);
    let value = other
        .run(&["secrets", "get", "sources.shop.stripe_secret_key", "--reveal"])
        .success();
    assert_eq!(value.stdout, format!("second-{CANARY}\n"));
}
