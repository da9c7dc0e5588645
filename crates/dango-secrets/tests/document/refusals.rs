//! What is refused, with place and reason, and never with a value.

use super::*;

#[test]
fn what_does_not_fit_is_refused_by_path() {
    let text = "[a]\nk = 'canary'\nl = [1]\n[[a.t]]\nx = 1\n";
    let refused = |at: &str| parse(text).set(&path(at), &string("v")).err().expect("refused");
    assert_eq!(
        refused("a").to_string(),
        "a is a table: unset it first, or set the values in it one by one"
    );
    assert_eq!(
        refused("a.k.x.y").to_string(),
        "a.k.x.y cannot be set, because a.k is a value and no table"
    );
    assert_eq!(
        refused("a.l.x").to_string(),
        "a.l.x cannot be set, because a.l is a value and no table"
    );
    assert_eq!(
        refused("a.t.x").to_string(),
        "a.t.x cannot be set, because a.t is a value and no table"
    );
    for missing in ["b", "a.m", "a.k.x", "a.t.x"] {
        let error = parse(text).unset(&path(missing)).err().expect("refused");
        assert_eq!(error.to_string(), format!("there is nothing at {missing}"));
    }
}

#[test]
fn errors_name_line_and_column_and_no_value() {
    let cases: [(&[u8], &str, &str); 22] = [
        (b"\xff\xfea\0", "1, column 1", "document_not_utf8"),
        (b"a\0=\0", "1, column 1", "document_not_utf8"),
        (b"\xc3\xa9 = 1\n\xc3\xa9\xff", "2, column 2", "document_not_utf8"),
        (b"k = \"can\0ary\"", "1, column 9", "document_control_character"),
        (b"a = 1\nk = \"\x1b\"", "2, column 6", "document_control_character"),
        (b"a = 1\rb = 2", "1, column 6", "document_lone_cr"),
        (b"a = 1\n# \xc3\xa9\nk = canary", "3, column 5", "document_syntax"),
        (b"k = \"canary", "1, column 12", "document_syntax"),
        (b"k = \"C:\\path\"", "1, column 9", "document_syntax"),
        (b"k canary", "1, column 3", "document_syntax"),
        (b"[canary", "1, column 8", "document_syntax"),
        (b"k = 1 canary", "1, column 5", "document_syntax"),
        (b"k = 0123", "1, column 5", "document_syntax"),
        (b"a = 1\nb = 2\na = 3", "3, column 1", "document_duplicate"),
        (b"[a]\n[b]\n[a]", "3, column 2", "document_duplicate"),
        (b"a = 1\na.b = 2", "2, column 1", "document_not_extensible"),
        (b"a = {}\n[a.b]", "2, column 2", "document_not_extensible"),
        (b"k = 9223372036854775808", "1, column 5", "document_number_too_large"),
        (b"k = 1e999", "1, column 5", "document_number_too_large"),
        (b"k = 2023-02-29", "1, column 5", "document_datetime"),
        (b"k = 23:59:60", "1, column 5", "document_datetime"),
        (b"[[a.b]]\n[c]\n[a.b.c]", "3, column 1", "document_out_of_order"),
    ];
    for (bytes, place, code) in cases {
        let error = SecretsDocument::parse(bytes).err().expect("refused");
        let shown = error.to_string();
        assert!(
            shown.starts_with(&format!("line {place}: ")),
            "{shown} for {:?}",
            String::from_utf8_lossy(bytes)
        );
        assert_eq!(error.code(), code, "{shown}");
        assert!(!format!("{shown}{error:?}").contains("canary"), "{shown}");
    }
}

/// The verdicts are those of the real tomlkit; `corpus/tomlkit_verdicts.py` makes them.
#[test]
fn tables_in_odd_orders_are_read_if_and_only_if_tomlkit_reads_them() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/tomlkit-verdicts.json");
    let verdicts: serde_json::Value = serde_json::from_slice(&fs::read(file).expect("readable")).expect("JSON");
    let documents = |list: &str| verdicts[list].as_array().expect("a list").clone();
    for text in documents("refused") {
        let text = text.as_str().expect("a text");
        let error = SecretsDocument::parse(text.as_bytes()).err();
        assert_eq!(error.map(|error| error.code()), Some("document_out_of_order"), "{text}");
    }
    for text in documents("read") {
        parse(text.as_str().expect("a text"));
    }
}

#[test]
fn bombs_are_refused_and_not_fallen_for() {
    let n = 100_000;
    let deep_header = format!("[{}x]\n", "a.".repeat(n));
    let steps: String = (1..60).map(|depth| format!("[{}x]\n", "a.".repeat(depth))).collect();
    let bombs = [
        format!("a = {}{}", "[".repeat(n), "]".repeat(n)),
        format!("a = {}", "[".repeat(n)),
        format!("a = {}", "{a=".repeat(n)),
        format!("a = {}1{}", "{a.b=[".repeat(n), "]}".repeat(n)),
        format!("{}x = 1\n", "a.".repeat(n)),
        deep_header,
        steps,
    ];
    for bomb in bombs {
        assert!(SecretsDocument::parse(bomb.as_bytes()).is_err());
    }
    let deep = SecretValue::new("[".repeat(n)).expect("no NUL");
    assert!(NewValue::parse(NewType::Json, &deep, References::Literal).is_err());
}

#[test]
fn large_documents_are_read_in_one_go() {
    let wide: String = (0..20_000).map(|i| format!("key_{i} = {i}\n")).collect();
    assert_eq!(parse(&wide).entries().len(), 20_000);
    let tables: String = (0..5_000).map(|i| format!("[[a.b]]\nk = {i}\n[c.d{i}]\n")).collect();
    assert_eq!(parse(&tables).entries().len(), 1);
    let long = format!("k = \"{}\"\n", "x".repeat(1 << 20));
    assert_eq!(set(&long, "k", &string("v")).0, "k = \"v\"\n");
}

#[test]
fn json_is_read_strictly() {
    let problem = |text: &str| {
        let text = SecretValue::new(text.to_owned()).expect("no NUL");
        let error = NewValue::parse(NewType::Json, &text, References::Literal).err().expect("refused");
        assert!(!format!("{error:?}").contains("canary"), "{error}");
        error.to_string()
    };
    assert_eq!(
        problem(r#"{"a": 1, "a": 2}"#),
        "line 1, column 10 of the JSON: the member /a is there twice"
    );
    assert_eq!(
        problem("{\"a\": [1,\n null]}"),
        "line 2, column 2 of the JSON: TOML has no null: leave /a/1 out, or give it another value"
    );
    assert!(problem(r#"{"a/b": 9223372036854775808}"#).contains("/a~1b does not fit"));
    for bad in [
        "",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "[1 2]",
        "01",
        "1.",
        "+1",
        "'canary'",
        "\"canary",
        "tru",
        "1 canary",
        "\"\\x\"",
        "\"a\nb\"",
        "{a:1}",
        "\u{feff}1",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "NaN",
        "1e999",
        "\"\\u0000\"",
        "{\"\\u0000\":1}",
    ] {
        problem(bad);
    }
    assert_eq!(set("", "k", &json(r#""\ud83c\udf61\u0024{A}\/""#)).0, "k = \"🍡\\u0024{A}/\"\n");
    assert_eq!(set("", "k", &json(" [ -0 , 1E2 , \"\" ] ")).0, "k = [0, 100.0, \"\"]\n");
    assert_eq!(
        set("", "k", &value(NewType::Json, r#"["${A}"]"#, References::Expand)).0,
        "k = [\"${A}\"]\n"
    );
}
