//! `dango secrets encrypt` and `decrypt`: values of `secrets.toml` sealed and opened where they stand.

use clap::Args;
use dango_actions::Ending;
use dango_audit::{Detail, Event};
use dango_core::CredentialPath;
use dango_vault::{EncryptReport, Targets, VaultError};
use serde::Serialize;

use super::parse_path;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::{count, file, recorded};

#[derive(Args, Debug)]
pub(crate) struct EncryptArguments {
    /// The credentials or tables, as in sources.stripe.api_key
    #[arg(value_name = "PATH", conflicts_with = "all")]
    paths: Vec<String>,
    /// Everything: encrypting covers all under sources and destination, decrypting whatever is encrypted
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
    path: String,
    reason: String,
}

#[derive(Serialize)]
struct Decrypted {
    decrypted: Vec<String>,
}

pub(crate) fn encrypt(arguments: &EncryptArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let (opened, paths) = begin(arguments, global, output)?;
    let change = |_: &mut Output<'_>| {
        let report = opened.vault().encrypt_secrets(targets(arguments, &paths));
        report.map_err(|error| failure(&opened, &error))
    };
    let draft = file(Event::SecretsEncrypted, "secrets.toml");
    let report = recorded(&opened, vec![draft], output, change, |report| {
        let paths = report.encrypted.as_slice();
        let ending = Ending::done().with(Detail::Count, count(paths.len()));
        vec![ending.with(Detail::Paths, paths)]
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
    let (opened, paths) = begin(arguments, global, output)?;
    let change = |_: &mut Output<'_>| {
        let decrypted = opened.vault().decrypt_secrets(targets(arguments, &paths));
        decrypted.map_err(|error| failure(&opened, &error))
    };
    let draft = file(Event::SecretsDecrypted, "secrets.toml");
    let decrypted = recorded(&opened, vec![draft], output, change, |paths| {
        let ending = Ending::done().with(Detail::Count, count(paths.len()));
        vec![ending.with(Detail::Paths, paths.as_slice())]
    })?;
    let decrypted = texts(&decrypted);
    if output.json {
        return output.json(&Decrypted { decrypted });
    }
    for path in &decrypted {
        output.say(format!("{path}: decrypted"));
    }
    if decrypted.is_empty() {
        output.say("nothing there is encrypted");
    }
    Ok(())
}

/// A file that cannot be edited, or whose seal is broken, is told of before the key is used for anything.
fn begin(arguments: &EncryptArguments, global: &Global, output: &mut Output<'_>) -> Result<(Opened, Vec<CredentialPath>), Failure> {
    if arguments.paths.is_empty() && !arguments.all {
        return Err(Failure::usage("name the credentials that are meant, or say `--all`").hint("`dango secrets list` shows what there is"));
    }
    if arguments.paths.is_empty() && !arguments.all {
        return Err(Failure::usage("name the credentials that are meant, or say `--all`").hint("`dango secrets list` shows what there is"));
    }
    let paths = arguments.paths.iter().map(|text| parse_path(text)).collect::<Result<_, _>>()?;
    let opened = Opened::find(global, output.host)?;
    let document = opened.secrets(output)?;
    opened.check_secrets(&document, output)?;
    Ok((opened, paths))
}

fn targets<'a>(arguments: &EncryptArguments, paths: &'a [CredentialPath]) -> Targets<'a> {
    if arguments.all { Targets::All } else { Targets::Paths(paths) }
}

fn tell(report: &EncryptReport, opened: &Opened, output: &mut Output<'_>) {
    for path in &report.encrypted {
        output.say(format!("{path}: encrypted"));
    }
    if report.encrypted.is_empty() {
        output.say(if report.already.is_empty() {
            "there is nothing to encrypt"
        } else {
            "everything there is encrypted already"
        });
    }
    for left in &report.left {
        output.warn(format!("{} stays plain: {}", left.path, left.reason));
    }
    for line in &report.comment_lines {
        let path = opened.project.secrets_toml();
        output.warn(format!(
            "{}:{line}: the comment holds a part of an encrypted value and stays readable; delete it",
            path.display()
        ));
    }
}

fn left(left: &dango_vault::LeftPlain) -> Left {
    Left {
        path: left.path.to_string(),
        reason: left.reason.to_string(),
    }
}

fn failure(opened: &Opened, error: &VaultError) -> Failure {
    let failure = opened.vault_failure(error);
    if error.code() == "edit_not_found" {
        return failure.hint("`dango secrets list` shows what there is");
    }
    failure
}

fn texts(paths: &[CredentialPath]) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}
