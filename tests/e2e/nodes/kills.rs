//! Servers, the database and connections killed at two hundred random instants, in the middle of whatever is done: what was acknowledged
//! is there, nothing is half done, the others go on, and service comes back by itself.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use dango_tests::{Client, Postgres, Scratch, Server};
use serde_json::{Value, json};

use super::house::{House, SERVING, start, wait_until};
use super::{EMAIL, PASSWORD};

/// How many at once do something.
const WORKERS: usize = 4;

/// What is killed, and how often: two hundred instants.
const CONNECTIONS: usize = 150;
const SERVERS: usize = 40;
const DATABASES: usize = 10;

/// What is killed next.
#[derive(Clone, Copy)]
enum Victim {
    Connections,
    /// One server, or two at once; the third goes on.
    Servers(usize),
    /// Its first process alone, and the others find out.
    Database,
    /// All its processes at once.
    DatabaseAtOnce,
}

/// Numbers that look random, from a seed that is told.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}

/// Where the servers are just now: one that was started anew is elsewhere.
struct Addresses(RwLock<Vec<String>>);

impl Addresses {
    fn of(&self, node: usize) -> String {
        let urls = self.0.read().unwrap_or_else(PoisonError::into_inner);
        urls[node % urls.len()].clone()
    }

    fn moved(&self, node: usize, url: String) {
        self.0.write().unwrap_or_else(PoisonError::into_inner)[node] = url;
    }
}

/// What one worker knows of what it did.
#[derive(Default)]
struct Done {
    users: Vec<String>,
    /// Keys that work, and keys that do not any more.
    keys: Vec<(String, String)>,
    revoked: Vec<String>,
    /// The last role of somebody that was acknowledged.
    role: Option<&'static str>,
    /// Cookies of sessions that were ended.
    ended: Vec<String>,
    /// The last value of the worker's own variable, if it was acknowledged.
    value: Option<String>,
}

/// Somebody who does one thing after another, at whichever server.
struct Worker<'h> {
    number: usize,
    admin: Client,
    /// The account that is logged in to, and whose role is changed.
    email: String,
    id: String,
    addresses: &'h Addresses,
    turn: usize,
    round: usize,
    done: Done,
}

impl Worker<'_> {
    /// Asks the next server; nothing where it is not known what came of it.
    fn ask(&mut self, client: Option<Client>, method: &str, path: &str, body: Option<&Value>) -> Option<(Client, u16, Value)> {
        self.turn += 1;
        let url = self.addresses.of(self.number + self.turn);
        let mut client = client.unwrap_or_else(|| self.admin.clone()).at(&url);
        let body = body.map(Value::to_string);
        let answer = client.try_send(method, path, &[], body.as_deref()).ok()?;
        match answer.status {
            503 => None,
            // Whoever is killed in the middle of a login has used up a try.
            200..300 | 423 => Some((client, answer.status, serde_json::from_str(&answer.text).unwrap_or_default())),
            _ => panic!("{method} {path}: {} {}", answer.status, answer.text),
        }
    }

    fn variable(&self) -> String {
        format!("OF_WORKER_{}", self.number)
    }

    fn act(&mut self) {
        let number = self.round;
        self.round += 1;
        let email = format!("u{}.{number}@team.example", self.number);
        let body = json!({"email": email, "role": "viewer"});
        if self.ask(None, "POST", "/api/admin/users", Some(&body)).is_some() {
            self.done.users.push(email);
        }
        let body = json!({"name": format!("robot {number}")});
        if let Some((_, _, made)) = self.ask(None, "POST", "/api/auth/api-keys", Some(&body)) {
            let text = |name: &str| made[name].as_str().expect("text").to_owned();
            self.done.keys.push((text("id"), text("key")));
        }
        if number.is_multiple_of(2)
            && let Some((id, key)) = self.done.keys.pop()
            && self.ask(None, "DELETE", &format!("/api/auth/api-keys/{id}"), None).is_some()
        {
            self.done.revoked.push(key);
        }
        let value = format!("canary-{}-{number}", self.number);
        let body = json!({"key": self.variable(), "value": value});
        let set = self.ask(None, "POST", "/api/secrets", Some(&body));
        self.done.value = set.map(|_| value);
        let role = ["viewer", "editor"][number % 2];
        let changed = self.ask(
            None,
            "PUT",
            &format!("/api/admin/users/{}/role", self.id),
            Some(&json!({"role": role})),
        );
        self.done.role = changed.map(|_| role);
        let body = json!({"email": self.email, "password": PASSWORD});
        let stranger = Client::of(&self.addresses.of(0));
        match self.ask(Some(stranger), "POST", "/api/auth/login", Some(&body)) {
            Some((session, 200, _)) => {
                let cookie = session.cookie("dango_session").expect("logged in").to_owned();
                if self.ask(Some(session), "POST", "/api/auth/logout", Some(&json!({}))).is_some() {
                    self.done.ended.push(cookie);
                }
            }
            Some(_) => drop(self.ask(None, "POST", &format!("/api/admin/users/{}/unlock", self.id), None)),
            None => {}
        }
    }
}

