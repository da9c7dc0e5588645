//! Where a database is and who one is there, as `postgres://` writes it. Nothing is connected to here, and no file is read.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use dango_core::SecretValue;
use percent_encoding::percent_decode_str;

/// How far the way to the database is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encryption {
    /// `disable`: nothing is encrypted.
    None,
    /// `verify-ca`: to whoever has a certificate of the right authority.
    Authority,
    /// `verify-full`: to whoever has one for this name, too. `require` is as strict here.
    Name,
}

/// The address of a database with the name of a role. Its password is in no `Debug` and no error.
#[derive(Clone)]
pub struct DatabaseUrl {
    host: String,
    port: u16,
    user: String,
    database: String,
    password: Option<SecretValue>,
    encryption: Encryption,
    root_file: Option<PathBuf>,
    roots: Option<Vec<u8>>,
}

/// A text that is no address of a PostgreSQL database. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseUrlError(&'static str);

impl ParseUrlError {
    /// What was wanted, such as `a port from 1 to 65535`.
    pub const fn wanted(self) -> &'static str {
        self.0
    }
}

const FORM: ParseUrlError = ParseUrlError("postgres://ROLE@HOST/DATABASE, percent-encoded where characters would end a part");
const ROLE: ParseUrlError = ParseUrlError("an address with a role: postgres://ROLE@HOST/DATABASE");
const PORT: ParseUrlError = ParseUrlError("an address with a port from 1 to 65535");
const HOSTS: ParseUrlError = ParseUrlError("an address with one host; several servers of PostgreSQL stand behind one name");
const PARAMETER: ParseUrlError = ParseUrlError("an address with no other parameters than host, sslmode and sslrootcert");
const ROOTS: ParseUrlError =
    ParseUrlError("an address without sslrootcert where nothing is encrypted: for sslmode=disable, and for a socket");
const MODE: ParseUrlError = ParseUrlError(
    "an address with sslmode=verify-full, verify-ca, require or disable (allow and prefer would fall back to what anybody can read)",
);

impl DatabaseUrl {
    /// Takes an address: `postgres://ROLE:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full&sslrootcert=FILE`.
    ///
    /// The host may be a directory with a socket, as `?host=/run/postgresql` or percent-encoded. Without `sslmode`, a socket and this
    /// machine are not encrypted to, and everything else is, to the right name only; so is this machine where `sslrootcert` is given.
    ///
    /// # Errors
    ///
    /// [`ParseUrlError`] says what was wanted.
    pub fn parse(text: &str) -> Result<Self, ParseUrlError> {
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        let rest = rest.filter(|rest| !rest.contains(['#', '\0'])).ok_or(FORM)?;
        let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        let (who, place) = authority.rsplit_once('@').ok_or(ROLE)?;
        let (user, password) = match who.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (who, None),
        };
        let user = decoded(user)?;
        let password = password.filter(|password| !password.is_empty()).map(decoded).transpose()?;
        let password = password.map(|password| SecretValue::new(password).map_err(|_| FORM)).transpose()?;
        let (host, port) = host_and_port(place)?;
        let parameters = Parameters::parse(parameters)?;
        let host = parameters.host.unwrap_or(host);
        let database = match decoded(database)? {
            name if name.is_empty() => user.clone(),
            name => name,
        };
        if user.is_empty() {
            return Err(ROLE);
        }
        if host.is_empty() {
            return Err(FORM);
        }
        let names_authorities = parameters.root_file.is_some();
        let encryption = match parameters.encryption {
            Some(chosen) => chosen,
            // Whoever names authorities wants them asked, on this machine, too.
            None if names_authorities && !host.starts_with('/') => Encryption::Name,
            None if is_here(&host) => Encryption::None,
            None => Encryption::Name,
        };
        if encryption == Encryption::None && names_authorities {
            return Err(ROOTS);
        }
        Ok(Self {
            host,
            port,
            user,
            database,
            password,
            encryption,
            root_file: parameters.root_file,
            roots: None,
        })
    }

    /// Whether a password is known.
    pub const fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// The same with a password from elsewhere.
    #[must_use]
    pub fn with_password(self, password: SecretValue) -> Self {
        Self {
            password: Some(password),
            ..self
        }
    }

    /// The same with the password that a text like `~/.pgpass` has for it, if it has one: lines of
    /// `host:port:database:role:password` (<https://www.postgresql.org/docs/current/libpq-pgpass.html>).
    #[must_use]
    pub fn with_password_of(self, passwords: &str) -> Self {
        let host = if self.host.starts_with('/') { "localhost" } else { &self.host };
        let wanted = [host, &self.port.to_string(), &self.database, &self.user];
        let password = passwords.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
            let fields = fields_of(line);
            let [places @ .., password] = fields.as_slice() else { return None };
            let is_it = places.len() == wanted.len() && places.iter().zip(wanted).all(|(place, wanted)| place == "*" || place == wanted);
            is_it.then(|| password.clone())
        });
        match password.and_then(|password| SecretValue::new(password).ok()) {
            Some(password) => self.with_password(password),
            None => self,
        }
    }

    /// The file with the authorities to be trusted (`sslrootcert`), as written; the system's are where none is named.
    pub fn root_file(&self) -> Option<&Path> {
        self.root_file.as_deref()
    }

    /// The same with the content of [`DatabaseUrl::root_file`], in PEM.
    #[must_use]
    pub fn with_roots(self, pem: Vec<u8>) -> Self {
        Self { roots: Some(pem), ..self }
    }

    /// The role that one is in the database.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The same with the file of [`DatabaseUrl::root_file`] named as seen from a directory.
    #[must_use]
    pub fn seen_from(self, directory: &Path) -> Self {
        Self {
            root_file: self.root_file.map(|file| directory.join(file)),
            ..self
        }
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    pub(crate) fn password(&self) -> Option<&str> {
        self.password.as_ref().map(SecretValue::expose)
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.encryption != Encryption::None
    }

    pub(crate) fn asks_for_name(&self) -> bool {
        self.encryption == Encryption::Name
    }

    pub(crate) fn roots(&self) -> Option<&[u8]> {
        self.roots.as_deref()
    }
}

