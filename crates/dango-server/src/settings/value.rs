//! What a setting's text means: addresses, networks, files, numbers. Each answers what it wanted, and never what it got.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use dango_actions::PublicUrl;
use dango_identity::Role;
use dango_store_postgres::DatabaseUrl;
use ipnet::IpNet;
use tracing::level_filters::LevelFilter;

use super::{DatabaseSetting, LogFormat, LoginName, Profile};

/// A parsed value, or the words for what was wanted.
pub(super) type Parsed<T> = Result<T, &'static str>;

pub(super) fn parse_address(text: &str) -> Parsed<SocketAddr> {
    if let Some(port) = text.strip_prefix("localhost:") {
        let port = port.parse().map_err(|_| "a port, such as localhost:8800")?;
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.parse()
        .map_err(|_| "an IP address and a port, such as 127.0.0.1:8800 or [::1]:8800")
}

pub(super) fn parse_network(text: &str) -> Parsed<IpNet> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network
        .map(|network| network.trunc())
        .map_err(|_| "a network such as 10.0.0.0/8 or fd00::/8, or one address")
}

/// Whether an address names this machine and no other.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

pub(super) fn parse_public_url(text: &str) -> Parsed<PublicUrl> {
    let url = PublicUrl::from_str(text).map_err(|_| "an address such as https://dango.example.com, without user, query or fragment")?;
    let plain_host = url.as_str().strip_prefix("http://").map(|rest| {
        let authority = rest.split('/').next().unwrap_or_default();
        match authority.rfind(':') {
            Some(at) if !authority.ends_with(']') => &authority[..at],
            _ => authority,
        }
    });
    match plain_host {
        Some(host) if !is_loopback_host(host) => {
            Err("an address that begins with https:// (http:// is for this machine alone, since sessions would be readable on the way)")
        }
        _ => Ok(url),
    }
}

/// Where the database is: in PostgreSQL, or the path behind `sqlite:`, as written.
pub(super) fn parse_database_url(text: &str) -> Parsed<DatabaseSetting> {
    const WANTED: &str = "sqlite: and a path, such as sqlite:/var/lib/dango/dango.db, or postgres://ROLE@HOST/DATABASE";
    if text.starts_with("postgres") {
        return parse_postgres_url(text).map(DatabaseSetting::Postgres);
    }
    let rest = text.strip_prefix("sqlite:").ok_or(WANTED)?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.contains(['?', '#', '\0']) || path.starts_with(":memory:") {
        return Err(WANTED);
    }
    Ok(DatabaseSetting::File(PathBuf::from(path)))
}

pub(super) fn parse_postgres_url(text: &str) -> Parsed<DatabaseUrl> {
    DatabaseUrl::parse(text).map_err(dango_store_postgres::ParseUrlError::wanted)
}

pub(super) fn parse_path(text: &str) -> Parsed<PathBuf> {
    match text {
        "" => Err("a file"),
        text => Ok(PathBuf::from(text)),
    }
}

pub(super) fn parse_role(text: &str) -> Parsed<Role> {
    text.parse().map_err(|_| "a role: viewer, editor or admin")
}

pub(super) fn parse_login_name(text: &str) -> Parsed<LoginName> {
    let known = [LoginName::Google, LoginName::GitHub, LoginName::Oidc];
    let found = known.into_iter().find(|name| name.as_str() == text);
    found.ok_or("google, github or oidc")
}

/// A client's id at a provider, which is no secret: it may have blanks in it (RFC 6749, appendix A.1), but not around it.
pub(super) fn parse_client_id(text: &str) -> Parsed<String> {
    let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let is_fine = is_visible && (1..=255).contains(&text.len()) && text.trim() == text;
    is_fine.then(|| text.to_owned()).ok_or("the id that the provider gave the client")
}

pub(super) fn parse_issuer(text: &str) -> Parsed<String> {
    const WANTED: &str = "an issuer such as https://login.example.com";
    match dango_oauth::OidcSettings::new(LoginName::Oidc.as_str(), text, &[], false) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(WANTED),
    }
}

/// A text of a button.
pub(super) fn parse_title(text: &str) -> Parsed<String> {
    let is_fine = (1..=40).contains(&text.chars().count()) && !text.chars().any(char::is_control) && text.trim() == text;
    is_fine.then(|| text.to_owned()).ok_or("a title of 1 to 40 characters")
}

pub(super) fn parse_profile(text: &str) -> Parsed<Profile> {
    match text {
        "standard" => Ok(Profile::Standard),
        "nist" => Ok(Profile::Nist),
        _ => Err("standard or nist"),
    }
}

pub(super) fn parse_log_format(text: &str) -> Parsed<LogFormat> {
    match text {
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _ => Err("human or json"),
    }
}

