//! `.env` files as their users rely on them: what the real python-dotenv read, edits that change nothing else, and the linter.
//!
//! `dotenv/readings.json` was written by `dotenv/generate.py` with the programs and versions it names.

use std::time::{Duration, Instant};

use dango_core::{SecretValue, VariableName};
use dango_secrets::dotenv::{EnvDocument, EnvEditError, EnvError, EnvPiece, Precedence, lint, lint_bytes};
use dango_secrets::{References, SetOutcome};
use proptest::prelude::*;
use serde_json::{Value, json};

#[path = "dotenv/lint.rs"]
mod linting;

fn document(text: &str) -> EnvDocument {
    EnvDocument::parse(text.as_bytes()).expect("no NUL, and UTF-8")
}

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.to_owned()).expect("no NUL")
}

fn name(text: &str) -> VariableName {
    text.parse().expect("a name")
}

fn set(text: &str, key: &str, value: &str) -> (String, SetOutcome) {
    let (edited, outcome) = document(text)
        .set(&name(key), &secret(value), References::Literal)
        .expect("can be set");
    (edited.text().to_owned(), outcome)
}

fn refusal(text: &str, key: &str, value: &str) -> EnvEditError {
    document(text)
        .set(&name(key), &secret(value), References::Literal)
        .err()
        .expect("cannot be set")
}

fn unset(text: &str, key: &str) -> (String, usize) {
    let (edited, removed) = document(text).unset(key).expect("is there");
    (edited.text().to_owned(), removed)
}

fn cycle(text: &str, key: &str, environment: &[&str]) -> Option<String> {
    let look_up = |name: &str| environment.contains(&name).then(|| secret("set"));
    let names = document(text).cycle(&name(key), &look_up)?;
    Some(names.iter().map(VariableName::as_str).collect::<Vec<_>>().join(" "))
}

#[test]
fn every_fixture_means_what_python_dotenv_read() {
    let fixture: Value = serde_json::from_str(include_str!("dotenv/readings.json")).expect("JSON");
    let environment = |name: &str| fixture["environment"][name].as_str().map(secret);
    let cases = fixture["cases"].as_array().expect("a list");
    assert!(cases.len() > 250);
    for case in cases {
        let input = case["input"].as_str().expect("text");
        let document = document(input);
        let read = |precedence| -> Value {
            let values = document.values(&environment, precedence).expect("small");
            values
                .iter()
                .map(|(key, value)| json!([key, value.map(SecretValue::expose)]))
                .collect()
        };
        assert_eq!(read(Precedence::File), case["python"], "{input:?}");
        assert_eq!(read(Precedence::Environment), case["python_environment_first"], "{input:?}");
        assert_eq!(json!(document.problems().count()), case["python_problems"], "{input:?}");
    }
}

#[test]
fn bytes_that_no_environment_holds_are_refused_with_their_place() {
    let refused = |bytes: &[u8]| EnvDocument::parse(bytes).err();
    assert_eq!(
        refused(b"A=1\r\n\xc3\xa9B=\xff"),
        Some(EnvError::NotUtf8 {
            offset: 9,
            line: 2,
            column: 4
        })
    );
    assert_eq!(
        refused(b"A=1\rB=\0\n\xff"),
        Some(EnvError::Nul {
            offset: 6,
            line: 2,
            column: 3
        })
    );
    assert_eq!(
        refused(b"\xff\xfeA\0").map(|error| (error.code(), error.place())),
        Some(("env_not_utf8", (1, 1)))
    );
}

#[test]
fn problems_and_bindings_name_their_own_lines() {
    let document = document("\u{feff}# c\r\n\r\nbad line\r\nA='1\r\n2'\r\rB");
    assert_eq!(document.problems().collect::<Vec<_>>(), [3]);
    let bindings: Vec<_> = document
        .bindings()
        .map(|binding| (binding.key(), binding.line(), binding.has_value(), binding.expose()))
        .collect();
    assert_eq!(bindings, [("A", 4, true, Some("1\n2")), ("B", 7, false, None)]);
}

