//! MySQL and MariaDB, by `mysql_async`: signed in with the TLS that the URL's options ask for, and `SELECT 1`.

use std::net::IpAddr;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Error, IoError, Opts, OptsBuilder, SslOpts};

use super::link;
use super::target::Target;
use super::tls::Trust;
use super::{Ended, NO_CONNECTION, UNEXPECTED, UNSUPPORTED, WRONG};
use crate::Surroundings;
use crate::outcome::{Obstacle, Refusal, Trouble};

const PORT: u16 = 3306;
/// Settings that the driver would else ask the server for.
const LARGEST_PACKET: usize = 1 << 22;
const WAIT_SECONDS: usize = 60;

/// What the options ask of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    Never,
    /// Where the server has it.
    Offered,
    Always(Trust),
}

/// Signs in and asks for a sign of life.
pub(super) async fn check(target: &Target, surroundings: &Surroundings<'_>) -> Result<(), Ended> {
    let security = security(target)?;
    // The driver takes the process's provider. Where one is installed already, it stays.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let socket = target
        .option("unix_socket")
        .or(Some(target.host.as_str()).filter(|host| host.starts_with('/')));
    let found = match socket {
        Some(_) => Vec::new(),
        None => link::addresses(&target.host, target.port.unwrap_or(PORT)).await?,
    };
    let found: Vec<IpAddr> = found.iter().map(std::net::SocketAddr::ip).collect();
    let options = |trust: Option<Trust>| -> Result<Opts, Ended> {
        let builder = OptsBuilder::default()
            .ip_or_hostname(&target.host)
            .resolved_ips(Some(found.clone()).filter(|found| !found.is_empty()))
            .tcp_port(target.port.unwrap_or(PORT))
            .socket(socket)
            .prefer_socket(false)
            .user(Some(&target.user))
            .pass(target.password.as_ref().map(|password| password.expose()))
            .db_name(target.database.as_deref())
            .max_allowed_packet(Some(LARGEST_PACKET))
            .wait_timeout(Some(WAIT_SECONDS))
            // Never without TLS: the driver would send the password as it is.
            .enable_cleartext_plugin(trust.is_some())
            .ssl_opts(trust.map(|trust| tls(trust, target, surroundings)).transpose()?);
        Ok(builder.into())
    };
    match security {
        Security::Never => sign_in(options(None)?).await,
        Security::Always(trust) => sign_in(options(Some(trust))?).await,
        Security::Offered if socket.is_some() => sign_in(options(None)?).await,
        Security::Offered => match sign_in(options(Some(Trust::Anybody))?).await {
            // The server has none, or none that is spoken here.
            Err(Ended::Unreachable(Trouble::Tls)) => sign_in(options(None)?).await,
            ended => ended,
        },
    }
}

/// What PyMySQL's and mysqlclient's options ask for. Without any, TLS is taken where the server has it: more than PyMySQL would.
fn security(target: &Target) -> Result<Security, Obstacle> {
    let is = |name: &str| target.option(name).is_some_and(|value| matches!(value, "true" | "True" | "1"));
    if ["ssl_cert", "ssl_key"].iter().any(|name| target.option(name).is_some()) {
        return Err(Obstacle::UnsupportedSignIn);
    }
    let mode = target.option("ssl_mode").map(str::to_ascii_uppercase);
    Ok(match mode.as_deref() {
        Some("DISABLED") => Security::Never,
        Some("PREFERRED") => Security::Offered,
        Some("REQUIRED") => Security::Always(Trust::Anybody),
        Some("VERIFY_CA") => Security::Always(Trust::Authority),
        Some("VERIFY_IDENTITY") => Security::Always(Trust::Name),
        Some(_) => return Err(Obstacle::Malformed),
        None if is("ssl_disabled") => Security::Never,
        None if is("ssl_verify_identity") => Security::Always(Trust::Name),
        None if is("ssl_verify_cert") || target.option("ssl_ca").is_some() => Security::Always(Trust::Authority),
        None => Security::Offered,
    })
}

fn tls(trust: Trust, target: &Target, surroundings: &Surroundings<'_>) -> Result<SslOpts, Ended> {
    let options = SslOpts::default()
        .with_danger_accept_invalid_certs(trust == Trust::Anybody)
        .with_danger_skip_domain_validation(trust != Trust::Name);
    let Some(path) = target.option("ssl_ca") else { return Ok(options) };
    let roots = (surroundings.read)(path).ok_or(Obstacle::Malformed)?;
    Ok(options.with_root_certs(vec![roots.into()]).with_disable_built_in_roots(true))
}

async fn sign_in(options: Opts) -> Result<(), Ended> {
    let asked = async {
        let mut connection = Conn::new(options).await?;
        // Not a ping: whoever has to change the password first may do nothing but that.
        connection.query_drop("SELECT 1").await?;
        connection.disconnect().await
    };
    asked.await.map_err(|error| meaning(&error))
}

/// What an error means, by its number (<https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>).
fn meaning(error: &Error) -> Ended {
    let number = match error {
        Error::Server(error) => error.code,
        Error::Io(IoError::Tls(_)) | Error::Driver(DriverError::NoClientSslFlagFromServer) => return Trouble::Tls.into(),
        // A certificate that does not fit comes out of the stream.
        Error::Io(IoError::Io(error)) if error.get_ref().is_some_and(|inside| inside.is::<rustls::Error>()) => {
            return Trouble::Tls.into();
        }
        Error::Io(_) | Error::Driver(DriverError::ConnectionClosed) => return NO_CONNECTION,
        Error::Driver(DriverError::CleartextPluginDisabled | DriverError::MysqlOldPasswordDisabled | DriverError::NoKeyFound) => {
            return UNSUPPORTED;
        }
        Error::Driver(DriverError::UnknownAuthPlugin { .. }) => return UNSUPPORTED,
        _ => return UNEXPECTED,
    };
    match number {
        // Access denied; an account that is locked, of MySQL and of MariaDB.
        1045 | 1698 | 3118 | 4151 => WRONG,
        // A password that has to be changed.
        1820 | 1862 => Refusal::Expired.into(),
        1049 => Refusal::NotFound.into(),
        // Not for this database, and not from this host.
        1044 | 1130 | 1142 | 1227 => Refusal::MissingPermission.into(),
        1040 | 1203 | 1226 => Trouble::TooManyRequests.into(),
        // Connections without TLS are not taken.
        3159 => Trouble::Tls.into(),
        1251 | 1275 | 1524 => UNSUPPORTED,
        1053 | 1129 | 1158..=1161 => Trouble::ServerError.into(),
        _ => UNEXPECTED,
    }
}
