//! What tests expect of an answer, and the few steps that nearly every test takes; scratch projects come from the harness.
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use dango_tests::{Output, Scratch};

/// What is expected of a command that has run.
pub(crate) trait Answer {
    /// Ends with `status`, says all `words` on standard error in any letter case, and gives no data.
    fn fails(self, status: i32, words: &[&str]) -> Self;
    /// Says all `words` on standard error in any letter case.
    fn says(self, words: &[&str]) -> Self;
    /// Shows none of these texts on either stream.
    fn hides(self, texts: &[&str]) -> Self;
    /// Standard output as JSON.
    fn json(&self) -> serde_json::Value;
}

impl Answer for Output {
    #[track_caller]
    fn fails(self, status: i32, words: &[&str]) -> Self {
        let answer = self.ending_with(status);
        assert_eq!(answer.stdout, "", "a failure is no data");
        answer.says(words)
    }

    #[track_caller]
    fn says(self, words: &[&str]) -> Self {
        let said = self.stderr.to_lowercase();
        for word in words {
            assert!(said.contains(&word.to_lowercase()), "{word:?} is not said in: {}", self.stderr);
        }
        self
    }

    #[track_caller]
    fn hides(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                !self.stdout.contains(text) && !self.stderr.contains(text),
                "{text:?} is shown:\n{}\n{}",
                self.stdout,
                self.stderr
            );
        }
        self
    }

    #[track_caller]
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in:\n{}\n{}", self.stdout, self.stderr))
    }
}

/// Stores a string with `secrets set`, exactly as it is.
#[track_caller]
pub(crate) fn set(project: &Scratch, path: &str, value: &str) {
    let _ = project.dango(&["secrets", "set", "--raw", "--", path]).stdin(value).run().success();
}

/// Stores a variable with `env set`, exactly as it is.
#[track_caller]
pub(crate) fn set_env(project: &Scratch, key: &str, value: &str) {
    let _ = project.dango(&["env", "set", "--raw", "--", key]).stdin(value).run().success();
}

/// What `secrets get --reveal` prints, without its line feed.
#[track_caller]
pub(crate) fn revealed(project: &Scratch, path: &str) -> String {
    let answer = project.run(&["secrets", "get", "--reveal", "--", path]).success();
    answer.stdout.strip_suffix('\n').expect("a line feed ends the value").to_owned()
}

/// Whether a file is one of the audit log, in which a refused change may leave a record.
pub(crate) fn is_of_the_audit_log(name: &str) -> bool {
    [".dango/dango.db", ".dango/audit.checkpoint", ".dango/identity.key"]
        .iter()
        .any(|file| name.starts_with(file))
}

/// Every name below a folder, sorted, folders with a slash.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    collect(folder, "", &mut names);
    names.sort();
    names
}

fn collect(folder: &Path, prefix: &str, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the folder is ours") {
        let entry = entry.expect("the folder is ours");
        let name = format!("{prefix}{}", entry.file_name().display());
        if entry.file_type().expect("the entry is ours").is_dir() {
            collect(&entry.path(), &format!("{name}/"), names);
            names.push(format!("{name}/"));
        } else {
            names.push(name);
        }
    }
}

/// The permission bits of a file.
#[track_caller]
pub(crate) fn mode(path: impl AsRef<Path>) -> u32 {
    let path = path.as_ref();
    fs::metadata(path)
        .unwrap_or_else(|error| panic!("cannot ask about {}: {error}", path.display()))
        .permissions()
        .mode()
        & 0o7777
}

/// Sets the permission bits of a file.
pub(crate) fn set_mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the scratch folder is ours");
}

/// Waits until the clock shows another second: times in files and answers are whole ones.
pub(crate) fn in_the_next_second() {
    let second = || std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
    let now = second();
    while second() == now {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
