//! `dango source add`: a source with its credentials, written only when everything is known.

use clap::Args;
use dango_audit::{Detail, Event, Word};
use dango_check::Outcome as Verdict;
use dango_core::{SecretValue, SourceName, SourceType};
use dango_secrets::References;
use dango_secrets::document::NewValue;
use dango_sources::{CredentialState, NewSource, Presence, SourcesFile, TypeSpec, credential_state};
use dango_vault::Protection;
use serde::Serialize;

use super::fields::{FieldOptions, Plan};
use super::{Sources, edit_file, parse_name, types, wizard};
use crate::Outcome;
use crate::arguments::Global;
use crate::checking::check_planned;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::protection::ProtectionOptions;
use crate::recorded::{self as record, all_done, credential, recorded};

#[derive(Args, Debug)]
pub(crate) struct AddArguments {
    /// The source type; `dango source types` lists them
    #[arg(value_name = "TYPE")]
    source_type: Option<String>,
    /// The source's name [default: the one that dlt finds by itself]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Ask the provider first, and write nothing where it refuses the credentials
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    protection: ProtectionOptions,
    #[command(flatten)]
    fields: FieldOptions,
}

/// A source that is ready to be written.
pub(crate) struct Ready {
    pub(crate) spec: &'static TypeSpec,
    pub(crate) name: SourceName,
    pub(crate) plan: Plan,
    pub(crate) protection: Protection,
}

impl Ready {
    /// Its entry in `sources.yml`.
    fn source(&self) -> Result<NewSource, Failure> {
        let source_type: Result<SourceType, _> = self.spec.name.parse();
        Ok(NewSource {
            name: self.name.clone(),
            source_type: source_type.map_err(|error| Failure::caused_by(&error))?,
            fields: self.plan.settings.clone(),
            sync: self.plan.sync.clone(),
        })
    }

    /// Asks whether the credentials are taken, before anything is written.
    pub(crate) fn check(&self, opened: &Opened, output: &mut Output<'_>) -> Result<Verdict, Failure> {
        let instead = self.plan.credentials.iter().filter_map(|(path, value)| {
            let text = match value {
                NewValue::String { text, .. } => text.clone(),
                NewValue::Integer(number) => SecretValue::new(number.to_string()).ok()?,
                NewValue::Boolean(flag) => SecretValue::new(flag.to_string()).ok()?,
                _ => return None,
            };
            Some((path.clone(), text))
        });
        let instead: Vec<_> = instead.collect();
        check_planned(&self.source()?, &instead, opened, output)
    }
}

#[derive(Serialize)]
struct Done {
    name: String,
    #[serde(rename = "type")]
    source_type: &'static str,
    action: &'static str,
    credentials: Vec<String>,
}

pub(crate) fn run(arguments: &AddArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let spec = arguments.source_type.as_deref().map(types::find).transpose()?;
    let name = arguments.name.as_deref().map(parse_name).transpose()?;
    let opened = Opened::find(global, output.host)?;
    if spec.is_none_or(|spec| spec.fields.iter().any(|field| field.secret)) {
        opened.require_key_for(arguments.protection.protection())?;
    }
    let by_hand = output.host.terminal.input && arguments.fields.is_empty();
    let ready = if by_hand {
        wizard::ask(spec, name, arguments.protection.protection(), &opened, global, output)?
    } else {
        from_options(arguments, spec, name, &Sources::read(&opened, output)?, output)?
    };
    if arguments.check && !by_hand {
        checked(&ready, &opened, output)?;
    }
    let mut drafts = vec![record::source(Event::SourceAdded, &ready.name).with(Detail::SourceType, Word::new(ready.spec.name))];
    drafts.extend(ready.plan.credentials.iter().map(|(path, _)| credential(Event::SecretSet, path)));
    let count = drafts.len();
    let change = |output: &mut Output<'_>| write(&opened, &ready, output);
    recorded(&opened, drafts, output, change, all_done(count))?;
    tell(&ready, output)
}

/// Lets nothing be written whose credentials are refused. That nobody could be asked keeps nobody from adding a source.
fn checked(ready: &Ready, opened: &Opened, output: &mut Output<'_>) -> Outcome {
    match ready.check(opened, output)? {
        Verdict::Accepted => output.say(format!("{}: the credentials are accepted", ready.name)),
        Verdict::Refused(refusal) => {
            return Err(Failure::refused(format!("{} is not added: {refusal}", ready.name)).with_code(refusal.code()));
        }
        verdict => output.warn(format!("{} was not checked: {verdict}", ready.name)),
    }
    Ok(())
}

