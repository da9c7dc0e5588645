//! What all verbs do with stored connections: the project's files asked, what was noticed told, what went wrong put into words.

use std::ffi::OsStr;
use std::future::Future;

use dango_actions::ChangeDraft;
use dango_audit::{Detail, Event, Target, TargetKind};
use dango_connections::{ConnectionFiles, EndpointsError, Live, LiveError, Notice, ProvidersFileError};
use dango_core::{ParseNameError, SecretValue, SourceType};
use dango_oauth::{Providers, block_on};
use dango_vault::Connection;

use super::source_name;
use crate::Host;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;

/// What may be done where a provider's new tokens were not stored.
pub(super) const NOT_SAVED: &str =
    "the provider has given new tokens that could not be stored; if it takes the old ones no more, connect again";

impl Opened {
    /// The project's files, as far as connections are in them, with this process's environment.
    pub(super) fn connections(&self, host: &Host) -> ConnectionFiles<'_> {
        let environment = host.environment.clone();
        let variable = move |name: &str| {
            let value = environment.get(OsStr::new(name))?;
            SecretValue::new(value.to_string_lossy().into_owned()).ok()
        };
        self.connection_files(Box::new(variable))
    }
}

/// The providers that come with Dango, and the project's own.
pub(super) fn providers(files: &ConnectionFiles<'_>) -> Result<Providers, Failure> {
    files.providers().map_err(|error| match error {
        ProvidersFileError::Invalid { .. } => Failure::refused(error.to_string())
            .with_code(error.code())
            .hint("correct that line in an editor; nothing was changed"),
        error => Failure::caused_by(&error),
    })
}

/// A connection read anew, with all that it takes to ask its provider.
pub(super) fn live<'p>(
    connection: &Connection,
    providers: &'p Providers,
    files: &ConnectionFiles<'_>,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<Live<'p>, Failure> {
    let live = files.live(&connection.name, providers);
    tell(files, opened, output);
    live.map_err(|error| live_failure(&error, connection, opened))
}

/// Runs what calls a provider, and tells what was noticed.
pub(super) fn ask<T>(
    ceremony: impl Future<Output = T>,
    files: &ConnectionFiles<'_>,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<T, Failure> {
    let answer = block_on(ceremony);
    tell(files, opened, output);
    answer.map_err(|error| Failure::refused(format!("cannot wait for the network: {error}")))
}

/// Tells what was noticed while connections were read.
pub(super) fn tell(files: &ConnectionFiles<'_>, opened: &Opened, output: &mut Output<'_>) {
    for notice in files.take_notices() {
        match notice {
            Notice::ByteOrderMark(path) => output.warn(Opened::of_byte_order_mark(&path)),
            Notice::Seal { group, warning } => {
                output.warn(&warning);
                output.hint(Opened::of_seal(group));
            }
            Notice::SealUnchecked { error, .. } => output.warn(Opened::of_unchecked_seal(&error)),
            Notice::Replaced { title, variables } => output.warn(format!(
                "{title} is not asked at its own addresses: the environment has {}",
                variables.join(", ")
            )),
        }
    }
    opened.warn_of_ignored_key(output);
}

/// Why a connection could not be read, for a person.
pub(super) fn live_failure(error: &LiveError, connection: &Connection, opened: &Opened) -> Failure {
    match error {
        LiveError::NotFound => not_found(),
        LiveError::Unserved => unserved(connection),
        LiveError::Stored(error) => opened.stored_failure(error),
        LiveError::Endpoints(error) => endpoints_failure(error),
        error => Failure::caused_by(error),
    }
}

/// Why a provider has no address, for a person.
pub(super) fn endpoints_failure(error: &EndpointsError) -> Failure {
    match error {
        EndpointsError::Host { field: Some(field), .. } => {
            Failure::usage(error.to_string()).hint(format!("give it with `--set {field}=…`"))
        }
        EndpointsError::Host { .. } => Failure::usage(error.to_string()),
        error => Failure::refused(error.to_string()).with_code(error.code()),
    }
}

/// That there is no connection of a name.
pub(super) fn not_found() -> Failure {
    Failure::refused("there is no connection of that name")
        .with_code("not_found")
        .hint("`dango oauth list` shows what there is; `dango oauth SOURCE_TYPE` makes one")
}

fn unserved(connection: &Connection) -> Failure {
    Failure::refused(format!("{}: no provider is known for its type", connection.name))
        .with_code("unsupported")
        .hint("a provider of your own is described in .dango/providers.toml")
}

pub(super) fn parse_type(connection: &Connection) -> Result<SourceType, Failure> {
    connection
        .source_type
        .parse()
        .map_err(|error: ParseNameError| Failure::caused_by(&error))
}

/// A change of a connection, for the audit log.
pub(super) fn draft(event: Event, connection: &Connection) -> ChangeDraft {
    let draft = ChangeDraft::new(event);
    let draft = match source_name(connection) {
        Some(name) => draft.on(Target::new(TargetKind::Connection, &name)).with(Detail::Source, &name),
        None => draft.on(Target::of(TargetKind::Connection)),
    };
    match connection.source_type.parse::<SourceType>() {
        Ok(source_type) => draft.with(Detail::SourceType, &source_type),
        Err(_) => draft,
    }
}
