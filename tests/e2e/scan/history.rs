//! What git keeps: staged changes, and everything ever committed.

use super::{TOKEN, commit, git, known, project, scan};

#[test]
fn a_value_that_was_committed_and_deleted_three_commits_ago_is_found_with_its_commit() {
    let (project, canary) = project("history");
    commit(&project, "begin");
    project.write("etl/load.py", format!("import stripe\nstripe.api_key = '{}'\n", canary.value()));
    let first = commit(&project, "load");
    project.write("etl/load.py", "import stripe\n");
    commit(&project, "no key in it");
    for number in 0..3 {
        project.write("etl/more.py", format!("{number}\n"));
        commit(&project, "more");
    }
    assert_eq!(scan(&project, &canary, &[]), []);
    assert_eq!(scan(&project, &canary, &["--history"]), [known("etl/load.py", 2, Some(&first))]);
    let text = project.run(&["scan", "--history"]).ending_with(3);
    assert!(text.stdout.contains(&format!("since commit {}", &first[..12])), "{}", text.stdout);
    git(&project, &["gc", "--quiet"]);
    assert_eq!(
        scan(&project, &canary, &["--history", "etl/load.py"]),
        [known("etl/load.py", 2, Some(&first))]
    );
    assert_eq!(scan(&project, &canary, &["--history", "etl/more.py"]), []);
}

#[test]
fn a_staged_value_is_found_and_one_that_was_there_before_is_not_told_again() {
    let (project, canary) = project("staged");
    project.write("a b.py", format!("key = '{}'\n", canary.value()));
    assert_eq!(scan(&project, &canary, &["--staged"]), []);
    git(&project, &["add", "a b.py"]);
    assert_eq!(scan(&project, &canary, &["--staged"]), [known("a b.py", 1, None)]);
    commit(&project, "oh no");
    project.write("a b.py", format!("# more\nkey = '{}'\n", canary.value()));
    git(&project, &["add", "a b.py"]);
    assert_eq!(scan(&project, &canary, &["--staged"]), []);
    project.write("a b.py", format!("# more\nkey = '{}'\ntoken = '{TOKEN}'\n", canary.value()));
    git(&project, &["add", "a b.py"]);
    let found = scan(&project, &canary, &["--staged"]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].3, "github-token");
}

#[test]
fn both_are_searched_where_both_are_asked_for() {
    let (project, canary) = project("both");
    project.write("old", canary.value());
    let first = commit(&project, "old");
    git(&project, &["rm", "--quiet", "old"]);
    project.write("new", canary.value());
    git(&project, &["add", "new"]);
    let found = scan(&project, &canary, &["--staged", "--history"]);
    assert!(found.contains(&known("new", 1, None)), "{found:?}");
    assert!(found.contains(&known("old", 1, Some(&first))), "{found:?}");
}
