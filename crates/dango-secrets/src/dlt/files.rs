//! Which `secrets.toml` and `config.toml` files dlt reads, in which order; nothing is opened here.

use std::path::{Path, PathBuf};

use super::number::strip;

/// What dlt asks the machine to find its files. The closures are asked only what they need to be.
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    /// The directory that dlt is started in, absolute: the project's root.
    pub working_dir: &'a Path,
    /// The value of an environment variable, or `None` where it is not set.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// The home directory as `~` stands for it, or `None` where there is none.
    pub home: Option<&'a Path>,
    /// The effective user id, or `None` on Windows, where dlt knows no root.
    pub effective_uid: Option<u32>,
    /// The directory for temporary files, used without a writable home.
    pub temporary_dir: &'a Path,
    /// Whether there is a regular file (behind links).
    pub is_file: &'a dyn Fn(&Path) -> bool,
    /// Whether there is a directory (behind links).
    pub is_dir: &'a dyn Fn(&Path) -> bool,
    /// Whether files can be made in a directory.
    pub is_writable: &'a dyn Fn(&Path) -> bool,
    /// The first line of a UTF-8 text file, or `None` where it cannot be read.
    pub first_line: &'a dyn Fn(&Path) -> Option<String>,
}

/// The candidates for dlt's files, whether they exist or not; what comes first takes precedence, key by key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DltFiles {
    /// The project's settings: `.dlt` below the project, or what `DLT_PROJECT_DIR` and `DLT_CONFIG_FOLDER` make of it.
    pub settings_dir: PathBuf,
    /// The user's settings: `/var/dlt`, `~/.dlt` or what stands in for them.
    pub global_dir: PathBuf,
    /// The profile of a workspace, or `None` where the project is none: files of a profile are ignored then.
    pub profile: Option<Profile>,
    /// Files with secrets.
    pub secrets: Vec<PathBuf>,
    /// Files with configuration, in which dlt accepts no secret.
    pub config: Vec<PathBuf>,
}

/// The profile of a dlt workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// Its name: the first part of `<name>.secrets.toml`.
    pub name: String,
    /// What chose it.
    pub origin: ProfileOrigin,
}

/// What chose a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileOrigin {
    /// The environment variable `WORKSPACE__PROFILE`.
    Environment,
    /// The file `profile-name` in the settings directory.
    Pinned,
    /// Nothing: `dev`.
    Default,
}

impl DltFiles {
    /// Finds them as dlt 1.31 does when it is started in [`Machine::working_dir`].
    ///
    /// Parents are not searched. A workspace is recognised by `.workspace` below the working directory even if
    /// `DLT_PROJECT_DIR` moves the settings elsewhere, as in dlt. A profile chosen in Python code is not seen, nor are plug-ins
    /// that replace dlt's run context.
    ///
    /// ```
    /// use std::path::Path;
    /// use dango_secrets::dlt::{DltFiles, Machine};
    ///
    /// let files = DltFiles::locate(&Machine {
    ///     working_dir: Path::new("/srv/shop"),
    ///     environment: &|_| None,
    ///     home: Some(Path::new("/home/ada")),
    ///     effective_uid: Some(1000),
    ///     temporary_dir: Path::new("/tmp"),
    ///     is_file: &|_| false,
    ///     is_dir: &|_| true,
    ///     is_writable: &|_| true,
    ///     first_line: &|_| None,
    /// });
    /// assert_eq!(files.secrets[0], Path::new("/srv/shop/.dlt/secrets.toml"));
    /// assert_eq!(files.secrets[1], Path::new("/home/ada/.dlt/secrets.toml"));
    /// ```
    pub fn locate(machine: &Machine<'_>) -> Self {
        let variable = machine.environment;
        let folder = variable("DLT_CONFIG_FOLDER").unwrap_or_else(|| ".dlt".to_owned());
        let run_dir = match variable("DLT_PROJECT_DIR") {
            // Collected anew, so that `.` leaves no trace.
            Some(dir) => machine.working_dir.join(dir).components().collect(),
            None => machine.working_dir.to_owned(),
        };
        let settings_dir = run_dir.join(&folder);
        let global_dir = global_dir(machine, &folder);
        let is_workspace = (machine.is_file)(&machine.working_dir.join(&folder).join(".workspace"));
        let profile = is_workspace.then(|| profile(machine, &settings_dir));
        let candidates = |name: &str| {
            let mut paths: Vec<PathBuf> = Vec::new();
            for dir in [&settings_dir, &global_dir] {
                let of_profile = profile.as_ref().map(|profile| dir.join(format!("{}.{name}", profile.name)));
                for path in of_profile.into_iter().chain([dir.join(name)]) {
                    // A project in the home directory has one file in both roles.
                    if !paths.contains(&path) {
                        paths.push(path);
                    }
                }
            }
            paths
        };
        let (secrets, config) = (candidates("secrets.toml"), candidates("config.toml"));
        Self {
            settings_dir,
            global_dir,
            profile,
            secrets,
            config,
        }
    }
}

fn global_dir(machine: &Machine<'_>, folder: &str) -> PathBuf {
    if machine.effective_uid == Some(0) {
        return PathBuf::from("/var/dlt");
    }
    let Some(home) = machine.home.filter(|home| (machine.is_writable)(home)) else {
        return machine.temporary_dir.join("dlt");
    };
    let in_home = home.join(folder);
    match (machine.environment)("XDG_DATA_HOME") {
        Some(data) if !(machine.is_dir)(&in_home) => machine.working_dir.join(data).join("dlt"),
        _ => in_home,
    }
}

