//! `/logout`: ends the session, and leads to the login.

use dango_actions::SignedIn;

use super::Answer;
use crate::refusal::Refusal;
use crate::reply;
use crate::web::flash::Flash;
use crate::web::frame::see_other;
use crate::web::visit::Visit;

/// Whoever has no session any more is where they wanted to be.
pub(crate) async fn send(signed_in: Option<SignedIn>, visit: Visit) -> Answer {
    if let Some(signed_in) = signed_in {
        let ended = visit.actions().log_out(signed_in).await;
        ended.map_err(|fault| fault.into_problem(visit.now()))?;
    }
    let mut response = see_other("/login");
    reply::clear_session(&mut response, visit.site());
    Flash::LoggedOut.set(&mut response, visit.site());
    Ok(response)
}
