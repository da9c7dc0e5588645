//! `dango login`: an API key of this machine's own on a server, made under the password and the second factor of whoever logs in, which
//! are not kept; or a key that was made elsewhere, taken over.

use clap::Args;
use dango_client::{Answer, Client, Method, ServerUrl};
use dango_core::SecretValue;
use serde::Serialize;

use super::answers::{ApiKey, LoggedIn, Nothing, User};
use super::issue::NewKey;
use super::kept_key::{self, Found, Holder, Maker};
use super::offline::OfflineCopy;
use super::{READS, call, client, failures, outbound, parse_url};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;
use crate::prompt;

#[derive(Args, Debug)]
pub(crate) struct LoginArguments {
    /// The server, as in https://dango.example.com [default: that of --server]
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Who logs in
    #[arg(long, value_name = "EMAIL")]
    email: Option<String>,
    /// What the key may do: read values to run programs; set and remove them, too; administer users and read the audit log, too
    #[arg(long, value_name = "SCOPE", default_value = "edit", value_parser = ["run", "edit", "admin"])]
    scope: String,
    /// For how many days the key is good
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=365))]
    days: u16,
    /// What the key is called in lists [default: dango of USER]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where the key is kept on this machine
    #[arg(long, value_name = "HOLDER", default_value = "keyring", value_parser = ["keyring", "file"])]
    holder: String,
    /// Take over a key that was made elsewhere, from standard input
    #[arg(long, conflicts_with_all = ["email", "days", "name", "scope", "status"])]
    key_from_stdin: bool,
    /// Say who this machine is on the server, and change nothing
    #[arg(long, conflicts_with_all = ["email", "days", "name", "scope", "holder"])]
    status: bool,
}

/// Who logs in.
#[derive(Serialize)]
struct Password<'a> {
    email: &'a str,
    password: &'a str,
}

/// The second factor.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Code<'a> {
    Code(&'a str),
    RecoveryCode(&'a str),
}

/// Where in text it is told who this machine is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// As what was done.
    AsMessage,
    /// As what was asked for.
    AsData,
}

/// A key and its owner, as the server knows them.
struct Own {
    key: ApiKey,
    user: User,
}

/// What is said of a key that is kept.
#[derive(Serialize)]
struct Shown<'a> {
    server: &'a str,
    email: &'a str,
    role: &'a str,
    name: &'a str,
    key_prefix: &'a str,
    expires_at: Option<&'a str>,
    scopes: &'a [String],
    holder: &'static str,
}

pub(crate) fn log_in(arguments: &LoginArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let url = url_of(arguments.url.as_deref(), global)?;
    if arguments.status {
        let found = kept_key::load(&url, output)?;
        let own = look(&url, &found.key, global)?;
        return tell(&url, &own, found.holder, Told::AsData, output);
    }
    let holder = match arguments.holder.as_str() {
        "file" => Holder::File,
        _ => Holder::Keyring,
    };
    kept_key::check_place(&url, holder, output.host)?;
    let kept = kept_key::everywhere(&url, output)?;
    match (kept.closed, holder) {
        (None, _) => {}
        // With a file in its place, a keyring that cannot be opened keeps nobody from logging in.
        (Some(closed), Holder::File) => output.warn(format!(
            "the keyring could not be looked into for an earlier key: {}",
            closed.message
        )),
        (Some(closed), Holder::Keyring | Holder::Environment) => return Err(closed),
    }
    let (key, maker) = match arguments.key_from_stdin {
        true => (take_over(output)?, Maker::Others),
        false => (make(&url, arguments, global, output)?, Maker::ThisMachine),
    };
    // A key that does not work is not kept; one that cannot be kept is not left behind.
    let looked_at = look(&url, &key, global).and_then(|own| {
        kept_key::keep(&url, holder, (&key, maker), output)?;
        Ok(own)
    });
    let own = match looked_at {
        Ok(own) => own,
        Err(failure) if maker == Maker::ThisMachine => {
            return Err(match end(&url, &key, global) {
                Ok(()) => failure,
                Err(_) => failure.hint(format!("a key was made and may still be there; end it at {url}, under Account")),
            });
        }
        Err(failure) => return Err(failure),
    };
    for before in kept.found.iter().filter(|before| before.key.expose() != key.expose()) {
        replace(&url, before, global, output);
    }
    // What was given to another key is not for this one.
    if let Err(left) = OfflineCopy::forget_all(&url, output.host) {
        output.warn(format!("an offline copy could not be removed: {}", left.message));
    }
    if output.host.variable(kept_key::VARIABLE).is_some_and(|value| !value.is_empty()) {
        output.warn(format!(
            "{} is set, and is used in the place of the key that was kept",
            kept_key::VARIABLE
        ));
    }
    tell(&url, &own, holder, Told::AsMessage, output)
}

