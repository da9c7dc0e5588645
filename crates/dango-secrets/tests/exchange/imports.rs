//! What is read, and what is refused with its place.

use dango_secrets::exchange::{Import, ImportProblem, Place, parse_docker, parse_json, parse_k8s, parse_shell, parse_yaml, write_yaml};
use dango_secrets::{Text, Value};
use zeroize::Zeroizing;

use crate::{imported, refused, secret, show_import, specimen};

#[test]
fn toml_values_are_imported_with_their_types_and_references_as_text() {
    let entries = [
        ("a".to_owned(), Value::String(Text::from_plain("${A}"))),
        ("e".to_owned(), Value::Table(Vec::new())),
        (
            "t".to_owned(),
            Value::Table(vec![("at".to_owned(), Value::Datetime(Zeroizing::new("1979-05-27".to_owned())))]),
        ),
    ];
    let import = Import::from_values(&entries).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(show_import(&import), ["a = \"${A}\"", "t.at = time 1979-05-27"]);
    assert_eq!(import.empty_tables, 1);
}

#[test]
fn names_that_do_not_fit_together_are_refused() {
    let pairs = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), secret("canary"))).collect();
    assert_eq!(
        refused(Import::from_variables(pairs(&["A__B", "a__b"]))),
        "a__b: it stands for a.b, and so does A__B"
    );
    assert_eq!(
        refused(Import::from_variables(pairs(&["A__B__C", "A"]))),
        "A__B__C: it stands for a.b.c, but a has a value of its own"
    );
    assert_eq!(
        imported(Import::from_variables(vec![("A".into(), secret("1")), ("A".into(), secret("2"))])),
        ["a = \"2\""]
    );
}

#[test]
fn a_name_of_very_many_parts_is_refused_at_once() {
    let name = "a__".repeat(1_000_000) + "b";
    let error = Import::from_variables(vec![(name, secret("x"))]).err().expect("refused");
    assert_eq!(error.problem, ImportProblem::TooDeep);
}

#[test]
fn what_real_programs_write_is_read() {
    let yaml = include_bytes!("../fixtures/exchange/pyyaml.yaml");
    assert_eq!(imported(parse_yaml(yaml)), imported(parse_yaml(write_yaml(&specimen()).as_bytes())));
    let expected = [
        "a = \"plain\"",
        "empty = \"\"",
        "lc_all = \"C.UTF-8\"",
        "quotes = \"it's \\\"q\\\" \\\\ $(touch x) `touch y` ${A}\"",
        "_u = \"é🍡\"",
    ];
    for text in [
        include_bytes!("../fixtures/exchange/bash.sh").as_slice(),
        include_bytes!("../fixtures/exchange/dash.sh"),
    ] {
        let mut lines = imported(parse_shell(text));
        lines.sort_by_key(|line| line.trim_start_matches('_').to_owned());
        assert_eq!(lines, expected);
    }
}

