//! Encrypted values that were removed or rolled back by hand: named in a warning on every use until somebody accepts the file as it is.

use dango_tests::Scratch;

use super::{SECRETS, envelope_after, fill, with_key_file};
use crate::answers::{Answer, set, set_env};

const EU: &str = "sources.eu.stripe_secret_key";
const US: &str = "sources.us.stripe_secret_key";

fn project() -> Scratch {
    let project = with_key_file();
    fill(&project);
    assert_silent(&project);
    project
}

/// Every use of what is encrypted in both files.
const USES: &[&[&str]] = &[
    &["run", "--", "true"],
    &["run", "--redact", "--", "true"],
    &["sync", "eu"],
    &["secrets", "export", "--reveal"],
];

const SECRETS_USE: &[&str] = &["secrets", "get", EU, "--reveal"];
const ENV_USE: &[&str] = &["env", "get", "TOKEN", "--reveal"];

/// Checks that every use goes on, and warns about the seal and these places, more than once.
#[track_caller]
fn assert_warns(project: &Scratch, of: &[&str], own: &[&str]) {
    for _ in 0..2 {
        // An export of credentials does not look at `.env`.
        let uses = USES.iter().filter(|words| own == SECRETS_USE || words[0] != "secrets").copied();
        for words in uses.chain([own]) {
            let answer = project.run(words).success().says(&["seal"]);
            let _ = answer.says(&[if own == SECRETS_USE { "secrets reseal" } else { "env reseal" }]);
            for place in of {
                assert!(answer_of(project, words).contains(place), "{words:?} does not name {place}");
            }
        }
    }
}

fn answer_of(project: &Scratch, words: &[&str]) -> String {
    project.run(words).success().hides(&["dango:v1:"]).stderr
}

#[track_caller]
fn assert_silent(project: &Scratch) {
    for words in USES.iter().copied().chain([SECRETS_USE, ENV_USE]) {
        let answer = project.run(words).success();
        assert!(!answer.stderr.contains("seal"), "{words:?} warns: {}", answer.stderr);
    }
}

/// The text without the line that a range begins in.
fn without_line(text: &str, at: usize) -> String {
    let begin = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |length| at + length + 1);
    format!("{}{}", &text[..begin], &text[end..])
}

#[test]
fn a_removed_credential_is_named_until_the_file_is_sealed_again() {
    let project = project();
    let text = project.read(SECRETS);
    project.write(SECRETS, without_line(&text, envelope_after(&text, "[sources.us]", "stripe").start));
    assert_warns(&project, &[US], SECRETS_USE);
    let _ = project.run(&["secrets", "reseal"]).success();
    assert_silent(&project);
}

#[test]
fn a_removed_variable_is_named_until_the_file_is_sealed_again() {
    let project = project();
    let text = project.read(".env");
    project.write(".env", without_line(&text, envelope_after(&text, "OTHER=", "").start));
    assert_warns(&project, &["OTHER"], ENV_USE);
    let _ = project.run(&["env", "reseal"]).success();
    assert_silent(&project);
}

#[test]
fn a_file_that_was_rolled_back_is_noticed_until_it_is_sealed_again() {
    let project = project();
    let old = project.read(SECRETS);
    set(&project, US, "a newer value");
    assert_silent(&project);
    project.write(SECRETS, &old);
    assert_warns(&project, &[US], SECRETS_USE);
    let _ = project.run(&["secrets", "reseal"]).success();
    assert_silent(&project);
    assert_eq!(project.run(&["secrets", "get", US, "--reveal"]).success().stdout, "value-of-us\n");

    let old = project.read(".env");
    set_env(&project, "OTHER", "a newer value");
    project.write(".env", &old);
    assert_warns(&project, &["OTHER"], ENV_USE);
    let _ = project.run(&["env", "reseal"]).success();
    assert_silent(&project);
}

