//! What is on the disk after a write, and after one that could not be done.

use super::*;

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
        child.run(&["shell", &format!("rm '{root}/filler' && mount -o remount,bind,ro '{root}'")]),
        "ok"
    );
    let answer = child.run(&["set", shown, "new"]);
    assert_eq!(
        answer,
        format!("file_read_only: {root} is on a read-only file system: Read-only file system (os error 30)")
    );
    assert_eq!(child.run(&["read", shown]), "ok old");
    let mount = format!("mount -o remount,bind,rw '{root}' && echo single > '{root}/single' && mount --bind '{root}/single' '{shown}'");
    assert_eq!(child.run(&["shell", &mount]), "ok");
    let answer = child.run(&["set", shown, "new"]);
    assert!(answer.starts_with("file_mounted: "), "{answer}");
    assert_eq!(child.run(&["read", shown]), "ok single\n");
    assert_eq!(child.run(&["names", root]), format!("ok {NAME} {LOCK} single"));
}
