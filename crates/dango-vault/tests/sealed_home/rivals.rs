//! Two machines that move one project, a key that is gone, a database that is gone: there is one home, and nothing is lost.

use std::time::Duration;

use dango_secrets::home::{Claim, Placed, Put, Row, Rows, RowsError, Trouble, Whereabouts};
use dango_secrets::storage::WriteError;
use dango_vault::{MoveError, Standing, take_back};

use super::moves::{contents, expected, machine, to_directory, to_rows};
use super::*;

/// Interrupts a move back right after the files were noted to be whole: before the first row has forgotten anything.
fn returned(rows: &Arc<MemoryRows>, machine: &Machine) {
    for calls in 0.. {
        rows.trouble(std::iter::repeat_n(Trouble::None, calls).chain(std::iter::repeat_n(Trouble::NotDone, 300)));
        to_directory(machine).expect_err("interrupted");
        rows.trouble([]);
        rows.pass(Duration::from_secs(60));
        if Whereabouts::read(machine.directory.path()).ok() == Some(Whereabouts::Returned) {
            return;
        }
    }
}

#[test]
fn files_count_only_once_the_rows_have_forgotten_and_of_two_that_take_them_one_has_them() {
    let (rows, one, keyring) = machine();
    to_rows(&one).expect("moved");
    let other = Machine::new(&rows, &keyring);
    Whereabouts::Rows.write(other.directory.path(), &OsEntropy).expect("joined");
    returned(&rows, &one);
    assert_eq!(refusal(&one.beside(), SharedFile::Env), Some("home_moved"));
    assert_eq!(
        append(&one.beside(), "TWO=1\n").err().and_then(|error| error.code()),
        Some("home_moving"),
        "the other machine reads rows still"
    );
    assert_eq!(contents(&other.project()), expected());

    to_directory(&other).expect("taken over");
    assert_eq!(contents(&other.beside()), expected());
    append(&other.beside(), "C=3\n").expect("and it counts there");
    let refused = to_directory(&one).expect_err("another move has them");
    assert_eq!(refused.code(), "home_moved", "{refused}");
    assert!(refused.to_string().contains("ana's laptop"), "{refused}");
    assert_ne!(Whereabouts::read(one.directory.path()).ok(), Some(Whereabouts::Directory));
    assert_eq!(refusal(&one.beside(), SharedFile::Env), Some("home_moved"));
}

#[test]
fn what_another_machine_has_changed_since_is_fetched_anew() {
    let (rows, one, keyring) = machine();
    to_rows(&one).expect("moved");
    let other = Machine::new(&rows, &keyring);
    Whereabouts::Rows.write(other.directory.path(), &OsEntropy).expect("joined");
    returned(&rows, &one);
    to_directory(&other).expect("taken over");
    append(&other.beside(), "C=3\n").expect("written");
    to_rows(&other).expect("and moved to rows again");
    let refused = to_directory(&one).expect_err("its files are old");
    assert!(matches!(refused, MoveError::InTheWay { .. }), "{refused}");
    append(&other.project(), "D=4\n").expect("and nothing was closed");
    for file in SharedFile::ALL {
        let _ = std::fs::remove_file(one.beside().path(file));
    }
    to_directory(&one).expect("moved back");
    assert_eq!(
        contents(&one.beside())[&SharedFile::Env].as_deref(),
        Some(&b"A=1\nB='two'\nC=3\nD=4\n"[..])
    );
}

#[test]
fn a_move_that_another_one_has_under_way_is_waited_for_and_one_that_goes_on_has_its_own_lease() {
    let (rows, one, _keyring) = machine();
    rows.trouble(std::iter::repeat_n(Trouble::None, 30).chain(std::iter::repeat_n(Trouble::NotDone, 300)));
    to_rows(&one).expect_err("interrupted");
    rows.trouble([]);
    let (state, token) = Whereabouts::read_move(one.directory.path()).expect("noted");
    assert_eq!(state, Whereabouts::Leaving);
    let lease = |holder| Claim {
        name: "move".to_owned(),
        holder,
    };
    let term = Duration::from_secs(3600);
    let held = |holder| rows.claim(ID, &lease(holder), term).expect("no trouble");
    assert!(!held([9; 16]), "the one that was interrupted has it still, for a while");
    assert!(
        held(*token.expect("of this move").bytes()),
        "and whoever goes on with it has it at once"
    );
}

