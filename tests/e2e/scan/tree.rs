//! Files: notebooks, logs, packed and odd ones, and what is left out.

use dango_tests::{Scratch, python};
use data_encoding::{BASE64, HEXLOWER};

use super::{PATH, TOKEN, git, known, project, scan};
use crate::answers::{set, set_env};

#[test]
fn a_value_is_found_in_base64_in_a_notebook_url_encoded_in_a_log_and_in_hex() {
    let (project, canary) = project("tree");
    let basic = BASE64.encode(format!("api:{}", canary.value()).as_bytes());
    project.write(
        "notebooks/load.ipynb",
        format!("{{\n \"cells\": [{{\"source\": [\"headers = {{'Authorization': 'Basic {basic}'}}\\n\"]}}]\n}}\n"),
    );
    let quoted = canary.value().replace('%', "%25");
    project.write("logs/http.log", format!("GET /\nGET /v1?key={quoted}&page=1\n"));
    project.write("dump.sql", format!("\n\nx'{}'", HEXLOWER.encode(canary.value().as_bytes())));
    let expected = vec![
        known("dump.sql", 3, None),
        known("logs/http.log", 2, None),
        known("notebooks/load.ipynb", 2, None),
    ];
    assert_eq!(scan(&project, &canary, &[]), expected);
    assert_eq!(scan(&project, &canary, &["--logs"]), expected[1..2]);
    assert_eq!(scan(&project, &canary, &["notebooks"]), expected[2..]);

    let text = project.run(&["scan"]).ending_with(3);
    canary.assert_absent_from(&text);
    assert!(
        text.stdout
            .starts_with(&format!("dump.sql:3:3: the value of {PATH}, encoded [known-value]\n")),
        "{}",
        text.stdout
    );
    assert!(text.stderr.contains("3 findings"), "{}", text.stderr);
}

#[test]
fn what_python_packs_and_writes_is_searched() {
    let (project, canary) = project("packed");
    let script = "import gzip, sys, zipfile\n\
        value = sys.stdin.read()\n\
        gzip.open('app.log.1.gz', 'wt').write('x\\n' + value)\n\
        z = zipfile.ZipFile('book.xlsx', 'w', zipfile.ZIP_DEFLATED); z.writestr('xl/shared.xml', '<t>' + value + '</t>'); z.writestr('b', 'b'); z.close()\n\
        z = zipfile.ZipFile('stored.zip', 'w'); z.writestr('a.txt', value); z.close()\n\
        open('windows.txt', 'w', encoding='utf-16').write('line\\r\\n' + value)\n";
    let written = project.command(python(), &["-c", script]).stdin(canary.value()).run();
    let _ = written.success();
    assert_eq!(
        scan(&project, &canary, &[]),
        [
            known("app.log.1.gz", 2, None),
            known("book.xlsx!xl/shared.xml", 1, None),
            known("stored.zip!a.txt", 1, None),
            known("windows.txt", 2, None)
        ]
    );
}

#[test]
fn the_projects_own_files_are_passed_over_until_git_tracks_them() {
    let (project, canary) = project("own");
    set_env(&project, "SHOP_TOKEN", canary.value());
    assert_eq!(scan(&project, &canary, &[]), []);
    git(&project, &["add", "--force", ".env", ".dlt/secrets.toml"]);
    let found = scan(&project, &canary, &[]);
    let files: Vec<&str> = found.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(files, [".dlt/secrets.toml", ".env"]);
}

#[test]
fn encrypted_values_are_found_and_without_their_key_nothing_is_searched_in_their_place() {
    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let (mut project, canary) = project("encrypted");
    project.give("DANGO_KEY", KEY);
    let _ = project.run(&["secrets", "encrypt", "--all"]).success();
    assert!(!project.read(".dlt/secrets.toml").contains(canary.value()));
    project.write("notes.md", format!("{} and {TOKEN}\n", canary.value()));
    let found = scan(&project, &canary, &[]);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], known("notes.md", 1, None));
    project.take("DANGO_KEY");
    let refused = project.run(&["scan"]).ending_with(1);
    canary.assert_absent_from(&refused);
    assert!(refused.stdout.is_empty(), "{}", refused.stdout);
    let formats = scan(&project, &canary, &["--formats-only"]);
    assert_eq!(formats.len(), 1);
    assert_eq!((formats[0].3.as_str(), &formats[0].2), ("github-token", &None));
}

#[test]
fn settings_and_short_values_are_not_looked_for_and_that_is_said() {
    let (project, canary) = project("settings");
    set(&project, "sources.pg.credentials.host", "warehouse-7.shop.example");
    set(&project, "sources.pg.credentials.password", "short-7");
    project.write("readme.md", "warehouse-7.shop.example and short-7 are harmless\n");
    let output = project.run(&["scan"]).success();
    canary.assert_absent_from(&output);
    assert!(output.stderr.contains("2 values"), "{}", output.stderr);
}

#[test]
fn outside_of_a_project_token_formats_are_looked_for_and_that_is_said() {
    let folder = Scratch::new();
    folder.write("a.py", format!("token = '{TOKEN}'\n"));
    let output = folder.run(&["scan"]).ending_with(3);
    assert_eq!(output.stdout, "a.py:1:10: a GitHub token [github-token]\n");
    assert!(output.stderr.contains("warning:"), "{}", output.stderr);
    let _ = folder.run(&["--project", "missing", "scan"]).ending_with(1);
}

#[test]
fn names_with_control_characters_are_escaped_and_links_are_not_followed() {
    let (project, canary) = project("names");
    project.write("odd\u{1b}[2J\nname", canary.value());
    project.write("../outside", canary.value());
    std::os::unix::fs::symlink(project.path().join("../outside"), project.path().join("link")).unwrap();
    std::os::unix::fs::symlink(project.path(), project.path().join("loop")).unwrap();
    let output = project.run(&["scan"]).ending_with(3);
    assert_eq!(output.stdout.lines().count(), 1, "{}", output.stdout);
    assert!(!output.stdout.contains('\u{1b}'));
}
