//! The stores of the domains over their tables, one file each. Guards stand in the statement that changes the row, or behind the lock that a write holds.

mod api_key;
mod attempt;
mod audit;
mod factor;
mod imports;
mod invite;
mod link;
mod session;
mod settings;
mod user;
