//! A server's database moved into PostgreSQL while people work: no request fails, everybody stays signed in, one log goes on; interrupted
//! anywhere, the same call goes on; afterwards the file is a file that nobody uses.

use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dango_tests::{Client, Postgres, Scratch, Server, dango_server};
use serde_json::{Value, json};

use super::{EMAIL, PASSWORD, with_administrator};

const SERVING: &str = "dango";
const OWNER: &str = "dango_owner";
const CANARY: &str = "canary9e47";

/// How many are invited before, and have accepted.
const PEOPLE: usize = 12;

/// How many requests each of those who work makes after the move.
const AFTER: usize = 10;

fn database() -> Postgres {
    let postgres = Postgres::new();
    postgres.role(SERVING, CANARY);
    postgres.role(OWNER, CANARY);
    let _ = postgres.sql("postgres", &format!("CREATE DATABASE dango OWNER {OWNER}"));
    postgres
}

/// The address as the role that serves, without the password.
fn address(postgres: &Postgres) -> String {
    format!("postgres://{SERVING}@127.0.0.1:{}/dango", postgres.port())
}

/// A call of the move.
fn migrate(project: &Scratch, postgres: &Postgres, more: &[&str]) -> dango_tests::Invocation {
    let to = address(postgres);
    let mut arguments = vec!["migrate", "--from", "sqlite:.dango/dango.db", "--to", &to];
    arguments.extend(more);
    project
        .command(dango_server(), &arguments)
        .env("PGPASSWORD", CANARY)
        .env("DANGO_SERVER_DATABASE_OWNER_URL", postgres.url(OWNER, CANARY, "dango"))
}

fn invite(admin: &mut Client, email: &str) -> Result<String, String> {
    let body = json!({"email": email, "role": "viewer"}).to_string();
    let invited = admin.try_send("POST", "/api/admin/users", &[], Some(&body))?;
    match invited.status {
        201 => {
            let link = invited.json()["invite_url"].as_str().expect("a link").to_owned();
            Ok(link.rsplit('/').next().expect("the last part").to_owned())
        }
        status => Err(format!("{status} {}", invited.text)),
    }
}

/// What those who work have met.
#[derive(Default)]
struct Met {
    requests: AtomicUsize,
    failures: Mutex<Vec<String>>,
    longest: Mutex<Duration>,
}

impl Met {
    fn request(&self, what: &str, ask: impl FnOnce() -> Result<(), String>) {
        let begun = Instant::now();
        let done = ask();
        let took = begun.elapsed();
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut longest = self.longest.lock().expect("no panic");
        *longest = took.max(*longest);
        drop(longest);
        if let Err(error) = done {
            self.failures
                .lock()
                .expect("no panic")
                .push(format!("{what} after {took:?}: {error}"));
        }
    }
}

fn expecting(client: &mut Client, method: &str, path: &str, body: Option<&Value>, status: u16) -> Result<(), String> {
    let body = body.map(Value::to_string);
    let answer = client.try_send(method, path, &[], body.as_deref())?;
    match answer.status == status {
        true => Ok(()),
        false => Err(format!("{} {}", answer.status, answer.text)),
    }
}