/// Ends a key that another has taken the place of, if it was this machine's own.
fn replace(url: &ServerUrl, before: &Found, global: &Global, output: &mut Output<'_>) {
    match before.maker {
        Maker::Others => output.say("the key before was made elsewhere and is still good; it was forgotten here alone"),
        Maker::ThisMachine => {
            if end(url, &before.key, global).is_err() {
                output.warn(format!("the key before could not be ended; end it at {url}, under Account"));
            }
        }
    }
}

/// The server that is meant: that of the argument, else the chosen one.
pub(super) fn url_of(argument: Option<&str>, global: &Global) -> Result<ServerUrl, Failure> {
    let text = argument.or(global.server.as_deref());
    let text = text.ok_or_else(|| Failure::usage("say which server is meant, as in `dango login https://dango.example.com`"))?;
    parse_url(text)
}

/// Ends a key of this machine's on the server.
fn end(url: &ServerUrl, key: &SecretValue, global: &Global) -> Result<(), Failure> {
    let mut client = client(url.clone(), global)?;
    client.use_key(key).map_err(|error| failures::call(error, url))?;
    let ended = client.call(outbound(Method::Delete, "/api/auth/api-key", None::<&Nothing>)?);
    match ended.map_err(|error| failures::call(error, url))? {
        Ok(_) => Ok(()),
        // It had ended already.
        Err(problem) if problem.status == 401 => Ok(()),
        Err(problem) => Err(failures::problem(&problem, url)),
    }
}

/// Asks whose key it is, and what it may do.
fn look(url: &ServerUrl, key: &SecretValue, global: &Global) -> Result<Own, Failure> {
    let mut client = client(url.clone(), global)?;
    client.use_key(key).map_err(|error| failures::call(error, url))?;
    let malformed = |error| failures::call(error, url);
    let key = call(&client, Method::Get, "/api/auth/api-key", None::<&Nothing>)?;
    let user = call(&client, Method::Get, "/api/auth/me", None::<&Nothing>)?;
    Ok(Own {
        key: key.json().map_err(malformed)?,
        user: user.json().map_err(malformed)?,
    })
}

fn tell(url: &ServerUrl, Own { key: own, user }: &Own, holder: Holder, told: Told, output: &mut Output<'_>) -> Outcome {
    if output.json {
        return output.json(&Shown {
            server: url.as_str(),
            email: &user.email,
            role: &user.role,
            name: &own.name,
            key_prefix: &own.key_prefix,
            expires_at: own.expires_at.as_deref(),
            scopes: &own.scopes,
            holder: holder.name(),
        });
    }
    let until = own
        .expires_at
        .as_deref()
        .map_or_else(|| "it has no end".to_owned(), |end| format!("good until {end}"));
    let scopes = match own.scopes.is_empty() {
        true => "all that need not be named".to_owned(),
        false => own.scopes.join(", "),
    };
    let lines = [
        format!(
            "{url}: {} ({}), key {} “{}”, {until}",
            user.email, user.role, own.key_prefix, own.name
        ),
        format!("it may: {scopes}; kept in: {}", holder.name()),
    ];
    for line in lines {
        match told {
            Told::AsMessage => output.say(line),
            Told::AsData => output.line(&line)?,
        }
    }
    Ok(())
}

/// Reads a key that was made elsewhere.
fn take_over(output: &mut Output<'_>) -> Result<SecretValue, Failure> {
    let text = match output.host.terminal.input {
        true => prompt::secret("API key")?,
        false => Lines::read(output)?.next("the API key")?,
    };
    SecretValue::new(text.expose().trim().to_owned()).map_err(|error| Failure::caused_by(&error))
}

