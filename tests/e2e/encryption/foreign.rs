//! Encrypted values that come from elsewhere: pasted, imported, given in a variable. None is stored, none opens, none changes the key.

use dango_tests::Scratch;

use crate::answers::Answer;

use super::{KEY, SECRETS, fill, with_key_file, with_variable};

#[test]
fn a_text_that_is_an_encrypted_value_is_refused_and_nothing_changes() {
    let project = with_key_file();
    fill(&project);
    let text = project.read(SECRETS);
    let envelope = text
        .split('"')
        .find(|part| part.starts_with("dango:v1:"))
        .expect("an encrypted value")
        .to_owned();
    for arguments in [
        &["secrets", "set", "sources.eu.stripe_secret_key"][..],
        &["secrets", "set", "sources.eu.other", "--plain"],
        &["secrets", "set", "sources.eu.other", "--encrypt"],
        &["env", "set", "TOKEN"],
        &["env", "set", "NEW", "--plain"],
    ] {
        let failed = project
            .dango(arguments)
            .stdin(&envelope)
            .run()
            .fails(1, &["was given an encrypted value"]);
        assert!(!failed.stderr.contains(&envelope), "{arguments:?}");
    }
    assert_eq!(project.read(SECRETS), text);
    let _ = project.run(&["run", "--", "true"]).success();
}

#[test]
fn an_import_of_an_encrypted_file_takes_neither_its_values_nor_its_seal() {
    let other = with_key_file();
    fill(&other);
    let project = with_key_file();
    fill(&project);
    let before = project.read(SECRETS);
    project.write("other.toml", other.read(SECRETS));
    let _ = project
        .run(&["secrets", "import", "other.toml", "--overwrite"])
        .fails(1, &["was given an encrypted value", "nothing was imported"]);
    assert_eq!(project.read(SECRETS), before);

    // Plain values beside a seal are taken, the seal is not.
    project.write(
        "other.toml",
        "[sources.new]\nregion = \"eu\"\n[dango.seal]\nkey_id = \"0\"\ncounter = 9\ndigest = \"x\"\n",
    );
    let _ = project.run(&["secrets", "import", "other.toml"]).success();
    assert!(!project.read(SECRETS).contains("counter = 9"));
    let run = project.run(&["run", "--", "true"]).success();
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
}

#[test]
fn a_value_under_another_key_does_not_make_that_key_the_projects() {
    let stranger = with_variable();
    stranger.write(SECRETS, "[sources.us]\nstripe_secret_key = \"value-of-another\"\n");
    let _ = stranger.run(&["secrets", "encrypt", "--all"]).success();
    let pasted = stranger
        .read(SECRETS)
        .lines()
        .nth(1)
        .expect("the value's line")
        .replace("stripe_secret_key", "pasted");

    let mut project: Scratch = with_key_file();
    fill(&project);
    let text = project
        .read(SECRETS)
        .replace("[sources.us]\n", &format!("[sources.us]\n{pasted}\n"));
    project.write(SECRETS, text);
    let id = |project: &Scratch| project.run(&["key", "status", "--json"]).success().json()["key_id"].clone();
    let before = id(&project);
    project.give("DANGO_KEY", KEY);
    assert_eq!(id(&project), before);
    let revealed = project
        .run(&["secrets", "get", "--reveal", "sources.eu.stripe_secret_key"])
        .success();
    assert_eq!(revealed.stdout, "value-of-eu\n");
    assert!(
        revealed.stderr.contains("is not this project's and is not used"),
        "{}",
        revealed.stderr
    );
}
