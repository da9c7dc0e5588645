//! `dango key export`: a backup of the key under a passphrase of its own, in a file that is 0600 from its creation.

use std::path::PathBuf;

use clap::Args;
use dango_audit::Event;
use dango_keyring::WrappedKeys;
use dango_secrets::storage::{self, Edit};
use serde::Serialize;
use zeroize::Zeroizing;

use super::passphrase::{self, Variable};
use super::{open, with_id};
use crate::Outcome;
use crate::arguments::Global;
use crate::database::DatabaseArguments;
use crate::failure::Failure;
use crate::input::SecretInput;
use crate::key_access::{holder_failure, with_hints};
use crate::opened::failure_of_update;
use crate::output::Output;
use crate::prompt;
use crate::recorded::{key, recorded};

#[derive(Args, Debug)]
pub(crate) struct ExportArguments {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    input: SecretInput,
    #[command(flatten)]
    database: DatabaseArguments,
}

#[derive(Serialize)]
struct Done {
    action: &'static str,
    file: String,
    key_id: String,
}

pub(crate) fn run(arguments: &ExportArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = open(&arguments.database, global, output)?;
    let path = output.host.directory.join(&arguments.file);
    let there = storage::read(&path).map_err(|error| Failure::caused_by(&error))?;
    if there.is_some() {
        prompt::confirm(
            &format!("replace {}, which may be the only backup of a key?", path.display()),
            global.yes,
            output,
        )?;
    }
    let keys = opened.place.load().map_err(|error| holder_failure(&error))?;
    opened.warn_of_ignored_key(output);
    let passphrase = passphrase::choose("passphrase for the backup", &arguments.input, Variable::LeftAlone, output)?;
    let wrapped = WrappedKeys::wrap(&keys, &passphrase, output.host.entropy.as_ref());
    let text = wrapped
        .map_err(|error| with_hints(Failure::caused_by(&error), error.code()))?
        .to_string();
    let id = keys.active_id();
    let write = |output: &mut Output<'_>| {
        let written = storage::update(&path, output.host.entropy.as_ref(), |_| {
            Ok(Edit::Replace(Zeroizing::new(text.clone().into_bytes()), ()))
        });
        written.map_err(failure_of_update)
    };
    recorded(&opened, vec![key(Event::KeyExported)], output, write, |()| vec![with_id(id)])?;
    let key_id = keys.active_id().to_string();
    if output.json {
        return output.json(&Done {
            action: "exported",
            file: path.display().to_string(),
            key_id,
        });
    }
    output.say(format!("the key {key_id} is in {}, under the passphrase", path.display()));
    output.hint("keep it away from the project: who has both and the passphrase can read every value");
    Ok(())
}
