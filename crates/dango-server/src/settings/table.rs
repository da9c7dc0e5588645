//! Every setting of the server, in one table: from it come the options, the names of variables and file keys, the help and `docs/server.md`.

/// How often a setting may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Once.
    One,
    /// Any number of times: the option again and again, a variable with commas, an array in the file.
    Many,
}

/// Where a setting may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// As an option, as a variable and in the file.
    All,
    /// Not in the file, which lies in the project that this names.
    NotInFile,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Setting {
    /// Its name, as the option has it behind `--`.
    pub name: &'static str,
    /// What stands for its value in the help.
    pub value: &'static str,
    /// How often it may be given.
    pub count: Count,
    /// Where it may be given.
    pub places: Places,
    /// What holds where it is not given, in words or as it would be written.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// What every variable of the server begins with.
pub const VARIABLE_PREFIX: &str = "DANGO_SERVER_";

/// Variables that begin so and are the command line's: which server it works with, and its key there.
pub(crate) const OF_CLIENTS: [&str; 3] = ["DANGO_SERVER_URL", "DANGO_SERVER_KEY", "DANGO_SERVER_CA"];

impl Setting {
    const fn one(name: &'static str, value: &'static str, default: &'static str, help: &'static str) -> Self {
        Self {
            name,
            value,
            count: Count::One,
            places: Places::All,
            default,
            help,
        }
    }

    const fn many(name: &'static str, value: &'static str, default: &'static str, help: &'static str) -> Self {
        Self {
            count: Count::Many,
            ..Self::one(name, value, default, help)
        }
    }

    /// The variable of the process environment.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.replace('-', "_").to_ascii_uppercase())
    }

    /// The key in `.dango/server.toml`.
    pub fn key(&self) -> String {
        self.name.replace('-', "_")
    }
}

