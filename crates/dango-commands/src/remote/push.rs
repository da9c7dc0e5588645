//! `dango remote push-secrets`: credentials of `secrets.toml` into the `.env` of a server, after a plan of what changes.

use clap::Args;
use dango_actions::Ending;
use dango_audit::{Detail, Event, Word};
use dango_core::{CredentialPath, VariableName};
use dango_remote::{Change, Item, Plan, plan, push};
use dango_secrets::document::SecretsDocument;
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::environment::{self, Origin, Variable, Variables};
use dango_vault::is_encrypted_binding;
use serde::Serialize;

use super::Which;
use super::link::Link;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::{Opened, process_variable};
use crate::output::{Output, printable};
use crate::prompt;
use crate::recorded::recorded;
use crate::run::all_of;
use crate::secrets::parse_path;

#[derive(Args, Debug)]
pub(crate) struct PushArguments {
    /// Credentials, or tables of them [default: all]
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    which: Which,
}

#[derive(Serialize)]
struct Report<'a> {
    remote: &'a str,
    changes: Vec<Row<'a>>,
    only_there: &'a [String],
    sent: usize,
}

#[derive(Serialize)]
struct Row<'a> {
    path: String,
    key: &'a str,
    change: &'static str,
}

pub(crate) fn run(arguments: &PushArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let paths: Vec<CredentialPath> = arguments.paths.iter().map(|path| parse_path(path)).collect::<Result<_, _>>()?;
    let link = Link::find(&arguments.which, global, output)?;
    let items = items(&link.opened, &paths, output)?;
    if items.is_empty() {
        output.say("there are no credentials in .dlt/secrets.toml to send");
        return Ok(());
    }
    let planned = link.work(output, |access| plan(access, &items, &is_encrypted_binding));
    let plan = link.finish(planned, output).map_err(hinted)?;
    if arguments.dry_run {
        return report(&link, &items, &plan, 0, output);
    }
    if plan.is_done() {
        output.say(format!("{} has all {} values already", link.remote.name, items.len()));
        return if output.json {
            report(&link, &items, &plan, 0, output)
        } else {
            Ok(())
        };
    }
    let sent = sent(&plan);
    for line in lines(&items, &plan) {
        output.say(printable(&line));
    }
    let question = format!(
        "send {sent} value{} to {} ({}, {})?",
        if sent == 1 { "" } else { "s" },
        link.remote.name,
        link.remote.destination,
        link.remote.directory
    );
    prompt::confirm(&question, global.yes, output)?;
    let changed = || items.iter().zip(&plan.changes).filter(|(_, change)| **change != Change::Same);
    let drafts = changed().map(|(item, _)| {
        let draft = link.draft(Event::RemoteSecretsPushed);
        draft.with(Detail::Key, &item.key).with(Detail::Path, &item.path)
    });
    let change = |output: &mut Output<'_>| link.work(output, |access| push(access, &items, &plan, &is_encrypted_binding));
    let result = recorded(&link.opened, drafts.collect(), output, change, |()| {
        let action = |change: &Change| Word::new(if *change == Change::Added { "created" } else { "updated" });
        let done = changed().map(|(_, change)| Ending::done().with(Detail::Action, action(change)));
        done.collect()
    });
    link.finish(result, output).map_err(hinted)?;
    if output.json {
        return report(&link, &items, &plan, sent, output);
    }
    output.say(format!("{sent} sent to {}", link.remote.name));
    Ok(())
}

/// What is to be sent, decrypted and resolved here, under the names that dlt reads there.
fn items(opened: &Opened, paths: &[CredentialPath], output: &mut Output<'_>) -> Result<Vec<Item>, Failure> {
    let secrets = opened.secrets(output)?;
    let mut items: Vec<Item> = Vec::new();
    if paths.is_empty() {
        return chosen(opened, &secrets, None, output);
    }
    for path in paths {
        let found = chosen(opened, &secrets, Some(path), output)?;
        if found.is_empty() {
            return Err(
                Failure::refused(format!("there is nothing at {path} that could be sent")).hint("`dango secrets list` shows what there is")
            );
        }
        items.extend(found.into_iter().filter(|item| !items_have(&items, item)).collect::<Vec<_>>());
    }
    Ok(items)
}