/// Without role and password: what may stand in a log.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, database, .. } = self;
        match host.contains(':') {
            true => write!(f, "postgres://[{host}]:{port}/{database}"),
            false => write!(f, "postgres://{host}:{port}/{database}"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[derive(Default)]
struct Parameters {
    host: Option<String>,
    encryption: Option<Encryption>,
    root_file: Option<PathBuf>,
}

impl Parameters {
    fn parse(text: &str) -> Result<Self, ParseUrlError> {
        let mut parameters = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(PARAMETER)?;
            let value = decoded(value)?;
            match name {
                "host" if value.contains(',') => return Err(HOSTS),
                "host" => parameters.host = Some(value),
                "sslrootcert" => parameters.root_file = Some(PathBuf::from(value)),
                "sslmode" => {
                    parameters.encryption = Some(match value.as_str() {
                        "disable" => Encryption::None,
                        "verify-ca" => Encryption::Authority,
                        "verify-full" | "require" => Encryption::Name,
                        _ => return Err(MODE),
                    });
                }
                _ => return Err(PARAMETER),
            }
        }
        Ok(parameters)
    }
}

fn host_and_port(place: &str) -> Result<(String, u16), ParseUrlError> {
    if place.contains(',') {
        return Err(HOSTS);
    }
    let (host, port) = match place.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((host, port))) => (host, port.strip_prefix(':').or(port.is_empty().then_some(""))),
        Some(None) => return Err(FORM),
        None => place.split_once(':').map_or((place, Some("")), |(host, port)| (host, Some(port))),
    };
    let port = match port.ok_or(FORM)? {
        "" => 5432,
        port => port.parse().ok().filter(|port| *port != 0).ok_or(PORT)?,
    };
    Ok((decoded(host)?, port))
}

fn decoded(text: &str) -> Result<String, ParseUrlError> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| FORM)?;
    match decoded.contains('\0') {
        true => Err(FORM),
        false => Ok(decoded.into_owned()),
    }
}

