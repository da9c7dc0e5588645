//! Servers that mean no good, and programs there that are not what they are taken for: nothing hangs, nothing is printed, nothing is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use dango_tests::{Canary, Sshd};

use super::set;
use crate::answers::Answer;

/// Takes the script and the session's mark off the stream, as whoever knows how it is done can.
const TAKES_THE_MARK: &str =
    "n=${SSH_ORIGINAL_COMMAND##*count=}; dd bs=1 count=${n%% *} >/dev/null 2>&1; read -r m; read -r d; echo; echo \"$m hello\"";

fn program(folder: &Path, name: &str, script: &str) {
    let path = folder.join(name);
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A server whose sessions run this in the place of what was asked.
fn answering(script: &str) -> Sshd {
    let server = Sshd::new();
    program(server.folder(), "answers", &format!("#!/bin/sh\n{script}\n"));
    let command = server.folder().join("answers").display().to_string();
    server.restarted(&[&format!("ForceCommand {command}")])
}

#[test]
fn a_server_that_talks_nonsense_or_without_end_is_given_up_and_told_nothing_more() {
    let canary = Canary::new("nonsense");
    let cases = [
        ("exec yes", "nothing was changed"),
        ("exec cat /dev/zero", "nothing was changed"),
        ("head -c 3000000 /dev/zero >&2; exit 1", "nothing was changed"),
        (
            &format!("{TAKES_THE_MARK}; echo \"$m file sha256 none -rw------- 99999999999\"; exec cat /dev/zero"),
            "nothing was changed",
        ),
        (&format!("{TAKES_THE_MARK}; echo \"$m what\"; cat >/dev/null"), "makes no sense"),
        (
            &format!("{TAKES_THE_MARK}; echo \"$m absent sha256 none\"; cat >/dev/null; exec yes \"$m locked\""),
            "makes no sense",
        ),
        (
            &format!("{TAKES_THE_MARK}; echo \"$m absent sha256 dango\"; cat >/dev/null; echo \"$m dango 0\"; exec yes"),
            "not known",
        ),
    ];
    for (script, words) in cases {
        let server = answering(script);
        let answer = set(&server.client(), "TOKEN", canary.value()).fails(1, &[words]);
        canary.assert_absent_from(&answer);
    }
}

#[test]
fn what_a_server_says_is_shown_without_control_characters_and_without_the_value() {
    let canary = Canary::new("said");
    let says = format!("{TAKES_THE_MARK}; echo \"$m fail other $(printf 'a\\033[2Jb')\"; cat >/dev/null");
    let answer = set(&answering(&says).client(), "TOKEN", canary.value()).fails(1, &["the server said"]);
    assert!(!answer.stderr.contains('\u{1b}'), "{:?}", answer.stderr);

    let server = Sshd::new();
    fs::create_dir(server.project().join(".dango")).unwrap();
    let programs = server.folder().join("programs");
    fs::create_dir(&programs).unwrap();
    program(&programs, "dango", "#!/bin/sh\necho \"error: cannot store $(cat)\" >&2\nexit 1\n");
    let server = server.restarted(&[&format!("SetEnv PATH={}:/usr/bin:/bin", programs.display())]);
    let answer = set(&server.client(), "TOKEN", canary.value()).fails(1, &["dango on the server", "cannot store ***"]);
    canary.assert_absent_from(&answer);
}

#[test]
fn another_program_of_that_name_on_the_server_is_left_alone() {
    let server = Sshd::new();
    fs::create_dir(server.project().join(".dango")).unwrap();
    let programs = server.folder().join("programs");
    fs::create_dir(&programs).unwrap();
    // As programs end that do not know an argument: an earlier Dango, an older one of ours, something else altogether.
    program(
        &programs,
        "dango",
        "#!/bin/sh\ncat >/dev/null\necho 'Error: No such command' >&2\nexit 2\n",
    );
    let server = server.restarted(&[&format!("SetEnv PATH={}:/usr/bin:/bin", programs.display())]);
    let client = server.client();
    let _ = set(&client, "A", "1").success().says(&["A: created on prod"]);
    let _ = set(&client, "B", "2").success();
    let _ = client.run(&["remote", "env", "delete", "A"]).success();
    assert_eq!(server.read(".env"), "B=2\n");
}

#[test]
fn a_line_of_a_million_characters_stays_and_is_read() {
    let server = Sshd::new();
    let client = server.client();
    let long = "x".repeat(1_000_000);
    server.write(".env", format!("LONG={long}\n"));
    let _ = set(&client, "B", "2").success();
    assert_eq!(server.read(".env"), format!("LONG={long}\nB=2\n"));
    let shown = client.run(&["remote", "env", "get", "LONG", "--reveal"]).success();
    assert_eq!(shown.stdout.trim_end(), long);
}

#[test]
fn a_key_is_found_whatever_its_folder_is_called() {
    let server = Sshd::new();
    let folder = server.folder().join("my keys, 50% é");
    fs::create_dir(&folder).unwrap();
    let identity = folder.join("deploy key");
    fs::copy(server.identity(), &identity).unwrap();
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o600)).unwrap();
    let client = server.client();
    let user = client.command("id", &["-un"]).run().success().stdout;
    let destination = format!("{}@127.0.0.1:{}", user.trim(), server.port());
    let (path, identity) = (server.project().display().to_string(), identity.display().to_string());
    let arguments = ["remote", "add", "other", &destination, "--path", &path, "--identity", &identity];
    let _ = client.run(&arguments).success();
    let _ = client.run(&["remote", "use", "other"]).success();
    let _ = set(&client, "A", "1").success();
    assert_eq!(server.read(".env"), "A=1\n");
}
