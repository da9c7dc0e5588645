//! `dango env encrypt` and `decrypt`: values of `.env` sealed and opened where they stand.

use clap::Args;
use dango_actions::Ending;
use dango_audit::{Detail, Event};
use dango_core::VariableName;
use dango_vault::{EnvEncryptReport, EnvTargets, VaultError};
use serde::Serialize;

use super::set::parse_key;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::{count, file, recorded};

#[derive(Args, Debug)]
pub(crate) struct EncryptArguments {
    /// The variables
    #[arg(value_name = "KEY", conflicts_with = "all")]
    keys: Vec<String>,
    /// All variables
    #[arg(long)]
    all: bool,
}

#[derive(Serialize)]
struct Encrypted {
    encrypted: Vec<String>,
    already: Vec<String>,
    left: Vec<Left>,
    comment_lines: Vec<usize>,
}

#[derive(Serialize)]
struct Left {
    key: Option<String>,
    line: usize,
    reason: String,
}

#[derive(Serialize)]
struct Decrypted {
    decrypted: Vec<String>,
}

pub(crate) fn encrypt(arguments: &EncryptArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let (opened, keys) = begin(arguments, global, output)?;
    let change = |_: &mut Output<'_>| {
        let report = opened.vault().encrypt_env(targets(arguments, &keys));
        report.map_err(|error| failure(&opened, &error))
    };
    let draft = file(Event::SecretsEncrypted, ".env");
    let report = recorded(&opened, vec![draft], output, change, |report| {
        let keys = report.encrypted.as_slice();
        let ending = Ending::done().with(Detail::Count, count(keys.len()));
        vec![ending.with(Detail::Paths, keys)]
    })?;
    if output.json {
        return output.json(&Encrypted {
            encrypted: texts(&report.encrypted),
            already: texts(&report.already),
            left: report.left.iter().map(left).collect(),
            comment_lines: report.comment_lines,
        });
    }
    tell(&report, &opened, output);
    Ok(())
}

pub(crate) fn decrypt(arguments: &EncryptArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let (opened, keys) = begin(arguments, global, output)?;
    let change = |_: &mut Output<'_>| {
        let decrypted = opened.vault().decrypt_env(targets(arguments, &keys));
        decrypted.map_err(|error| failure(&opened, &error))
    };
    let draft = file(Event::SecretsDecrypted, ".env");
    let decrypted = recorded(&opened, vec![draft], output, change, |keys| {
        let ending = Ending::done().with(Detail::Count, count(keys.len()));
        vec![ending.with(Detail::Paths, keys.as_slice())]
    })?;
    let decrypted = texts(&decrypted);
    if output.json {
        return output.json(&Decrypted { decrypted });
    }
    for key in &decrypted {
        output.say(format!("{key}: decrypted"));
    }
    if decrypted.is_empty() {
        output.say("nothing there is encrypted");
    }
    Ok(())
}

/// A file that cannot be edited, or whose seal is broken, is told of before the key is used for anything.
fn begin(arguments: &EncryptArguments, global: &Global, output: &mut Output<'_>) -> Result<(Opened, Vec<VariableName>), Failure> {
    if arguments.keys.is_empty() && !arguments.all {
        return Err(Failure::usage("name the variables that are meant, or say `--all`").hint("`dango env list` shows what there is"));
    }
    let keys = arguments.keys.iter().map(|text| parse_key(text)).collect::<Result<_, _>>()?;
    let opened = Opened::find(global, output.host)?;
    let document = opened.env()?;
    opened.check_env(&document, output)?;
    Ok((opened, keys))
}

fn targets<'a>(arguments: &EncryptArguments, keys: &'a [VariableName]) -> EnvTargets<'a> {
    if arguments.all { EnvTargets::All } else { EnvTargets::Keys(keys) }
}

fn tell(report: &EnvEncryptReport, opened: &Opened, output: &mut Output<'_>) {
    let path = opened.project.env_file();
    for key in &report.encrypted {
        output.say(format!("{key}: encrypted"));
    }
    if report.encrypted.is_empty() {
        output.say(if report.already.is_empty() {
            "there is nothing to encrypt"
        } else {
            "everything there is encrypted already"
        });
    }
    for left in &report.left {
        let name = left.name.as_ref().map(|name| format!("{name} ")).unwrap_or_default();
        output.warn(format!("{}:{}: {name}stays plain: {}", path.display(), left.line, left.reason));
    }
    for line in &report.comment_lines {
        output.warn(format!(
            "{}:{line}: what stands there holds a part of an encrypted value and stays readable; delete it",
            path.display()
        ));
    }
    if !report.encrypted.is_empty() {
        output.hint("python-dotenv and docker now see envelopes in .env; `dango run` hands on the values");
    }
}

fn left(left: &dango_vault::EnvLeft) -> Left {
    Left {
        key: left.name.as_ref().map(ToString::to_string),
        line: left.line,
        reason: left.reason.to_string(),
    }
}

fn failure(opened: &Opened, error: &VaultError) -> Failure {
    let failure = opened.vault_failure(error);
    if error.code() == "env_key_not_found" {
        return failure.hint("`dango env list` shows what there is");
    }
    failure
}

fn texts(keys: &[VariableName]) -> Vec<String> {
    keys.iter().map(ToString::to_string).collect()
}