#[test]
fn a_database_is_moved_while_people_work_and_no_request_fails() {
    let postgres = database();
    let (project, server) = with_administrator();
    let mut admin = server.signed_in(EMAIL, PASSWORD);
    let people: Vec<Client> = (0..PEOPLE)
        .map(|number| {
            let (email, mut client) = (format!("p{number}@team.example"), server.client());
            let token = invite(&mut admin, &email).expect("invited");
            let accepted = client.post("/api/auth/accept-invite", &json!({"token": token, "password": PASSWORD}));
            assert!(accepted.status < 300, "{}", accepted.text);
            server.signed_in(&email, PASSWORD)
        })
        .collect();
    let made = admin.post("/api/auth/api-keys", &json!({"name": "robot"}));
    assert!(made.status < 300, "{}", made.text);
    let key = made.json()["key"].as_str().expect("it is shown once").to_owned();
    let mut robot = server.client().with_key(&key);
    assert_eq!(robot.get("/api/admin/users").status, 200);
    let (met, is_over) = (Met::default(), AtomicBool::new(false));
    let moved = thread::scope(|threads| {
        let work = |turn: &dyn Fn(usize)| {
            let mut after = 0;
            for number in 0.. {
                turn(number);
                after += usize::from(is_over.load(Ordering::SeqCst));
                if after > AFTER {
                    return;
                }
            }
        };
        for client in &people {
            let (client, met) = (client.clone(), &met);
            threads.spawn(move || {
                let client = Mutex::new(client);
                work(&|_| {
                    met.request("reading", || {
                        expecting(&mut client.lock().expect("no panic"), "GET", "/api/auth/me", None, 200)
                    });
                });
            });
        }
        for (number, client) in [&admin, &admin].into_iter().enumerate() {
            let (client, met) = (Mutex::new(client.clone()), &met);
            threads.spawn(move || {
                work(&|turn| {
                    let email = format!("new{number}x{turn}@team.example");
                    met.request("inviting", || invite(&mut client.lock().expect("no panic"), &email).map(drop));
                });
            });
        }
        let (signing, met_by_logins) = (&server, &met);
        threads.spawn(move || {
            work(&|turn| {
                let body = json!({"email": format!("p{}@team.example", turn % PEOPLE), "password": PASSWORD});
                let mut client = signing.client();
                met_by_logins.request("logging in", || expecting(&mut client, "POST", "/api/auth/login", Some(&body), 200));
                met_by_logins.request("logging out", || {
                    expecting(&mut client, "POST", "/api/auth/logout", Some(&json!({})), 200)
                });
            });
        });
        let (robot, met_by_keys) = (Mutex::new(robot.clone()), &met);
        threads.spawn(move || {
            work(&|turn| {
                let body = json!({"key": "TURN", "value": turn.to_string()});
                met_by_keys.request("setting", || {
                    let answer = robot
                        .lock()
                        .expect("no panic")
                        .try_send("POST", "/api/secrets", &[], Some(&body.to_string()))?;
                    if answer.status < 300 {
                        Ok(())
                    } else {
                        Err(format!("{} {}", answer.status, answer.text))
                    }
                });
            });
        });
        let moved = migrate(&project, &postgres, &["--json"]).run();
        is_over.store(true, Ordering::SeqCst);
        moved
    });
    let moved = moved.success();
    let told: Value = serde_json::from_str(&moved.stdout).expect("JSON");
    let (longest, requests) = (*met.longest.lock().expect("no panic"), met.requests.load(Ordering::SeqCst));
    let failures = met.failures.lock().expect("no panic");
    assert!(
        failures.is_empty(),
        "{} of {requests}, the longest of {longest:?}: {:#?}\n{}",
        failures.len(),
        &failures[..failures.len().min(5)],
        server.log()
    );
    assert_eq!(told["state"], "moved");
    assert!(told["rows"].as_u64() > Some(20) && told["settled"] == true, "{told}");
    assert!(told["pause_ms"].as_u64().is_some_and(|pause| pause < 5_000), "{told}");
    // Who was there before is still there, and what is over is over.
    for client in &people {
        assert_eq!(client.clone().get("/api/auth/me").status, 200);
    }
    assert_eq!(robot.get("/api/admin/users").status, 200);
    let verified = admin.get("/api/admin/audit/verify");
    assert!(verified.status == 200 && verified.json()["ok"] == true, "{}", verified.text);
    assert_eq!(verified.json()["open_intents"], json!([]));
    // What a log that is cut off is found by is there from the beginning.
    let checkpoint = ".dango/audit-postgres.checkpoint";
    assert!(project.path().join(checkpoint).exists());
    let counts = "SELECT count(*) = max(seq) AND count(*) FILTER (WHERE event = 'database_migrated') = 2 FROM dango.audit";
    assert_eq!(postgres.sql("dango", counts), "t", "one log, with the move in it");
    let users = "SELECT count(*) FROM dango.users WHERE email LIKE 'new%'";
    let invited: usize = postgres.sql("dango", users).parse().expect("a number");
    assert!(invited > AFTER, "what was done on either side is there");
    let ready = server.client().get("/api/ready");
    assert_eq!(ready.status, 200, "{}", ready.text);
    // One session ends, and stays so.
    let mut first = people[0].clone();
    assert!(first.post("/api/auth/logout", &json!({})).status < 300);
    assert_eq!(people[0].clone().get("/api/auth/me").status, 401);
    afterwards(project, server, &postgres, &people[1], &moved.stderr);
}

