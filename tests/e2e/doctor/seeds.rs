//! Faults, each as somebody makes it: what it does to a project, and what a doctor is to call it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use dango_tests::Scratch;

use crate::scan::git;

/// One fault.
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) path: &'static str,
    /// Whether `--fix` puts it right.
    pub(super) fixable: bool,
    pub(super) seed: fn(&mut Scratch),
}

/// Adds text behind a file.
pub(super) fn append(project: &Scratch, file: &str, text: &str) {
    let path = project.path().join(file);
    let mode = fs::metadata(&path).map(|found| found.permissions().mode()).unwrap_or(0o600);
    let mut bytes = fs::read(&path).unwrap_or_default();
    bytes.extend_from_slice(text.as_bytes());
    fs::write(&path, bytes).unwrap();
    chmod(project, file, mode);
}

pub(super) fn chmod(project: &Scratch, file: &str, mode: u32) {
    fs::set_permissions(project.path().join(file), fs::Permissions::from_mode(mode)).unwrap();
}

fn secret(project: &Scratch, text: &str) {
    append(project, ".dlt/secrets.toml", text);
}

fn env(project: &Scratch, text: &str) {
    append(project, ".env", text);
}

fn config(project: &Scratch, text: &str) {
    append(project, ".dlt/config.toml", text);
}

fn source(project: &Scratch, text: &str) {
    append(project, ".dango/sources.yml", text);
}

/// The line of an encrypted value in `secrets.toml`, and the whole text.
fn sealed(project: &Scratch, key: &str) -> (String, String) {
    let text = project.read(".dlt/secrets.toml");
    let line = text.lines().find(|line| line.starts_with(key)).expect("it is there").to_owned();
    (line, text)
}

fn replace_line(project: &Scratch, key: &str, change: impl Fn(&str) -> String) {
    let (line, text) = sealed(project, key);
    let changed = text.replace(&format!("{line}\n"), &change(&line));
    fs::write(project.path().join(".dlt/secrets.toml"), changed).unwrap();
}

/// What is being replaced was begun two days ago.
fn two_days_earlier(project: &Scratch) {
    let notes = project.read(".dango/rotations");
    let mut words = notes.split_ascii_whitespace();
    let began = words.find(|word| word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_digit()));
    let began = began.expect("the note says when it began");
    let earlier = began.parse::<i64>().unwrap() - 2 * 86_400 * 1_000_000;
    project.write(".dango/rotations", notes.replace(began, &earlier.to_string()));
    chmod(project, ".dango/rotations", 0o600);
}

const fn by_hand(code: &'static str, path: &'static str, seed: fn(&mut Scratch)) -> Fault {
    Fault {
        code,
        path,
        fixable: false,
        seed,
    }
}

const fn fixable(code: &'static str, path: &'static str, seed: fn(&mut Scratch)) -> Fault {
    Fault {
        code,
        path,
        fixable: true,
        seed,
    }
}