fn items_have(items: &[Item], item: &Item) -> bool {
    items.iter().any(|there| there.path == item.path)
}

fn chosen(
    opened: &Opened,
    secrets: &SecretsDocument,
    only: Option<&CredentialPath>,
    output: &mut Output<'_>,
) -> Result<Vec<Item>, Failure> {
    let secrets = opened.open_secrets(secrets, only, output)?;
    let is_meant = |path: &CredentialPath| only.is_none_or(|only| path.starts_with(only));
    let has_references = secrets
        .entries()
        .iter()
        .any(|entry| is_meant(&entry.path) && entry.value.has_reference());
    let env = match has_references {
        true => opened.open_env(&opened.env()?, output)?,
        false => EnvDocument::default(),
    };
    let variables = {
        let process = process_variable(output.host);
        let lookup = Variables {
            env: &env,
            process: &process,
        };
        environment::credentials(&secrets, &lookup, only)
    };
    let variables = variables.map_err(|problems| all_of(&problems, "sent"))?;
    variables.into_iter().map(item).collect()
}

fn item(variable: Variable) -> Result<Item, Failure> {
    let Origin::Credential(path) = variable.origin else {
        return Err(Failure::refused("a variable of .env is no credential"));
    };
    let key: VariableName = variable
        .name
        .parse()
        .map_err(|error| Failure::refused(format!("{path} has no name on the server: {error}; nothing was sent")))?;
    Ok(Item {
        path,
        key,
        value: variable.value,
    })
}

fn sent(plan: &Plan) -> usize {
    plan.changes.iter().filter(|change| **change != Change::Same).count()
}

/// The plan for people: a line for each credential, and what is on the server besides.
fn lines(items: &[Item], plan: &Plan) -> Vec<String> {
    let widest = items.iter().map(|item| item.path.to_string().chars().count()).max().unwrap_or(0);
    let mut lines: Vec<String> = items
        .iter()
        .zip(&plan.changes)
        .map(|(item, change)| format!("{:<8} {:<widest$} -> {}", change.as_str(), item.path.to_string(), item.key))
        .collect();
    if !plan.only_there.is_empty() {
        lines.push(format!("only there, and left as it is: {}", plan.only_there.join(", ")));
    }
    lines
}

fn report(link: &Link, items: &[Item], plan: &Plan, sent: usize, output: &mut Output<'_>) -> Outcome {
    if output.json {
        let rows = items.iter().zip(&plan.changes).map(|(item, change)| Row {
            path: item.path.to_string(),
            key: item.key.as_str(),
            change: change.as_str(),
        });
        return output.json(&Report {
            remote: link.remote.name.as_str(),
            changes: rows.collect(),
            only_there: &plan.only_there,
            sent,
        });
    }
    let rows = items.iter().zip(&plan.changes).map(|(item, change)| {
        let change = change.as_str().to_owned();
        vec![change, item.path.to_string(), item.key.to_string()]
    });
    let there = plan
        .only_there
        .iter()
        .map(|key| vec!["only there".to_owned(), String::new(), key.clone()]);
    output.table(&["CHANGE", "PATH", "KEY"], &rows.chain(there).collect::<Vec<_>>())
}

fn hinted(failure: Failure) -> Failure {
    match failure.code {
        "env_value_reference" | "env_value_unspellable" => failure
            .hint("name the PATHs that can be sent; what no line of .env can hold can be kept in the .dlt/secrets.toml of the server"),
        "remote_plan_outdated" => failure.hint("nothing was sent; run it again to see what would change now"),
        "remote_encrypted" => failure.hint("nothing was sent; set it on the server with its own `dango env set`"),
        _ => failure,
    }
}
