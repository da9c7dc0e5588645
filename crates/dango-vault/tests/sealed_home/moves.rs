//! A project moved to rows and back: whole, verified, and resumed from wherever it was interrupted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dango_secrets::home::{Claim, Placed, Put, Row, Rows, RowsError, Trouble, Whereabouts};
use dango_secrets::storage;
use dango_vault::{MoveError, move_to_directory};

use super::*;

const FILES: [(SharedFile, &[u8]); 4] = [
    (SharedFile::Env, b"A=1\nB='two'\n"),
    (SharedFile::Secrets, b"[a]\r\nb = 'c' # d\r\n"),
    (SharedFile::History, b"\xff not even text \0"),
    (SharedFile::Sources, b""),
];

/// A machine with a project in files.
pub(super) fn machine() -> (Arc<MemoryRows>, Machine, Keyring) {
    let (rows, keyring) = (Arc::new(MemoryRows::new()), Keyring::new());
    let machine = Machine::new(&rows, &keyring);
    for (file, bytes) in FILES {
        let edit = |_: Option<&[u8]>| Ok::<_, Infallible>(Edit::Replace(Zeroizing::new(bytes.to_vec()), ()));
        machine.beside().update(file, &OsEntropy, edit).expect("written");
    }
    (rows, machine, keyring)
}

pub(super) fn to_rows(machine: &Machine) -> Result<dango_vault::MoveReport, MoveError> {
    move_to_rows(&machine.beside(), &machine.home(), &OsEntropy)
}

pub(super) fn to_directory(machine: &Machine) -> Result<dango_vault::MoveReport, MoveError> {
    move_to_directory(&machine.beside(), &machine.home(), "in files on ana's laptop", &OsEntropy)
}