#[test]
fn a_mover_whose_lease_has_gone_to_another_lets_nothing_count() {
    let (rows, one, _keyring) = machine();
    let stolen = Stealing(Arc::clone(&rows));
    let keyring = one.keyring.clone();
    let home = SealedHome::new(
        Arc::new(stolen),
        &one.beside(),
        ID,
        Box::new(move || keyring.load()),
        Arc::new(OsEntropy),
    );
    let refused = move_to_rows(&one.beside(), &home, &OsEntropy).expect_err("the lease is lost");
    assert!(matches!(refused, MoveError::LeaseLost), "{refused}");
    assert_eq!(Whereabouts::read(one.directory.path()).ok(), Some(Whereabouts::Leaving));
    assert_eq!(contents(&one.beside()), expected());
}

/// Rows in which another machine has the lease of a move as soon as the last file was brought.
struct Stealing(Arc<MemoryRows>);

impl Rows for Stealing {
    fn row(&self, project: &str, name: &str) -> Result<Option<Row>, RowsError> {
        self.0.row(project, name)
    }

    fn revision(&self, project: &str, name: &str) -> Result<Option<u64>, RowsError> {
        self.0.revision(project, name)
    }

    fn put(&self, put: &Put<'_>) -> Result<Placed, RowsError> {
        let placed = self.0.put(put);
        if put.name == SharedFile::Env.name() {
            self.0.pass(Duration::from_secs(60));
            let claim = Claim {
                name: "move".to_owned(),
                holder: [9; 16],
            };
            self.0.claim(put.project, &claim, Duration::from_secs(3600))?;
        }
        placed
    }

    fn claim(&self, project: &str, claim: &Claim, term: Duration) -> Result<bool, RowsError> {
        self.0.claim(project, claim, term)
    }

    fn release(&self, project: &str, claim: &Claim) -> Result<(), RowsError> {
        self.0.release(project, claim)
    }
}

#[test]
fn taking_a_move_back_touches_no_rows_that_another_machine_has_brought() {
    let (rows, slow, keyring) = machine();
    rows.trouble(std::iter::repeat_n(Trouble::None, 30).chain(std::iter::repeat_n(Trouble::NotDone, 300)));
    to_rows(&slow).expect_err("interrupted");
    rows.trouble([]);
    rows.pass(Duration::from_secs(60));
    // The other one has brought everything and dies right before it counts.
    let fast = Machine::new(&rows, &keyring);
    append(&fast.beside(), "FAST=1\n").expect("written");
    for calls in 0.. {
        rows.trouble(std::iter::repeat_n(Trouble::None, calls).chain(std::iter::repeat_n(Trouble::NotDone, 300)));
        to_rows(&fast).expect_err("interrupted");
        rows.trouble([]);
        rows.pass(Duration::from_secs(60));
        if Whereabouts::read(fast.directory.path()).ok() == Some(Whereabouts::Rows) {
            break;
        }
    }
    assert!(matches!(fast.home().standing(SharedFile::ALL[0]), Ok(Standing::Settling(_))));
    assert_eq!(to_rows(&slow).err().map(|error| error.code()), Some("home_occupied"));
    to_directory(&slow).expect("taken back");
    to_rows(&fast).expect("goes on");
    assert_eq!(text(&fast.project(), SharedFile::Env).as_deref(), Some("FAST=1\n"));
    assert_eq!(contents(&slow.beside()), expected());
}

#[test]
fn a_project_whose_key_was_replaced_in_files_is_moved_again() {
    let (rows, machine, keyring) = machine();
    to_rows(&machine).expect("moved");
    to_directory(&machine).expect("moved back");
    keyring.hold(Some(&Keyring::new().load().expect("another key")));
    let elsewhere = Machine::new(&rows, &keyring);
    assert_eq!(
        refusal(&elsewhere.project(), SharedFile::Env),
        Some("home_moved"),
        "that it is gone is told without the key of that time"
    );
    to_rows(&machine).expect("moved again");
    assert_eq!(contents(&machine.project()), expected());
}

