//! `sources.yml` as people and earlier versions write it: read, edited, and the same everywhere else.

use proptest::prelude::*;

use super::*;

/// As earlier versions of Dango write it, with comments of somebody who edited it by hand.
const EARLIER: &str = "\
# sources of the shop
version: \"1.0\"
sources:
- name: stripe_payments   # live
  type: stripe
  enabled: true
  description: Charges & customers
  stripe:
    stripe_secret_key_env: STRIPE_API_KEY
    endpoints:
    - Charge
    - Customer
    start_date: 2024-01-01
  # deduplication: {columns: [id]}

# ads
- name: fb-ads
  type: facebook_ads
  enabled: false
  facebook_ads: {account_id: '123'}
  sync: |
    python ads.py
- name: other
  type: not_in_the_catalogue
  anything: [1, {a: b}]
settings:
  x: 1
";

fn parse(text: &str) -> SourcesFile {
    SourcesFile::parse(text).expect("a file that can be read")
}

fn name(text: &str) -> SourceName {
    text.parse().expect("a name")
}

fn new_source(text: &str) -> NewSource {
    NewSource {
        name: name(text),
        source_type: "stripe".parse().expect("a type"),
        fields: Vec::new(),
        sync: None,
    }
}

fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

#[test]
fn projects_of_earlier_versions_are_read_without_loss() {
    let file = parse(EARLIER);
    let names: Vec<&str> = file.sources().iter().map(|source| source.name().as_str()).collect();
    assert_eq!(names, ["stripe_payments", "fb-ads", "other"]);
    let stripe = &file.sources()[0];
    assert_eq!(stripe.line(), 4);
    assert_eq!(stripe.field("start_date"), Some(&text("2024-01-01")));
    assert_eq!(stripe.members().count(), 5);
    assert!(stripe.is_enabled() && !file.sources()[1].is_enabled());
    assert_eq!(file.sources()[1].field("account_id"), Some(&text("123")));
    let sync = file.sources()[1].sync().expect("a command");
    assert_eq!(sync.words().expect("words"), ["python", "ads.py"]);
    assert!(file.sources()[2].spec().is_none());
    assert_eq!(file.find(&name("other")).map(ConfiguredSource::line), Some(23));
}

#[test]
fn a_file_that_is_wrong_says_where() {
    let error = |text: &str| SourcesFile::parse(text).expect_err("refused").to_string();
    assert_eq!(
        error("- a\n"),
        "line 1, column 1: the file must be a mapping with the member `sources`"
    );
    assert_eq!(
        error("a: 1\nsources: x\n"),
        "line 2, column 10: `sources` must be a list, each source beginning with `- name:`"
    );
    assert_eq!(
        error("sources:\n- x\n"),
        "line 2, column 3: a source must be a mapping with `name` and `type`"
    );
    assert_eq!(error("sources:\n- name: a\n"), "line 2, column 3: this source has no `type`");
    assert_eq!(error("sources:\n- type: a\n  name:\n"), "line 3, column 7: `name` must be text");
    assert_eq!(
        error("sources:\n- name: a b\n  type: stripe\n"),
        "line 2, column 9: this is no source name"
    );
    assert_eq!(
        error("sources:\n- name: a\n  type: Stripe\n"),
        "line 3, column 9: this is no source type"
    );
    assert_eq!(
        error("sources:\n- {name: a, type: b}\n- {name: c, type: b}\n- {name: a, type: d}\n"),
        "line 4: there is already a source named a on line 2"
    );
    assert_eq!(
        error("sources:\n- name: a\n  type: b\n  sync: {x: y}\n"),
        "line 4, column 9: `sync` must be a command or a list of its words"
    );
    assert_eq!(
        error("sources:\n- &x\n  name: a\n  type: b\n- *x\n"),
        "line 5, column 3: an alias (`*name`) is not followed: write the value out"
    );
}

