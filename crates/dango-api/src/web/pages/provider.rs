//! The way to a provider and back: sources that are connected, and logins with an account elsewhere. Each leads to a page of ours with
//! a word of ours; nothing of what a provider said is ever part of an address.

use axum::http::HeaderMap;
use axum::response::Response;
use dango_actions::{
    BeginExternalLogin, ConnectError, ExternalLogIn, ExternalLoginError, FinishExternalLogin, FinishedExternal, Holder, LinkError,
    LogInStep, SignedIn, WantedAccount,
};
use dango_core::SourceName;
use dango_identity::{Full, PlainToken};

use super::connections::encoded;
use super::login::logged_in;
use super::secrets;
use super::{Answer, account};
use crate::api::logins::login_callback;
use crate::credential::{self, Credential};
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::reply;
use crate::site::Site;
use crate::web::frame::see_other;
use crate::web::next::Next;
use crate::web::visit::Visit;

/// `GET /oauth/connect/{source_type}`: the type, or the name of a source that is connected already.
///
/// It changes something although it reads, so it has to be what somebody did on a page of ours: a browser says so.
pub(crate) async fn connect(holder: Holder<Full>, visit: Visit) -> Answer {
    if !is_own_navigation(&visit.headers) {
        return Err(Problem::new(
            code!(cross_site),
            "connecting begins on the page of the secrets, with a click there",
        ));
    }
    let (Some(desk), Site::Public(url), true) = (visit.app.connections(), visit.site(), visit.site().is_secure()) else {
        return Ok(with_error("no_domain"));
    };
    let account = match visit.asked("account") {
        Some("any") => WantedAccount::Any,
        _ => WantedAccount::Same,
    };
    let wanted = visit.parameter("source_type");
    match desk.begin(&holder, wanted, account, url.as_str()).await {
        Ok(url) => Ok(see_other(&url)),
        Err(error) => refused(error, &visit),
    }
}

/// `GET /oauth/callback/{source_type}`.
pub(crate) async fn connected(signed_in: Option<SignedIn>, visit: Visit) -> Answer {
    let Some(desk) = visit.app.connections() else {
        return Ok(with_error("no_domain"));
    };
    let holder = match &signed_in {
        Some(SignedIn::Full(holder)) => Some(holder),
        _ => None,
    };
    let source_type = visit.parameter("source_type");
    match desk.finish(holder, source_type, &visit.raw_query).await {
        Ok(connected) => {
            let word = encoded(connected.source_type.as_str());
            Ok(see_other(&format!("{}?connected={word}", secrets::PATH)))
        }
        Err(error) => refused(error, &visit),
    }
}

/// `GET /api/auth/oauth/{provider}/login`.
pub(crate) async fn begin_login(visit: Visit) -> Answer {
    let Some(logins) = visit.app.logins() else {
        return Ok(to_login("unsupported"));
    };
    let provider = visit.parameter("provider");
    let Some(base) = visit.site().base(&visit.host) else {
        return Ok(to_login("unsupported"));
    };
    let redirect_uri = login_callback(&base, provider);
    // Another tab of the same browser may be on its way, too.
    let known = credential::flow_browser(&visit.headers, visit.site());
    let browser = match known {
        Some(browser) => browser,
        None => {
            PlainToken::make(visit.app.entropy()).map_err(|_| Problem::new(code!(no_randomness), "the server could not do its part"))?
        }
    };
    let begin = BeginExternalLogin {
        provider,
        redirect_uri: &redirect_uri,
        browser: &browser,
        next: visit.next.as_ref().map(|next| next.as_str().to_owned()),
    };
    match visit.actions().begin_external_login(&visit.anonymous(), logins, begin).await {
        Ok(url) => {
            let mut response = see_other(&url);
            reply::set_flow_browser(&mut response, &browser, visit.site());
            Ok(response)
        }
        Err(error) => not_logged_in(error, &visit),
    }
}

