//! `env list`, `get`, `unset` and `lint`: shapes, masks and exit statuses; what other programs read is in `readers.rs`.

use dango_tests::Scratch;
use serde_json::json;

use crate::answers::Answer;

const FILE: &str = "# hand made\nexport A='x_canary'\nB=${A}/b_canary\nA=last_canary\nC-D=1\nNO_VALUE\n";

fn project() -> Scratch {
    let project = Scratch::initialised();
    project.write(".env", FILE);
    project
}

#[test]
fn list_as_json_has_key_mask_and_reference() {
    let rows = project().run(&["env", "list", "--json"]).success().hides(&["canary"]).json();
    let row = |key: &str, reference: bool| json!({ "key": key, "masked_value": "***", "encrypted": false, "reference": reference });
    assert_eq!(
        rows,
        json!([row("A", false), row("B", true), row("C-D", false), row("NO_VALUE", false)])
    );
}

#[test]
fn get_is_masked_unless_reveal_is_given_and_the_last_duplicate_counts() {
    let project = project();
    assert_eq!(project.run(&["env", "get", "A"]).success().stdout, "***\n");
    assert_eq!(project.run(&["env", "get", "A", "--reveal"]).success().stdout, "last_canary\n");
    assert_eq!(
        project.run(&["env", "get", "B", "--reveal", "--no-resolve"]).success().stdout,
        "${A}/b_canary\n"
    );
    let shown = project.run(&["env", "get", "A", "--json"]).success().hides(&["canary"]).json();
    assert_eq!((&shown["key"], &shown["masked_value"]), (&json!("A"), &json!("***")));
    let _ = project.run(&["env", "get", "NO_VALUE", "--reveal"]).fails(1, &["NO_VALUE"]);
}

#[test]
fn what_is_missing_is_exit_1_and_a_value_typed_with_it_is_not_repeated() {
    let project = project();
    for verb in ["get", "unset"] {
        let _ = project.run(&["env", verb, "NOTHING"]).fails(1, &[".env"]);
        let answer = project.run(&["env", verb, "NOTHING=canary"]).hides(&["canary"]);
        assert!(answer.status == 1 || answer.status == 2, "{}", answer.status);
    }
    assert_eq!(project.read(".env"), FILE);
}

#[test]
fn set_changes_the_last_duplicate_and_keeps_every_other_line() {
    let project = project();
    let answer = project.dango(&["env", "set", "A"]).stdin("new").run().success();
    assert_eq!(answer.stdout, "");
    let text = project.read(".env");
    assert!(
        text.starts_with("# hand made\nexport A='x_canary'\nB=${A}/b_canary\nA=") && text.ends_with("\nC-D=1\nNO_VALUE\n"),
        "{text}"
    );
    assert_eq!(project.run(&["env", "get", "A", "--reveal"]).success().stdout, "new\n");
}

#[test]
fn unset_leaves_no_definition_of_the_key_and_every_other_line() {
    let project = project();
    let _ = project.run(&["env", "unset", "A"]).success();
    assert_eq!(project.read(".env"), "# hand made\nB=${A}/b_canary\nC-D=1\nNO_VALUE\n");
    let _ = project.run(&["env", "unset", "C-D"]).success();
    assert_eq!(project.read(".env"), "# hand made\nB=${A}/b_canary\nNO_VALUE\n");
}

#[test]
fn a_missing_env_file_is_an_empty_one() {
    let project = Scratch::initialised();
    std::fs::remove_file(project.path().join(".env")).expect("init made it");
    assert_eq!(project.run(&["env", "list", "--json"]).success().json(), json!([]));
    let _ = project.run(&["env", "get", "A"]).fails(1, &[".env"]);
    let _ = project.dango(&["env", "set", "A"]).stdin("1").run().success();
    assert_eq!(project.run(&["env", "get", "A", "--reveal"]).success().stdout, "1\n");
}

#[test]
fn lint_is_exit_0_where_every_reader_sees_the_same_and_3_where_not() {
    let project = Scratch::initialised();
    project.write(".env", "# plain\nA=1\nB_2=abc/def\n");
    let answer = project.run(&["env", "lint"]).success();
    assert_eq!(answer.stdout, "");
    assert_eq!(project.run(&["env", "lint", "--json"]).success().json(), json!([]));

    project.write(".env", "A=1\nPASSWORD=canary#canary\n\nB=\"x canary\"\nC=`canary`\nD=${canary}\n");
    let answer = project.run(&["env", "lint"]).ending_with(3).hides(&["canary#"]);
    for (line, key) in [("2", "PASSWORD"), ("4", "B"), ("5", "C"), ("6", "D")] {
        assert!(
            answer
                .stdout
                .lines()
                .any(|text| text.contains(&format!(":{line}:")) && text.contains(key)),
            "line {line}:\n{}",
            answer.stdout
        );
    }
    for reader in ["python-dotenv", "node", "docker", "bash"] {
        assert!(answer.stdout.contains(reader), "{reader}:\n{}", answer.stdout);
    }
    let rows = project.run(&["env", "lint", "--json"]).ending_with(3).json();
    let lines: Vec<u64> = rows
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| row["line"].as_u64())
        .collect();
    for line in [2, 4, 5, 6] {
        assert!(lines.contains(&line), "line {line} in {rows}");
    }
    assert!(!lines.contains(&1), "line 1 is the same to all: {rows}");
}