#[test]
fn a_move_that_does_not_count_is_taken_back_without_its_database() {
    let (rows, machine, _keyring) = machine();
    rows.trouble(std::iter::repeat_n(Trouble::None, 60).chain(std::iter::repeat_n(Trouble::NotDone, 300)));
    to_rows(&machine).expect_err("interrupted");
    assert!(take_back(&machine.beside(), None, "", &OsEntropy).expect("taken back").rows_left);
    append(&machine.beside(), "C=3\n").expect("the files count, and are open again");
    rows.trouble([]);
    rows.pass(Duration::from_secs(60));
    to_rows(&machine).expect("what was left there is replaced");
    assert!(text(&machine.project(), SharedFile::Env).is_some_and(|env| env.ends_with("C=3\n")));
}

#[test]
fn a_link_and_a_file_that_no_row_has_are_refused_before_anything_is_closed() {
    let (_rows, machine, _keyring) = machine();
    let env = machine.beside().path(SharedFile::Env);
    let real = machine.directory.path().join("shared.env");
    std::fs::rename(&env, &real).expect("renamed");
    std::os::unix::fs::symlink("shared.env", &env).expect("a link");
    assert!(matches!(to_rows(&machine), Err(MoveError::Link { path }) if path == env));
    append(&machine.beside(), "").expect("nothing was begun");
    std::fs::rename(&real, &env).expect("the file itself");
    to_rows(&machine).expect("moved");
    let providers = machine.beside().path(SharedFile::Providers);
    storage_write(&providers, "[x]\n");
    assert!(matches!(to_directory(&machine), Err(MoveError::InTheWay { path }) if path == providers));
    append(&machine.project(), "C=3\n").expect("nothing was closed");
}

fn storage_write(path: &std::path::Path, text: &str) {
    let edit = |_: Option<&[u8]>| Ok::<_, Infallible>(Edit::Replace(Zeroizing::new(text.as_bytes().to_vec()), ()));
    dango_secrets::storage::update(path, &OsEntropy, edit).expect("written");
}

#[test]
fn what_the_database_refuses_or_never_answers_is_told_before_long() {
    let (rows, machine, _keyring) = machine();
    to_rows(&machine).expect("moved");
    let project = machine.project();
    // Claim, row, put.
    rows.trouble([Trouble::None, Trouble::None, Trouble::Refused]);
    let refused = append(&project, "C=3\n").err().and_then(|error| error.code());
    assert_eq!(refused, Some("home_unreachable"), "it is known not to be done");
    let silent = [
        Trouble::None,
        Trouble::None,
        Trouble::NotDone,
        Trouble::NotDone,
        Trouble::NotDone,
        Trouble::None,
    ];
    let before = rows.calls();
    rows.trouble(std::iter::repeat_n(silent, 100).flatten());
    let unsure = append(&project, "C=3\n").err().and_then(|error| error.code());
    assert_eq!(unsure, Some("home_unsure"));
    assert!(rows.calls() - before < 30, "{}", rows.calls() - before);
    rows.trouble([]);
}

#[test]
fn a_lease_says_nothing_of_what_it_is_for() {
    let (rows, machine, _keyring) = machine();
    to_rows(&machine).expect("moved");
    let (project, other) = (machine.project(), Machine::new(&rows, &machine.keyring));
    let _lease = project.lease("oauth-shop", Duration::ZERO).expect("free");
    let plain = Claim {
        name: "oauth-shop".to_owned(),
        holder: [1; 16],
    };
    assert!(
        rows.claim(ID, &plain, Duration::from_secs(1)).expect("no trouble"),
        "there is no such name"
    );
    let held = other.project().lease("oauth-shop", Duration::ZERO);
    assert!(matches!(held, Err(WriteError::Locked { .. })), "and every machine finds the same");
}
