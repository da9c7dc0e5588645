//! `dango secrets export`: the credentials in another format, on standard output, references resolved.

use clap::Args;
use dango_core::{CredentialPath, SecretValue, VariableName};
use dango_secrets::document::SecretsDocument;
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::environment::{self, EnvironmentError, Origin, Variables};
use dango_secrets::exchange::{self, Format, ManifestName, Tree, Variable};
use dango_secrets::{References, Value};
use zeroize::Zeroizing;

use super::parse_path;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::{Opened, process_variable, reference_failure};
use crate::output::Output;
use crate::run::all_of;
use crate::server::{Purpose, Server, Wanted};

/// Dango's own seal of encrypted values; it means nothing outside the file.
const SEAL: [&str; 2] = ["dango", "seal"];

#[derive(Args, Debug)]
pub(crate) struct ExportArguments {
    /// The format
    #[arg(long, value_name = "FORMAT", default_value = "toml", value_parser = ["dotenv", "json", "yaml", "toml", "shell", "github", "docker", "k8s"])]
    format: String,
    /// Only credentials at or below this path
    #[arg(long, value_name = "PREFIX")]
    only: Option<String>,
    /// Print the values; without it nothing is exported
    #[arg(long)]
    reveal: bool,
    /// The name of the Kubernetes Secret
    #[arg(long, value_name = "NAME", default_value = "dango-secrets")]
    name: String,
}

pub(crate) fn run(arguments: &ExportArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let format: Format = arguments
        .format
        .parse()
        .map_err(|error: exchange::ParseFormatError| Failure::usage(error.to_string()))?;
    let name: ManifestName = arguments
        .name
        .parse()
        .map_err(|error: exchange::InvalidManifestName| Failure::usage(error.to_string()))?;
    let only = arguments.only.as_deref().map(parse_path).transpose()?;
    if !arguments.reveal {
        return Err(Failure::refused("an export shows every value in plain text").hint("add `--reveal` if that is meant"));
    }
    let documents = match Server::of(global, output)? {
        Some(server) => server.values(Purpose::Export, Wanted::Below(only.as_ref()), output)?,
        None => {
            let opened = Opened::find(global, output.host)?;
            let secrets = opened.open_secrets(&opened.secrets(output)?, only.as_ref(), output)?;
            (secrets, opened.open_env(&opened.env()?, output)?)
        }
    };
    let text = if format.is_environment() {
        environment_like(format, &name, &documents, only.as_ref(), output)?
    } else {
        tree(format, &documents, only.as_ref(), output)?
    };
    output.data(text.as_bytes())
}

/// Both files, opened.
type Documents = (SecretsDocument, EnvDocument);

fn tree(
    format: Format,
    (document, env): &Documents,
    only: Option<&CredentialPath>,
    output: &mut Output<'_>,
) -> Result<Zeroizing<String>, Failure> {
    let Value::Table(mut entries) = document.root() else {
        return Ok(Zeroizing::default());
    };
    drop_seal(&mut entries);
    if let Some(only) = only {
        entries = narrow(entries, only.parts());
    }
    let process = process_variable(output.host);
    let lookup = Variables { env, process: &process };
    let resolved = Tree::from_entries(&entries, &mut |path, text| {
        let text = text.resolve(path, &lookup).map_err(|error| reference_failure(&error))?;
        SecretValue::new(text.to_string()).map_err(|error| Failure::refused(format!("{path}: {error}")))
    });
    let entries = resolved.map_err(|failures| {
        failures
            .into_iter()
            .next()
            .unwrap_or_else(|| Failure::refused("a value cannot be resolved"))
    })?;
    Ok(match format {
        Format::Json => exchange::write_json(&entries),
        Format::Yaml => exchange::write_yaml(&entries),
        _ => exchange::write_toml(&entries),
    })
}

fn drop_seal(entries: &mut Vec<(String, Value)>) {
    for (key, value) in entries.iter_mut() {
        if let (true, Value::Table(own)) = (key == SEAL[0], value) {
            own.retain(|(key, _)| key != SEAL[1]);
        }
    }
    entries.retain(|(key, value)| key != SEAL[0] || !matches!(value, Value::Table(own) if own.is_empty()));
}

/// Only what is at or below a path, in its place.
fn narrow(entries: Vec<(String, Value)>, parts: &[String]) -> Vec<(String, Value)> {
    let Some((first, rest)) = parts.split_first() else { return entries };
    let kept = entries.into_iter().filter(|(key, _)| key == first);
    kept.map(|(key, value)| match value {
        Value::Table(entries) => (key, Value::Table(narrow(entries, rest))),
        value => (key, value),
    })
    .collect()
}

fn environment_like(
    format: Format,
    name: &ManifestName,
    documents: &Documents,
    only: Option<&CredentialPath>,
    output: &mut Output<'_>,
) -> Result<Zeroizing<String>, Failure> {
    let variables = variables(documents, only, output)?;
    let refused = |error: &dyn std::error::Error| Failure::caused_by(error).hint("nothing was exported");
    match format {
        Format::Shell => exchange::write_shell(&variables).map_err(|error| refused(&error)),
        Format::Docker => exchange::write_docker(&variables).map_err(|error| refused(&error)),
        Format::K8s => exchange::write_k8s(name, &variables).map_err(|error| refused(&error)),
        Format::Github => {
            let text = exchange::write_github(&variables, output.host.entropy.as_ref()).map_err(|error| refused(&error))?;
            if output.host.variable("GITHUB_ACTIONS") == Some("true") {
                // The runner takes these lines from any stream and shows none of them.
                let _ = output.host.stderr.write_all(exchange::github_masks(&variables).as_bytes());
            }
            Ok(text)
        }
        _ => exchange::write_dotenv(&variables, &spell).map_err(|error| refused(&error)),
    }
}

fn variables((document, env): &Documents, only: Option<&CredentialPath>, output: &mut Output<'_>) -> Result<Vec<Variable>, Failure> {
    let process = process_variable(output.host);
    let lookup = Variables { env, process: &process };
    let credentials =
        environment::credentials(document, &lookup, only).map_err(|problems: Vec<EnvironmentError>| all_of(&problems, "exported"))?;
    let exported = credentials.into_iter().filter_map(|variable| match variable.origin {
        Origin::Credential(path) => Some(Variable {
            name: variable.name,
            path,
            value: variable.value,
        }),
        _ => None,
    });
    Ok(exported.collect())
}

/// A line of a `.env` file for one variable, as `dango env set` writes it.
fn spell(name: &str, value: &SecretValue) -> Result<Zeroizing<String>, String> {
    let name: VariableName = name.parse().map_err(|error: dango_core::ParseNameError| error.to_string())?;
    let (document, _) = EnvDocument::default()
        .set(&name, value, References::Literal)
        .map_err(|error| error.to_string())?;
    Ok(Zeroizing::new(document.text().trim_end_matches('\n').to_owned()))
}
