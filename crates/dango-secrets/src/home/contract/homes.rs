//! What whoever has a project may rely on, wherever its files are kept: two homes over one place behave as one.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dango_core::OsEntropy;
use zeroize::Zeroizing;

use crate::home::{Home, SharedFile, update};
use crate::storage::{Edit, UpdateError, WriteError};

/// How many do the same at once.
const CROWD: usize = 50;
/// Longer than any of it takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Gives two homes over one new place without any file.
pub type MakeTwo<'m> = &'m dyn Fn() -> [Arc<dyn Home>; 2];

/// Puts a home under everything.
pub fn check(make: MakeTwo<'_>) {
    files_are_what_was_written(make);
    no_file_is_another_thing_than_an_empty_one(make);
    an_edit_that_keeps_or_refuses_changes_nothing(make);
    stamps_tell_changes(make);
    nothing_of_a_crowd_is_lost(make);
    one_of_a_crowd_makes_a_file(make);
    a_lease_is_had_by_one(make);
}

fn set(home: &dyn Home, file: SharedFile, bytes: &[u8]) {
    let edit = |_: Option<&[u8]>| Ok::<_, Infallible>(Edit::Replace(Zeroizing::new(bytes.to_vec()), ()));
    update(home, file, &OsEntropy, edit).expect("written");
}

fn bytes(home: &dyn Home, file: SharedFile) -> Option<Vec<u8>> {
    home.read(file).expect("read").map(|contents| contents.bytes().to_vec())
}

fn files_are_what_was_written(make: MakeTwo<'_>) {
    let [one, other] = make();
    let long = vec![b'x'; 300_000];
    let texts: [&[u8]; 5] = [b"A=1\n", b"", b"\0\xff\xfe", "ä🍡\r\n".as_bytes(), &long];
    for text in texts {
        for file in SharedFile::ALL {
            set(one.as_ref(), file, text);
            for home in [&one, &other] {
                assert!(bytes(home.as_ref(), file).as_deref() == Some(text), "{file:?} is what was written");
            }
        }
    }
    set(other.as_ref(), SharedFile::Env, b"only this");
    assert!(bytes(one.as_ref(), SharedFile::Env).as_deref() == Some(b"only this"));
    assert!(bytes(one.as_ref(), SharedFile::Secrets) == Some(long), "another file stays");
}

fn no_file_is_another_thing_than_an_empty_one(make: MakeTwo<'_>) {
    let [one, other] = make();
    for file in SharedFile::ALL {
        assert!(bytes(one.as_ref(), file).is_none(), "{file:?} is not there");
    }
    let seen = update(one.as_ref(), SharedFile::Env, &OsEntropy, |old| {
        Ok::<_, Infallible>(Edit::Replace(Zeroizing::default(), old.is_none()))
    });
    assert!(seen.expect("written"), "the edit is told that there is none");
    assert!(bytes(other.as_ref(), SharedFile::Env).is_some_and(|bytes| bytes.is_empty()));
    let seen = update(other.as_ref(), SharedFile::Env, &OsEntropy, |old| {
        Ok::<_, Infallible>(Edit::Keep(old.is_some_and(<[u8]>::is_empty)))
    });
    assert!(seen.expect("read"), "the edit is told that it is empty");
}

fn an_edit_that_keeps_or_refuses_changes_nothing(make: MakeTwo<'_>) {
    let [one, _] = make();
    let home = one.as_ref();
    let refuse = |_: Option<&[u8]>| Err::<Edit<()>, _>(std::fmt::Error);
    let keep = |_: Option<&[u8]>| Ok::<_, Infallible>(Edit::Keep(7));
    for there in [None, Some(b"old".to_vec())] {
        if let Some(bytes) = &there {
            set(home, SharedFile::Env, bytes);
        }
        let stamp = home.stamp(SharedFile::Env).expect("asked");
        assert!(matches!(
            update(home, SharedFile::Env, &OsEntropy, refuse),
            Err(UpdateError::Edit(std::fmt::Error))
        ));
        assert_eq!(update(home, SharedFile::Env, &OsEntropy, keep).ok(), Some(7));
        assert!(bytes(home, SharedFile::Env) == there);
        assert!(home.stamp(SharedFile::Env).expect("asked") == stamp);
    }
}

