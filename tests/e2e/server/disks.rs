//! Disks that take nothing under a running server: full, and read-only. Each is a real file system in a mount namespace of its own.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::Command;

use dango_tests::{Client, Scratch, Server, dango_server};
use serde_json::json;

use super::closed::wait_until_ready;
use super::{EMAIL, PASSWORD, with_administrator};

/// Copies the project onto a small file system of its own, and goes on as the server there.
const SCRIPT: &str = r#"
set -eu
mkdir -p ../mounted && mount -t tmpfs -o size=8m none ../mounted && cp -a . ../mounted && cd ../mounted
eval "$STEPS"
exec "$SERVER" --listen 127.0.0.1:0 $OPTIONS
"#;

/// A project on a disk of its own, to be served.
struct Disk {
    project: Scratch,
}

impl Disk {
    /// A project that has an administrator.
    fn new() -> Self {
        let (project, server) = with_administrator();
        assert_eq!(server.stop().0, 0);
        Self { project }
    }

    fn command(&self, steps: &str, options: &str) -> Command {
        let user = self.project.command("id", &["-u"]).run().success().stdout;
        let spaces = if user.trim() == "0" { "-m" } else { "-rm" };
        let mut command = Command::new("unshare");
        command
            .args([spaces, "sh", "-c", SCRIPT])
            .current_dir(self.project.path())
            .env_clear()
            .envs(self.project.environment())
            .env("SERVER", dango_server())
            .env("STEPS", steps)
            .env("OPTIONS", options);
        command
    }

    fn serve(&self, steps: &str, options: &str) -> Server {
        Server::launch(&mut self.command(steps, options))
    }

    /// Where the disk is, as the running server sees it.
    fn path(&self, server: &Server) -> PathBuf {
        let below_root = self.project.everything().join("mounted");
        PathBuf::from(format!("/proc/{}/root{}", server.pid(), below_root.display()))
    }

    /// Mounts the disk once more, where the server sees it.
    fn remount(&self, server: &Server, how: &str) {
        let pid = server.pid().to_string();
        let user = self.project.command("id", &["-u"]).run().success().stdout;
        let mut arguments = vec!["-t", &pid, "-m"];
        if user.trim() != "0" {
            arguments.extend(["-U", "--preserve-credentials"]);
        }
        let (disk, how) = (self.project.everything().join("mounted"), format!("remount,{how}"));
        let mounted = Command::new("nsenter")
            .args(arguments)
            .args(["mount", "-o", &how])
            .arg(disk)
            .output();
        let mounted = mounted.expect("util-linux has nsenter");
        assert!(mounted.status.success(), "{}", String::from_utf8_lossy(&mounted.stderr));
    }
}

fn set(client: &mut Client, value: &str) -> dango_tests::Answer {
    client.post("/api/secrets", &json!({"key": "KEY", "value": value}))
}

#[test]
fn a_disk_that_is_full_takes_no_change_lets_nobody_new_in_and_is_recovered_from() {
    let disk = Disk::new();
    let server = disk.serve("", "");
    let mut session = server.signed_in(EMAIL, PASSWORD);
    assert_eq!(set(&mut session, "before").status, 201);
    wait_until_ready(&server, 200);
    let place = disk.path(&server);
    let kept = std::fs::read(place.join(".env")).expect("it was written");

    let filler = place.join("filler");
    let mut file = File::create(&filler).expect("there is room yet");
    let full = loop {
        if let Err(error) = file.write_all(&[0; 4096]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    let refused = set(&mut session, &"x".repeat(30_000));
    assert_eq!(
        (refused.status, refused.header("content-type")),
        (503, "application/problem+json"),
        "{}",
        refused.text
    );
    assert!(
        !refused.header("retry-after").is_empty() && !refused.text.contains("mounted"),
        "{}",
        refused.text
    );
    let login = server
        .client()
        .post("/api/auth/login", &json!({"email": EMAIL, "password": "a wrong password"}));
    assert!([401, 503].contains(&login.status), "{}", login.text);
    // Whoever is nobody stays it, and whoever was let in before is at most refused.
    assert_eq!(server.client().get("/api/secrets").status, 401);
    assert!([200, 503].contains(&session.get("/api/auth/me").status));
    wait_until_ready(&server, 503);
    assert_eq!(std::fs::read(place.join(".env")).expect("it is there"), kept);
    let log = server.log();
    assert!(log.contains("database_unavailable") && log.contains("not ready"), "{log}");

    std::fs::remove_file(&filler).expect("ours");
    drop(file);
    wait_until_ready(&server, 200);
    let again = set(&mut session, "after");
    assert_eq!(again.status, 200, "{}", again.text);
    assert_eq!(server.signed_in(EMAIL, PASSWORD).get("/api/auth/me").status, 200);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_project_that_becomes_read_only_is_read_and_not_changed_and_is_recovered_from() {
    let disk = Disk::new();
    // The database is on another disk: one that is written to cannot be taken away from under whoever writes.
    let database = disk.project.path().join(".dango/dango.db");
    let server = disk.serve("", &format!("--database-url sqlite:{}", database.display()));
    let mut session = server.signed_in(EMAIL, PASSWORD);
    assert_eq!(set(&mut session, "before").status, 201);
    disk.remount(&server, "ro");
    let refused = set(&mut session, "after");
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "file_read_only"),
        "{}",
        refused.text
    );
    assert_eq!(session.get("/api/secrets").json()["env_vars"][0]["key"], "KEY");
    assert_eq!(server.client().get("/api/secrets").status, 401);
    wait_until_ready(&server, 503);
    assert!(server.log().contains("project_unavailable"), "{}", server.log());
    disk.remount(&server, "rw");
    wait_until_ready(&server, 200);
    let again = set(&mut session, "after");
    assert_eq!(again.status, 200, "{}", again.text);
    // What was refused is recorded as refused, and the log is whole.
    drop(server);
    let listed = disk.project.run(&["audit", "list", "--type", "secret_set", "--json"]).success();
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let outcomes: Vec<_> = listed["events"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| event["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["success", "failure", "success"]);
    assert_eq!(disk.project.run(&["audit", "verify"]).status, 0);
}

#[test]
fn a_server_that_starts_on_a_disk_that_takes_nothing_lets_nobody_in() {
    let disk = Disk::new();
    for steps in [
        "mount -o remount,ro \"$PWD\"",
        // What it keeps beside the database while it is open is there already.
        "touch .dango/dango.db-wal; dd if=/dev/zero of=.dango/dango.db-shm bs=32k count=1 2>/dev/null; dd if=/dev/zero of=filler bs=1k 2>/dev/null || true",
    ] {
        let server = disk.serve(steps, "");
        wait_until_ready(&server, 503);
        assert!(server.log().contains("not ready: "), "{steps}: {}", server.log());
        let login = server
            .client()
            .post("/api/auth/login", &json!({"email": EMAIL, "password": PASSWORD}));
        assert_eq!(
            (login.status, login.header("content-type")),
            (503, "application/problem+json"),
            "{steps}: {}",
            login.text
        );
        assert!(login.header("set-cookie").is_empty() && !login.header("retry-after").is_empty());
        assert_eq!(server.client().get("/api/secrets").status, 401);
        let log = server.log();
        assert!(
            log.contains("an action failed") && log.contains("database_unavailable"),
            "{steps}: {log}"
        );
        drop(server);
    }
}
