//! What somebody can do who has the database and no key: read nothing, and nothing that they put together is taken for the project's.

use dango_secrets::home::{Row, RowKey};

use super::*;

const CANARY: &str = "canary-9f2b7c";

fn key(file: SharedFile) -> RowKey {
    (ID.to_owned(), file.name().to_owned())
}

fn row(rows: &MemoryRows, file: SharedFile) -> Row {
    rows.dump().remove(&key(file)).expect("every file has a row")
}

fn put(rows: &MemoryRows, file: SharedFile, row: Row) {
    let mut all = rows.dump();
    all.insert(key(file), row);
    rows.restore(all);
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_dump_gives_no_value_and_no_name_away() {
    let (rows, machine, _) = founded();
    let project = machine.project();
    for file in SharedFile::ALL {
        set(&project, file, &format!("# {CANARY}\nSTRIPE_KEY_{CANARY} = '{CANARY}'\n")).expect("written");
    }
    for ((project, name), row) in rows.dump() {
        let all = [project.as_bytes(), name.as_bytes(), row.key.as_bytes(), &row.sealed].concat();
        assert!(!contains(&all, CANARY.as_bytes()) && !contains(&all, b"STRIPE"), "{name}");
    }
    assert_eq!(rows.dump().len(), SharedFile::ALL.len(), "a file that is not there has a row, too");
}

#[test]
fn a_row_that_was_moved_swapped_cut_or_changed_does_not_open() {
    let (rows, machine, keyring) = founded();
    let project = machine.project();
    for number in 1..3 {
        set(&project, SharedFile::Env, &format!("A={number}\n")).expect("written");
        set(&project, SharedFile::Secrets, &format!("a = {number}\n")).expect("written");
    }
    let (env, secrets) = (row(&rows, SharedFile::Env), row(&rows, SharedFile::Secrets));
    assert_eq!(env.revision, secrets.revision, "so that only the name tells them apart");
    let of_other_project = {
        let other = Machine::new(&rows, &keyring);
        move_to_rows(&other.beside(), &other.home_of("other"), &OsEntropy).expect("moved");
        let there = other.beside().kept_in(Arc::new(other.home_of("other")));
        while rows.dump()[&("other".to_owned(), ".env".to_owned())].revision < env.revision {
            append(&there, "B=1\n").expect("written");
        }
        rows.dump().remove(&("other".to_owned(), ".env".to_owned())).expect("is there")
    };
    assert_eq!(of_other_project.revision, env.revision, "so that only the project tells them apart");
    let changed = |change: &dyn Fn(&mut Row)| {
        let mut row = env.clone();
        change(&mut row);
        row
    };
    let forged = [
        ("another file's", secrets),
        ("another project's", of_other_project),
        ("with a later revision", changed(&|row| row.revision += 1)),
        ("cut", changed(&|row| row.sealed.truncate(row.sealed.len() - 1))),
        ("emptied", changed(&|row| row.sealed.clear())),
        ("longer", changed(&|row| row.sealed.push(0))),
        ("changed in the nonce", changed(&|row| row.sealed[0] ^= 1)),
        ("changed in the text", changed(&|row| row.sealed[13] ^= 0x80)),
        ("under no key", changed(&|row| row.key = "x".to_owned())),
    ];
    for (what, forged) in forged {
        put(&rows, SharedFile::Env, forged);
        // A machine that was there before, and one that has never seen the project.
        for project in [&project, &Machine::new(&rows, &keyring).project()] {
            let code = refusal(project, SharedFile::Env);
            assert_eq!(code, Some("home_row_closed"), "{what}");
            let refused = append(project, "C=1\n").err().and_then(|error| error.code());
            assert_eq!(refused, Some("home_row_closed"), "{what}: and nothing is written over it");
        }
    }
    put(&rows, SharedFile::Env, env);
    assert_eq!(text(&project, SharedFile::Env).as_deref(), Some("A=2\n"));
}

#[test]
fn a_row_that_was_set_back_is_refused_by_whoever_has_seen_the_later_one() {
    let (rows, machine, keyring) = founded();
    let project = machine.project();
    append(&project, "A=1\n").expect("written");
    let old = rows.dump();
    append(&project, "A=2\n").expect("written");
    let new = rows.dump();
    rows.restore(old);
    // The process that saw it, and one that was started since.
    for project in [&project, &machine.project()] {
        assert_eq!(refusal(project, SharedFile::Env), Some("home_set_back"));
        assert_eq!(
            project.stamp(SharedFile::Env).err().map(|error| error.code()),
            Some("home_set_back")
        );
        assert_eq!(append(project, "A=3\n").err().and_then(|error| error.code()), Some("home_set_back"));
        assert!(project.read(SharedFile::Secrets).is_ok(), "other files are as they were");
    }
    let stranger = Machine::new(&rows, &keyring).project();
    assert_eq!(text(&stranger, SharedFile::Env).as_deref(), Some("A=1\n"), "as docs/adr/0009 says");
    rows.restore(new);
    assert_eq!(text(&project, SharedFile::Env).as_deref(), Some("A=1\nA=2\n"));
}

#[test]
fn a_row_that_is_gone_is_no_missing_file() {
    let (rows, machine, keyring) = founded();
    append(&machine.project(), "A=1\n").expect("written");
    rows.restore(Default::default());
    for project in [machine.project(), Machine::new(&rows, &keyring).project()] {
        for file in SharedFile::ALL {
            assert_eq!(refusal(&project, file), Some("home_row_missing"));
        }
        assert_eq!(
            append(&project, "A=2\n").err().and_then(|error| error.code()),
            Some("home_row_missing")
        );
    }
    assert!(rows.dump().is_empty(), "nothing is made in its place");
}

#[test]
fn without_the_key_or_with_another_nothing_opens() {
    let (rows, machine, _) = founded();
    append(&machine.project(), "A=1\n").expect("written");
    let stranger = Machine::new(&rows, &Keyring::new()).project();
    assert_eq!(refusal(&stranger, SharedFile::Env), Some("home_key_unknown"));
    let locked = Machine::new(&rows, &Keyring(Arc::default())).project();
    assert_eq!(refusal(&locked, SharedFile::Env), Some("home_key_not_fetched"));
}
