//! What is said to other providers: the ports of the use cases over `dango-oauth`. Who may, and what is recorded, is theirs to say.

mod connections;
mod desk;
mod flow;
mod kept;
mod login;
mod problem;
mod renewal;
#[cfg(test)]
mod tests;
mod trouble;

pub(crate) use connections::ProviderConnections;
pub(crate) use desk::{Desk, DeskParts};
pub(crate) use login::Logins;
pub(crate) use renewal::{RenewalCounts, Renewals};