fn stamps_tell_changes(make: MakeTwo<'_>) {
    let [one, other] = make();
    let stamp = || one.stamp(SharedFile::Secrets).expect("asked");
    let mut before = stamp();
    for text in [b"a" as &[u8], b"bb", b"a"] {
        set(other.as_ref(), SharedFile::Secrets, text);
        let now = stamp();
        assert!(now.is_some() && now != before, "a change shows");
        assert!(now == stamp(), "and nothing else does");
        before = now;
    }
}

/// Runs the same on as many threads as a crowd has, each with one of the two homes.
fn crowd(homes: &[Arc<dyn Home>; 2], act: impl Fn(&dyn Home, usize) + Sync) {
    std::thread::scope(|scope| {
        for number in 0..CROWD {
            let (home, act) = (Arc::clone(&homes[number % 2]), &act);
            scope.spawn(move || act(home.as_ref(), number));
        }
    });
}

fn nothing_of_a_crowd_is_lost(make: MakeTwo<'_>) {
    let homes = make();
    crowd(&homes, |home, number| {
        let edit = |old: Option<&[u8]>| {
            let mut new = Zeroizing::new(old.unwrap_or_default().to_vec());
            new.extend_from_slice(format!("{number}\n").as_bytes());
            Ok::<_, Infallible>(Edit::Replace(new, ()))
        };
        // A crowd on a slow machine may make one wait for longer than a home is willing to.
        while let Err(error) = update(home, SharedFile::Env, &OsEntropy, edit) {
            assert!(matches!(error, UpdateError::Write(WriteError::Locked { .. })), "{error}");
        }
    });
    let text = bytes(homes[0].as_ref(), SharedFile::Env).expect("is there");
    let text = String::from_utf8(text).expect("text");
    let mut numbers: Vec<usize> = text.lines().map(|line| line.parse().expect("a number")).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, Vec::from_iter(0..CROWD), "each change is there once");
}

fn one_of_a_crowd_makes_a_file(make: MakeTwo<'_>) {
    let homes = make();
    let made = AtomicUsize::new(0);
    crowd(&homes, |home, number| {
        let edit = |old: Option<&[u8]>| {
            Ok::<_, Infallible>(match old {
                Some(_) => Edit::Keep(0),
                None => Edit::Replace(Zeroizing::new(number.to_string().into_bytes()), 1),
            })
        };
        let count = loop {
            match update(home, SharedFile::History, &OsEntropy, edit) {
                Ok(count) => break count,
                Err(error) => assert!(matches!(error, UpdateError::Write(WriteError::Locked { .. })), "{error}"),
            }
        };
        made.fetch_add(count, Ordering::SeqCst);
    });
    assert_eq!(made.into_inner(), 1);
}

fn a_lease_is_had_by_one(make: MakeTwo<'_>) {
    let homes = make();
    let first = homes[0].lease("oauth-a", Duration::ZERO).expect("free");
    for home in &homes {
        let refused = home.lease("oauth-a", Duration::ZERO);
        assert!(matches!(refused, Err(WriteError::Locked { .. })), "one at a time");
    }
    let another = homes[1].lease("oauth-b", Duration::ZERO).expect("another name");
    drop(first);
    let second = homes[1].lease("oauth-a", Duration::ZERO).expect("given back");
    drop((second, another));
    let inside = AtomicUsize::new(0);
    crowd(&homes, |home, _| {
        let _lease = home.lease("oauth-a", PATIENCE).expect("had in time");
        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "nobody else is inside");
        std::thread::yield_now();
        inside.fetch_sub(1, Ordering::SeqCst);
    });
}
