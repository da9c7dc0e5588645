//! Answers that are lost on the way back: what may have been done is told as such, and a key that nobody has is ended.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use super::Team;
use super::logins::keys;
use crate::answers::{Answer, in_the_next_second};
use crate::server::{EMAIL, PASSWORD};

/// A way to a server. Requests that begin with one of these arrive there, and their answers do not come back.
fn losing(server: SocketAddr, lost: &'static [&'static str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            // Whoever asked may have gone.
            let _ = carry(&stream, (address, server), lost);
        }
    });
    address
}

/// Carries one request to the server, under the server's own name, and its answer back unless it is lost.
fn carry(mut stream: &TcpStream, (own, server): (SocketAddr, SocketAddr), lost: &[&str]) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let head = head
        .replace(&own.to_string(), &server.to_string())
        .replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let mut there = TcpStream::connect(server)?;
    there.write_all(head.as_bytes())?;
    there.write_all(&body)?;
    let mut answer = Vec::new();
    there.read_to_end(&mut answer)?;
    match lost.iter().any(|start| head.starts_with(start)) {
        true => Ok(()),
        false => stream.write_all(&answer),
    }
}

/// A team whose machine reaches its server over such a way.
fn team(name: &str, lost: &'static [&'static str]) -> Team {
    let mut team = Team::new(name);
    let way = losing(team.server.address(), lost);
    team.here.give("DANGO_SERVER_URL", format!("http://{way}"));
    team
}

#[test]
fn a_login_whose_key_did_not_arrive_ends_it() {
    let team = team("issued", &["POST /api/auth/api-keys "]);
    // One of the same name that is older is somebody else's.
    let body = serde_json::json!({"name": "laptop", "expires_in_days": 1});
    let older = team.server.signed_in(EMAIL, PASSWORD).post("/api/auth/api-keys", &body);
    assert_eq!(older.status, 201, "{}", older.text);
    in_the_next_second();
    let login = ["login", "--email", EMAIL, "--holder", "file", "--name", "laptop"];
    let failed = team.here.dango(&login).stdin(PASSWORD).run().fails(1, &["connection broke"]);
    assert!(!failed.stderr.contains("not known"), "{}", failed.stderr);
    let left = keys(&team);
    assert_eq!((left.len(), &left[0]["id"]), (1, &older.json()["id"]), "{left:?}");
    assert_eq!(team.events("api_key_created").len(), 2);
}

#[test]
fn a_key_that_can_be_found_by_nobody_is_named() {
    let team = team("unfound", &["POST /api/auth/api-keys ", "GET /api/auth/api-keys "]);
    let login = ["login", "--email", EMAIL, "--holder", "file", "--name", "laptop"];
    let _ = team.here.dango(&login).stdin(PASSWORD).run().fails(
        1,
        &[
            "connection broke",
            "whether a key was made is not known",
            "“laptop”",
            "under Account",
        ],
    );
    assert_eq!(keys(&team).len(), 1);
}

#[test]
fn a_change_whose_answer_is_lost_is_not_said_to_have_failed() {
    let lost = &[
        "PUT /api/project/credentials ",
        "DELETE /api/project/credentials ",
        "POST /api/secrets ",
        "DELETE /api/secrets/",
        "POST /api/admin/users ",
        "DELETE /api/admin/users/",
    ];
    let team = team("changed", lost);
    let _ = team.log_in("admin").success();
    for (arguments, look) in [
        (&["secrets", "set", "sources.x.y"][..], "`dango secrets get PATH --reveal`"),
        (&["secrets", "unset", "sources.x.y"], "`dango secrets list`"),
        (&["env", "set", "REGION"], "`dango env get KEY --reveal`"),
        (&["env", "unset", "REGION"], "`dango env list`"),
        (&["auth", "add-user", "bob@team.example"], "`dango audit list`"),
        (&["auth", "delete-user", "bob@team.example", "--yes"], "`dango audit list`"),
    ] {
        let told = team.here.dango(arguments).stdin("v").run();
        let _ = told.fails(1, &["it is not known whether this was done", look]);
    }
    // Each was done: what was set could be removed, and who was added, deleted.
    for event in ["secret_set", "secret_deleted"] {
        let done = team.events(event);
        assert_eq!(
            done.iter().filter(|event| event["outcome"] == "success").count(),
            2 + usize::from(event == "secret_set")
        );
    }
    assert_eq!(
        (
            team.events("user_deleted").len(),
            team.dango(&["env", "list"]).success().stdout.contains("REGION")
        ),
        (1, false)
    );
    // What only reads has done nothing in any case.
    let reading = losing(team.server.address(), &["GET /api/project/values "]);
    let url = format!("http://{reading}");
    let key = std::fs::read_to_string(key_file(&team)).expect("kept");
    let listed = team
        .here
        .dango(&["--server", &url, "secrets", "list"])
        .env("DANGO_SERVER_KEY", key.trim())
        .run();
    let failed = listed.fails(1, &["connection broke"]);
    assert!(!failed.stderr.contains("not known"), "{}", failed.stderr);
}

/// The file in which the login has kept the key.
fn key_file(team: &Team) -> std::path::PathBuf {
    let folder = team.here.home().join(".config/dango/servers");
    let mut files = std::fs::read_dir(folder)
        .expect("made")
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    files.find(|path| path.extension().is_none_or(|end| end != "lock")).expect("kept")
}
