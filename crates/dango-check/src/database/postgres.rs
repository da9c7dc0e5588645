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
    if target.option("sslcert").is_some() || target.option("sslkey").is_some() {
        return Err(UNSUPPORTED);
    }
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

fn attempts(target: &Target) -> Result<&'static [Attempt], Ended> {
    let own_roots = target.option("sslrootcert").is_some();
    Ok(match target.option("sslmode").unwrap_or("prefer") {
        _ if target.host.starts_with('/') => &[Attempt::Plain],
        "disable" => &[Attempt::Plain],
        "allow" => &[Attempt::Plain, Attempt::Tls(Trust::Anybody)],
        "prefer" => &[Attempt::Offered, Attempt::Plain],
        // Who names authorities means them to be asked, as libpq has it.
        "require" if own_roots => &[Attempt::Tls(Trust::Authority)],
        "require" => &[Attempt::Tls(Trust::Anybody)],
        "verify-ca" => &[Attempt::Tls(Trust::Authority)],
        "verify-full" => &[Attempt::Tls(Trust::Name)],
        _ => return Err(Obstacle::Malformed.into()),
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
                let roots = target.option("sslrootcert").filter(|path| *path != "system");
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