#[test]
fn pieces_tell_text_from_references() {
    let document = document("A='x${B}${C:-d}$D${E:+f}'\nB=${A}\nB=2");
    let pieces = document.bindings().next().map(|binding| binding.pieces()).unwrap_or_default();
    let expected = [
        EnvPiece::Literal("x"),
        EnvPiece::Reference { name: "B", default: None },
        EnvPiece::Reference {
            name: "C",
            default: Some("d"),
        },
        EnvPiece::Literal("$D${E:+f}"),
    ];
    assert!(pieces == expected);
    assert!(document.has_reference("A"));
    assert!(!document.has_reference("B"), "the last duplicate counts");
    assert_eq!(document.keys(), ["A", "B"]);
}

#[test]
fn circles_are_found_and_references_upwards_are_none() {
    assert_eq!(cycle("A=${B}\nB=${A}", "A", &[]).as_deref(), Some("A B A"));
    assert_eq!(cycle("A=${B}\nB=${A}", "B", &[]).as_deref(), Some("B A B"));
    assert_eq!(cycle("A=${A}", "A", &[]).as_deref(), Some("A A"));
    assert_eq!(cycle("C=${A}\nA=${B}\nB=x${A}", "C", &[]).as_deref(), Some("A B A"));
    for (text, environment) in [
        ("A=1\nB=${A}\nA=${B}", [].as_slice()),
        ("A=1\nA=${A}2", &[]),
        ("A=${A:-1}", &[]),
        ("A=${A}", &["A"]),
        ("A=${B}\nB=${A}", &["B"]),
        ("A=${B}\nB=1", &[]),
        ("A=${NOWHERE}", &[]),
        ("B=1", &[]),
        ("A\nB=${A}\nA=${B}", &[]),
    ] {
        assert_eq!(cycle(text, "A", environment), None, "{text:?}");
    }
}

#[test]
fn a_long_chain_of_references_needs_no_stack() {
    let chain: String = (0..100_000).map(|n| format!("K{n}=${{K{}}}\n", n + 1)).collect();
    assert_eq!(cycle(&chain, "K0", &[]), None);
    let circle = format!("{chain}K100000=${{K0}}");
    assert!(cycle(&circle, "K0", &[]).is_some());
}

#[test]
fn references_that_blow_a_value_up_are_an_error() {
    let mut bomb = "A0=0123456789\n".to_owned();
    for n in 0..60 {
        bomb.push_str(&format!("A{}=${{A{n}}}${{A{n}}}\n", n + 1));
    }
    let error = document(&bomb).values(&|_| None, Precedence::File).err().expect("too large");
    assert_eq!(error.code(), "env_value_too_large");
}

