//! The servers on a PostgreSQL that is as full as that of a large team: what they do in a second, and what it costs. Every measurement prints its figures.

mod appends;
mod bare;
mod fill;
mod filled;
mod moving;
mod nodes;
mod pages;
mod processor;
mod sessions;

use std::path::Path;

use super::Outcome;
use filled::{Filled, Size};

pub(super) const USAGE: &str = "postgres FOLDER USERS fill | session | row | round-trip | page newest|middle|event|actor|day | rows | reads NODES \
                                | logins | cost read-server|read-database|login-server|login-database|round-trip-database \
                                | appends STORES | inserts CLIENTS | sizes | move";

/// Runs one measurement on the cluster in a folder, which is filled first where it is not yet.
pub(super) fn run(folder: &Path, users: &str, words: &[&str]) -> Outcome {
    let filled = Filled::open(folder, Size::of(users.parse()?))?;
    match words {
        ["fill"] => Ok(()),
        ["session"] => sessions::check(&filled),
        ["row"] => bare::row(&filled),
        ["round-trip"] => bare::round_trip(&filled),
        ["page", which] => pages::read(&filled, which),
        ["rows"] => bare::rows(&filled),
        ["reads", nodes] => nodes::reads(&filled, nodes.parse()?),
        ["logins"] => nodes::logins(&filled),
        ["cost", what] => nodes::cost(&filled, what),
        ["appends", stores] => appends::append(&filled, stores.parse()?),
        ["move"] => moving::measure(&filled),
        ["sizes"] => bare::sizes(&filled),
        ["inserts", clients] => bare::inserts(&filled, clients),
        _ => Err(USAGE.into()),
    }
}
