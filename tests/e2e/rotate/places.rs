//! Where the value is that is replaced: behind a reference, in several places, beside a user name; and where dango cannot know.

use dango_tests::Scratch;

use super::*;
use crate::answers::{Answer, revealed, set};

#[test]
fn of_a_reference_the_variable_is_replaced_and_the_reference_stays() {
    let fake = Shop::taking(&[OLD, NEW]);
    let project = project(&fake);
    let _ = project.dango(&["env", "set", "SHOP_KEY"]).stdin(OLD).run().success();
    let _ = project
        .dango(&["secrets", "set", PATH, "--reference"])
        .stdin("${SHOP_KEY}")
        .run()
        .success();
    let before = project.read(".dlt/secrets.toml");
    let answer = project.dango(&["rotate", "shop", "--json"]).stdin(NEW).run().success();
    assert_eq!(answer.json()["places"][0], "SHOP_KEY");
    assert_eq!(project.read(".dlt/secrets.toml"), before);
    assert_eq!(
        project.read(".env").lines().find(|line| line.starts_with("SHOP_KEY=")),
        Some(format!("SHOP_KEY={NEW}").as_str())
    );
    assert_gone(&project, OLD);
    // The provider was asked with what the reference would stand for.
    assert!(fake.asked(BALANCE).iter().all(|seen| seen.bearer() == Some(NEW)));
}

#[test]
fn a_variable_of_the_process_is_not_in_the_files_and_is_not_replaced() {
    let fake = Shop::taking(&[OLD, NEW]);
    let project = project(&fake);
    let rotate = project
        .dango(&["rotate", "shop"])
        .stdin(NEW)
        .env("SOURCES__SHOP__STRIPE_SECRET_KEY", "x");
    let _ = rotate
        .run()
        .fails(1, &["SOURCES__SHOP__STRIPE_SECRET_KEY", "environment", "change it where it is set"]);
    assert_eq!(stored(&project), OLD);
}

#[test]
fn copies_are_named_and_replaced_on_demand() {
    let fake = Shop::taking(&[OLD, NEW]);
    let project = project(&fake);
    set(&project, "sources.backup.key", OLD);
    let _ = project.dango(&["env", "set", "COPY"]).stdin(OLD).run().success();
    let told = project.dango(&["rotate", "shop"]).stdin(NEW).run().success();
    let _ = told.says(&["sources.backup.key, COPY", "--copies"]);
    assert_only_in(&project, OLD, &[".dlt/secrets.toml", ".env"]);
    let _ = project.dango(&["secrets", "set", PATH]).stdin(OLD).run().success();
    let _ = project.dango(&["rotate", "shop", "--copies"]).stdin(NEW).run().success();
    assert_gone(&project, OLD);
    assert_eq!(revealed(&project, "sources.backup.key"), NEW);
}

#[test]
fn a_key_and_its_id_are_replaced_in_one_step() {
    let project = Scratch::initialised();
    let place = |field: &str| format!("sources.stream.credentials.{field}");
    set(&project, &place("aws_access_key_id"), "AKIAOLD");
    set(&project, &place("aws_secret_access_key"), OLD);
    let add = "sources:\n  - name: stream\n    type: kinesis\n    stream_name: a\n";
    project.write(".dango/sources.yml", add);
    let rotate = [
        "rotate",
        "stream",
        "--no-check",
        "--finish",
        "--set",
        "aws_access_key_id=AKIANEW",
        "--field",
        "aws_secret_access_key",
    ];
    let answer = project.dango(&[&rotate[..], &["--json"]].concat()).stdin(NEW).run().success();
    assert_eq!(answer.json()["places"].as_array().map(Vec::len), Some(2));
    assert_eq!(revealed(&project, &place("aws_access_key_id")), "AKIANEW");
    assert_eq!(revealed(&project, &place("aws_secret_access_key")), NEW);
    assert_gone(&project, OLD);
    assert_gone(&project, "AKIAOLD");
}

#[test]
fn a_source_with_several_secrets_asks_which() {
    let project = Scratch::initialised();
    project.write(".dango/sources.yml", "sources:\n  - name: crm\n    type: salesforce\n");
    for field in ["user_name", "password", "security_token"] {
        set(&project, &format!("sources.crm.credentials.{field}"), field);
    }
    let _ = project
        .dango(&["rotate", "crm"])
        .stdin(NEW)
        .run()
        .fails(2, &["several secrets: password, security_token", "--field"]);
    let fields = [
        "rotate",
        "crm",
        "--no-check",
        "--finish",
        "--field",
        "password",
        "--field",
        "security_token",
    ];
    let both = || ["password", "security_token"].map(|field| revealed(&project, &format!("sources.crm.credentials.{field}")));
    let _ = project.dango(&fields).stdin("one\ntwo\n").run().success();
    assert_eq!(both(), ["one", "two"]);
    // As a file of Windows ends its lines; and as it is, for whoever means that.
    let _ = project.dango(&fields).stdin("three\r\nfour\r\n").run().success();
    assert_eq!(both(), ["three", "four"]);
    let _ = project
        .dango(&[&fields[..], &["--raw"]].concat())
        .stdin("five\r\nsix")
        .run()
        .success();
    assert_eq!(both(), ["five\r", "six"]);
}
