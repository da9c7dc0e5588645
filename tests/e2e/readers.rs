//! The real readers of `.env` and what `dango env` says and writes: values that come back exactly, refusals that touch nothing, odd files read alike.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dango_tests::{Scratch, node, node_modules, python};
use serde_json::Value;

use crate::answers::{Answer, set_env};
use crate::values::{NASTY, texts};

/// What python-dotenv reads in each of these files.
pub(crate) fn python_dotenv(project: &Scratch, files: &[PathBuf]) -> Vec<Value> {
    let mut arguments = vec!["-c".into(), include_str!("scripts/dotenv_values.py").into()];
    arguments.extend(files.iter().map(|file| file.clone().into_os_string()));
    let answer = project.command(python(), &arguments).inside(project.home()).run().success().json();
    answer.as_array().expect("one answer a file").clone()
}

/// What node dotenv reads in the project's `.env`.
fn node_dotenv(project: &Scratch) -> Value {
    let file = project.path().join(".env");
    let script = include_str!("scripts/dotenv_values.js");
    let words = ["-e".as_ref(), script.as_ref(), file.as_os_str()];
    project
        .command(node(), &words)
        .env("NODE_PATH", node_modules())
        .run()
        .success()
        .json()
}

#[test]
fn what_env_set_writes_comes_back_exactly_from_python_and_node() {
    let values = texts(800);
    let mut written = 0;
    for (number, values) in values.chunks(100).enumerate() {
        written += comes_back_exactly(number, values);
    }
    assert!(written >= 500, "only {written} values have a form that both readers share");
}

/// Sets every value in one file and returns how many were not refused.
fn comes_back_exactly(number: usize, values: &[String]) -> usize {
    let project = Scratch::initialised();
    let mut written = BTreeMap::new();
    for (index, value) in values.iter().enumerate() {
        let key = format!("K{number}_{index}");
        let before = project.read_bytes(".env");
        let answer = project.dango(&["env", "set", "--raw", &key]).stdin(value).run();
        if answer.status == 0 {
            written.insert(key, Value::String(value.clone()));
        } else {
            let answer = answer.fails(1, &[&key, "hint:"]);
            assert!(
                value.len() < 12 || !answer.stderr.contains(value),
                "a refusal shows no value: {}",
                answer.stderr
            );
            assert_eq!(project.read_bytes(".env"), before, "a refusal touches nothing");
        }
    }
    let count = written.len();
    let written = Value::Object(written.into_iter().collect());
    assert_eq!(node_dotenv(&project), written, "node dotenv reads something else");
    assert_eq!(
        python_dotenv(&project, &[project.path().join(".env")])[0],
        written,
        "python-dotenv reads something else"
    );
    count
}

#[test]
fn values_that_both_readers_can_share_are_never_refused() {
    let shared = [
        "",
        " ",
        " a ",
        "a b",
        "a#b",
        "a #b",
        "it's",
        "say \"hi\"",
        "`date`",
        "$HOME",
        "$(date)",
        "pa$$w0rd$x",
        "a\\b",
        "C:\\Users\\new",
        "a\nb\n",
        "{\"a\": \"b\"}",
        "é日🍡",
        "true",
        "00123",
        "=",
        "a=b",
        "\t",
        ";",
        "!x",
        "postgresql://u:p%40s@h/d?a=b",
        "-----BEGIN KEY-----\nMII+/=\n-----END KEY-----\n",
    ];
    let project = Scratch::initialised();
    for (number, value) in shared.iter().enumerate() {
        let answer = project.dango(&["env", "set", "--raw", &format!("K{number}")]).stdin(value).run();
        assert_eq!(answer.status, 0, "{value:?}: {}", answer.stderr);
    }
}

#[test]
fn values_that_a_reader_would_change_are_refused_with_the_choices() {
    let project = Scratch::initialised();
    set_env(&project, "KEPT", "as it is");
    let before = project.read_bytes(".env");
    for value in ["${HOME}", "a${B}c", "${X:-d}", "it's ${A}\n"] {
        let answer = project.dango(&["env", "set", "KEY"]).stdin(value).run();
        let _ = answer.fails(1, &["KEY", "hint:", "secrets.toml"]).hides(&[value]);
        assert_eq!(project.read_bytes(".env"), before, "{value:?}");
    }
}

#[test]
fn a_reference_is_written_only_where_it_is_asked_for_and_means_what_python_dotenv_makes_of_it() {
    let project = Scratch::initialised();
    set_env(&project, "HOST", "db.example.org");
    let _ = project
        .dango(&["env", "set", "URL", "--reference"])
        .stdin("https://${HOST}:${PORT:-443}/")
        .run()
        .success();
    let read = python_dotenv(&project, &[project.path().join(".env")]);
    assert_eq!(read[0]["URL"], "https://db.example.org:443/");
    assert_eq!(
        project.run(&["env", "get", "URL", "--reveal"]).success().stdout,
        "https://db.example.org:443/\n"
    );
    assert_eq!(
        project.run(&["env", "get", "URL", "--reveal", "--no-resolve"]).success().stdout,
        "https://${HOST}:${PORT:-443}/\n"
    );
}

#[test]
fn replacing_one_value_over_and_over_leaves_every_other_line_alone() {
    let project = Scratch::initialised();
    let head = "# head\r\nexport A='x y' # why\r\n\r\nB = \"1\\n2\"\r\n";
    let tail = "garbage line\n'Q'=1\nC=`x`\nA_LAST=1";
    for value in NASTY {
        project.write(".env", format!("{head}KEY=old\n{tail}"));
        if project.dango(&["env", "set", "--raw", "KEY"]).stdin(value).run().status == 0 {
            let text = project.read(".env");
            assert!(text.starts_with(head) && text.ends_with(tail), "{value:?} made {text:?}");
        }
    }
}
