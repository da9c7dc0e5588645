//! PostgreSQL, by `tokio-postgres`: signed in as libpq would with the URL's `sslmode`, and `SELECT 1`.

use std::error::Error as _;
use std::pin::pin;

use futures_util::future::{Either, select};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};

use super::link::Link;
use super::target::Target;
use super::tls::{self, Trust};
use super::{Ended, NO_CONNECTION, UNEXPECTED, UNSUPPORTED, WRONG};
use crate::Surroundings;
use crate::outcome::{Obstacle, Refusal, Trouble};

const PORT: u16 = 5432;
/// Asks for TLS (<https://www.postgresql.org/docs/current/protocol-flow.html>); the driver would not say how it failed.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The `sslrootcert` that stands for the authorities of the operating system (libpq §34.1.2).
const SYSTEM: &str = "system";

/// What the connection is to be, in the order in which it is tried (libpq §34.19, `sslmode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Plain,
    Tls(Trust),
    /// TLS where the server has it.
    Offered,
}

/// Signs in and asks for a sign of life.
pub(super) async fn check(target: &Target, surroundings: &Surroundings<'_>) -> Result<(), Ended> {
    refuse_demands(target)?;
    let mut ended = UNEXPECTED;
    for attempt in attempts(target)? {
        match sign_in(target, *attempt, surroundings).await {
            Ok(()) => return Ok(()),
            // As libpq: where nobody was let in this way, the other may be the one that the server wants.
            Err(again @ (WRONG | super::NO_CONNECTION)) | Err(again @ Ended::Unreachable(Trouble::Tls)) => ended = again,
            Err(ended) => return Err(ended),
        }
    }
    Err(ended)
}

/// What a URL demands of the connection that is not looked at here: whoever asked for it must not be told "accepted" without it.
fn refuse_demands(target: &Target) -> Result<(), Ended> {
    for (name, value) in target.options() {
        let is_met = match (name, value) {
            ("sslcert" | "sslkey" | "sslcrl" | "sslcrldir" | "require_auth" | "requirepeer", value) => value.is_empty(),
            ("channel_binding", "disable" | "prefer") | ("gssencmode", "disable" | "prefer") => true,
            ("sslnegotiation", "postgres") | ("sslcertmode", "disable" | "allow") => true,
            ("channel_binding" | "gssencmode" | "sslcertmode", "require") | ("sslnegotiation", "direct") => false,
            ("channel_binding" | "gssencmode" | "sslcertmode" | "sslnegotiation", _) => return Err(Obstacle::Malformed.into()),
            // Older ones than 1.2 are never spoken here.
            ("ssl_min_protocol_version", value) => !value.eq_ignore_ascii_case("TLSv1.3"),
            ("ssl_max_protocol_version", value) => value.is_empty() || value.eq_ignore_ascii_case("TLSv1.3"),
            _ => true,
        };
        if !is_met {
            return Err(UNSUPPORTED);
        }
    }
    Ok(())
}

fn attempts(target: &Target) -> Result<&'static [Attempt], Ended> {
    let roots = target.option("sslrootcert").filter(|path| !path.is_empty());
    let is_system = roots == Some(SYSTEM);
    let mode = target.option("sslmode").unwrap_or(if is_system { "verify-full" } else { "prefer" });
    let attempts: &[Attempt] = match mode {
        // Anybody gets a certificate of an authority of the system for a name of their own, so libpq demands the name, too.
        "verify-full" => &[Attempt::Tls(Trust::Name)],
        _ if is_system => return Err(Obstacle::Malformed.into()),
        "disable" => &[Attempt::Plain],
        "allow" => &[Attempt::Plain, Attempt::Tls(Trust::Anybody)],
        "prefer" => &[Attempt::Offered, Attempt::Plain],
        // Who names authorities means them to be asked, as libpq has it.
        "require" if roots.is_some() => &[Attempt::Tls(Trust::Authority)],
        "require" => &[Attempt::Tls(Trust::Anybody)],
        "verify-ca" => &[Attempt::Tls(Trust::Authority)],
        _ => return Err(Obstacle::Malformed.into()),
    };
    Ok(match target.host.starts_with('/') {
        true => &[Attempt::Plain],
        false => attempts,
    })
}

