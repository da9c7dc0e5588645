//! Our view of dlt against the real dlt: its answers are recorded in `dlt/*.json` by the scripts beside them.

use dango_core::CredentialPath;
use dango_secrets::dlt::{Cast, auto_cast, run_secret_name, variable_name};
use serde_json::Value as Json;

fn fixture(text: &str) -> Json {
    serde_json::from_str(text).expect("the fixture is JSON")
}

fn list<'a>(json: &'a Json, key: &str) -> &'a Vec<Json> {
    json[key].as_array().unwrap_or_else(|| panic!("no list called {key}"))
}

fn text(json: &Json) -> &str {
    json.as_str().expect("a text")
}

#[test]
fn texts_are_cast_as_the_real_dlt_casts_them() {
    let fixture = fixture(include_str!("dlt/casts.json"));
    let casts = list(&fixture, "casts");
    assert!(casts.len() >= 300, "only {} cases", casts.len());
    for case in casts {
        let input = text(&case[0]);
        let cast = auto_cast(input);
        let value = match &cast {
            Cast::Boolean(value) => Some(value.to_string()),
            Cast::Integer(digits) => Some(digits.to_string()),
            Cast::Float(number) if number.is_nan() => Some("nan".to_owned()),
            Cast::Float(number) => Some(format!("{:016x}", number.to_bits())),
            _ => None,
        };
        let start: String = input.chars().take(60).collect();
        assert_eq!(cast.kind().as_str(), text(&case[1]), "{start:?}");
        assert_eq!(value.as_deref(), case[2].as_str(), "{start:?}");
    }
}

#[test]
fn names_are_spelled_as_the_real_dlt_spells_them() {
    let fixture = fixture(include_str!("dlt/casts.json"));
    for case in list(&fixture, "names") {
        let path = CredentialPath::from_parts(list(case, "path").iter().map(text)).expect("not empty");
        let name = variable_name(&path).expect("a name");
        assert_eq!(name.as_str(), text(&case["variable"]), "{path}");
        assert_eq!(run_secret_name(name.as_str()), text(&case["run_secret"]), "{path}");
    }
}