#[test]
fn values_are_written_in_the_form_most_readers_share() {
    for (value, line) in [
        ("", "K="),
        ("sk_live-1/2.3:4@5%6+7,8=9", "K=sk_live-1/2.3:4@5%6+7,8=9"),
        ("ключ!*[1]", "K=ключ!*[1]"),
        ("two words", "K='two words'"),
        (" edge ", "K=' edge '"),
        ("a#b", "K='a#b'"),
        ("#b", "K='#b'"),
        ("`date`;$(date)&|<>()", "K='`date`;$(date)&|<>()'"),
        ("$HOME", "K='$HOME'"),
        ("~/x", "K='~/x'"),
        ("C:\\Users\\new", "K='C:\\Users\\new'"),
        (r#"{"a": [1, "b\n"]}"#, r#"K='{"a": [1, "b\n"]}'"#),
        ("it's", "K=\"it's\""),
        ("it's \"both\"", "K=it's \"both\""),
        ("a\\\\b", "K=a\\\\b"),
        ("end\\", "K=end\\"),
        ("one\ntwo", "K='one\ntwo'"),
        ("it's\ntwo", "K=\"it's\ntwo\""),
        ("one\r\ntwo", "K=\"one\\r\\ntwo\""),
        ("${", "K='${'"),
    ] {
        assert_eq!(set("", "K", value), (format!("{line}\n"), SetOutcome::Created), "{value:?}");
    }
}

#[test]
fn values_without_a_spelling_are_refused_with_the_reason() {
    let error = refusal("", "K", "a${B}c");
    assert_eq!(error.code(), "env_value_reference");
    assert_eq!(
        error.to_string(),
        "the value of K holds a `${…}`, which python-dotenv expands in every spelling"
    );
    let error = refusal("", "K", "it's \"both\" #1");
    assert_eq!(error.code(), "env_value_unspellable");
    assert_eq!(
        error.to_string(),
        "no spelling of the value of K is read back by both python-dotenv and node dotenv: \
         it holds single quotes, double quotes and a `#`"
    );
    assert_eq!(refusal("", "K", "a\r\"").code(), "env_value_unspellable");
}

#[test]
fn references_are_kept_where_they_are_wanted() {
    for (value, line) in [("${A}", "K=${A}\n"), ("x ${A:-b c}#", "K=\"x ${A:-b c}#\"\n")] {
        let (edited, _) = document("")
            .set(&name("K"), &secret(value), References::Expand)
            .expect("can be set");
        assert_eq!(edited.text(), line);
        assert!(edited.has_reference("K"));
    }
}

#[test]
fn replacing_changes_nothing_but_the_value() {
    for (before, after) in [
        (
            "\u{feff}# c\r\nexport K = 'old' # note\r\nB=2",
            "\u{feff}# c\r\nexport K = new # note\r\nB=2",
        ),
        ("K=1\nK=2 # c\nZ=1", "K=1\nK=new # c\nZ=1"),
        ("K", "K=new"),
        ("K # c\n", "K=new # c\n"),
        ("K=   # c\n", "K=new   # c\n"),
        ("K=#old\n", "K=new\n"),
        ("K=\"old\"#c\n", "K='new'#c\n"),
        ("  K=old  \n\n", "  K=new  \n\n"),
        ("'K'=old\n", "K=new\n"),
        ("K=\"a\nb\" # c\nB=`x`", "K=new # c\nB=`x`"),
    ] {
        assert_eq!(set(before, "K", "new"), (after.to_owned(), SetOutcome::Replaced), "{before:?}");
    }
}

#[test]
fn a_value_that_is_there_already_changes_nothing() {
    for text in ["K='a b' # c", "K=\"a b\"\r\n", "K=a b"] {
        assert_eq!(set(text, "K", "a b"), (text.to_owned(), SetOutcome::Unchanged));
    }
    assert_eq!(set("K=a#b", "K", "a#b").1, SetOutcome::Replaced, "node dotenv reads `a`");
}

#[test]
fn new_keys_go_to_the_end_in_the_style_of_the_file() {
    for (before, after) in [
        ("", "K=v\n"),
        ("\u{feff}", "\u{feff}K=v\n"),
        ("A=1\n", "A=1\nK=v\n"),
        ("A=1", "A=1\nK=v\n"),
        ("A=1\r\n", "A=1\r\nK=v\r\n"),
        ("A=1\r\nB=2", "A=1\r\nB=2\r\nK=v\r\n"),
        ("A=1\rB=2\r", "A=1\rB=2\rK=v\r"),
        ("# c", "# c\nK=v\n"),
        ("A:\n", "A:\n\nK=v\n"),
        ("A=\"never closed\n", "A=\"never closed\nK=v\n"),
    ] {
        assert_eq!(set(before, "K", "v"), (after.to_owned(), SetOutcome::Created), "{before:?}");
    }
    assert_eq!(set("A=1\r\n", "K", "x\ny").0, "A=1\r\nK='x\r\ny'\r\n");
}

#[test]
fn a_line_that_would_change_stands_in_the_way() {
    assert_eq!(
        refusal("# c\nA=\"never closed\n", "K", "x\ry"),
        EnvEditError::OtherLine { key: name("K"), line: 2 }
    );
    assert_eq!(set("A='never closed\n", "K", "x y").0, "A='never closed\nK=\"x y\"\n");
    let error = refusal("K=1\nK: 2\n", "K", "3");
    assert_eq!(
        error.to_string(),
        "K cannot be set while line 2 is as it is: python-dotenv and node dotenv read it differently"
    );
}

#[test]
fn unset_removes_every_duplicate_and_leaves_what_is_above() {
    for (before, key, after, removed) in [
        ("# above\nK=1 # behind\nB=2", "K", "# above\nB=2", 1),
        ("K=1\r\n\r\n  export K='2\r\n3' # c\r\nB=2", "K", "\r\nB=2", 2),
        ("A=1\nK=2", "K", "A=1\n", 1),
        ("\u{feff}K=1\nA=1", "K", "\u{feff}A=1", 1),
        ("a-b\nA=1", "a-b", "A=1", 1),
        ("K=1\n\u{feff}A=1", "K", "\n\u{feff}A=1", 1),
        ("K=1\n\u{feff}A=1\nK=2\n", "K", "\n\u{feff}A=1\n", 2),
        ("'two words'=1", "two words", "", 1),
    ] {
        assert_eq!(unset(before, key), (after.to_owned(), removed), "{before:?}");
    }
    assert_eq!(document("A=1").unset("K").err(), Some(EnvEditError::NotFound));
}

#[test]
fn hostile_files_take_linear_time() {
    let hostile = [
        "${".repeat(50_000),
        format!("A={}", "${".repeat(50_000)),
        format!("A={}:x}}", "${".repeat(50_000)),
        "A='\\'".repeat(25_000),
        "A=\"\n".repeat(25_001),
        "A='\\'\n".repeat(25_001),
        "A=`\n".repeat(25_001),
        "A=\"$(\n".repeat(12_500),
        "A=${x:-\"\n".repeat(12_501),
        "A=$(\n".repeat(12_500),
        format!("A=x{}", " ".repeat(100_000)),
        format!("A={}#", " x".repeat(50_000)),
        "\n".repeat(100_000),
        format!("A{}", "\n".repeat(100_000)),
        "export\n".repeat(15_000),
        "'".repeat(100_001),
        "A=1\r\n".repeat(20_000),
        "A=1 ".repeat(50_000),
        "A=1;".repeat(50_000),
        format!("export {}", "a[ ".repeat(50_000)),
        "a[".repeat(50_000),
        "A=1 |".repeat(50_000),
        "${A:-".repeat(25_000),
    ];
    for text in &hostile {
        let start = Instant::now();
        let document = document(text);
        let _ = lint(&document);
        let _ = document.set(&name("K"), &secret("x y"), References::Literal);
        let _ = document.cycle(&name("A"), &|_| None);
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}…", &text[..8]);
    }
}

