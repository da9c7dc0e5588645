//! What every backend is put under: atomicity, races, versions, the audit log, and a comparison with the store in memory.
//!
//! Each function panics with what was wrong; they are for the tests of a backend. `make` gives a new, empty store each time.

mod atomicity;
mod audit;
mod imports;
mod model;
mod oauth_flows;
mod races;
pub mod sample;
mod settings;
mod version;

use std::sync::Arc;

use crate::Store;

/// Something that gives new, empty stores.
pub type Make<'m> = &'m dyn Fn() -> Arc<dyn Store>;

/// Puts a backend under everything but the comparison, which is [`agrees_with_memory`], [`counts_its_commits`], which is for backends that
/// tell their version, and [`sees_what_others_commit`], which is for those of them whose rows several stores share.
pub fn check(make: Make<'_>) {
    pollster::block_on(async {
        atomicity::check(make).await;
        audit::check(make).await;
        settings::check(make).await;
        imports::check(make).await;
        oauth_flows::check(make).await;
    });
    races::check(make);
}

pub use model::agrees_with_memory;
pub use version::{MakeTwo, counts_its_commits, sees_what_others_commit};
