//! `secrets import` and `export`: every format there and back, nothing overwritten unasked, nothing shown unasked.

use dango_tests::{Scratch, python};
use serde_json::{Value, json};

use crate::answers::{Answer, revealed, set};

const FORMATS: [&str; 8] = ["dotenv", "json", "yaml", "toml", "shell", "github", "docker", "k8s"];

/// Values that all formats can hold; docker has no line ends.
const PLAIN: &[(&str, &str)] = &[
    ("sources.a.simple", "sk_live_canary"),
    ("sources.a.blank", " a  b "),
    ("sources.a.quotes", "it's \"quoted\""),
    ("sources.a.dollar", "pa$$w0rd $HOME `x` $(touch ran)"),
    ("sources.a.hash", "a#b #c"),
    ("sources.a.backslash", "C:\\Users\\new"),
    ("sources.a.number", "00123"),
    ("sources.a.word", "true"),
    ("sources.a.unicode", "é日🍡"),
    ("destination.b.url", "postgresql://u:p%40s@h:5432/d?a=b&c=d"),
];

fn project() -> Scratch {
    let project = Scratch::initialised();
    for (path, value) in PLAIN {
        set(&project, path, value);
    }
    project
}

#[test]
fn export_needs_reveal() {
    let project = project();
    for format in FORMATS {
        let _ = project
            .run(&["secrets", "export", "--format", format])
            .fails(1, &["--reveal"])
            .hides(&["canary"]);
    }
}

#[test]
fn every_format_comes_back_as_it_went_out() {
    let project = project();
    for format in FORMATS {
        let exported = project.run(&["secrets", "export", "--reveal", "--format", format]).success();
        let other = Scratch::initialised();
        other.write("exported", &exported.stdout);
        // github is a file of `NAME<<DELIMITER` entries, which only GitHub reads.
        let import = other.run(&["secrets", "import", "exported", "--format", format]);
        if format == "github" && import.status != 0 {
            let _ = import.fails(2, &["--format"]);
            continue;
        }
        let _ = import.success().hides(&["canary"]);
        for (path, value) in PLAIN {
            assert_eq!(&revealed(&other, path), value, "{path} through {format}");
        }
        assert!(!other.path().join("ran").exists() && !project.path().join("ran").exists());
    }
}

#[test]
fn json_yaml_and_toml_give_the_tree_with_its_types() {
    let project = Scratch::initialised();
    let text = "[sources.a]\ns = \"00123\"\ni = 7\nf = 1.5\nb = true\nl = [\"x\", 2]\nref = \"${A:-default}\"\nm = \"l1\\nl2\\r\\n\"\n";
    project.write(".dlt/secrets.toml", text);
    let expected =
        json!({ "sources": { "a": { "s": "00123", "i": 7, "f": 1.5, "b": true, "l": ["x", 2], "ref": "default", "m": "l1\nl2\r\n" } } });
    let read = [
        ("json", "import json, sys; print(json.dumps(json.load(sys.stdin)))"),
        (
            "yaml",
            "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin.buffer.read())))",
        ),
        (
            "toml",
            "import json, sys, tomllib; print(json.dumps(tomllib.load(sys.stdin.buffer)))",
        ),
    ];
    for (format, script) in read {
        let exported = project.run(&["secrets", "export", "--reveal", "--format", format]).success().stdout;
        let answer = project.command(python(), &["-c", script]).stdin(&exported).run().success();
        assert_eq!(answer.json(), expected, "{format}:\n{exported}");
        let other = Scratch::initialised();
        other.write("exported", &exported);
        let _ = other.run(&["secrets", "import", "exported", "--format", format]).success();
        let again = other.run(&["secrets", "export", "--reveal", "--format", "json"]).success().json();
        assert_eq!(again, expected, "through {format}");
    }
}

#[test]
fn the_shell_form_is_safe_to_source_and_says_the_same() {
    let project = project();
    set(&project, "sources.a.lines", "l1\nl2; touch ran\n");
    let exported = project
        .run(&["secrets", "export", "--reveal", "--format", "shell"])
        .success()
        .stdout;
    project.write("exported.sh", &exported);
    let script = "set -a; . ./exported.sh; \"$PYTHON\" -c 'import json, os; print(json.dumps(dict(os.environ)))'";
    for shell in ["sh", "bash"] {
        let answer = project.command(shell, &["-c", script]).env("PYTHON", python()).run().success();
        let found = answer.json();
        assert_eq!(found["SOURCES__A__DOLLAR"], "pa$$w0rd $HOME `x` $(touch ran)");
        assert_eq!(found["SOURCES__A__LINES"], "l1\nl2; touch ran\n");
        assert_eq!(found["DESTINATION__B__URL"], "postgresql://u:p%40s@h:5432/d?a=b&c=d");
    }
    assert!(!project.path().join("ran").exists());
}

