//! While dango holds a secret it leaves no core file and is closed to debuggers; the command that takes its place has its own limits back.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dango_tests::{Scratch, dango, lend_dango};

use crate::answers::set;

/// The user `nobody`, as whom a process is started where the tests run as root.
const NOBODY: u32 = 65_534;

/// Raises the soft core limit as far as it goes and then becomes what it is told.
const WITH_CORES: &str = "ulimit -Sc \"$(ulimit -Hc)\" && exec \"$@\"";

/// Commands that wait for the end of their standard input: one for a value, one with the key in memory.
const WAITING: [&[&str]; 2] = [&["secrets", "set", "sources.a.k"], &["key", "export", "backup"]];

/// A project that has a key.
fn project() -> Scratch {
    let project = Scratch::initialised();
    let _ = project.run(&["key", "create", "--holder", "file"]).success();
    project
}

/// Starts a command that waits for the end of its standard input, with core files allowed.
fn waiting(project: &Scratch, command: &[&str]) -> Child {
    let dango = dango().display().to_string();
    let words = [&["-c", WITH_CORES, "sh", &dango], command].concat();
    let mut command = project.command("sh", &words).into_command();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell starts");
    child
        .stdin
        .as_mut()
        .expect("it is a pipe")
        .write_all(b"a secret")
        .expect("the pipe takes it");
    child
}

/// Asks about a process until the answer is there.
fn ask<T>(mut question: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(
            Instant::now() < deadline,
            "the process did not come to the state that was waited for"
        );
        std::thread::yield_now();
    }
}

/// Waits until the shell has become dango and dango has set its core limit to 0.
fn wait_until_private(child: &Child) {
    let process = format!("/proc/{}", child.id());
    ask(|| {
        let name = std::fs::read_to_string(format!("{process}/comm")).expect("the process is there");
        let limits = std::fs::read_to_string(format!("{process}/limits")).expect("the process is there");
        let line = limits.lines().find(|line| line.starts_with("Max core file size"))?;
        (name == "dango\n" && line.split_whitespace().nth(4) == Some("0")).then_some(())
    });
}

#[test]
fn a_secret_is_read_with_a_core_limit_of_zero() {
    for command in WAITING {
        let project = project();
        let mut child = waiting(&project, command);
        wait_until_private(&child);
        drop(child.stdin.take());
        assert!(child.wait().expect("it ends").success(), "{command:?}");
    }
}

#[test]
fn a_process_of_the_same_user_cannot_look_into_its_memory() {
    // The system gives the files of a process that is not dumpable to root (proc(5), PR_SET_DUMPABLE).
    let project = Scratch::initialised();
    let is_root = std::fs::metadata("/proc/self").expect("this test needs /proc").uid() == 0;
    if is_root {
        let _ = project
            .command("chown", &["-R", "nobody", "."])
            .inside(project.everything())
            .run()
            .success();
    }
    let lent = project.everything().join("dango");
    lend_dango(&lent);
    let mut command = project.dango(&["secrets", "set", "sources.a.k"]).into_command();
    if is_root {
        command = Command::new(lent);
        command
            .args(["secrets", "set", "sources.a.k"])
            .current_dir(project.path())
            .env_clear()
            .envs(project.environment());
        command.uid(NOBODY).gid(NOBODY);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("dango starts");
    let memory = format!("/proc/{}/mem", child.id());
    ask(|| (std::fs::metadata(&memory).expect("the process is there").uid() == 0).then_some(()));
    drop(child.stdin.take());
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_crash_leaves_no_core_file() {
    for (signal, command) in [
        ("ABRT", WAITING[0]),
        ("QUIT", WAITING[0]),
        ("SYS", WAITING[0]),
        ("ABRT", WAITING[1]),
    ] {
        let project = project();
        let mut child = waiting(&project, command);
        wait_until_private(&child);
        let _ = project.command("kill", &["-s", signal, &child.id().to_string()]).run().success();
        let status = child.wait().expect("it ends");
        assert!(status.signal().is_some() && !status.core_dumped(), "{signal}: {status}");
    }
}

#[test]
fn the_memory_that_holds_the_key_is_locked() {
    let project = project();
    let mut child = waiting(&project, WAITING[1]);
    let status = format!("/proc/{}/status", child.id());
    ask(|| {
        let status = std::fs::read_to_string(&status).expect("the process is there");
        let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:"))?;
        (locked.trim() != "0 kB").then_some(())
    });
    drop(child.stdin.take());
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn the_command_below_run_has_the_core_limit_that_dango_was_given() {
    let project = Scratch::initialised();
    set(&project, "sources.a.k", "a secret");
    let run = format!("exec '{}' run -- sh -c 'ulimit -Sc'", dango().display());
    let below = project.command("sh", &["-c", WITH_CORES, "sh", "sh", "-c", &run]).run().success();
    let bare = project
        .command("sh", &["-c", WITH_CORES, "sh", "sh", "-c", "ulimit -Sc"])
        .run()
        .success();
    assert_eq!(below.stdout, bare.stdout);
}