/// How many of each there are, beside how many the log says were made.
fn balance(house: &House) -> [i64; 3] {
    let count = |sql: &str| house.sql(sql).parse::<i64>().expect("a number");
    let recorded = |event: &str| {
        count(&format!(
            "SELECT count(*) FROM dango.audit WHERE event = '{event}' AND outcome = 'success'"
        ))
    };
    [
        count("SELECT count(*) FROM dango.users") - recorded("user_created"),
        count("SELECT count(*) FROM dango.api_keys") - recorded("api_key_created"),
        count("SELECT count(*) FROM dango.api_keys WHERE revoked_at IS NOT NULL") - recorded("api_key_revoked"),
    ]
}

fn wait_for_all(addresses: &Addresses) {
    for node in 0..3 {
        wait_until("it is ready again", || {
            let ready = Client::of(&addresses.of(node)).try_send("GET", "/api/ready", &[], None);
            ready.is_ok_and(|answer| answer.status == 200)
        });
    }
}

/// Kills one after another at random instants; answers how many instants that were.
fn kill(house: &mut House, addresses: &Addresses, session: &Client, dice: &mut Dice) -> usize {
    let mut victims = vec![Victim::Connections; CONNECTIONS];
    victims.extend([Victim::Servers(1); SERVERS / 2]);
    victims.extend([Victim::Servers(2); SERVERS / 2]);
    victims.extend([Victim::Database; DATABASES / 2]);
    victims.extend([Victim::DatabaseAtOnce; DATABASES / 2]);
    for place in (1..victims.len()).rev() {
        victims.swap(place, dice.below(place + 1));
    }
    let mut instants = 0;
    for victim in victims {
        thread::sleep(Duration::from_millis(dice.below(40) as u64));
        match victim {
            Victim::Connections => {
                cut(&house.postgres, dice);
                instants += 1;
            }
            Victim::Servers(count) => {
                let goes_on = dice.below(3);
                let gone = &[(goes_on + 1) % 3, (goes_on + 2) % 3][..count];
                let (projects, servers) = (&house.projects, &mut house.servers);
                for node in gone {
                    servers[*node].signal("KILL");
                }
                instants += 1;
                let mut third = session.at(&addresses.of(goes_on));
                let me = third.get("/api/auth/me");
                assert_eq!(me.status, 200, "the third goes on: {}", me.text);
                let written = third.post("/api/secrets", &json!({"key": "OF_THE_THIRD", "value": "goes on"}));
                assert!(written.status < 300, "it writes, too: {}", written.text);
                let again: Vec<Server> = thread::scope(|threads| {
                    let starting: Vec<_> = gone
                        .iter()
                        .map(|node| threads.spawn(move || start(&projects[*node], &[])))
                        .collect();
                    starting.into_iter().map(|thread| thread.join().expect("no panic")).collect()
                });
                for (node, server) in gone.iter().zip(again) {
                    addresses.moved(*node, server.url());
                    servers[*node] = server;
                }
            }
            Victim::Database | Victim::DatabaseAtOnce => {
                match victim {
                    Victim::Database => house.postgres.kill(),
                    _ => house.postgres.quit(),
                }
                instants += 1;
                house.postgres.restart();
                // Nobody starts them anew.
                wait_for_all(addresses);
            }
        }
    }
    instants
}

/// Cuts some of the connections, whatever they are at.
fn cut(postgres: &Postgres, dice: &mut Dice) {
    let share = 1 + dice.below(9);
    let _ = postgres.sql(
        "postgres",
        &format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{SERVING}' AND random() < 0.{share}"),
    );
}

