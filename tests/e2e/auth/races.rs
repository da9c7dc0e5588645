//! Many processes at once: what may happen once happens once, and the chain holds.

use std::thread;

use dango_tests::{Output, Scratch};

use super::{each, users, with_admin};
use crate::answers::Answer;

/// Runs the same or different commands at once, and gives how each ended.
fn at_once(project: &Scratch, commands: &[Vec<&str>]) -> Vec<Output> {
    thread::scope(|scope| {
        let run = |command: &Vec<&str>| project.run(command);
        let threads: Vec<_> = commands.iter().map(|command| scope.spawn(move || run(command))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

#[test]
fn of_fifty_processes_that_add_one_user_one_succeeds() {
    let project = Scratch::initialised();
    let ends = at_once(&project, &vec![vec!["auth", "add-user", "ada@example.com", "--role", "admin"]; 50]);
    let (added, refused): (Vec<Output>, Vec<Output>) = ends.into_iter().partition(|end| end.status == 0);
    assert_eq!(added.len(), 1, "{added:?}");
    for end in refused {
        let _ = end.fails(1, &["a user ada@example.com already"]);
    }
    assert_eq!(users(&project).len(), 1);
    let verdict = project.run(&["audit", "verify", "--json"]).success().json();
    assert_eq!(
        (&verdict["ok"], &verdict["events"]),
        (&true.into(), &51.into()),
        "each left one record, and one of them that it made the key"
    );
}

#[test]
fn two_administrators_who_demote_each_other_leave_one() {
    for _ in 0..8 {
        let project = with_admin();
        let _ = super::add(&project, "bob@example.com", "admin");
        let ends = at_once(
            &project,
            &[
                vec!["auth", "change-role", "ada@example.com", "viewer"],
                vec!["auth", "change-role", "bob@example.com", "viewer"],
            ],
        );
        let mut statuses: Vec<i32> = ends.iter().map(|end| end.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [0, 1], "one refusal: {ends:?}");
        assert_eq!(each(&project, "role").iter().filter(|role| *role == "admin").count(), 1);
        let _ = project.run(&["audit", "verify"]).success().says(&["as it was written"]);
    }
}