/// Faults that one project can have all at once, each found with or without the others.
pub(super) const FAULTS: &[Fault] = &[
    fixable("folder-open", ".dlt", |project| chmod(project, ".dlt", 0o755)),
    fixable("file-open", ".dlt/secrets.toml", |project| {
        chmod(project, ".dlt/secrets.toml", 0o644)
    }),
    fixable("folder-writable", ".", |project| {
        fs::set_permissions(project.path(), fs::Permissions::from_mode(0o777)).unwrap();
    }),
    fixable("byte-order-mark", ".dlt/config.toml", |project| {
        let text = project.read_bytes(".dlt/config.toml");
        project.write(".dlt/config.toml", [b"\xef\xbb\xbf", text.as_slice()].concat());
    }),
    fixable("leftover", ".dlt/.secrets.toml.dango-999999999-00112233aabbccdd.tmp", |project| {
        append(project, ".dlt/.secrets.toml.dango-999999999-00112233aabbccdd.tmp", "kanarienvogel");
    }),
    fixable("not-ignored", ".dlt/secrets.toml", |project| {
        let lines = project.read(".gitignore");
        project.write(".gitignore", lines.replace(".dlt/secrets.toml\n", ""));
    }),
    fixable("default-missing", "sources.google_sheets.credentials.project_id", |project| {
        replace_line(project, "project_id", |_| String::new());
    }),
    by_hand("copy", ".env.bak", |project| append(project, ".env.bak", "A=kanarienvogel\n")),
    by_hand("tracked", ".env", |project| {
        git(project, &["add", "--force", ".env"]);
    }),
    by_hand("in-docker-image", "Dockerfile", |project| {
        project.write("Dockerfile", "FROM python:3.13\nCOPY . /app\n");
    }),
    by_hand("secret-in-shared-file", ".env.example:1", |project| {
        project.write(".env.example", "WAREHOUSE_PASSWORD=kanarienvogel+warehouse\n");
    }),
    by_hand("dangling-link", ".dango/server.toml", |project| {
        symlink("/nowhere/server.toml", project.path().join(".dango/server.toml")).unwrap();
    }),
    by_hand("not-a-file", ".dango/remote.toml", |project| {
        fs::create_dir(project.path().join(".dango/remote.toml")).unwrap();
    }),
    by_hand("providers-malformed", ".dango/providers.toml", |project| {
        project.write(".dango/providers.toml", "[providers.mine]\nnonsense = 1\n");
    }),
    by_hand("placeholder", "sources.hubspot.api_key", |project| {
        secret(project, "\n[sources.hubspot]\napi_key = \"<configure me>\"\n");
    }),
    by_hand("unset-reference", "sources.billing.key", |project| {
        secret(project, "\n[sources.billing]\nkey = \"${NO_SUCH_VARIABLE}\"\n");
    }),
    by_hand("needs-run", "sources.mailer.key", |project| {
        secret(project, "\n[sources.mailer]\nkey = \"Bearer ${GREETING}\"\n");
    }),
    by_hand("foreign-reference", "sources.wiki.key", |project| {
        secret(project, "\n[sources.wiki]\nkey = \"{{ WIKI_KEY }}\"\n");
    }),
    by_hand("auto-cast", "sources.phone.number", |project| {
        secret(project, "\n[sources.phone]\nnumber = \"+15551234567\"\n");
    }),
    by_hand("variable-shadows", "sources.tickets.ticket_key", |project| {
        secret(project, "\n[sources.tickets]\nticket_key = \"kanarienvogel-tickets\"\n");
        project.give("TICKET_KEY", "another");
    }),
    by_hand("empty-variable", "sources.mail.mailbox_code", |project| {
        secret(project, "\n[sources.mail]\nmailbox_code = \"kanarienvogel-mail\"\n");
        project.give("SOURCES__MAIL__MAILBOX_CODE", "");
    }),
    by_hand("secret-in-config", "sources.jira.api_token", |project| {
        config(project, "\n[sources.jira]\napi_token = \"kanarienvogel-jira\"\n");
    }),
    by_hand("credentials-in-config", "destination.bigquery.credentials", |project| {
        config(project, "\n[destination.bigquery.credentials]\nlocation = \"EU\"\n");
    }),
    by_hand("escaped-line-ends", "destination.bigquery.key.private_key", |project| {
        secret(
            project,
            "\n[destination.bigquery.key]\nprivate_key = '-----BEGIN PRIVATE KEY-----\\nkanarienvogel\\n-----END PRIVATE KEY-----'\n",
        );
    }),
    by_hand("dotted-key", "sources.queue.\"bootstrap.servers\"", |project| {
        secret(project, "\n[sources.queue]\n\"bootstrap.servers\" = \"broker:9092\"\n");
    }),
    by_hand("section-not-read", "sources.asana", |project| {
        secret(project, "\n[sources.asana]\naccess_token = \"kanarienvogel-asana\"\n");
    }),
    by_hand("profile-ignored", ".dlt/prod.secrets.toml", |project| {
        append(
            project,
            ".dlt/prod.secrets.toml",
            "[sources.shop]\napi_key = \"kanarienvogel-prod\"\n",
        );
    }),
    by_hand("secret-in-trace", "data/pipelines/shop/trace.pickle", |project| {
        project.write(
            "data/pipelines/shop/trace.pickle",
            b"\x80\x04\x8c\x1dsk_test_kanarienvogel_stripe\x94.",
        );
        project.give("DLT_DATA_DIR", project.path().join("data"));
    }),
    by_hand("credential-missing", "sources.github.access_token", |project| {
        source(project, "  - name: github\n    type: github\n");
    }),
    by_hand("credential-empty", "sources.slack.access_token", |project| {
        secret(project, "\n[sources.slack]\naccess_token = \"\"\n");
        source(project, "  - name: slack\n    type: slack\n");
    }),
    by_hand("credential-misplaced", "sources.sql_database.password", |project| {
        secret(
            project,
            "\n[sources.sql_database]\npassword = \"kanarienvogel-db\"\n\n[sources.sql_database.credentials]\ndrivername = \"postgresql\"\n\
             host = \"db\"\nport = 5432\ndatabase = \"shop\"\nusername = \"ada\"\n",
        );
        source(project, "  - name: sql_database\n    type: postgres\n");
    }),
    by_hand("source-type-unknown", "legacy", |project| {
        source(project, "  - name: legacy\n    type: no_such_type\n");
    }),
    by_hand("sync-malformed", "notion", |project| {
        secret(project, "\n[sources.notion]\napi_key = \"kanarienvogel-notion\"\n");
        source(project, "  - name: notion\n    type: notion\n    sync: 'python \"notion.py'\n");
    }),
    by_hand("connection-expired", "facebook_ads", |project| {
        secret(
            project,
            "\n[sources.facebook_ads]\naccess_token = \"EAAkanarienvogel\"\naccount_id = \"0123\"\n\n[dango.oauth.facebook_ads]\n\
             source_type = \"facebook_ads\"\nprovider = \"facebook\"\nexpires_at = \"2020-01-01T00:00:00Z\"\n",
        );
    }),
    by_hand("connection-time", "dango.oauth.hub.expires_at", |project| {
        secret(
            project,
            "\n[sources.hub]\naccess_token = \"kanarienvogel-hub\"\n\n[dango.oauth.hub]\nsource_type = \"hubspot\"\nprovider = \"hubspot\"\nexpires_at = \"soon\"\n",
        );
    }),
    by_hand("connection-without-token", "dango.oauth.gone", |project| {
        secret(
            project,
            "\n[dango.oauth.gone]\nsource_type = \"airtable\"\nprovider = \"airtable\"\ncreated_at = \"2026-01-01T00:00:00Z\"\n",
        );
    }),
    by_hand("env-duplicate", ".env:4", |project| env(project, "TWICE=1\nTWICE=2\n")),
    by_hand("env-line-ignored", ".env:5", |project| {
        pad(project, 5);
        env(project, "=kanarienvogel\n");
    }),
    by_hand("env-unset-reference", ".env:6", |project| {
        pad(project, 6);
        env(project, "URL=https://${NO_SUCH_HOST}/\n");
    }),
    by_hand("env-read-differently", ".env:7", |project| {
        pad(project, 7);
        env(project, "ODD=a#kanarienvogel\n");
    }),
    by_hand("key-in-env", "DANGO_PASSPHRASE", |project| {
        env(project, "DANGO_PASSPHRASE=kanarienvogel\n")
    }),
    by_hand("key-ignored", "DANGO_KEY", |project| project.give("DANGO_KEY", "ab".repeat(32))),
    by_hand("value-closed", "sources.shop.api_key", |project| {
        // One digit in the middle of the ciphertext.
        replace_line(project, "api_key", |line| {
            let at = line.len() - 12;
            let other = if &line[at..=at] == "A" { "B" } else { "A" };
            format!("{}{other}{}\n", &line[..at], &line[at + 1..])
        });
    }),
    by_hand("unknown-key", "sources.foreign.token", |project| {
        let sealed = "A".repeat(64);
        secret(
            project,
            &format!("\n[sources.foreign]\ntoken = \"dango:v1:0123456789abcdef:{sealed}\"\n"),
        );
    }),
];

