//! `dango secrets import`: credentials from a file in another format; nothing is overwritten unless that is said.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use dango_audit::Event;
use dango_core::{CredentialPath, SecretValue};
use dango_secrets::document::{NewType, NewValue, SecretsDocument};
use dango_secrets::dotenv::{EnvDocument, Precedence};
use dango_secrets::exchange::{self, Format, Import, Tree};
use dango_secrets::{References, Value};
use dango_vault::{Edition, VaultError, is_seal, set_secrets};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::{Opened, process_variable};
use crate::output::Output;
use crate::protection::ProtectionOptions;
use crate::recorded::{credential, recorded, set_ending};

/// The largest file that is taken, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

#[derive(Args, Debug)]
pub(crate) struct ImportArguments {
    /// The file; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Its format [default: from its name]
    #[arg(long, value_name = "FORMAT", value_parser = ["dotenv", "json", "yaml", "toml", "shell", "github", "docker", "k8s"])]
    format: Option<String>,
    /// Replace credentials that are there already
    #[arg(long)]
    overwrite: bool,
    /// Let ${NAME} in strings refer to variables instead of standing for itself
    #[arg(long)]
    reference: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    protection: ProtectionOptions,
}

#[derive(Serialize)]
struct Row {
    path: String,
    action: &'static str,
    encrypted: bool,
}

pub(crate) fn run(arguments: &ImportArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let format = format(arguments)?;
    let opened = Opened::find(global, output.host)?;
    let bytes = read(&arguments.file, output)?;
    let name = arguments.file.display().to_string();
    let import = parse(format, &bytes, &name, output)?;
    let references = if arguments.reference {
        References::Expand
    } else {
        References::Literal
    };
    let mut values = Vec::with_capacity(import.credentials.len());
    for (path, tree) in import.credentials.iter().filter(|(path, _)| !is_seal(path)) {
        let value = new_value(tree, references).map_err(|reason| Failure::refused(format!("{name}: {path}: {reason}")))?;
        values.push((path.clone(), value));
    }
    let merge = |document: &SecretsDocument, edition: &mut Edition<'_>| {
        let is_kept = |(path, value): &(CredentialPath, NewValue)| {
            !arguments.overwrite && document.value(path).is_some() && !document.has(path, value)
        };
        let wanted: Vec<_> = values.iter().filter(|new| !is_kept(new)).cloned().collect();
        let (edited, report) = set_secrets(document, &wanted, arguments.protection.protection(), edition)?;
        let mut outcomes = report.outcomes.iter().copied();
        let mut rows = Vec::with_capacity(values.len());
        for new in &values {
            let action = if is_kept(new) {
                "kept"
            } else {
                outcomes.next().map_or("kept", super::action)
            };
            rows.push(Row {
                path: new.0.to_string(),
                action,
                encrypted: report.encrypted.iter().any(|path| path.starts_with(&new.0)),
            });
        }
        Ok((edited, (rows, report.left)))
    };
    let document = opened.secrets(output)?;
    let refused = |error: VaultError| opened.vault_failure(&error).hint("nothing was imported");
    let (rows, left) = if arguments.dry_run {
        let mut edition = Edition::new(&opened.keys, output.host.entropy.as_ref());
        merge(&document, &mut edition).map_err(refused)?.1
    } else {
        let drafts = values.iter().map(|(path, _)| credential(Event::SecretSet, path)).collect();
        let endings = |(rows, _): &(Vec<Row>, _)| rows.iter().map(|row| set_ending(row.action, row.encrypted)).collect();
        let change = |_: &mut Output<'_>| opened.vault().edit_secrets(merge).map_err(refused);
        recorded(&opened, drafts, output, change, endings)?
    };
    for left in left {
        output.warn(format!("{} stays plain: {}", left.path, left.reason));
    }
    tell(&rows, import.empty_tables, arguments, output)
}

