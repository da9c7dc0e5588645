//! What users rely on in an explanation beyond the winner, which `tests/dlt.rs` compares with the real dlt.

use dango_core::SecretValue;
use proptest::prelude::*;

use super::*;
use crate::Text;
use crate::dlt::{Provider, UnreadableFile};

/// A machine in a few words; values are texts.
#[derive(Default)]
struct Scene {
    environment: Vec<(&'static str, &'static str)>,
    dotenv: Vec<(&'static str, &'static str)>,
    run_secrets: Vec<&'static str>,
    secrets: Vec<Value>,
    config: Vec<Value>,
    broken: Option<UnreadableFile>,
}

impl Scene {
    fn explain(&self, path: &str, access: Access, pipeline: Option<&str>, start: Start) -> Explanation {
        let variable = |list: &[(&str, &str)], name: &str| {
            let (_, value) = list.iter().find(|(key, _)| *key == name)?;
            SecretValue::new((*value).to_owned()).ok()
        };
        let file = |kind: &str, (index, tree)| SettingsFile {
            location: format!("{kind}{index}.toml"),
            content: Ok(tree),
        };
        let mut secrets: Vec<SettingsFile<'_>> = self.secrets.iter().enumerate().map(|tree| file("secrets", tree)).collect();
        secrets.extend(self.broken.iter().map(|problem| SettingsFile {
            location: "broken.toml".to_owned(),
            content: Err(problem.clone()),
        }));
        let config: Vec<SettingsFile<'_>> = self.config.iter().enumerate().map(|tree| file("config", tree)).collect();
        let around = Surroundings {
            environment: &|name| variable(&self.environment, name),
            dotenv: &|name| variable(&self.dotenv, name),
            run_secrets: &|name| self.run_secrets.contains(&name),
            secrets: &secrets,
            config: &config,
            start,
        };
        explain(&path.parse().expect("a path"), access, pipeline, &around)
    }

    fn secret(&self, path: &str) -> Explanation {
        self.explain(path, Access::SecretArgument, None, Start::Plain)
    }
}

/// A tree with one text at a path.
fn tree(parts: &[&str], text: &str) -> Value {
    parts.iter().rev().fold(Value::String(Text::from_plain(text)), |inner, part| {
        Value::Table(vec![((*part).to_owned(), inner)])
    })
}

fn codes(answer: &Explanation) -> Vec<&'static str> {
    answer.notes.iter().map(Note::code).collect()
}

fn winner(answer: &Explanation) -> Option<(Provider, &str)> {
    answer.winning_place().map(|place| (place.provider, place.name.as_str()))
}

const PATH: &str = "sources.mod.src.key";
const KEYS: [&str; 4] = ["sources", "mod", "src", "key"];

#[test]
fn places_come_in_the_order_of_dlt() {
    let scene = Scene {
        secrets: vec![tree(&["x"], "y"), tree(&["x"], "y")],
        config: vec![tree(&["x"], "y")],
        ..Scene::default()
    };
    let answer = scene.explain(PATH, Access::SecretArgument, Some("pipe"), Start::Plain);
    assert_eq!(answer.places.len(), 2 * 5 * (3 + 2 + 1));
    let names: Vec<&str> = answer.places.iter().map(|place| place.name.as_str()).collect();
    assert_eq!(
        names[..4],
        [
            "pipe--sources--mod--src--key",
            "PIPE__SOURCES__MOD__SRC__KEY",
            "PIPE__SOURCES__MOD__SRC__KEY",
            "pipe--sources--mod--key"
        ]
    );
    let second_round: Vec<&str> = answer.places[30..]
        .iter()
        .filter(|place| place.location.as_deref() == Some("secrets0.toml"))
        .map(|place| place.name.as_str())
        .collect();
    assert_eq!(
        second_round,
        [
            "[sources.mod.src] key",
            "[sources.mod] key",
            "[sources.src] key",
            "[sources] key",
            "key"
        ]
    );
}

#[test]
fn a_field_of_credentials_keeps_their_section() {
    let answer = Scene::default().secret("destination.postgres.credentials.password");
    let variables: Vec<&str> = answer
        .places
        .iter()
        .filter(|place| place.provider == Provider::EnvironmentVariables)
        .map(|place| place.name.as_str())
        .collect();
    assert_eq!(
        variables,
        [
            "DESTINATION__POSTGRES__CREDENTIALS__PASSWORD",
            "DESTINATION__CREDENTIALS__PASSWORD",
            "CREDENTIALS__PASSWORD"
        ]
    );
}

