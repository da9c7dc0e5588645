//! The questions of `dango source add` on a terminal; nothing is written before the last one is answered.

use dango_check::{Outcome as Verdict, has_check};
use dango_core::SourceName;
use dango_sources::{FieldSpec, Presence, SyncCommand, TypeSpec, Variant, catalogue};
use dango_vault::{Protection, secrets_habit};

use super::add::{Ready, fill_defaults, is_free, state};
use super::fields::{Plan, parse_sync};
use super::{Sources, parse_name};
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::prompt;

pub(crate) fn ask(
    spec: Option<&'static TypeSpec>,
    name: Option<SourceName>,
    protection: Protection,
    opened: &Opened,
    global: &Global,
    output: &mut Output<'_>,
) -> Result<Ready, Failure> {
    let sources = &Sources::read(opened, output)?;
    let spec = match spec {
        Some(spec) => spec,
        None => pick_type()?,
    };
    let name = match name {
        Some(name) => {
            is_free(&name, &sources.file)?;
            name
        }
        None => ask_name(spec, sources, output)?,
    };
    if let Some(url) = spec.credentials_url {
        output.say(format!("credentials for {} are made at {url}", spec.title));
    }
    let variant = pick_variant(spec)?;
    let mut plan = Plan::default();
    for field in spec.fields_of(variant) {
        ask_field(field, spec, variant, &name, &mut plan, sources, output)?;
    }
    plan.sync = ask_sync(output)?;
    let state = state(spec, &name, &plan, sources, output);
    fill_defaults(&mut plan, &state)?;
    let missing: Vec<&str> = state.missing.iter().map(|missing| missing.field.name).collect();
    let protection = ask_protection(protection, &plan, opened, output)?;
    let ready = Ready {
        spec,
        name,
        plan,
        protection,
    };
    summarise(&ready, &missing, output);
    if missing.is_empty() {
        check(&ready, opened, output)?;
    }
    prompt::confirm("Write this?", global.yes, output)?;
    Ok(ready)
}

/// Asks the provider, where that is wanted; whatever it says, the user decides.
fn check(ready: &Ready, opened: &Opened, output: &mut Output<'_>) -> Result<(), Failure> {
    let question = format!("Ask {} now whether it takes these credentials?", ready.spec.title);
    if !has_check(ready.spec) || !prompt::decide(&question, true, output)? {
        return Ok(());
    }
    match ready.check(opened, output)? {
        Verdict::Accepted => output.say("the credentials are accepted"),
        verdict @ Verdict::Refused(_) => output.warn(verdict),
        verdict => output.warn(format!("not known: {verdict}")),
    }
    Ok(())
}

/// Asks whether to encrypt, if that was not said, there is a key, and the file's habit does not say so anyway.
fn ask_protection(said: Protection, plan: &Plan, opened: &Opened, output: &mut Output<'_>) -> Result<Protection, Failure> {
    let is_open = said == Protection::Habit && !plan.credentials.is_empty() && opened.place.is_chosen();
    if !is_open || secrets_habit(&opened.secrets(output)?) {
        return Ok(said);
    }
    let encrypt = prompt::decide("Encrypt its credentials?", true, output)?;
    Ok(if encrypt { Protection::Encrypt } else { Protection::Plain })
}

fn pick_type() -> Result<&'static TypeSpec, Failure> {
    let types = catalogue().types();
    let labels = types
        .iter()
        .map(|spec| format!("{} ({}) - {}", spec.title, spec.name, spec.category.title()))
        .collect();
    let index = prompt::choice("What kind of source?", labels)?;
    types
        .get(index)
        .copied()
        .ok_or_else(|| Failure::refused("nothing was chosen; nothing was changed"))
}

fn ask_name(spec: &TypeSpec, sources: &Sources, output: &mut Output<'_>) -> Result<SourceName, Failure> {
    let default = spec.default_name();
    let taken = |name: &str| name.parse().is_ok_and(|name| sources.file.find(&name).is_some());
    let mut suggestion = default.to_owned();
    let mut number = 1;
    while taken(&suggestion) {
        number += 1;
        suggestion = format!("{default}_{number}");
    }
    loop {
        let typed = prompt::text("Its name:", Some(&suggestion), Some("also its section in secrets.toml"))?;
        let checked = parse_name(typed.trim()).and_then(|name| is_free(&name, &sources.file).map(|()| name));
        match checked {
            Ok(name) => return Ok(name),
            Err(failure) => output.warn(failure.message),
        }
    }
}