#[test]
fn import_overwrites_only_when_asked_and_says_what_it_did() {
    let project = Scratch::initialised();
    set(&project, "sources.a.k", "old_canary");
    project.write(
        "new.json",
        "{\"sources\": {\"a\": {\"k\": \"new_canary\", \"l\": \"added_canary\"}}}",
    );
    let answer = project.run(&["secrets", "import", "new.json", "--format", "json"]);
    let said = answer.hides(&["canary"]);
    assert!(
        said.stderr.contains("sources.a.k"),
        "what was not overwritten is named: {}",
        said.stderr
    );
    assert_eq!(revealed(&project, "sources.a.k"), "old_canary");
    let answer = project
        .run(&["secrets", "import", "new.json", "--format", "json", "--overwrite"])
        .success()
        .hides(&["canary"]);
    assert!(
        answer.stderr.contains('1') || answer.stderr.contains("sources.a.k"),
        "{}",
        answer.stderr
    );
    assert_eq!(revealed(&project, "sources.a.k"), "new_canary");
    assert_eq!(revealed(&project, "sources.a.l"), "added_canary");
}

#[test]
fn a_file_that_cannot_be_imported_is_named_with_its_place_and_changes_nothing() {
    let project = project();
    let before = project.read(".dlt/secrets.toml");
    let cases: &[(&str, &[u8], &str)] = &[
        ("json", b"{\"a\": canary}", "1"),
        ("json", b"[1, 2]", ""),
        ("json", b"{\"a\": {\"b\": null}}", "null"),
        ("json", b"{\"a\": \"x\xff\"}", "UTF-8"),
        ("yaml", b"a: [1, canary\nb: 2\n", ""),
        ("yaml", b"a: *canary\n", "1"),
        ("yaml", b"- canary\n", ""),
        ("toml", b"a = 1\nb = canary\n", "2"),
        ("shell", b"A=$(canary)\n", "1"),
        ("shell", b"rm -rf canary\n", "1"),
        ("docker", b"canary value\n", "1"),
        ("k8s", b"kind: ConfigMap\ndata:\n  a: canary\n", ""),
        ("k8s", b"apiVersion: v1\nkind: Secret\ndata:\n  A: '!canary!'\n", "A"),
        ("dotenv", b"A=\xffcanary\n", "1"),
    ];
    for (format, bytes, word) in cases {
        project.write("input", bytes);
        let answer = project.run(&["secrets", "import", "input", "--format", format]);
        assert_eq!(answer.status, 1, "{format} {:?}: {}", String::from_utf8_lossy(bytes), answer.stderr);
        let _ = answer.fails(1, &["input", word]).hides(&["canary"]);
        assert_eq!(project.read(".dlt/secrets.toml"), before, "{format}");
    }
}

#[test]
fn bombs_are_refused_and_do_not_crash() {
    let project = Scratch::initialised();
    let deep_yaml: String = (0..5_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let cases: [(&str, String); 4] = [
        ("json", format!("{}1{}", "{\"a\":".repeat(50_000), "}".repeat(50_000))),
        ("yaml", "[".repeat(100_000)),
        ("yaml", deep_yaml),
        ("toml", format!("a = {}{}", "[".repeat(50_000), "]".repeat(50_000))),
    ];
    for (format, text) in cases {
        project.write("input", text);
        let _ = project
            .run(&["secrets", "import", "input", "--format", format])
            .fails(1, &["input"]);
    }
}

#[test]
fn kubernetes_and_github_forms_are_what_their_readers_want() {
    let project = project();
    let manifest = project.run(&["secrets", "export", "--reveal", "--format", "k8s"]).success().stdout;
    let script = "import base64, json, sys, yaml; m = yaml.safe_load(sys.stdin); d = {k: base64.b64decode(v).decode() for k, v in (m.get('data') or {}).items()}; \
        d.update(m.get('stringData') or {}); print(json.dumps([m['apiVersion'], m['kind'], d]))";
    let read: Value = project.command(python(), &["-c", script]).stdin(manifest).run().success().json();
    assert_eq!((&read[0], &read[1]), (&json!("v1"), &json!("Secret")));
    assert_eq!(read[2]["SOURCES__A__QUOTES"], "it's \"quoted\"");
    set(&project, "sources.a.lines", "l1\nEOF\nSOURCES__A__SIMPLE=injected\n");
    let github = project
        .run(&["secrets", "export", "--reveal", "--format", "github"])
        .success()
        .stdout;
    let heads: Vec<&str> = github.lines().filter(|line| line.starts_with("SOURCES__A__LINES<<")).collect();
    assert_eq!(heads.len(), 1, "{github}");
    let delimiter = heads[0].split_once("<<").expect("a delimiter").1;
    assert!(
        delimiter.len() >= 16 && github.lines().filter(|line| *line == delimiter).count() == 1,
        "{github}"
    );
}
