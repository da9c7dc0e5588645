//! What must never be below a crate, however deep: the absences that let `dango-secrets` be embedded alone.

use super::Finding;
use super::metadata::Metadata;

/// Crates that start a runtime or open a socket.
const RUNTIMES: &[&str] = &["async-std", "axum", "hyper", "mio", "reqwest", "smol", "socket2", "tokio", "ureq"];

/// Crates that bring a database.
const DATABASES: &[&str] = &[
    "diesel",
    "libsqlite3-sys",
    "postgres",
    "rusqlite",
    "sqlx",
    "sqlx-core",
    "tokio-postgres",
];

/// Crates that keep something of ours in a database. Those that sign in to a user's, to see whether it takes them, are not among them.
const STORES: &[&str] = &["diesel", "libsqlite3-sys", "rusqlite", "sqlx", "sqlx-core"];

/// Crates that do cryptography; digests, too, since a keyless one invites misuse as a seal.
const CRYPTO: &[&str] = &[
    "aead",
    "aes",
    "aes-gcm",
    "argon2",
    "aws-lc-rs",
    "blake2",
    "blake3",
    "chacha20poly1305",
    "cipher",
    "digest",
    "ed25519-dalek",
    "hkdf",
    "hmac",
    "keyring",
    "keyring-core",
    "openssl",
    "password-hash",
    "pbkdf2",
    "ring",
    "rsa",
    "rustls",
    "scrypt",
    "sha1",
    "sha2",
    "sha3",
];

/// Each crate of ours with the families that it must do without.
const ABSENCES: &[(&str, &[&[&str]])] = &[
    ("dango-core", &[RUNTIMES, DATABASES, CRYPTO]),
    ("dango-secrets", &[RUNTIMES, DATABASES, CRYPTO]),
    // The keyring's D-Bus library runs on threads of its own; tokio is not to be among them.
    ("dango-keyring", &[RUNTIMES, DATABASES]),
    ("dango-identity", &[RUNTIMES, DATABASES]),
    ("dango-audit", &[RUNTIMES, DATABASES]),
    ("dango-vault", &[RUNTIMES, DATABASES]),
    // Who asks a provider is above it.
    ("dango-rotation", &[RUNTIMES, DATABASES]),
    // It calls providers; what is stored goes through parameters.
    ("dango-oauth", &[DATABASES]),
    ("dango-client", &[DATABASES]),
    ("dango-connections", &[DATABASES]),
    // The use cases know the port of the database, and `main` alone brings one; the command line opens PostgreSQL for the rows of projects' files.
    ("dango-actions", &[RUNTIMES, DATABASES]),
    ("dango-files", &[RUNTIMES, DATABASES]),
    // It answers requests; who listens, and on what runtime, is the server's. (`axum` is above the runtimes here, so it is left out.)
    ("dango-api", &[DATABASES]),
    // It signs in to databases of users; none of its own is below it.
    ("dango-check", &[STORES]),
    ("dango-commands", &[STORES]),
    // Its digests name findings; it encrypts nothing.
    ("dango-scan", &[RUNTIMES, DATABASES]),
    ("dango-doctor", &[RUNTIMES, DATABASES]),
    ("dango-sources", &[RUNTIMES, DATABASES, CRYPTO]),
];

/// Looks for what must be absent among all that a crate needs to run.
pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for &(name, families) in ABSENCES {
        for (needed, asker) in metadata.needs(name) {
            if families.iter().any(|family| family.contains(&needed.name.as_str())) {
                findings.push(Finding::in_file(
                    &format!("crates/{name}/Cargo.toml"),
                    format!("{name} must do without {}, which {} brings", needed.name, asker.name),
                    format!("turn the feature off that needs it, or move what needs it above {name}"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::metadata::samples;
    use super::*;

    #[test]
    fn a_runtime_far_below_is_found_with_the_crate_that_brings_it() {
        let metadata = samples::workspace(
            &[("dango-secrets", &[])],
            &[("nice", "MIT", "s", "dango-secrets"), ("tokio", "MIT", "s", "nice")],
        );
        let findings = check(&metadata);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].problem, "dango-secrets must do without tokio, which nice brings");
    }

    #[test]
    fn the_command_line_may_have_what_the_domains_may_not() {
        assert!(
            check(&samples::workspace(
                &[("dango-commands", &[])],
                &[("sha2", "MIT", "s", "dango-commands")]
            ))
            .is_empty()
        );
    }
}
