//! What is generated: completions that shells take, and a manual that renders.

use dango_tests::Scratch;

use crate::answers::names;

#[test]
fn completions_are_printed_for_each_shell_and_bash_takes_them() {
    let project = Scratch::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = project.run(&["completions", shell]).success().stdout;
        for word in ["secrets", "redact", "from-env"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
    }
    let script = project.run(&["completions", "bash"]).success().stdout;
    project.write("completions.bash", script);
    let complete = "set -eu; . ./completions.bash; complete -p dango >/dev/null; COMP_WORDS=(dango se); COMP_CWORD=1; \
        _dango dango se dango; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let answer = project.command("bash", &["--norc", "-c", complete]).run().success();
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("secrets\n", ""));
}

#[test]
fn the_manual_is_roff_with_every_command_and_one_page_each_on_request() {
    let project = Scratch::new();
    let page = project.run(&["man"]).success().stdout;
    assert!(
        page.contains(".TH dango 1") && page.contains(".SH NAME") && page.contains("DANGO_PROJECT_ROOT"),
        "{page}"
    );
    for command in ["init", "secrets", "env", "run", "source", "sync"] {
        assert!(page.contains(command), "{command}");
    }
    std::fs::create_dir(project.path().join("pages")).expect("the folder is ours");
    let _ = project.run(&["man", "--output", "pages"]).success();
    let pages = names(&project.path().join("pages"));
    for page in [
        "dango.1",
        "dango-run.1",
        "dango-secrets.1",
        "dango-secrets-set.1",
        "dango-env-lint.1",
        "dango-source-add.1",
    ] {
        assert!(pages.iter().any(|name| name == page), "{page} in {pages:?}");
    }
}
