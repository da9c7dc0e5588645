//! An API key of this machine's own, made in the session of a login; one whose answer was lost is ended again, as nobody has it.

use dango_client::{Answer, CallError, Client, Method};
use dango_core::{SecretValue, Timestamp};
use serde::Serialize;

use super::answers::{ApiKey, Hidden, ListedKey, Nothing, OwnSession};
use super::{call, failures, is_plain, outbound};
use crate::failure::Failure;

/// The key that is to be made.
#[derive(Serialize)]
pub(super) struct NewKey {
    pub(super) name: String,
    pub(super) expires_in_days: u16,
    pub(super) scopes: &'static [&'static str],
}

impl NewKey {
    /// Makes the key.
    pub(super) fn issue(&self, client: &Client) -> Result<SecretValue, Failure> {
        let url = client.server();
        let issued = match client.call(outbound(Method::Post, "/api/auth/api-keys", Some(self))?) {
            Ok(Err(problem)) => return Err(failures::problem(&problem, url)),
            Ok(Ok(answer)) => key_of(&answer),
            Err(error) => Err(error),
        };
        issued.map_err(|error| {
            let failure = failures::call(error, url);
            match error.is_in_doubt() && !self.take_back(client).unwrap_or(false) {
                true => failure.hint(format!(
                    "whether a key was made is not known: look at {url}, under Account, for “{}”, and end it if it is there",
                    self.name
                )),
                false => failure,
            }
        })
    }

    /// Ends the key of which there was no answer, and says whether it did. It is the one of that name that was made since this session
    /// began and was never used. Of several, those of another login may still be used, so they stay.
    fn take_back(&self, client: &Client) -> Result<bool, Failure> {
        let malformed = || failures::call(CallError::Malformed, client.server());
        let read = |path| call(client, Method::Get, path, None::<&Nothing>);
        let sessions: Vec<OwnSession> = read("/api/auth/sessions")?.json().map_err(|_| malformed())?;
        let own = sessions.iter().find(|session| session.is_current).ok_or_else(malformed)?;
        let since: Timestamp = own.created_at.parse().map_err(|_| malformed())?;
        let keys: Vec<ListedKey> = read("/api/auth/api-keys")?.json().map_err(|_| malformed())?;
        let is_new = |key: &ListedKey| key.created_at.parse().is_ok_and(|made: Timestamp| made >= since);
        let mut unused = keys
            .iter()
            .filter(|key| key.name == self.name && key.last_used_at.is_none() && is_new(key));
        match (unused.next(), unused.next()) {
            (Some(key), None) if is_plain(&key.id) => {
                call(client, Method::Delete, &format!("/api/auth/api-keys/{}", key.id), None::<&Nothing>)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

fn key_of(answer: &Answer) -> Result<SecretValue, CallError> {
    let issued: ApiKey = answer.json()?;
    issued.key.and_then(Hidden::into_secret).ok_or(CallError::Malformed)
}
