//! Servers asked, side by side, until all have answered or somebody wants it to end. What is asked is gathered beside.

use std::ffi::OsStr;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use dango_check::{Endpoint, Obstacle, Outcome as Verdict, Refusal, Surroundings, Trouble, check_each};
use dango_connections::Found;
use dango_core::{CredentialPath, SecretValue};
use dango_oauth::{CheckError, HttpClient, block_on};
use dango_secrets::storage;
use dango_sources::ConfiguredSource;

use super::gathering::{Gathered, gather};
use crate::failure::{Failure, Status};
use crate::oauth;
use crate::opened::Opened;
use crate::output::Output;
use crate::prompt;
use crate::signals::Interrupts;
use crate::source::Sources;

/// What came of one source. One that cannot be read keeps nobody from hearing of the others.
pub(crate) struct Asked {
    pub(crate) verdict: Result<Verdict, Failure>,
    /// Whether the answer holds for another process, too.
    pub(crate) holds: bool,
    /// The stored values that were sent or signed with: the answer is about these and no others.
    pub(crate) used: Vec<(CredentialPath, SecretValue)>,
}

impl Asked {
    /// What came of a source that nobody was asked about.
    pub(crate) fn nothing() -> Self {
        Self {
            verdict: Ok(Obstacle::NoCheck.into()),
            holds: false,
            used: Vec::new(),
        }
    }
}

/// Asks about sources, several at a time; the answers are in their order.
pub(crate) fn check_sources(
    asked: &[&ConfiguredSource],
    instead: &[(CredentialPath, SecretValue)],
    sources: &Sources,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<Vec<Asked>, Failure> {
    let mut answers: Vec<Asked> = Vec::new();
    let mut waiting: Vec<(usize, Gathered, Option<Endpoint>)> = Vec::new();
    for (place, source) in asked.iter().enumerate() {
        match prepare(source, instead, sources, opened, output) {
            Ok(Prepared::Answered(verdict)) => answers.push(Asked {
                verdict: Ok(verdict),
                holds: true,
                used: Vec::new(),
            }),
            Ok(Prepared::Waiting(gathered, endpoint)) => {
                let unasked = Ok(Obstacle::NoCheck.into());
                answers.push(Asked {
                    verdict: unasked,
                    holds: !gathered.of_process,
                    used: Vec::new(),
                });
                waiting.push((place, gathered, endpoint));
            }
            // Ctrl-C at the question for a passphrase.
            Err(failure) if matches!(failure.status, Status::Program(_)) => return Err(failure),
            Err(failure) => answers.push(Asked {
                verdict: Err(failure),
                holds: false,
                used: Vec::new(),
            }),
        }
    }
    if waiting.is_empty() {
        return Ok(answers);
    }
    let http = HttpClient::new();
    let (now, entropy) = (output.host.clock.now(), Arc::clone(&output.host.entropy));
    // Beside the project's files, as its pipelines find it.
    let read = |path: &str| {
        let contents = storage::read(&opened.project.root().join(path)).ok()??;
        Some(contents.bytes().to_vec())
    };
    let subjects: Vec<_> = waiting
        .iter()
        .map(|(_, gathered, endpoint)| {
            let surroundings = Surroundings {
                http: &http,
                instead: endpoint.as_ref(),
                now,
                entropy: entropy.as_ref(),
                read: &read,
            };
            (&gathered.subject, surroundings)
        })
        .collect();
    let verdicts = unless_interrupted(check_each(&subjects))?;
    for ((place, gathered, _), verdict) in waiting.iter().zip(verdicts) {
        answers[*place].verdict = Ok(verdict);
        answers[*place].used = gathered.used();
    }
    Ok(answers)
}

enum Prepared {
    Answered(Verdict),
    Waiting(Gathered, Option<Endpoint>),
}

fn prepare(
    source: &ConfiguredSource,
    instead: &[(CredentialPath, SecretValue)],
    sources: &Sources,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<Prepared, Failure> {
    let endpoint = stand_in(source, output)?;
    // What a connection gives is asked about as `dango oauth check` does: its token may have to be renewed first.
    let replaced = endpoint
        .as_ref()
        .is_some_and(|endpoint| endpoint.given_in().starts_with("DANGO_CHECK_"));
    if instead.is_empty()
        && !replaced
        && let Some(connection) = sources.connection(source.name(), output)
        // Where no provider serves it, what is stored is asked about as if somebody had typed it.
        && let Some(found) = oauth::check_connection(&connection, opened, output)?
    {
        return Ok(Prepared::Answered(verdict_of(found)));
    }
    let Some(spec) = source.spec() else {
        return Ok(Prepared::Answered(Obstacle::UnknownType.into()));
    };
    let gathered = gather(source, spec, instead, sources, opened, output)?;
    Ok(Prepared::Waiting(gathered, endpoint))
}

/// The address that stands in for the provider's, with a warning.
pub(crate) fn stand_in(source: &ConfiguredSource, output: &mut Output<'_>) -> Result<Option<Endpoint>, Failure> {
    let Some(spec) = source.spec() else { return Ok(None) };
    let found = Endpoint::from_environment(spec, |name| {
        let text = output.host.environment.get(OsStr::new(name))?;
        Some(text.to_string_lossy().into_owned())
    });
    let found = found.map_err(|error| Failure::refused(error.to_string()).with_code(error.code()))?;
    if let Some(endpoint) = &found {
        output.warn(format!(
            "{} is not asked at its own address: the environment has {}",
            spec.title,
            endpoint.given_in()
        ));
    }
    Ok(found)
}

const fn verdict_of(found: Found) -> Verdict {
    match found.error {
        None => Verdict::Accepted,
        Some(CheckError::Revoked) => Verdict::Refused(Refusal::WrongCredential),
        Some(CheckError::Expired) => Verdict::Refused(Refusal::Expired),
        Some(CheckError::ServerError) => Verdict::Unreachable(Trouble::ServerError),
        Some(CheckError::NetworkError) => Verdict::Unreachable(Trouble::NoConnection),
        Some(CheckError::MissingCredentials) => Verdict::Unchecked(Obstacle::Incomplete),
    }
}

/// Waits for answers on a runtime of its own, until Ctrl-C.
fn unless_interrupted<T>(answers: impl Future<Output = T>) -> Result<T, Failure> {
    let told = Arc::new(Mutex::new((false, None::<Waker>)));
    let teller = Arc::clone(&told);
    let _interrupts = Interrupts::start(move || {
        let mut told = teller.lock().unwrap_or_else(PoisonError::into_inner);
        told.0 = true;
        if let Some(waker) = told.1.take() {
            waker.wake();
        }
    })
    .map_err(|error| Failure::refused(format!("cannot take over signals: {error}")))?;
    let waited = block_on(async {
        let mut answers = pin!(answers);
        poll_fn(|context| {
            {
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                if told.0 {
                    return Poll::Ready(None);
                }
                told.1 = Some(context.waker().clone());
            }
            answers.as_mut().poll(context).map(Some)
        })
        .await
    });
    let waited = waited.map_err(|error| Failure::refused(format!("cannot wait for the network: {error}")))?;
    waited.ok_or_else(prompt::interrupted)
}
