//! `dango auth`: users added, changed and removed at the command line; what is refused, and what is left behind.

mod accounts;
mod database;
mod identity_key;
mod import;
mod logins;
mod races;
mod recovery;
mod switch;

use dango_tests::{Output, Scratch};
use serde_json::Value;

use crate::answers::Answer;

/// A project with one administrator, `ada@example.com`.
pub(crate) fn with_admin() -> Scratch {
    let project = Scratch::initialised();
    let _ = add(&project, "ada@example.com", "admin");
    project
}

/// Adds a user by invitation, and gives the answer.
#[track_caller]
pub(crate) fn add(project: &Scratch, email: &str, role: &str) -> Output {
    project.run(&["auth", "add-user", email, "--role", role]).success()
}

/// The users as `list-users --json` gives them.
#[track_caller]
pub(crate) fn users(project: &Scratch) -> Vec<Value> {
    let answer = project.run(&["auth", "list-users", "--json"]).success().json();
    answer.as_array().expect("a list").clone()
}

/// One member of each user, in the order of the list.
#[track_caller]
pub(crate) fn each(project: &Scratch, member: &str) -> Vec<Value> {
    users(project).into_iter().map(|user| user[member].clone()).collect()
}

/// The newest records, as `event outcome`.
#[track_caller]
pub(crate) fn newest(project: &Scratch, count: usize) -> Vec<String> {
    let list = project.run(&["audit", "list", "--json", "--limit", &count.to_string()]).success();
    let events = list.json()["events"].as_array().expect("a list").clone();
    let text = |event: &Value| {
        format!(
            "{} {}",
            event["event"].as_str().unwrap_or_default(),
            event["outcome"].as_str().unwrap_or("intent")
        )
    };
    events.iter().map(text).collect()
}