fn pick_variant(spec: &'static TypeSpec) -> Result<Option<&'static Variant>, Failure> {
    match spec.variants {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        several => {
            let labels = several.iter().map(|variant| variant.title.to_owned()).collect();
            Ok(several.get(prompt::choice("How does it sign in?", labels)?))
        }
    }
}

fn ask_field(
    field: &'static FieldSpec,
    spec: &'static TypeSpec,
    variant: Option<&'static Variant>,
    name: &SourceName,
    plan: &mut Plan,
    sources: &Sources,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    if let Some(path) = spec.path(name, field) {
        let present = sources.presence(output)(&path) == Presence::Present;
        if present && prompt::decide(&format!("{path} is stored already; keep it?"), true, output)? {
            return Ok(());
        }
    }
    let required = match variant {
        Some(variant) if variant.names(field) => variant.needs.contains(&field.name),
        _ => field.required,
    };
    loop {
        let answer = if field.secret {
            ask_secret(field, spec, name, required, plan)?
        } else {
            ask_text(field, spec, name, required, plan)?
        };
        match answer {
            Answer::Taken => return Ok(()),
            Answer::Refused(reason) => output.warn(reason),
        }
    }
}

enum Answer {
    Taken,
    Refused(String),
}

fn ask_secret(field: &FieldSpec, spec: &TypeSpec, name: &SourceName, required: bool, plan: &mut Plan) -> Result<Answer, Failure> {
    // A connection that is made in the browser later needs its token then, not now.
    let later = spec.auth == dango_sources::AuthKind::Oauth;
    let typed = prompt::optional_secret(field.label, field.help, required && !later)?;
    Ok(match typed {
        None if required && !later => Answer::Refused(format!("{} is needed", field.label)),
        None => Answer::Taken,
        Some(secret) => match plan.put_secret(spec, name, field, &secret) {
            Ok(()) => Answer::Taken,
            Err(failure) => Answer::Refused(failure.message),
        },
    })
}

fn ask_text(field: &FieldSpec, spec: &TypeSpec, name: &SourceName, required: bool, plan: &mut Plan) -> Result<Answer, Failure> {
    let leave_out = if required { "" } else { ", Enter to leave out" };
    let label = format!("{} ({}{leave_out}):", field.label, field.help);
    let example = field.example.map(|example| format!("for example {example}"));
    let typed = prompt::text(&label, field.default.or((!required).then_some("")), example.as_deref())?;
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(if required {
            Answer::Refused(format!("{} is needed", field.label))
        } else {
            Answer::Taken
        });
    }
    Ok(match plan.put(spec, name, field, typed) {
        Ok(()) => Answer::Taken,
        Err(failure) => Answer::Refused(failure.message),
    })
}

fn ask_sync(output: &mut Output<'_>) -> Result<Option<SyncCommand>, Failure> {
    loop {
        let typed = prompt::text(
            "Command that loads it:",
            None,
            Some("as in `python pipeline.py`; Enter to leave out"),
        )?;
        if typed.trim().is_empty() {
            return Ok(None);
        }
        match parse_sync(&typed) {
            Ok(command) => return Ok(Some(command)),
            Err(failure) => output.warn(failure.message),
        }
    }
}

fn summarise(ready: &Ready, missing: &[&str], output: &mut Output<'_>) {
    output.say("");
    output.say(format!("{} ({}) as {}", ready.spec.title, ready.spec.name, ready.name));
    for (path, _) in &ready.plan.credentials {
        output.say(format!("  .dlt/secrets.toml   {path} = {}", crate::secrets::MASK));
    }
    for (field, _) in &ready.plan.settings {
        output.say(format!("  .dango/sources.yml  {field}"));
    }
    if ready.plan.sync.is_some() {
        output.say("  .dango/sources.yml  sync");
    }
    if !missing.is_empty() {
        output.say(format!("  still missing: {}", missing.join(", ")));
    }
}
