//! Our view of dlt against the real dlt: its answers are recorded in `dlt/*.json` by the scripts beside them.

use std::path::{Path, PathBuf};

use dango_core::{CredentialPath, SecretValue};
use dango_secrets::dlt::{
    Access, Cast, DltFiles, Explanation, Machine, Note, Place, SettingsFile, Start, Surroundings, UnreadableFile, auto_cast,
    environment_text, explain, run_secret_name, variable_name,
};
use dango_secrets::{Text, Value};
use serde_json::Value as Json;

fn fixture(text: &str) -> Json {
    serde_json::from_str(text).expect("the fixture is JSON")
}

fn list<'a>(json: &'a Json, key: &str) -> &'a Vec<Json> {
    json[key].as_array().expect("a list")
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

#[test]
fn values_have_the_text_that_the_real_dlt_gives_them() {
    let fixture = fixture(include_str!("dlt/casts.json"));
    for case in list(&fixture, "floats") {
        let bits = u64::from_str_radix(text(&case[0]), 16).expect("bits");
        let value = float(f64::from_bits(bits));
        assert_eq!(environment_text(&value).expect("a text").as_str(), text(&case[1]));
    }
    for case in list(&fixture, "trees") {
        assert_eq!(environment_text(&tree(&case[0])).expect("a text").as_str(), text(&case[1]));
    }
}

#[test]
fn files_are_looked_for_where_the_real_dlt_looks() {
    let fixture = fixture(include_str!("dlt/files.json"));
    for (number, machine) in list(&fixture, "machines").iter().enumerate() {
        let file = |path: &Path| machine["files"].get(path.strip_prefix("/r").ok()?.to_str()?).map(text);
        let is_dir = |path: &Path| {
            let files = machine["files"].as_object().expect("files");
            let mut dirs = list(machine, "dirs")
                .iter()
                .map(text)
                .chain(files.keys().filter_map(|file| Some(file.rsplit_once('/')?.0)));
            dirs.any(|dir| path == Path::new("/r").join(dir))
        };
        let found = DltFiles::locate(&Machine {
            working_dir: Path::new("/r/cwd"),
            environment: &|name| machine["variables"].get(name).map(|value| text(value).to_owned()),
            home: Some(Path::new("/r/home")),
            effective_uid: machine["uid"].as_u64().and_then(|uid| u32::try_from(uid).ok()),
            temporary_dir: Path::new("/r/tmp"),
            is_file: &|path| file(path).is_some(),
            is_dir: &is_dir,
            is_writable: &is_dir,
            first_line: &|path| file(path)?.split_inclusive('\n').next().map(str::to_owned),
        });
        let expected = &machine["expected"];
        let paths = |kind: &str| -> Vec<PathBuf> { list(expected, kind).iter().map(|path| PathBuf::from(text(path))).collect() };
        assert_eq!(found.secrets, paths("secrets"), "machine {number}: {machine}");
        assert_eq!(found.config, paths("config"), "machine {number}: {machine}");
        let profile = found.profile.map(|profile| profile.name);
        assert_eq!(profile.as_deref(), expected["profile"].as_str(), "machine {number}: {machine}");
    }
}

fn float(value: f64) -> Value {
    let text = String::new().into();
    Value::Float { value, text }
}

/// A settings file's tree, from the JSON that the script wrote for it.
fn tree(json: &Json) -> Value {
    match json {
        Json::String(text) => Value::String(Text::literal(text)),
        Json::Array(items) => Value::Array(items.iter().map(tree).collect()),
        Json::Object(entries) => Value::Table(entries.iter().map(|(key, value)| (key.clone(), tree(value))).collect()),
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Value::Integer {
                value,
                text: number.to_string().into(),
            },
            None => float(number.as_f64().expect("a number")),
        },
        Json::Null => unreachable!("TOML has no null"),
    }
}

/// Whether a place is the one that the real dlt took the value from.
fn is_place(place: &Place, expected: &Json) -> bool {
    let is_named = match &expected["name"] {
        Json::Array(parts) => parts.iter().map(text).eq(place.path.parts().iter().map(String::as_str)),
        name => name.as_str() == Some(place.name.as_str()),
    };
    is_named && place.provider.as_str() == text(&expected["provider"]) && place.location.as_deref() == expected["location"].as_str()
}

fn explain_scene(scene: &Json) -> Explanation {
    let trees = |kind: &str| -> Vec<(String, Value)> {
        let file = |file: &Json| (text(&file["location"]).to_owned(), tree(&file["tree"]));
        list(scene, kind).iter().map(file).collect()
    };
    let (secrets, config) = (trees("secrets"), trees("config"));
    let variable = |kind: &str, name: &str| {
        let value = scene[kind].get(name)?.as_str()?;
        SecretValue::new(value.to_owned()).ok()
    };
    let path = CredentialPath::from_parts(list(scene, "path").iter().map(text)).expect("not empty");
    let access = match text(&scene["access"]) {
        "secret_argument" => Access::SecretArgument,
        "plain_argument" => Access::PlainArgument,
        _ => Access::SecretsItem,
    };
    let around = Surroundings {
        environment: &|name| variable("environment", name),
        dotenv: &|name| variable("dotenv", name),
        run_secrets: &|name| scene["run_secrets"].get(name).is_some(),
        secrets: &settings_files(&secrets, scene),
        config: &settings_files(&config, scene),
        start: if scene["dotenv_loaded"] == Json::Bool(true) {
            Start::DotenvLoaded
        } else {
            Start::Plain
        },
    };
    explain(&path, access, scene["pipeline"].as_str(), &around)
}

fn settings_files<'a>(trees: &'a [(String, Value)], scene: &Json) -> Vec<SettingsFile<'a>> {
    let file = |(location, tree): &'a (String, Value)| SettingsFile {
        location: location.clone(),
        content: match scene["broken"].as_str() {
            Some(broken) if broken == location => Err(UnreadableFile::Malformed("does not parse".to_owned())),
            _ => Ok(tree),
        },
    };
    trees.iter().map(file).collect()
}

#[test]
fn the_place_that_wins_is_the_one_that_the_real_dlt_takes() {
    let fixture = fixture(include_str!("dlt/lookups.json"));
    let scenes = list(&fixture, "scenes");
    assert!(scenes.len() >= 60, "only {} scenes", scenes.len());
    for (number, scene) in scenes.iter().enumerate() {
        let answer = explain_scene(scene);
        let expected = &scene["expected"];
        let whole = answer.notes.iter().find_map(|note| match note {
            Note::CredentialsAsText { place } => Some(place),
            _ => None,
        });
        let codes: Vec<&str> = answer.notes.iter().map(Note::code).collect();
        let agrees = match expected.as_str() {
            Some("unreadable") => answer.winner.is_none() && codes.contains(&"file_unreadable"),
            Some("not_secret") => {
                answer.winner.is_none() && (codes.contains(&"secret_in_config") || codes.contains(&"credentials_in_config"))
            }
            Some(_) => answer.winner.is_none() && whole.is_none() && !codes.iter().any(|code| code.ends_with("_in_config")),
            // The whole credentials, given as text, go before the field.
            None => whole.or(answer.winning_place()).is_some_and(|place| is_place(place, expected)),
        };
        assert!(
            agrees,
            "scene {number}: {scene}\nwe say {:?}, {:?}",
            answer.winning_place(),
            answer.notes
        );
    }
}
