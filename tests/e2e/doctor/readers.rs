//! Whether dlt really does what a doctor says of it: each rule that rests on dlt's behaviour, held against the real one.

use std::collections::BTreeMap;

use dango_tests::{Scratch, python};
use serde_json::{Value, json};

use super::examine;
use crate::answers::Answer;

/// Asks dlt in a project for some paths by name, and for some as an argument of a source.
const READER: &str = r#"
import json, sys
import dlt
from dlt.common.configuration import with_config

def seen(ask):
    try:
        value = ask()
        return [type(value).__name__, value]
    except Exception as error:
        return [type(error).__name__, None]

def injected(section, name):
    scope = {"__name__": __name__, "dlt": dlt}
    exec(f"def {section}({name}: str = dlt.secrets.value):\n    return {name}", scope)
    return with_config(scope[section], sections=("sources", section))()

job = json.load(sys.stdin)
answers = {path: seen(lambda: dlt.secrets[path]) for path in job.get("items", [])}
answers.update({f"{section}({name})": seen(lambda: injected(section, name)) for section, name in job.get("arguments", [])})
json.dump(answers, sys.stdout, default=str)
"#;

fn ask(project: &Scratch, job: &Value) -> BTreeMap<String, Value> {
    let answer = project.command(python(), &["-c", READER]).stdin(job.to_string()).run().success();
    serde_json::from_value(answer.json()).unwrap()
}

fn codes(project: &Scratch) -> Vec<String> {
    examine(project, &[]).into_iter().map(|(code, _)| code).collect()
}

fn with_secrets(text: &str) -> Scratch {
    let project = Scratch::initialised();
    super::seeds::append(&project, ".dlt/secrets.toml", text);
    project
}

#[test]
fn a_byte_order_mark_and_a_malformed_file_stop_every_look_up() {
    for (file, text, code) in [
        (
            ".dlt/config.toml",
            "\u{feff}[runtime]\nlog_level = \"WARNING\"\n",
            "byte-order-mark",
        ),
        (".dlt/config.toml", "a = b\n", "config-malformed"),
    ] {
        let project = with_secrets("[sources.shop]\nkey = \"x1\"\n");
        project.write(file, text);
        assert_eq!(codes(&project), [code]);
        assert_eq!(
            ask(&project, &json!({ "items": ["sources.shop.key"] }))["sources.shop.key"][1],
            Value::Null
        );
    }
    let project = with_secrets("[sources.shop]\nkey = \"x1\"\n");
    project.write(".dlt/config.toml", "\u{feff}[runtime]\nlog_level = \"WARNING\"\n");
    let _ = project.run(&["doctor", "--fix"]).success();
    assert_eq!(
        ask(&project, &json!({ "items": ["sources.shop.key"] }))["sources.shop.key"][1],
        "x1"
    );
}

#[test]
fn casts_references_and_dotted_keys_are_what_dlt_makes_of_them() {
    let project = with_secrets(
        "[sources.shop]\nzip = \"00123\"\nreference = \"${HOME}\"\nforeign = \"{{ HOME }}\"\n\"dotted.key\" = \"x\"\nplain = \"123456\"\n",
    );
    let paths = [
        "sources.shop.zip",
        "sources.shop.reference",
        "sources.shop.foreign",
        "sources.shop.dotted.key",
        "sources.shop.plain",
    ];
    let seen = ask(&project, &json!({ "items": paths, "arguments": [["shop", "zip"]] }));
    assert_eq!(seen["sources.shop.zip"], json!(["int", 123]));
    assert_eq!(seen["shop(zip)"], json!(["str", "00123"]));
    assert_eq!(seen["sources.shop.reference"], json!(["str", "${HOME}"]));
    assert_eq!(seen["sources.shop.foreign"], json!(["str", "{{ HOME }}"]));
    assert_eq!(seen["sources.shop.dotted.key"][1], Value::Null);
    assert_eq!(codes(&project), ["auto-cast", "dotted-key", "foreign-reference", "needs-run"]);
}

#[test]
fn variables_go_before_files_and_empty_ones_too() {
    let mut project = with_secrets("[sources.shop]\napi_key = \"of the file\"\ncode = \"of the file\"\n");
    let job = json!({ "arguments": [["shop", "api_key"], ["shop", "code"]] });
    assert_eq!(ask(&project, &job)["shop(api_key)"], json!(["str", "of the file"]));
    assert!(codes(&project).is_empty());
    project.give("API_KEY", "of the environment");
    project.give("SOURCES__SHOP__CODE", "");
    let seen = ask(&project, &job);
    assert_eq!(seen["shop(api_key)"], json!(["str", "of the environment"]));
    assert_ne!(seen["shop(code)"], json!(["str", "of the file"]));
    assert_eq!(codes(&project), ["empty-variable", "variable-shadows"]);
}

#[test]
fn a_secret_in_config_and_a_profile_without_a_workspace_are_not_read() {
    let project = Scratch::initialised();
    project.write(".dlt/config.toml", "[sources.shop]\napi_key = \"x1\"\n");
    let job = json!({ "arguments": [["shop", "api_key"]] });
    assert_eq!(ask(&project, &job)["shop(api_key)"][1], Value::Null);
    assert_eq!(codes(&project), ["secret-in-config"]);

    let project = Scratch::initialised();
    super::seeds::append(&project, ".dlt/dev.secrets.toml", "[sources.shop]\napi_key = \"x1\"\n");
    assert_eq!(ask(&project, &job)["shop(api_key)"][1], Value::Null);
    assert_eq!(codes(&project), ["profile-ignored"]);
    project.write(".dlt/.workspace", "");
    assert_eq!(ask(&project, &job)["shop(api_key)"][1], "x1");
    assert!(codes(&project).is_empty());
}

#[test]
fn a_section_named_by_its_type_is_not_read_by_dlts_own_source() {
    let job = json!({ "arguments": [["stripe_analytics", "stripe_secret_key"]] });
    let project = with_secrets("[sources.stripe]\nstripe_secret_key = \"sk1\"\n");
    assert_eq!(ask(&project, &job)["stripe_analytics(stripe_secret_key)"][1], Value::Null);
    assert_eq!(codes(&project), ["section-not-read"]);
    let project = with_secrets("[sources.stripe_analytics]\nstripe_secret_key = \"sk1\"\n");
    assert_eq!(ask(&project, &job)["stripe_analytics(stripe_secret_key)"][1], "sk1");
    assert!(codes(&project).is_empty());
}