/// `GET /api/auth/oauth/{provider}/callback`.
///
/// It is the address of logins and of links: a provider has one for both.
pub(crate) async fn finish_login(signed_in: Option<SignedIn>, visit: Visit) -> Answer {
    let Some(logins) = visit.app.logins() else {
        return Ok(to_login("unsupported"));
    };
    let browser = credential::flow_browser(&visit.headers, visit.site());
    let finish = FinishExternalLogin {
        provider: visit.parameter("provider"),
        browser: browser.as_ref(),
        query: &visit.raw_query,
        device: credential::device(&visit.headers, visit.site()),
        earlier: Credential::of(&visit.headers, visit.site()).into_session(),
        holder: match signed_in {
            Some(SignedIn::Full(holder)) => Some(holder),
            _ => None,
        },
    };
    let finished = visit.actions().finish_external_login(&visit.anonymous(), logins, finish).await;
    let ExternalLogIn { step, next } = match finished {
        FinishedExternal::LogIn(Ok(done)) => done,
        FinishedExternal::LogIn(Err(error)) => return not_logged_in(error, &visit),
        FinishedExternal::Link(linked) => return after_link(linked, &visit),
    };
    let next = next.as_deref().and_then(Next::parse);
    let mut response = match step {
        LogInStep::Done(login) => logged_in(&visit, &login, next.as_ref()),
        LogInStep::SecondFactor(issued) => {
            let mut response = see_other(&Next::after(next.as_ref(), "/login/verify"));
            reply::set_session(&mut response, &issued, visit.now(), visit.site());
            response
        }
    };
    reply::clear_flow_browser(&mut response, visit.site());
    Ok(response)
}

/// Whether a browser says that somebody went here from a page of ours: no picture, no frame, no page that is fetched in advance
/// (Fetch Metadata, <https://www.w3.org/TR/fetch-metadata/>; `Sec-Purpose`, <https://wicg.github.io/nav-speculation/prefetch.html>).
fn is_own_navigation(headers: &HeaderMap) -> bool {
    let says = |name: &str, wanted: &[u8]| {
        let mut values = headers.get_all(name).iter();
        values.next().is_some_and(|value| value.as_bytes() == wanted) && values.next().is_none()
    };
    let in_advance = ["sec-purpose", "purpose", "x-moz"].iter().any(|name| headers.contains_key(*name));
    says("sec-fetch-site", b"same-origin") && says("sec-fetch-mode", b"navigate") && says("sec-fetch-dest", b"document") && !in_advance
}

/// Whoever may not is told so; everything else is a sentence on the page of the secrets.
fn refused(error: ConnectError, visit: &Visit) -> Answer {
    match error {
        ConnectError::Denied(denied) => Err(denied.into_problem(visit.now())),
        ConnectError::Fault(fault) => Err(fault.into_problem(visit.now())),
        error => {
            if error.code() == "save_failed" {
                tracing::error!(cause = crate::refusal::chain(&error), "a connection was not saved as it should be");
            }
            Ok(with_error(error.code()))
        }
    }
}

fn not_logged_in(error: ExternalLoginError, visit: &Visit) -> Answer {
    match error {
        ExternalLoginError::Fault(fault) => Err(fault.into_problem(visit.now())),
        error => Ok(to_login(error.page_code())),
    }
}

/// Where whoever wanted to link an account goes on, with a word about what has come of it.
fn after_link(linked: Result<SourceName, LinkError>, visit: &Visit) -> Answer {
    match linked {
        Ok(provider) => Ok(see_other(&format!("{}?linked={}", account::PATH, encoded(provider.as_str())))),
        Err(LinkError::Fault(fault)) => Err(fault.into_problem(visit.now())),
        Err(error) => Ok(see_other(&format!("{}?error={}", account::PATH, error.page_code()))),
    }
}

fn with_error(code: &'static str) -> Response {
    see_other(&format!("{}?error={code}", secrets::PATH))
}

fn to_login(code: &'static str) -> Response {
    see_other(&format!("/login?error={code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(fields: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().expect("a header"));
        }
        is_own_navigation(&headers)
    }

    #[test]
    fn only_a_click_on_a_page_of_ours_begins_to_connect() {
        const OWN: [(&str, &str); 3] = [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert!(passes(&OWN));
        for place in 0..OWN.len() {
            let mut fields = OWN.to_vec();
            let (name, _) = fields.remove(place);
            assert!(!passes(&fields), "{name} is missing");
            for other in ["cross-site", "same-site", "none", "no-cors", "image", "iframe", ""] {
                let mut fields = OWN.to_vec();
                fields[place].1 = other;
                assert!(!passes(&fields), "{name}: {other}");
            }
            assert!(!passes(&[&OWN[..], &OWN[place..=place]].concat()), "{name} twice");
        }
        for ahead in [
            ("sec-purpose", "prefetch;prerender"),
            ("purpose", "prefetch"),
            ("x-moz", "prefetch"),
        ] {
            assert!(!passes(&[&OWN[..], &[ahead]].concat()), "{ahead:?}");
        }
    }
}
