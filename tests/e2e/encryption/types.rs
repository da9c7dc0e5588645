//! What a value is does not change by encryption: every command says the same of an encrypted project as of a plain one, and decrypting gives the bytes back.

use dango_tests::{Output, Scratch, python};
use serde_json::json;

use super::{SECRETS, encrypt_all, envelopes, with_key_file};
use crate::answers::{Answer, revealed};
use crate::dlt::{from_file, from_run};
use crate::values::texts;

/// The name below `sources.t`, how it is spelled in the file, and what `get --reveal` prints.
const TYPED: &[(&str, &str, &str)] = &[
    ("basic", "\"sk_live \\u00e9\\t\\\"x\\\"\"", "sk_live é\t\"x\""),
    ("literal", "'C:\\new'", "C:\\new"),
    ("empty", "\"\"", ""),
    ("multi", "\"\"\"\nline 1\nline 2 \\\n   goes on\n\"\"\"", "line 1\nline 2 goes on\n"),
    ("multi_literal", "'''\nit's\n\\n'''", "it's\n\\n"),
    ("crlf", "\"\"\"a\r\nb\"\"\"", "a\nb"),
    ("dollar", "\"\\u0024{HOME} $HOME\"", "${HOME} $HOME"),
    ("like_number", "\"00123\"", "00123"),
    ("like_true", "\"true\"", "true"),
    ("integer", "1_000", "1_000"),
    ("hex", "0xDEAD_beef", "0xDEAD_beef"),
    ("negative", "-7", "-7"),
    ("largest", "9223372036854775807", "9223372036854775807"),
    ("float", "6.022_14e+23", "6.022_14e+23"),
    ("infinite", "-inf", "-inf"),
    ("yes", "true", "true"),
    ("no", "false", "false"),
    ("date", "2031-02-27", "2031-02-27"),
    ("time", "07:32:00.5", "07:32:00.5"),
    ("local", "2031-02-27 07:32:00", "2031-02-27 07:32:00"),
    ("offset", "2031-02-27T07:32:00+02:00", "2031-02-27T07:32:00+02:00"),
    (
        "array",
        "[ 1, \"two\", [ 3.5, true ], { k = \"v\" } ]",
        "[1,\"two\",[3.5,true],{\"k\":\"v\"}]",
    ),
    ("lines", "[\n  \"a\", # first\n  \"b\",\n]", "[\"a\",\"b\"]"),
    ("nothing", "[]", "[]"),
    (
        "inline",
        "{ user = \"ada\", port = 5432, deep = { on = true } }",
        "{\"user\":\"ada\",\"port\":5432,\"deep\":{\"on\":true}}",
    ),
];

fn file() -> String {
    let lines: String = TYPED.iter().map(|(name, text, _)| format!("{name} = {text} # {name}\n")).collect();
    format!("[sources.t]\n{lines}\n[destination.d.credentials]\nhost = \"h\"\nport = 0o17\n")
}

/// Everything that commands say of the values when they are asked to.
fn said(project: &Scratch) -> Vec<(String, Output)> {
    let mut commands: Vec<Vec<&str>> = Vec::new();
    for format in ["dotenv", "json", "yaml", "toml", "shell", "github", "docker", "k8s"] {
        commands.push(vec!["secrets", "export", "--reveal", "--format", format]);
    }
    let print = "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if '__' in k}, sort_keys=True))";
    let python = python().to_str().expect("a plain path");
    commands.push(vec!["run", "--", python, "-c", print]);
    commands.push(vec!["secrets", "get", "sources.t", "--reveal"]);
    let paths: Vec<String> = TYPED.iter().map(|(name, _, _)| format!("sources.t.{name}")).collect();
    for path in &paths {
        commands.push(vec!["secrets", "get", path, "--reveal"]);
        commands.push(vec!["secrets", "get", path, "--reveal", "--json"]);
        commands.push(vec!["secrets", "get", path]);
    }
    let run = |words: &Vec<&str>| {
        let mut answer = project.run(words);
        // A github file's delimiters are drawn anew each time.
        if words.contains(&"github") {
            answer.stdout = answer.stdout.lines().filter(|line| line.contains("live")).collect();
        }
        answer.stdout = answer.stdout.replace("\"encrypted\": true", "\"encrypted\": false");
        (words.join(" "), answer)
    };
    commands.iter().map(run).collect()
}