#[test]
fn a_bare_variable_that_shadows_a_file_is_told() {
    let scene = |name| Scene {
        environment: vec![(name, "x")],
        secrets: vec![tree(&KEYS, "y")],
        ..Scene::default()
    };
    let bare = scene("KEY").secret(PATH);
    assert_eq!(winner(&bare), Some((Provider::EnvironmentVariables, "KEY")));
    assert_eq!(codes(&bare), ["bare_variable_shadows_file"]);
    assert_eq!(codes(&scene("SOURCES__MOD__KEY").secret(PATH)), ["variable_shadows_file"]);
    assert!(codes(&scene("SOURCES__MOD__SRC__KEY").secret(PATH)).is_empty());
}

#[test]
fn values_that_surprise_are_told() {
    for (text, code) in [
        ("", "empty_value_wins"),
        ("<configure me>", "placeholder_wins"),
        ("${STRIPE_API_KEY}", "reference_taken_verbatim"),
        ("00123", "auto_cast"),
        ("+15551234567", "auto_cast"),
    ] {
        let scene = Scene {
            secrets: vec![tree(&KEYS, text)],
            ..Scene::default()
        };
        let answer = scene.secret(PATH);
        assert_eq!(winner(&answer), Some((Provider::SecretsToml, "[sources.mod.src] key")));
        assert_eq!(codes(&answer), [code], "{text}");
    }
    let escaped = [('$', false), ('{', true), ('A', true), ('}', true)];
    let value = Value::String(Text::from_characters(escaped));
    let scene = Scene {
        secrets: vec![Value::Table(vec![("key".to_owned(), value)])],
        ..Scene::default()
    };
    assert!(codes(&scene.secret(PATH)).is_empty(), "an escaped reference is meant as text");
}

#[test]
fn one_unreadable_file_makes_every_look_up_fail() {
    let scene = Scene {
        environment: vec![("KEY", "x")],
        broken: Some(UnreadableFile::ByteOrderMark),
        ..Scene::default()
    };
    let answer = scene.secret(PATH);
    assert_eq!(answer.winner, None);
    assert_eq!(codes(&answer), ["file_unreadable"]);
    assert_eq!(
        answer.notes[0].to_string(),
        "dlt cannot read broken.toml, so every look-up fails: it begins with a byte order mark"
    );
    assert!(answer.places.iter().any(|place| place.state == State::Unreadable));
}

#[test]
fn dotenv_counts_only_where_it_is_loaded() {
    let scene = Scene {
        environment: vec![("KEY", "x")],
        dotenv: vec![("SOURCES__MOD__SRC__KEY", "y")],
        ..Scene::default()
    };
    let plain = scene.secret(PATH);
    assert_eq!(winner(&plain), Some((Provider::EnvironmentVariables, "KEY")));
    assert_eq!(codes(&plain), ["dotenv_not_loaded"]);
    let loaded = scene.explain(PATH, Access::SecretArgument, None, Start::DotenvLoaded);
    assert_eq!(winner(&loaded), Some((Provider::DotEnv, "SOURCES__MOD__SRC__KEY")));
}

#[test]
fn a_secret_in_config_is_an_error_but_a_plain_argument_is_not() {
    let scene = Scene {
        config: vec![tree(&KEYS, "x")],
        ..Scene::default()
    };
    let answer = scene.secret(PATH);
    assert_eq!((answer.winner, codes(&answer)), (None, vec!["secret_in_config"]));
    let answer = scene.explain(PATH, Access::PlainArgument, None, Start::Plain);
    assert_eq!(winner(&answer), Some((Provider::ConfigToml, "[sources.mod.src] key")));
    let answer = scene.explain(PATH, Access::SecretsItem, None, Start::Plain);
    assert_eq!((answer.winner, answer.places.len()), (None, 3), "an item is not looked for there");
}

#[test]
fn credentials_given_otherwise_are_told() {
    let path = "destination.postgres.credentials.password";
    let whole = ["destination", "postgres", "credentials"];
    let text = Scene {
        secrets: vec![tree(&whole, "postgres://…")],
        ..Scene::default()
    };
    assert_eq!(codes(&text.secret(path)), ["credentials_as_text"]);
    let table = Scene {
        config: vec![tree(&[&whole[..], &["host"]].concat(), "localhost")],
        environment: vec![("CREDENTIALS__PASSWORD", "x")],
        ..Scene::default()
    };
    let answer = table.secret(path);
    assert_eq!((answer.winner, codes(&answer)), (None, vec!["credentials_in_config"]));
}

