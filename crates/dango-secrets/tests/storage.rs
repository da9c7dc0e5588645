//! Reading and changing files on a real disk: links, odd files, modes, full and read-only disks, many writers, sudden deaths.
#![cfg(target_os = "linux")]

mod child;

use std::cell::Cell;
use std::convert::Infallible;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use child::{Child, NOBODY};
use dango_core::{Entropy, OsEntropy};
use dango_secrets::storage::{self, Edit, LARGEST, ReadError, UpdateError};
use tempfile::TempDir;

const NAME: &str = "secrets.toml";
const LOCK: &str = "secrets.toml.lock";

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join(NAME);
    (directory, path)
}

fn put(path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(path)
        .expect("opened");
    file.write_all(text.as_ref()).expect("written");
}

fn set(path: &Path, text: &str) -> Result<(), UpdateError<Infallible>> {
    storage::update(path, &OsEntropy, |_| Ok(Edit::Replace(text.as_bytes().to_vec().into(), ())))
}

fn append(path: &Path, line: &str) -> Result<(), UpdateError<Infallible>> {
    storage::update(path, &OsEntropy, |old| {
        let mut new = old.unwrap_or_default().to_vec();
        new.extend_from_slice(line.as_bytes());
        Ok(Edit::Replace(new.into(), ()))
    })
}

fn text(path: &Path) -> Option<String> {
    storage::read(path)
        .expect("readable")
        .map(|contents| String::from_utf8(contents.bytes().to_vec()).expect("text"))
}

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o7777
}

