//! Where a SQL database is and who signs in there: from a URL, read as SQLAlchemy reads it, or from its parts.

use dango_core::SecretValue;
use percent_encoding::percent_decode_str;

use crate::outcome::Obstacle;
use crate::subject::Subject;

/// A database and who signs in.
pub(super) struct Target {
    /// SQLAlchemy's name of the driver.
    pub(super) scheme: String,
    /// A name, an address, or the folder of a Unix socket.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) user: String,
    pub(super) password: Option<SecretValue>,
    pub(super) database: Option<String>,
    options: Vec<(String, String)>,
}

impl Target {
    /// The database that a source names.
    pub(super) fn of(subject: &Subject) -> Result<Self, Obstacle> {
        if subject.way() == Some("url") {
            return Self::parse(subject.text("credentials").ok_or(Obstacle::Incomplete)?);
        }
        let text = |field: &str| subject.text(field).map(str::to_owned).ok_or(Obstacle::Incomplete);
        let port = subject.text("port").map(|text| text.trim().parse()).transpose();
        let scheme = subject.text("drivername").unwrap_or(subject.spec().name);
        Ok(Self {
            scheme: scheme.to_owned(),
            host: text("host")?,
            port: port.map_err(|_| Obstacle::Malformed)?,
            user: text("username")?,
            password: Some(secret(text("password")?)?),
            database: Some(text("database")?),
            options: Vec::new(),
        })
    }

    /// Reads a URL as `sqlalchemy.engine.make_url` does: a password may hold anything but `@`.
    pub(super) fn parse(text: &str) -> Result<Self, Obstacle> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(Obstacle::Malformed)?;
        let (before, query) = match rest.split_once('@') {
            // What is behind the first `?` of a password belongs to the password.
            Some((user, place)) if !user.split(':').next().unwrap_or_default().contains('/') => {
                let (place, query) = place.split_once('?').map_or((place, ""), |(place, query)| (place, query));
                (Some((user, place)), query)
            }
            _ => (None, rest.split_once('?').map_or("", |(_, query)| query)),
        };
        let (user, place) = match before {
            Some((user, place)) => (user, place),
            None => ("", rest.split_once('?').map_or(rest, |(place, _)| place)),
        };
        let (user, password) = user.split_once(':').map_or((user, None), |(user, password)| (user, Some(password)));
        let (server, database) = place
            .split_once('/')
            .map_or((place, None), |(server, database)| (server, Some(database)));
        let (host, port) = host_and_port(server)?;
        let options: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut target = Self {
            scheme: scheme.to_owned(),
            host,
            port,
            user: decoded(user)?,
            password: password.map(|password| secret(decoded(password)?)).transpose()?,
            database: database.filter(|name| !name.is_empty()).map(decoded).transpose()?,
            options,
        };
        // libpq takes these from the query, too, and a socket from there alone.
        for (name, value) in target.options.clone() {
            match name.as_str() {
                "host" if target.host.is_empty() => target.host = value,
                "port" if target.port.is_none() => target.port = Some(value.parse().map_err(|_| Obstacle::Malformed)?),
                "user" if target.user.is_empty() => target.user = value,
                "password" if target.password.is_none() => target.password = Some(secret(value)?),
                "dbname" if target.database.is_none() => target.database = Some(value),
                _ => {}
            }
        }
        if target.host.is_empty() {
            target.host = "localhost".to_owned();
        }
        Ok(target)
    }

    /// Every option behind the `?`, in its order.
    pub(super) fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        self.options.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// An option behind the `?`.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().find(|(there, _)| there == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A host and its port; an address of version 6 is in brackets.
pub(super) fn host_and_port(text: &str) -> Result<(String, Option<u16>), Obstacle> {
    let (host, port) = match text.strip_prefix('[') {
        Some(text) => {
            let (host, behind) = text.split_once(']').ok_or(Obstacle::Malformed)?;
            (host, behind.strip_prefix(':'))
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.filter(|port| !port.is_empty()).map(str::parse).transpose();
    Ok((decoded(host)?, port.map_err(|_| Obstacle::Malformed)?))
}

/// A part of a URL with its `%XX` as they were meant.
pub(super) fn decoded(text: &str) -> Result<String, Obstacle> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| Obstacle::Malformed)?;
    match text.contains('\0') {
        true => Err(Obstacle::Malformed),
        false => Ok(text.into_owned()),
    }
}

pub(super) fn secret(text: String) -> Result<SecretValue, Obstacle> {
    SecretValue::new(text).map_err(|_| Obstacle::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, Option<u16>, String, Option<String>, Option<String>) {
        let target = Target::parse(text).unwrap_or_else(|_| panic!("{text} is refused"));
        let password = target.password.as_ref().map(|password| password.expose().to_owned());
        (target.host, target.port, target.user, password, target.database)
    }

    // Each as `sqlalchemy.engine.make_url` of SQLAlchemy 2.0 reads it.
    #[test]
    fn a_url_is_read_as_sqlalchemy_reads_it() {
        let of = |host: &str, port, user: &str, password: Option<&str>, database: Option<&str>| {
            (
                host.to_owned(),
                port,
                user.to_owned(),
                password.map(str::to_owned),
                database.map(str::to_owned),
            )
        };
        for (text, expected) in [
            ("postgresql://u:p@h:5/d", of("h", Some(5), "u", Some("p"), Some("d"))),
            (
                "postgresql+psycopg2://u:p%40%2F@h/d?sslmode=require",
                of("h", None, "u", Some("p@/"), Some("d")),
            ),
            ("mysql+pymysql://u:a/b?c#d:e@h/d", of("h", None, "u", Some("a/b?c#d:e"), Some("d"))),
            ("postgresql://h/d", of("h", None, "", None, Some("d"))),
            ("postgresql://u@[::1]:5432", of("::1", Some(5432), "u", None, None)),
            (
                "postgresql://u:p@/d?host=/run/postgresql",
                of("/run/postgresql", None, "u", Some("p"), Some("d")),
            ),
            ("postgresql://", of("localhost", None, "", None, None)),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
        for bad in [
            "",
            "h/d",
            "postgresql://u:p@h:port/d",
            "postgresql://u:%00@h/d",
            "postgresql://u:%ff@h/d",
            "postgresql://[::1/d",
        ] {
            assert!(Target::parse(bad).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_target_or_refused(text in ".{0,80}") {
            let _ = Target::parse(&text);
        }
    }
}
