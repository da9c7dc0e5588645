//! `dango run` and the process it becomes: the same process id, the same signals, the same end; with `--redact` as if it were.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

use dango_tests::Scratch;

use crate::answers::set;

fn start(project: &Scratch, words: &[&str]) -> Child {
    let mut command: Command = project.dango(words).into_command();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("dango starts")
}

/// Reads lines from a child's output; it must print as many as are asked for.
fn line(output: &mut impl BufRead) -> String {
    let mut line = String::new();
    output.read_line(&mut line).expect("the command prints text");
    line.trim_end().to_owned()
}

fn send(project: &Scratch, signal: &str, pid: u32) {
    let _ = project.command("kill", &["-s", signal, &pid.to_string()]).run().success();
}

#[test]
fn the_process_is_replaced_so_its_id_stays() {
    let project = Scratch::initialised();
    set(&project, "sources.a.k", "v");
    let mut child = start(&project, &["run", "--", "sh", "-c", "echo $$"]);
    let pid = line(&mut BufReader::new(child.stdout.take().expect("it is a pipe")));
    assert_eq!(pid, child.id().to_string());
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_signal_ends_it_as_it_ends_the_command() {
    for redact in [&[][..], &["--redact"]] {
        for (signal, number) in [("TERM", 15), ("INT", 2), ("HUP", 1), ("KILL", 9)] {
            // KILL cannot be passed on; what is left behind then ends with its output's reader.
            if signal == "KILL" && !redact.is_empty() {
                continue;
            }
            let project = Scratch::initialised();
            set(&project, "sources.a.k", "a value to mask");
            let mut child = start(
                &project,
                &[&["run"], redact, &["--", "sh", "-c", "echo ready; exec sleep 60"]].concat(),
            );
            let ready = line(&mut BufReader::new(child.stdout.take().expect("it is a pipe")));
            assert_eq!(ready, "ready");
            send(&project, signal, child.id());
            let status = child.wait().expect("it ends");
            assert_eq!(status.signal(), Some(number), "{signal} with {redact:?}: {status}");
        }
    }
}

#[test]
fn a_command_that_handles_a_signal_decides_its_end() {
    for redact in [&[][..], &["--redact"]] {
        let project = Scratch::initialised();
        set(&project, "sources.a.k", "a value to mask");
        let script = "trap 'echo handled; exit 7' TERM; echo ready; while :; do sleep 0.05; done";
        let mut child = start(&project, &[&["run"], redact, &["--", "sh", "-c", script]].concat());
        let mut output = BufReader::new(child.stdout.take().expect("it is a pipe"));
        assert_eq!(line(&mut output), "ready");
        send(&project, "TERM", child.id());
        assert_eq!(line(&mut output), "handled", "{redact:?}");
        assert_eq!(child.wait().expect("it ends").code(), Some(7), "{redact:?}");
    }
}

#[test]
fn signals_and_limits_are_as_the_command_would_have_them_without_dango() {
    let project = Scratch::initialised();
    // The last seven digits of what is ignored: not the two signals that the C library keeps for itself.
    let script = "ulimit -c; grep -E '^Sig(Blk|Cgt)' /proc/self/status; sed -n 's/^SigIgn.*\\(.......\\)$/\\1/p' /proc/self/status; cat /proc/self/coredump_filter; umask";
    let bare = project.command("sh", &["-c", script]).run().success().stdout;
    let below = project.run(&["run", "--", "sh", "-c", script]).success().stdout;
    assert_eq!(below, bare);
}

#[test]
fn the_core_limit_and_what_nohup_ignores_stay_with_a_filter_too() {
    let project = Scratch::initialised();
    let inner = "ulimit -Sc; kill -HUP $$; echo still here";
    let outer = format!("ulimit -Sc unlimited; trap '' HUP; exec \"$DANGO\" run --redact -- sh -c '{inner}'");
    let answer = project
        .command("sh", &["-c", &outer])
        .env("DANGO", dango_tests::dango())
        .run()
        .success();
    assert_eq!(answer.stdout, "unlimited\nstill here\n");
}

#[test]
fn what_goes_to_standard_error_still_comes_when_nobody_reads_the_output() {
    let project = Scratch::initialised();
    let inner = "trap '' PIPE; echo first; while echo more; do sleep 0.02; done 2>/dev/null; echo heard >&2; exit 9";
    let outer = "{ \"$DANGO\" run --redact -- sh -c \"$INNER\"; echo status $? >&2; } | head -n 1";
    let answer = project
        .command("sh", &["-c", outer])
        .env("INNER", inner)
        .env("DANGO", dango_tests::dango())
        .run()
        .success();
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("first\n", "heard\nstatus 9\n"));
}

#[test]
fn a_closed_pipe_ends_the_command_as_without_dango() {
    let project = Scratch::initialised();
    let script = "\"$DANGO\" run -- yes | head -n 1; \"$DANGO\" run --redact -- yes | head -n 1";
    let answer = project
        .command("sh", &["-c", script])
        .env("DANGO", dango_tests::dango())
        .run()
        .success();
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("y\ny\n", ""));
}

#[test]
fn a_signal_to_sync_reaches_the_first_of_several_and_ends_it_as_that_one_ends() {
    let project = Scratch::initialised();
    project.write(
        ".dango/sources.yml",
        "sources:\n  - name: one\n    type: dlt_native\n    sync: sh -c 'echo ready; exec sleep 60'\n\
         \x20 - name: two\n    type: dlt_native\n    sync: echo two\n",
    );
    let mut child = start(&project, &["sync", "one", "two"]);
    let mut output = BufReader::new(child.stdout.take().expect("it is a pipe"));
    assert_eq!(line(&mut output), "ready");
    send(&project, "TERM", child.id());
    assert_eq!(child.wait().expect("it ends").signal(), Some(15));
    assert_eq!(line(&mut output), "", "the second did not start, and nothing holds the output open");
}