#[test]
fn a_quoted_dot_that_looks_like_the_path_is_told() {
    let scene = Scene {
        secrets: vec![tree(&["sources.mod", "src", "key"], "x")],
        ..Scene::default()
    };
    let answer = scene.secret(PATH);
    assert_eq!((answer.winner, codes(&answer)), (None, vec!["quoted_dot"]));
    assert!(answer.notes[0].to_string().contains(r#""sources.mod".src.key"#));

    let scene = Scene {
        secrets: vec![tree(&["sources", "my.db", "key"], "x")],
        ..Scene::default()
    };
    let path = r#"sources."my.db".key"#;
    assert!(scene.secret(path).winner.is_some());
    let item = scene.explain(path, Access::SecretsItem, None, Start::Plain);
    assert_eq!(item.winner, None, "`dlt.secrets` splits at every dot");
    assert!(codes(&item).contains(&"quoted_dot"));
}

#[test]
fn names_that_no_shell_exports_are_told() {
    assert_eq!(codes(&Scene::default().secret("sources.my-src.key")), ["variable_not_exportable"]);
    assert_eq!(codes(&Scene::default().secret(r#"sources."a=b""#)), ["no_variable"]);
    let note = &Scene::default().secret(r#"sources."a\u001b[31m""#).notes[0];
    assert!(!note.to_string().contains('\u{1b}'), "no control character reaches a terminal");
}

#[test]
fn what_a_higher_file_hides_is_shown_as_hidden() {
    let scene = Scene {
        secrets: vec![tree(&["sources"], "in the way"), tree(&KEYS, "x")],
        ..Scene::default()
    };
    let answer = scene.secret(PATH);
    assert_eq!(answer.winner, None);
    assert!(answer.places.iter().any(|place| place.state == State::Hidden));
}

#[test]
fn a_run_secret_wins_over_its_variable() {
    let scene = Scene {
        environment: vec![("KEY", "x")],
        run_secrets: vec!["key"],
        ..Scene::default()
    };
    assert_eq!(winner(&scene.secret(PATH)), Some((Provider::RunSecrets, "key")));
    let plain = scene.explain(PATH, Access::PlainArgument, None, Start::Plain);
    assert_eq!(winner(&plain), Some((Provider::EnvironmentVariables, "KEY")));
}

#[test]
fn a_path_without_end_is_refused() {
    let answer = Scene::default().secret(&vec!["a"; 10_000].join("."));
    assert_eq!((answer.places.len(), codes(&answer)), (0, vec!["path_too_deep"]));
}

#[test]
fn no_value_is_in_an_explanation() {
    let scene = Scene {
        environment: vec![("SRC__KEY", "canary"), ("KEY", "canary")],
        dotenv: vec![("SOURCES__KEY", "canary")],
        secrets: vec![tree(&KEYS, "${X} canary"), tree(&["sources", "key"], "canary")],
        config: vec![tree(&["key"], "canary")],
        ..Scene::default()
    };
    for start in [Start::Plain, Start::DotenvLoaded] {
        let answer = scene.explain(PATH, Access::PlainArgument, Some("pipe"), start);
        assert!(answer.winner.is_some());
        assert!(!format!("{answer:?}").contains("canary"));
        assert!(answer.notes.iter().all(|note| !note.to_string().contains("canary")));
    }
}

proptest! {
    #[test]
    fn no_path_panics_and_the_winner_has_a_value(parts in proptest::collection::vec("[a.\\-é]{0,3}", 1..7), item in any::<bool>()) {
        let keys: Vec<&str> = parts.iter().map(String::as_str).collect();
        let scene = Scene { secrets: vec![tree(&keys, "x")], ..Scene::default() };
        let path = CredentialPath::from_parts(parts.clone()).expect("not empty");
        let access = if item { Access::SecretsItem } else { Access::SecretArgument };
        let answer = scene.explain(&path.to_string(), access, Some("p"), Start::Plain);
        let is_found = answer.winning_place().is_some_and(|place| place.state.is_value());
        prop_assert_eq!(is_found, !item || parts.iter().all(|part| !part.contains('.')));
    }
}
