//! What reading gives, and what it refuses, as writing does.

use super::*;

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
    assert_eq!(
        names(directory.path()),
        ["device", "directory", "fifo", "link", "socket"],
        "no lock file beside it"
    );
    assert!(!Path::new("/dev/null.lock").exists());
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
