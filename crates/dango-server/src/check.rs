//! `dango-server check`: whether the server could start here, found out without starting it or making anything.

use std::io::Write;
use std::net::SocketAddr;

use dango_actions::Premises;
use dango_secrets::project::Project;
use dango_store_postgres::DatabaseUrl;
use dango_store_sqlite::{Inspected, inspect};

use crate::database::Database;
use crate::failure::{Failure, identity_key_is_lost};
use crate::house::premises;
use crate::serve::{Certificate, bind};
use crate::settings::Settings;
use crate::system::System;
use crate::traces;

type Found = Result<String, Failure>;

/// Looks at everything, says of each how it is, and answers whether all is well.
pub(crate) fn run(system: &System, settings: &Settings, project: &Project, out: &mut dyn Write, complaints: &mut dyn Write) -> bool {
    let mut findings: Vec<(&str, Found)> = vec![
        ("settings", Ok("understood".to_owned())),
        ("project", Ok(project.root().display().to_string())),
    ];
    findings.extend(database_and_key(system, settings, project));
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

fn database_and_key(system: &System, settings: &Settings, project: &Project) -> Vec<(&'static str, Found)> {
    let premises = match premises(system, settings, project) {
        Ok(premises) => premises,
        Err(failure) => return vec![("identity key", Err(failure))],
    };
    let key = premises.identity_key().load().map_err(Failure::from);
    let database = match Database::of(system, settings) {
        Ok(database) => database,
        Err(failure) => return vec![("database", Err(failure))],
    };
    let (found, is_there) = match &database {
        Database::File => file(&premises),
        Database::Postgres(url) => (server(&database, url), Ok(true)),
    };
    let key = match (key, &is_there) {
        (Ok(Some(_)), _) => Ok("can be used".to_owned()),
        (Ok(None), Ok(false)) => Ok("none yet; it is made at the first start".to_owned()),
        (Ok(None), _) if !database.is_file() => {
            Ok("none yet; the first server of an empty database makes it, the others need a copy".to_owned())
        }
        (Ok(None), _) => Err(identity_key_is_lost(&premises, &database)),
        (Err(failure), _) => Err(failure),
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

/// Looks at PostgreSQL as the role that is to serve.
fn server(database: &Database, url: &DatabaseUrl) -> Found {
    let found = dango_store_postgres::inspect(url.clone()).map_err(|failure| database.failure(failure).at(url))?;
    // A newer one that lets this version go on is fine.
    match found.schema_version >= found.latest {
        true => Ok(format!("{url}, schema {}", found.schema_version)),
        false => Err(Failure::new(format!(
            "it has schema {}, and this version of Dango needs {}",
            found.schema_version, found.latest
        ))
        .hint("`dango-server migrate` brings it up to date, as its owner")
        .at(url)),
    }
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
