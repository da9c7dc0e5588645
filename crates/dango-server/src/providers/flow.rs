//! What logins and connections have in common: a flow for the use cases to keep, and an answer that has to be to it.

use dango_actions::{BegunFlow, ProviderFailure, ProviderProblem};
use dango_core::Clock;
use dango_identity::{PlainToken, kind};
use dango_oauth::{Begun, CallbackAnswer, Context, FlowError, Redeemable};

use super::kept;

/// What the use cases keep of a flow, and where the browser goes.
pub(super) fn into_begun(begun: Begun) -> Result<BegunFlow, ProviderFailure> {
    let url = begun.authorization_url;
    let state = url.query().and_then(state_of_request);
    let state = state.ok_or_else(|| ProviderFailure::new(ProviderProblem::ExchangeFailed, "oauth_state_missing"))?;
    Ok(BegunFlow {
        state,
        url: url.into(),
        kept: kept::encode(begun.pending),
    })
}

/// The `state` of our own request, in which nothing is written as `%xx`.
fn state_of_request(query: &str) -> Option<PlainToken<kind::OauthState>> {
    let state = query.split('&').find_map(|pair| pair.strip_prefix("state="))?;
    PlainToken::parse(state).ok()
}

pub(super) fn state_of(query: &str) -> Option<PlainToken<kind::OauthState>> {
    let answer = CallbackAnswer::parse(query).ok()?;
    PlainToken::parse(answer.state()).ok()
}

/// Takes an answer: it has to be to this flow, of the same issuer, and no refusal. Nothing is sent anywhere.
pub(super) fn answered(bytes: &[u8], query: &str, context: &Context, clock: &dyn Clock) -> Result<Redeemable, ProviderFailure> {
    let foreign = |word| ProviderFailure::new(ProviderProblem::StateMismatch, word);
    let pending = kept::decode(bytes).ok_or_else(|| foreign("oauth_flow_unreadable"))?;
    let answer = CallbackAnswer::parse(query).map_err(|error| foreign(error.code()))?;
    pending.finish(answer, context, clock.now()).map_err(of_flow)
}

fn of_flow(error: FlowError) -> ProviderFailure {
    let problem = match &error {
        FlowError::Expired => ProviderProblem::SessionExpired,
        FlowError::Denied(_) => ProviderProblem::ProviderDenied,
        _ => ProviderProblem::StateMismatch,
    };
    // A refusal holds what the provider wrote; its name alone is enough for the log.
    ProviderFailure::new(problem, error.code())
}
