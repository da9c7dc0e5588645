//! Which project a command works on: the option, the variable, the nearest parent; and what is none.

use std::fs;

use dango_tests::Scratch;

use crate::answers::{Answer, set};

const LIST: [&str; 3] = ["secrets", "list", "--json"];

fn holds(project: &Scratch, path: &str) {
    set(project, path, "v");
}

#[test]
fn a_project_is_found_from_every_folder_below_it() {
    let project = Scratch::initialised();
    holds(&project, "sources.here.k");
    fs::create_dir_all(project.path().join("a/b c/d")).expect("the folder is ours");
    for folder in ["a", "a/b c", "a/b c/d", ".dlt", ".dango"] {
        let answer = project.dango(&LIST).inside(project.path().join(folder)).run().success();
        assert!(answer.stdout.contains("sources.here.k"), "{folder}");
    }
}

#[test]
fn the_nearest_project_wins_and_either_folder_makes_one() {
    let outer = Scratch::initialised();
    for (folder, marker) in [("inner", ".dlt"), ("other", ".dango")] {
        fs::create_dir_all(outer.path().join(folder).join(marker)).expect("the folder is ours");
        let answer = outer
            .dango(&["secrets", "set", "sources.inner.k"])
            .inside(outer.path().join(folder))
            .stdin("v")
            .run();
        let _ = answer.success();
        let file = outer.path().join(folder).join(".dlt/secrets.toml");
        assert!(file.is_file(), "{marker} makes a project");
    }
    assert!(!outer.read(".dlt/secrets.toml").contains("inner"));
}

#[test]
fn the_option_comes_before_the_variable_and_the_variable_before_the_folder() {
    let [one, two, three] = ["one", "two", "three"].map(|name| {
        let project = Scratch::initialised();
        holds(&project, &format!("sources.{name}.k"));
        project
    });
    let answer = one.dango(&LIST).env("DANGO_PROJECT_ROOT", two.path()).run().success();
    assert!(answer.stdout.contains("sources.two.k"));
    let option = three.path().into_os_string();
    let words = ["secrets".as_ref(), "list".as_ref(), "--project".as_ref(), option.as_os_str()];
    let answer = one.dango(&words).env("DANGO_PROJECT_ROOT", two.path()).run().success();
    assert!(answer.stdout.contains("sources.three.k"));
    let answer = one.dango(&LIST).env("DANGO_PROJECT_ROOT", "").run().success();
    assert!(answer.stdout.contains("sources.one.k"), "an empty variable is none");
    let answer = one.dango(&["--project", "../project", "secrets", "list"]).run().success();
    assert!(
        answer.stdout.contains("sources.one.k"),
        "a relative one starts at the working directory"
    );
}

#[test]
fn outside_of_a_project_is_exit_1_with_what_to_do() {
    let nowhere = Scratch::new();
    for words in [
        &LIST[..],
        &["env", "list"],
        &["run", "--", "true"],
        &["source", "list"],
        &["secrets", "set", "a.k"],
        &["sync", "x"],
    ] {
        let _ = nowhere.run(words).fails(1, &["project", "hint:", "dango init"]);
    }
    let _ = nowhere.run(&["--project", "missing", "secrets", "list"]).fails(1, &["missing"]);
    let _ = nowhere
        .dango(&LIST)
        .env("DANGO_PROJECT_ROOT", "missing")
        .run()
        .fails(1, &["missing"]);
    assert!(crate::answers::names(&nowhere.path()).is_empty(), "nothing was made");
}

#[test]
fn the_global_folder_of_dlt_makes_no_project() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.home().join(".dlt")).expect("the folder is ours");
    fs::create_dir_all(scratch.home().join("work/deep")).expect("the folder is ours");
    for folder in ["", "work", "work/deep"] {
        let _ = scratch
            .dango(&LIST)
            .inside(scratch.home().join(folder))
            .run()
            .fails(1, &["project"]);
    }
    fs::create_dir_all(scratch.home().join(".dango")).expect("the folder is ours");
    let _ = scratch.dango(&LIST).inside(scratch.home().join("work")).run().success();
}

#[test]
fn commands_that_need_no_project_work_everywhere() {
    let nowhere = Scratch::new();
    for words in [&["--version"][..], &["man"], &["completions", "bash"], &["source", "types"]] {
        assert!(!nowhere.run(words).success().stdout.is_empty(), "{words:?}");
    }
}

#[test]
fn a_project_reached_through_a_link_or_with_odd_characters_in_its_name_works() {
    let scratch = Scratch::new();
    let root = scratch.path().join("ö $HOME 'x' \n y");
    fs::create_dir(&root).expect("the folder is ours");
    let _ = scratch.dango(&["init"]).inside(&root).run().success();
    std::os::unix::fs::symlink(&root, scratch.path().join("link")).expect("the folder is ours");
    let answer = scratch
        .dango(&["--project", "link", "secrets", "set", "sources.a.k"])
        .stdin("v")
        .run();
    let _ = answer.success();
    let answer = scratch
        .dango(&["secrets", "get", "sources.a.k", "--reveal"])
        .inside(&root)
        .run()
        .success();
    assert_eq!(answer.stdout, "v\n");
}
