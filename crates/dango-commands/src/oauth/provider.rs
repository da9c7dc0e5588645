//! The providers that a project knows, and how this process reaches them: its own table, replaced endpoints, the callback address.

use std::time::Duration;

use dango_core::SourceType;
use dango_oauth::{AccountHost, CallbackUrl, Endpoints, Provider, Providers, Replacement, SourceScopes};
use dango_secrets::storage;
use dango_vault::Connection;

use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;

/// The project's own providers.
const FILE: &str = "providers.toml";

const CALLBACK_URL: &str = "DANGO_OAUTH_CALLBACK_URL";
const TIMEOUT: &str = "DANGO_OAUTH_TIMEOUT";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);
const LONGEST_TIMEOUT: u64 = 86_400;

/// The providers that come with Dango, and the project's own.
pub(super) fn providers(opened: &Opened) -> Result<Providers, Failure> {
    let path = opened.project.dango_dir().join(FILE);
    let Some(contents) = storage::read(&path).map_err(|error| Failure::caused_by(&error))? else {
        return Ok(Providers::builtin());
    };
    let text = std::str::from_utf8(contents.bytes())
        .map_err(|error| Failure::refused(format!("{} is not UTF-8 at byte offset {}", path.display(), error.valid_up_to())))?;
    Providers::builtin().with_project_file(text).map_err(|error| {
        Failure::refused(format!("{}:{}: {}", path.display(), error.line, error.problem))
            .with_code(error.code())
            .hint("correct that line in an editor; nothing was changed")
    })
}

/// The provider of a stored connection: the one that serves its type.
pub(super) fn of_connection<'p>(providers: &'p Providers, connection: &Connection) -> Result<(&'p Provider, &'p SourceScopes), Failure> {
    let source_type = connection.source_type.parse::<SourceType>().ok();
    let served = source_type.and_then(|source_type| providers.for_source_type(&source_type));
    served.ok_or_else(|| {
        Failure::refused(format!("{}: no provider is known for its type", connection.name))
            .with_code("unsupported")
            .hint("a provider of your own is described in .dango/providers.toml")
    })
}

/// The endpoints of a provider for an account, as this process's environment has them; a replaced one is warned of.
pub(super) fn endpoints(provider: &Provider, account: Option<&str>, output: &mut Output<'_>) -> Result<Endpoints, Failure> {
    let variable = |name: &str| {
        let value = output.host.environment.get(std::ffi::OsStr::new(name))?;
        Some(value.to_string_lossy().into_owned())
    };
    let replacement =
        Replacement::from_environment(provider, variable).map_err(|error| Failure::refused(error.to_string()).with_code(error.code()))?;
    let host = account_host(provider, account)?;
    let endpoints = provider
        .endpoints(host.as_ref(), &replacement)
        .map_err(|error| Failure::caused_by(&error))?;
    let replaced = replacement.replaced();
    if !replaced.is_empty() {
        let name = provider.name.to_ascii_uppercase();
        let variables: Vec<String> = replaced
            .iter()
            .map(|endpoint| format!("DANGO_OAUTH_{name}_{endpoint}_URL"))
            .collect();
        output.warn(format!(
            "{} is not asked at its own addresses: the environment has {}",
            provider.title,
            variables.join(", ")
        ));
    }
    Ok(endpoints)
}

fn account_host(provider: &Provider, account: Option<&str>) -> Result<Option<AccountHost>, Failure> {
    provider.parse_account_host(account).map_err(|error| {
        let failure = Failure::usage(error.to_string());
        match provider.host.as_ref().and_then(|host| host.field.as_ref()) {
            Some(field) => failure.hint(format!("give it with `--set {field}=…`")),
            None => failure,
        }
    })
}

/// Where the browser brings the answer.
pub(super) fn callback_url(output: &Output<'_>) -> Result<CallbackUrl, Failure> {
    let text = output.host.variable(CALLBACK_URL).filter(|text| !text.is_empty());
    CallbackUrl::parse(text.unwrap_or(CallbackUrl::DEFAULT))
        .map_err(|error| Failure::refused(format!("{CALLBACK_URL}: {error}")).with_code(error.code()))
}

/// For how long an answer is waited for.
pub(super) fn timeout(output: &Output<'_>) -> Result<Duration, Failure> {
    let Some(text) = output.host.variable(TIMEOUT).filter(|text| !text.is_empty()) else {
        return Ok(DEFAULT_TIMEOUT);
    };
    let seconds = text.trim().parse().ok().filter(|seconds| (1..=LONGEST_TIMEOUT).contains(seconds));
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| Failure::refused(format!("{TIMEOUT} is no number of seconds from 1 to {LONGEST_TIMEOUT}")))
}
