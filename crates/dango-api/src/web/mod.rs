//! The pages for people, over the same use cases as the JSON operations. The pages of the login work without script; the others show what
//! there is without it, and change it through the operations.
//!
//! - [`table`] says what pages there are, [`visit`] is the way of a request to one;
//! - [`components`] are the parts that pages are made of, [`pages`] the pages;
//! - `templates` beside `src` holds the HTML, `assets` the stylesheet and the modules.

mod assets;
mod components;
#[cfg(test)]
mod contrast;
mod download;
mod error;
mod flash;
mod frame;
mod next;
mod pages;
mod table;
mod visit;

use axum::Router;
use axum::extract::Request;
use axum::routing::{MethodFilter, on};

use crate::app::App;
use crate::route::Verb;

pub(crate) use error::Reader;
pub(crate) use pages::encoded;
pub use table::{PAGES, Page, Visitor};

/// The pages.
pub(crate) fn router(app: &App) -> Router {
    let mut router = Router::new();
    for (index, page) in PAGES.iter().enumerate() {
        let state = app.clone();
        let handler = move |request: Request| visit::serve(index, state.clone(), request);
        let filter = match page.verb {
            Verb::Get => MethodFilter::GET,
            _ => MethodFilter::POST,
        };
        router = router.route(page.path, on(filter, handler));
    }
    router
}
