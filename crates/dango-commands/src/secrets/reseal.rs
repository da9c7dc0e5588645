//! `dango secrets reseal`: accepts the encrypted values of `secrets.toml` as they are.

use dango_audit::Event;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::Global;
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::{all_done, file, recorded};

#[derive(Serialize)]
struct Done {
    action: &'static str,
    warning: Option<String>,
}

pub(crate) fn run(global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let document = opened.secrets(output)?;
    let vault = opened.vault();
    let before = vault.check_secrets(&document).map_err(|error| opened.vault_failure(&error))?;
    if before.is_some() {
        let change = |_: &mut Output<'_>| vault.reseal_secrets().map_err(|error| opened.vault_failure(&error));
        recorded(
            &opened,
            vec![file(Event::SecretsResealed, "secrets.toml")],
            output,
            change,
            all_done(1),
        )?;
    }
    tell(before.map(|warning| warning.to_string()), ".dlt/secrets.toml", output)
}

/// Says what was accepted.
pub(crate) fn tell(warning: Option<String>, file: &str, output: &mut Output<'_>) -> Outcome {
    let action = if warning.is_some() { "accepted" } else { "unchanged" };
    if output.json {
        return output.json(&Done { action, warning });
    }
    match warning {
        Some(warning) => output.say(format!("accepted as it is: {warning}")),
        None => output.say(format!("the seal of {file} holds; there was nothing to accept")),
    }
    Ok(())
}
