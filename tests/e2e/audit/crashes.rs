//! Processes that are killed while they act: the chain is whole, and no user is there without a record.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::answers::Answer;
use crate::auth::{users, with_admin};
use crate::values::Dice;

const KILLS: u64 = 120;

#[test]
fn kill_nine_leaves_no_user_without_a_record_and_no_record_without_a_user() {
    let project = with_admin();
    let begin = Instant::now();
    let _ = crate::auth::add(&project, "usual@example.com", "viewer");
    let usual = begin.elapsed();
    let mut dice = Dice::new(4);
    for number in 0..KILLS {
        let email = format!("user{number}@example.com");
        let mut command = project.dango(&["auth", "add-user", &email]).into_command();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begin = Instant::now();
        let instant: Duration = usual.mul_f64(dice.below(1_200) as f64 / 1_000.0);
        while begin.elapsed() < instant {
            std::hint::spin_loop();
        }
        let _ = child.kill();
        let _ = child.wait();
    }
    let _ = crate::auth::add(&project, "after@example.com", "viewer");
    let verdict = project.run(&["audit", "verify", "--json"]).success().json();
    let there = users(&project).len() as u64;
    assert_eq!(
        verdict["events"].as_u64(),
        Some(there + 1),
        "one record for each user, and one for the key"
    );
    assert!(
        (3..KILLS + 3).contains(&there),
        "kills were to come before and after the commit: {there}"
    );
}
