//! What is written, and what is refused.

use dango_core::{CredentialPath, Entropy, EntropyError, SecretValue};
use dango_secrets::exchange::{
    ManifestName, Tree, github_masks, write_docker, write_dotenv, write_github, write_json, write_k8s, write_shell, write_toml, write_yaml,
};
use dango_secrets::{Text, Value};
use zeroize::Zeroizing;

use crate::{entry, problems, secret, show_entries, specimen, variables};

/// The specimen in a format. `tests/fixtures/exchange/check.py` has real parsers read the same files.
fn assert_fixture(name: &str, text: &str) {
    let path = format!("{}/tests/fixtures/exchange/{name}", env!("CARGO_MANIFEST_DIR"));
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{path} differs; check the new text with check.py:\n{text}");
}

#[test]
fn trees_are_written_as_the_checked_fixtures() {
    let tree = specimen();
    assert_fixture("specimen.json", &write_json(&tree));
    assert_fixture("specimen.yaml", &write_yaml(&tree));
    assert_fixture("specimen.toml", &write_toml(&tree));
}

#[test]
fn variables_are_written_as_the_checked_fixtures() {
    let entries = variables(&[
        ("A", "plain"),
        ("QUOTES", "it's \"q\" \\ $(touch x) `touch y` ${A}"),
        ("LINES", "one\ntwo\r\n\nthree\n"),
        ("EMPTY", ""),
        ("_U", "é🍡"),
    ]);
    assert_fixture("variables.sh", &write_shell(&entries).expect("all names are good"));
    let name: ManifestName = "dango-secrets.prod".parse().expect("a name");
    assert_fixture("variables.k8s.yaml", &write_k8s(&name, &entries).expect("all names are good"));
}

#[test]
fn what_json_cannot_say_becomes_text() {
    let tree = [
        entry("a", Tree::Float(f64::INFINITY)),
        entry("b", Tree::Float(f64::NEG_INFINITY)),
        entry("c", Tree::Float(f64::NAN)),
    ];
    assert_eq!(
        write_json(&tree).as_str(),
        "{\n  \"a\": \"inf\",\n  \"b\": \"-inf\",\n  \"c\": \"nan\"\n}\n"
    );
    assert_eq!(write_yaml(&tree).as_str(), "a: .inf\nb: -.inf\nc: .nan\n");
    assert_eq!(write_toml(&tree).as_str(), "a = inf\nb = -inf\nc = nan\n");
    assert_eq!(write_json(&[]).as_str(), "{}\n");
    assert_eq!(write_yaml(&[]).as_str(), "{}\n");
    assert_eq!(write_toml(&[]).as_str(), "");
}

#[test]
fn strings_are_resolved_on_the_way_out_and_every_failure_is_reported() {
    let entries = [
        ("a".to_owned(), Value::String(Text::literal("x"))),
        (
            "t".to_owned(),
            Value::Table(vec![("b".to_owned(), Value::Array(vec![Value::String(Text::from_plain("${B}"))]))]),
        ),
        ("c".to_owned(), Value::String(Text::from_plain("${C}"))),
    ];
    let mut resolve = |path: &CredentialPath, text: &Text| {
        if text.has_reference() {
            Err(path.to_string())
        } else {
            Ok(secret("resolved"))
        }
    };
    let errors = Tree::from_entries(&entries, &mut resolve).err().expect("two references");
    assert_eq!(errors, ["t.b", "c"]);
    let tree = Tree::from_entries(&entries[..1], &mut resolve).expect("no reference");
    assert_eq!(show_entries(&tree), "\"a\": \"resolved\"");
}

