//! The link of the first administrator: on standard output, in no log, and to nobody over HTTP; what is asked for is printed.

use std::io::Read;

use rexpect::session::spawn_command;
use rustix::process::Signal;

use crate::process::{Place, get};

#[test]
fn whoever_starts_it_at_a_terminal_sees_a_link_and_a_log_never_has_one() {
    let place = Place::new();
    let mut terminal = spawn_command(place.command(&["--listen", "127.0.0.1:0"]), Some(30_000)).expect("a terminal");
    let (_, link) = terminal
        .exp_regex("http://localhost:[0-9]+/setup/[A-Za-z0-9_-]{43}")
        .expect("a link");
    let port = link.split(['/', ':']).nth(4).expect("a port");
    terminal
        .exp_string(&format!("listening on http://127.0.0.1:{port}"))
        .expect("the link is to the port on which it listens");
    terminal.send_control('c').expect("written");
    terminal.exp_eof().expect("it ends");
    let token = link.rsplit('/').next().expect("a token").to_owned();
    let mut server = place.start(&[]);
    server.wait_for("there is no administrator yet");
    for path in ["/", "/setup", "/api/health", "/metrics", "/api/ready"] {
        assert!(!server.get(path).contains(&token));
    }
    server.signal(Signal::TERM);
    let (status, log) = server.ended();
    assert!(status.success() && !log.contains("/setup/") && !log.contains(&token), "{log}");
    for file in place.files() {
        let mut bytes = Vec::new();
        std::fs::File::open(place.dango(&file))
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .expect("ours");
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()), "{file}");
    }
}

#[test]
fn a_link_is_printed_to_whoever_asks_at_the_machine_and_begins_with_the_public_address() {
    let place = Place::new();
    let ran = place.run(&["setup-link", "--public-url", "https://dango.example/"], &[]);
    assert!(
        ran.stdout.starts_with("https://dango.example/setup/") && ran.stdout.lines().count() == 1,
        "{}",
        ran.stdout
    );
    let again = place.run(&["setup-link"], &[]);
    assert!(again.stdout.starts_with("http://localhost:8800/setup/"));
}

#[test]
fn migrate_makes_the_database_and_check_looks_without_making_anything() {
    let place = Place::new();
    let before = place.run(&["check"], &[]);
    assert_eq!((before.status, before.stderr.as_str()), (Some(0), ""));
    assert!(before.stdout.contains("ok  database: none yet") && place.files().is_empty());
    assert_eq!(place.run(&["migrate"], &[]).status, Some(0));
    let files = place.files();
    assert_eq!(files, ["dango.db", "identity.key"]);
    let after = place.run(&["check"], &[]);
    assert!(
        after.status == Some(0) && after.stdout.contains("ok  database: ") && after.stdout.contains(", schema "),
        "{}",
        after.stdout
    );
    assert_eq!(place.files(), files);
}

#[test]
fn operations_have_a_listener_of_their_own_that_says_when_the_database_is_gone() {
    let place = Place::new();
    let mut server = place.start(&["--operations-listen", "127.0.0.1:0"]);
    let operations = server.wait_for_address("operations on ");
    assert!(server.get("/api/health").ends_with("{\"status\":\"ok\"}"));
    for path in ["/metrics", "/ready"] {
        assert!(server.get(path).starts_with("HTTP/1.1 404 "), "{path} is not for everybody");
    }
    let metrics = get(operations, "/metrics");
    assert!(
        metrics.contains("dango_connections_accepted_total 3\n") && metrics.ends_with("# EOF\n"),
        "{metrics}"
    );
    assert!(get(operations, "/ready").starts_with("HTTP/1.1 200 "));
    std::fs::rename(place.dango("dango.db"), place.dango("elsewhere")).expect("ours");
    // An answer may be a second old.
    while get(operations, "/ready").starts_with("HTTP/1.1 200 ") {
        std::thread::yield_now();
    }
    let answer = get(operations, "/ready");
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("database_unavailable"),
        "{answer}"
    );
    server.wait_for("database_unavailable");
    assert!(!place.dango("dango.db").exists());
}

#[test]
fn the_door_of_a_file_is_closed_and_opened_and_the_way_back_in_found_as_with_the_command_line() {
    let place = Place::new();
    let nobody = place.run(&["auth", "enable"], &[]);
    assert!(
        nobody.status == Some(1) && nobody.stderr.contains("there is no administrator"),
        "{}",
        nobody.stderr
    );
    assert!(place.files().is_empty(), "nothing is made to say so");
    let recovered = place.run(&["auth", "recover", "--json"], &[]);
    assert_eq!(recovered.status, Some(0), "{}", recovered.stderr);
    assert!(recovered.stdout.contains("\"temp_password\": \"") && recovered.stdout.contains("\"email\": \"recovery@localhost\""));
    let again = place.run(&["auth", "recover"], &[]);
    assert!(
        again.status == Some(1) && again.stderr.contains("`--email EMAIL`"),
        "{}",
        again.stderr
    );
    let asked = place.run(&["auth", "disable"], &[]);
    assert!(
        asked.status == Some(1) && asked.stderr.contains("not confirmed"),
        "{}",
        asked.stderr
    );
    for (arguments, said) in [
        (&["auth", "disable", "--yes"][..], "nobody can sign in any more"),
        (&["auth", "disable"][..], "nobody could sign in already"),
        (&["auth", "enable"][..], "people can sign in again"),
        (&["auth", "enable"][..], "people could sign in already"),
    ] {
        let ran = place.run(arguments, &[]);
        assert!(ran.status == Some(0) && ran.stderr.contains(said), "{}", ran.stderr);
    }
    assert_eq!(place.run(&["auth"], &[]).status, Some(2));
}