fn chmod(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("the mode set");
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A directory in which an unprivileged child may work.
fn place_of_nobody() -> (TempDir, PathBuf) {
    let (directory, path) = place();
    if is_root() {
        std::os::unix::fs::chown(directory.path(), Some(NOBODY), Some(NOBODY)).expect("given away");
    }
    (directory, path)
}

/// Says that a test needs root, and fails where nobody would read it.
#[expect(clippy::disallowed_methods, reason = "tests have no Host; this asks only whether anybody watches")]
fn needs_root(test: &str) -> bool {
    if !is_root() {
        assert!(std::env::var_os("CI").is_none(), "{test} needs root");
        writeln!(std::io::stderr(), "NOT TESTED: {test} needs root").expect("heard");
    }
    is_root()
}

// --- reading

#[test]
fn a_missing_file_is_none() {
    let (directory, path) = place();
    assert_eq!(text(&path), None);
    assert_eq!(text(&directory.path().join("no/such/directory")), None);
    assert_eq!(names(directory.path()), [""; 0]);
}

#[test]
fn a_file_is_read_whole_and_its_fingerprint_tells_states_apart() {
    let (_directory, path) = place();
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    put(&path, &bytes);
    chmod(&path, 0o640);
    let contents = storage::read(&path).unwrap().unwrap();
    assert!(contents.bytes() == bytes);
    assert_eq!(contents.mode(), 0o640);
    assert!(contents.fingerprint() == storage::read(&path).unwrap().unwrap().fingerprint());
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    put(&path, bytes.iter().rev().copied().collect::<Vec<_>>());
    OpenOptions::new().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert!(
        contents.fingerprint() != storage::read(&path).unwrap().unwrap().fingerprint(),
        "same size and time, other bytes"
    );
    assert!(*contents.into_bytes() == bytes);
}

#[test]
fn a_file_whose_size_the_system_does_not_know_is_read_whole() {
    let contents = storage::read(Path::new("/proc/self/status")).unwrap().unwrap();
    assert!(contents.bytes().starts_with(b"Name:") && contents.bytes().ends_with(b"\n"));
}

/// What reading and writing a path says; both must say the same.
fn refusal(path: &Path) -> (&'static str, String) {
    let read = storage::read(path).err().expect("refused");
    let error = set(path, "x").expect_err("refused");
    assert!(matches!(error, UpdateError::Read(_)), "{error}");
    assert_eq!(error.code(), Some(read.code()));
    (read.code(), read.to_string())
}

#[test]
fn what_is_no_regular_file_is_named_and_nothing_waits_for_it() {
    let (directory, _) = place();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("directory")).unwrap();
    assert!(Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
    let _listener = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    symlink("/dev/null", at("device")).unwrap();
    symlink("directory", at("link")).unwrap();
    for (name, kind) in [
        ("directory", "a directory"),
        ("fifo", "a named pipe"),
        ("socket", "a socket"),
        ("device", "a device"),
        ("link", "a directory"),
    ] {
        let expected = format!("{} is {kind}, not a regular file", at(name).display());
        assert_eq!(refusal(&at(name)), ("file_not_regular", expected));
    }
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    assert!(fs::metadata(at("fifo")).unwrap().file_type().is_fifo());
}

#[test]
fn links_that_lead_nowhere_or_in_a_circle_are_named() {
    let (directory, path) = place();
    symlink("nowhere", &path).unwrap();
    let expected = format!("{} is a symbolic link to something that does not exist", path.display());
    assert_eq!(refusal(&path), ("file_link_dangling", expected));
    let folder = directory.path().join("folder");
    symlink("nowhere", &folder).unwrap();
    assert_eq!(refusal(&folder.join(NAME)).0, "file_link_dangling");
    let circle = directory.path().join("circle");
    symlink("circle", &circle).unwrap();
    let expected = format!("{} leads round in a circle of symbolic links", circle.display());
    assert_eq!(refusal(&circle), ("file_link_loop", expected));
    assert!(!directory.path().join("nowhere").exists());
}

#[test]
fn a_file_that_is_too_large_is_refused_at_once() {
    let (_directory, path) = place();
    put(&path, "");
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(LARGEST as u64 + 1).unwrap();
    assert_eq!(
        refusal(&path),
        ("file_too_large", format!("{} is larger than 64 MiB", path.display()))
    );
    file.set_len(1 << 50).unwrap_or_else(|_| file.set_len(1 << 40).unwrap());
    assert_eq!(refusal(&path).0, "file_too_large");
    file.set_len(LARGEST as u64).unwrap();
    assert_eq!(storage::read(&path).unwrap().unwrap().bytes().len(), LARGEST);
}

#[test]
fn a_path_through_a_file_is_an_error_and_not_an_absent_file() {
    let (directory, path) = place();
    put(&path, "x");
    let (code, message) = refusal(&path.join("below"));
    assert_eq!(code, "file_read_failed");
    assert!(message.contains(NAME), "{message}");
    assert_eq!(names(directory.path()), [NAME]);
}

// --- writing

#[test]
fn a_new_file_is_private_and_its_directory_too_whatever_the_umask() {
    for umask in ["000", "022", "077", "777"] {
        let (directory, _) = place_of_nobody();
        let path = directory.path().join(".dlt").join(NAME);
        let mut child = Child::unprivileged();
        assert_eq!(child.run(&["umask", umask]), "ok");
        for text in ["a = 1", "a = 2"] {
            assert_eq!(child.run(&["set", path.to_str().unwrap(), text]), "ok", "umask {umask}");
            assert_eq!(child.run(&["read", path.to_str().unwrap()]), format!("ok {text}"));
        }
        drop(child);
        assert_eq!(mode(path.parent().unwrap()), 0o700, "umask {umask}");
        assert_eq!(mode(&path), 0o600, "umask {umask}");
        assert_eq!(mode(path.with_file_name(LOCK)), 0o600, "umask {umask}");
    }
}

#[test]
fn only_the_last_directory_is_made() {
    let (directory, _) = place();
    let path = directory.path().join("a/b").join(NAME);
    let error = set(&path, "x").unwrap_err();
    assert_eq!(error.code(), Some("file_write_failed"));
    assert!(error.to_string().contains("a/b"), "{error}");
    assert_eq!(names(directory.path()), [""; 0]);
}

#[test]
fn a_link_stays_and_its_target_is_replaced() {
    let (directory, path) = place();
    let outside = tempfile::tempdir().unwrap();
    for (target, link) in [
        (directory.path().join("real"), PathBuf::from("real")),
        (outside.path().join("real"), outside.path().join("real")),
    ] {
        put(&target, "old\n");
        chmod(&target, 0o644);
        symlink(&link, directory.path().join("hop")).unwrap();
        symlink("hop", &path).unwrap();
        append(&path, "new\n").unwrap();
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("hop"));
        assert_eq!(fs::read_link(directory.path().join("hop")).unwrap(), link);
        assert_eq!(fs::read_to_string(&target).unwrap(), "old\nnew\n");
        assert_eq!(mode(&target), 0o600);
        assert!(
            target.with_file_name("real.lock").exists(),
            "the lock is beside the file, not beside the link"
        );
        fs::remove_file(&path).unwrap();
        fs::remove_file(directory.path().join("hop")).unwrap();
    }
    assert_eq!(names(outside.path()), ["real", "real.lock"]);
}

