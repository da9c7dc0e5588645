//! Lists and exports: filters, pages, formats, and what a hostile name cannot do.

use dango_tests::{Scratch, python};
use serde_json::Value;

use super::with_records;
use crate::answers::{Answer, names};
use crate::auth::with_admin;

fn events(project: &Scratch, more: &[&str]) -> Value {
    let arguments: Vec<&str> = ["audit", "list", "--json"].iter().chain(more).copied().collect();
    project.run(&arguments).success().json()
}

fn places(page: &Value) -> Vec<u64> {
    let events = page["events"].as_array().expect("a list");
    events.iter().map(|event| event["seq"].as_u64().expect("a number")).collect()
}

#[test]
fn a_project_without_a_log_has_an_empty_one_and_gets_nothing() {
    let project = Scratch::initialised();
    let before = names(&project.path());
    assert_eq!(events(&project, &[]), serde_json::json!({"events": [], "next_cursor": null}));
    assert_eq!(
        project.run(&["audit", "verify", "--json"]).success().json(),
        serde_json::json!({"ok": true, "events": 0, "first_bad": null})
    );
    assert_eq!(project.run(&["audit", "export"]).success().stdout, "");
    let csv = project.run(&["audit", "export", "--format", "csv"]).success().stdout;
    assert!(csv.starts_with("seq,at,event,") && csv.lines().count() == 1, "{csv}");
    assert_eq!(names(&project.path()), before);
}

#[test]
fn a_list_has_the_members_of_the_http_api_newest_first_and_goes_on_behind_its_cursor() {
    let project = with_records(7);
    let first = events(&project, &["--limit", "3"]);
    assert_eq!(places(&first), [7, 6, 5]);
    let members: Vec<&String> = first["events"][0].as_object().expect("an object").keys().collect();
    assert_eq!(
        members,
        [
            "seq",
            "at",
            "event",
            "actor",
            "target",
            "outcome",
            "origin",
            "request_id",
            "details",
            "prev_hash",
            "hash"
        ]
    );
    let cursor = first["next_cursor"].as_str().expect("there are more").to_owned();
    let second = events(&project, &["--limit", "100", "--cursor", &cursor]);
    assert_eq!((places(&second), &second["next_cursor"]), (vec![4, 3, 2, 1], &Value::Null));
    assert_eq!(
        project.run(&["auth", "audit", "--json"]).success().json(),
        events(&project, &[]),
        "another name for it"
    );
}

#[test]
fn filters_take_time_event_and_actor_and_refuse_nonsense() {
    let project = with_admin();
    let _ = project.run(&["auth", "change-role", "nobody@example.com", "viewer"]).ending_with(1);
    let uid = project.command("id", &["-u"]).run().success().stdout;
    assert_eq!(places(&events(&project, &["--type", "role_changed"])), [3]);
    assert_eq!(places(&events(&project, &["--actor", uid.trim()])), [3, 2, 1]);
    assert!(places(&events(&project, &["--actor", "nobody@example.com"])).is_empty());
    assert_eq!(places(&events(&project, &["--since", "1h"])), [3, 2, 1]);
    assert!(places(&events(&project, &["--until", "2020-01-01"])).is_empty());
    for (option, value) in [
        ("--since", "yesterday"),
        ("--until", "7y"),
        ("--limit", "0"),
        ("--cursor", "x"),
        ("--type", "user_creatd"),
    ] {
        let _ = project.run(&["audit", "list", option, value]).fails(2, &[option]);
    }
    let _ = project
        .run(&["audit", "list", "--type", "nope"])
        .fails(2, &["user_created", "secret_set"]);
}

#[test]
fn exports_are_whole_in_order_and_recorded() {
    let project = with_records(5);
    let lines = project.run(&["audit", "export"]).success().stdout;
    let parsed: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let found: Vec<u64> = parsed.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert_eq!(found, [1, 2, 3, 4, 5]);
    assert_eq!(
        project.run(&["audit", "export", "--limit", "2"]).success().stdout.lines().count(),
        2
    );
    let exported = events(&project, &["--type", "audit_exported"]);
    assert_eq!(places(&exported), [9, 7], "one outcome each, behind its intent");
    let file = ["audit", "export", "--format", "csv", "--output", "log.csv"];
    assert_eq!(project.run(&file).success().says(&["log.csv"]).stdout, "");
    let _ = project.run(&file).fails(1, &["already"]);
    let script = "import csv; rows = list(csv.DictReader(open('log.csv', newline=''))); print(len(rows), rows[0]['event'])";
    let read = project.command(python(), &["-c", script]).run().success();
    assert_eq!(read.stdout, "9 identity_key_created\n");
    let _ = project.run(&["audit", "verify"]).success();
}

#[test]
fn a_name_cannot_add_lines_formulas_or_colours() {
    let project = with_admin();
    let hostile = "=1+1\u{1b}[31m\u{202e}\nforged";
    let _ = project
        .dango(&["auth", "unlock", "ada@example.com"])
        .env("USER", hostile)
        .run()
        .success();
    let csv = project.run(&["audit", "export", "--format", "csv"]).success().stdout;
    assert_eq!(csv.lines().count(), 4, "{csv}");
    assert!(
        !csv.contains(",=1") && !csv.contains('\u{1b}') && !csv.contains('\u{202e}'),
        "{csv}"
    );
    let table = project.run(&["audit", "list"]).success().stdout;
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(!table.contains('\u{1b}') && !table.contains('\u{202e}'), "{table}");
}
