//! Where the project's values are kept: whether a move to a database, or back, was broken off. What is in the database is not looked at.

use dango_secrets::home::Whereabouts;

use crate::chart::{Chart, one_line};
use crate::code::Code;
use crate::finding::Finding;

/// The note of it.
const PLACE: &str = ".dango/home";

pub(super) fn check(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let (message, fix) = match Whereabouts::read(chart.site.project.root()) {
        Ok(Whereabouts::Directory | Whereabouts::Rows) => return,
        Ok(Whereabouts::Leaving) => (
            "the values were being moved to a database: they can be read, and not be changed",
            "`dango vault move --to postgres` goes on; `dango vault move --to files` takes it back",
        ),
        Ok(Whereabouts::Returning) => (
            "the values were being moved back from a database: nobody can change them",
            "`dango vault move --to files` goes on",
        ),
        Ok(Whereabouts::Returned) => (
            "the values were moved back from a database, which has not forgotten them yet: until then they are used nowhere",
            "`dango vault move --to files` ends it",
        ),
        Err(error) => {
            let fix = format!("put {PLACE} back from a backup: it says whether the values are in files or in a database");
            found.push(Finding::new(Code::Unreadable, PLACE, one_line(&error), fix));
            return;
        }
    };
    found.push(Finding::new(Code::MoveUnfinished, PLACE, message, fix));
}
