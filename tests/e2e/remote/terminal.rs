//! At a terminal: ssh asks about an unknown host, a value is asked for, and Ctrl-C ends what waits for a server.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use dango_tests::Sshd;

use crate::answers::Answer;
use crate::terminal::{end, send, shown_until, start};

#[test]
fn an_unknown_host_is_asked_about_with_its_fingerprint_and_then_known() {
    let server = Sshd::new();
    let mut client = server.client();
    let known = server.folder().join("asked");
    client.give("DANGO_SSH_KNOWN_HOSTS", &known);
    let mut session = start(&client, "remote env list");
    let shown = shown_until(&mut session, "(yes/no");
    assert!(shown.contains("SHA256:"), "{shown}");
    send(&mut session, "no\r");
    let (status, shown) = end(&mut session);
    assert_eq!(status, 1, "{shown}");
    assert!(shown.contains("was not accepted"), "{shown}");
    assert!(!fs::read_to_string(&known).unwrap_or_default().contains("ssh-"));
    let mut session = start(&client, "remote env list");
    let _ = shown_until(&mut session, "(yes/no");
    send(&mut session, "yes\r");
    let (status, shown) = end(&mut session);
    assert_eq!(status, 0, "{shown}");
    let _ = client.run(&["remote", "env", "list"]).success();
}

#[test]
fn a_key_with_a_passphrase_is_opened_at_the_terminal_by_ssh_itself() {
    let server = Sshd::new();
    let client = server.client();
    let mut lock = Command::new("ssh-keygen");
    lock.args(["-q", "-p", "-P", "", "-N", "open sesame", "-f"]).arg(server.identity());
    assert!(lock.status().unwrap().success());
    let _ = super::listed_without_a_terminal(&client).fails(1, &["neither a key nor a password"]);
    let mut session = start(&client, "remote env set TOKEN=v");
    let _ = shown_until(&mut session, "passphrase for key");
    send(&mut session, "open sesame\r");
    let (status, shown) = end(&mut session);
    assert_eq!(status, 0, "{shown}");
    assert!(!shown.contains("open sesame"), "{shown}");
    assert_eq!(server.read(".env"), "TOKEN=v\n");
}

#[test]
fn a_value_is_asked_for_and_not_shown() {
    let server = Sshd::new();
    let client = server.client();
    let mut session = start(&client, "remote env set TOKEN");
    let _ = shown_until(&mut session, "TOKEN (hidden):");
    send(&mut session, "typed_canary\r");
    let (status, shown) = end(&mut session);
    assert_eq!(status, 0, "{shown}");
    assert!(!shown.contains("typed_canary"), "{shown}");
    assert_eq!(server.read(".env"), "TOKEN=typed_canary\n");
}

#[test]
fn ctrl_c_ends_what_waits_for_the_server_and_nothing_is_changed_later() {
    let server = Sshd::new();
    let client = server.client();
    server.write(".env", "A=1\n");
    server.write(".env.lock", "");
    let mut command = Command::new("flock");
    command.args(["--exclusive", ".env.lock", "sh", "-c", "echo held; cat"]);
    let streams = command.current_dir(server.project()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = streams.spawn().expect("util-linux is installed");
    holder.stdout.as_mut().unwrap().read_exact(&mut [0; 5]).unwrap();
    let mut session = start(&client, "remote env set A=2");
    // The new contents are there, and the lock is waited for.
    let arrived = || server.names().iter().any(|name| name.ends_with(".tmp"));
    while !arrived() {
        std::thread::yield_now();
    }
    send(&mut session, "\u{3}");
    let (status, shown) = end(&mut session);
    assert_eq!(status, 130, "{shown}");
    assert!(
        shown.contains("interrupted") && shown.contains("old file or the new one"),
        "{shown}"
    );
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    while arrived() {
        std::thread::yield_now();
    }
    assert_eq!(server.read(".env"), "A=1\n", "nobody waits for it any longer");
    let report = client.run(&["audit", "verify", "--json"]).success().json();
    assert_eq!(report["ok"], true, "the outcome is recorded: {report}");
}