/// Logs in, makes a key, and ends the session again.
fn make(url: &ServerUrl, arguments: &LoginArguments, global: &Global, output: &mut Output<'_>) -> Result<SecretValue, Failure> {
    let mut proofs = Proofs::of(output)?;
    let email = match &arguments.email {
        Some(email) => email.clone(),
        None if output.host.terminal.input => prompt::text("e-mail address", None, None)?,
        None => return Err(Failure::usage("--email is missing; the password comes from standard input")),
    };
    let mut client = client(url.clone(), global)?;
    let malformed = |error| failures::call(error, url);
    let password = proofs.password()?;
    let body = Password {
        email: &email,
        password: password.expose(),
    };
    let answer = call(&client, Method::Post, "/api/auth/login", Some(&body))?;
    drop(password);
    client.use_session(&answer).map_err(malformed)?;
    let made = in_session(&mut client, answer, arguments, &mut proofs, output);
    // The session was for this alone, whatever became of it; one that stays ends by itself.
    let _ = call(&client, Method::Post, "/api/auth/logout", None::<&Nothing>);
    made
}

/// Gives the second factor where it is due, and makes a key.
fn in_session(
    client: &mut Client,
    first: Answer,
    arguments: &LoginArguments,
    proofs: &mut Proofs,
    output: &Output<'_>,
) -> Result<SecretValue, Failure> {
    let url = client.server().clone();
    let malformed = |error| failures::call(error, &url);
    let mut logged_in: LoggedIn = first.json().map_err(malformed)?;
    if logged_in.requires_2fa {
        let code = proofs.code()?;
        let is_code = code.expose().chars().all(|c| c.is_ascii_digit() || c.is_whitespace());
        let body = match is_code {
            true => Code::Code(code.expose()),
            false => Code::RecoveryCode(code.expose()),
        };
        let answer = call(client, Method::Post, "/api/auth/2fa/verify", Some(&body))?;
        client.use_session(&answer).map_err(malformed)?;
        logged_in = answer.json().map_err(malformed)?;
    }
    match due(&logged_in, &url) {
        Some(failure) => Err(failure),
        None => wanted(arguments, output).issue(client),
    }
}

/// What has to be done in a browser first.
fn due(logged_in: &LoggedIn, url: &ServerUrl) -> Option<Failure> {
    let refused =
        |what: &str| Some(Failure::refused(format!("{url}: {what}")).hint(format!("log in at {url} in a browser, then here again")));
    if logged_in.must_change_password {
        return refused("a password of your own has to be chosen first");
    }
    if logged_in.requires_2fa_setup {
        return refused("a second factor has to be set up first");
    }
    None
}

/// The key that is to be made.
fn wanted(arguments: &LoginArguments, output: &Output<'_>) -> NewKey {
    NewKey {
        name: arguments.name.clone().unwrap_or_else(|| format!("dango of {}", output.host.user)),
        expires_in_days: arguments.days,
        scopes: match arguments.scope.as_str() {
            "run" => &[READS],
            "admin" => &[READS, "config.manage", "audit.view", "admin"],
            _ => &[READS, "config.manage"],
        },
    }
}

/// Where the password and the code come from: hidden prompts, or the lines of standard input.
enum Proofs {
    Prompts,
    Lines(Lines),
}

impl Proofs {
    fn of(output: &mut Output<'_>) -> Result<Self, Failure> {
        Ok(match output.host.terminal.input {
            true => Self::Prompts,
            false => Self::Lines(Lines::read(output)?),
        })
    }

    fn password(&mut self) -> Result<SecretValue, Failure> {
        match self {
            Self::Prompts => prompt::secret("password"),
            Self::Lines(lines) => lines.next("the password"),
        }
    }

    fn code(&mut self) -> Result<SecretValue, Failure> {
        match self {
            Self::Prompts => prompt::secret("code of the authenticator app, or a recovery code"),
            Self::Lines(lines) => lines.next("the code of the second factor, behind the password,"),
        }
    }
}

/// The lines of standard input, one secret each.
struct Lines {
    text: SecretValue,
    taken: usize,
}

impl Lines {
    fn read(output: &mut Output<'_>) -> Result<Self, Failure> {
        let text = crate::input::standard_input_text(output)?;
        Ok(Self { text, taken: 0 })
    }

    fn next(&mut self, what: &str) -> Result<SecretValue, Failure> {
        let line = self.text.expose().lines().nth(self.taken).filter(|line| !line.is_empty());
        let line = line.ok_or_else(|| Failure::refused(format!("{what} is missing on standard input")))?;
        self.taken += 1;
        SecretValue::new(line.to_owned()).map_err(|error| Failure::caused_by(&error))
    }
}