fn from_options(
    arguments: &AddArguments,
    spec: Option<&'static TypeSpec>,
    name: Option<SourceName>,
    sources: &Sources,
    output: &mut Output<'_>,
) -> Result<Ready, Failure> {
    let Some(spec) = spec else {
        return Err(Failure::usage("missing: TYPE")
            .hint("`dango source types` lists the types; on a terminal `dango source add` asks for everything"));
    };
    let name = match name {
        Some(name) => name,
        None => parse_name(spec.default_name())?,
    };
    is_free(&name, &sources.file)?;
    let mut plan = Plan::from_options(&arguments.fields, Some(spec), &name, output)?;
    let state = state(spec, &name, &plan, sources, output);
    fill_defaults(&mut plan, &state)?;
    let missing = missing(spec, &state, &plan);
    if missing.is_empty() {
        return Ok(Ready {
            spec,
            name,
            plan,
            protection: arguments.protection.protection(),
        });
    }
    let mut failure = Failure::usage(format!("missing for {}: {}", spec.title, missing.join(", ")));
    for variant in spec.variants.iter().filter(|variant| !variant.needs.is_empty()) {
        failure = failure.hint(format!("{} needs: {}", variant.title, variant.needs.join(", ")));
    }
    Err(failure.hint("give what is secret with `--field FIELD` from standard input, the rest with `--set FIELD=VALUE`"))
}

/// Refuses a name that another source has.
pub(crate) fn is_free(name: &SourceName, file: &SourcesFile) -> Result<(), Failure> {
    match file.find(name) {
        None => Ok(()),
        Some(source) => Err(Failure::refused(format!(
            "there is already a source named {name}, on line {} of sources.yml",
            source.line()
        ))
        .hint("choose another with `--name NAME`, or change that one with `dango source edit`")),
    }
}

/// What the credentials of a source would lack if the plan were carried out.
pub(crate) fn state(spec: &'static TypeSpec, name: &SourceName, plan: &Plan, sources: &Sources, output: &Output<'_>) -> CredentialState {
    let stored = sources.presence(output);
    credential_state(spec, name, &|path| if plan.has(path) { Presence::Present } else { stored(path) })
}

/// dlt needs some defaults written; they are added to the plan.
pub(crate) fn fill_defaults(plan: &mut Plan, state: &CredentialState) -> Result<(), Failure> {
    for default in &state.defaults {
        let text = SecretValue::new(default.value.to_owned()).map_err(|error| Failure::caused_by(&error))?;
        plan.credentials.push((
            default.path.clone(),
            NewValue::String {
                text,
                references: References::Literal,
            },
        ));
    }
    Ok(())
}

/// The names of the required fields that nobody gave.
fn missing(spec: &TypeSpec, state: &CredentialState, plan: &Plan) -> Vec<&'static str> {
    let settings = spec.fields.iter().filter(|field| {
        let is_setting = field.place == dango_sources::Place::SourcesFile;
        is_setting
            && field.required
            && field.default.is_none()
            && spec.is_common(field)
            && !plan.settings.iter().any(|(name, _)| name == field.name)
    });
    let credentials = state.missing.iter().map(|missing| missing.field.name);
    credentials.chain(settings.map(|field| field.name)).collect()
}

/// Writes both files: first `sources.yml`, which holds no secret and can be put back if the credentials cannot be stored.
fn write(opened: &Opened, ready: &Ready, output: &mut Output<'_>) -> Outcome {
    let source = ready.source()?;
    edit_file(opened, output, |file| file.add(&source).map_err(|error| Failure::caused_by(&error)))?;
    if ready.plan.credentials.is_empty() {
        return Ok(());
    }
    match opened.vault().set_secrets(&ready.plan.credentials, ready.protection) {
        Ok(report) => {
            for left in report.left {
                output.warn(format!("{} stays plain: {}", left.path, left.reason));
            }
            Ok(())
        }
        Err(error) => {
            let failure = opened.vault_failure(&error);
            take_back(opened, &ready.name, output);
            Err(failure)
        }
    }
}

/// Takes the source out again whose credentials could not be stored.
fn take_back(opened: &Opened, name: &SourceName, output: &mut Output<'_>) {
    let removed = edit_file(opened, output, |file| file.remove(name).map_err(|error| Failure::caused_by(&error)));
    if removed.is_err() {
        output.warn(format!("{name} is in sources.yml, but its credentials are not stored"));
    }
}

fn tell(ready: &Ready, output: &mut Output<'_>) -> Outcome {
    let name = ready.name.to_string();
    if output.json {
        let credentials = ready.plan.credentials.iter().map(|(path, _)| path.to_string()).collect();
        return output.json(&Done {
            name,
            source_type: ready.spec.name,
            action: "created",
            credentials,
        });
    }
    output.say(format!("{name}: added ({})", ready.spec.title));
    if let (false, Some(module)) = (ready.spec.is_read_by_dlt(&ready.name), ready.spec.module) {
        output.hint(format!(
            "dlt's own source reads the section {module}; for this one call it as `….clone(section=\"{name}\")()` in the pipeline"
        ));
    }
    if ready.plan.sync.is_none() {
        output.hint(format!(
            "tell how it is loaded with `dango source edit {name} --set 'sync=python pipeline.py'`, then `dango sync {name}`"
        ));
    }
    Ok(())
}
