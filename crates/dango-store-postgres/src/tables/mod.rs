//! The stores of the domains over their tables, one file each. Guards stand in the statement that changes the row, or behind the lock that a write holds.

pub(crate) mod api_key;
pub(crate) mod attempt;
mod audit;
mod factor;
mod imports;
mod invite;
mod link;
mod oauth_flow;
pub(crate) mod session;
mod settings;
pub(crate) mod user;
