//! What keeps a variable from being set: the server's files, its disk, its permissions, the way to it. Each is said, and nothing is changed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use dango_tests::{Output, Scratch, Sshd};

use super::set;
use crate::answers::Answer;

const EVERY: [&[&str]; 4] = [&["list"], &["get", "A", "--reveal"], &["set", "A=sk_canary"], &["delete", "A"]];

/// Tries every verb and expects it to fail with these words.
fn every_verb_fails(client: &Scratch, words: &[&str]) {
    for verb in EVERY {
        let arguments: Vec<&str> = ["remote", "env"].iter().chain(verb).copied().collect();
        let _ = client.run(&arguments).fails(1, words).hides(&["sk_canary"]);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_never_an_empty_one() {
    let server = Sshd::new();
    let client = server.client();
    let file = server.project().join(".env");
    fs::create_dir(&file).unwrap();
    every_verb_fails(&client, &["no regular file", "nothing was changed"]);
    fs::remove_dir(&file).unwrap();
    symlink("nowhere", &file).unwrap();
    every_verb_fails(&client, &["leads to nothing"]);
    fs::remove_file(&file).unwrap();
    server.write(".env", b"A=1\nB=\xff\n");
    every_verb_fails(&client, &["line 2, column 3", "UTF-8"]);
    assert_eq!(fs::read(&file).unwrap(), b"A=1\nB=\xff\n");
    let away = server.client_through(server.port(), "/no/such/folder");
    every_verb_fails(&away, &["directory is not there", "/no/such/folder"]);
    assert_eq!(server.names(), [".env"], "nothing was made");
}

#[test]
fn a_file_of_which_only_a_part_arrives_is_read_again_and_never_taken_for_the_whole() {
    let server = Sshd::new();
    let programs = server.folder().join("programs");
    fs::create_dir(&programs).unwrap();
    // Gives three bytes of a file, as one that is being saved may have; what comes in through its input it passes on.
    let half = |condition: &str| {
        let script = format!("#!/bin/sh\nif test $# = 1 && {condition}; then exec head -c 3 \"$1\"; fi\nexec /bin/cat \"$@\"\n");
        fs::write(programs.join("cat"), script).unwrap();
        fs::set_permissions(programs.join("cat"), fs::Permissions::from_mode(0o755)).unwrap();
    };
    half("true");
    let once = server.folder().join("once").display().to_string();
    let server = server.restarted(&[&format!("SetEnv PATH={}:/usr/bin:/bin", programs.display())]);
    let client = server.client();
    server.write(".env", "A=1\nB=2\n");
    every_verb_fails(&client, &["changed while it was read", "nothing was changed"]);
    assert_eq!(server.read(".env"), "A=1\nB=2\n");
    half(&format!("mkdir '{once}' 2>/dev/null"));
    let _ = set(&client, "A", "3").success();
    assert_eq!(server.read(".env"), "A=3\nB=2\n");
}

#[test]
fn who_may_not_read_or_write_is_told_so() {
    let server = Sshd::with(&[&powerless("sh -c \"$SSH_ORIGINAL_COMMAND\"")]);
    let client = server.client();
    server.write(".env", "A=1\n");
    let permit = |path: &str, mode: u32| fs::set_permissions(server.project().join(path), fs::Permissions::from_mode(mode)).unwrap();
    permit(".", 0o500);
    let _ = set(&client, "A", "sk_canary")
        .fails(1, &["denies writing", "nothing was changed"])
        .hides(&["sk_canary"]);
    let _ = client.run(&["remote", "env", "list"]).success();
    permit(".", 0o700);
    permit(".env", 0o000);
    every_verb_fails(&client, &["must not be read"]);
    permit(".env", 0o600);
    assert_eq!((server.read(".env").as_str(), server.names()), ("A=1\n", vec![".env".to_owned()]));
}

/// Every session as its user without the powers that let root into every file.
fn powerless(command: &str) -> String {
    format!(
        "ForceCommand if test \"$(id -u)\" = 0; then exec setpriv --bounding-set=-dac_override,-dac_read_search {command}; else exec {command}; fi"
    )
}

/// Sets a large value on a server whose project is on a small disk that was prepared so; gives the answer and the file that is left.
fn set_on_a_disk(prepare: &str) -> (Output, String) {
    let server = Sshd::new();
    let project = server.project().display().to_string();
    let left = server.folder().join("left");
    let script = format!(
        "set -u\nmount -t tmpfs -o size=64k none {project} || exit 99\ncd {project}\nprintf 'A=1\\n' > .env\n{prepare}\n\
         sh -c \"$SSH_ORIGINAL_COMMAND\"\nls -A | grep -F .tmp && echo temporary >> .env\ncat .env > {}\n",
        left.display()
    );
    let script_path = server.folder().join("on_a_disk");
    fs::write(&script_path, script).unwrap();
    let spaces = if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        "-m"
    } else {
        "-rm"
    };
    let server = server.restarted(&[&format!("ForceCommand unshare {spaces} sh {}", script_path.display())]);
    let client = server.client();
    let answer = set(&client, "B", &"v".repeat(100_000));
    (answer, fs::read_to_string(left).unwrap_or_default())
}

#[test]
fn a_full_disk_and_a_read_only_one_are_told_apart_and_the_file_is_as_it_was() {
    let (answer, left) = set_on_a_disk("");
    let _ = answer
        .fails(1, &["disk of the server is full", "nothing was changed", "hint:"])
        .hides(&["vvvv"]);
    assert_eq!(left, "A=1\n");
    let (answer, left) = set_on_a_disk("mount -o remount,bind,ro \"$PWD\"");
    let _ = answer.fails(1, &["read-only", "nothing was changed"]).hides(&["vvvv"]);
    assert_eq!(left, "A=1\n");
}

#[test]
fn a_lock_that_is_held_is_waited_for_and_then_named() {
    let server = Sshd::new();
    let client = server.client();
    server.write(".env", "A=1\n");
    server.write(".env.lock", "");
    let hold = ["--exclusive", ".env.lock", "sh", "-c", "echo held; cat"];
    let mut command = std::process::Command::new("flock");
    command.args(hold).current_dir(server.project());
    let mut holder = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("util-linux is installed");
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut [0; 5]).unwrap();
    let _ = set(&client, "A", "2").fails(1, &["lock .env.lock", "nothing was changed", "hint:"]);
    assert_eq!(server.read(".env"), "A=1\n");
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    let _ = set(&client, "A", "2").success();
    assert_eq!(server.read(".env"), "A=2\n");
}

#[test]
fn a_host_that_is_not_there_is_told_from_one_that_refuses() {
    let mut server = Sshd::new();
    let client = server.client();
    let stranger = server.folder().join("stranger");
    assert!(
        std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&stranger)
            .status()
            .unwrap()
            .success()
    );
    let destination = format!("nobody@127.0.0.1:{}", server.port());
    let identity = stranger.to_str().unwrap();
    let add = |name: &str, destination: &str| {
        let _ = client
            .run(&["remote", "add", name, destination, "--path", "/", "--identity", identity])
            .success();
    };
    add("stranger", &destination);
    add("nowhere", "deploy@no-such-host.invalid");
    let list = |name: &str| client.run(&["remote", "env", "list", "--remote", name]);
    let _ = list("stranger").fails(1, &["neither a key nor a password", "hint:", "ssh -p"]);
    let _ = list("nowhere").fails(1, &["no host of that name", "hint:"]);
    let _ = list("absent").fails(1, &["no remote named absent"]);
    server.stop();
    let _ = list("prod").fails(1, &["refused", "nothing was changed"]);
}
