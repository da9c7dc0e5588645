//! The stores of the domains over their tables, one file each. Guards stand in the statement that changes the row, or behind the lock that a write holds.

pub(crate) mod api_key;
pub(crate) mod attempt;
mod audit;
pub(crate) mod factor;
mod imports;
mod invite;
pub(crate) mod link;
mod oauth_flow;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod user;
