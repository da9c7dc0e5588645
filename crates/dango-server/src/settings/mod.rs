//! The settings of the server: what was given on the command line, in the environment and in `.dango/server.toml`, checked as a whole.
//!
//! An option comes before its variable, that before the file, that before the default. What is unknown or malformed is an error that
//! names its place, and never repeats what stands there: a secret may have been put there by mistake.

mod arguments;
mod error;
mod file;
mod layers;
mod login;
mod table;
mod value;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use dango_actions::PublicUrl;
use dango_identity::{HashingCost, PasswordProfile, Role, SessionProfile};
use dango_secrets::project::Project;
use dango_store_postgres::DatabaseUrl;
use ipnet::IpNet;
use tracing::level_filters::LevelFilter;

use crate::limits::Limits;
pub(crate) use arguments::{Access, AccessVerb, CommandLine, Extent, Moving, Verb, parse as parse_arguments};
pub use error::SettingsError;
pub use layers::Origin;
use layers::{Given, Layers, Readers};
pub(crate) use login::{LoginName, LoginSettings};
pub use table::{Count, Places, SETTINGS, Setting, VARIABLE_PREFIX};
use value::Parsed;

/// How the log reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for a person.
    Human,
    /// An object for a machine, on one line.
    Json,
}

/// A shipped set of rules for passwords and sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// What suits most.
    #[default]
    Standard,
    /// What NIST SP 800-63B-4 asks for at AAL2.
    Nist,
}

impl Profile {
    /// How long passwords have to be.
    pub const fn passwords(self) -> PasswordProfile {
        match self {
            Self::Standard => PasswordProfile::Standard,
            Self::Nist => PasswordProfile::Nist,
        }
    }

    /// How long sessions last.
    pub const fn sessions(self) -> SessionProfile {
        match self {
            Self::Standard => SessionProfile::Standard,
            Self::Nist => SessionProfile::Nist,
        }
    }
}

/// Where people and the log are kept.
#[derive(Clone, Debug)]
pub enum DatabaseSetting {
    /// In a file of this machine.
    File(PathBuf),
    /// In PostgreSQL.
    Postgres(DatabaseUrl),
}

/// The two files of TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What the server does, as far as it can be chosen. The table says what each is; paths are absolute.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// `listen`.
    pub listen: SocketAddr,
    /// `database-url`: another database than the project's own file.
    pub database: Option<DatabaseSetting>,
    /// `database-owner-url`.
    pub database_owner: Option<DatabaseUrl>,
    /// The options that hold a password, which everybody on the machine sees in the list of processes.
    pub shown_passwords: Vec<&'static str>,
    /// `database-connections`.
    pub database_connections: Option<NonZeroUsize>,
    /// `public-url`.
    pub public_url: Option<PublicUrl>,
    /// `trusted-proxy`.
    pub trusted_proxies: Vec<IpNet>,
    /// `tls-cert` and `tls-key`.
    pub tls: Option<TlsFiles>,
    /// `operations-listen`.
    pub operations_listen: Option<SocketAddr>,
    /// `log-format`.
    pub log_format: Option<LogFormat>,
    /// `log-level`.
    pub log_level: LevelFilter,
    /// `otlp-endpoint`, without the path for traces.
    pub otlp_endpoint: Option<String>,
    /// `profile`.
    pub profile: Profile,
    /// `require-second-factor`.
    pub second_factor_roles: Vec<Role>,
    /// The settings that begin with `login-`.
    pub logins: LoginSettings,
    /// `hashing-memory-kib` and `hashing-passes`.
    pub hashing_cost: HashingCost,
    /// `audit-retention-days`.
    pub audit_retention_days: Option<NonZeroU32>,
    /// The limits of connections.
    pub limits: Limits,
    /// The limits of requests: at once, by API key, by address.
    pub request_limits: dango_api::Limits,
}

/// What the command line and the environment say, before the project is known.
pub(crate) struct Unplaced {
    layers: Layers,
}

impl Unplaced {
    pub(crate) fn new(options: layers::Layer, environment: &BTreeMap<OsString, OsString>) -> Result<Self, SettingsError> {
        let layers = Layers::default().below(options).below(layers::of_environment(environment)?);
        Ok(Self { layers })
    }

    /// The project that was named, relative to the working directory.
    pub(crate) fn project(&self) -> Result<Option<PathBuf>, SettingsError> {
        parsed(self.layers.one("project"), "project", value::parse_path)
    }

    /// All settings, with those of the project's file below.
    pub(crate) fn with_file(self, project: &Project, directory: &Path) -> Result<Settings, SettingsError> {
        let path = project.dango_dir().join("server.toml");
        let (file, readers) = layers::of_file(&path)?;
        let reader = Reader {
            layers: self.layers.below(file),
            readers,
            root: project.root(),
            directory,
        };
        reader.settings()
    }
}