fn tell(rows: &[Row], empty_tables: usize, arguments: &ImportArguments, output: &mut Output<'_>) -> Outcome {
    if output.json {
        return output.json(rows);
    }
    for row in rows {
        let encrypted = if row.encrypted { ", encrypted" } else { "" };
        output.say(format!("{}: {}{encrypted}", row.path, row.action));
    }
    if empty_tables > 0 {
        output.say(format!("{empty_tables} empty tables were left out"));
    }
    if rows.iter().any(|row| row.action == "kept") {
        output.hint("what is there was kept; `--overwrite` replaces it");
    }
    if arguments.dry_run {
        output.say("nothing was changed (--dry-run)");
    } else if arguments.file != Path::new("-") {
        output.hint(format!(
            "{} still holds the values in plain text; delete it when nothing else needs it",
            arguments.file.display()
        ));
    }
    Ok(())
}

fn format(arguments: &ImportArguments) -> Result<Format, Failure> {
    if let Some(format) = &arguments.format {
        return format
            .parse()
            .map_err(|error: exchange::ParseFormatError| Failure::usage(error.to_string()));
    }
    let name = arguments.file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let extension = arguments.file.extension().and_then(|extension| extension.to_str());
    match extension {
        _ if name == ".env" || name.starts_with(".env.") => Ok(Format::Dotenv),
        Some("env") => Ok(Format::Dotenv),
        Some("json") => Ok(Format::Json),
        Some("yaml" | "yml") => Ok(Format::Yaml),
        Some("toml") => Ok(Format::Toml),
        Some("sh") => Ok(Format::Shell),
        _ => Err(Failure::usage("the file's name does not tell its format")
            .hint("say it with `--format dotenv|json|yaml|toml|shell|github|docker|k8s`")),
    }
}

fn read(path: &Path, output: &mut Output<'_>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
    let read = if path == Path::new("-") {
        (&mut output.host.stdin).take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        let path = output.host.directory.join(path);
        File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::refused(format!("cannot read {}: {error}", path.display())))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::refused(format!("{} is larger than {LARGEST} bytes", path.display())));
    }
    Ok(bytes)
}

fn parse(format: Format, bytes: &[u8], name: &str, output: &Output<'_>) -> Result<Import, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::refused(format!("{name}: {}", crate::failure::chain(error)));
    let import = match format {
        Format::Json => exchange::parse_json(bytes),
        Format::Yaml => exchange::parse_yaml(bytes),
        Format::Shell => exchange::parse_shell(bytes),
        Format::Github => exchange::parse_github(bytes),
        Format::Docker => exchange::parse_docker(bytes),
        Format::K8s => exchange::parse_k8s(bytes),
        Format::Toml => {
            let document = SecretsDocument::parse(bytes).map_err(|error| failed(&error))?;
            let Value::Table(entries) = document.root() else {
                return Err(Failure::refused(format!("{name} is no table")));
            };
            Import::from_values(&entries)
        }
        _ => {
            let document = EnvDocument::parse(bytes).map_err(|error| failed(&error))?;
            let process = process_variable(output.host);
            let values = document.values(&process, Precedence::File).map_err(|error| failed(&error))?;
            Import::from_variables(values.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
        }
    };
    import.map_err(|error| failed(&error))
}

/// An imported value as one to write.
fn new_value(tree: &Tree, references: References) -> Result<NewValue, String> {
    Ok(match tree {
        Tree::String(text) => NewValue::String {
            text: text.clone(),
            references,
        },
        Tree::Integer(value) => NewValue::Integer(*value),
        Tree::Float(value) => NewValue::Float(*value),
        Tree::Boolean(value) => NewValue::Boolean(*value),
        Tree::Datetime(text) => {
            let text = SecretValue::new(text.to_string()).map_err(|error| error.to_string())?;
            NewValue::parse(NewType::Datetime, &text, references).map_err(|error| error.to_string())?
        }
        Tree::Array(items) => NewValue::Array(items.iter().map(|item| new_value(item, references)).collect::<Result<_, _>>()?),
        Tree::Table(entries) => {
            let entries = entries.iter().map(|(key, value)| Ok((key.clone(), new_value(value, references)?)));
            NewValue::Table(entries.collect::<Result<_, String>>()?)
        }
        _ => return Err("its type is not known".to_owned()),
    })
}
