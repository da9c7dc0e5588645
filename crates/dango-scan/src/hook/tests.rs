//! The hook in real repositories, in front of the real git. `dango` itself is played by a script that says what it was asked.
#![allow(clippy::disallowed_methods, reason = "tests write scratch files and start the real git")]

use super::*;
use crate::git::tests::Sandbox;

fn install_in(sandbox: &Sandbox) -> Result<Change, HookError> {
    install(&sandbox.repository(), &sandbox.path()).map(|done| done.change)
}

fn put(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A `dango` that writes its arguments to a file and ends with a status.
fn play_dango(sandbox: &Sandbox, status: u8) {
    put(
        &sandbox.path().join("../bin/dango"),
        &format!("#!/bin/sh\necho \"$@\" >>\"$HOME/asked\"\nexit {status}\n"),
        0o755,
    );
}

fn commits(sandbox: &Sandbox, folder: &Path) -> bool {
    let mut environment = sandbox.environment();
    let path = format!(
        "{}:{}",
        sandbox.path().join("../bin").display(),
        environment[std::ffi::OsStr::new("PATH")].display()
    );
    environment.insert("PATH".into(), path.into());
    let output = std::process::Command::new("git")
        .args([
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.org",
            "commit",
            "--quiet",
            "--allow-empty",
            "-m",
            "x",
        ])
        .current_dir(folder)
        .env_clear()
        .envs(environment)
        .output()
        .unwrap();
    output.status.success()
}

fn asked(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path().join("../asked")).unwrap_or_default()
}

#[test]
fn it_asks_for_the_project_before_each_commit_also_in_another_working_tree() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "--quiet"]);
    sandbox.commit("first");
    assert_eq!(install_in(&sandbox).unwrap(), Change::Installed { after_another: false });
    assert_eq!(install_in(&sandbox).unwrap(), Change::Unchanged);
    play_dango(&sandbox, 0);
    assert!(commits(&sandbox, &sandbox.path()));
    let expected = format!("--project {} scan --staged\n", sandbox.path().display());
    assert_eq!(asked(&sandbox), expected);
    sandbox.git(&["worktree", "add", "--quiet", "-b", "second", "../a second tree"]);
    assert!(commits(&sandbox, &sandbox.path().join("../a second tree")));
    assert_eq!(asked(&sandbox), expected.repeat(2));
    play_dango(&sandbox, 3);
    assert!(!commits(&sandbox, &sandbox.path()));
    fs::remove_file(sandbox.path().join("../bin/dango")).unwrap();
    assert!(!commits(&sandbox, &sandbox.path()), "what was not searched is not committed");
    let repository = sandbox.repository();
    assert_eq!(uninstall(&repository).unwrap().change, Change::Removed { another_is_back: false });
    assert_eq!(uninstall(&repository).unwrap().change, Change::NotThere);
    assert!(commits(&sandbox, &sandbox.path()));
}

#[test]
fn a_hook_that_was_there_runs_first_and_comes_back() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "--quiet"]);
    play_dango(&sandbox, 0);
    let hook = sandbox.path().join(".git/hooks/pre-commit");
    put(&hook, "#!/bin/sh\necho other >>\"$HOME/asked\"\n[ ! -e \"$HOME/refuse\" ]\n", 0o755);
    let old = fs::read(&hook).unwrap();
    assert_eq!(install_in(&sandbox).unwrap(), Change::Installed { after_another: true });
    assert!(commits(&sandbox, &sandbox.path()));
    assert!(asked(&sandbox).starts_with("other\n--project"));
    fs::write(sandbox.path().join("../refuse"), "").unwrap();
    assert!(!commits(&sandbox, &sandbox.path()), "the other one refuses");
    assert_eq!(
        uninstall(&sandbox.repository()).unwrap().change,
        Change::Removed { another_is_back: true }
    );
    assert_eq!(fs::read(&hook).unwrap(), old);
    assert!(is_executable(&hook));
}

#[test]
fn core_hooks_path_is_used_where_it_is_the_repositorys_own() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "--quiet"]);
    sandbox.git(&["config", "core.hooksPath", ".our hooks"]);
    play_dango(&sandbox, 0);
    let done = install(&sandbox.repository(), &sandbox.path()).unwrap();
    assert_eq!(done.hook, sandbox.path().join(".our hooks/pre-commit"));
    assert!(
        !fs::read_to_string(&done.hook)
            .unwrap()
            .contains(&sandbox.path().display().to_string()),
        "it is other people's, too"
    );
    assert!(commits(&sandbox, &sandbox.path()));
    assert_eq!(asked(&sandbox), "--project ./ scan --staged\n");

    let elsewhere = sandbox.path().join("../for all");
    fs::create_dir(&elsewhere).unwrap();
    sandbox.git(&["config", "core.hooksPath", &elsewhere.display().to_string()]);
    assert_eq!(install_in(&sandbox).unwrap_err().code(), "hooks-shared");
    assert!(elsewhere.read_dir().unwrap().next().is_none());
}

#[test]
fn a_folder_with_everything_in_its_name_is_asked_for_as_it_is() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "--quiet"]);
    let project = sandbox.path().join("a 'b' \"c\" $(touch x) `d`\n\\é");
    fs::create_dir(&project).unwrap();
    install(&sandbox.repository(), &project).unwrap();
    play_dango(&sandbox, 0);
    assert!(commits(&sandbox, &sandbox.path()));
    assert_eq!(asked(&sandbox), format!("--project {} scan --staged\n", project.display()));
    assert!(!sandbox.path().join("x").exists());
}

#[test]
fn two_other_hooks_are_not_touched() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "--quiet"]);
    for name in [NAME, BEFORE] {
        put(&sandbox.path().join(".git/hooks").join(name), name, 0o755);
    }
    assert_eq!(install_in(&sandbox).unwrap_err().code(), "hooks-two-others");
    assert_eq!(fs::read_to_string(sandbox.path().join(".git/hooks/pre-commit")).unwrap(), NAME);
}