struct Reader<'a> {
    layers: Layers,
    /// Who may read the file.
    readers: Readers,
    root: &'a Path,
    directory: &'a Path,
}

impl Reader<'_> {
    fn settings(&self) -> Result<Settings, SettingsError> {
        let defaults = Limits::default();
        let limits = Limits {
            connections: self.or("max-connections", value::parse_count, defaults.connections)?,
            connections_per_address: self.or("max-connections-per-address", value::parse_count, defaults.connections_per_address)?,
            header: self.or("header-timeout", value::parse_seconds, defaults.header)?,
            body: self.or("body-timeout", value::parse_seconds, defaults.body)?,
            exchange: self.or("exchange-timeout", value::parse_seconds, defaults.exchange)?,
            idle: self.or("idle-timeout", value::parse_seconds, defaults.idle)?,
            shutdown: self.or("shutdown-timeout", value::parse_seconds, defaults.shutdown)?,
            ..defaults
        };
        Ok(Settings {
            listen: self.or("listen", value::parse_address, DEFAULT_LISTEN)?,
            database: self.database()?,
            database_owner: self.postgres("database-owner-url")?,
            shown_passwords: self.shown_passwords()?,
            database_connections: self.one("database-connections", value::parse_count)?,
            public_url: self.one("public-url", value::parse_public_url)?,
            trusted_proxies: self.many("trusted-proxy", value::parse_network)?,
            tls: self.tls()?,
            operations_listen: self.one("operations-listen", value::parse_address)?,
            log_format: self.one("log-format", value::parse_log_format)?,
            log_level: self.or("log-level", value::parse_log_level, LevelFilter::INFO)?,
            otlp_endpoint: self.one("otlp-endpoint", crate::traces::parse_base)?,
            profile: self.or("profile", value::parse_profile, Profile::Standard)?,
            second_factor_roles: self.many("require-second-factor", value::parse_role)?,
            logins: self.logins()?,
            hashing_cost: self.hashing_cost()?,
            audit_retention_days: self.one("audit-retention-days", value::parse_days)?,
            limits,
            request_limits: self.request_limits()?,
        })
    }

    fn request_limits(&self) -> Result<dango_api::Limits, SettingsError> {
        let defaults = dango_api::Limits::default();
        let at_once = self.one("max-requests", value::parse_count)?;
        Ok(dango_api::Limits {
            requests_in_flight: at_once.map_or(defaults.requests_in_flight, NonZeroUsize::get),
            failures_a_minute: self.or("max-failures-per-address", value::parse_failures, defaults.failures_a_minute)?,
            requests_a_minute_by_key: self.or("max-requests-per-key", value::parse_rate, defaults.requests_a_minute_by_key)?,
            requests_a_minute_by_strangers: self.or(
                "max-anonymous-requests-per-address",
                value::parse_rate,
                defaults.requests_a_minute_by_strangers,
            )?,
        })
    }

    fn one<T>(&self, name: &'static str, parse: fn(&str) -> Parsed<T>) -> Result<Option<T>, SettingsError> {
        parsed(self.layers.one(name), name, parse)
    }

    fn or<T>(&self, name: &'static str, parse: fn(&str) -> Parsed<T>, default: T) -> Result<T, SettingsError> {
        Ok(self.one(name, parse)?.unwrap_or(default))
    }

    fn many<T>(&self, name: &'static str, parse: fn(&str) -> Parsed<T>) -> Result<Vec<T>, SettingsError> {
        let given = self.layers.many(name).iter();
        let parsed = given.map(|given| parse(&given.text).map_err(|wanted| malformed(given, name, wanted)));
        parsed.collect()
    }

    /// A path; one in the file is relative to the project, any other to the working directory.
    fn path(&self, name: &'static str, parse: fn(&str) -> Parsed<PathBuf>) -> Result<Option<PathBuf>, SettingsError> {
        Ok(self.one(name, parse)?.map(|path| self.base_of(name).join(path)))
    }

    fn base_of(&self, name: &'static str) -> PathBuf {
        match self.layers.one(name).map(|given| &given.origin) {
            Some(Origin::File { .. }) => self.directory.join(self.root),
            _ => self.directory.to_owned(),
        }
    }

    fn database(&self) -> Result<Option<DatabaseSetting>, SettingsError> {
        let name = "database-url";
        Ok(match self.one(name, value::parse_database_url)? {
            Some(DatabaseSetting::Postgres(_)) => self.postgres(name)?.map(DatabaseSetting::Postgres),
            Some(DatabaseSetting::File(path)) => Some(DatabaseSetting::File(self.base_of(name).join(path))),
            None => None,
        })
    }

    /// An address of PostgreSQL. A password in the file is taken only where nobody else may read it.
    fn postgres(&self, name: &'static str) -> Result<Option<DatabaseUrl>, SettingsError> {
        let url = self.one(name, value::parse_postgres_url)?;
        match (&url, self.layers.one(name).map(|given| &given.origin)) {
            (Some(url), Some(origin @ Origin::File { path, .. })) if url.has_password() && self.readers == Readers::Others => {
                Err(SettingsError::Exposed {
                    origin: origin.clone(),
                    name,
                    path: path.clone(),
                })
            }
            _ => Ok(url),
        }
    }

    /// The options whose passwords stand in the list of processes.
    fn shown_passwords(&self) -> Result<Vec<&'static str>, SettingsError> {
        let mut shown = Vec::new();
        for name in ["database-url", "database-owner-url"] {
            let is_option = matches!(self.layers.one(name).map(|given| &given.origin), Some(Origin::Option(_)));
            let has_password = match self.one(name, value::parse_database_url)? {
                Some(DatabaseSetting::Postgres(url)) => url.has_password(),
                Some(DatabaseSetting::File(_)) | None => false,
            };
            if is_option && has_password {
                shown.push(name);
            }
        }
        Ok(shown)
    }

    fn tls(&self) -> Result<Option<TlsFiles>, SettingsError> {
        let (certificate, key) = (self.path("tls-cert", value::parse_path)?, self.path("tls-key", value::parse_path)?);
        match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(self.alone("tls-cert", "tls-key")),
            (None, Some(_)) => Err(self.alone("tls-key", "tls-cert")),
        }
    }

    fn logins(&self) -> Result<LoginSettings, SettingsError> {
        let (client, issuer) = ("login-oidc-client", "login-oidc-issuer");
        let clients = [
            (LoginName::Google, self.one("login-google-client", value::parse_client_id)?),
            (LoginName::GitHub, self.one("login-github-client", value::parse_client_id)?),
            (LoginName::Oidc, self.one(client, value::parse_client_id)?),
        ];
        let clients: Vec<_> = clients.into_iter().filter_map(|(name, id)| Some((name, id?))).collect();
        let oidc_issuer = self.one(issuer, value::parse_issuer)?;
        match (clients.iter().any(|(name, _)| *name == LoginName::Oidc), &oidc_issuer) {
            (true, None) => return Err(self.alone(client, issuer)),
            (false, Some(_)) => return Err(self.alone(issuer, client)),
            _ => {}
        }
        Ok(LoginSettings {
            clients,
            oidc_issuer,
            oidc_title: self.or("login-oidc-title", value::parse_title, "OpenID".to_owned())?,
            by_email: self.many("login-by-email", value::parse_login_name)?,
        })
    }

    fn alone(&self, name: &'static str, other: &'static str) -> SettingsError {
        let origin = self.layers.one(name).map_or(Origin::Option(name), |given| given.origin.clone());
        SettingsError::Alone { origin, name, other }
    }

    fn hashing_cost(&self) -> Result<HashingCost, SettingsError> {
        let (memory, passes) = ("hashing-memory-kib", "hashing-passes");
        let given = self.layers.one(memory).or_else(|| self.layers.one(passes));
        let Some(given) = given else { return Ok(HashingCost::default()) };
        let memory_kib = self.or(memory, value::parse_number, 19_456)?;
        let passes = self.or(passes, value::parse_number, 2)?;
        HashingCost::new(memory_kib, passes, 1).map_err(|_| SettingsError::WeakHashing {
            origin: given.origin.clone(),
        })
    }
}

