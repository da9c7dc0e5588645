//! A project's values through the port: what is wanted and what it refers to, opened, and nothing else.

#![allow(clippy::disallowed_methods, reason = "files are changed as editors and other programs change them")]

use std::fs;
use std::sync::Arc;

use dango_actions::{CredentialChange, CredentialChanged, FilesProblem, GivenValues, Keeping, ProjectValues, Tables, WantedValues};
use dango_core::{CredentialPath, OsEntropy, SecretValue, SystemClock};
use dango_files::{KeyAccess, KeySource, VaultFiles};
use dango_secrets::document::{NewType, NewValue};
use dango_secrets::project::Project;
use dango_secrets::{References, SetOutcome};

struct Place {
    _directory: tempfile::TempDir,
    project: Project,
}

const SECRETS: &str = "# top\n[sources.pg] # pg\nhost = \"${HOST:-${FALLBACK}}\" # where\nport = 0x10\n[sources.stripe]\nkey = 'sk'\n\
                       [dango.oauth.pg]\nprovider = 'google'\nidentifier = 'ada@team.example'\nexpires_at = '2027-01-01T00:00:00Z'\n\
                       [dango.oauth.pg.metadata]\napp_secret = 'canary'\nprovider = 'canary'\n[dango.seen]\nx = 1\n";
const ENV: &str =
    "# note\nREGION=eu\nHOST=\"db.${REGION}\"\nFALLBACK=none\nUNUSED=1\nDANGO_KEY=canary\nDANGO_IDENTITY_KEY=canary\nTWICE=1\nTWICE\n";

fn place() -> Place {
    let directory = tempfile::tempdir().expect("a directory");
    Project::init(directory.path(), &OsEntropy).expect("made");
    let project = Project::at(directory.path());
    fs::write(project.secrets_toml(), SECRETS).expect("written");
    fs::write(project.env_file(), ENV).expect("written");
    Place {
        _directory: directory,
        project,
    }
}

impl Place {
    fn files(&self, key: Option<&str>) -> VaultFiles {
        let access = KeyAccess {
            key: key.map(|key| SecretValue::new(key.to_owned()).expect("no NUL")),
            ..KeyAccess::default()
        };
        let keys = Arc::new(KeySource::new(access));
        VaultFiles::new(self.project.clone(), keys, Arc::new(OsEntropy), Arc::new(SystemClock))
    }

    fn read(&self, wanted: &WantedValues) -> GivenValues {
        self.files(None).read(wanted).expect("read")
    }
}

fn path(text: &str) -> CredentialPath {
    text.parse().expect("a path")
}

fn keys(given: &GivenValues) -> Vec<&str> {
    given.variables.iter().map(|variable| variable.key.as_str()).collect()
}

#[test]
fn a_run_is_given_all_credentials_and_variables_without_a_comment() {
    let given = place().read(&WantedValues::Run { only: None });
    let expected = "sources.pg.host = \"${HOST:-${FALLBACK}}\"\nsources.pg.port = 0x10\nsources.stripe.key = \"sk\"\n";
    assert_eq!(given.credentials.as_str(), expected);
    assert_eq!(keys(&given), ["REGION", "HOST", "FALLBACK", "UNUSED", "TWICE", "TWICE"]);
    assert!(given.variables[5].value.is_none(), "it stands alone");
    let paths: Vec<String> = given.paths.iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["sources.pg.host", "sources.pg.port", "sources.stripe.key"]);
    let only = Some(path("sources.stripe"));
    let narrowed = place().read(&WantedValues::Run { only });
    assert!(narrowed.credentials.starts_with("sources.stripe.key = ") && !narrowed.credentials.contains("pg.port"));
    assert_eq!(narrowed.variables.len(), 6);
}

#[test]
fn whoever_loads_a_source_learns_how_long_connections_are_good_and_nothing_else_of_them() {
    let only = Some(path("sources.stripe"));
    let given = place().read(&WantedValues::Sync { only });
    let expected = "sources.stripe.key = \"sk\"\ndango.oauth.pg.provider = \"google\"\n\
                    dango.oauth.pg.expires_at = \"2027-01-01T00:00:00Z\"\n";
    assert_eq!(given.credentials.as_str(), expected);
    assert_eq!(given.paths, [path("sources.stripe.key")]);
}

#[test]
fn what_opens_the_house_is_listed_and_given_to_nobody() {
    let place = place();
    let listed = ProjectValues::list(&place.files(None)).expect("listed");
    let withheld: Vec<&str> = listed
        .variables
        .iter()
        .filter(|variable| variable.is_withheld)
        .map(|variable| variable.key.as_str())
        .collect();
    assert_eq!(withheld, ["DANGO_KEY", "DANGO_IDENTITY_KEY"]);
    for wanted in [WantedValues::Run { only: None }, WantedValues::Sync { only: None }] {
        let given = place.read(&wanted);
        let texts = given.variables.iter().filter_map(|variable| variable.value.as_ref());
        assert!(texts.into_iter().all(|value| value.expose() != "canary") && !given.credentials.contains("canary"));
    }
    let refused = place.files(None).read(&WantedValues::Variable("DANGO_KEY".to_owned()));
    assert_eq!(refused.err().map(|error| error.problem().clone()), Some(FilesProblem::Withheld));
}

