//! `dango key create`: makes the project's key and puts it where it was asked for; there is never another place instead.

use clap::Args;
use dango_audit::{Detail, Event, Word};
use dango_keyring::{HolderKind, KeyId};
use dango_vault::{AdoptError, LostKey};
use serde::Serialize;

use super::passphrase::{self, Variable};
use super::{HOLDERS, failure, kind, open, with_id};
use crate::Outcome;
use crate::arguments::Global;
use crate::database::DatabaseArguments;
use crate::failure::Failure;
use crate::input::SecretInput;
use crate::opened::Opened;
use crate::output::Output;
use crate::prompt;
use crate::recorded::{key, recorded};

#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    /// Where the key is kept [default: keyring]
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

pub(crate) fn run(arguments: &CreateArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let kind = kind(arguments.holder.as_deref());
    let mut opened = open(&arguments.database, global, output)?;
    opened.place.refuse_second(kind).map_err(|error| refused(&opened, error))?;
    if kind == HolderKind::Passphrase {
        let passphrase = passphrase::choose("passphrase for the encryption key", &arguments.input, Variable::Taken, output)?;
        opened = opened.with_passphrase(passphrase, output.host)?;
    }
    let change = |output: &mut Output<'_>| create(&opened, kind, global, output);
    let draft = key(Event::KeyCreated).with(Detail::Holder, Word::new(kind.as_str()));
    let id = recorded(&opened, vec![draft], output, change, |id| vec![with_id(*id)])?;
    if output.json {
        return output.json(&Done {
            action: "created",
            holder: kind.as_str(),
            key_id: id.to_string(),
        });
    }
    output.say(format!("the encryption key {id} was made; {}", place(kind)));
    output.hint("make a backup with `dango key export FILE`: without the key nothing that it encrypts can be read again");
    output.hint("`dango secrets encrypt --all` encrypts what is stored");
    Ok(())
}

fn create(opened: &Opened, kind: HolderKind, global: &Global, output: &mut Output<'_>) -> Result<KeyId, Failure> {
    let clock = std::sync::Arc::clone(&output.host.clock);
    let mut created = opened.place.create(kind, LostKey::Refuse, clock.as_ref());
    if let Err(error @ AdoptError::Lost { .. }) = created {
        if !global.yes && !output.host.terminal.input {
            return Err(failure(opened, error));
        }
        prompt::confirm(&format!("{error}: make one all the same?"), global.yes, output)?;
        created = opened.place.create(kind, LostKey::Accept, clock.as_ref());
    }
    created.map_err(|error| refused(opened, error))
}

fn place(kind: HolderKind) -> &'static str {
    match kind {
        HolderKind::Keyring => "the keyring of this system holds it",
        HolderKind::Passphrase => "it is under the passphrase in .dango/wrapped-keys",
        _ => "it is in .dango/key, and whoever can read that file can use it",
    }
}

/// Where the keyring cannot be used, all places are named.
fn refused(opened: &Opened, error: AdoptError) -> Failure {
    if !matches!(&error, AdoptError::Holder(error) if error.code().starts_with("keyring-")) {
        return failure(opened, error);
    }
    Failure::caused_by(&error)
        .hint("keyring: start or unlock one that speaks Secret Service (GNOME Keyring, KWallet, KeePassXC), then do it again")
        .hint("passphrase: `dango key create --holder passphrase` keeps the key in the project under a passphrase")
        .hint("DANGO_KEY: give 32 bytes, as `openssl rand -hex 32` prints them, in that variable or in a file that DANGO_KEY_FILE names")
        .hint("file: `dango key create --holder file` keeps the key in .dango/key, where whoever can read it can use it")
}