#[test]
fn an_edit_that_keeps_or_refuses_writes_nothing() {
    let (directory, path) = place();
    let far = directory.path().join(".dlt").join(NAME);
    let kept = storage::update(&far, &OsEntropy, |old| Ok::<_, Infallible>(Edit::Keep(old.is_none())));
    assert!(kept.unwrap());
    assert_eq!(names(directory.path()), [""; 0], "not even a directory");
    put(&path, "old");
    chmod(&path, 0o644);
    let before = fs::metadata(&path).unwrap();
    let kept = storage::update(&path, &OsEntropy, |old| Ok::<_, Infallible>(Edit::Keep(old == Some(b"old"))));
    assert!(kept.unwrap());
    let refused: Result<(), _> = storage::update(&path, &OsEntropy, |_| Err(std::fmt::Error));
    assert!(matches!(refused, Err(UpdateError::Edit(std::fmt::Error))));
    let after = fs::metadata(&path).unwrap();
    assert_eq!(
        (before.ino(), before.mtime_nsec(), before.mode()),
        (after.ino(), after.mtime_nsec(), after.mode())
    );
}

#[test]
fn equal_contents_are_written_only_to_close_a_file_that_others_may_read() {
    let (_directory, path) = place();
    put(&path, "same");
    chmod(&path, 0o644);
    set(&path, "same").unwrap();
    assert_eq!(mode(&path), 0o600);
    let before = fs::metadata(&path).unwrap();
    set(&path, "same").unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
}

#[test]
fn leftovers_of_this_file_go_and_everything_else_stays() {
    let (directory, path) = place();
    for name in [".secrets.toml.dango-1-ab.tmp", ".secrets.toml.dango-999999999-0011223344556677.tmp"] {
        put(directory.path().join(name), "left");
    }
    let others = [
        ".other.dango-1-ab.tmp",
        ".secrets.toml.dango-1-ab.tmp.bak",
        ".secrets.toml.dango-x.dango-1-ab.tmp",
        ".secrets.toml.tmp",
        "secrets.toml.dango-1-ab.tmp",
    ];
    for name in others {
        put(directory.path().join(name), "stays");
    }
    set(&path, "x").unwrap();
    let mut expected: Vec<_> = others.into_iter().chain([NAME, LOCK]).collect();
    expected.sort_unstable();
    assert_eq!(names(directory.path()), expected);
}

#[test]
fn what_may_not_be_read_or_written_is_named_and_stays() {
    let (directory, path) = place_of_nobody();
    let shown = path.to_str().unwrap();
    let mut child = Child::unprivileged();
    assert_eq!(child.run(&["set", shown, "old"]), "ok");
    chmod(&path, 0o000);
    let denied = format!("file_read_denied: not permitted to read {shown}: Permission denied (os error 13)");
    assert_eq!(child.run(&["read", shown]), denied);
    assert_eq!(child.run(&["set", shown, "new"]), denied);
    chmod(&path, 0o644);
    chmod(directory.path(), 0o500);
    let folder = directory.path().display();
    assert_eq!(
        child.run(&["set", shown, "new"]),
        format!("file_write_denied: not permitted to write to {folder}: Permission denied (os error 13)")
    );
    fs::remove_file(directory.path().join(LOCK)).map_or_else(|_| assert!(!is_root()), |()| ());
    assert!(
        child.run(&["set", shown, "new"]).starts_with("file_write_denied: "),
        "without a lock file, too"
    );
    chmod(directory.path(), 0o700);
    assert_eq!(text(&path).as_deref(), Some("old"));
    assert_eq!(mode(&path), 0o644);
}

