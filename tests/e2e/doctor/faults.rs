//! Every fault, alone in a project that has no other, and as many as one project can have at once: found, and nothing else.

use std::collections::BTreeSet;

use dango_tests::Scratch;

use super::seeds::{ALONE, FAULTS, Fault};
use super::{Row, examine, full};

fn expected(faults: &[Fault]) -> BTreeSet<Row> {
    faults.iter().map(|fault| (fault.code.to_owned(), fault.path.to_owned())).collect()
}

#[test]
fn each_fault_is_found_where_it_is_and_nothing_else_is() {
    let healthy = full();
    let mut wrong = Vec::new();
    for fault in FAULTS.iter().chain(ALONE) {
        let mut project = Scratch::copy_of(&healthy);
        (fault.seed)(&mut project);
        let found = examine(&project, &[]);
        if found != expected(std::slice::from_ref(fault)) {
            wrong.push(format!("{} at {}: {found:?}", fault.code, fault.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_project_with_all_faults_at_once_is_told_exactly_these() {
    let mut project = full();
    for fault in FAULTS {
        (fault.seed)(&mut project);
    }
    let codes: BTreeSet<&str> = FAULTS.iter().map(|fault| fault.code).collect();
    assert!(codes.len() >= 30, "{}", codes.len());
    let (all, found) = (expected(FAULTS), examine(&project, &[]));
    let missed: Vec<&Row> = all.difference(&found).collect();
    let invented: Vec<&Row> = found.difference(&all).collect();
    assert!(
        missed.is_empty() && invented.is_empty(),
        "missed: {missed:?}\ninvented: {invented:?}"
    );
}

#[test]
fn what_is_safe_is_put_right_and_a_second_run_tells_of_the_rest_alone() {
    let mut project = full();
    for fault in FAULTS {
        (fault.seed)(&mut project);
    }
    let rest: BTreeSet<Row> = FAULTS
        .iter()
        .filter(|fault| !fault.fixable)
        .map(|fault| (fault.code.to_owned(), fault.path.to_owned()))
        .collect();
    assert_eq!(examine(&project, &["--fix"]), rest);
    assert_eq!(examine(&project, &[]), rest);
}
