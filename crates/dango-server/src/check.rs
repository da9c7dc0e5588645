//! `dango-server check`: whether the server could start here, found out without starting it or making anything.

use std::io::Write;
use std::net::SocketAddr;

use dango_actions::Premises;
use dango_secrets::project::Project;
use dango_store_postgres::{DatabaseUrl, Inspected as Looked};
use dango_store_sqlite::{Inspected, inspect};

use crate::database::{Database, MAY_REWRITE, TWO_ROLES, complete, not_for_this_role};
use crate::failure::{Failure, identity_key_is_lost};
use crate::house::{given_key, premises};
use crate::serve::{Certificate, bind};
use crate::settings::Settings;
use crate::system::System;
use crate::traces;

type Found = Result<String, Failure>;

/// What was found about the database, and what there is to say of it though it can be served from.
struct DatabaseFound {
    found: Found,
    warning: Option<Failure>,
}

/// Looks at everything, says of each how it is, and answers whether all is well.
pub(crate) fn run(system: &System, settings: &Settings, project: &Project, out: &mut dyn Write, complaints: &mut dyn Write) -> bool {
    let mut findings: Vec<(&str, Found)> = vec![
        ("settings", Ok("understood".to_owned())),
        ("project", Ok(project.root().display().to_string())),
    ];
    findings.extend(database_and_key(system, settings, project, complaints));
    findings.push(("listen", address(settings.listen)));
    findings.extend(settings.operations_listen.map(|listen| ("operations", address(listen))));
    findings.extend(settings.tls.as_ref().map(|files| {
        let certificate = Certificate::read(files).map_err(Failure::from);
        ("tls", certificate.map(|_| files.certificate.display().to_string()))
    }));
    let traces = traces::destination(system, settings).transpose();
    findings.extend(traces.map(|url| ("traces", url.map(|url| url.to_string()))));
    let mut is_well = true;
    for (what, found) in findings {
        match found {
            // Where this cannot be written, the exit status says it.
            Ok(detail) => drop(writeln!(out, "ok  {what}: {}", crate::failure::one_line(&detail))),
            Err(failure) => {
                is_well = false;
                failure.at(what).write(complaints);
            }
        }
    }
    is_well
}

fn database_and_key(system: &System, settings: &Settings, project: &Project, complaints: &mut dyn Write) -> Vec<(&'static str, Found)> {
    let premises = match premises(system, settings, project) {
        Ok(premises) => premises,
        Err(failure) => return vec![("identity key", Err(failure))],
    };
    let database = match Database::of(system, settings) {
        Ok(database) => database,
        Err(failure) => return vec![("database", Err(failure))],
    };
    let usable = || "can be used".to_owned();
    let (key, found) = match &database {
        Database::File => {
            let (found, is_there) = file(&premises);
            let key = match (premises.identity_key().load().map_err(Failure::from), is_there) {
                (Ok(None), Ok(false)) => Ok("none yet; it is made at the first start".to_owned()),
                (Ok(None), _) => Err(identity_key_is_lost(&premises)),
                (key, _) => key.map(|_| usable()),
            };
            (key, found)
        }
        Database::Postgres(url) => {
            let DatabaseFound { found, warning } = server(system, settings, &database, url);
            if let Some(warning) = warning {
                warning.at("database").warn(complaints);
            }
            (given_key(system, &premises).map(|_| usable()), found)
        }
    };
    vec![("identity key", key), ("database", found)]
}

/// Looks at a file, and answers whether there is one.
fn file(premises: &Premises) -> (Found, Result<bool, ()>) {
    let kept = premises.kept_checkpoint().map_err(|error| Failure::caused_by(&error));
    let is_there = kept.and_then(|kept| Ok(premises.has_database(kept.as_ref())?));
    let told = is_there.as_ref().map(|is_there| *is_there).map_err(|_| ());
    let path = premises.database();
    let found = is_there.and_then(|is_there| match is_there {
        false => Ok(format!("none yet; {} is made at the first start", path.display())),
        true => match inspect(path) {
            Ok(Inspected { schema_version, latest }) if schema_version == latest => Ok(format!("{}, schema {latest}", path.display())),
            Ok(Inspected { schema_version, latest }) => Ok(format!(
                "{}, schema {schema_version}; the next start, or `dango-server migrate`, brings it to {latest}",
                path.display()
            )),
            Err(failure) => Err(Failure::from(failure).at(path.display())),
        },
    });
    (found, told)
}

/// Looks at PostgreSQL as the role that is to serve, and as the owner where one is given.
fn server(system: &System, settings: &Settings, database: &Database, url: &DatabaseUrl) -> DatabaseFound {
    let looked = look(system, settings, database, url);
    let warning = match looked {
        Ok((_, found)) if found.may_rewrite && settings.database_owner.is_none() => Some(Failure::new(MAY_REWRITE).hint(TWO_ROLES)),
        _ => None,
    };
    DatabaseFound {
        found: looked.map(|(told, _)| told),
        warning,
    }
}

fn look(system: &System, settings: &Settings, database: &Database, url: &DatabaseUrl) -> Result<(String, Looked), Failure> {
    let inspect = |url: &DatabaseUrl| dango_store_postgres::inspect(url.clone()).map_err(|failure| database.failure(failure).at(url));
    let found = inspect(url)?;
    let owner = settings.database_owner.as_ref().map(|owner| complete(system, owner)).transpose()?;
    let owner = owner.as_ref().map(inspect).transpose()?;
    if owner.is_some() && found.may_rewrite {
        return Err(Failure::new(MAY_REWRITE).hint(TWO_ROLES).at(url));
    }
    let told = match found.schema_version {
        version if version == found.latest => format!("{url}, schema {version}"),
        _ if !owner.unwrap_or(found).may_migrate => return Err(not_for_this_role(found).at(url)),
        0 => format!(
            "{url}, empty; the next start, or `dango-server migrate`, makes schema {}",
            found.latest
        ),
        version => format!(
            "{url}, schema {version}; the next start, or `dango-server migrate`, brings it to {}",
            found.latest
        ),
    };
    Ok((told, found))
}

/// Whether this machine has the address; whether its port is free is not asked, since the server itself may have it.
fn address(address: SocketAddr) -> Found {
    match tokio::runtime::Builder::new_current_thread().enable_io().build() {
        Err(error) => Err(Failure::new(error.to_string())),
        Ok(runtime) => {
            let _inside = runtime.enter();
            bind(SocketAddr::new(address.ip(), 0))
                .map(|_| address.to_string())
                .map_err(|error| Failure::new(format!("cannot listen on {address}: {error}")))
        }
    }
}