#[test]
fn root_leaves_a_file_to_its_owner() {
    if !needs_root("root_leaves_a_file_to_its_owner") {
        return;
    }
    let (directory, path) = place_of_nobody();
    let mut nobody = Child::unprivileged();
    let shown = path.to_str().unwrap();
    assert_eq!(nobody.run(&["set", shown, "theirs"]), "ok");
    fs::remove_file(directory.path().join(LOCK)).unwrap();
    set(&path, "changed by root").unwrap();
    let new = directory.path().join(".dlt").join("new");
    set(&new, "made by root").unwrap();
    for (path, mode) in [
        (path.clone(), 0o600),
        (directory.path().join(LOCK), 0o600),
        (new.parent().unwrap().to_owned(), 0o700),
        (new.clone(), 0o600),
        (new.with_file_name("new.lock"), 0o600),
    ] {
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(
            (metadata.uid(), metadata.gid(), metadata.mode() & 0o777),
            (NOBODY, NOBODY, mode),
            "{}",
            path.display()
        );
    }
    assert_eq!(nobody.run(&["set", shown, "theirs again"]), "ok");
    assert_eq!(nobody.run(&["set", new.to_str().unwrap(), "theirs, too"]), "ok");
    // A file of root's that others may read is not taken from root.
    let of_root = directory.path().join("of-root");
    put(&of_root, "root's");
    chmod(&of_root, 0o644);
    assert_eq!(
        nobody.run(&["set", of_root.to_str().unwrap(), "x"]),
        format!(
            "file_not_ours: {} belongs to another user, from whom a write would take it",
            of_root.display()
        )
    );
    assert_eq!(fs::read_to_string(&of_root).unwrap(), "root's");
    assert_eq!(fs::metadata(&of_root).unwrap().uid(), 0);
}

#[test]
fn a_full_disk_a_read_only_one_and_a_mounted_file_are_told_apart_and_change_nothing() {
    let (directory, path) = place();
    let (root, shown) = (directory.path().to_str().unwrap(), path.to_str().unwrap());
    let mut child = Child::with_own_disk(directory.path());
    assert_eq!(child.run(&["set", shown, "old"]), "ok");
    assert_eq!(child.run(&["fill", &format!("{root}/filler")]), "ok");
    assert_eq!(
        child.run(&["large", shown, "40000"]),
        format!("file_disk_full: no space is left for {shown}: No space left on device (os error 28)")
    );
    assert_eq!(child.run(&["read", shown]), "ok old");
    assert_eq!(child.run(&["names", root]), format!("ok filler {NAME} {LOCK}"));
    assert_eq!(
        child.run(&["shell", &format!("rm '{root}/filler' && mount -o remount,ro '{root}'")]),
        "ok"
    );
    let answer = child.run(&["set", shown, "new"]);
    assert_eq!(
        answer,
        format!("file_read_only: {shown}.lock is on a read-only file system: Read-only file system (os error 30)")
    );
    assert_eq!(child.run(&["read", shown]), "ok old");
    let mount = format!("mount -o remount,rw '{root}' && echo single > '{root}/single' && mount --bind '{root}/single' '{shown}'");
    assert_eq!(child.run(&["shell", &mount]), "ok");
    let answer = child.run(&["set", shown, "new"]);
    assert!(answer.starts_with("file_mounted: "), "{answer}");
    assert_eq!(child.run(&["read", shown]), "ok single\n");
    assert_eq!(child.run(&["names", root]), format!("ok {NAME} {LOCK} single"));
}

// --- other programs and other processes

#[test]
fn a_change_by_another_program_is_kept_whether_in_place_or_by_rename() {
    for renames in [false, true] {
        let (directory, path) = place();
        put(&path, "old\n");
        let calls = Cell::new(0);
        let seen = storage::update(&path, &OsEntropy, |old| {
            let old = old.unwrap_or_default();
            calls.set(calls.get() + 1);
            if calls.get() == 1 {
                let target = if renames { path.with_extension("editor") } else { path.clone() };
                put(&target, "old\ntheirs\n");
                fs::rename(target, &path).unwrap();
            }
            Ok::<_, Infallible>(Edit::Replace([old, b"ours\n"].concat().into(), old.len()))
        });
        assert_eq!(seen.unwrap(), "old\ntheirs\n".len(), "the last call's answer counts");
        assert_eq!(text(&path).as_deref(), Some("old\ntheirs\nours\n"));
        assert_eq!(calls.get(), 2);
        assert_eq!(names(directory.path()), [NAME, LOCK]);
    }
}

