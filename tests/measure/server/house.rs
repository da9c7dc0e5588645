//! The release server over a project of its own, with its people signed in. What is measured of it is in the other modules.

use std::error::Error;
use std::net::SocketAddr;

use dango_tests::{Client, Scratch, Server};
use serde_json::json;

const EMAIL: &str = "ada@team.example";
const PASSWORD: &str = "correct horse battery staple";

/// A project, its server and its administrator.
pub(crate) struct House {
    _project: Scratch,
    server: Server,
    administrator: Client,
}

/// Somebody who can log in.
pub(crate) struct Person {
    email: String,
}

impl House {
    /// Makes a project, starts its server and signs its first administrator in.
    pub(crate) fn open() -> Self {
        Self::claimed(Scratch::initialised())
    }

    /// Starts the server of a project that has no administrator yet, and signs the first one in.
    pub(crate) fn claimed(project: Scratch) -> Self {
        let server = Server::start(&project);
        let link = server.setup_link();
        let token = link.rsplit('/').next().unwrap_or_default();
        let body = json!({"token": token, "email": EMAIL, "password": PASSWORD});
        let claimed = server.client().post("/api/auth/claim", &body);
        assert_eq!(claimed.status, 201, "{}", claimed.text);
        Self::signed_in(project, server)
    }

    /// Starts a server of a project that has had one, and signs its administrator in.
    pub(crate) fn again(project: Scratch) -> Self {
        let server = Server::start(&project);
        Self::signed_in(project, server)
    }

    fn signed_in(project: Scratch, server: Server) -> Self {
        let administrator = server.signed_in(EMAIL, PASSWORD);
        Self {
            _project: project,
            server,
            administrator,
        }
    }

    /// Whoever may do everything.
    pub(crate) fn administrator(&mut self) -> &mut Client {
        &mut self.administrator
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// What a request of the administrator carries.
    pub(crate) fn cookie(&self) -> Result<String, Box<dyn Error>> {
        let session = self.administrator.cookie("dango_session").ok_or("the login has set no cookie")?;
        Ok(format!("dango_session={session}"))
    }

    /// So many people with accounts of their own, so that none of them waits for another's login.
    pub(crate) fn invite(&mut self, count: usize) -> Vec<Person> {
        let people = (0..count).map(|number| {
            let Person { email } = Self::person(number);
            let invited = self
                .administrator
                .post("/api/admin/users", &json!({"email": email, "role": "viewer"}));
            assert_eq!(invited.status, 201, "{}", invited.text);
            let link = invited.json()["invite_url"].as_str().unwrap_or_default().to_owned();
            let token = link.rsplit('/').next().unwrap_or_default();
            let accepted = self
                .server
                .client()
                .post("/api/auth/accept-invite", &json!({"token": token, "password": PASSWORD}));
            assert!(accepted.status < 300, "{}", accepted.text);
            Person { email }
        });
        people.collect()
    }

    /// One of those who were invited.
    pub(crate) fn person(number: usize) -> Person {
        Person {
            email: format!("user{number}@team.example"),
        }
    }

    /// A request as it goes over the wire.
    pub(crate) fn get(&self, path: &str) -> Result<Vec<u8>, Box<dyn Error>> {
        Ok(format!("GET {path} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n\r\n", self.host(), self.cookie()?).into_bytes())
    }

    /// The same with a body.
    pub(crate) fn post(&self, path: &str, body: &serde_json::Value) -> Result<Vec<u8>, Box<dyn Error>> {
        Ok(self.with_body(path, &format!("cookie: {}\r\n", self.cookie()?), body))
    }

    /// Somebody's login, from a browser that has no session yet.
    pub(crate) fn login(&self, person: &Person) -> Vec<u8> {
        self.with_body("/api/auth/login", "", &json!({"email": person.email, "password": PASSWORD}))
    }

    fn with_body(&self, path: &str, headers: &str, body: &serde_json::Value) -> Vec<u8> {
        let (host, body) = (self.host(), body.to_string());
        let length = body.len();
        let kind = "content-type: application/json\r\nsec-fetch-site: same-origin";
        format!("POST {path} HTTP/1.1\r\nhost: {host}\r\n{headers}{kind}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
    }

    fn host(&self) -> String {
        format!("localhost:{}", self.address().port())
    }
}