/// What is said and done once the file is not used any more.
fn afterwards(mut project: Scratch, server: Server, postgres: &Postgres, session: &Client, said: &str) {
    let to = address(postgres);
    let (status, log) = server.stop();
    assert_eq!(status, 0, "{log}");
    assert!(log.contains("DANGO_SERVER_DATABASE_URL"), "{log}");
    let bytes: Vec<u8> = [".dango/dango.db", ".dango/server.toml"]
        .iter()
        .filter(|file| project.path().join(file).exists())
        .flat_map(|file| project.read_bytes(file))
        .collect();
    assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()));
    let again = migrate(&project, postgres, &[]).run().success();
    assert!(again.stdout.contains("nothing was left to do"), "{}", again.stdout);
    let back = migrate(&project, postgres, &["--abort"]).run().ending_with(1);
    assert!(back.stderr.contains("no way back"), "{}", back.stderr);
    for arguments in [&["--listen", "127.0.0.1:0"][..], &["check"], &["setup-link"], &["migrate"]] {
        let refused = project.command(dango_server(), arguments).run().ending_with(1);
        assert!(refused.stderr.contains(&to), "{arguments:?}: {}", refused.stderr);
    }
    let people = project.run(&["auth", "list-users"]).ending_with(1);
    assert!(people.stderr.contains(&to), "{}", people.stderr);
    for said in [&log, said, &again.stderr, &back.stderr, &people.stderr] {
        assert!(!said.contains(CANARY));
    }
    project.give("DANGO_SERVER_DATABASE_URL", postgres.url(SERVING, CANARY, "dango"));
    project.give("DANGO_IDENTITY_KEY_FILE", project.path().join(".dango/identity.key"));
    let server = Server::start(&project);
    let cookie = session.cookie("dango_session").expect("somebody is signed in");
    let mut session = server.client().with_cookie("dango_session", cookie);
    assert_eq!(session.get("/api/auth/me").status, 200, "still signed in");
}

