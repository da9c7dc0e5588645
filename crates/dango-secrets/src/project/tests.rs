//! Finding and making projects on a real disk, with the real git.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dango_core::OsEntropy;
use tempfile::TempDir;

use super::{InitError, InitReport, Project};
use crate::storage::{self, Edit};

fn empty() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn put(path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_ref()))
        .expect("written");
}

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o7777
}

fn init(directory: &Path) -> InitReport {
    Project::init(directory, &OsEntropy).expect("a project")
}

fn paths(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

fn git(directory: &Path, arguments: &[&str]) -> std::process::Output {
    Command::new("git")
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .expect("this test needs git")
}

fn is_ignored(directory: &Path, path: &str) -> bool {
    let output = git(directory, &["check-ignore", "--no-index", "-q", path]);
    match output.status.code() {
        Some(0) => true,
        Some(1) => false,
        _ => panic!("git check-ignore: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

#[test]
fn the_nearest_directory_with_either_folder_is_the_project() {
    let top = empty();
    let inner = top.path().join("a/b");
    fs::create_dir_all(inner.join("c/d")).unwrap();
    fs::create_dir(top.path().join(".dango")).unwrap();
    assert_eq!(Project::find(&inner.join("c/d"), None), Some(Project::at(top.path())));
    fs::create_dir(inner.join(".dlt")).unwrap();
    assert_eq!(Project::find(&inner.join("c/d"), None), Some(Project::at(&inner)));
    assert_eq!(Project::find(&inner, None), Some(Project::at(&inner)), "start counts");
    put(inner.join("c/.dango"), "");
    assert_eq!(
        Project::find(&inner.join("c"), None),
        Some(Project::at(&inner)),
        "a file is no folder"
    );
}

#[test]
fn dot_dot_is_followed_before_parents_are_tried() {
    let top = empty();
    let root = top.path().canonicalize().unwrap();
    fs::create_dir_all(root.join("project/.dango")).unwrap();
    fs::create_dir_all(root.join("other")).unwrap();
    assert_eq!(Project::find(&root.join("project/../other"), None), None);
    assert_eq!(
        Project::find(&root.join("other/../project"), None),
        Some(Project::at(root.join("project")))
    );
}

#[test]
fn the_global_folder_of_dlt_makes_no_project() {
    let home = empty();
    let below = home.path().join("work");
    fs::create_dir_all(&below).unwrap();
    fs::create_dir(home.path().join(".dlt")).unwrap();
    assert_eq!(Project::find(&below, Some(home.path())), None);
    assert_eq!(Project::find(&home.path().join(".dlt"), Some(home.path())), None);
    let elsewhere = home.path().join("link");
    symlink(home.path(), &elsewhere).unwrap();
    assert_eq!(Project::find(&below, Some(&elsewhere)), None, "however home is spelled");
    assert!(Project::find(&below, None).is_some());
    fs::create_dir(home.path().join(".dango")).unwrap();
    assert_eq!(Project::find(&below, Some(home.path())), Some(Project::at(home.path())));
}

#[test]
fn the_files_are_where_dlt_and_dotenv_look() {
    let project = Project::at("/p");
    assert_eq!(project.root(), Path::new("/p"));
    assert_eq!(project.secrets_toml(), Path::new("/p/.dlt/secrets.toml"));
    assert_eq!(project.env_file(), Path::new("/p/.env"));
    assert_eq!(project.sources_yml(), Path::new("/p/.dango/sources.yml"));
    assert_eq!(project.dango_dir(), Path::new("/p/.dango"));
    assert_eq!(project.dlt_dir(), Path::new("/p/.dlt"));
    assert_eq!(project.gitignore(), Path::new("/p/.gitignore"));
}

#[test]
fn init_makes_a_private_project_and_a_second_one_nothing() {
    let top = empty();
    let root = top.path().join("new/project");
    let report = init(&root);
    assert_eq!(report.root, root);
    assert_eq!(
        report.made,
        paths(&[".", ".dango", ".dlt", ".gitignore", ".dlt/secrets.toml", ".env"])
    );
    assert!(report.extended.is_empty());
    assert_eq!(mode(root.join(".dango")), 0o700);
    assert_eq!(mode(root.join(".dlt")), 0o700);
    assert_eq!(mode(root.join(".dlt/secrets.toml")), 0o600);
    assert_eq!(mode(root.join(".env")), 0o600);
    assert_eq!(fs::read(root.join(".env")).unwrap(), b"");
    let secrets = fs::read_to_string(root.join(".dlt/secrets.toml")).unwrap();
    assert!(secrets.lines().all(|line| line.starts_with("# ")) && secrets.ends_with('\n'));
    let before = snapshot(&root);
    assert!(init(&root).is_unchanged());
    assert_eq!(snapshot(&root), before);
}

/// Every entry below a directory with its mode, inode, time and contents.
fn snapshot(root: &Path) -> Vec<(PathBuf, u32, u64, i64, Vec<u8>)> {
    use std::os::unix::fs::MetadataExt;
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let contents = fs::read(&path).unwrap_or_default();
            if metadata.is_dir() {
                open.push(path.clone());
            }
            found.push((path, metadata.mode(), metadata.ino(), metadata.mtime_nsec(), contents));
        }
    }
    found.sort();
    found
}

#[test]
fn what_is_there_stays_as_it_is() {
    let top = empty();
    let root = top.path();
    fs::create_dir(root.join(".dlt")).unwrap();
    fs::set_permissions(root.join(".dlt"), fs::Permissions::from_mode(0o755)).unwrap();
    put(root.join(".env"), "A=1\r\nbroken line");
    fs::set_permissions(root.join(".env"), fs::Permissions::from_mode(0o644)).unwrap();
    put(root.join("real.toml"), "x = 1");
    symlink("../real.toml", root.join(".dlt/secrets.toml")).unwrap();
    let report = init(root);
    assert_eq!(report.made, paths(&[".dango", ".gitignore"]));
    assert_eq!((mode(root.join(".dlt")), mode(root.join(".env"))), (0o755, 0o644));
    assert_eq!(fs::read(root.join(".env")).unwrap(), b"A=1\r\nbroken line");
    assert_eq!(fs::read(root.join("real.toml")).unwrap(), b"x = 1");
    assert!(root.join(".dlt/secrets.toml").is_symlink());
    assert!(!root.join(".env.lock").exists(), "nothing was written, so nothing was locked");
}

#[test]
fn git_ignores_every_secret_and_nothing_else() {
    let top = empty();
    let root = top.path();
    git(root, &["init", "-q"]);
    init(root);
    put(root.join(".dango/sources.yml"), "sources: []\n");
    for secret in [
        ".env",
        ".env.local",
        ".env.production",
        ".env.lock",
        ".dlt/secrets.toml",
        ".dlt/dev.secrets.toml",
        ".dlt/secrets.toml.lock",
        ".dlt/.secrets.toml.dango-1-ab.tmp",
        "..env.dango-1-ab.tmp",
        "..gitignore.dango-1-ab.tmp",
        ".dango/dango.db",
        ".dango/dango.db-wal",
        ".dango/identity.key",
        ".dango/key",
        ".dango/gitignore.lock",
        ".dango/sources.yml.lock",
    ] {
        assert!(is_ignored(root, secret), "{secret}");
    }
    for open in [
        ".env.example",
        ".dlt/config.toml",
        ".dango/sources.yml",
        ".dango/remote.toml",
        ".dango/server.toml",
        ".dango/project-id",
        ".gitignore",
        "pipeline.py",
        "Cargo.lock",
        "uv.lock",
    ] {
        assert!(!is_ignored(root, open), "{open}");
    }
    let status = git(root, &["status", "--porcelain", "-uall"]);
    assert_eq!(String::from_utf8_lossy(&status.stdout), "?? .dango/sources.yml\n?? .gitignore\n");
}

fn gitignore_after(old: &[u8]) -> String {
    let top = empty();
    put(top.path().join(".gitignore"), old);
    assert_eq!(init(top.path()).extended, paths(&[".gitignore"]));
    let new = fs::read(top.path().join(".gitignore")).unwrap();
    assert!(new.starts_with(old), "what was there is untouched");
    assert!(init(top.path()).is_unchanged());
    String::from_utf8(new[old.len()..].to_vec()).unwrap()
}

const LINES: &str = ".env\n.env.*\n!.env.example\n.dlt/secrets.toml\n.dlt/*.secrets.toml\n.dango/*\n!.dango/sources.yml\n\
!.dango/remote.toml\n!.dango/server.toml\n!.dango/project-id\n.env.lock\n.dlt/*.lock\n.*.dango-*.tmp\n";
const COMMENT: &str = "# dango: secrets and local state, not to be committed\n";

#[test]
fn gitignore_is_extended_by_what_is_missing_only() {
    assert_eq!(gitignore_after(b""), format!("{COMMENT}{LINES}"));
    assert_eq!(gitignore_after(b"target\n"), format!("\n{COMMENT}{LINES}"));
    assert_eq!(gitignore_after(b"target\n\n"), format!("{COMMENT}{LINES}"));
    assert_eq!(
        gitignore_after(b"target"),
        format!("\n\n{COMMENT}{LINES}"),
        "the last line is ended"
    );
    assert_eq!(gitignore_after(b"a\r\nb\r\n"), format!("\n{COMMENT}{LINES}").replace('\n', "\r\n"));
    let without = |line: &str| LINES.replacen(&format!("{line}\n"), "", 1);
    assert_eq!(
        gitignore_after(b"\xff\n.env\n"),
        format!("\n{COMMENT}{}", without(".env")),
        "not UTF-8, kept"
    );
    assert_eq!(
        gitignore_after(b"\xef\xbb\xbf.env\r\n"),
        format!("\n{COMMENT}{}", without(".env")).replace('\n', "\r\n")
    );
    assert_eq!(gitignore_after(b"/.env  \n"), format!("\n{COMMENT}{}", without(".env")));
    assert_eq!(
        gitignore_after(LINES.replace(".env.lock\n", "").as_bytes()),
        format!("\n{COMMENT}.env.lock\n")
    );
    assert_eq!(
        gitignore_after(format!("{COMMENT}{}", LINES.replace(".env.lock\n", "")).as_bytes()),
        ".env.lock\n",
        "one comment is enough"
    );
}

#[test]
fn the_order_of_lines_is_what_makes_git_obey() {
    let top = empty();
    let root = top.path();
    git(root, &["init", "-q"]);
    // An exception before its pattern, a pattern that is taken back, and an exception of the user's own.
    put(root.join(".gitignore"), "!.dango/sources.yml\n.env\n!.env\n!.env.template\n");
    init(root);
    assert!(is_ignored(root, ".env"));
    assert!(!is_ignored(root, ".dango/sources.yml"));
    assert!(!is_ignored(root, ".env.template"), "still an exception");
    assert!(is_ignored(root, ".env.local"));
    assert!(init(root).is_unchanged());
    // What the user takes back on purpose, behind our lines, stays so.
    let mut text = fs::read(root.join(".gitignore")).unwrap();
    text.extend_from_slice(b".dango/sources.yml\n");
    put(root.join(".gitignore"), text);
    assert!(init(root).is_unchanged());
    assert!(is_ignored(root, ".dango/sources.yml"));
}

#[test]
fn gitignore_keeps_its_mode() {
    let top = empty();
    put(top.path().join(".gitignore"), "target\n");
    fs::set_permissions(top.path().join(".gitignore"), fs::Permissions::from_mode(0o664)).unwrap();
    init(top.path());
    assert_eq!(mode(top.path().join(".gitignore")), 0o664);
    assert!(!top.path().join(".gitignore.lock").exists());
}

#[test]
fn what_cannot_become_a_project_is_left_alone() {
    let top = empty();
    let file = top.path().join("file");
    put(&file, "x");
    for path in [file.clone(), file.join("below"), file.join("far/below")] {
        let error = Project::init(&path, &OsEntropy).unwrap_err();
        assert!(matches!(&error, InitError::NotADirectory { path } if *path == file), "{error}");
        assert_eq!(error.code(), "init_not_a_directory");
    }
    for (name, code) in [(".dango", "init_not_a_directory"), (".dlt", "init_not_a_directory")] {
        let root = empty();
        put(root.path().join(name), "x");
        assert_eq!(Project::init(root.path(), &OsEntropy).unwrap_err().code(), code);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "{name}");
    }
    for name in [".env", ".gitignore"] {
        let root = empty();
        fs::create_dir(root.path().join(name)).unwrap();
        assert_eq!(Project::init(root.path(), &OsEntropy).unwrap_err().code(), "file_not_regular");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "{name}");
    }
    let root = empty();
    symlink("nowhere", root.path().join(".env")).unwrap();
    let error = Project::init(root.path(), &OsEntropy).unwrap_err();
    assert_eq!(error.code(), "file_link_dangling");
    assert_eq!(
        error.to_string(),
        format!(
            "{} is a symbolic link to something that does not exist",
            root.path().join(".env").display()
        )
    );
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn files_are_read_and_changed_through_the_project() {
    let top = empty();
    let project = Project::at(top.path());
    assert!(project.secrets().unwrap().is_none() && project.env().unwrap().is_none());
    let set = |text: &'static [u8]| move |_: Option<&[u8]>| Ok::<_, std::convert::Infallible>(Edit::Replace(text.to_vec().into(), ()));
    project.update_secrets(&OsEntropy, set(b"a = 1\n")).unwrap();
    project.update_env(&OsEntropy, set(b"A=1\n")).unwrap();
    assert_eq!(project.secrets().unwrap().unwrap().bytes(), b"a = 1\n");
    assert_eq!(project.env().unwrap().unwrap().bytes(), b"A=1\n");
    assert_eq!(mode(project.dlt_dir()), 0o700);
    assert_eq!(mode(project.secrets_toml()), 0o600);
    assert_eq!(mode(project.env_file()), 0o600);
    assert_eq!(storage::read(&project.secrets_toml()).unwrap().unwrap().mode(), 0o600);
}
