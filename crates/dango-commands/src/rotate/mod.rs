//! `dango rotate`: a source's credential replaced by a new one, step by step; what a step is, is `dango-rotation`'s.

pub(crate) mod ages;
mod copies;
mod list;
mod procedure;
mod provider;
mod record;
mod taking;

use std::time::Duration;

use clap::Args;
use dango_rotation::{LocateError, Purpose, Rotation, RotationError};
use dango_secrets::storage::WriteError;
use dango_vault::{RotationLease, VaultError};

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::input::SecretInput;
use crate::opened::Opened;
use crate::output::Output;
use crate::source::{Sources, parse_name};
pub(crate) use copies::copies_of;
pub(crate) use procedure::{Asked, Procedure, Stop};
pub(crate) use taking::{ReadFiles, locate_named, reader_of, spelled};

#[derive(Args, Debug)]
pub(crate) struct RotateArguments {
    /// The source; with --list, the only one that is shown
    #[arg(value_name = "SOURCE", required_unless_present = "list")]
    source: Option<String>,
    /// The credential that is replaced, as in sources.stripe.api_key, or a variable of .env [default: the source's only secret]
    #[arg(value_name = "PATH", conflicts_with_all = ["field", "list"])]
    path: Option<String>,
    /// Show how old each source's credentials are and which are due, and exit with 3 if any is
    #[arg(long, conflicts_with_all = ["field", "set", "finish", "abort", "copies", "no_check"])]
    list: bool,
    /// The secret field that is replaced; of several, each takes one line of what is read, in this order
    #[arg(long = "field", value_name = "FIELD")]
    field: Vec<String>,
    /// The new value of a field that is no secret and changes with it, such as a user name or a key's id
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// Replace the same value wherever else it is stored, too
    #[arg(long)]
    copies: bool,
    /// Ask no provider whether it takes the new value; the old one is kept until --finish
    #[arg(long)]
    no_check: bool,
    /// End a rotation: the new value is good, and the old one is forgotten
    #[arg(long, conflicts_with = "abort")]
    finish: bool,
    /// Give a rotation up: the old value is put back
    #[arg(long)]
    abort: bool,
    #[command(flatten)]
    input: SecretInput,
}

pub(crate) fn run(arguments: &RotateArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let name = arguments.source.as_deref().map(parse_name).transpose()?;
    let opened = Opened::find(global, output.host)?;
    let sources = Sources::read(&opened, output)?;
    let name = match (name, arguments.list) {
        (name, true) => return list::run(name.as_ref(), &opened, &sources, output),
        (Some(name), false) => name,
        (None, false) => return Err(Failure::usage("SOURCE is missing")),
    };
    let source = sources.find(&name)?.clone();
    let _lease = lease(name.as_str(), &opened)?;
    let under_way = load(name.as_str(), &opened)?;
    if under_way
        .as_ref()
        .is_some_and(|rotation| rotation.note().purpose == Purpose::Exposure)
    {
        return Err(Failure::refused(format!("{name} is being dealt with as exposed"))
            .hint("`dango exposed PATH` goes on with that")
            .with_code("exposure-under-way"));
    }
    let asked = Asked {
        check: !arguments.no_check && !arguments.finish,
        settle: arguments.finish,
        yes: global.yes,
    };
    let mut procedure = Procedure::new(&opened, Some(&source), asked);
    match (under_way, arguments.abort) {
        (Some(rotation), true) => procedure.abort(rotation, output),
        (None, true) => Err(nothing_under_way(name.as_str())),
        (Some(rotation), false) => {
            if !arguments.field.is_empty() || !arguments.set.is_empty() || arguments.path.is_some() || arguments.input.is_given() {
                return Err(
                    Failure::refused(format!("a rotation of {name} is under way, with a new value that was given before"))
                        .hint(format!(
                            "`dango rotate {name}` goes on with it, `dango rotate {name} --abort` gives it up"
                        ))
                        .with_code("rotation-under-way"),
                );
            }
            output.say(format!(
                "{name}: going on with the rotation that was begun at {}, with the new value that was given then",
                rotation.note().began
            ));
            procedure.go_on(rotation, output)
        }
        (None, false) if arguments.finish && !arguments.no_check => Err(nothing_under_way(name.as_str())),
        (None, false) => {
            let taken = taking::take(arguments, &source, &sources, &opened, output)?;
            let rotation = procedure.begin(name.to_string(), Purpose::Rotation, taken, output)?;
            procedure.go_on(rotation, output)
        }
    }
}

/// Nobody else exchanges values under this name while it is held.
pub(crate) fn lease(name: &str, opened: &Opened) -> Result<RotationLease, Failure> {
    opened.vault().lease_rotation(name, Duration::ZERO).map_err(|error| match error {
        VaultError::Write(WriteError::Locked { holder, .. }) => {
            let holder = holder.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
            Failure::refused(format!("another dango process{holder} is replacing the credentials of {name}")).with_code("rotation-locked")
        }
        error => opened.vault_failure(&error),
    })
}

/// What was begun under a name and has not ended.
pub(crate) fn load(name: &str, opened: &Opened) -> Result<Option<Rotation>, Failure> {
    Rotation::load(&opened.vault(), name).map_err(|error| failure(&error, opened))
}

fn nothing_under_way(name: &str) -> Failure {
    Failure::refused(format!("no rotation of {name} is under way"))
        .hint(format!("`dango rotate {name}` begins one"))
        .with_code("no-rotation")
}

/// A step that was not made, for a person.
pub(crate) fn failure(error: &RotationError, opened: &Opened) -> Failure {
    match error {
        RotationError::Vault(error) => opened.vault_failure(error),
        error => Failure::caused_by(error)
            .with_code(error.code())
            .hint("the values in the files are as they are; move .dango/rotations away to begin anew"),
    }
}

/// A credential that cannot be exchanged, for a person.
pub(crate) fn locate_failure(error: &LocateError) -> Failure {
    let failure = Failure::caused_by(error);
    match error {
        LocateError::Missing { path } => failure.hint(format!("`dango secrets set {path}` stores one")),
        LocateError::InEnvironment { .. } => failure.hint("change it where it is set, or run dango without it"),
        LocateError::SeveralVariables { names, .. } => failure.hint(format!(
            "name the one that is replaced in the place of the PATH: {}",
            names.join(", ")
        )),
        LocateError::Unset { name } => failure.hint(format!("`dango env set {name}` stores one")),
        LocateError::NotSingle { .. } => failure.hint("replace it with `dango secrets set PATH --type json`"),
        _ => failure,
    }
}