fn hostile_text() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        "[ -~]{0,3}",
        "\\PC",
        prop::sample::select(vec![
            "'", "\"", "`", "\\", "\n", "\r\n", "\r", "#", " #", " ", "\t", "${A}", "${", "}", ":-", "$", "=", "A=", "B=", "export ",
            "\u{feff}", "\u{2028}", "\u{a0}", "\u{85}", "\\n", "\\'", "~", ";", "$(", "(", ")",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn what_set_accepts_is_read_back_and_nothing_else_changes(file in hostile_text(), value in hostile_text()) {
        let before = document(&file);
        if let Ok((after, outcome)) = before.set(&name("A"), &secret(&value), References::Literal) {
            let raw = |document: &EnvDocument| -> Vec<(String, Option<String>)> {
                let others = document.bindings().filter(|binding| binding.key() != "A");
                others.map(|binding| (binding.key().to_owned(), binding.expose().map(str::to_owned))).collect()
            };
            let read = after.value("A", &|_| None, Precedence::File).expect("small");
            prop_assert_eq!(read.as_ref().map(SecretValue::expose), Some(value.as_str()));
            prop_assert_eq!(raw(&before), raw(&after));
            if outcome == SetOutcome::Created {
                prop_assert!(after.text().starts_with(&file));
            }
            let (again, outcome) = after.set(&name("A"), &secret(&value), References::Literal).expect("is there");
            prop_assert_eq!(outcome, SetOutcome::Unchanged);
            prop_assert_eq!(again.text(), after.text());
        }
    }

    #[test]
    fn unset_removes_the_key_and_nothing_else(file in hostile_text()) {
        let before = document(&file);
        for key in before.keys() {
            let (after, removed) = before.unset(key).expect("is there");
            let rest = |document: &EnvDocument| -> Vec<(String, Option<String>)> {
                let others = document.bindings().filter(|binding| binding.key() != key);
                others.map(|binding| (binding.key().to_owned(), binding.expose().map(str::to_owned))).collect()
            };
            prop_assert!(!after.keys().contains(&key));
            prop_assert_eq!(rest(&before), rest(&after));
            prop_assert_eq!(before.bindings().count() - removed, after.bindings().count());
        }
    }

    #[test]
    fn lint_takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64), file in hostile_text()) {
        let _ = lint_bytes(&bytes);
        let _ = lint(&document(&file));
    }
}