/// Everything that a project says.
pub(super) fn contents(project: &Project) -> BTreeMap<SharedFile, Option<Vec<u8>>> {
    let read = |file| {
        let contents = project.read(file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        (file, contents.map(|contents| contents.bytes().to_vec()))
    };
    SharedFile::ALL.into_iter().map(read).collect()
}

pub(super) fn expected() -> BTreeMap<SharedFile, Option<Vec<u8>>> {
    let mut all: BTreeMap<_, _> = SharedFile::ALL.into_iter().map(|file| (file, None)).collect();
    all.extend(FILES.map(|(file, bytes)| (file, Some(bytes.to_vec()))));
    all
}

/// Writes as a program does that asks no home.
fn edit_by_hand(path: &Path, text: &str) {
    let edit = |_: Option<&[u8]>| Ok::<_, Infallible>(Edit::Replace(Zeroizing::new(text.as_bytes().to_vec()), ()));
    storage::update(path, &OsEntropy, edit).expect("written");
}

fn is_there(directory: &Path, file: SharedFile) -> bool {
    directory.join(file.path()).exists()
}

#[test]
fn a_project_goes_to_rows_whole_and_comes_back_byte_for_byte() {
    let (rows, machine, keyring) = machine();
    let report = to_rows(&machine).expect("moved");
    assert_eq!(report.moved.len(), FILES.len());
    assert!(!report.resumed && report.left.is_empty());
    let other = Machine::new(&rows, &keyring);
    for project in [machine.project(), other.project()] {
        assert_eq!(contents(&project), expected());
    }
    for file in SharedFile::ALL {
        assert!(!is_there(machine.directory.path(), file), "{file:?} is in rows alone");
        assert_eq!(
            refusal(&machine.beside(), file),
            Some("home_moved"),
            "and whoever looks for it in files is told"
        );
    }
    assert_eq!(
        append(&machine.beside(), "A=2\n").err().and_then(|error| error.code()),
        Some("home_moved")
    );
    assert!(matches!(to_rows(&machine), Err(MoveError::There)));
    Project::init(machine.directory.path(), &OsEntropy).expect("completed");
    assert!(
        !is_there(machine.directory.path(), SharedFile::Env),
        "what is elsewhere is not missing"
    );

    append(&other.project(), "C=3\n").expect("written");
    let report = to_directory(&machine).expect("moved back");
    assert_eq!(report.moved.len(), FILES.len());
    let mut now = expected();
    now.insert(SharedFile::Env, Some(b"A=1\nB='two'\nC=3\n".to_vec()));
    assert_eq!(contents(&machine.beside()), now);
    append(&machine.beside(), "D=4\n").expect("and they can be changed");
    for file in SharedFile::ALL {
        assert_eq!(refusal(&other.project(), file), Some("home_moved"));
    }
    let error = other.project().read(SharedFile::Env).err().expect("refused").to_string();
    assert!(error.contains("in files on ana's laptop"), "{error}");
    assert!(matches!(to_directory(&machine), Err(MoveError::There)));
    // And once more: rows that say where the project went are free.
    to_rows(&machine).expect("moved again");
    assert_eq!(text(&other.project(), SharedFile::Env).as_deref(), Some("A=1\nB='two'\nC=3\nD=4\n"));
}

#[test]
fn a_project_that_came_back_goes_to_another_database() {
    let (_rows, machine, keyring) = machine();
    to_rows(&machine).expect("moved");
    to_directory(&machine).expect("moved back");
    let elsewhere = Machine {
        directory: machine.directory,
        rows: Arc::new(MemoryRows::new()),
        keyring,
    };
    to_rows(&elsewhere).expect("moved to rows in which nothing was seen");
    assert_eq!(contents(&elsewhere.project()), expected());
}

#[test]
fn two_moves_at_once_take_turns() {
    let (_rows, machine, _keyring) = machine();
    let done: Vec<_> = std::thread::scope(|threads| {
        let moving: Vec<_> = (0..4).map(|_| threads.spawn(|| to_rows(&machine))).collect();
        moving.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
    assert!(done.iter().all(|done| matches!(done, Ok(_) | Err(MoveError::There))), "{done:?}");
    assert_eq!(contents(&machine.project()), expected());
}

/// Moves, interrupted at each call to the database, before it is done or after, and goes on; whatever can be read meanwhile is what was there.
fn interrupted(there: bool) {
    let mut call = 0;
    loop {
        let (rows, machine, keyring) = machine();
        if !there {
            to_rows(&machine).expect("moved");
        }
        let go = if there { to_rows } else { to_directory };
        rows.pace(Duration::from_millis(500));
        let kind = [Trouble::NotDone, Trouble::NoAnswer][call % 2];
        let mut troubles = vec![Trouble::None; call];
        troubles.push(kind);
        // The process dies there: nothing of what it does afterwards reaches the database.
        troubles.extend([Trouble::NotDone; 300]);
        rows.trouble(troubles);
        let first = go(&machine);
        rows.trouble([]);
        let readable: Vec<_> = [machine.beside(), machine.project(), Machine::new(&rows, &keyring).project()]
            .iter()
            .filter(|project| SharedFile::ALL.into_iter().all(|file| project.read(file).is_ok()))
            .map(contents)
            .collect();
        assert!(
            readable.iter().all(|read| *read == expected()),
            "call {call}: whoever can read reads the truth"
        );
        if first.is_ok() {
            break;
        }
        match go(&machine) {
            Ok(_) | Err(MoveError::There) => {}
            Err(error) => panic!("{kind:?} at call {call}: {error}"),
        }
        let (from, to) = if there {
            (machine.beside(), machine.project())
        } else {
            (machine.project(), machine.beside())
        };
        assert_eq!(contents(&to), expected(), "call {call}");
        assert_eq!(refusal(&from, SharedFile::Env), Some("home_moved"), "call {call}");
        append(&to, "C=3\n").expect("it counts there");
        // A step is four calls: over all files each kind of call is the last one of both kinds.
        call += 3;
    }
    assert!(call > 40, "every kind of step was interrupted: {call}");
}

#[test]
fn a_move_to_rows_that_dies_at_any_call_is_resumed() {
    interrupted(true);
}

#[test]
fn a_move_to_files_that_dies_at_any_call_is_resumed() {
    interrupted(false);
}

#[test]
fn while_it_is_moved_nobody_changes_anything() {
    let (rows, machine, _) = machine();
    rows.trouble(std::iter::repeat_n(Trouble::None, 30).chain(std::iter::repeat_n(Trouble::NotDone, 300)));
    to_rows(&machine).expect_err("interrupted");
    rows.trouble([]);
    rows.pass(Duration::from_secs(60));
    assert_eq!(Whereabouts::read(machine.directory.path()).ok(), Some(Whereabouts::Leaving));
    assert_eq!(
        append(&machine.beside(), "C=3\n").err().and_then(|error| error.code()),
        Some("home_moving")
    );
    assert_eq!(contents(&machine.beside()), expected(), "reading goes on");
    // It may also be taken back.
    assert!(to_directory(&machine).expect("taken back").resumed);
    append(&machine.beside(), "C=3\n").expect("written");
    to_rows(&machine).expect("moved after all");
    assert!(text(&machine.project(), SharedFile::Env).is_some_and(|env| env.ends_with("C=3\n")));
}

#[test]
fn a_file_that_another_program_changes_meanwhile_stops_the_move_and_the_next_one_takes_it_along() {
    let (rows, machine, _) = machine();
    rows.trouble(std::iter::repeat_n(Trouble::None, 60).chain(std::iter::repeat_n(Trouble::NotDone, 300)));
    to_rows(&machine).expect_err("interrupted");
    rows.trouble([]);
    rows.pass(Duration::from_secs(60));
    edit_by_hand(&machine.directory.path().join(".env"), "EDITED=1\n");
    to_rows(&machine).expect("moved");
    assert_eq!(text(&machine.project(), SharedFile::Env).as_deref(), Some("EDITED=1\n"));
}

/// Rows during whose calls somebody saves a file in an editor, once.
struct WithEditor {
    rows: Arc<MemoryRows>,
    at: usize,
    path: PathBuf,
}

impl WithEditor {
    fn look(&self) -> &MemoryRows {
        if self.rows.calls() == self.at {
            edit_by_hand(&self.path, "EDITED=1\n");
        }
        &self.rows
    }
}

impl Rows for WithEditor {
    fn row(&self, project: &str, name: &str) -> Result<Option<Row>, RowsError> {
        self.look().row(project, name)
    }

    fn revision(&self, project: &str, name: &str) -> Result<Option<u64>, RowsError> {
        self.look().revision(project, name)
    }

    fn put(&self, put: &Put<'_>) -> Result<Placed, RowsError> {
        self.look().put(put)
    }

    fn claim(&self, project: &str, claim: &Claim, term: Duration) -> Result<bool, RowsError> {
        self.look().claim(project, claim, term)
    }

    fn release(&self, project: &str, claim: &Claim) -> Result<(), RowsError> {
        self.look().release(project, claim)
    }
}

#[test]
fn what_is_saved_in_an_editor_at_any_moment_of_a_move_is_moved_or_left_or_stops_it() {
    let (mut at, mut ends) = (0, [0; 3]);
    loop {
        let (rows, machine, _) = machine();
        let path = machine.directory.path().join(".env");
        let editor = WithEditor {
            rows: Arc::clone(&rows),
            at,
            path: path.clone(),
        };
        let keyring = machine.keyring.clone();
        let home = SealedHome::new(
            Arc::new(editor),
            &machine.beside(),
            ID,
            Box::new(move || keyring.load()),
            Arc::new(OsEntropy),
        );
        let moved = move_to_rows(&machine.beside(), &home, &OsEntropy);
        if rows.calls() <= at {
            break;
        }
        let there = || text(&machine.project(), SharedFile::Env);
        match moved {
            Err(MoveError::Changed { path: named }) => {
                assert_eq!(named, path);
                to_rows(&machine).expect("the next one takes it along");
                assert_eq!(there().as_deref(), Some("EDITED=1\n"), "call {at}");
                ends[0] += 1;
            }
            Ok(report) if report.left == [path.clone()] => {
                assert_eq!(fs::read_to_string(&path).expect("is left"), "EDITED=1\n", "call {at}");
                ends[1] += 1;
            }
            Ok(report) => {
                assert!(report.left.is_empty());
                assert!(
                    there().as_deref() == Some("EDITED=1\n") || path.exists(),
                    "call {at}: it is not lost"
                );
                ends[2] += 1;
            }
            Err(error) => panic!("call {at}: {error}"),
        }
        at += 2;
    }
    assert!(ends.iter().all(|count| *count > 0), "each of them happened: {ends:?}");
}

#[test]
fn a_file_in_the_way_is_named_and_stays() {
    let (_, machine, _) = machine();
    to_rows(&machine).expect("moved");
    let path = machine.directory.path().join(".env");
    edit_by_hand(&path, "MINE=1\n");
    let error = to_directory(&machine).expect_err("refused");
    assert!(matches!(&error, MoveError::InTheWay { path: named } if *named == path), "{error}");
    assert_eq!(fs::read_to_string(&path).expect("is there"), "MINE=1\n");
    fs::remove_file(&path).expect("removed");
    to_directory(&machine).expect("moved back");
    assert_eq!(contents(&machine.beside()), expected());
}

#[test]
fn rows_that_are_in_use_are_not_written_over() {
    let (rows, machine, keyring) = machine();
    to_rows(&machine).expect("moved");
    let other = Machine::new(&rows, &keyring);
    append(&other.beside(), "OTHER=1\n").expect("written");
    let error = to_rows(&other).expect_err("refused");
    assert_eq!(error.code(), "home_occupied", "{error}");
    assert_eq!(
        text(&other.beside(), SharedFile::Env).as_deref(),
        Some("OTHER=1\n"),
        "nothing was begun"
    );
    assert_eq!(contents(&machine.project()), expected());
}

#[test]
fn what_is_being_written_to_a_file_that_is_not_there_yet_is_moved_along() {
    let (_rows, machine, _keyring) = machine();
    let project = machine.beside();
    std::fs::remove_file(project.path(SharedFile::Env)).expect("no variables yet");
    let (begun, has_begun) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            project.update(SharedFile::Env, &OsEntropy, |_| {
                begun.send(()).expect("heard");
                // As one that waits for its key: until the move is under way, and a little longer.
                while Whereabouts::read(project.root()).expect("read") == Whereabouts::Directory {
                    std::thread::yield_now();
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
                Ok::<_, Infallible>(Edit::Replace(Zeroizing::new(b"LATE=1\n".to_vec()), ()))
            })
        });
        has_begun.recv().expect("it writes");
        to_rows(&machine).expect("moved");
        writer.join().expect("no panic").expect("acknowledged");
    });
    assert_eq!(text(&machine.project(), SharedFile::Env).as_deref(), Some("LATE=1\n"));
}

#[test]
fn a_move_that_another_machine_was_faster_at_is_taken_back_and_costs_nothing() {
    let (rows, slow, keyring) = machine();
    let fast = Machine::new(&rows, &keyring);
    set(&fast.beside(), SharedFile::Env, "FAST=1\n").expect("written");
    Whereabouts::Leaving
        .write(slow.directory.path(), &OsEntropy)
        .expect("interrupted at once");
    to_rows(&fast).expect("moved");
    let refused = to_rows(&slow).err().map(|error| error.code());
    assert_eq!(refused, Some("home_occupied"));
    to_directory(&slow).expect("taken back");
    assert_eq!(contents(&slow.beside()), expected());
    assert_eq!(text(&fast.project(), SharedFile::Env).as_deref(), Some("FAST=1\n"));
}