#[test]
fn json_is_read_strictly_and_refused_with_its_place() {
    let accepted = "\u{feff}{\"a\": {\"b\": [1, -0, 2.5, 1E+2, true, {\"c\": \"\\ud83c\\udf61\\/\"}]}, \"e\": {}, \"s\": \"\\u00e9\"}";
    assert_eq!(
        imported(parse_json(accepted.as_bytes())),
        ["a.b = [int 1, int 0, float 2.5, float 100.0, true, {\"c\": \"🍡/\"}]", "s = \"é\""]
    );
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for (text, message) in [
        ("", "line 1, column 1: a value was expected"),
        ("[1]", "line 1, column 1: a table of names and values was expected"),
        ("{\"é\": 1,\n  \"b\": null}", "line 2, column 8: there is no null in secrets.toml"),
        ("{\"a\": [null]}", "line 1, column 8: there is no null"),
        ("{\"a\": 1, \"a\": 2}", "line 1, column 10: this name is already"),
        ("{\"a\": 9223372036854775808}", "line 1, column 7: this number is too large"),
        ("{\"a\": 1e999}", "line 1, column 7: this number is too large"),
        ("{\"a\": 01}", "line 1, column 7: this is not a JSON number"),
        ("{\"a\": 1.}", "line 1, column 7: this is not a JSON number"),
        ("{\"a\": -}", "line 1, column 7: this is not a JSON number"),
        ("{\"a\": .5}", "line 1, column 7: a value was expected"),
        ("{\"a\": NaN}", "line 1, column 7: a value was expected"),
        ("{\"a\": 'x'}", "line 1, column 7: a value was expected"),
        ("{\"a\": 1,}", "line 1, column 9: a name in double quotes was expected"),
        ("{\"a\" 1}", "line 1, column 6: `:` was expected"),
        ("{\"a\": 1 \"b\"", "line 1, column 9: `,` or `}` was expected"),
        ("{\"a\": truex}", "line 1, column 11: `,` or `}` was expected"),
        ("{\"a\": [1", "line 1, column 9: `,` or `]` was expected"),
        ("{} {}", "line 1, column 4: nothing may follow"),
        ("{\"a\": \"canary", "line 1, column 7: the quote is never closed"),
        ("{\"a\": \"canary\t\"}", "line 1, column 14: a control character"),
        ("{\"a\": \"\\x41\"}", "line 1, column 8: this is no JSON escape"),
        ("{\"a\": \"\\ud800\"}", "line 1, column 8: this is no JSON escape"),
        ("{\"a\": \"\\udc00\"}", "line 1, column 8: this is no JSON escape"),
        ("{\"a\": \"\\u+123\"}", "line 1, column 8: this is no JSON escape"),
        ("{\"a\": \"\\u0000\"}", "line 1, column 7: the character NUL"),
        ("{\"\\u0000\": \"canary\"}", "line 1, column 12: the character NUL"),
        (deep.as_str(), "line 1, column 70: tables and arrays are nested more than 64 deep"),
    ] {
        let error = refused(parse_json(text.as_bytes()));
        assert!(error.starts_with(message), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
    assert_eq!(refused(parse_json(b"{\n\"\xc3\xa9\xff")), "line 2, column 3: this is not UTF-8");
    assert!(refused(parse_json(&vec![b' '; 17 << 20])).starts_with("the file: it is larger than 16 MiB"));
}

#[test]
fn yaml_is_read_with_the_core_schema() {
    let text = "
# a comment
sources:
  stripe:
    api_key: \"sk \\u00e9\"   # another
    plain: sk_live # three
    single: 'it''s'
    block: |
      one
      two
    folded: >-
      one
      two
numbers: [1, -2, +3, 0x1F, 0o17, 1.5, 1e3, .5, 5., -.inf, 0, 0.0]
words: [yes, on, 2026-11-21, 1_000, 12:30, 0x, 1.2.3, \"1\", 'true', \"null\", True, FALSE, e3, ., '']
tagged: [!!str 1, !!int 1, !!float 1, !!bool true, ! 1]
123: numeric key
? explicit
: value
empty: {}
flow: {a: [x, {b: c}]}
";
    assert_eq!(
        imported(parse_yaml(text.as_bytes())),
        [
            "sources.stripe.api_key = \"sk é\"",
            "sources.stripe.plain = \"sk_live\"",
            "sources.stripe.single = \"it's\"",
            "sources.stripe.block = \"one\\ntwo\\n\"",
            "sources.stripe.folded = \"one two\"",
            "numbers = [int 1, int -2, int 3, int 31, int 15, float 1.5, float 1000.0, float 0.5, float 5.0, float -inf, int 0, float 0.0]",
            "words = [\"yes\", \"on\", \"2026-11-21\", \"1_000\", \"12:30\", \"0x\", \"1.2.3\", \"1\", \"true\", \"null\", true, false, \"e3\", \".\", \"\"]",
            "tagged = [\"1\", int 1, float 1.0, true, \"1\"]",
            "123 = \"numeric key\"",
            "explicit = \"value\"",
            "flow.a = [\"x\", {\"b\": \"c\"}]",
        ]
    );
}

#[test]
fn yaml_that_is_more_than_data_is_refused_with_its_place() {
    let deep = format!("a: {}", "[".repeat(1_000_000));
    let nested = format!("a: {}1{}", "[".repeat(100), "]".repeat(100));
    let blocks: String = (0..100).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    for (text, message) in [
        ("", "the file: a table"),
        ("canary", "line 1, column 1: a table"),
        ("a: &x canary\nb: *x", "line 1, column 7: anchors, aliases"),
        ("a: 1\nb: *canary", "line 2"),
        ("a: &x {b: 1}", "line 1"),
        ("a:\n  <<: {b: 1}", "line 2, column 3: anchors, aliases and merge keys"),
        ("a: 1\na: 2", "line 2, column 1: this name is already"),
        ("a: 1\n\"a\": 2", "line 2, column 1: this name is already"),
        ("a:\nb: 1", "line 1"),
        ("a: ~", "line 1, column 4: there is no null"),
        ("a: [1, null]", "line 1, column 8: there is no null"),
        ("~: canary", "line 1, column 1: there is no null"),
        ("a: 9223372036854775808", "line 1, column 4: this number is too large"),
        ("a: 0xffffffffffffffff", "line 1, column 4: this number is too large"),
        ("a: 1e999", "line 1, column 4: this number is too large"),
        ("pin: 0042", "line 1, column 6: readers disagree about numbers with leading zeros"),
        ("a: !vault canary", "line 1"),
        ("a: !!python/object:os.system canary", "line 1"),
        ("a: !!int canary", "line 1"),
        ("a: !!binary aGk=", "line 1"),
        ("a: !!set {x: 1}", "line 1"),
        ("a: 1\n---\nb: 2", "line 2, column 1: there is more than one document"),
        ("? [a]\n: 1", "line 1"),
        ("a: \"canary", "line "),
        ("a: 'canary\n b: 1", "line "),
        ("a: [canary", "line "),
        ("a: canary: b", "line 1"),
        ("a: @canary", "line 1"),
        ("a: %canary", "line 1"),
        ("a:\n\tb: canary", "line 2"),
        ("a: \"\\q canary\"", "line 1"),
        ("a: \"\\0\"", "line 1, column 4: the character NUL"),
        (deep.as_str(), "line 1: tables and arrays are nested"),
        (nested.as_str(), "line 1, column 68: tables and arrays are nested"),
        (blocks.as_str(), "line 66, column 66: tables and arrays are nested"),
    ] {
        let error = refused(parse_yaml(text.as_bytes()));
        assert!(error.starts_with(message), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
}

#[test]
fn shell_assignments_are_read_without_a_shell() {
    let text = "\u{feff}# secrets
export A='it'\\''s $HOME `x`'
B=\"two \\\"q\\\" \\$X \\`y\\` \\n \\\\ 'z' #no\" # comment
  export C=a\\ b\"c\"'d' D=2;E=#3
declare -x F=\"l1
l2\"
export G H=é\\
i; G=; J=a#b=c%,:/@+!

K='last'";
    let expected = [
        "a = \"it's $HOME `x`\"",
        "b = \"two \\\"q\\\" $X `y` \\\\n \\\\ 'z' #no\"",
        "c = \"a bcd\"",
        "d = \"2\"",
        "e = \"#3\"",
        "f = \"l1\\nl2\"",
        "h = \"éi\"",
        "g = \"\"",
        "j = \"a#b=c%,:/@+!\"",
        "k = \"last\"",
    ];
    assert_eq!(imported(parse_shell(text.as_bytes())), expected);
    assert_eq!(imported(parse_shell(b"export A='x'\r\nB=y\r\n\r\n")), ["a = \"x\"", "b = \"y\""]);
}

#[test]
fn what_bash_export_p_prints_is_read_back() {
    let printed = std::process::Command::new("bash")
        .args([
            "-c",
            r"export A=$'l1\nl2\001' B='x y$z' C=ü; declare -rx D=1; declare -ix E=7; export F; export -p",
        ])
        .env_clear()
        .env("LC_ALL", "C")
        .output()
        .expect("bash runs");
    let read = imported(parse_shell(&printed.stdout));
    for expected in ["a = \"l1\\nl2\\u{1}\"", "b = \"x y$z\"", "c = \"ü\"", "d = \"1\"", "e = \"7\""] {
        assert!(read.iter().any(|line| line == expected), "{expected} in {read:?}");
    }
    assert!(parse_shell(b"declare -ax A=(1)").is_err() && parse_shell(b"declare -r A=1").is_err());
    assert!(parse_shell(b"A=$'x").is_err() && parse_shell(b"A=$'\\377'").is_err() && parse_shell(b"A=$'\\0'").is_err());
}

#[test]
fn shell_text_that_would_do_something_is_refused_with_its_line() {
    for (text, line, problem) in [
        ("A=$HOME", 1, ImportProblem::Expansion),
        ("\nA=\"x $HOME\"", 2, ImportProblem::Expansion),
        ("A=\"\n$(canary)\"", 2, ImportProblem::Expansion),
        ("A=`canary`", 1, ImportProblem::Expansion),
        ("A=$\"x\"", 1, ImportProblem::Expansion),
        ("A=~/x", 1, ImportProblem::Expansion),
        ("export A={1,2}", 1, ImportProblem::Expansion),
        ("A=*", 1, ImportProblem::Expansion),
        ("A=1 canary", 1, ImportProblem::Command),
        ("A=1&canary", 1, ImportProblem::Command),
        ("A=1|canary", 1, ImportProblem::Command),
        ("A=(1 2)", 1, ImportProblem::Command),
        ("A = 1", 1, ImportProblem::Command),
        ("A+=1", 1, ImportProblem::Command),
        ("A[0]=1", 1, ImportProblem::Command),
        ("1A=1", 1, ImportProblem::Command),
        ("rm -rf canary", 1, ImportProblem::Command),
        ("export -n A", 1, ImportProblem::Command),
        ("exportA", 1, ImportProblem::Command),
        ("export A-B=1", 1, ImportProblem::Command),
        ("A=1\nB='canary", 2, ImportProblem::UnclosedQuote),
        ("A=1\nB=\"canary\n\n", 2, ImportProblem::UnclosedQuote),
    ] {
        let error = parse_shell(text.as_bytes()).err().unwrap_or_else(|| panic!("{text:?} is refused"));
        assert_eq!((error.place, error.problem), (Place::Line(line), problem), "{text:?}");
    }
    assert!(parse_shell(b"A=x\\").is_err() && parse_shell(b"A=x\ry").is_err() && parse_shell(b"A='\0'").is_err());
}

#[test]
fn docker_lines_without_a_value_or_a_name_are_refused() {
    let text = "\u{feff}A=1\r\n\n  # comment\n\t B='2' # no comment\nA=3\n";
    assert_eq!(imported(parse_docker(text.as_bytes())), ["a = \"3\"", "b = \"'2' # no comment\""]);
    assert_eq!(refused(parse_docker(b"A=1\nCANARY")), "line 2: there is no `=` and so no value");
    assert_eq!(refused(parse_docker(b"export A=canary")), "line 1: this is not a variable name");
    assert_eq!(refused(parse_docker(b"=canary")), "line 1: this is not a variable name");
    assert_eq!(refused(parse_docker(b"A=\0")), "line 1: the character NUL is not allowed");
}

#[test]
fn a_secret_is_read_from_a_manifest_as_kubectl_prints_it() {
    let yaml = "apiVersion: v1
data:
  SOURCES__A__KEY: aHVudGVyMg==
  tls.crt: |
    bGluZTEK
    bGluZTIK
stringData:
  B: plain
  SOURCES__A__KEY: stronger
kind: Secret
metadata:
  creationTimestamp: null
  name: x
type: Opaque
";
    let expected = [
        "sources.a.key = \"stronger\"",
        "\"tls.crt\" = \"line1\\nline2\\n\"",
        "b = \"plain\"",
    ];
    assert_eq!(imported(parse_k8s(yaml.as_bytes())), expected);
    let json = "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Secret\",\n\t\"data\": {\n\t\t\"A\": \"aGk=\"\n\t}\n}\n";
    assert_eq!(imported(parse_k8s(json.as_bytes())), ["a = \"hi\""]);
    for (text, message) in [
        (
            "apiVersion: v1\nkind: List\nitems: []",
            "line 1, column 1: this is a list of objects",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\ndata: {A: b}",
            "line 1, column 1: this is not a Secret",
        ),
        (
            "kind: Secret\napiVersion: v1\ndata: {A: canary!}",
            "line 3, column 11: this is not base64",
        ),
        (
            "kind: Secret\napiVersion: v1\ndata: {A: aGk}",
            "line 3, column 11: this is not base64",
        ),
        (
            "kind: Secret\napiVersion: v1\ndata: {A: /w==}",
            "line 3, column 11: the decoded value is not UTF-8",
        ),
        (
            "kind: Secret\napiVersion: v1\nstringData: {A: 1}",
            "line 3, column 17: a string was expected",
        ),
        (
            "kind: Secret\napiVersion: v1\nstringData: {A B: x}",
            "line 3, column 19: this is not a variable name",
        ),
        ("kind: Secret\napiVersion: v1\nstringData: [x]", "line 3, column 13: a table"),
        ("[]", "line 1, column 1: a table"),
    ] {
        let error = refused(parse_k8s(text.as_bytes()));
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn what_is_written_for_github_is_read_back() {
    let written = dango_secrets::exchange::write_github(
        &crate::variables(&[("SOURCES__A__K", "l1\nl2=<<x\n"), ("B", "")]),
        &dango_core::OsEntropy,
    );
    let import = dango_secrets::exchange::parse_github(written.expect("written").as_bytes()).expect("read back");
    let texts: Vec<(String, &str)> = import
        .credentials
        .iter()
        .map(|(path, value)| match value {
            dango_secrets::exchange::Tree::String(text) => (path.to_string(), text.expose()),
            _ => panic!("variables are text"),
        })
        .collect();
    assert_eq!(texts, [("sources.a.k".to_owned(), "l1\nl2=<<x\n"), ("b".to_owned(), "")]);
}

#[test]
fn a_github_delimiter_that_never_comes_is_an_error_of_its_line() {
    let error = dango_secrets::exchange::parse_github(b"A=1<<2\nB<<END\ncanary\n")
        .err()
        .expect("refused");
    assert!(
        error.to_string().starts_with("line 2") && !error.to_string().contains("canary"),
        "{error}"
    );
}
