//! What depends on the machine more than on the project: run secrets, the user's own files of dlt, owners, the umask. The rest is tested end to end.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "tests write scratch files and stop loudly"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use dango_core::{OsEntropy, SystemClock};
use dango_doctor::{Site, examine};
use dango_keyring::{HolderError, SessionBus};
use dango_secrets::project::Project;
use dango_vault::{KeyEnvironment, Keys, ProjectKeys};
use tempfile::TempDir;

/// A project, a home, and a folder of run secrets.
struct Machine {
    folder: TempDir,
    environment: BTreeMap<OsString, OsString>,
    umask: u32,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["project", "home", "run"] {
            fs::create_dir(folder.path().join(name)).expect("made");
        }
        Project::init(&folder.path().join("project"), &OsEntropy).expect("made");
        Self {
            folder,
            environment: BTreeMap::new(),
            umask: 0o022,
        }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("set");
    }

    /// The codes and places that a user who is not root is told.
    fn findings(&self) -> Vec<(String, String)> {
        let project = Project::at(self.folder.path().join("project"));
        let environment = KeyEnvironment {
            key: None,
            key_file: None,
            bus: SessionBus::Unannounced,
            passphrase: Box::new(|| Err(HolderError::NoPassphrase)),
        };
        let place = ProjectKeys::new(project.clone(), environment, Arc::new(OsEntropy));
        let keys = Keys::lazy(|| place.load());
        let home = self.folder.path().join("home");
        let run = self.folder.path().join("run");
        // Whoever made the files, or one who is not root and may write nowhere else: dlt has root's files elsewhere.
        let owner = fs::metadata(&home).expect("there").uid();
        let site = Site {
            project: &project,
            place: &place,
            keys: &keys,
            environment: &self.environment,
            home: Some(&home),
            user: Some(if owner == 0 { 1000 } else { owner }),
            umask: Some(self.umask),
            temporary_dir: Path::new("/tmp"),
            run_secrets: &run,
            clock: &SystemClock,
            entropy: &OsEntropy,
        };
        let found = examine(&site);
        let shorten = |place: &str| place.replace(&format!("{}/", self.folder.path().display()), "");
        found
            .into_iter()
            .map(|finding| (finding.code.to_string(), shorten(&finding.place)))
            .collect()
    }
}

fn told(code: &str, place: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), place.to_owned())]
}

#[test]
fn a_run_secret_that_ends_with_a_line_end_is_told() {
    let machine = Machine::new();
    machine.write("run/sources--shop--api-key", "xk1");
    assert_eq!(machine.findings(), []);
    machine.write("run/sources--shop--api-key", "xk1\n");
    assert_eq!(machine.findings(), told("run-secret-line-end", "run/sources--shop--api-key"));
    fs::remove_file(machine.folder.path().join("run/sources--shop--api-key")).expect("removed");
    // A name without sections counts for what is stored, and so does a folder with a file of its name.
    machine.write("run/api-key/api-key", "xk1\n");
    assert_eq!(machine.findings(), []);
    machine.write("project/.dlt/secrets.toml", "[sources.shop]\napi_key = \"x\"\n");
    assert_eq!(machine.findings(), told("run-secret-line-end", "run/api-key/api-key"));
}

#[test]
fn the_users_own_files_of_dlt_are_looked_at() {
    let machine = Machine::new();
    fs::set_permissions(machine.folder.path().join("home"), fs::Permissions::from_mode(0o777)).expect("set");
    machine.write("home/.dlt/secrets.toml", "[sources]\nshop = {}\n");
    machine.write("project/.dlt/secrets.toml", "[sources.shop.credentials]\nhost = \"h\"\n");
    assert_eq!(machine.findings(), told("inline-table", "home/.dlt/secrets.toml"));
    machine.write("home/.dlt/secrets.toml", "[sources.shop]\nkey = x\n");
    assert_eq!(machine.findings(), told("secrets-malformed", "home/.dlt/secrets.toml:2:7"));
    machine.write("home/.dlt/secrets.toml", "[sources.other]\nkey = \"x\"\n");
    assert_eq!(machine.findings(), []);
    fs::set_permissions(
        machine.folder.path().join("home/.dlt/secrets.toml"),
        fs::Permissions::from_mode(0o644),
    )
    .expect("set");
    assert_eq!(machine.findings(), told("file-open", "home/.dlt/secrets.toml"));
}

#[test]
fn only_a_umask_that_lets_anybody_write_is_told() {
    let mut machine = Machine::new();
    for (umask, is_told) in [(0o022, false), (0o002, false), (0o077, false), (0o000, true), (0o020, true)] {
        machine.umask = umask;
        let expected = if is_told { told("umask-open", "umask") } else { Vec::new() };
        assert_eq!(machine.findings(), expected, "{umask:03o}");
    }
}

#[test]
fn a_file_of_another_user_is_told_where_there_is_one() {
    let machine = Machine::new();
    let path = machine.folder.path().join("project/.env");
    // Only root can give a file away; nobody else can come into this.
    if std::os::unix::fs::chown(&path, Some(65_534), None).is_ok() {
        assert_eq!(machine.findings(), told("owner-differs", ".env"));
    }
}

#[test]
fn a_thousand_credentials_take_no_time_to_speak_of() {
    let machine = Machine::new();
    let text: String = (0..1_000)
        .map(|number| format!("[sources.shop{number}]\napi_key = \"x{number}\"\n"))
        .collect();
    machine.write("project/.dlt/secrets.toml", &text);
    assert_eq!(machine.findings(), []);
}
