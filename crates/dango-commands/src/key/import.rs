//! `dango key import`: the key from a backup, put into a place of this machine; a key that is there is never replaced by another.

use std::path::PathBuf;

use clap::Args;
use dango_audit::{Detail, Event, Word};
use dango_core::SecretValue;
use dango_keyring::{HolderKind, WrappedKeys};
use dango_secrets::storage;
use dango_vault::Adopted;
use serde::Serialize;

use super::{HOLDERS, failure, open, values, with_id};
use crate::Outcome;
use crate::arguments::Global;
use crate::database::DatabaseArguments;
use crate::failure::Failure;
use crate::input::SecretInput;
use crate::key_access::with_hints;
use crate::output::Output;
use crate::recorded::{key, recorded};

#[derive(Args, Debug)]
pub(crate) struct ImportArguments {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the key is kept from now on [default: where it was kept before, else keyring]
    #[arg(long, value_name = "HOLDER", value_parser = HOLDERS)]
    holder: Option<String>,
    #[command(flatten)]
    input: SecretInput,
    #[command(flatten)]
    database: DatabaseArguments,
}

#[derive(Serialize)]
struct Done {
    action: &'static str,
    holder: &'static str,
    key_id: String,
}

pub(crate) fn run(arguments: &ImportArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = open(&arguments.database, global, output)?;
    let path = output.host.directory.join(&arguments.file);
    let contents = storage::read(&path).map_err(|error| Failure::caused_by(&error))?;
    let contents = contents.ok_or_else(|| Failure::refused(format!("there is no file {}", path.display())))?;
    let text = SecretValue::from_utf8(std::mem::take(&mut *contents.into_bytes()))
        .map_err(|error| Failure::refused(format!("{}: {error}", path.display())))?;
    let wrapped: WrappedKeys = text.expose().parse().map_err(|error: dango_keyring::ParseWrappedError| {
        Failure::refused(format!("{} is no backup of a key: {error}", path.display())).hint("`dango key export FILE` writes one")
    })?;
    let passphrase = arguments.input.read("passphrase of the backup", output)?;
    let keys = wrapped
        .unwrap(&passphrase)
        .map_err(|error| with_hints(Failure::caused_by(&error), error.code()))?;
    let named = arguments.holder.as_deref().and_then(HolderKind::parse);
    let before = opened.place.chosen().map_err(|error| crate::key_access::holder_failure(&error))?;
    let kind = named.or(before).unwrap_or(HolderKind::Keyring);
    // Kept under a passphrase here, too, it is the same one: nobody is asked for two.
    let opened = opened.with_passphrase(passphrase, output.host)?;
    let draft = key(Event::KeyImported).with(Detail::Holder, Word::new(kind.as_str()));
    let adopt = |_: &mut Output<'_>| opened.place.adopt(&keys, kind).map_err(|error| failure(&opened, error));
    let adopted = recorded(&opened, vec![draft], output, adopt, |_| vec![with_id(keys.active_id())])?;
    let key_id = keys.active_id().to_string();
    if output.json {
        return output.json(&Done {
            action: match adopted {
                Adopted::Stored => "imported",
                Adopted::Moved { .. } => "moved",
                Adopted::Unchanged => "unchanged",
            },
            holder: kind.as_str(),
            key_id,
        });
    }
    output.say(match adopted {
        Adopted::Stored => format!("the key {key_id} is restored; holder: {kind}"),
        Adopted::Moved { from } => format!("the key {key_id} was moved from {from} to {kind}"),
        Adopted::Unchanged => format!("the key {key_id} is there already; holder: {kind}"),
    });
    let status = opened.place.status().map_err(|error| opened.vault_failure(&error))?;
    for (id, count) in status.unknown {
        output.warn(format!("the key {id}, needed by {}, is not in this backup", values(count)));
    }
    Ok(())
}
