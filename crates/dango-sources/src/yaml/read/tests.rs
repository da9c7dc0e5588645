//! What is read, what is refused, and the places that values are said to have.

use super::*;
use proptest::prelude::*;

fn problem(text: &str) -> (usize, usize, YamlProblem) {
    let error = read(text).expect_err("this text is refused");
    (error.line, error.column, error.problem)
}

fn slice<'t>(text: &'t str, node: &Node) -> &'t str {
    &text[node.start..node.end]
}

#[test]
fn what_is_not_followed_or_not_allowed_is_named_with_its_place() {
    assert_eq!(problem("a: &x 1\nb: *x\n"), (2, 4, YamlProblem::Alias));
    assert_eq!(problem("a: 1\n---\nb: 2\n").2, YamlProblem::SecondDocument);
    assert_eq!(problem("a: 1\nb: 2\na: 3\n"), (3, 1, YamlProblem::DuplicateKey));
    assert_eq!(problem("? [a]\n: 1\n").2, YamlProblem::Key);
    assert_eq!(problem(": 1\n").2, YamlProblem::Key);
    assert_eq!(problem("a: b\0c\n"), (1, 5, YamlProblem::ControlCharacter));
    assert_eq!(problem("a:\n  é: \u{1b}[31m\n"), (2, 6, YamlProblem::ControlCharacter));
    assert_eq!(
        problem("a:\n\t- b\n").2,
        YamlProblem::Syntax("a tab stands where only blanks may indent")
    );
}

#[test]
fn a_directive_that_would_shift_every_place_is_refused() {
    for (text, line) in [
        ("%é x\n---\na: 1\n", 1),
        ("\u{feff}# é\n\n%TAG ! é\n---\n", 3),
        ("# c\r%a é\r---\ra: 1", 1),
    ] {
        let (at, _, problem) = problem(text);
        assert!(at == line && matches!(problem, YamlProblem::Syntax(_)), "{text:?}: {at} {problem}");
    }
    let text = "# é\n%YAML 1.2\n--- # é\nk: é\n% é: 2\n".replace("% é", "\"%é\"");
    let root = read(&text).expect("a text that can be read").expect("a root");
    assert_eq!(slice(&text, &root.member("k").expect("is there").value), "é");
}

#[test]
fn nesting_and_size_have_a_limit() {
    assert_eq!(problem(&"- ".repeat(100_000)).2, YamlProblem::TooDeep);
    assert!(matches!(
        problem(&"[".repeat(100_000)).2,
        YamlProblem::TooDeep | YamlProblem::Syntax(_)
    ));
    assert_eq!(problem(&"#".repeat((1 << 20) + 1)).2, YamlProblem::TooLarge);
    let deep = format!("{}1{}", "[".repeat(32), "]".repeat(32));
    assert!(read(&deep).is_ok());
    assert_eq!(problem(&format!("[{deep}]")).2, YamlProblem::TooDeep);
}

#[test]
fn errors_do_not_repeat_the_text() {
    for text in [
        "a: b: sk_canary",
        "k: \"\\qsk_canary\"",
        "@sk_canary",
        "a: *sk_canary",
        "sk_canary: 1\nsk_canary: 2",
    ] {
        let error = read(text).expect_err("refused");
        assert!(!error.to_string().contains("canary"), "{error}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}

#[test]
fn every_value_knows_its_bytes() {
    let text = "\u{feff}# é🍡\r\na: \"é\"  # 🍡\r\nb: 'it''s' # c\r\nc: |\r\n  x\r\nd:\r\n- [1, {e: f}]\r\n-\r\ng:\r\n";
    let root = read(text).expect("YAML").expect("not empty");
    let value = |key: &str| &root.member(key).expect("is there").value;
    assert_eq!(slice(text, value("a")), "\"é\"");
    assert_eq!(slice(text, value("b")), "'it''s'");
    assert_eq!(value("c").to_value(), Value::String("x\n".to_owned()));
    let NodeKind::Sequence { items, flow: false } = &value("d").kind else {
        panic!("a list");
    };
    assert_eq!(slice(text, &items[0]), "[1, {e: f}]");
    assert!(items[0].is_flow());
    assert_eq!(value("g").to_value(), Value::Null);
    assert_eq!((value("a").line, value("a").column), (2, 4));
}

#[test]
fn tags_of_the_core_schema_resolve_and_others_are_text() {
    let value = |text: &str| read(text).expect("YAML").expect("not empty").to_value();
    assert_eq!(value("!!str 1"), Value::String("1".to_owned()));
    assert_eq!(value("!!int 1"), Value::Number("1".to_owned()));
    assert_eq!(value("!env true"), Value::String("true".to_owned()));
    assert_eq!(read("# nothing\n").expect("YAML").map(|node| node.to_value()), None);
}

proptest! {
    #[test]
    fn no_text_panics(text in "[-a\"'#:,?&*!|>%@{}\\[\\]\\\\ \n\r\t~é0]{0,60}") {
        let _ = read(&text);
    }

    #[test]
    fn no_unicode_text_panics(text in "\\PC{0,60}") {
        let _ = read(&text);
    }
}