#[test]
fn a_move_that_is_killed_anywhere_goes_on_and_nothing_is_lost() {
    let mut postgres = database();
    let (project, server) = with_administrator();
    let mut admin = server.signed_in(EMAIL, PASSWORD);
    let mut invited = 0;
    let mut killed = 0;
    for round in 0..40_u64 {
        let _ = invite(&mut admin, &format!("round{round}@team.example")).expect("the server goes on");
        invited += 1;
        let mut command = migrate(&project, &postgres, &[]).into_command();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let deadline = Instant::now() + Duration::from_millis(100 + 150 * round);
        let ended = loop {
            match child.try_wait().expect("a child can be waited for") {
                Some(status) => break Some(status),
                None if Instant::now() > deadline => {
                    child.kill().expect("ours");
                    drop(child.wait());
                    break None;
                }
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        match ended {
            Some(status) if status.success() => break,
            Some(status) => panic!("{status}: {}", migrate(&project, &postgres, &[]).run().stderr),
            None => killed += 1,
        }
        // The other database, too.
        if round == 3 {
            postgres.kill();
            postgres.restart();
        }
        assert_eq!(admin.get("/api/auth/me").status, 200);
    }
    assert!(killed > 0);
    let again = migrate(&project, &postgres, &[]).run().success();
    assert!(again.stdout.contains("nothing was left to do"), "{}", again.stdout);
    assert_eq!(admin.get("/api/auth/me").status, 200, "{}", server.log());
    let count = postgres.sql("dango", "SELECT count(*) FROM dango.users WHERE email LIKE 'round%'");
    assert_eq!(count, invited.to_string());
    let verified = admin.get("/api/admin/audit/verify");
    assert!(verified.status == 200 && verified.json()["ok"] == true, "{}", verified.text);
    assert_eq!(verified.json()["open_intents"], json!([]), "what was broken off is ended, too");
    drop(project);
}

#[test]
fn a_move_is_prepared_taken_back_and_refused_where_it_would_do_harm() {
    let postgres = database();
    let (project, server) = with_administrator();
    let mut admin = server.signed_in(EMAIL, PASSWORD);
    let prepared = migrate(&project, &postgres, &["--prepare"]).run().success();
    assert!(prepared.stdout.contains("each compared"), "{}", prepared.stdout);
    let _ = invite(&mut admin, "later@team.example").expect("it goes on");
    assert_eq!(postgres.sql("dango", "SELECT count(*) FROM dango.users"), "1");
    // Nobody is served from half a move.
    let mut other = Scratch::initialised();
    other.write(".dango/identity.key", project.read_bytes(".dango/identity.key"));
    let _ = other.command("chmod", &["600", ".dango/identity.key"]).run().success();
    other.give("DANGO_SERVER_DATABASE_URL", postgres.url(SERVING, CANARY, "dango"));
    other.give("DANGO_IDENTITY_KEY_FILE", other.path().join(".dango/identity.key"));
    let early = other.command(dango_server(), &["--listen", "127.0.0.1:0"]).run().ending_with(1);
    assert!(early.stderr.contains("--abort"), "{}", early.stderr);
    let back = migrate(&project, &postgres, &["--abort"]).run().success();
    assert!(back.stdout.contains("as before"), "{}", back.stdout);
    assert_eq!(postgres.sql("dango", "SELECT count(*) FROM dango.users"), "0");
    let _ = invite(&mut admin, "evenlater@team.example").expect("it goes on");

    // An owner's address that leads elsewhere is found out before anything is copied, and nothing of it is left.
    let _ = postgres.sql("postgres", &format!("CREATE DATABASE elsewhere OWNER {OWNER}"));
    let elsewhere = migrate(&project, &postgres, &[])
        .env("DANGO_SERVER_DATABASE_OWNER_URL", postgres.url(OWNER, CANARY, "elsewhere"))
        .run()
        .ending_with(1);
    assert!(elsewhere.stderr.contains("different databases"), "{}", elsewhere.stderr);
    assert_eq!(postgres.sql("elsewhere", "SELECT count(*) FROM dango.arrival"), "0");

    // Another key than that of the log, and a database in which somebody is already.
    let wrong = migrate(&project, &postgres, &[])
        .env("DANGO_IDENTITY_KEY", "ab".repeat(32))
        .run()
        .ending_with(1);
    assert!(wrong.stderr.contains("audit log"), "{}", wrong.stderr);
    drop(Server::start(&other));
    let taken = migrate(&project, &postgres, &[]).run().ending_with(1);
    assert!(taken.stderr.contains("already"), "{}", taken.stderr);
    for (from, to) in [
        ("postgres://d@h/d", "sqlite:a"),
        ("sqlite:a", "sqlite:b"),
        ("sqlite:", "postgres://d@h/d"),
    ] {
        let refused = project
            .command(dango_server(), &["migrate", "--from", from, "--to", to])
            .run()
            .ending_with(1);
        assert!(
            refused.stderr.contains("--from") || refused.stderr.contains("--to"),
            "{}",
            refused.stderr
        );
    }
    let _ = project
        .command(dango_server(), &["migrate", "--from", "sqlite:a"])
        .run()
        .ending_with(2);
    let missing = project
        .command(
            dango_server(),
            &["migrate", "--from", "sqlite:none.db", "--to", &address(&postgres)],
        )
        .run()
        .ending_with(1);
    assert!(missing.stderr.contains("none.db"), "{}", missing.stderr);
    assert_eq!(admin.get("/api/auth/me").status, 200);
}
