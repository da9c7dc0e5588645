//! The examination, one file for each part of a project; what is found everywhere is put together here.

mod connections;
mod dlt;
mod env;
mod files;
mod git;
mod home;
mod keys;
mod leftovers;
mod places;
mod private;
mod shared;
mod sources;
mod values;

use crate::chart::Chart;
use crate::finding::Finding;
use crate::site::Site;

/// Looks at everything that can be looked at without the database, and tells what is wrong, part by part.
///
/// It fetches the encryption key where something is encrypted, and starts `git`; it changes nothing but the note of seals that were seen.
pub fn examine(site: &Site<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let chart = Chart::read(site, &mut found);
    places::check(&chart, &mut found);
    leftovers::check(&chart, &mut found);
    git::check(&chart, &mut found);
    files::check(&chart, &mut found);
    home::check(&chart, &mut found);
    keys::check(&chart, &mut found);
    values::check(&chart, &mut found);
    dlt::check(&chart, &mut found);
    sources::check(&chart, &mut found);
    connections::check(&chart, &mut found);
    env::check(&chart, &mut found);
    shared::check(&chart, &mut found);
    found
}
