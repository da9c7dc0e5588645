//! What only an inside view can test: short patience, and changes and failures in the moments between two steps.

use std::cell::Cell;
use std::convert::Infallible;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dango_core::{Entropy, EntropyError, OsEntropy};
use tempfile::TempDir;

use super::removal::Removing;
use super::update::{Moment, Update};
use super::{Edit, Removal, UpdateError, WriteError, read, update};

const NAME: &str = "secrets.toml";

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join(NAME);
    (directory, path)
}

/// Writes in place, as a careless editor does.
fn put(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// Writes beside and renames, as a careful editor does.
fn save(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("editor");
    put(&beside, text)?;
    fs::rename(beside, path)
}

fn text(path: &Path) -> Option<String> {
    read(path)
        .expect("readable")
        .map(|contents| String::from_utf8(contents.bytes().to_vec()).expect("text"))
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

/// Appends a line.
fn append(line: &str) -> impl FnMut(Option<&[u8]>) -> Result<Edit<()>, Infallible> + '_ {
    move |old| {
        let mut new = old.unwrap_or_default().to_vec();
        new.extend_from_slice(line.as_bytes());
        Ok(Edit::Replace(new.into(), ()))
    }
}

/// Appends `ours` while `interfere` happens, and answers how it ended.
fn append_while(path: &Path, interfere: &dyn Fn(Moment) -> io::Result<()>) -> Result<(), WriteError> {
    let mut update = Update::new(path, &OsEntropy);
    update.interfere = Some(interfere);
    update.run(append("ours\n")).map_err(|error| match error {
        UpdateError::Write(error) => error,
        error => panic!("{error}"),
    })
}

/// Does something once, when the moment comes.
fn once(moment: Moment, act: impl Fn() -> io::Result<()>) -> impl Fn(Moment) -> io::Result<()> {
    let done = Cell::new(false);
    move |now| if now == moment && !done.replace(true) { act() } else { Ok(()) }
}

#[test]
fn a_change_at_the_last_moment_is_kept_and_the_edit_done_anew() {
    for moment in [Moment::Written, Moment::Exchange] {
        for how in [put, save] {
            let (directory, path) = place();
            put(&path, "old\n").unwrap();
            append_while(&path, &once(moment, || how(&path, "theirs\n"))).unwrap();
            assert_eq!(text(&path).as_deref(), Some("theirs\nours\n"), "{moment:?}");
            assert_eq!(names(directory.path()), [NAME, "secrets.toml.lock"]);
        }
    }
}

#[test]
fn a_change_in_place_of_equal_size_and_time_is_kept() {
    let (_directory, path) = place();
    put(&path, "old 1\n").unwrap();
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    let act = || {
        put(&path, "new 2\n").unwrap();
        OpenOptions::new().write(true).open(&path)?.set_modified(time)
    };
    append_while(&path, &once(Moment::Written, act)).unwrap();
    assert_eq!(text(&path).as_deref(), Some("new 2\nours\n"));
}

#[test]
fn a_program_that_opened_the_file_before_the_swap_and_writes_after_it_loses_nothing() {
    let (directory, path) = place();
    put(&path, "old\n").unwrap();
    let editor = OpenOptions::new().append(true).open(&path).unwrap();
    let calls = Cell::new(0);
    let interfere = |moment| {
        if moment == Moment::Replaced {
            calls.set(calls.get() + 1);
            if calls.get() == 1 {
                return (&editor).write_all(b"theirs\n");
            }
        }
        Ok(())
    };
    append_while(&path, &interfere).unwrap();
    assert_eq!(text(&path).as_deref(), Some("old\ntheirs\nours\n"));
    assert_eq!(calls.get(), 2);
    assert_eq!(names(directory.path()), [NAME, "secrets.toml.lock"]);
}

#[test]
fn of_two_programs_that_write_after_the_swap_the_one_with_the_new_file_wins() {
    let (directory, path) = place();
    put(&path, "old\n").unwrap();
    let late = OpenOptions::new().append(true).open(&path).unwrap();
    let interfere = |moment| {
        if moment == Moment::Replaced {
            (&late).write_all(b"into the old file\n")?;
            OpenOptions::new().append(true).open(&path)?.write_all(b"into the new file\n")?;
        }
        Ok(())
    };
    append_while(&path, &interfere).unwrap();
    assert_eq!(text(&path).as_deref(), Some("old\nours\ninto the new file\n"));
    assert_eq!(names(directory.path()), [NAME, "secrets.toml.lock"]);
}

#[test]
fn a_file_made_or_removed_at_the_last_moment_counts() {
    for moment in [Moment::Written, Moment::Exchange] {
        let (_directory, path) = place();
        append_while(&path, &once(moment, || save(&path, "theirs\n"))).unwrap();
        assert_eq!(text(&path).as_deref(), Some("theirs\nours\n"), "made, {moment:?}");
        append_while(&path, &once(moment, || fs::remove_file(&path))).unwrap();
        assert_eq!(text(&path).as_deref(), Some("ours\n"), "removed, {moment:?}");
    }
}

#[test]
fn what_is_saved_at_the_last_moment_of_a_removal_stays() {
    for (moment, in_place) in [(Moment::Exchange, false), (Moment::Exchange, true), (Moment::Replaced, true)] {
        let (directory, path) = place();
        put(&path, "old\n").unwrap();
        let open = OpenOptions::new().append(true).open(&path).unwrap();
        let act = || match in_place {
            true => (&open).write_all(b"theirs\n"),
            false => save(&path, "old\ntheirs\n"),
        };
        let interfere = once(moment, act);
        let removing = |interfere| {
            let mut update = Update::new(&path, &OsEntropy);
            update.interfere = interfere;
            Removing {
                update,
                entropy: &OsEntropy,
                expected: b"old\n",
            }
        };
        assert_eq!(removing(Some(&interfere)).run(&path).unwrap(), Removal::Differs, "{moment:?}");
        assert_eq!(text(&path).as_deref(), Some("old\ntheirs\n"), "{moment:?}");
        put(&path, "old\n").unwrap();
        assert_eq!(removing(None).run(&path).unwrap(), Removal::Removed);
        assert_eq!(removing(None).run(&path).unwrap(), Removal::Absent);
        assert_eq!(names(directory.path()), ["secrets.toml.lock"]);
    }
}

#[test]
fn a_link_put_in_place_at_the_last_moment_is_followed() {
    for moment in [Moment::Written, Moment::Exchange] {
        let (directory, path) = place();
        put(&path, "old\n").unwrap();
        let real = directory.path().join("real");
        put(&real, "theirs\n").unwrap();
        let act = || {
            fs::remove_file(&path)?;
            std::os::unix::fs::symlink("real", &path)
        };
        append_while(&path, &once(moment, act)).unwrap();
        assert!(path.is_symlink());
        assert_eq!(text(&real).as_deref(), Some("theirs\nours\n"));
    }
}

#[test]
fn a_program_that_saves_again_while_its_file_is_put_back_has_the_last_word() {
    let (directory, path) = place();
    put(&path, "old\n").unwrap();
    let (saves, seen) = (Cell::new(0), Cell::new(0));
    let interfere = |moment| {
        let is_time = moment == Moment::Exchange && saves.get() == 0 || moment == Moment::PutBack && saves.get() < 4;
        if is_time {
            saves.set(saves.get() + 1);
            save(&path, &format!("theirs {}\n", saves.get())).unwrap();
        }
        if moment == Moment::Replaced {
            seen.set(seen.get() + 1);
        }
        Ok(())
    };
    append_while(&path, &interfere).unwrap();
    assert_eq!(text(&path).as_deref(), Some("theirs 4\nours\n"));
    assert_eq!((saves.get(), seen.get()), (4, 1));
    assert_eq!(names(directory.path()), [NAME, "secrets.toml.lock"]);
}

#[test]
fn a_program_that_never_stops_saving_keeps_its_file() {
    for moment in [Moment::Written, Moment::Exchange, Moment::PutBack] {
        let (directory, path) = place();
        put(&path, "old\n").unwrap();
        let count = Cell::new(0);
        let interfere = |now| {
            if now == moment || now == Moment::Exchange {
                count.set(count.get() + 1);
                save(&path, &format!("theirs {}\n", count.get())).unwrap();
            }
            Ok(())
        };
        let error = append_while(&path, &interfere).unwrap_err();
        assert_eq!(error.code(), "file_changed");
        assert_eq!(
            error.to_string(),
            format!("{} keeps being changed by another program", path.display())
        );
        assert_eq!(text(&path), Some(format!("theirs {}\n", count.get())), "{moment:?}");
        assert_eq!(names(directory.path()), [NAME, "secrets.toml.lock"]);
    }
}

#[test]
fn a_file_system_without_swaps_is_written_by_a_plain_rename() {
    let (directory, path) = place();
    let refuse = |moment| match moment {
        Moment::Exchange => Err(io::ErrorKind::Unsupported.into()),
        _ => Ok(()),
    };
    append_while(&path, &refuse).unwrap();
    append_while(&path, &refuse).unwrap();
    assert_eq!(text(&path).as_deref(), Some("ours\nours\n"));
    assert_eq!(names(directory.path()), [NAME, "secrets.toml.lock"]);
}

#[test]
fn a_directory_that_cannot_be_synced_is_reported_with_the_new_file_in_place() {
    let (directory, path) = place();
    put(&path, "old\n").unwrap();
    let error = append_while(&path, &once(Moment::Replaced, || Err(io::Error::other("broken disk")))).unwrap_err();
    assert!(matches!(&error, WriteError::NotDurable { path: named, .. } if *named == path));
    assert_eq!(
        error.to_string(),
        format!("{} is written, but its directory could not be synced to the disk", path.display())
    );
    assert_eq!(text(&path).as_deref(), Some("old\nours\n"));
    assert_eq!(names(directory.path()), [NAME, "secrets.toml.lock"]);
}

#[test]
fn a_failure_before_the_swap_leaves_the_old_file_and_no_other() {
    let (directory, path) = place();
    put(&path, "old\n").unwrap();
    let error = append_while(&path, &once(Moment::Written, || Err(io::ErrorKind::StorageFull.into()))).unwrap_err();
    assert_eq!(error.code(), "file_disk_full");
    assert_eq!(text(&path).as_deref(), Some("old\n"));
    assert_eq!(names(directory.path()), [NAME, "secrets.toml.lock"]);
}

struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, _buffer: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError)
    }
}

