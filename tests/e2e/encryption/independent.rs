//! A program that is not ours, written from `docs/formats` alone, opens what `dango` encrypted, and `dango` opens what it sealed.

use dango_tests::{Scratch, python, workspace_root};
use serde_json::{Value, json};

use super::{KEY, SECRETS, encrypt_all, envelope_after, envelopes, with_variable};
use crate::answers::{Answer, revealed};

/// The folder of that program, which also makes the keyring's test vectors.
const PROGRAM: &str = "crates/dango-keyring/tests/vectors";

/// What the program prints for these lines of Python, which have the format as `dango`.
fn python_says(project: &Scratch, script: &str, input: &Value) -> Value {
    let script = format!("import json, sys, dango_format as dango\njob = json.load(sys.stdin)\n{script}");
    let command = project.command(python(), &["-c", &script]);
    let command = command
        .env("PYTHONPATH", workspace_root().join(PROGRAM))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command.stdin(input.to_string()).run().success().json()
}

/// Opens one envelope with [`KEY`].
fn opened(project: &Scratch, purpose: &str, kind: &str, name: &str, envelope: &str) -> Value {
    let script =
        "print(json.dumps(dango.open_envelope(bytes.fromhex(job['key']), job['purpose'], job['kind'], [job['name']], job['envelope'])))";
    python_says(
        project,
        script,
        &json!({ "key": KEY, "purpose": purpose, "kind": kind, "name": name, "envelope": envelope }),
    )
}

#[test]
fn python_opens_every_value_that_dango_encrypted() {
    let project = with_variable();
    project.write(
        SECRETS,
        "[sources.stripe]\napi_key = \"sk_live_51H\"\nport = 0x1538 # kept\n\n[sources.\"my db\"]\n\"a.b\" = '''\nline\n'''\n",
    );
    project.write(".env", "TOKEN='from env'\n");
    encrypt_all(&project);
    let (text, env) = (project.read(SECRETS), project.read(".env"));
    for (key, path, plain) in [
        ("api_key", "sources.stripe.api_key", "\"sk_live_51H\""),
        ("port", "sources.stripe.port", "0x1538"),
        ("\"a.b\"", "sources.\"my db\".\"a.b\"", "'''\nline\n'''"),
    ] {
        let envelope = &text[envelope_after(&text, "[sources.stripe]", key)];
        assert_eq!(opened(&project, "secrets.toml", "path", path, envelope), plain, "{path}");
    }
    let envelope = &env[envelopes(&env)[0].clone()];
    assert_eq!(opened(&project, ".env", "variable", "TOKEN", envelope), "'from env'");
}

#[test]
fn python_checks_the_seals_that_dango_made() {
    let project = with_variable();
    super::fill(&project);
    let env = project.read(".env");
    let values: Vec<Value> = ["OTHER", "TOKEN"]
        .iter()
        .map(|key| json!([key, env[envelope_after(&env, &format!("{key}="), "")]]))
        .collect();
    let seal = env.lines().find(|line| line.starts_with("# dango:seal:v1:")).expect("a seal");
    let counter: u64 = seal.split(':').nth(4).and_then(|number| number.parse().ok()).expect("a number");
    let script = "print(json.dumps(dango.file_comment(bytes.fromhex(job['key']), '.env', job['counter'], job['values'])))";
    let made = python_says(&project, script, &json!({ "key": KEY, "counter": counter, "values": values }));
    assert_eq!(made, seal);
}

#[test]
fn dango_opens_what_python_sealed() {
    let project = with_variable();
    let script =
        "print(json.dumps(dango.seal(bytes.fromhex(job['key']), 'secrets.toml', 'path', ['sources.py.token'], '[1, \"two\"]', bytes(12))))";
    let envelope = python_says(&project, script, &json!({ "key": KEY }));
    project.write(SECRETS, format!("[sources.py]\ntoken = {envelope}\n"));
    assert_eq!(revealed(&project, "sources.py.token"), "[1,\"two\"]");
    let _ = project.run(&["secrets", "decrypt", "sources.py.token"]).success();
    assert_eq!(project.read(SECRETS), "[sources.py]\ntoken = [1, \"two\"]\n");
}

#[test]
fn dango_imports_a_backup_that_python_wrote() {
    let project = with_variable();
    super::fill(&project);
    let script = "print(json.dumps(dango.wrap([(bytes.fromhex(job['key']), 1)], 'correct horse', bytes(range(16)), bytes(12))))";
    let backup = python_says(&project, script, &json!({ "key": KEY }));
    let other = Scratch::copy_of(&project);
    other.write("backup", backup.as_str().expect("a text"));
    let import = other.dango(&["key", "import", "backup", "--holder", "file"]).stdin("correct horse");
    let _ = import.run().success();
    assert_eq!(revealed(&other, "sources.eu.stripe_secret_key"), "value-of-eu");
    let export = other.run(&["secrets", "export", "--reveal", "--format", "json"]).success();
    assert_eq!(export.json()["sources"]["us"]["stripe_secret_key"], "value-of-us");
}