#[test]
fn a_single_value_that_was_rolled_back_is_named() {
    let project = project();
    let text = project.read(SECRETS);
    let old = text[envelope_after(&text, "[sources.us]", "stripe")].to_owned();
    set(&project, US, "a newer value");
    let mut changed = project.read(SECRETS);
    let new = envelope_after(&changed, "[sources.us]", "stripe");
    changed.replace_range(new, &old);
    project.write(SECRETS, changed);
    assert_warns(&project, &[US], SECRETS_USE);
    let _ = project.run(&["secrets", "reseal"]).success();
    assert_silent(&project);
}

#[test]
fn a_seal_that_was_removed_with_a_value_does_not_hide_it() {
    let project = project();
    let text = project.read(SECRETS);
    let text = without_line(&text, envelope_after(&text, "[sources.us]", "stripe").start);
    let seal = text.find("[dango.seal]").expect("the file is sealed");
    project.write(SECRETS, &text[..seal]);
    assert_warns(&project, &[US], SECRETS_USE);
    let text = project.read(".env");
    let text = without_line(&text, envelope_after(&text, "OTHER=", "").start);
    project.write(".env", without_line(&text, text.find("# dango:seal").expect("the file is sealed")));
    assert_warns(&project, &["OTHER"], ENV_USE);
}

#[test]
fn everything_encrypted_being_gone_is_noticed() {
    let project = project();
    project.write(SECRETS, "[sources.eu]\nstripe_secret_key = \"plain\"\n");
    let answer = project.run(&["run", "--", "true"]).success().says(&["seal"]);
    let _ = answer.says(&[EU, US]);
    let _ = project.run(&["secrets", "reseal"]).success();
    let answer = project.run(&["run", "--", "true"]).success();
    assert!(!answer.stderr.contains("seal"), "{}", answer.stderr);
}

#[test]
fn an_edit_by_dango_does_not_hide_what_was_removed_by_hand() {
    let project = project();
    let text = project.read(SECRETS);
    project.write(SECRETS, without_line(&text, envelope_after(&text, "[sources.us]", "stripe").start));
    set(&project, EU, "a newer value");
    set(&project, "sources.eu.more", "one more");
    assert_warns(&project, &[US], SECRETS_USE);
    let _ = project.run(&["secrets", "reseal"]).success();
    assert_silent(&project);
    assert_eq!(project.run(&["secrets", "get", EU, "--reveal"]).success().stdout, "a newer value\n");
}

#[test]
fn plain_edits_by_hand_and_every_edit_by_dango_leave_the_seal_intact() {
    let project = project();
    let text = project.read(SECRETS);
    project.write(SECRETS, format!("# a comment\n[runtime]\nlog_level = \"INFO\"\n\n{text}"));
    assert_silent(&project);
    set(&project, "sources.eu.more", "one more");
    let _ = project.run(&["secrets", "unset", "sources.eu.more"]).success();
    let _ = project.run(&["secrets", "rollback", "sources.eu.more@1"]).success();
    let _ = project.run(&["--yes", "secrets", "unset", "sources.us"]).success();
    let _ = project.run(&["secrets", "decrypt", EU]).success();
    let _ = project.run(&["secrets", "encrypt", EU]).success();
    let _ = project.run(&["key", "rotate"]).success();
    project.write("more.json", "{\"sources\": {\"new\": {\"k\": \"imported\"}}}");
    let _ = project.run(&["secrets", "import", "more.json", "--format", "json"]).success();
    assert_silent(&project);
}

#[test]
fn a_seal_without_values_goes_when_the_last_value_is_decrypted() {
    let project = with_key_file();
    let (text, env) = ("# by hand\n[sources.a]\nk = \"v\"", "# by hand\nA=b");
    project.write(SECRETS, text);
    project.write(".env", env);
    super::encrypt_all(&project);
    assert!(project.read(SECRETS).contains("[dango.seal]") && project.read(".env").contains("# dango:seal:v1:"));
    let _ = project.run(&["secrets", "decrypt", "--all"]).success();
    let _ = project.run(&["env", "decrypt", "--all"]).success();
    assert_eq!((project.read(SECRETS).as_str(), project.read(".env").as_str()), (text, env));
    let answer = project.run(&["run", "--", "true"]).success();
    assert_eq!(answer.stderr, "");
}
