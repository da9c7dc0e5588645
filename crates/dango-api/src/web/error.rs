//! What a browser shows where there is no page: why, and the way back. Programs get problem documents instead.

use askama::Template;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::response::Response;

use super::frame::{Frame, marked, page, status_of};
use crate::problem::Problem;

/// Who reads an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A person with a browser, somewhere among the pages.
    Person,
    /// A program.
    Program,
}

impl Reader {
    /// Who sends a request.
    pub(crate) fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let is_api = path == "/api" || path.starts_with("/api/");
        if !is_api && wants_html(request.headers()) {
            Self::Person
        } else {
            Self::Program
        }
    }

    /// A problem as the reader understands it.
    pub(crate) fn render(self, problem: &Problem, request_id: &str) -> Response {
        let shown = match self {
            Self::Person => shown(problem, request_id),
            Self::Program => None,
        };
        shown.unwrap_or_else(|| problem.render(request_id))
    }
}

/// Whether the sender says that it can show HTML; `*/*` says nothing.
pub(super) fn wants_html(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|range| {
        let (media_type, parameters) = range.split_once(';').unwrap_or((range, ""));
        let refused = parameters
            .split(';')
            .any(|parameter| matches!(parameter.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        media_type.trim().eq_ignore_ascii_case("text/html") && !refused
    })
}

/// The page of an error.
#[derive(Template)]
#[template(path = "pages/error.html")]
pub(super) struct ErrorPage<'a> {
    frame: Frame<'a>,
    title: &'a str,
    status: u16,
    text: &'a str,
    way: (&'a str, &'a str),
    request_id: &'a str,
}

impl<'a> ErrorPage<'a> {
    pub(super) fn new(problem: &'a Problem, request_id: &'a str) -> Self {
        let status = problem.code().status;
        let (title, text) = match (status, problem.code().name) {
            (_, "cross_site") => (
                "This came from another site",
                "The request may come from a page of another site, so it was not done. Go back and try it from here.",
            ),
            (_, "auth_disabled") => ("Signing in is switched off", "Ask whoever runs the server to switch it on."),
            (403, _) => (
                "You may not see this",
                "Your role does not allow it. An administrator can change that.",
            ),
            (404, _) => ("There is no such page", "The address may be mistyped, or what was there is gone."),
            (405, _) => ("This does not work here", "The page was asked for in a way that it does not know."),
            (413, _) => ("This is too much", "The form was larger than a form may be."),
            (421, _) => ("This server has another name", "Use the address that the server was started with."),
            (429, _) => (
                "Too many tries",
                "Too many tries from this address have failed. Wait a minute, and try again.",
            ),
            (500, _) => ("Something went wrong", "The server made a mistake. Its log says more."),
            (503, _) => ("Not just now", problem.detail()),
            (_, _) => (problem.code().title, problem.detail()),
        };
        let way = match status {
            409 => ("/settings/account", "Go to Account Settings"),
            400 | 413 | 421 => ("/login", "Go to the login page"),
            _ => ("/", "Go to the start page"),
        };
        Self {
            frame: Frame::bare(),
            title,
            status,
            text,
            way,
            request_id,
        }
    }
}

fn shown(problem: &Problem, request_id: &str) -> Option<Response> {
    let page = page(status_of(problem), &ErrorPage::new(problem, request_id));
    page.ok().map(|page| marked(page, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_asks_for_html_gets_it() {
        let wants = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().expect("a header"));
            wants_html(&headers)
        };
        assert!(wants("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(wants("application/json, Text/HTML;q=0.1"));
        assert!(!wants("*/*") && !wants("application/json") && !wants("text/html;q=0") && !wants(""));
        assert!(!wants_html(&HeaderMap::new()));
    }
}