/// What is named by `--from` and `--to`, or why that cannot be moved.
pub(crate) fn places_of(moving: &Moving) -> Result<(PathBuf, DatabaseUrl), SettingsError> {
    let parse = |text: &str, name: &'static str| {
        value::parse_database_url(text).map_err(|wanted| SettingsError::Malformed {
            origin: Origin::Option(name),
            name,
            wanted,
        })
    };
    match (parse(&moving.from, "from")?, parse(&moving.to, "to")?) {
        (DatabaseSetting::File(from), DatabaseSetting::Postgres(to)) => Ok((from, to)),
        (DatabaseSetting::Postgres(_), _) => Err(SettingsError::Malformed {
            origin: Origin::Option("from"),
            name: "from",
            wanted: "sqlite: and a path: there is no way back from PostgreSQL",
        }),
        (_, DatabaseSetting::File(_)) => Err(SettingsError::Malformed {
            origin: Origin::Option("to"),
            name: "to",
            wanted: "postgres://ROLE@HOST/DATABASE",
        }),
    }
}

/// Where the server listens unless told otherwise.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8800);

fn parsed<T>(given: Option<&Given>, name: &'static str, parse: fn(&str) -> Parsed<T>) -> Result<Option<T>, SettingsError> {
    let parsed = given.map(|given| parse(&given.text).map_err(|wanted| malformed(given, name, wanted)));
    parsed.transpose()
}

fn malformed(given: &Given, name: &'static str, wanted: &'static str) -> SettingsError {
    SettingsError::Malformed {
        origin: given.origin.clone(),
        name,
        wanted,
    }
}

#[cfg(test)]
mod tests;
