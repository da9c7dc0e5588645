//! `dango audit`: the log listed, exported, verified; tampered with behind its back, and written by processes that are killed.

mod changes;
mod crashes;
mod listing;
mod tampering;

use dango_tests::{Scratch, python};

use crate::auth::{add, with_admin};

/// Does SQL on the project's database as somebody would who has the file, triggers switched off.
pub(crate) fn sql(project: &Scratch, statements: &str) {
    let script = "import sqlite3,sys
db = sqlite3.connect('.dango/dango.db')
for (name,) in db.execute(\"SELECT name FROM sqlite_master WHERE type = 'trigger'\").fetchall():
    db.execute('DROP TRIGGER ' + name)
db.executescript(sys.argv[1])
db.commit()
db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
db.close()";
    let _ = project.command(python(), &["-c", script, statements]).run().success();
}

/// A project in whose log there are this many records, at least two: that its key was made, and its administrator.
fn with_records(count: usize) -> Scratch {
    let project = with_admin();
    for number in 2..count {
        let _ = add(&project, &format!("user{number}@example.com"), "viewer");
    }
    project
}
