//! The way to a project that a `dango-server` holds: one request at a time over HTTPS, its answer or its problem read. No command, no keyring and no file is known here.
//!
//! - [`ServerUrl`]: where a server is; `https:`, or `http:` on this machine alone;
//! - [`Client`]: sends an API key in the `Authorization` header, follows no redirection, uses no proxy, gives up after half a minute;
//! - [`Answer`], [`Problem`] and [`CallError`]: what came of it.
//!
//! ```
//! use dango_client::ServerUrl;
//!
//! let url: ServerUrl = "https://dango.example.com/".parse()?;
//! assert_eq!(url.as_str(), "https://dango.example.com");
//! assert!("http://dango.example.com".parse::<ServerUrl>().is_err());
//! # Ok::<(), dango_client::ParseServerUrlError>(())
//! ```
#![warn(missing_docs)]

mod answer;
mod client;
mod error;
mod server_url;

pub use answer::{Answer, Problem};
pub use client::{Client, Method, Outbound, Trust};
pub use error::{CallError, TrustError};
pub use server_url::{ParseServerUrlError, ServerUrl};
