//! `dango logout`: this machine's API key ends on the server, and is forgotten here with what was kept of the server's answers.

use clap::Args;
use dango_client::Method;
use serde::Serialize;

use super::answers::Nothing;
use super::offline::OfflineCopy;
use super::{client, failures, kept_key, login, outbound};
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
}

#[derive(Serialize)]
struct Done<'a> {
    server: &'a str,
    ended_on_server: bool,
}

pub(crate) fn log_out(arguments: &LogoutArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let url = login::url_of(arguments.url.as_deref(), global)?;
    let Some(found) = kept_key::stored(&url, output)? else {
        return Err(Failure::refused(format!("no API key for {url} is kept on this machine")));
    };
    let mut client = client(url.clone(), global)?;
    client.use_key(&found.key).map_err(|error| failures::call(error, &url))?;
    let called = client.call(outbound(Method::Delete, "/api/auth/api-key", None::<&Nothing>)?);
    let ended_on_server = match called {
        Ok(Ok(_)) => true,
        // It had ended already.
        Ok(Err(problem)) if problem.status == 401 => true,
        Ok(Err(problem)) if !arguments.forget => return Err(failures::problem(&problem, &url)),
        Err(error) if !arguments.forget => {
            return Err(failures::call(error, &url).hint(
                "nothing was forgotten; `--forget` forgets the key here, and it goes on working on the server until it is ended there",
            ));
        }
        _ => false,
    };
    OfflineCopy::of(&url, &found.key, output.host)?.forget(output.host)?;
    kept_key::forget(&url, output.host)?;
    if output.json {
        return output.json(&Done {
            server: url.as_str(),
            ended_on_server,
        });
    }
    match ended_on_server {
        true => output.say(format!("logged out of {url}; the key has ended there")),
        false => output.warn(format!("the key for {url} was forgotten here; end it there, under Account")),
    }
    Ok(())
}