fn profile(machine: &Machine<'_>, settings_dir: &Path) -> Profile {
    if let Some(name) = (machine.environment)("WORKSPACE__PROFILE").filter(|name| !name.is_empty()) {
        let origin = ProfileOrigin::Environment;
        return Profile { name, origin };
    }
    let pin = settings_dir.join("profile-name");
    let line = if (machine.is_file)(&pin) {
        (machine.first_line)(&pin)
    } else {
        None
    };
    match line.as_deref().map(strip).filter(|name| !name.is_empty()) {
        Some(name) => Profile {
            name: name.to_owned(),
            origin: ProfileOrigin::Pinned,
        },
        None => Profile {
            name: "dev".to_owned(),
            origin: ProfileOrigin::Default,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds the files on a machine of user 1000, with these variables, files and directories.
    fn locate(variables: &[(&str, &str)], files: &[(&str, &str)], dirs: &[&str]) -> DltFiles {
        locate_as(Some(1000), variables, files, dirs)
    }

    fn locate_as(uid: Option<u32>, variables: &[(&str, &str)], files: &[(&str, &str)], dirs: &[&str]) -> DltFiles {
        let file = |path: &Path| files.iter().find(|(name, _)| Path::new(name) == path);
        DltFiles::locate(&Machine {
            working_dir: Path::new("/p"),
            environment: &|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()),
            home: Some(Path::new("/home/u")),
            effective_uid: uid,
            temporary_dir: Path::new("/tmp"),
            is_file: &|path| file(path).is_some(),
            is_dir: &|path| dirs.iter().any(|dir| Path::new(dir) == path),
            is_writable: &|path| dirs.iter().any(|dir| Path::new(dir) == path),
            first_line: &|path| file(path).map(|(_, line)| (*line).to_owned()),
        })
    }

    fn secrets(files: &DltFiles) -> Vec<&str> {
        files.secrets.iter().filter_map(|path| path.to_str()).collect()
    }

    #[test]
    fn the_project_comes_before_the_home() {
        let files = locate(&[], &[], &["/home/u"]);
        assert_eq!(secrets(&files), ["/p/.dlt/secrets.toml", "/home/u/.dlt/secrets.toml"]);
        assert_eq!(files.config[1], Path::new("/home/u/.dlt/config.toml"));
        assert_eq!(files.profile, None);
    }

    #[test]
    fn root_has_its_settings_in_var() {
        let files = locate_as(Some(0), &[("XDG_DATA_HOME", "/x")], &[], &["/home/u"]);
        assert_eq!(secrets(&files)[1], "/var/dlt/secrets.toml");
    }

    #[test]
    fn the_data_directory_counts_only_without_a_folder_at_home() {
        let variables = [("XDG_DATA_HOME", "/x")];
        assert_eq!(locate(&variables, &[], &["/home/u"]).global_dir, Path::new("/x/dlt"));
        assert_eq!(
            locate(&variables, &[], &["/home/u", "/home/u/.dlt"]).global_dir,
            Path::new("/home/u/.dlt")
        );
        assert_eq!(
            locate(&variables, &[], &[]).global_dir,
            Path::new("/tmp/dlt"),
            "the home is not writable"
        );
    }

    #[test]
    fn variables_move_the_settings() {
        let files = locate(&[("DLT_PROJECT_DIR", "sub"), ("DLT_CONFIG_FOLDER", "conf")], &[], &["/home/u"]);
        assert_eq!(secrets(&files), ["/p/sub/conf/secrets.toml", "/home/u/conf/secrets.toml"]);
        let files = locate(&[("DLT_PROJECT_DIR", "/q"), ("DLT_CONFIG_FOLDER", "/abs")], &[], &["/home/u"]);
        assert_eq!(secrets(&files), ["/abs/secrets.toml"], "one file is listed once");
    }

    #[test]
    fn a_workspace_has_files_for_its_profile() {
        let mark = ("/p/.dlt/.workspace", "");
        let files = locate(&[], &[mark], &["/home/u"]);
        assert_eq!(
            secrets(&files),
            [
                "/p/.dlt/dev.secrets.toml",
                "/p/.dlt/secrets.toml",
                "/home/u/.dlt/dev.secrets.toml",
                "/home/u/.dlt/secrets.toml"
            ]
        );
        let pinned = [mark, ("/p/.dlt/profile-name", " prod \n")];
        let profile = |variables: &[(&str, &str)]| locate(variables, &pinned, &["/home/u"]).profile.map(|p| (p.name, p.origin));
        assert_eq!(profile(&[]), Some(("prod".to_owned(), ProfileOrigin::Pinned)));
        assert_eq!(
            profile(&[("WORKSPACE__PROFILE", "")]),
            Some(("prod".to_owned(), ProfileOrigin::Pinned))
        );
        assert_eq!(
            profile(&[("WORKSPACE__PROFILE", "tests")]),
            Some(("tests".to_owned(), ProfileOrigin::Environment))
        );
    }

    #[test]
    fn a_workspace_is_looked_for_where_dlt_is_started() {
        let moved = [("DLT_PROJECT_DIR", "sub")];
        assert_eq!(locate(&moved, &[("/p/sub/.dlt/.workspace", "")], &["/home/u"]).profile, None);
        let files = locate(
            &moved,
            &[("/p/.dlt/.workspace", ""), ("/p/sub/.dlt/profile-name", "x")],
            &["/home/u"],
        );
        assert_eq!(secrets(&files)[0], "/p/sub/.dlt/x.secrets.toml");
    }
}
