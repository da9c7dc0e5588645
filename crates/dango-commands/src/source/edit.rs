//! `dango source edit`: fields of a source changed by options, or on a terminal one by one; `$VISUAL` or `$EDITOR` opens the file.

use std::ffi::OsString;
use std::process::Stdio;

use clap::Args;
use dango_audit::Event;
use dango_core::SourceName;
use dango_secrets::home::SharedFile;
use dango_sources::{ConfiguredSource, EditError, SourcesFile, SyncCommand, TypeSpec};
use dango_vault::Protection;
use serde::Serialize;

use super::fields::{FieldOptions, Plan, find};
use super::{Sources, edit_file, parse_name};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::house::House;
use crate::opened::Opened;
use crate::output::Output;
use crate::prompt;
use crate::recorded::{self as record, all_done, credential, recorded};
use crate::run::Program;

#[derive(Args, Debug)]
pub(crate) struct EditArguments {
    /// The source
    #[arg(value_name = "NAME")]
    name: String,
    /// Remove a field that is no secret from sources.yml
    #[arg(long, value_name = "FIELD")]
    unset: Vec<String>,
    #[command(flatten)]
    fields: FieldOptions,
}

#[derive(Serialize)]
struct Done {
    name: String,
    action: &'static str,
}

pub(crate) fn run(arguments: &EditArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let name = parse_name(&arguments.name)?;
    let opened = Opened::find(global, output.host)?;
    let sources = Sources::read(&opened, output)?;
    let source = sources.find(&name)?;
    let spec = source.spec();
    let plan = if !arguments.fields.is_empty() || !arguments.unset.is_empty() {
        Plan::from_options(&arguments.fields, spec, &name, output)?
    } else if output.host.terminal.input {
        match ask(source, spec, output)? {
            Some(plan) => plan,
            None => return edit_by_hand(&opened, &name, output),
        }
    } else {
        return Err(Failure::usage("nothing to change was given").hint("use `--set FIELD=VALUE`, `--field FIELD` or `--unset FIELD`"));
    };
    let mut drafts = vec![record::source(Event::SourceEdited, &name)];
    drafts.extend(plan.credentials.iter().map(|(path, _)| credential(Event::SecretSet, path)));
    let count = drafts.len();
    let change = |output: &mut Output<'_>| edit(&opened, &name, &plan, &arguments.unset, output);
    recorded(&opened, drafts, output, change, all_done(count))?;
    if output.json {
        return output.json(&Done {
            name: name.to_string(),
            action: "updated",
        });
    }
    output.say(format!("{name}: updated"));
    Ok(())
}

fn edit(opened: &Opened, name: &SourceName, plan: &Plan, unset: &[String], output: &mut Output<'_>) -> Result<(), Failure> {
    if !plan.settings.is_empty() || plan.sync.is_some() || !unset.is_empty() {
        edit_file(opened, output, |file| {
            let mut file = file.clone();
            let mut settings = plan.settings.clone();
            settings.extend(plan.sync.iter().map(|sync| ("sync".to_owned(), sync.to_value())));
            for (field, value) in &settings {
                file = reread(file.set_field(name, field, value))?;
            }
            for field in unset {
                file = reread(file.unset_field(name, field))?;
            }
            Ok(file.text().to_owned())
        })?;
    }
    if !plan.credentials.is_empty() {
        let report = opened.vault().set_secrets(&plan.credentials, Protection::Habit);
        report.map_err(|error| opened.vault_failure(&error))?;
    }
    Ok(())
}

/// Asks which field; `None` means the editor.
fn ask(source: &ConfiguredSource, spec: Option<&'static TypeSpec>, output: &mut Output<'_>) -> Result<Option<Plan>, Failure> {
    let Some(spec) = spec else { return Ok(None) };
    let mut labels: Vec<String> = spec
        .fields
        .iter()
        .map(|field| format!("{} ({})", field.label, field.name))
        .collect();
    labels.push("the command that loads it (sync)".to_owned());
    labels.push("open sources.yml in an editor".to_owned());
    let picked = prompt::choice("Change what?", labels)?;
    let mut plan = Plan::default();
    if let Some(field) = spec.fields.get(picked) {
        let field = find(spec, field.name)?;
        if field.secret {
            plan.put_secret(spec, source.name(), field, &prompt::secret(field.label)?)?;
        } else {
            let typed = prompt::text(&format!("{}:", field.label), None, Some(field.help))?;
            plan.put(spec, source.name(), field, typed.trim())?;
        }
    } else if picked == spec.fields.len() {
        plan.sync = Some(super::fields::parse_sync(&prompt::text("Command that loads it:", None, None)?)?);
    } else {
        output.say("opening sources.yml; secrets are not in it");
        return Ok(None);
    }
    Ok(Some(plan))
}

/// Lets the user edit `sources.yml`, and records it once the editor is closed and the file is another one.
///
/// An editor is open for as long as it is: an intent from before it would stay open where the terminal is closed meanwhile.
fn edit_by_hand(opened: &Opened, name: &SourceName, output: &mut Output<'_>) -> Outcome {
    // What could not be recorded afterwards is better not begun.
    House::of(opened.project.clone()).actions(output)?;
    let before = text(opened)?;
    let edited = open_editor(opened, output);
    if text(opened)? == before {
        return edited;
    }
    let draft = record::source(Event::SourceEdited, name);
    recorded(opened, vec![draft], output, |_| edited, all_done(1))
}

fn text(opened: &Opened) -> Result<Option<Vec<u8>>, Failure> {
    let contents = opened
        .project
        .read(SharedFile::Sources)
        .map_err(|error| Failure::caused_by(&error))?;
    Ok(contents.map(|contents| contents.bytes().to_vec()))
}

/// Opens `sources.yml`, which holds no secret, in the user's editor and checks what comes back.
fn open_editor(opened: &Opened, output: &mut Output<'_>) -> Outcome {
    let host = &output.host;
    let named = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|name| host.variable(name).filter(|editor| !editor.trim().is_empty()));
    // The variables are written as a `sync` command is; only the message must not call them one.
    let words = SyncCommand::from_text(named.unwrap_or("vi"))
        .words()
        .map_err(|error| Failure::refused(format!("the editor that VISUAL or EDITOR names {}", error.problem)))?;
    let mut words = words.into_iter().map(OsString::from);
    let Some(name) = words.next() else {
        return Err(Failure::refused("VISUAL and EDITOR name no editor"));
    };
    let arguments = words.chain([opened.project.sources_yml().into_os_string()]).collect();
    let program = Program {
        name,
        arguments,
        variables: Vec::new(),
        directory: None,
    };
    let status = program
        .start(Stdio::inherit, output)
        .and_then(|mut child| child.wait())
        .map_err(|error| program.not_started(&error, output).hint("name another in EDITOR"))?;
    if !status.success() {
        return Err(Failure::refused("the editor ended with an error; sources.yml is as it left it"));
    }
    Sources::read(opened, output).map(|_| ())
}

/// The file as it is after one of several edits.
fn reread(edited: Result<String, EditError>) -> Result<SourcesFile, Failure> {
    let text = edited.map_err(|error| Failure::caused_by(&error))?;
    SourcesFile::parse(&text).map_err(|error| Failure::caused_by(&error))
}
