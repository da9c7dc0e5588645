//! `dango auth` on a server's project: its users, over HTTP; what only the machine's own user may is not offered.

use dango_client::Method;
use serde_json::{Value, json};

use super::answers::User;
use super::{Server, is_plain};
use crate::Outcome;
use crate::arguments::Global;
use crate::auth::AuthCommand;
use crate::failure::Failure;
use crate::output::Output;
use crate::prompt;

/// What shows whether a change was made.
const LOOK: &str = "dango audit list";

/// Whether a command can be given from afar.
pub(super) const fn is_offered(command: &AuthCommand) -> bool {
    !matches!(
        command,
        AuthCommand::Enable | AuthCommand::Disable | AuthCommand::Status | AuthCommand::Recover(_) | AuthCommand::Import(_)
    )
}

pub(crate) fn run(command: AuthCommand, server: &Server, global: &Global, output: &mut Output<'_>) -> Outcome {
    match command {
        AuthCommand::ListUsers => list(server, output),
        AuthCommand::AddUser(arguments) if arguments.base_url.is_some() => Err(Failure::usage(
            "--base-url is for links that are made here; the server knows its own address (its --public-url)",
        )),
        AuthCommand::AddUser(arguments) => add(server, &arguments.email, &arguments.role, arguments.password, output),
        AuthCommand::ChangeRole(arguments) => {
            let path = path_of(server, &arguments.email, "/role")?;
            let user: Value = server.change(Method::Put, &path, &json!({"role": arguments.role}), LOOK)?;
            done(&format!("{} has the role {} now", arguments.email, arguments.role), &user, output)
        }
        AuthCommand::ResetPassword(arguments) => {
            let path = path_of(server, &arguments.email, "/reset-password")?;
            let answer: Value = server.change(Method::Post, &path, &json!({}), LOOK)?;
            let password = shown_once(&answer, "temp_password", server)?;
            credential(&answer, password, "this temporary password is not shown again:", output)
        }
        AuthCommand::ResetSecondFactor(arguments) => {
            simple(server, &arguments.email, "/reset-2fa", "has no second factor any more", output)
        }
        AuthCommand::DeactivateUser(arguments) => simple(server, &arguments.email, "/deactivate", "is deactivated", output),
        AuthCommand::ReactivateUser(arguments) => simple(server, &arguments.email, "/reactivate", "is active", output),
        AuthCommand::Unlock(arguments) => simple(server, &arguments.email, "/unlock", "is not locked any more", output),
        AuthCommand::DeleteUser(arguments) => {
            let path = path_of(server, &arguments.email, "")?;
            let question = format!("delete {} with their sessions, API keys and second factor?", arguments.email);
            prompt::confirm(&question, global.yes, output)?;
            let answer: Value = server.change(Method::Delete, &path, &json!({"confirm_email": arguments.email}), LOOK)?;
            done(
                &format!("deleted {}; what they did stays in the audit log", arguments.email),
                &answer,
                output,
            )
        }
        AuthCommand::Audit(arguments) => super::audit_list(&arguments, server, output),
        AuthCommand::Enable | AuthCommand::Disable | AuthCommand::Status | AuthCommand::Recover(_) | AuthCommand::Import(_) => {
            Err(Failure::refused("this can only be done at the machine's command line"))
        }
    }
}

fn users(server: &Server) -> Result<Vec<Value>, Failure> {
    server.read(Method::Get, "/api/admin/users", None::<&super::Nothing>)
}

fn user_of(value: &Value) -> Option<User> {
    serde_json::from_value(value.clone()).ok()
}

/// The path of what is done to a user, who is known here by the address.
fn path_of(server: &Server, email: &str, what: &str) -> Result<String, Failure> {
    let all = users(server)?;
    let found = all.iter().filter_map(user_of).find(|user| user.email.eq_ignore_ascii_case(email));
    // The server knows what an address means; here it is only compared.
    let found = found.ok_or_else(|| Failure::refused(format!("there is no user with this address at {}", server.url())))?;
    match is_plain(&found.id) {
        true => Ok(format!("/api/admin/users/{}{what}", found.id)),
        false => Err(super::failures::call(dango_client::CallError::Malformed, server.url())),
    }
}

fn list(server: &Server, output: &mut Output<'_>) -> Outcome {
    let all = users(server)?;
    if output.json {
        return output.json(&all);
    }
    let minute = |at: &str| at.get(..16).unwrap_or(at).replacen('T', " ", 1);
    let rows: Vec<Vec<String>> = all
        .iter()
        .filter_map(user_of)
        .map(|user| {
            let last = user.last_login.as_deref().map_or_else(|| "never".to_owned(), minute);
            vec![user.email, user.role, user.status.replace('_', " "), last, minute(&user.created_at)]
        })
        .collect();
    output.table(&crate::auth::HEADING, &rows)
}

fn add(server: &Server, email: &str, role: &str, password: bool, output: &mut Output<'_>) -> Outcome {
    let body = json!({"email": email, "role": role, "generate_password": password});
    let answer: Value = server.change(Method::Post, "/api/admin/users", &body, LOOK)?;
    let (member, about) = match password {
        true => (
            "temp_password",
            "this temporary password has to be changed at the first login, within 24 hours; it is not shown again:",
        ),
        false => (
            "invite_url",
            "they choose a password with this link within 72 hours; it is not shown again:",
        ),
    };
    let shown = shown_once(&answer, member, server)?;
    output.say(format!("added {email} with the role {role}"));
    credential(&answer, shown, about, output)
}

/// What an answer shows once. Without it the answer is none of a server of this kind, whatever was done there.
fn shown_once<'a>(answer: &'a Value, member: &str, server: &Server) -> Result<&'a str, Failure> {
    let shown = answer[member].as_str().filter(|text| !text.is_empty());
    shown.ok_or_else(|| super::failures::change(dango_client::CallError::Malformed, server.url(), LOOK))
}

/// Prints what is shown once.
fn credential(answer: &Value, shown: &str, about: &str, output: &mut Output<'_>) -> Outcome {
    if output.json {
        return output.json(answer);
    }
    output.say(about);
    output.line(shown)
}

fn simple(server: &Server, email: &str, what: &str, now: &str, output: &mut Output<'_>) -> Outcome {
    let answer: Value = server.change(Method::Post, &path_of(server, email, what)?, &json!({}), LOOK)?;
    done(&format!("{email} {now}"), &answer, output)
}

fn done(message: &str, answer: &Value, output: &mut Output<'_>) -> Outcome {
    if output.json {
        return output.json(answer);
    }
    output.say(message);
    Ok(())
}