#[test]
fn a_file_that_was_put_back_to_an_older_state_is_given_with_a_warning() {
    let place = place();
    let key = "07".repeat(32);
    let files = place.files(Some(&key));
    let set = |text: &str| {
        let text = SecretValue::new(text.to_owned()).expect("no NUL");
        let value = NewValue::parse(NewType::String, &text, References::Literal).expect("a string");
        let change = CredentialChange::Set {
            path: path("sources.sealed.key"),
            value,
            keeping: Keeping::Encrypted,
        };
        files.change(&change, "ada").expect("set");
    };
    set("one");
    let older = fs::read(place.project.secrets_toml()).expect("there");
    set("two");
    assert_eq!(files.read(&WantedValues::Run { only: None }).expect("read").warnings, []);
    fs::write(place.project.secrets_toml(), older).expect("written");
    let given = files.read(&WantedValues::Run { only: None }).expect("read");
    let codes: Vec<&str> = given.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["seal-rolled-back"]);
    let plain = files.read(&WantedValues::Credential(path("sources.stripe.key"))).expect("read");
    assert_eq!(plain.warnings, []);
}

#[test]
fn one_value_comes_with_what_it_refers_to_and_no_more() {
    let place = place();
    let given = place.read(&WantedValues::Credential(path("sources.pg.host")));
    assert_eq!(keys(&given), ["REGION", "HOST", "FALLBACK"]);
    assert_eq!(given.credentials.lines().count(), 1);
    let given = place.read(&WantedValues::Credential(path("sources.stripe")));
    assert_eq!((keys(&given).len(), given.paths.len()), (0, 1));
    let given = place.read(&WantedValues::Variable("HOST".to_owned()));
    assert_eq!((keys(&given), given.credentials.as_str()), (vec!["REGION", "HOST"], ""));
    let problem = |wanted| place.files(None).read(&wanted).err().map(|error| error.problem().clone());
    assert_eq!(
        problem(WantedValues::Credential(path("sources.none"))),
        Some(FilesProblem::NoCredential)
    );
    assert_eq!(
        problem(WantedValues::Credential(path("dango.oauth"))),
        Some(FilesProblem::NoCredential)
    );
    assert_eq!(problem(WantedValues::Variable("NONE".to_owned())), Some(FilesProblem::NotFound));
}

#[test]
fn what_is_encrypted_is_opened_and_one_value_that_does_not_open_gives_none() {
    let place = place();
    let key = "07".repeat(32);
    let files = place.files(Some(&key));
    let text = SecretValue::new("${NOT} a reference".to_owned()).expect("no NUL");
    let value = NewValue::parse(NewType::String, &text, References::Literal).expect("a string");
    let change = CredentialChange::Set {
        path: path("sources.sealed.key"),
        value,
        keeping: Keeping::Encrypted,
    };
    let changed = files.change(&change, "ada").expect("set");
    let outcome = SetOutcome::Created;
    assert_eq!(changed, CredentialChanged::Set { outcome, encrypted: true });
    assert!(
        !fs::read_to_string(place.project.secrets_toml())
            .expect("there")
            .contains("a reference")
    );
    let listed = ProjectValues::list(&files).expect("listed");
    let sealed = listed
        .credentials
        .iter()
        .find(|entry| entry.path == "sources.sealed.key")
        .expect("there");
    assert!(sealed.is_encrypted && !sealed.has_reference);
    assert!(listed.credentials.iter().all(|entry| !entry.path.starts_with("dango")));
    let given = files.read(&WantedValues::Credential(path("sources.sealed"))).expect("opened");
    assert_eq!(given.credentials.as_str(), "sources.sealed.key = \"\\u0024{NOT} a reference\"\n");
    let without = place.files(None).read(&WantedValues::Run { only: None });
    assert_eq!(without.err().map(|error| error.code()), Some("encryption_key_unavailable"));
    let plain = place.files(None).read(&WantedValues::Credential(path("sources.stripe.key")));
    assert!(plain.is_ok(), "a plain value needs no key");
}

#[test]
fn a_credential_is_deleted_and_a_table_only_where_it_may_go() {
    let place = place();
    let files = place.files(None);
    let delete = |text: &str, tables| {
        let change = CredentialChange::Delete { path: path(text), tables };
        files.change(&change, "ada").map_err(|error| error.code())
    };
    assert_eq!(delete("sources.pg", Tables::Stay), Err("invalid_value"));
    assert_eq!(delete("sources.pg.port", Tables::Stay), Ok(CredentialChanged::Deleted(1)));
    assert_eq!(delete("sources.pg.port", Tables::Stay), Err("not_found"));
    assert_eq!(delete("sources.pg", Tables::MayGo), Ok(CredentialChanged::Deleted(1)));
    for own in ["dango", "dango.oauth.pg.provider"] {
        assert_eq!(delete(own, Tables::MayGo), Err("invalid_value"), "{own}");
    }
    fs::write(place.project.secrets_toml(), "a = \n").expect("written");
    assert_eq!(delete("a", Tables::Stay), Err("file_unparsable"));
}
