//! Accepted findings, and what other programs read.

use serde_json::Value;

use super::{PATH, TOKEN, commit, project, scan};

const BASELINE: &str = ".dango-scan-baseline.json";

#[test]
fn what_was_accepted_is_told_no_more_wherever_it_moves_in_its_file() {
    let (project, canary) = project("baseline");
    project.write("a.py", format!("key = '{}'\ntoken = '{TOKEN}'\n", canary.value()));
    let accepted = project.run(&["scan", "--update-baseline"]).success();
    canary.assert_absent_from(&accepted);
    let baseline = project.read(BASELINE);
    assert!(!canary.is_in(&baseline) && !baseline.contains(TOKEN) && baseline.contains(PATH));
    assert_eq!(scan(&project, &canary, &[]), []);

    project.write("a.py", format!("# moved\n\ntoken = '{TOKEN}'\nkey = '{}'\n", canary.value()));
    assert_eq!(scan(&project, &canary, &[]), []);
    project.write(
        "a.py",
        format!("token = '{TOKEN}'\nkey = '{0}'\nonce_more = '{0}'\n", canary.value()),
    );
    assert_eq!(scan(&project, &canary, &[]).len(), 1, "once more than was accepted");
    project.write("b.py", format!("token = '{TOKEN}'\n"));
    assert_eq!(scan(&project, &canary, &[]).len(), 2, "another file was not accepted");

    let before = project.read(BASELINE);
    let _ = project.run(&["scan", "--update-baseline"]).success();
    let _ = project.run(&["scan", "--update-baseline"]).success();
    assert_ne!(project.read(BASELINE), before);
    assert_eq!(scan(&project, &canary, &[]), []);
    commit(&project, "with the baseline");
    assert_eq!(scan(&project, &canary, &["--history"]), [], "the same in the history");
}

#[test]
fn a_baseline_that_is_none_stops_the_search() {
    let (project, _) = project("no-baseline");
    project.write(BASELINE, "{}");
    let _ = project.run(&["scan"]).ending_with(1);
    let _ = project.run(&["scan", "--baseline", "missing.json"]).ending_with(1);
}

#[test]
fn sarif_names_file_line_and_rule_and_no_value() {
    let (project, canary) = project("sarif");
    project.write("a b.py", format!("\nkey = '{}'\n", canary.value()));
    let output = project.run(&["scan", "--format", "sarif"]).ending_with(3);
    canary.assert_absent_from(&output);
    let document: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(document["version"], "2.1.0");
    let result = &document["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "known-value");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b.py");
    assert_eq!(place["region"]["startLine"], 2);
    assert!(result["partialFingerprints"]["dangoScan/v1"].is_string());
}
