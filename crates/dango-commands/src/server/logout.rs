//! `dango logout`: this machine's API key ends on the server, wherever it is kept, and is forgotten here with what was kept of the server's answers.

use clap::Args;
use dango_client::{Method, ServerUrl};
use serde::Serialize;

use super::answers::Nothing;
use super::kept_key::{self, Found, Maker};
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
    let kept = kept_key::everywhere(&url, output)?;
    if kept.found.is_empty() {
        let none = || Failure::refused(format!("no API key for {url} is kept on this machine"));
        return Err(kept.closed.unwrap_or_else(none));
    }
    let is_others = |found: &&Found| found.maker == Maker::Others && !arguments.end;
    let others = kept.found.iter().filter(is_others).count();
    let mut ended = 0;
    for found in kept.found.iter().filter(|found| !is_others(found)) {
        ended += usize::from(end(&url, found, arguments, global)?);
    }
    let alive = kept.found.len() - others - ended;
    // Each step is tried, whatever became of the one before.
    let steps = [OfflineCopy::forget_all(&url, output.host), kept_key::forget(&url, output.host)];
    let left = steps.into_iter().filter_map(Result::err).reduce(Failure::also);
    if output.json {
        output.json(&Done {
            server: url.as_str(),
            ended_on_server: ended == kept.found.len(),
        })?;
    } else {
        match ended {
            0 => {}
            1 => output.say(format!("logged out of {url}; the key has ended there")),
            _ => output.say(format!("logged out of {url}; the {ended} keys that were kept have ended there")),
        }
        if others > 0 {
            output.say(format!(
                "the key for {url} was made elsewhere: it was forgotten here, and is still good; `dango logout --end` would have ended it"
            ));
        }
        if alive > 0 {
            output.warn(format!("the key for {url} was forgotten here; end it there, under Account"));
        }
    }
    // A keyring that could not be looked into may hold a key that goes on working.
    left.or(kept.closed).map_or(Ok(()), Err)
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
