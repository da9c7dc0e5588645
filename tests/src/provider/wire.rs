//! Requests as they come and replies as they go, in HTTP/1.1. What they mean is each provider's.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use data_encoding::BASE64;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The headers in their order, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Seen {
    /// The path alone.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A parameter of the query.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        parameter(self.target.split_once('?')?.1, name)
    }

    /// A field of the body: of a form, or of JSON where it is that.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        match self.body.starts_with('{') {
            true => {
                let object: serde_json::Value = serde_json::from_str(&self.body).ok()?;
                Some(object.get(name)?.as_str()?.to_owned())
            }
            false => parameter(&self.body, name),
        }
    }

    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The token of RFC 6750 §2.1.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// Who the client says it is, and its secret: by HTTP Basic, else in the body (RFC 6749 §2.3.1).
    #[must_use]
    pub fn client(&self) -> Option<(String, String)> {
        match self.header("authorization").and_then(|value| value.strip_prefix("Basic ")) {
            Some(encoded) => {
                let pair = String::from_utf8(BASE64.decode(encoded.as_bytes()).ok()?).ok()?;
                let (id, secret) = pair.split_once(':')?;
                Some((decoded(id), decoded(secret)))
            }
            None => Some((self.field("client_id")?, self.field("client_secret").unwrap_or_default())),
        }
    }

    /// Whether JSON is asked for.
    pub(super) fn wants_json(&self) -> bool {
        self.header("accept").is_some_and(|accepted| accepted.contains("json"))
    }
}

/// The first parameter of a name in a form or a query.
pub(super) fn parameter(form: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(form.as_bytes());
    pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

fn decoded(text: &str) -> String {
    form_urlencoded::parse(format!("v={text}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// Pairs as a form.
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    pace: Pace,
}

#[derive(Clone, Copy, Debug)]
enum Pace {
    AtOnce,
    /// A byte, a pause, and so on for ever.
    Dripping,
    /// As much as anybody takes.
    Endless,
}

impl Reply {
    /// JSON as it is written.
    #[must_use]
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self::of(status, body.into().into_bytes()).with("Content-Type", "application/json; charset=utf-8")
    }

    /// A form.
    #[must_use]
    pub fn form(status: u16, pairs: &[(&str, &str)]) -> Self {
        Self::of(status, form(pairs).into_bytes()).with("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
    }

    /// A page of text.
    #[must_use]
    pub fn page(status: u16, text: &str) -> Self {
        Self::of(status, text.as_bytes().to_vec()).with("Content-Type", "text/html; charset=utf-8")
    }

    /// Nothing but a status.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self::of(status, Vec::new())
    }

    /// The browser, or whoever asks, is sent elsewhere.
    #[must_use]
    pub fn redirect(location: &str) -> Self {
        Self::empty(302).with("Location", location)
    }

    /// JSON that comes a byte at a time and never ends.
    #[must_use]
    pub fn dripping() -> Self {
        Self {
            pace: Pace::Dripping,
            ..Self::json(200, "{\"a\":\"")
        }
    }

    /// JSON that is larger than anything.
    #[must_use]
    pub fn endless() -> Self {
        Self {
            pace: Pace::Endless,
            ..Self::json(200, "{\"a\":\"")
        }
    }

    /// Its status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// A header more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn of(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
            pace: Pace::AtOnce,
        }
    }

    pub(super) fn write(&self, stream: &mut TcpStream) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} {}\r\nConnection: close\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if matches!(self.pace, Pace::AtOnce) && self.status != 204 {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        stream.write_all(&[head.as_bytes(), &self.body].concat())?;
        match self.pace {
            Pace::AtOnce => Ok(()),
            Pace::Dripping => loop {
                thread::sleep(Duration::from_millis(200));
                stream.write_all(b"a")?;
            },
            Pace::Endless => loop {
                stream.write_all(&[b'a'; 65_536])?;
            },
        }
    }
}

const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        422 => "Unprocessable Entity",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Answer",
    }
}

/// Reads a request; `None` where the client is gone or speaks something else.
pub(super) fn read(stream: &TcpStream) -> Option<Seen> {
    let mut lines = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        lines.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = line()?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(Some(0), |(_, value)| value.parse().ok())?];
    lines.read_exact(&mut body).ok()?;
    Some(Seen {
        method,
        target,
        headers,
        body: String::from_utf8(body).ok()?,
    })
}
