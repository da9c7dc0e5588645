//! What a database of rows has to do: rows that are put once, claims that one has, nothing for whoever has none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::home::{Claim, Placed, Put, Row, Rows};

const CROWD: u8 = 50;
/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(600);

/// Puts rows under everything; `make` gives those of a new, empty database.
pub fn check(make: &dyn Fn() -> Arc<dyn Rows>) {
    a_row_is_put_where_the_expected_one_is(make().as_ref());
    without_the_claim_nothing_is_put(make().as_ref());
    a_claim_is_had_by_one_until_it_ends(make().as_ref());
    one_of_a_crowd_puts_and_one_claims(make().as_ref());
}

fn claim(holder: u8) -> Claim {
    Claim {
        name: "a".to_owned(),
        holder: [holder; 16],
    }
}

fn held(rows: &dyn Rows, project: &str, holder: u8) -> Claim {
    let claim = claim(holder);
    assert!(rows.claim(project, &claim, LONG).expect("asked"));
    claim
}

fn put(rows: &dyn Rows, (project, name): (&str, &str), expected: u64, sealed: &[u8], claim: &Claim) -> Placed {
    let put = Put {
        project,
        name,
        expected,
        key: "0123456789abcdef",
        sealed,
        claim,
    };
    rows.put(&put).expect("answered")
}

fn row(rows: &dyn Rows, project: &str, name: &str) -> Option<(u64, Vec<u8>)> {
    let row: Option<Row> = rows.row(project, name).expect("read");
    let revision = rows.revision(project, name).expect("read");
    assert_eq!(row.as_ref().map(|row| row.revision), revision, "both say the same");
    row.map(|row| {
        assert_eq!(row.key, "0123456789abcdef");
        (row.revision, row.sealed)
    })
}

fn a_row_is_put_where_the_expected_one_is(rows: &dyn Rows) {
    let claim = held(rows, "p", 1);
    assert!(row(rows, "p", ".env").is_none());
    assert_eq!(put(rows, ("p", ".env"), 1, b"x", &claim), Placed::Outrun, "there is none yet");
    assert_eq!(put(rows, ("p", ".env"), 0, b"\0one\xff", &claim), Placed::Done);
    assert_eq!(put(rows, ("p", ".env"), 0, b"x", &claim), Placed::Outrun, "there is one already");
    assert_eq!(put(rows, ("p", ".env"), 1, b"", &claim), Placed::Done);
    for other in [0, 1, 3] {
        assert_eq!(put(rows, ("p", ".env"), other, b"x", &claim), Placed::Outrun);
    }
    assert_eq!(row(rows, "p", ".env"), Some((2, Vec::new())));
    assert_eq!(put(rows, ("p", "history"), 0, b"h", &claim), Placed::Done);
    assert_eq!(row(rows, "p", ".env"), Some((2, Vec::new())), "another name is another row");
    assert!(row(rows, "q", ".env").is_none(), "and so is another project");
}

fn without_the_claim_nothing_is_put(rows: &dyn Rows) {
    assert_eq!(put(rows, ("p", ".env"), 0, b"x", &claim(1)), Placed::ClaimLost, "never claimed");
    let held_elsewhere = held(rows, "q", 1);
    assert_eq!(
        put(rows, ("p", ".env"), 0, b"x", &held_elsewhere),
        Placed::ClaimLost,
        "claimed in another project"
    );
    let ours = held(rows, "p", 2);
    assert_eq!(put(rows, ("p", ".env"), 0, b"x", &claim(1)), Placed::ClaimLost, "somebody else's");
    rows.release("p", &ours).expect("released");
    assert_eq!(put(rows, ("p", ".env"), 0, b"x", &ours), Placed::ClaimLost, "given back");
    assert!(rows.claim("p", &ours, Duration::ZERO).expect("asked"));
    assert_eq!(put(rows, ("p", ".env"), 0, b"x", &ours), Placed::ClaimLost, "over");
    assert!(row(rows, "p", ".env").is_none());
}

fn a_claim_is_had_by_one_until_it_ends(rows: &dyn Rows) {
    let first = held(rows, "p", 1);
    assert!(!rows.claim("p", &claim(2), LONG).expect("asked"), "it is had");
    assert!(rows.claim("p", &first, LONG).expect("asked"), "one's own is prolonged");
    rows.release("p", &claim(2)).expect("nothing to release");
    assert!(
        !rows.claim("p", &claim(2), LONG).expect("asked"),
        "nobody gives back what is another's"
    );
    let another = Claim {
        name: "b".to_owned(),
        holder: [2; 16],
    };
    assert!(rows.claim("p", &another, LONG).expect("asked"), "another name is free");
    rows.release("p", &first).expect("released");
    rows.release("p", &first).expect("released once more");
    assert!(rows.claim("p", &claim(2), Duration::ZERO).expect("asked"), "free again");
    assert!(rows.claim("p", &claim(3), LONG).expect("asked"), "a term that is over is free");
    assert!(!rows.claim("p", &claim(2), LONG).expect("asked"), "whoever had it has it no more");
}

fn one_of_a_crowd_puts_and_one_claims(rows: &dyn Rows) {
    let (claimed, placed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let ours = Claim {
        name: "all".to_owned(),
        holder: [0; 16],
    };
    assert!(rows.claim("p", &ours, LONG).expect("asked"));
    std::thread::scope(|scope| {
        for holder in 0..CROWD {
            let (claimed, placed, ours) = (&claimed, &placed, &ours);
            scope.spawn(move || {
                claimed.fetch_add(usize::from(rows.claim("p", &claim(holder), LONG).expect("asked")), Ordering::SeqCst);
                for expected in 0..3 {
                    let is_ours = put(rows, ("p", ".env"), expected, &[holder], ours) == Placed::Done;
                    placed.fetch_add(usize::from(is_ours), Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(claimed.into_inner(), 1);
    let revision = row(rows, "p", ".env").map(|(revision, _)| revision);
    assert_eq!(revision, Some(placed.into_inner() as u64), "every row that was put is one revision");
}