pub(super) fn parse_log_level(text: &str) -> Parsed<LevelFilter> {
    match text {
        "error" => Ok(LevelFilter::ERROR),
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        "trace" => Ok(LevelFilter::TRACE),
        _ => Err("error, warn, info, debug or trace"),
    }
}

pub(super) fn parse_count(text: &str) -> Parsed<NonZeroUsize> {
    let number = text.parse::<NonZeroUsize>().ok().filter(|number| number.get() <= 1_000_000);
    number.ok_or("a whole number from 1 to 1000000")
}

/// For how many days something is kept: no less than the log's own rules allow.
pub(super) fn parse_days(text: &str) -> Parsed<NonZeroU32> {
    let number = text.parse::<NonZeroU32>().ok().filter(|number| number.get() <= 36_500);
    number.ok_or("a whole number from 1 to 36500")
}

/// How often something may fail in a minute: a limit on guessing, so it cannot be taken away, and every failure takes memory.
pub(super) fn parse_failures(text: &str) -> Parsed<u32> {
    let number = text.parse().ok().filter(|number| (1..=10_000).contains(number));
    number.ok_or("a whole number from 1 to 10000")
}

/// How often something may be done in a minute.
pub(super) fn parse_rate(text: &str) -> Parsed<u32> {
    let number = text.parse().ok().filter(|number| *number <= 1_000_000);
    number.ok_or("a whole number from 0 to 1000000")
}

pub(super) fn parse_number(text: &str) -> Parsed<u32> {
    text.parse().map_err(|_| "a whole number")
}

/// A number of seconds as a time; a day is the most.
pub(super) fn parse_seconds(text: &str) -> Parsed<Duration> {
    let number = text.parse::<u32>().ok().filter(|number| (1..=86_400).contains(number));
    number
        .map(|number| Duration::from_secs(number.into()))
        .ok_or("a whole number of seconds from 1 to 86400")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for good in [
            "https://dango.example",
            "https://dango.example:8443/x",
            "http://localhost:8800",
            "http://127.0.0.1",
            "http://[::1]:1",
        ] {
            assert!(parse_public_url(good).is_ok(), "{good}");
        }
        for bad in [
            "http://dango.example",
            "http://10.0.0.1:80",
            "http://localhost.example:80",
            "http://127.0.0.1.example",
            "dango",
            "",
        ] {
            assert!(parse_public_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_database_is_a_path_behind_sqlite_or_an_address_of_postgresql() {
        for (text, path) in [
            ("sqlite:/a/b", "/a/b"),
            ("sqlite:///a/b", "/a/b"),
            ("sqlite:b.db", "b.db"),
            ("sqlite://b.db", "b.db"),
        ] {
            let parsed = parse_database_url(text);
            assert!(matches!(parsed, Ok(DatabaseSetting::File(parsed)) if parsed == *path), "{text}");
        }
        let parsed = parse_database_url("postgres://u:canary@h/d");
        assert!(matches!(parsed, Ok(DatabaseSetting::Postgres(_))) && !format!("{parsed:?}").contains("canary"));
        for bad in [
            "",
            "sqlite:",
            "sqlite::memory:",
            "sqlite:a?mode=ro",
            "postgres://u:canary@h:x/d",
            "postgres:canary",
            "/a/b",
        ] {
            let wanted = parse_database_url(bad).expect_err("refused");
            assert!(!wanted.contains("canary"));
        }
    }

    #[test]
    fn networks_lose_their_host_part_and_an_address_is_one() {
        assert_eq!(
            parse_network("10.1.2.3/8").map(|network| network.to_string()),
            Ok("10.0.0.0/8".to_owned())
        );
        assert_eq!(parse_network("::1").map(|network| network.to_string()), Ok("::1/128".to_owned()));
        for bad in ["", "10.0.0.0/33", "10.0.0", "x/8", "*"] {
            assert!(parse_network(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_have_ends() {
        assert_eq!(parse_seconds("90"), Ok(Duration::from_secs(90)));
        assert_eq!(
            (parse_rate("0"), parse_rate("1000000"), parse_failures("10000")),
            (Ok(0), Ok(1_000_000), Ok(10_000))
        );
        assert!(parse_failures("0").is_err() && parse_failures("10001").is_err());
        for bad in ["", "-1", "1.5", "1000001", "99999999999", "1/s"] {
            assert!(parse_rate(bad).is_err() && parse_failures(bad).is_err(), "{bad}");
        }
        for bad in ["", "0", "-1", "1.5", "86401", "99999999999", "1s"] {
            assert!(parse_seconds(bad).is_err() && parse_count(bad).is_err() | (bad == "86401"), "{bad}");
        }
    }
}
