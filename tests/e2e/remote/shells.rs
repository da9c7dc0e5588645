//! Servers of other kinds: whatever shell a user has, a system with nothing but busybox, a login that talks, one that lets nobody in.

use std::fs;
use std::process::Command;

use dango_tests::Sshd;

use super::set;
use crate::answers::Answer;

#[test]
fn whatever_shell_a_user_has_the_change_is_made() {
    for shell in ["sh -c", "bash -c", "fish -c", "csh -c", "busybox sh -c"] {
        let server = Sshd::with(&[&format!("ForceCommand {shell} \"$SSH_ORIGINAL_COMMAND\"")]);
        let client = server.client();
        let _ = set(&client, "A", "first 'value'").success();
        let _ = set(&client, "B", "second").success();
        assert_eq!(server.read(".env"), "A=\"first 'value'\"\nB=second\n", "{shell}");
    }
}

#[test]
fn a_system_with_nothing_but_busybox_or_the_least_of_programs_will_do() {
    let server = Sshd::new();
    let busybox = server.folder().join("busybox");
    fs::create_dir(&busybox).unwrap();
    let installed = Command::new("busybox").args(["--install", "-s"]).arg(&busybox).status();
    assert!(installed.unwrap().success());
    // No flock, no sha256sum, no sync for single files: what every POSIX system has, and readlink.
    let least = server.folder().join("least");
    fs::create_dir(&least).unwrap();
    for program in "sh dd cat rm mv ls ln chmod chown cksum tr sed wc id uname sleep readlink".split(' ') {
        let found = Command::new("sh")
            .args(["-c", "command -v \"$0\"", program])
            .output()
            .unwrap()
            .stdout;
        let found = String::from_utf8(found).unwrap();
        std::os::unix::fs::symlink(found.trim(), least.join(program)).unwrap();
    }
    std::os::unix::fs::symlink("/bin/true", least.join("sync")).unwrap();
    let mut server = server;
    for programs in [busybox, least] {
        let path = programs.display();
        server = server.restarted(&[&format!("ForceCommand PATH={path} {path}/sh -c \"$SSH_ORIGINAL_COMMAND\"")]);
        drop(fs::remove_file(server.project().join(".env")));
        let client = server.client();
        let _ = set(&client, "A", "1").success();
        let _ = set(&client, "B", "2").success();
        let _ = client.run(&["remote", "env", "delete", "A"]).success();
        assert_eq!(server.read(".env"), "B=2\n", "{path}");
        // A lock that a process of this host has left, long dead.
        let host = Command::new("uname").arg("-n").output().unwrap().stdout;
        let left = format!("4194303@{}", String::from_utf8(host).unwrap().trim());
        std::os::unix::fs::symlink(left, server.project().join(".env.lock.held")).unwrap();
        let _ = set(&client, "C", "3").success();
        drop(fs::remove_file(server.project().join(".env.lock.held")));
        assert_eq!(server.read(".env"), "B=2\nC=3\n", "{path}");
    }
}

#[test]
fn a_login_that_talks_is_understood_and_one_without_a_shell_is_told() {
    let talks = "ForceCommand echo Welcome; printf 'no line end'; exec sh -c \"$SSH_ORIGINAL_COMMAND\"";
    let server = Sshd::with(&[talks]);
    let client = server.client();
    let _ = set(&client, "A", "1").success();
    assert_eq!(server.read(".env"), "A=1\n");
    let server = server.restarted(&["ForceCommand echo This account is not available; exit 1"]);
    let client = server.client();
    let _ = set(&client, "A", "2").fails(1, &["does not run a POSIX shell", "nothing was changed"]);
    assert_eq!(server.read(".env"), "A=1\n");
}