/// Comment lines up to a line of `.env`, so that the next one is it, whatever other faults have added.
fn pad(project: &Scratch, line: usize) {
    let there = project.read(".env").lines().count();
    assert!(there < line, "the faults of .env are in the order of their lines");
    env(project, &"# a comment\n".repeat(line - 1 - there));
}

/// Faults that change what others are judged by, or that only one project in a while has: each is found alone.
pub(super) const ALONE: &[Fault] = &[
    // What was stored by hand is in no log, so nobody knows how old it is.
    by_hand("rotation-unknown", "sources.google_sheets", |project| {
        source(project, "    rotate_every: 90d\n");
    }),
    by_hand("rotation-unfinished", ".dango/rotations", |project| {
        let rotate = project.dango(&["rotate", "stripe_analytics", "--no-check"]);
        let _ = rotate.stdin("sk_test_kanarienvogel_next").run().success();
        two_days_earlier(project);
    }),
    by_hand("rotation-unfinished", ".dango/rotations", |project| {
        let output = project.run(&["exposed", "sources.shop.api_key", "--no-new-value"]);
        assert_eq!(output.status, 1, "{}", output.stderr);
        two_days_earlier(project);
    }),
    by_hand("secrets-malformed", ".dlt/secrets.toml:2:7", |project| {
        project.write(".dlt/secrets.toml", "[sources.shop]\nkey = kanarienvogel\n");
        chmod(project, ".dlt/secrets.toml", 0o600);
        // Without values there is nothing encrypted, and so nothing that is missing from the seal.
        fs::remove_file(project.path().join(".dango/seen-secrets")).unwrap();
        project.write(".dango/sources.yml", "sources: []\n");
    }),
    by_hand("config-malformed", ".dlt/config.toml:1:5", |project| {
        project.write(".dlt/config.toml", "a = kanarienvogel\n")
    }),
    by_hand("env-malformed", ".env:1:3", |project| {
        project.write(".env", b"A=\xff\n");
        chmod(project, ".env", 0o600);
    }),
    by_hand("sources-malformed", ".dango/sources.yml:3", |project| {
        project.write(".dango/sources.yml", "sources:\n  - kanarienvogel: [\n")
    }),
    by_hand("remote-malformed", ".dango/remote.toml", |project| {
        project.write(".dango/remote.toml", "[remotes.prod]\nhost = 3\n")
    }),
    by_hand("server-malformed", ".dango/server.toml:1:10", |project| {
        project.write(".dango/server.toml", "listen = kanarienvogel\n")
    }),
    by_hand("seal-changed", ".dlt/secrets.toml", |project| {
        replace_line(project, "api_token", |_| String::new())
    }),
    by_hand("seal-missing", ".dlt/secrets.toml", |project| {
        let text = project.read(".dlt/secrets.toml");
        let (before, after) = text.split_once("[dango.seal]").expect("it is sealed");
        let rest = after.find("\n[").map_or("", |at| &after[at..]);
        fs::write(project.path().join(".dlt/secrets.toml"), format!("{before}{rest}")).unwrap();
    }),
    by_hand("seal-rolled-back", ".dlt/secrets.toml", |project| {
        let before = project.read(".dlt/secrets.toml");
        let set = project.dango(&["secrets", "set", "--encrypt", "sources.shop.api_key"]);
        let _ = set.stdin("kanarienvogel anew").run().success();
        fs::write(project.path().join(".dlt/secrets.toml"), before).unwrap();
    }),
    by_hand("key-unavailable", "key", |project| {
        fs::remove_file(project.path().join(".dango/key")).unwrap();
    }),
    by_hand("connection-expiring", "facebook_ads", |project| {
        let soon = project
            .command("date", &["-u", "-d", "+3 days", "+%Y-%m-%dT%H:%M:%SZ"])
            .run()
            .success()
            .stdout;
        secret(
            project,
            &format!(
                "\n[sources.facebook_ads]\naccess_token = \"EAAkanarienvogel\"\naccount_id = \"0123\"\n\n[dango.oauth.facebook_ads]\n\
                 source_type = \"facebook_ads\"\nprovider = \"facebook\"\nexpires_at = \"{}\"\n",
                soon.trim()
            ),
        );
    }),
    by_hand("clock-behind", ".env", |project| {
        let _ = project.command("touch", &["-d", "+1 day", ".env"]).run().success();
    }),
    by_hand("dangling-link", ".dlt/secrets.toml", |project| {
        let path = project.path().join(".dlt/secrets.toml");
        fs::remove_file(&path).unwrap();
        symlink("/nowhere/secrets.toml", path).unwrap();
    }),
    by_hand("not-a-file", ".dlt/secrets.toml", |project| {
        fs::remove_file(project.path().join(".dlt/secrets.toml")).unwrap();
        fs::create_dir(project.path().join(".dlt/secrets.toml")).unwrap();
    }),
    by_hand("identity-key-missing", ".dango/identity.key", |project| {
        fs::remove_file(project.path().join(".dango/identity.key")).unwrap();
    }),
    by_hand("identity-key-unusable", ".dango/identity.key", |project| {
        project.write(".dango/identity.key", "kanarienvogel\n");
    }),
    fixable("file-open", ".dango/identity.key", |project| {
        chmod(project, ".dango/identity.key", 0o644)
    }),
    by_hand("database-missing", ".dango/dango.db", |project| {
        fs::remove_file(project.path().join(".dango/dango.db")).unwrap();
    }),
    by_hand("database-unusable", ".dango/dango.db", |project| {
        for name in ["dango.db-wal", "dango.db-shm"] {
            let _ = fs::remove_file(project.path().join(".dango").join(name));
        }
        fs::write(project.path().join(".dango/dango.db"), [7; 8192]).unwrap();
    }),
    by_hand("placeholder", "sources.sql.table", |project| {
        config(project, "\n[sources.sql]\ntable = \"<configure me>\" # fill this in!\n")
    }),
    by_hand("database-older", ".dango/dango.db", |project| {
        let before = "DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)";
        crate::audit::sql(project, &format!("{before}; PRAGMA user_version = 4"));
    }),
    by_hand("database-newer", ".dango/dango.db", |project| {
        crate::audit::sql(project, "PRAGMA user_version = 9999")
    }),
];