/// Whether what is said to a host does not leave this machine.
pub(crate) fn is_here(host: &str) -> bool {
    host.starts_with('/') || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The fields of a line between colons; a backslash takes the next character as it is.
fn fields_of(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (character, fields.last_mut()) {
            (':', _) => fields.push(String::new()),
            ('\\', Some(field)) => field.extend(characters.next()),
            (other, Some(field)) => field.push(other),
            (_, None) => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> DatabaseUrl {
        DatabaseUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn the_parts_are_what_stands_between_the_marks() {
        let url = parsed("postgres://ro%40le:pa%3Ass%2F%40@db.example:6432/my%20base");
        assert_eq!(
            (url.host(), url.port(), url.user(), url.database()),
            ("db.example", 6432, "ro@le", "my base")
        );
        assert_eq!(url.password(), Some("pa:ss/@"));
        let url = parsed("postgresql://dango@[2001:db8::1]");
        assert_eq!((url.host(), url.port(), url.database()), ("2001:db8::1", 5432, "dango"));
        for socket in ["postgres://dango@/d?host=/run/postgresql", "postgres://dango@%2Frun%2Fpostgresql/d"] {
            assert_eq!(parsed(socket).host(), "/run/postgresql", "{socket}");
        }
    }

    #[test]
    fn what_leaves_this_machine_is_encrypted_unless_told_otherwise() {
        for (text, is_encrypted, asks_for_name) in [
            ("postgres://d@/d?host=/run/postgresql", false, false),
            ("postgres://d@localhost/d", false, false),
            ("postgres://d@127.0.0.1/d", false, false),
            ("postgres://d@[::1]/d", false, false),
            ("postgres://d@db.example/d", true, true),
            ("postgres://d@10.0.0.1/d", true, true),
            ("postgres://d@localhost.example/d", true, true),
            ("postgres://d@db.example/d?sslmode=require", true, true),
            ("postgres://d@db.example/d?sslmode=verify-ca", true, false),
            ("postgres://d@localhost/d?sslmode=verify-full", true, true),
            ("postgres://d@db.example/d?sslmode=disable", false, false),
            ("postgres://d@localhost/d?sslrootcert=ca.pem", true, true),
            ("postgres://d@[::1]/d?sslrootcert=ca.pem", true, true),
            ("postgres://d@localhost/d?sslrootcert=ca.pem&sslmode=verify-ca", true, false),
        ] {
            let url = parsed(text);
            assert_eq!((url.is_encrypted(), url.asks_for_name()), (is_encrypted, asks_for_name), "{text}");
        }
    }

    #[test]
    fn what_is_refused_is_not_repeated() {
        for text in [
            "",
            "sqlite:canary",
            "postgres:canary",
            "postgres://canary",
            "postgres://:canary@h/d",
            "postgres://u:canary@/d",
            "postgres://u:canary@h:0/d",
            "postgres://u:canary@h:99999/d",
            "postgres://u:canary@[::1/d",
            "postgres://u:canary@[::1]x/d",
            "postgres://u:canary@a,b/d",
            "postgres://u:canary@h/d?host=a,b",
            "postgres://u:canary@h/d?sslmode=prefer",
            "postgres://u:canary@h/d?sslmode",
            "postgres://u:canary@h/d?sslmode=disable&sslrootcert=canary",
            "postgres://u:canary@localhost/d?sslrootcert=canary&sslmode=disable",
            "postgres://u:canary@/d?host=/run/postgresql&sslrootcert=canary",
            "postgres://u:canary@h/d?options=canary",
            "postgres://u:canary%00@h/d",
            "postgres://u:canary%ff@h/d",
            "postgres://u:canary@h/d#x",
        ] {
            let error = DatabaseUrl::parse(text).expect_err(text);
            assert!(!format!("{error} {error:?}").contains("canary"), "{text}");
        }
        let url = parsed("postgres://role:canary@h/d");
        assert!(!format!("{url} {url:?}").contains("canary"));
    }

    #[test]
    fn a_file_of_passwords_is_searched_from_above() {
        let passwords = "# canary\nother:*:*:*:canary\ndb.example:5432:d:da\\:ngo:first\\\\\\::\n*:*:*:*:last\n";
        let of = |text: &str| parsed(text).with_password_of(passwords);
        assert_eq!(of("postgres://da:x@db.example/d").password(), Some("last"));
        assert_eq!(
            of("postgres://da%3Ango@db.example/d").password(),
            Some("last"),
            "a field too many is no line"
        );
        let lines = "db.example:5432:d:da\\:ngo:a\\:b\\\\";
        let url = parsed("postgres://da%3Ango@db.example/d").with_password_of(lines);
        assert_eq!(url.password(), Some("a:b\\"));
        let url = parsed("postgres://d@/d?host=/run/postgresql").with_password_of("localhost:*:*:d:socket");
        assert_eq!(url.password(), Some("socket"));
        assert!(!parsed("postgres://d@h/d").with_password_of("h:5433:*:*:x\nh").has_password());
    }
}
