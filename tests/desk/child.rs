//! A second process: this test program again, with a desk that dies, is killed, or finds the disk full.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use dango_actions::{FilesError, ProjectFiles, SecretsListing, VariableChange, VariableChanged};
use dango_store::BoxFuture;

use crate::office::{Office, files, outcomes};

const ARGUMENTS: [&str; 4] = ["--exact", "child_process", "--ignored", "--nocapture"];
/// What the child says of a variable that it was told is set.
pub(crate) const SET: &str = "set: ";

/// A child that does `what` in a project whose database is in another, or the same.
pub(crate) fn child(what: &str, project: &Path, keeping: &Path) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command
        .args(ARGUMENTS)
        .env("DESK", what)
        .env("PROJECT", project)
        .env("KEEPING", keeping);
    command.stdout(Stdio::piped());
    command
}

/// The same, with a small disk of its own in place of the project.
pub(crate) fn child_with_own_disk(what: &str, project: &Path, keeping: &Path) -> Command {
    let script = "mount -t tmpfs -o size=256k,mode=0700 none \"$PROJECT\" && exec \"$@\"";
    let program = std::env::current_exe().expect("the program's path");
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|status| std::os::unix::fs::MetadataExt::uid(&status) == 0);
    let mut command = Command::new("unshare");
    command.args([if is_root { "--mount" } else { "-rm" }, "sh", "-c", script, "sh"]);
    command.arg(program).args(ARGUMENTS).stdout(Stdio::piped());
    command.env("DESK", what).env("PROJECT", project).env("KEEPING", keeping);
    command
}

/// Files that end the process where they are to be changed.
struct Deadly(Arc<dyn ProjectFiles>);

impl ProjectFiles for Deadly {
    fn list(&self) -> BoxFuture<'_, Result<Arc<SecretsListing>, FilesError>> {
        self.0.list()
    }

    fn change(&self, _: &[VariableChange]) -> Vec<Result<VariableChanged, FilesError>> {
        std::process::abort()
    }
}

/// What the child does.
pub(crate) fn serve() {
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from).expect("the parent says where");
    let (project, keeping) = (path("PROJECT"), path("KEEPING"));
    match std::env::var("DESK").as_deref() {
        Ok("dies") => {
            let _ = Office::over(Arc::new(Deadly(files(&project))), &keeping).set("A", "2");
        }
        Ok("serves") => set_for_ever(&Office::of(&project, &keeping)),
        Ok("full") => find_the_disk_full(&project, &keeping),
        other => panic!("{other:?}"),
    }
}

fn set_for_ever(office: &Office) {
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for number in 0.. {
                    let key = format!("K_{thread}_{number}");
                    office.set(&key, "value").expect("set");
                    let mut output = std::io::stdout().lock();
                    writeln!(output, "{SET}{key}").and_then(|()| output.flush()).expect("heard");
                }
            });
        }
    });
}

fn find_the_disk_full(project: &Path, keeping: &Path) {
    let before = b"A=1\nB=2\n";
    dango_secrets::project::Project::init(project, &dango_core::OsEntropy).expect("made");
    std::fs::write(project.join(".env"), before).expect("written");
    let office = Office::of(project, keeping);
    let filler = project.join("filler");
    // As far as the disk takes it.
    let _ = std::fs::write(&filler, vec![b'x'; 1 << 20]);
    let large = "v".repeat(20_000);
    let codes: Vec<_> = std::thread::scope(|scope| {
        let set = |key: &'static str| {
            let (office, large) = (&office, &large);
            scope.spawn(move || office.set(key, large).err().map(|error| error.code()))
        };
        let threads = ["A", "C", "D"].map(set);
        threads.map(|thread| thread.join().expect("no panic")).to_vec()
    });
    assert_eq!(codes, [Some("disk_full"); 3]);
    assert_eq!(std::fs::read(project.join(".env")).expect("is there"), before);
    let (open, records) = office.log();
    assert_eq!((open, outcomes(&records, "secret_set", "failure")), (0, 3));
    assert!(records.iter().any(|record| record.details.contains("file_disk_full")));
    std::fs::remove_file(filler).expect("removed");
    assert_eq!(office.set("C", &large).ok(), Some("created"));
}