#[test]
fn two_hundred_kills_lose_nothing_and_leave_nothing_half_done() {
    let project = Scratch::initialised();
    project.write(".env", "BEFORE=1\n");
    let mut house = House::sharing(project, &|_| {}, &[]);
    house.servers[2].claim(EMAIL, PASSWORD);
    let mut admin = house.admin(0);
    let people: Vec<(String, String)> = (0..WORKERS)
        .map(|number| {
            let email = format!("worker{number}@team.example");
            let id = house.add(&mut admin, &email, "viewer");
            (email, id)
        })
        .collect();
    let before = balance(&house);
    let addresses = Addresses(RwLock::new(house.servers.iter().map(Server::url).collect()));
    let seed = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_nanos() as u64 | 1;
    let is_over = AtomicBool::new(false);
    let (instants, done) = thread::scope(|threads| {
        let working: Vec<_> = people
            .iter()
            .enumerate()
            .map(|(number, (email, id))| {
                let mut worker = Worker {
                    number,
                    admin: admin.clone(),
                    email: email.clone(),
                    id: id.clone(),
                    addresses: &addresses,
                    turn: 0,
                    round: 0,
                    done: Done::default(),
                };
                let is_over = &is_over;
                threads.spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        worker.act();
                    }
                    worker.done
                })
            })
            .collect();
        let instants = kill(&mut house, &addresses, &admin, &mut Dice(seed));
        is_over.store(true, Ordering::Relaxed);
        let done: Vec<Done> = working.into_iter().map(|thread| thread.join().expect("no panic")).collect();
        (instants, done)
    });
    assert_eq!(instants, 200);
    wait_for_all(&addresses);

    let sum = |count: fn(&Done) -> usize| done.iter().map(count).sum::<usize>();
    let counts = [
        sum(|done| done.users.len()),
        sum(|done| done.revoked.len()),
        sum(|done| done.ended.len()),
    ];
    assert!(
        counts.iter().all(|count| *count > 3),
        "things were done, with the seed {seed}: {counts:?}"
    );

    // What was acknowledged is there.
    let users = admin.at(&addresses.of(1)).get("/api/admin/users").json();
    let users: Vec<Value> = users.as_array().expect("a list").clone();
    let emails: BTreeSet<&str> = users.iter().filter_map(|user| user["email"].as_str()).collect();
    for (done, (email, _)) in done.iter().zip(&people) {
        for added in &done.users {
            assert!(emails.contains(added.as_str()), "{added} was acknowledged");
        }
        for (_, key) in &done.keys {
            let mut robot = Client::of(&addresses.of(0)).with_key(key);
            assert_eq!(robot.get("/api/auth/api-key").status, 200, "a key that was given out");
        }
        for key in &done.revoked {
            let mut robot = Client::of(&addresses.of(1)).with_key(key);
            assert_eq!(robot.get("/api/auth/api-key").status, 401, "a key that was revoked");
        }
        for cookie in &done.ended {
            let mut session = Client::of(&addresses.of(2)).with_cookie("dango_session", cookie);
            assert_eq!(session.get("/api/auth/me").status, 401, "a session that was ended");
        }
        if let Some(role) = done.role {
            let user = users.iter().find(|user| user["email"] == **email).expect("it was there");
            assert_eq!(user["role"], role, "the last that was acknowledged");
        }
    }
    // Each worker's variable is what was acknowledged last, as a program gets it.
    let body = json!({"name": "reader", "scopes": ["source.view_credentials"], "expires_in_days": 1});
    let made = admin.at(&addresses.of(2)).post("/api/auth/api-keys", &body).json();
    let mut reader = Client::of(&addresses.of(0)).with_key(made["key"].as_str().expect("a key"));
    let given = reader.post("/api/project/values", &json!({"purpose": "run"}));
    assert_eq!(given.status, 200, "{}", given.text);
    assert!(given.text.contains("BEFORE"), "{}", given.text);
    for value in done.iter().filter_map(|done| done.value.as_ref()) {
        assert!(
            given.text.contains(&format!("\"{value}\"")),
            "{value} was acknowledged: {}",
            given.text
        );
    }
    // Whatever was done has its record, and nothing that was not done has one.
    let revoked = admin
        .at(&addresses.of(1))
        .delete(&format!("/api/auth/api-keys/{}", made["id"].as_str().expect("an id")));
    assert!(revoked.status < 300, "{}", revoked.text);
    assert_eq!(balance(&house), before);
    house.verify();
}