#[test]
fn a_new_source_takes_the_indentation_and_line_breaks_of_the_file() {
    let cases = [
        ("", "sources:\n  - name: fresh\n    type: stripe\n"),
        ("\u{feff}", "\u{feff}sources:\n  - name: fresh\n    type: stripe\n"),
        ("# c\n", "# c\nsources:\n  - name: fresh\n    type: stripe\n"),
        ("---\n", "---\nsources:\n  - name: fresh\n    type: stripe\n"),
        ("version: 1", "version: 1\nsources:\n  - name: fresh\n    type: stripe"),
        (
            "a: 1\r\n# t\r\n",
            "a: 1\r\n# t\r\nsources:\r\n  - name: fresh\r\n    type: stripe\r\n",
        ),
        ("sources:\n", "sources:\n  - name: fresh\n    type: stripe\n"),
        (
            "sources: # none\nx: 1\n",
            "sources: # none\n  - name: fresh\n    type: stripe\nx: 1\n",
        ),
        (
            "sources:\n  # add here\nx: 1\n",
            "sources:\n  # add here\n  - name: fresh\n    type: stripe\nx: 1\n",
        ),
        (
            "sources: []  # none\nx: 1\n",
            "sources:  # none\n  - name: fresh\n    type: stripe\nx: 1\n",
        ),
        ("sources: null\n", "sources:\n  - name: fresh\n    type: stripe\n"),
        ("sources: [ ]", "sources:\n  - name: fresh\n    type: stripe"),
        ("sources: [ # c\n  ]\n", "sources: [{name: fresh, type: stripe} # c\n  ]\n"),
        ("{sources: []}\n", "{sources: [{name: fresh, type: stripe}]}\n"),
        ("{}\n", "{sources: [{name: fresh, type: stripe}]}\n"),
        ("{a: 1}", "{a: 1, sources: [{name: fresh, type: stripe}]}"),
        (
            "sources: [{name: a, type: b}]\n",
            "sources: [{name: a, type: b}, {name: fresh, type: stripe}]\n",
        ),
        (
            "sources:\n- name: a\n  type: b",
            "sources:\n- name: a\n  type: b\n- name: fresh\n  type: stripe",
        ),
        (
            "sources:\n    -   name: a\n        type: b # x\n        # deeper\n    # after\nz: 1\n",
            "sources:\n    -   name: a\n        type: b # x\n        # deeper\n    -   name: fresh\n        type: stripe\n    # after\nz: 1\n",
        ),
        (
            "sources:\n- name: a\n  type: b\n\n- name: c\n  type: d\n\n# end\n",
            "sources:\n- name: a\n  type: b\n\n- name: c\n  type: d\n\n- name: fresh\n  type: stripe\n\n# end\n",
        ),
        (
            "sources:\n- type: b\n  name: a\n  t: |\n    x\nz:\n",
            "sources:\n- type: b\n  name: a\n  t: |\n    x\n- name: fresh\n  type: stripe\nz:\n",
        ),
        (
            "sources:\n-\n  name: a\n  type: b\n  empty:\n",
            "sources:\n-\n  name: a\n  type: b\n  empty:\n- name: fresh\n  type: stripe\n",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(parse(before).add(&new_source("fresh")).as_deref(), Ok(after), "{before:?}");
    }
}

#[test]
fn fields_and_command_of_a_new_source_are_written_safely() {
    let mut source = new_source("fresh");
    source.fields = vec![
        ("a".to_owned(), text("no")),
        ("b c".to_owned(), Value::List(vec![text("x, y"), Value::Number("1".to_owned())])),
    ];
    source.sync = Some(SyncCommand::from_words(["sh", "-c", "a && b"]));
    assert_eq!(
        parse("").add(&source).as_deref(),
        Ok("sources:\n  - name: fresh\n    type: stripe\n    a: \"no\"\n    b c: [\"x, y\", 1]\n    sync: [sh, \"-c\", \"a && b\"]\n")
    );
    source.fields.push(("sync".to_owned(), text("x")));
    assert_eq!(parse("").add(&source), Err(EditError::Reserved { field: "sync".to_owned() }));
    let error = parse(EARLIER).add(&new_source("fb-ads")).expect_err("there already");
    assert_eq!(error.to_string(), "there is already a source named fb-ads on line 17");
}

#[test]
fn a_credential_never_gets_into_the_file() {
    let mut source = new_source("fresh");
    source.fields = vec![("stripe_secret_key".to_owned(), text("sk_canary"))];
    let refused = |field: &str| Err(EditError::Secret { field: field.to_owned() });
    assert_eq!(parse("").add(&source), refused("stripe_secret_key"));
    let file = parse(EARLIER);
    assert_eq!(
        file.set_field(&name("stripe_payments"), "api_key", &text("sk_canary")),
        refused("api_key")
    );
}

#[test]
fn a_removed_source_takes_only_its_own_lines() {
    let file = parse(EARLIER);
    let first = file.remove(&name("stripe_payments")).expect("removed");
    assert_eq!(first.lines().nth(2), Some("sources:"));
    assert_eq!(first.lines().nth(4), Some("# ads"));
    assert!(first.ends_with(&EARLIER[EARLIER.find("# ads").expect("is there")..]));
    let second = file.remove(&name("fb-ads")).expect("removed");
    assert!(second.contains("# ads\n- name: other\n"), "{second}");

    let cases = [
        ("sources:\n- {name: n, type: b}\nz: 1\n", "sources: []\nz: 1\n"),
        ("sources: # c\n  # d\n  - name: n\n    type: b", "sources: [] # c\n  # d\n"),
        ("sources: [{name: n, type: b}]\n", "sources: []\n"),
        (
            "sources: [{name: n, type: b}, {name: a, type: b}]\n",
            "sources: [{name: a, type: b}]\n",
        ),
        (
            "sources: [{name: a, type: b}, {name: n, type: b}]\n",
            "sources: [{name: a, type: b}]\n",
        ),
        (
            "sources:\n- {name: a, type: b}\n\n- {name: n, type: b}\n\n- {name: c, type: b}\n",
            "sources:\n- {name: a, type: b}\n\n- {name: c, type: b}\n",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(parse(before).remove(&name("n")).as_deref(), Ok(after), "{before:?}");
    }
    assert_eq!(file.remove(&name("x")), Err(EditError::Unknown { name: name("x") }));
}

#[test]
fn a_field_is_set_where_it_stands() {
    let file = parse(EARLIER);
    let set = |source: &str, field: &str, value: &Value| file.set_field(&name(source), field, value).expect("set");
    let replaced = |from: &str, to: &str| EARLIER.replacen(from, to, 1);
    assert_eq!(
        set("stripe_payments", "start_date", &text("2025-01-01")),
        replaced("start_date: 2024-01-01", "start_date: \"2025-01-01\"")
    );
    assert_eq!(
        set("stripe_payments", "endpoints", &Value::List(vec![text("Charge")])),
        replaced("endpoints:\n    - Charge\n    - Customer\n", "endpoints: [Charge]\n")
    );
    assert_eq!(
        set("stripe_payments", "enabled", &Value::Boolean(false)),
        replaced("enabled: true", "enabled: false")
    );
    assert_eq!(
        set("stripe_payments", "new", &text("x")),
        replaced("start_date: 2024-01-01\n", "start_date: 2024-01-01\n    new: x\n")
    );
    assert_eq!(
        set("fb-ads", "account_id", &text("9")),
        replaced("{account_id: '123'}", "{account_id: \"9\"}")
    );
    assert_eq!(set("fb-ads", "more", &text("x")), replaced("'123'}", "'123', more: x}"));
    assert_eq!(
        set("fb-ads", "sync", &text("python ads.py --all")),
        replaced("sync: |\n    python ads.py\n", "sync: python ads.py --all\n")
    );
    assert_eq!(set("other", "more", &text("x")), replaced("{a: b}]\n", "{a: b}]\n  more: x\n"));
    assert_eq!(
        set("stripe_payments", "sync", &text("x")),
        replaced("2024-01-01\n", "2024-01-01\n  sync: x\n")
    );
    let github = "sources:\n- name: g\n  type: github\n  github:\n    name: old # the repository\n";
    assert_eq!(
        parse(github).set_field(&name("g"), "repository", &text("new")).as_deref(),
        Ok("sources:\n- name: g\n  type: github\n  github:\n    name: new # the repository\n")
    );
    assert_eq!(
        file.set_field(&name("other"), "name", &text("x")),
        Err(EditError::Reserved { field: "name".to_owned() })
    );
    let empty = "sources:\n- name: g\n  k:\n  type: a # c\n  l: # c\n";
    assert_eq!(
        parse(empty).set_field(&name("g"), "k", &text("v")).as_deref(),
        Ok("sources:\n- name: g\n  k: v\n  type: a # c\n  l: # c\n")
    );
}

#[test]
fn a_field_is_unset_with_its_line() {
    let file = parse(EARLIER);
    let unset = |source: &str, field: &str| file.unset_field(&name(source), field).expect("unset");
    let replaced = |from: &str, to: &str| EARLIER.replacen(from, to, 1);
    assert_eq!(unset("stripe_payments", "start_date"), replaced("    start_date: 2024-01-01\n", ""));
    assert_eq!(
        unset("stripe_payments", "endpoints"),
        replaced("    endpoints:\n    - Charge\n    - Customer\n", "")
    );
    assert_eq!(unset("fb-ads", "account_id"), replaced("  facebook_ads: {account_id: '123'}\n", ""));
    assert_eq!(unset("fb-ads", "sync"), replaced("  sync: |\n    python ads.py\n", ""));
    assert_eq!(
        file.unset_field(&name("other"), "none"),
        Err(EditError::NoField { name: name("other") })
    );
    let first = "sources:\n- k: 1 # c\n  name: g\n  type: a\n";
    assert_eq!(
        parse(first).unset_field(&name("g"), "k").as_deref(),
        Ok("sources:\n- name: g\n  type: a\n")
    );
    let flow = "sources: [{name: g, k: 1, type: a, l: 2}]\n";
    assert_eq!(
        parse(flow).unset_field(&name("g"), "k").as_deref(),
        Ok("sources: [{name: g, type: a, l: 2}]\n")
    );
    assert_eq!(
        parse(flow).unset_field(&name("g"), "l").as_deref(),
        Ok("sources: [{name: g, k: 1, type: a}]\n")
    );
}

#[test]
fn an_edit_that_cannot_be_made_faithfully_is_refused() {
    for text in [
        "sources:\n- name: a\n  type: b\n...\n# end\n",
        "sources: &x\n- name: a\n  type: b\n",
        "sources: !!seq\n- name: a\n  type: b\n",
        "? sources\n: - name: a\n    type: b\n",
        "--- {}\n...\n",
    ] {
        let file = parse(text);
        match file.add(&new_source("n")) {
            Ok(edited) => assert_eq!(parse(&edited).sources().len(), file.sources().len() + 1, "{text:?}"),
            Err(error) => assert!(
                matches!(error, EditError::Layout { .. } | EditError::NotFaithful { .. }),
                "{text:?}"
            ),
        }
    }
}

#[test]
fn a_tag_or_anchor_of_nothing_does_not_become_one_of_a_list() {
    for text in [
        "sources: !!str\nx: 1\n",
        "sources:\t!!null # none\n",
        "sources: &a\n",
        "sources: # c\n  !!str\n",
        "sources:\r  !",
    ] {
        let refused = parse(text).add(&new_source("n"));
        assert_eq!(refused, Err(EditError::Layout { line: 1 }), "{text:?}");
    }
    for text in ["sources:\t# none\r\n", "sources: \nx: 1\n", "sources: [] # none", "sources: null"] {
        assert!(parse(text).add(&new_source("n")).is_ok(), "{text:?}");
    }
}

#[test]
fn a_block_of_text_without_text_ends_on_its_line() {
    let before = "sources:\n- name: a\n  type: x\n  l:\n  - >-2\n  sync: | # later\n\n# b\n- name: b\n  type: y\n";
    let file = parse(before);
    assert_eq!(file.remove(&name("a")).as_deref(), Ok("sources:\n\n# b\n- name: b\n  type: y\n"));
    assert_eq!(
        file.remove(&name("b")).as_deref(),
        Ok(before.replace("- name: b\n  type: y\n", "").as_str())
    );
    let set = file.set_field(&name("a"), "sync", &text("python a.py"));
    assert_eq!(set.as_deref(), Ok(before.replace("sync: |", "sync: python a.py").as_str()));
    let unset = file.unset_field(&name("a"), "sync");
    assert_eq!(unset.as_deref(), Ok(before.replace("  sync: | # later\n", "").as_str()));
    let last = "sources:\n- name: a\n  type: x\n  sync: |";
    let added = parse(last).add(&new_source("b")).expect("a source can be added");
    assert_eq!(added, format!("{last}\n- name: b\n  type: stripe"));
}

#[test]
fn ten_thousand_sources_are_read_in_no_time() {
    let mut text = "sources:\n".to_owned();
    for index in 0..10_000 {
        text.push_str(&format!("- name: n{index}\n  type: stripe\n  k: v\n"));
    }
    let file = parse(&text);
    assert_eq!(file.sources().len(), 10_000);
    assert!(
        file.add(&new_source("fresh"))
            .expect("added")
            .ends_with("- name: fresh\n  type: stripe\n")
    );
}

/// Files with every layout mixed, and the names in them.
fn files() -> impl Strategy<Value = (String, Vec<String>)> {
    let extras = proptest::sample::subsequence(
        vec![
            "enabled: true",
            "k: 'v' # é",
            "empty:",
            "list:^- a^- b",
            "nested:^  a: 1^  b: [x, {y: z}]",
            "text: |^  line^  # no comment",
            "keep: |+^  line^",
            "fold: >-^  a^^  b  ",
            "\"q\": \"🍡\" # c",
            "# only a comment",
        ],
        0..5,
    );
    let item = (extras, any::<bool>(), any::<bool>());
    (
        proptest::collection::vec(item, 0..4),
        0usize..4,
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(items, indent, gaps, crlf, tail)| {
            let pad = " ".repeat(indent);
            let mut text = "# é head\nversion: \"1\"\nsources:\n".to_owned();
            let mut names = Vec::new();
            for (index, (extras, name_first, above)) in items.into_iter().enumerate() {
                let name = format!("s{index}");
                if above {
                    text.push_str(&format!("{pad}# above {index}\n"));
                }
                let (first, second) = if name_first {
                    (format!("name: {name}"), "type: stripe".to_owned())
                } else {
                    ("type: stripe".to_owned(), format!("name: {name}"))
                };
                text.push_str(&format!("{pad}- {first}\n{pad}  {second}\n"));
                for extra in extras {
                    for line in extra.split('^') {
                        text.push_str(&format!("{pad}  {line}\n"));
                    }
                }
                if gaps {
                    text.push('\n');
                }
                names.push(name);
            }
            if tail {
                text.push_str("# tail\nother: [1]");
            }
            (if crlf { text.replace('\n', "\r\n") } else { text }, names)
        })
}

proptest! {
    #[test]
    fn adding_and_removing_gives_the_file_back((file, names) in files()) {
        let before = SourcesFile::parse(&file);
        prop_assume!(before.is_ok());
        let before = before.expect("assumed");
        let added = before.add(&new_source("fresh")).expect("this layout is known");
        prop_assert_eq!(parse(&added).sources().len(), names.len() + 1);
        let removed = parse(&added).remove(&name("fresh")).expect("this layout is known");
        if !names.is_empty() {
            prop_assert_eq!(&removed.trim_end(), &file.trim_end());
        }
        for gone in &names {
            let after = parse(&before.remove(&name(gone)).expect("this layout is known"));
            prop_assert_eq!(after.sources().len(), names.len() - 1);
        }
    }

    #[test]
    fn setting_and_unsetting_changes_one_field((file, names) in files(), value in "\\PC{0,12}") {
        let before = SourcesFile::parse(&file);
        prop_assume!(before.is_ok());
        let before = before.expect("assumed");
        for source in &names {
            let set = before.set_field(&name(source), "fresh", &text(&value)).expect("this layout is known");
            let set = parse(&set);
            let found = set.find(&name(source)).and_then(|source| source.field("fresh"));
            prop_assert_eq!(found, Some(&text(&value)));
            let unset = set.unset_field(&name(source), "fresh").expect("this layout is known");
            prop_assert_eq!(unset.trim_end(), file.trim_end());
        }
    }

    #[test]
    fn no_edit_of_any_text_panics_or_lies(file in "(sources:)?[-a\"'#:,&!|>{}\\[\\] \n]{0,40}(name: a\n  type: b)?[-a#:,{}\\[\\] \n]{0,20}") {
        if let Ok(file) = SourcesFile::parse(&file) {
            if let Ok(edited) = file.add(&new_source("fresh")) {
                prop_assert_eq!(parse(&edited).sources().len(), file.sources().len() + 1);
            }
            for source in file.sources() {
                let _ = file.remove(source.name());
                let _ = file.set_field(source.name(), "k", &text("v"));
                let _ = file.unset_field(source.name(), "k");
            }
        }
    }
}

#[test]
fn how_often_credentials_are_replaced_is_read_and_set_and_a_mistake_is_placed() {
    let text = "sources:\n  - name: a\n    type: stripe\n    rotate_every: 90d\n  - name: b\n    type: stripe\n";
    let file = SourcesFile::parse(text).expect("reads");
    let every: Vec<Option<String>> = file
        .sources()
        .iter()
        .map(|source| source.rotate_every().map(|every| every.to_string()))
        .collect();
    assert_eq!(every, [Some("90d".to_owned()), None]);
    let edited = file
        .set_field(&"b".parse().expect("a name"), "rotate_every", &Value::String("4w".to_owned()))
        .expect("is set");
    assert!(edited.ends_with("    type: stripe\n    rotate_every: \"4w\"\n"), "{edited}");
    let reread = parse(&edited);
    let every = reread.find(&name("b")).and_then(|source| source.rotate_every());
    assert_eq!(every.map(|every| every.to_string()), Some("4w".to_owned()));
    for (written, column) in [("90", 19), ("soon", 19), ("[90d]", 19), ("3m", 19), ("-1d", 19)] {
        let text = format!("sources:\n  - name: a\n    type: stripe\n    rotate_every: {written}\n");
        let error = SourcesFile::parse(&text).expect_err("no interval");
        assert_eq!((error.code(), error.line()), ("sources_rotate_every", 4), "{written}");
        assert!(error.to_string().contains(&format!("column {column}")), "{error}");
    }
}
