//! How git stands to some files: which it tracks, and which it would take at the next `git add`. What is in them is not looked at.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{GitError, Repository, paths};

/// Of some files, those that git has or would take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Tracked: they are in the index.
    pub tracked: Vec<PathBuf>,
    /// Neither tracked nor ignored: the next `git add` takes them.
    pub unignored: Vec<PathBuf>,
}

impl Repository {
    /// Asks how git stands to files; paths are absolute and without links. Files outside its working tree are passed over.
    ///
    /// # Errors
    ///
    /// [`GitError`] where git does not say so.
    pub fn standing(&self, files: &[PathBuf]) -> Result<Standing, GitError> {
        let Some(top) = self.top() else { return Ok(Standing::default()) };
        let names: Vec<&Path> = files.iter().filter_map(|file| file.strip_prefix(top).ok()).collect();
        if names.is_empty() {
            return Ok(Standing::default());
        }
        let ask = |options: &[&str]| -> Result<Vec<PathBuf>, GitError> {
            let mut arguments: Vec<OsString> = ["ls-files", "-z"].iter().chain(options).map(OsString::from).collect();
            arguments.push("--".into());
            arguments.extend(names.iter().map(|name| name.as_os_str().to_owned()));
            Ok(paths(top, &self.program.ask(&arguments)?))
        };
        Ok(Standing {
            tracked: ask(&["--cached"])?,
            unignored: ask(&["--others", "--exclude-standard"])?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Sandbox;
    use super::*;

    #[test]
    fn tracked_ignored_and_loose_files_are_told_apart() {
        let sandbox = Sandbox::new();
        sandbox.git(&["init", "--quiet"]);
        for name in ["tracked", "ignored", "loose", "folder/within", "both"] {
            sandbox.write(name, "x");
        }
        sandbox.write(".gitignore", "ignored\nfolder/\nboth\n");
        sandbox.git(&["add", "tracked"]);
        sandbox.git(&["add", "--force", "both"]);
        let repository = Repository::find(&sandbox.path(), &sandbox.environment()).expect("a repository");
        let top = repository.top().expect("no bare one").to_path_buf();
        let all: Vec<PathBuf> = ["tracked", "ignored", "loose", "folder/within", "both", "absent"]
            .map(|name| top.join(name))
            .into();
        let standing = repository.standing(&all).expect("git answers");
        assert_eq!(standing.tracked, [top.join("both"), top.join("tracked")]);
        assert_eq!(standing.unignored, [top.join("loose")]);
        assert_eq!(repository.standing(&["/elsewhere".into()]).ok(), Some(Standing::default()));
    }
}
