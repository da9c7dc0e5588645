//! `dango auth status`: whether people can sign in, and how many there are.

use dango_actions::AuthStatus;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::Global;
use crate::house::{House, fault, wait};
use crate::output::Output;

#[derive(Serialize)]
struct Shown {
    enabled: bool,
    active_users: u64,
    admins: u64,
    editors: u64,
    viewers: u64,
    inactive: u64,
    locked: u64,
}

pub(super) fn run(global: &Global, output: &mut Output<'_>) -> Outcome {
    let house = House::find(global, output.host)?;
    let status = match house.readable(output)? {
        Some(actions) => {
            let permit = house.permit(&actions, output)?;
            wait(actions.status(&permit)).map_err(|error| fault(&error))?
        }
        None => AuthStatus::default(),
    };
    if output.json {
        return output.json(&Shown {
            enabled: status.enabled,
            active_users: status.active_users,
            admins: status.admins,
            editors: status.editors,
            viewers: status.viewers,
            inactive: status.inactive,
            locked: status.locked,
        });
    }
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let count = |name: &str, number: u64| row(name, number.to_string());
    let sign_in = if status.enabled { "enabled" } else { "disabled" };
    output.table(
        &["SIGN-IN", sign_in],
        &[
            count("active users", status.active_users),
            count("  admins", status.admins),
            count("  editors", status.editors),
            count("  viewers", status.viewers),
            count("inactive", status.inactive),
            count("locked", status.locked),
        ],
    )?;
    if status.admins == 0 {
        output.hint("there is no administrator: `dango auth add-user EMAIL --role admin` adds one");
    } else if !status.enabled {
        output.hint("`dango auth enable` lets people in again");
    }
    Ok(())
}