#[test]
fn an_export_names_everything_that_cannot_be_written() {
    let mut entries = variables(&[("A-B", "x"), ("OK", "x"), ("1A", "x"), ("UID", "x"), ("OK", "y")]);
    entries[4].path = "other.ok".parse().expect("a path");
    let error = write_shell(&entries).expect_err("refused");
    let name = "its variable name must consist of ASCII letters, digits and `_`, and no digit first";
    let expected = [
        format!("a-b: {name}"),
        format!("1a: {name}"),
        "uid: bash does not let its variable be set".to_owned(),
        "other.ok: ok has the same variable name".to_owned(),
    ];
    assert_eq!(problems(&error), expected);
    assert!(
        error.to_string().starts_with("cannot export to shell: a-b: its variable name"),
        "{error}"
    );

    let long = "x".repeat(65_535);
    let error = write_docker(&variables(&[
        ("A", "1\n2"),
        ("B", "1\r"),
        ("C D", ""),
        ("#E", ""),
        ("F", &long),
        ("", ""),
    ]));
    assert_eq!(error.expect_err("refused").problems.len(), 6);

    let name: ManifestName = "x".parse().expect("a name");
    let error = write_k8s(
        &name,
        &variables(&[("A B", ""), ("..", ""), ("É", ""), ("tls.crt", "ok"), ("BIG", &"x".repeat(1 << 21))]),
    );
    assert_eq!(error.expect_err("refused").problems.len(), 4);
}

#[test]
fn dotenv_lines_are_the_callers_and_its_reasons_are_listed() {
    let spell = |name: &str, value: &SecretValue| match value.expose() {
        "no" => Err("no spelling".to_owned()),
        value => Ok(Zeroizing::new(format!("{name}={value}"))),
    };
    assert_eq!(
        write_dotenv(&variables(&[("A", "1"), ("B", "2")]), &spell).expect("good").as_str(),
        "A=1\nB=2\n"
    );
    let error = write_dotenv(&variables(&[("A", "no"), ("B", "2"), ("C", "no")]), &spell).expect_err("refused");
    assert_eq!(problems(&error), ["a: no spelling", "c: no spelling"]);
}

struct Counter(std::sync::atomic::AtomicU8);

impl Entropy for Counter {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        buffer.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        Ok(())
    }
}

#[test]
fn github_delimiters_are_random_and_never_in_the_value() {
    let first = format!("dango_{}", "00".repeat(16));
    let second = format!("dango_{}", "01".repeat(16));
    let hostile = format!("x\n{first}\nPATH=/evil\n");
    let text = write_github(&variables(&[("A", &hostile), ("B", "")]), &Counter(0.into())).expect("good");
    let third = format!("dango_{}", "02".repeat(16));
    assert_eq!(text.as_str(), format!("A<<{second}\n{hostile}\n{second}\nB<<{third}\n\n{third}\n"));

    for name in ["GITHUB_TOKEN", "RUNNER_TEMP", "NODE_OPTIONS", "A=B", "A<<B", "A\nB"] {
        assert!(write_github(&variables(&[(name, "x")]), &Counter(0.into())).is_err(), "{name}");
    }
}

#[test]
fn github_masks_cover_the_value_and_each_of_its_lines() {
    let masks = github_masks(&variables(&[("A", "100%-secret\r\nline two\nx\n"), ("B", "true"), ("C", "")]));
    assert_eq!(
        masks.as_str(),
        "::add-mask::100%25-secret%0D%0Aline two%0Ax%0A\n::add-mask::100%25-secret\n::add-mask::line two\n"
    );
}

#[test]
fn manifest_names_follow_rfc_1123() {
    for good in ["a", "0", "my-app.prod-2", &"a".repeat(253)] {
        assert!(good.parse::<ManifestName>().is_ok(), "{good}");
    }
    for bad in ["", "A", "-a", "a-", "a..b", ".a", "a.", "a_b", "a b", "é", "a\n", &"a".repeat(254)] {
        assert!(bad.parse::<ManifestName>().is_err(), "{bad:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_real_shell_reads_back_what_is_written_and_runs_nothing() {
    let values = [
        "it's",
        "$(echo pwned) `echo pwned` ${HOME} $HOME",
        "\n'\n\"\\\n; echo pwned\r\n",
        "'; echo pwned; '",
        "\u{1b}[0m\té🍡!",
        "",
        "trailing\n\n",
        "~/* {a,b} # x",
        "-n",
    ];
    let names: Vec<String> = (0..values.len()).map(|n| format!("V{n}")).collect();
    let entries: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(values).collect();
    let mut script = write_shell(&variables(&entries)).expect("good names").to_string();
    for name in &names {
        script.push_str(&format!("printf '%s|' \"${name}\"\n"));
    }
    let output = std::process::Command::new("sh")
        .arg("-c")
        .arg(&script)
        .output()
        .expect("there is a shell");
    let expected: String = values.iter().map(|value| format!("{value}|")).collect();
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    assert!(output.stderr.is_empty() && output.status.success());
}