/// All of them, in the order of the help.
pub const SETTINGS: &[Setting] = &[
    Setting {
        places: Places::NotInFile,
        ..Setting::one(
            "project",
            "DIR",
            "DANGO_PROJECT_ROOT, else the nearest parent that is a project",
            "The project that is served",
        )
    },
    Setting::one(
        "listen",
        "ADDRESS",
        "127.0.0.1:8800",
        "Where the server listens; port 0 is any free one",
    ),
    Setting::one(
        "database-url",
        "URL",
        ".dango/dango.db in the project",
        "The database of users, sessions and the audit log: `sqlite:` and a path, or `postgres:` for several servers",
    ),
    Setting::one(
        "database-owner-url",
        "URL",
        "none",
        "The same PostgreSQL database as the role that owns the schema, which makes it and brings it up to date, and does not serve",
    ),
    Setting::one(
        "database-connections",
        "COUNT",
        "8",
        "How many connections to PostgreSQL read at most; one more writes",
    ),
    Setting::one(
        "public-url",
        "URL",
        "the address that it listens on, for clients on this machine",
        "What people reach the server by: links begin with it, and other origins and hosts are refused; `https:` unless on this machine",
    ),
    Setting::many(
        "trusted-proxy",
        "CIDR",
        "none",
        "Networks of reverse proxies whose word on a client's address counts",
    ),
    Setting::one(
        "tls-cert",
        "FILE",
        "none: plain HTTP",
        "The certificate and what leads to its root, as PEM; read again on SIGHUP",
    ),
    Setting::one(
        "tls-key",
        "FILE",
        "none",
        "The certificate's private key, as PEM; read again on SIGHUP",
    ),
    Setting::one(
        "operations-listen",
        "ADDRESS",
        "none: off",
        "Where `/metrics` and `/ready` are served, to whoever reaches it: keep it on loopback, such as 127.0.0.1:8801",
    ),
    Setting::one(
        "log-format",
        "FORMAT",
        "human on a terminal, json elsewhere",
        "How the log on standard error reads: `human` or `json`",
    ),
    Setting::one(
        "log-level",
        "LEVEL",
        "info",
        "What is logged: `error`, `warn`, `info`, `debug` or `trace`",
    ),
    Setting::one(
        "otlp-endpoint",
        "URL",
        "OTEL_EXPORTER_OTLP_ENDPOINT, else none: off",
        "The collector of OpenTelemetry that traces are sent to, by OTLP over HTTP: a span for each request, below `/v1/traces`",
    ),
    Setting::one(
        "profile",
        "NAME",
        "standard",
        "How long passwords have to be and how long sessions last: `standard`, or `nist` for NIST SP 800-63B-4",
    ),
    Setting::many(
        "require-second-factor",
        "ROLE",
        "none",
        "Roles whose users can do nothing before they have a second factor: `viewer`, `editor`, `admin`",
    ),
    Setting::one(
        "login-google-client",
        "ID",
        "none: off",
        "People may log in with Google as this client; its secret is in DANGO_LOGIN_GOOGLE_SECRET",
    ),
    Setting::one(
        "login-github-client",
        "ID",
        "none: off",
        "People may log in with GitHub as this client; its secret is in DANGO_LOGIN_GITHUB_SECRET",
    ),
    Setting::one(
        "login-oidc-client",
        "ID",
        "none: off",
        "People may log in with the OpenID provider as this client; its secret is in DANGO_LOGIN_OIDC_SECRET",
    ),
    Setting::one(
        "login-oidc-issuer",
        "URL",
        "none",
        "The issuer of that OpenID provider, exactly as it spells it",
    ),
    Setting::one(
        "login-oidc-title",
        "TITLE",
        "OpenID",
        "What the button of that OpenID provider says behind `Continue with`",
    ),
    Setting::many(
        "login-by-email",
        "PROVIDER",
        "none: links alone count",
        "Login providers with which an account that has linked none is recognised by a verified address: `google`, `github`, `oidc`",
    ),
    Setting::one(
        "hashing-memory-kib",
        "KIB",
        "19456",
        "Memory that hashing one password takes (Argon2id); never less than the default",
    ),
    Setting::one(
        "hashing-passes",
        "COUNT",
        "2",
        "Passes that hashing one password takes (Argon2id); never less than the default",
    ),
    Setting::one("max-connections", "COUNT", "4096", "Connections at once; the next is refused"),
    Setting::one(
        "max-connections-per-address",
        "COUNT",
        "1024",
        "Connections at once from one IPv4 address or one IPv6 /64; trusted proxies have no such limit",
    ),
    Setting::one(
        "max-requests",
        "COUNT",
        "1024",
        "Requests that are answered at once; the next is sent away",
    ),
    Setting::one(
        "max-failures-per-address",
        "COUNT",
        "60",
        "Failed proofs of who somebody is, such as passwords, in a minute from one IPv4 address or one IPv6 /64",
    ),
    Setting::one(
        "max-requests-per-key",
        "COUNT",
        "6000",
        "Requests in a minute with one API key; 0 for as many as come",
    ),
    Setting::one(
        "max-anonymous-requests-per-address",
        "COUNT",
        "1200",
        "Requests in a minute without a valid login or API key from one IPv4 address or one IPv6 /64; 0 for as many as come",
    ),
    Setting::one(
        "audit-retention-days",
        "DAYS",
        "none: they stay",
        "After how many days records leave the audit log, which then says so; of several servers on one database all have the same",
    ),
    Setting::one(
        "header-timeout",
        "SECONDS",
        "10",
        "How long a TLS handshake and the head of a request may take",
    ),
    Setting::one("body-timeout", "SECONDS", "20", "How long the body of a request may take"),
    Setting::one(
        "exchange-timeout",
        "SECONDS",
        "120",
        "How long a request may take in all, until its answer is taken",
    ),
    Setting::one("idle-timeout", "SECONDS", "60", "How long a connection is kept without a request"),
    Setting::one(
        "shutdown-timeout",
        "SECONDS",
        "20",
        "How long requests may take to end after SIGTERM",
    ),
];

/// The setting of a name.
pub(super) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}
