//! Every kind of finding, as one table: the code that programs know it by and what it means. Where each is found is in `check`.

use std::fmt;

macro_rules! codes {
    ($($variant:ident = $name:literal, $meaning:literal;)*) => {
        /// A kind of finding. The name of a kind, once used, keeps its spelling.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(
                #[doc = concat!("`", $name, "`: ", $meaning, ".")]
                $variant,
            )*
        }

        impl Code {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name that programs know it by.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What it means, as the beginning of a sentence.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)*
                }
            }
        }
    };
}

codes! {
    // Places.
    FolderOpen = "folder-open", "others may enter `.dango` or `.dlt`";
    FileOpen = "file-open", "others may read or write a file that holds secrets";
    FolderWritable = "folder-writable", "anybody may write to the project's folder or one above it, and so exchange its files";
    OwnerDiffers = "owner-differs", "a file belongs to somebody else than the project does";
    UmaskOpen = "umask-open", "programs started here make files that anybody may write";
    NotAFile = "not-a-file", "something else stands where dlt and Dango expect a file, and dlt passes over it in silence";
    DanglingLink = "dangling-link", "a symbolic link leads to nothing";
    Unreadable = "unreadable", "a file cannot be read";
    Leftover = "leftover", "a write that never ended has left its temporary file, which may hold secrets";
    Copy = "copy", "an editor or a person has left a copy of a file with secrets";

    // Git and what is given away.
    NotIgnored = "not-ignored", "git does not ignore a file with secrets, and the next `git add` takes it";
    Tracked = "tracked", "git tracks a file with secrets";
    GitUnasked = "git-unasked", "git could not be asked what it tracks and ignores";
    InDockerImage = "in-docker-image", "`docker build` copies a file with secrets into the image";
    SecretInSharedFile = "secret-in-shared-file", "a secret stands in a file that is made to be committed";

    // Files that do not parse.
    ByteOrderMark = "byte-order-mark", "a file begins with a byte order mark, with which dlt reads nothing at all";
    SecretsMalformed = "secrets-malformed", "a file with credentials is none that dlt can read";
    ConfigMalformed = "config-malformed", "a `config.toml` is none that dlt can read, and then it reads no credential either";
    EnvMalformed = "env-malformed", "`.env` cannot be read";
    SourcesMalformed = "sources-malformed", "`.dango/sources.yml` cannot be read";
    ProvidersMalformed = "providers-malformed", "`.dango/providers.toml` cannot be used";
    RemoteMalformed = "remote-malformed", "`.dango/remote.toml` cannot be used";
    ServerMalformed = "server-malformed", "`.dango/server.toml` is no TOML";

    // Values as dlt reads them.
    Placeholder = "placeholder", "a value still asks to be replaced";
    UnsetReference = "unset-reference", "a value refers to a variable that is set nowhere, or in a circle";
    NeedsRun = "needs-run", "a value holds a reference, which dlt takes for text unless it is started by `dango run`";
    ForeignReference = "foreign-reference", "a value is written as a reference that neither dlt nor Dango resolves";
    AutoCast = "auto-cast", "`dlt.secrets[…]` makes something else of a text";
    VariableShadows = "variable-shadows", "a variable of the environment with a shorter name goes before a stored credential";
    EmptyVariable = "empty-variable", "an empty variable goes before a stored credential";
    SecretInConfig = "secret-in-config", "a secret stands in `config.toml`, where dlt refuses it";
    CredentialsInConfig = "credentials-in-config", "a `credentials` table stands in `config.toml` alone, where dlt refuses it";
    EscapedLineEnds = "escaped-line-ends", "a private key has `\\n` in the place of its line ends";
    DottedKey = "dotted-key", "a key has a dot in it, so dlt does not find it by its path";
    InlineTable = "inline-table", "dlt cannot merge the project's credentials with a table in braces of the user's own file";
    SectionNotRead = "section-not-read", "a section has a name that dlt's own source does not read";
    ProfileIgnored = "profile-ignored", "a file of a profile is not read, as the project is no workspace of dlt";
    RunSecretLineEnd = "run-secret-line-end", "a file below `/run/secrets` ends with a line end, which dlt takes for a part of the secret";
    SecretInTrace = "secret-in-trace", "dlt has written a credential into the trace of a pipeline";

    // Sources and connections.
    CredentialMissing = "credential-missing", "a source lacks a credential";
    CredentialEmpty = "credential-empty", "a credential that a source needs is empty";
    CredentialMisplaced = "credential-misplaced", "a credential stands where dlt's own source does not read it";
    DefaultMissing = "default-missing", "a value that dlt needs is not written, and there is a default for it";
    SourceTypeUnknown = "source-type-unknown", "a source is of no type of the catalogue";
    SyncMalformed = "sync-malformed", "the `sync` command of a source cannot be run";
    ConnectionExpired = "connection-expired", "the access to a provider has ended";
    ConnectionExpiring = "connection-expiring", "the access to a provider ends within seven days";
    ConnectionWithoutToken = "connection-without-token", "a connection is noted, and its token is gone";
    ConnectionTime = "connection-time", "the time of a connection cannot be read";

    // Rotation.
    RotationOverdue = "rotation-overdue", "credentials are older than their source's `rotate_every` allows";
    RotationUnknown = "rotation-unknown", "credentials have a `rotate_every`, and nobody knows how old they are";
    RotationUnfinished = "rotation-unfinished", "a rotation was begun more than a day ago and is neither ended nor given up";

    // The variables of `.env`.
    EnvDuplicate = "env-duplicate", "a variable stands twice in `.env`, and the last one counts";
    EnvLineIgnored = "env-line-ignored", "a line of `.env` is none that python-dotenv can read";
    EnvReadDifferently = "env-read-differently", "python-dotenv and node dotenv read a line of `.env` differently";
    EnvUnsetReference = "env-unset-reference", "a variable of `.env` refers to one that is set nowhere, and so becomes empty or a part of itself";
    KeyInEnv = "key-in-env", "a key of Dango's own stands in `.env`, where it is not read and every program gets it";

    // Encryption.
    KeyUnavailable = "key-unavailable", "the encryption key cannot be fetched";
    KeyIgnored = "key-ignored", "the key in the environment is not this project's";
    KeyRotationUnfinished = "key-rotation-unfinished", "a rotation of the encryption key was broken off";
    UnknownKey = "unknown-key", "values are encrypted with a key that is not at hand";
    ValueClosed = "value-closed", "an encrypted value does not open";
    SealMissing = "seal-missing", "a file with encrypted values has lost its seal";
    SealChanged = "seal-changed", "encrypted values were removed, added or exchanged since the file was sealed";
    SealRolledBack = "seal-rolled-back", "a file with encrypted values is an older version of itself";
    SealUnchecked = "seal-unchecked", "the seal over the encrypted values could not be checked";

    // Where the values are.
    MoveUnfinished = "move-unfinished", "the project's values were being moved to a database or back, and that was broken off";

    // The database, its key and its log.
    IdentityKeyMissing = "identity-key-missing", "there is a database, and its identity key is gone";
    IdentityKeyUnusable = "identity-key-unusable", "the identity key cannot be used";
    DatabaseMissing = "database-missing", "there was a database, and it is gone";
    DatabaseUnusable = "database-unusable", "the database cannot be used";
    DatabaseNewer = "database-newer", "the database was written by a newer version of Dango";
    DatabaseOlder = "database-older", "the database has an older schema than this version of Dango writes";
    AuditBroken = "audit-broken", "the audit log is not as it was written";
    ChangeUnfinished = "change-unfinished", "a change was begun, and no record says how it ended";

    // The machine.
    ClockBehind = "clock-behind", "the clock is behind the files of the project, so times and codes are wrong";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_documentation_has_a_row_for_each_in_this_order() {
        let page = include_str!("../../../docs/doctor.md");
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> = Code::ALL.iter().map(|code| format!("| `{code}` | {} |", code.meaning())).collect();
        assert_eq!(rows.len(), expected.len());
        for (row, expected) in rows.iter().zip(&expected) {
            assert!(
                row.starts_with(expected.as_str()),
                "docs/doctor.md must hold {expected} and has {row}"
            );
        }
    }

    #[test]
    fn no_two_kinds_share_a_name() {
        let names: HashSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(
            names
                .iter()
                .all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
        );
    }
}
