//! What every other command does on a project whose values are in a database.

use std::collections::BTreeSet;

use super::*;

#[test]
fn whatever_needs_the_files_says_where_they_are_and_starts_nothing() {
    let (postgres, project) = (database(), filled());
    let _ = moved(&project, &postgres, "postgres");
    for arguments in [
        &["secrets", "list"][..],
        &["secrets", "get", "sources.shop.zeta", "--reveal"],
        &["secrets", "set", "sources.shop.zeta"],
        &["secrets", "encrypt", "--all"],
        &["env", "list"],
        &["env", "set", "ALPHA_URL"],
        &["run", "--", "touch", "started"],
        &["sync", "shop"],
        &["source", "list"],
        &["source", "edit", "shop"],
        &["oauth", "list"],
        &["rotate", "shop"],
        &["exposed", "sources.shop.zeta"],
    ] {
        let refused = project.dango(arguments).env("EDITOR", "touch started").stdin("value\n").run();
        let refused = refused.fails(
            1,
            &[
                "were moved",
                "in the database of its server",
                "--server URL",
                "vault move --to files",
            ],
        );
        assert!(!refused.stderr.contains(CANARY), "{}", refused.stderr);
    }
    assert!(!project.path().join("started").exists());
    assert_eq!(contents(&project), BTreeMap::new(), "nobody has made a file anew");
    let types = project.run(&["source", "types"]).success();
    assert!(!types.stdout.is_empty());
    let _ = project.run(&["init"]).success();
    assert_eq!(contents(&project), BTreeMap::new(), "what is elsewhere is not missing");
}

fn findings(output: &Output) -> BTreeSet<String> {
    let list = output.json();
    list.as_array()
        .expect("a list")
        .iter()
        .map(|row| format!("{} {}", row["code"], row["path"]))
        .collect()
}

#[test]
fn doctor_and_scan_look_at_what_is_here() {
    let (postgres, project) = (database(), filled());
    let _ = project.run(&["doctor", "--fix"]);
    let before = findings(&project.run(&["doctor", "--json"]));
    let _ = moved(&project, &postgres, "postgres");
    let after = project.run(&["doctor", "--json"]).says(&["kept in the database of its server"]);
    let after = findings(&after);
    assert!(after.is_subset(&before), "{after:?}");
    let url = postgres.url(ROLE, PASSWORD, "dango");
    let told = project.dango(&["doctor", "--json"]).env("DANGO_SERVER_DATABASE_URL", url).run();
    assert!(findings(&told).is_subset(&before), "PostgreSQL is no fault: {}", told.stdout);
    project.write("notes.txt", "the key is sk_live_51H8qXkAbCdEfGhIjKlMnOpQr\n");
    let scanned = project.run(&["scan", "--json"]).says(&["token formats alone"]);
    assert_eq!(scanned.status, 3, "{}", scanned.stderr);
    assert!(scanned.stdout.contains("notes.txt"));
}