async fn sign_in(target: &Target, attempt: Attempt, surroundings: &Surroundings<'_>) -> Result<(), Ended> {
    let port = target.port.unwrap_or(PORT);
    let host = match target.host.starts_with('/') {
        true => format!("{}/.s.PGSQL.{port}", target.host.trim_end_matches('/')),
        false => target.host.clone(),
    };
    let mut link = Link::open(&host, port).await?;
    let trust = match attempt {
        Attempt::Plain => None,
        Attempt::Tls(trust) => Some(trust),
        Attempt::Offered => Some(Trust::Anybody),
    };
    if let Some(trust) = trust {
        link.send(&SSL_REQUEST).await?;
        match link.receive(1).await?[0] {
            b'S' => {
                let roots = target.option("sslrootcert").filter(|path| !path.is_empty() && *path != SYSTEM);
                let roots = roots.map(|path| (surroundings.read)(path).ok_or(Obstacle::Malformed)).transpose()?;
                link = link.secure(tls::config(trust, roots.as_deref())?).await?;
            }
            b'N' if attempt == Attempt::Offered => {}
            b'N' => return Err(Trouble::Tls.into()),
            _ => return Err(UNEXPECTED),
        }
    }
    let mut config = Config::new();
    config.user(&target.user).application_name("dango");
    config.dbname(target.database.as_deref().unwrap_or(&target.user));
    // What is to be secure is so already.
    config.ssl_mode(SslMode::Disable);
    if let Some(password) = &target.password {
        config.password(password.expose());
    }
    let asked = async {
        let (client, connection) = config.connect_raw(link.into_stream(), NoTls).await?;
        let answer = client.simple_query("SELECT 1");
        match select(pin!(connection), pin!(answer)).await {
            Either::Left((ended, _)) => ended,
            Either::Right((answer, _)) => answer.map(drop),
        }
    };
    asked.await.map_err(|error: tokio_postgres::Error| meaning(&error, target))
}

/// What an error means, by its SQLSTATE (PostgreSQL, appendix A).
fn meaning(error: &tokio_postgres::Error, target: &Target) -> Ended {
    let Some(state) = error.code() else {
        let is_io = error.source().is_some_and(|cause| cause.is::<std::io::Error>());
        return match error.to_string().as_str() {
            _ if is_io || error.is_closed() => NO_CONNECTION,
            "invalid configuration" if target.password.is_none() => Obstacle::Incomplete.into(),
            "authentication error" => UNSUPPORTED,
            _ => UNEXPECTED,
        };
    };
    match state.code() {
        "28P01" | "28000" => WRONG,
        "3D000" => Refusal::NotFound.into(),
        "42501" => Refusal::MissingPermission.into(),
        "53300" => Trouble::TooManyRequests.into(),
        code if ["53", "57", "58", "XX"].iter().any(|class| code.starts_with(class)) => Trouble::ServerError.into(),
        _ => UNEXPECTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;

    const MALFORMED: Outcome = Outcome::Unchecked(Obstacle::Malformed);

    fn planned(options: &str) -> Result<Vec<Attempt>, Ended> {
        let target = Target::parse(&format!("postgresql://u:canary@/d?{options}")).unwrap_or_else(|_| panic!("{options} is refused"));
        refuse_demands(&target)?;
        attempts(&target).map(<[Attempt]>::to_vec)
    }

    // As libpq has it since PostgreSQL 16, where the value came in (§34.1.2, `sslrootcert`).
    #[test]
    fn the_authorities_of_the_system_vouch_for_names_and_for_nothing_less() {
        let named = Ok(vec![Attempt::Tls(Trust::Name)]);
        assert_eq!(planned("sslrootcert=system"), named);
        assert_eq!(planned("sslrootcert=system&sslmode=verify-full"), named);
        for weak in ["disable", "allow", "prefer", "require", "verify-ca", "nonsense"] {
            assert_eq!(planned(&format!("sslmode={weak}&sslrootcert=system")), Err(MALFORMED), "{weak}");
        }
        assert_eq!(
            planned("sslmode=require&sslrootcert=root.crt"),
            Ok(vec![Attempt::Tls(Trust::Authority)])
        );
        assert_eq!(planned("sslmode=require"), Ok(vec![Attempt::Tls(Trust::Anybody)]));
        // A socket is no place for TLS, and no excuse for a mode that there is not.
        assert_eq!(planned("host=/run/x&sslmode=nonsense"), Err(MALFORMED));
    }

    #[test]
    fn what_is_demanded_of_the_connection_is_met_or_the_check_says_that_it_cannot() {
        for demand in [
            "channel_binding=require",
            "require_auth=scram-sha-256",
            "require_auth=!password",
            "requirepeer=postgres",
            "gssencmode=require",
            "sslnegotiation=direct&sslmode=require",
            "sslcertmode=require",
            "sslcrl=revoked.pem",
            "sslcert=client.crt",
            "ssl_min_protocol_version=TLSv1.3",
            "ssl_max_protocol_version=TLSv1.2",
        ] {
            assert_eq!(planned(demand), Err(UNSUPPORTED), "{demand}");
        }
        for met in [
            "channel_binding=prefer",
            "require_auth=",
            "ssl_min_protocol_version=TLSv1.2",
            "gssencmode=disable",
        ] {
            assert!(planned(met).is_ok(), "{met}");
        }
        assert_eq!(planned("channel_binding=nonsense"), Err(MALFORMED));
    }
}