#[test]
fn every_command_says_the_same_of_encrypted_values_as_of_plain_ones() {
    let project = with_key_file();
    project.write(SECRETS, file());
    project.write(".env", "TOKEN='from env'\n");
    let plain = said(&project);
    for (name, _, value) in TYPED {
        assert_eq!(revealed(&project, &format!("sources.t.{name}")), *value, "{name}");
    }
    encrypt_all(&project);
    let text = project.read(SECRETS);
    assert_eq!(
        envelopes(&text).len(),
        TYPED.len() + 2 + 2,
        "each value and three in the inline table:\n{text}"
    );
    for (plain, encrypted) in plain.iter().zip(said(&project)) {
        assert_eq!(*plain, encrypted);
    }
    let _ = project.run(&["secrets", "decrypt", "--all"]).success();
    assert_eq!(project.read(SECRETS), file());
}

#[test]
fn lists_know_types_and_what_is_encrypted() {
    let project = with_key_file();
    let text = "[sources.t]\na = \"x\"\nb = 7\nref = \"${HOME}\"\n";
    project.write(SECRETS, text);
    project.write(".env", "A=b\nREF=${A}\n");
    encrypt_all(&project);
    let list = project.run(&["secrets", "list", "sources", "--json"]).success().json();
    let row = |path: &str| {
        list.as_array()
            .expect("a list")
            .iter()
            .find(|row| row["path"] == path)
            .expect("it is listed")
            .clone()
    };
    // Without the key nobody knows more of an encrypted value than that it is one.
    assert_eq!(
        (&row("sources.t.a")["encrypted"], &row("sources.t.a")["masked_value"]),
        (&json!(true), &json!("***"))
    );
    assert_eq!(row("sources.t.b")["encrypted"], json!(true));
    let reference = row("sources.t.ref");
    assert_eq!((&reference["encrypted"], &reference["reference"]), (&json!(false), &json!(true)));
    let list = project.run(&["env", "list", "--json"]).success().json();
    assert_eq!(list[0]["encrypted"], json!(true));
    assert_eq!((&list[1]["encrypted"], &list[1]["reference"]), (&json!(false), &json!(true)));
}

#[test]
fn nothing_encrypted_is_expanded() {
    let project = with_key_file();
    let _ = project
        .dango(&["secrets", "set", "sources.a.k", "--encrypt"])
        .stdin("${HOME}")
        .run()
        .success();
    let _ = project.dango(&["env", "set", "K", "--encrypt"]).stdin("${HOME}").run().success();
    assert_eq!(revealed(&project, "sources.a.k"), "${HOME}");
    let answer = project.run(&["run", "--", "printenv", "SOURCES__A__K", "K"]).success();
    assert_eq!(answer.stdout, "${HOME}\n${HOME}\n");
    let refused = project
        .dango(&["secrets", "set", "sources.a.k", "--encrypt", "--reference"])
        .stdin("${HOME}")
        .run();
    assert_ne!(refused.status, 0, "an encrypted reference would never be resolved");
}

#[test]
fn dlt_below_run_reads_every_string_of_an_encrypted_project() {
    let project = with_key_file();
    let values: serde_json::Map<String, serde_json::Value> = texts(1_000)
        .into_iter()
        .enumerate()
        .map(|(number, text)| (format!("v{number:04}"), json!(text)))
        .collect();
    let tree = json!({ "sources": { "e2e": values } });
    project.write("values.json", tree.to_string());
    let _ = project.run(&["secrets", "import", "values.json", "--format", "json"]).success();
    let before = project.read(SECRETS);
    let _ = project.run(&["secrets", "encrypt", "--all"]).success();
    let section = json!({ "name": "e2e", "folder": project.path(), "values": values });
    let answer = from_run(&project, &json!({ "task": "strings", "sections": [section] }));
    assert_eq!((&answer["wrong"], &answer["read"]), (&json!([]), &json!(values.len())));
    let _ = project.run(&["secrets", "decrypt", "--all"]).success();
    assert_eq!(project.read(SECRETS), before);
    let answer = from_file(&project, &json!({ "task": "strings", "sections": [section] }));
    assert_eq!(answer["wrong"], json!([]));
}