#[test]
fn an_editor_that_saves_at_any_instant_loses_nothing() {
    let (directory, path) = place();
    put(&path, "0\n");
    let beside = directory.path().join("editor");
    let mut kept_both = 0;
    for round in 1..=300 {
        let save = format!("{round}\n");
        put(&beside, &save);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                random_pause(4000);
                fs::rename(&beside, &path).unwrap();
            });
            append(&path, "ours\n").unwrap();
        });
        let end = text(&path).unwrap();
        assert!(end.starts_with(&save), "round {round}: the editor's file is gone, there is {end:?}");
        kept_both += usize::from(end.ends_with("ours\n"));
    }
    assert!(kept_both > 0, "no round raced");
    assert_eq!(names(directory.path()), [NAME, LOCK]);
}

/// Not to wait for anything, but to make the instant random.
fn random_pause(at_most_us: u64) {
    let mut random = [0; 4];
    OsEntropy.fill(&mut random).expect("randomness");
    std::thread::sleep(Duration::from_micros((u64::from(u32::from_le_bytes(random)) * at_most_us) >> 32));
}

#[test]
fn eight_threads_and_eight_processes_lose_no_update() {
    let (directory, path) = place();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let path = &path;
            scope.spawn(move || {
                for n in 0..25 {
                    append(path, &format!("thread {writer} {n}\n")).unwrap();
                }
            });
        }
    });
    let mut children: Vec<Child> = (0..8).map(|_| Child::new()).collect();
    for (writer, child) in children.iter_mut().enumerate() {
        child.send(&["append", path.to_str().unwrap(), &format!("process {writer}"), "25"]);
    }
    for mut child in children {
        assert_eq!(child.answer(), "ok");
    }
    let text = text(&path).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 400);
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 400);
    assert_eq!(names(directory.path()), [NAME, LOCK]);
}

/// Contents that say how long they are, so that a part of them is recognised.
fn whole(length: usize) -> String {
    format!("{length}\n{}", "x".repeat(length))
}

fn is_whole(text: &str) -> bool {
    let (length, rest) = text.split_once('\n').expect("a first line");
    rest.len() == length.parse::<usize>().expect("a number")
}

#[test]
fn a_reader_never_sees_a_part() {
    let (_directory, path) = place();
    put(&path, whole(1));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0_u32;
            while !stop.load(Ordering::Relaxed) || reads == 0 {
                assert!(is_whole(&text(&path).expect("always there")));
                reads += 1;
            }
        });
        for n in 0..150 {
            set(&path, &whole(n * 7919 % 200_000)).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
}

#[test]
fn a_writer_killed_at_any_instant_leaves_a_whole_file_and_the_next_write_tidies_up() {
    let (directory, path) = place();
    set(&path, &whole(5)).unwrap();
    let mut leftovers = 0;
    for _ in 0..150 {
        let mut child = Child::new();
        child.send(&["forever", path.to_str().unwrap()]);
        assert_eq!(child.answer(), "ok", "it has begun");
        random_pause(8000);
        child.kill();
        assert!(is_whole(&text(&path).expect("always there")));
        leftovers += names(directory.path()).len() - 2;
        append(&path, "").unwrap();
        set(&path, &whole(5)).unwrap();
        assert_eq!(names(directory.path()), [NAME, LOCK]);
    }
    assert!(leftovers > 0, "no child died while it wrote");
}

#[test]
fn a_dead_process_holds_no_lock() {
    let (_directory, path) = place();
    let mut child = Child::new();
    child.send(&["hold", path.to_str().unwrap()]);
    assert_eq!(child.answer(), "ok", "it holds the lock");
    assert!(matches!(storage::read(&path), Ok(None)), "reading does not wait");
    child.kill();
    set(&path, "after").unwrap();
    assert_eq!(text(&path).as_deref(), Some("after"));
}

#[test]
fn errors_never_hold_contents() {
    let (directory, path) = place();
    put(&path, "canary-in-the-file");
    fs::create_dir(directory.path().join(LOCK)).unwrap();
    let error = set(&path, "canary-in-the-edit").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
    let error: ReadError = storage::read(directory.path()).err().unwrap();
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[test]
#[ignore = "the other tests run it as their child process"]
fn child_process() {
    child::serve(std::io::stdin().lock());
}

#[test]
fn the_child_is_this_very_program() {
    let status = Command::new("/proc/self/exe")
        .args(["--exact", "child_process", "--ignored"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}
