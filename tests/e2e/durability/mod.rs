//! What survives: many writers at once, death at any instant, full and forbidden disks, odd things in a file's place.

mod crashes;
mod crowds;
mod disks;
mod obstacles;

use dango_tests::{Invocation, Scratch};

/// One of the two files that hold secrets, and how a key of it is set.
#[derive(Clone, Copy)]
struct Kept {
    /// The file's name in the project.
    file: &'static str,
    /// The subcommand that edits it.
    command: &'static str,
    /// The kind, as the watching script calls it.
    kind: &'static str,
    /// Contents with one credential that must stay.
    old: &'static str,
}

const BOTH: [Kept; 2] = [
    Kept {
        file: ".dlt/secrets.toml",
        command: "secrets",
        kind: "toml",
        old: "# by hand\n[sources.old]\nk = \"kept\"\n",
    },
    Kept {
        file: ".env",
        command: "env",
        kind: "dotenv",
        old: "# by hand\nOLD='kept'\n",
    },
];

impl Kept {
    /// A project in which this file holds one credential.
    fn project(self) -> Scratch {
        let project = Scratch::initialised();
        project.write(self.file, self.old);
        project
    }

    /// The command that sets this file's key number `key` of writer number `writer`; the value is still to be given.
    fn set(self, project: &Scratch, writer: usize, key: usize) -> Invocation {
        project.dango(&[self.command, "set", &self.path(writer, key)])
    }

    /// The same key as a PATH or KEY.
    fn path(self, writer: usize, key: usize) -> String {
        if self.kind == "toml" {
            format!("sources.{}", self.name(writer, key))
        } else {
            self.name(writer, key)
        }
    }

    /// The same key as the watching script names it.
    fn name(self, writer: usize, key: usize) -> String {
        if self.kind == "toml" {
            format!("w{writer}.k{key}")
        } else {
            format!("W{writer}_K{key}")
        }
    }
}
