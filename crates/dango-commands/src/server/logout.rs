//! `dango logout`: this machine's API key ends on the server, and is forgotten here with what was kept of the server's answers.

use clap::Args;
use dango_client::{Method, ServerUrl};
use serde::Serialize;

use super::answers::Nothing;
use super::kept_key::{self, Closed, Found, Maker};
use super::offline::OfflineCopy;
use super::{client, failures, login, outbound};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct LogoutArguments {
    /// The server [default: that of --server]
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Forget the key here although it cannot be ended on the server
    #[arg(long)]
    forget: bool,
    /// End the key on the server although it was made elsewhere, for everybody who uses it
    #[arg(long)]
    end: bool,
}

#[derive(Serialize)]
struct Done<'a> {
    server: &'a str,
    ended_on_server: bool,
}

pub(crate) fn log_out(arguments: &LogoutArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let url = login::url_of(arguments.url.as_deref(), global)?;
    let Some(found) = kept_key::stored(&url, Closed::Fails, output)? else {
        return Err(Failure::refused(format!("no API key for {url} is kept on this machine")));
    };
    let is_others = found.maker == Maker::Others && !arguments.end;
    let ended_on_server = match is_others {
        true => false,
        false => end(&url, &found, arguments, global)?,
    };
    // Each step is tried, whatever became of the one before.
    let steps = [OfflineCopy::forget_all(&url, output.host), kept_key::forget(&url, output.host)];
    let left = steps.into_iter().filter_map(Result::err).reduce(Failure::also);
    if output.json {
        output.json(&Done {
            server: url.as_str(),
            ended_on_server,
        })?;
    } else if ended_on_server {
        output.say(format!("logged out of {url}; the key has ended there"));
    } else if is_others {
        output.say(format!(
            "the key for {url} was made elsewhere: it was forgotten here, and is still good; `dango logout --end` would have ended it"
        ));
    } else {
        output.warn(format!("the key for {url} was forgotten here; end it there, under Account"));
    }
    left.map_or(Ok(()), Err)
}

/// Ends the key on the server; false where that could not be done and need not be.
fn end(url: &ServerUrl, found: &Found, arguments: &LogoutArguments, global: &Global) -> Result<bool, Failure> {
    let mut client = client(url.clone(), global)?;
    client.use_key(&found.key).map_err(|error| failures::call(error, url))?;
    match client.call(outbound(Method::Delete, "/api/auth/api-key", None::<&Nothing>)?) {
        Ok(Ok(_)) => Ok(true),
        // It had ended already.
        Ok(Err(problem)) if problem.status == 401 => Ok(true),
        Ok(Err(problem)) if !arguments.forget => Err(failures::problem(&problem, url)),
        Err(error) if !arguments.forget => Err(failures::call(error, url)
            .hint("nothing was forgotten; `--forget` forgets the key here, and it goes on working on the server until it is ended there")),
        _ => Ok(false),
    }
}
