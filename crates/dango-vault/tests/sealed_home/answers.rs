//! Answers that get lost, at each call of a change: what was acknowledged is there, once, and what failed is not.

use std::time::Duration;

use dango_secrets::home::Trouble;

use super::*;

const TROUBLES: [Trouble; 3] = [Trouble::NotDone, Trouble::NoAnswer, Trouble::Late];
/// More calls than a change makes, a second attempt included.
const CALLS: usize = 14;

/// How one change under trouble ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Done,
    NotDone,
    Unsure,
}

/// Appends a line while answers get lost, and compares what is said with what is there.
fn append_in_trouble(troubles: &[Trouble]) -> Ended {
    let (rows, machine, keyring) = founded();
    let project = machine.project();
    append(&project, "before\n").expect("no trouble yet");
    // A claim that nobody gave back ends after a few calls.
    rows.pace(Duration::from_secs(2));
    rows.trouble(troubles.iter().copied());
    let result = append(&project, "ours\n");
    rows.trouble([]);
    let other = Machine::new(&rows, &keyring).project();
    append(&other, "after\n").expect("the next one is not held up for good");
    let there = text(&project, SharedFile::Env).expect("is there");
    let once = "before\nours\nafter\n";
    match result {
        Ok(()) => {
            assert_eq!(there, once, "{troubles:?}: what was acknowledged is there once");
            Ended::Done
        }
        Err(UpdateError::Write(error)) if error.code() == "home_unsure" => {
            assert!([once, "before\nafter\n"].contains(&there.as_str()), "{troubles:?}: {there}");
            Ended::Unsure
        }
        Err(error) => {
            assert_eq!(there, "before\nafter\n", "{troubles:?}: {error}: what failed is not there");
            Ended::NotDone
        }
    }
}

fn at(call: usize, trouble: Trouble) -> Vec<Trouble> {
    let mut troubles = vec![Trouble::None; call];
    troubles.push(trouble);
    troubles
}

#[test]
fn one_lost_answer_is_always_settled() {
    for call in 0..CALLS {
        for trouble in TROUBLES {
            assert_ne!(append_in_trouble(&at(call, trouble)), Ended::Unsure, "{trouble:?} at call {call}");
        }
    }
    // Claim, row, put: the answer of the put itself is the one that may be lost without harm.
    for trouble in TROUBLES {
        assert_eq!(append_in_trouble(&at(2, trouble)), Ended::Done, "{trouble:?}");
    }
}

#[test]
fn two_lost_answers_in_a_row_never_make_a_lie() {
    for call in 0..6 {
        for first in TROUBLES {
            for second in TROUBLES {
                let mut troubles = at(call, first);
                troubles.push(second);
                append_in_trouble(&troubles);
            }
        }
    }
}

#[test]
fn a_database_that_stays_away_leaves_what_is_known_to_be_unknown() {
    let mut troubles = vec![Trouble::None; 2];
    troubles.push(Trouble::NoAnswer);
    troubles.extend([Trouble::NotDone; 20]);
    assert_eq!(append_in_trouble(&troubles), Ended::Unsure);
    let before_the_put = [Trouble::None, Trouble::NotDone];
    assert_eq!(append_in_trouble(&before_the_put), Ended::NotDone);
}

#[test]
fn who_loses_the_claim_while_editing_begins_anew_and_nothing_is_lost() {
    let (rows, machine, keyring) = founded();
    let (project, other) = (machine.project(), Machine::new(&rows, &keyring).project());
    let mut asked = 0;
    let done = project.update(SharedFile::Env, &OsEntropy, |old| {
        asked += 1;
        if asked == 1 {
            // Somebody had to unlock a keyring, and that took long.
            rows.pass(Duration::from_secs(60));
            append(&other, "theirs\n")?;
        }
        let mut new = old.unwrap_or_default().to_vec();
        new.extend_from_slice(b"ours\n");
        Ok::<_, UpdateError<Infallible>>(Edit::Replace(Zeroizing::new(new), ()))
    });
    assert!(done.is_ok());
    assert_eq!(asked, 2);
    assert_eq!(text(&project, SharedFile::Env).as_deref(), Some("theirs\nours\n"));
}

#[test]
fn without_the_database_nothing_is_read_and_no_copy_is_used() {
    let (rows, machine, _) = founded();
    let project = machine.project();
    append(&project, "A=1\n").expect("written");
    rows.trouble([Trouble::NotDone; 2]);
    assert_eq!(refusal(&project, SharedFile::Env), Some("home_unreachable"));
    assert_eq!(
        project.stamp(SharedFile::Env).err().map(|error| error.code()),
        Some("home_unreachable")
    );
    assert_eq!(
        text(&project, SharedFile::Env).as_deref(),
        Some("A=1\n"),
        "and it is there again afterwards"
    );
}
