//! Which files may import a heavy crate: its words stay behind one door, so it can be replaced there.

use std::collections::BTreeMap;

use super::Finding;
use super::code::word_places;
use super::tree::SourceTree;

/// A folder that a crate stays in, and how many files there may name it.
type Door = (&'static str, usize);

const ANY: usize = usize::MAX;

/// Each heavy crate, as Rust spells it, with its doors.
const HEAVY: &[(&str, &[Door])] = &[
    (
        "toml_edit",
        &[
            ("crates/dango-secrets/src/document", 1),
            ("crates/dango-sources/src", 1),
            ("crates/dango-oauth/src/provider", 1),
            ("crates/dango-server/src/settings", 1),
            ("xtask/src/tidy", 1),
        ],
    ),
    // Events, literals and spans: the document's reader, its scalars and its writer all speak them.
    ("toml_parser", &[("crates/dango-secrets/src/document", 3)]),
    (
        "saphyr_parser",
        &[("crates/dango-secrets/src/exchange", 1), ("crates/dango-sources/src", 1)],
    ),
    // Each page derives its template.
    ("askama", &[("crates/dango-api/src/web", ANY)]),
    ("aho_corasick", &[("crates/dango-secrets/src/redact", 1)]),
    // One file knows what is packed how, one takes a zip file apart.
    ("flate2", &[("crates/dango-scan/src", 2)]),
    ("memchr", &[("crates/dango-scan/src", 1)]),
    // Every verb declares its own arguments, so the command line knows clap everywhere.
    (
        "clap",
        &[("crates/dango-commands/src", ANY), ("crates/dango-server/src/settings", 1)],
    ),
    ("clap_complete", &[("crates/dango-commands/src", 1)]),
    ("clap_mangen", &[("crates/dango-commands/src", 1)]),
    ("comfy_table", &[("crates/dango-commands/src", 1)]),
    ("inquire", &[("crates/dango-commands/src", 1)]),
    ("signal_hook", &[("crates/dango-commands/src", 1)]),
    // The hidden prompt, and the one place that gives the terminal back.
    ("crossterm", &[("crates/dango-commands/src", 1)]),
    // The system's calls: files; the running command, its limits, its signals and who is asking; the limits that `main` sets.
    (
        "rustix",
        &[
            ("crates/dango-secrets/src/storage", 1),
            ("crates/dango-store-sqlite/src", 1),
            // For how long the machine is up, sleep included.
            ("crates/dango-store-postgres/src", 1),
            ("crates/dango-commands/src", 4),
            // A file is opened without following a link or waiting for a pipe.
            ("crates/dango-scan/src", 1),
            ("crates/dango-cli/src", 1),
            // The process's limits and priorities, and whether the database's disk takes anything.
            ("crates/dango-server/src", 2),
        ],
    ),
    ("secrecy", &[("crates/dango-core/src", 1)]),
    ("getrandom", &[("crates/dango-core/src", 1)]),
    // Cryptography: one file encrypts, one derives and authenticates, one makes passphrases dear; a key's id is a hash, too.
    ("aes_gcm", &[("crates/dango-keyring/src", 1)]),
    ("xaes_256_gcm", &[("crates/dango-identity/src", 1)]),
    ("hkdf", &[("crates/dango-keyring/src", 1), ("crates/dango-identity/src/key", 1)]),
    (
        "hmac",
        &[
            ("crates/dango-keyring/src", 1),
            ("crates/dango-audit/src", 1),
            ("crates/dango-identity/src/key", 1),
        ],
    ),
    (
        "sha2",
        &[
            ("crates/dango-keyring/src", 2),
            ("crates/dango-audit/src", 1),
            // Whether a server's file still is what was read.
            ("crates/dango-remote/src", 1),
            // What was taken over from an earlier Dango is remembered by its digest.
            ("crates/dango-actions/src", 1),
            // What a baseline knows findings by.
            ("crates/dango-scan/src", 1),
            // Whether a migration is the one that was applied.
            ("crates/dango-store-sqlite/src", 1),
            ("crates/dango-store-postgres/src", 1),
            ("crates/dango-identity/src/key", 2),
            // The digests that earlier Dango versions stored, of API keys and of recovery codes.
            ("crates/dango-identity/src/api_key", 1),
            ("crates/dango-identity/src/factor", 1),
        ],
    ),
    ("totp_rs", &[("crates/dango-identity/src/factor", 1)]),
    ("bcrypt", &[("crates/dango-identity/src/password", 2)]),
    // One file asks the blocklist, one program makes it.
    (
        "fst",
        &[("crates/dango-identity/src/password", 1), ("crates/dango-identity/examples", 1)],
    ),
    ("ed25519_dalek", &[("crates/dango-audit/src/checkpoint", 1)]),
    // Passphrases and passwords are made dear by different numbers, which stand with each.
    (
        "argon2",
        &[("crates/dango-keyring/src/wrapped", 1), ("crates/dango-identity/src/password", 3)],
    ),
    // SQLite is asked in one file; every other one of the backend has statements and rows alone.
    ("rusqlite", &[("crates/dango-store-sqlite/src", 1)]),
    // PostgreSQL is asked in one file, and another shakes hands for it.
    (
        "tokio_postgres",
        &[("crates/dango-store-postgres/src", 2), ("crates/dango-check/src/database", 1)],
    ),
    ("region", &[("crates/dango-keyring/src", 1)]),
    // The keyring: one file asks, one knows which keyring this system has.
    ("keyring_core", &[("crates/dango-keyring/src/holder/keyring", 2)]),
    ("secret_service", &[("crates/dango-keyring/src/holder/keyring", 1)]),
    ("zbus", &[("crates/dango-keyring/src/holder/keyring", 1)]),
    (
        "zbus_secret_service_keyring_store",
        &[("crates/dango-keyring/src/holder/keyring", 1)],
    ),
    // Every handler answers with what the framework takes.
    ("axum", &[("crates/dango-api/src", ANY), ("crates/dango-server/src", 6)]),
    ("qrcode", &[("crates/dango-api/src", 1)]),
    // The server: one file drives connections, one folder listens, the rest is told apart from both.
    // And one file takes traces to their collector: the way out shares nothing with the way in.
    (
        "hyper",
        &[("crates/dango-server/src/serve", 1), ("crates/dango-server/src/traces", 1)],
    ),
    (
        "hyper_util",
        &[("crates/dango-server/src/serve", 1), ("crates/dango-server/src/traces", 1)],
    ),
    ("opentelemetry", &[("crates/dango-server/src/traces", 1)]),
    ("opentelemetry_sdk", &[("crates/dango-server/src/traces", 1)]),
    ("opentelemetry_otlp", &[("crates/dango-server/src/traces", 1)]),
    ("opentelemetry_http", &[("crates/dango-server/src/traces", 1)]),
    (
        "rustls_native_certs",
        &[("crates/dango-server/src/traces", 1), ("crates/dango-store-postgres/src", 1)],
    ),
    // One reads certificates and shakes hands, one calls it for each connection; one says which cryptography calls to providers use.
    (
        "rustls",
        &[
            ("crates/dango-server/src/serve", 1),
            ("crates/dango-server/src/traces", 1),
            ("crates/dango-oauth/src/http", 1),
            // TLS as databases' URLs ask for it; the name of whom it is with; and which cryptography a driver takes.
            ("crates/dango-check/src/database", 3),
            ("crates/dango-store-postgres/src", 1),
            ("crates/dango-client/src", 1),
        ],
    ),
    (
        "tokio_rustls",
        &[
            ("crates/dango-server/src/serve", 2),
            ("crates/dango-server/src/traces", 1),
            ("crates/dango-check/src/database", 1),
            ("crates/dango-store-postgres/src", 1),
        ],
    ),
    ("rustls_platform_verifier", &[("crates/dango-check/src/database", 1)]),
    // Databases of users: a door each.
    ("mysql_async", &[("crates/dango-check/src/database", 1)]),
    ("md5", &[("crates/dango-check/src/database", 1)]),
    ("stringprep", &[("crates/dango-check/src/database", 1)]),
    // Providers: one file spells requests, one sends them; digests of random tokens, and signatures of ID tokens.
    // (The server names rustls's own module of that name.)
    ("oauth2", &[("crates/dango-oauth/src", 1)]),
    (
        "reqwest",
        &[
            ("crates/dango-oauth/src/http", 1),
            // The way to a project on a server.
            ("crates/dango-client/src", 1),
        ],
    ),
    (
        "ring",
        &[
            ("crates/dango-oauth/src", 2),
            // Requests to clouds are signed; passwords are proven to MongoDB.
            ("crates/dango-check/src/api", 3),
            ("crates/dango-check/src/database", 2),
            ("crates/dango-server/src/serve", 1),
            ("crates/dango-server/src/traces", 1),
            ("crates/dango-store-postgres/src", 1),
        ],
    ),
    ("listenfd", &[("crates/dango-server/src", 1)]),
    ("mimalloc", &[("crates/dango-server/src", 1)]),
    // What is counted, what is shown, and the seam by which a router adds its own.
    ("prometheus_client", &[("crates/dango-server/src", 6)]),
    ("tracing_subscriber", &[("crates/dango-server/src", 1)]),
    // For tests alone: the product makes its temporary files itself, private from their creation.
    ("tempfile", &[]),
];

/// Looks for heavy crates outside their doors, and for doors that more files use than the table says.
pub(super) fn check(tree: &SourceTree) -> Vec<Finding> {
    HEAVY.iter().flat_map(|(name, doors)| check_one(tree, name, doors)).collect()
}

fn check_one(tree: &SourceTree, name: &str, doors: &[Door]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut users: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
    for (file, code) in tree.production("crates").chain(tree.production("xtask")) {
        let Some(line) = first_use(code, name) else { continue };
        match doors.iter().find(|(folder, _)| file.path.starts_with(&format!("{folder}/"))) {
            Some((folder, _)) => users.entry(folder).or_default().push((&file.path, line)),
            None => findings.push(Finding::at_line(
                &file.path,
                line,
                format!("{} is not to be named here", name),
                format!(
                    "go through the file that owns {}, or move the table in xtask/src/tidy/imports.rs and say why",
                    name
                ),
            )),
        }
    }
    for (folder, most) in doors {
        for (path, line) in users.get(folder).into_iter().flatten().skip(*most) {
            findings.push(Finding::at_line(
                path,
                *line,
                format!("{} is named by more than {most} file(s) of {folder}", name),
                "let the first file offer what this one needs",
            ));
        }
    }
    findings
}

/// The first line that names a crate: `name::` or `use name`, not a path through another module.
fn first_use(code: &str, name: &str) -> Option<usize> {
    word_places(code, name).find_map(|(line, rest)| {
        let start = code.len() - rest.len();
        let before = code[..start].trim_end();
        let after = rest[name.len()..].trim_start();
        let named = after.starts_with("::") || before.ends_with("use") && after.starts_with([';', 'a']);
        (named && !code[..start].ends_with("::")).then_some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        check(&SourceTree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_heavy_crate_outside_its_door_is_found() {
        let found = problems(&[("crates/dango-core/src/a.rs", "//! A.\nuse toml_edit::DocumentMut;\n")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/dango-core/src/a.rs:2: toml_edit"), "{}", found[0]);
    }

    #[test]
    fn a_second_file_behind_the_door_is_found() {
        let found = problems(&[
            ("crates/dango-secrets/src/document/proof.rs", "use toml_edit::DocumentMut;\n"),
            (
                "crates/dango-secrets/src/document/writer.rs",
                "fn a() {\n    toml_edit::value(1);\n}\n",
            ),
        ]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("crates/dango-secrets/src/document/writer.rs:2: toml_edit is named by more than 1"),
            "{}",
            found[0]
        );
    }

    #[test]
    fn prose_tests_and_modules_of_the_same_name_do_not_count() {
        let code = "//! Not toml_edit::here.\nuse crate::clap::X;\n#[cfg(test)]\nmod tests {\n    use toml_edit::X;\n}\n";
        assert_eq!(
            problems(&[
                ("crates/dango-core/src/a.rs", code),
                ("crates/dango-core/src/tests.rs", "use clap::X;\n")
            ]),
            Vec::<String>::new()
        );
    }
}
