//! A provider on this machine that answers as it is told, and remembers what it was asked. One thread a request; no TLS.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use dango_tests::Scratch;

use super::decoded;

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) authorization: Option<String>,
    pub(super) body: String,
}

impl Seen {
    /// A field of the form.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let found = self.body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        found.map(decoded)
    }
}

/// What is answered: status and JSON.
pub(super) type Reply = (u16, String);

/// The provider; it stays until the process ends.
pub(super) struct Fake {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Fake {
    pub(super) fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let fake = Self {
            address: listener.local_addr().expect("bound"),
            seen: Arc::default(),
        };
        let (seen, answer) = (Arc::clone(&fake.seen), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &seen, answer.as_ref()));
            }
        });
        fake
    }

    /// Replaces the endpoints of a provider for all commands in a project.
    pub(super) fn stands_in_for(&self, provider: &str, project: &mut Scratch) {
        let endpoints = [
            ("AUTHORIZE", "authorize"),
            ("TOKEN", "token"),
            ("USERINFO", "userinfo"),
            ("REVOKE", "revoke"),
        ];
        for (endpoint, path) in endpoints {
            let name = format!("DANGO_OAUTH_{}_{endpoint}_URL", provider.to_ascii_uppercase());
            // A few short names for as long as the tests run.
            project.give(name.leak(), format!("http://{}/{path}", self.address));
        }
    }

    /// Everything that it was asked at a path.
    pub(super) fn asked(&self, path: &str) -> Vec<Seen> {
        let seen = self.seen.lock().expect("no thread failed");
        seen.iter().filter(|seen| seen.target == path).cloned().collect()
    }

    /// Everything that it was asked.
    pub(super) fn all(&self) -> Vec<Seen> {
        self.seen.lock().expect("no thread failed").clone()
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Seen>>, answer: &(impl Fn(&Seen) -> Reply + ?Sized)) {
    let Some(request) = read(&stream) else { return };
    seen.lock().expect("no thread failed").push(request.clone());
    let (status, body) = answer(&request);
    let head = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // A client that was killed in between reads nothing.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

fn read(stream: &TcpStream) -> Option<Seen> {
    let mut lines = BufReader::new(stream);
    let mut first = String::new();
    lines.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut authorization) = (0, None);
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "authorization" => authorization = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).ok()?;
    Some(Seen {
        method,
        target,
        authorization,
        body: String::from_utf8(body).ok()?,
    })
}

/// Google as it documents itself: <https://developers.google.com/identity/protocols/oauth2/web-server>. Its refresh token stays.
pub(super) fn google(seen: &Seen) -> Reply {
    let refresh = match seen.field("grant_type").as_deref() {
        Some("authorization_code") => "\n  \"refresh_token\": \"1//canary-refresh\",",
        _ => "",
    };
    match (seen.method.as_str(), seen.target.as_str()) {
        ("POST", "/token") => (
            200,
            format!(
                "{{\n  \"access_token\": \"ya29.canary-access\",{refresh}\n  \"expires_in\": 3599,\n  \"scope\": \"openid \
                 https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/spreadsheets.readonly\",\n  \
                 \"token_type\": \"Bearer\"\n}}"
            ),
        ),
        ("GET", "/userinfo") => (
            200,
            "{\n  \"sub\": \"10769150350006150715113082367\",\n  \"name\": \"Ada Lovelace\",\n  \"email\": \"ada@example.com\",\n  \
             \"email_verified\": true\n}"
                .to_owned(),
        ),
        ("POST", "/revoke") => (200, "{}".to_owned()),
        _ => (404, "{}".to_owned()),
    }
}

/// What Google answers to a refresh token that is dead:
/// <https://developers.google.com/google-ads/api/docs/get-started/common-errors>.
pub(super) const INVALID_GRANT: &str =
    "{\n  \"error\": \"invalid_grant\",\n  \"error_description\": \"Token has been expired or revoked.\"\n}";

/// Facebook as it documents itself:
/// <https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived>,
/// <https://developers.facebook.com/docs/graph-api/reference/user/permissions/>.
pub(super) fn facebook(seen: &Seen) -> Reply {
    let body = match (seen.method.as_str(), seen.target.as_str()) {
        ("POST", "/token") if seen.field("grant_type").as_deref() == Some("fb_exchange_token") => {
            "{\n  \"access_token\":\"EAAcanary-long\",\n  \"token_type\": \"bearer\",\n  \"expires_in\": 5183944\n}"
        }
        ("POST", "/token") => "{\"access_token\":\"EAAcanary-short\",\"token_type\":\"bearer\",\"expires_in\":5400}",
        ("GET", "/userinfo") => "{\"id\":\"10158000000000000\",\"name\":\"Ada Lovelace\"}",
        ("GET", "/userinfo/permissions") => {
            "{\"data\":[{\"permission\":\"ads_read\",\"status\":\"granted\"},{\"permission\":\"ads_management\",\"status\":\"granted\"}]}"
        }
        ("DELETE", "/revoke") => "{\"success\":true}",
        _ => return (404, "{}".to_owned()),
    };
    (200, body.to_owned())
}