struct Zeros;

impl Entropy for Zeros {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        buffer.fill(0);
        Ok(())
    }
}

#[test]
fn without_randomness_nothing_is_written() {
    let (directory, path) = place();
    put(&path, "old\n").unwrap();
    let error = update(&path, &NoEntropy, append("ours\n")).unwrap_err();
    assert_eq!(error.code(), Some("entropy_missing"));
    assert_eq!(text(&path).as_deref(), Some("old\n"));
    assert_eq!(names(directory.path()), [NAME, "secrets.toml.lock"]);
}

#[test]
fn a_leftover_whose_name_would_be_taken_is_in_nobodys_way() {
    let (directory, path) = place();
    put(
        &directory
            .path()
            .join(format!(".{NAME}.dango-{}-0000000000000000.tmp", std::process::id())),
        "left",
    )
    .unwrap();
    update(&path, &Zeros, append("ours\n")).unwrap();
    assert_eq!(text(&path).as_deref(), Some("ours\n"));
    assert_eq!(names(directory.path()), [NAME, "secrets.toml.lock"]);
}

#[test]
fn a_lock_that_is_held_is_waited_for_and_its_holder_named() {
    let (directory, path) = place();
    put(&path, "old\n").unwrap();
    let lock_path = directory.path().join("secrets.toml.lock");
    let held = OpenOptions::new().create(true).truncate(true).write(true).open(&lock_path).unwrap();
    held.lock().unwrap();
    (&held).write_all(b"4242\n").unwrap();
    let patience = Duration::from_millis(60);
    let mut waiting = Update::new(&path, &OsEntropy);
    waiting.patience = patience;
    let started = Instant::now();
    let error = waiting.run(append("ours\n")).unwrap_err();
    assert!(started.elapsed() >= patience);
    assert_eq!(error.code(), Some("file_locked"));
    assert_eq!(
        error.to_string(),
        format!(
            "another dango process (pid 4242) has held {} for more than 0.06 s",
            lock_path.display()
        )
    );
    assert_eq!(text(&path).as_deref(), Some("old\n"), "reading needs no lock");
    assert_eq!(names(directory.path()), [NAME, "secrets.toml.lock"]);
    drop(held);
    waiting.run(append("ours\n")).unwrap();
    assert_eq!(
        text(&path).as_deref(),
        Some("old\nours\n"),
        "what is left of a dead process holds up nobody"
    );
    assert_eq!(fs::read_to_string(lock_path).unwrap(), format!("{}\n", std::process::id()));
}

#[test]
fn a_lock_file_that_is_none_is_an_error_and_not_followed() {
    let (directory, path) = place();
    let lock = directory.path().join("secrets.toml.lock");
    std::os::unix::fs::symlink("elsewhere", &lock).unwrap();
    let error = update(&path, &OsEntropy, append("ours\n")).unwrap_err();
    assert_eq!(error.code(), Some("file_lock_failed"));
    assert_eq!(error.to_string(), format!("cannot lock {}", lock.display()));
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    assert_eq!(
        update(&path, &OsEntropy, append("ours\n")).unwrap_err().code(),
        Some("file_lock_failed")
    );
    assert_eq!(names(directory.path()), ["secrets.toml.lock"]);
}
