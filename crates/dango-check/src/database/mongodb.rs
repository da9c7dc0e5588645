//! MongoDB's protocol as far as signing in goes (<https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/>), and a ping.

use std::cell::Cell;

use dango_core::SecretValue;
use zeroize::Zeroizing;

use super::bson::{self, Value, Writer};
use super::link::Link;
use super::scram::{Exchange, Hash, prepared};
use super::target::{decoded, host_and_port, secret};
use super::tls::{self, Trust};
use super::{Ended, UNEXPECTED, UNSUPPORTED, WRONG, digests};
use crate::Surroundings;
use crate::outcome::{Obstacle, Outcome, Refusal, Trouble};

const PORT: u16 = 27_017;
const OP_MSG: i32 = 2013;
/// What the driver specification demands of a server, against one that would weaken it.
const LEAST_ITERATIONS: u32 = 4096;
/// How many steps a sign-in may take.
const MOST_STEPS: usize = 5;

/// What a connection string names (<https://www.mongodb.com/docs/manual/reference/connection-string/>).
struct Cluster {
    hosts: Vec<(String, u16)>,
    user: String,
    password: Option<SecretValue>,
    database: Option<String>,
    options: Vec<(String, String)>,
}

/// Signs in and asks for a sign of life, at the first of the cluster's servers that answers.
pub(super) async fn check(text: &str, surroundings: &Surroundings<'_>) -> Result<(), Ended> {
    let cluster = Cluster::parse(text)?;
    let mut ended = super::NO_CONNECTION;
    for (host, port) in &cluster.hosts {
        match cluster.ask(host, *port, surroundings).await {
            Err(again @ Outcome::Unreachable(_)) => ended = again,
            answered => return answered,
        }
    }
    Err(ended)
}

impl Cluster {
    fn parse(text: &str) -> Result<Self, Obstacle> {
        // Its hosts stand in the DNS, which a file of credentials cannot be held against without asking for more than an address.
        if text.trim().starts_with("mongodb+srv://") {
            return Err(Obstacle::UnsupportedSignIn);
        }
        let rest = text.trim().strip_prefix("mongodb://").ok_or(Obstacle::Malformed)?;
        let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
        let (user, place) = rest.rsplit_once('@').map_or(("", rest), |(user, place)| (user, place));
        let (user, password) = user.split_once(':').map_or((user, None), |(user, password)| (user, Some(password)));
        let (hosts, database) = place
            .split_once('/')
            .map_or((place, None), |(hosts, database)| (hosts, Some(database)));
        let hosts = hosts.split(',').map(|host| {
            let (host, port) = host_and_port(host)?;
            match host.is_empty() {
                true => Err(Obstacle::Malformed),
                false => Ok((host, port.unwrap_or(PORT))),
            }
        });
        Ok(Self {
            hosts: hosts.collect::<Result<_, _>>()?,
            user: decoded(user)?,
            password: password.map(|password| secret(decoded(password)?)).transpose()?,
            database: database.filter(|name| !name.is_empty()).map(decoded).transpose()?,
            options: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        })
    }

    /// An option, whose name may be spelled in any case.
    fn option(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().find(|(there, _)| there.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn is(&self, name: &str) -> bool {
        self.option(name) == Some("true")
    }

    async fn ask(&self, host: &str, port: u16, surroundings: &Surroundings<'_>) -> Result<(), Ended> {
        let mut link = Link::open(host, port).await?;
        if self.is("tls") || self.is("ssl") {
            if self.option("tlsCertificateKeyFile").is_some() {
                return Err(UNSUPPORTED);
            }
            let trust = match (
                self.is("tlsInsecure") || self.is("tlsAllowInvalidCertificates"),
                self.is("tlsAllowInvalidHostnames"),
            ) {
                (true, _) => Trust::Anybody,
                (false, true) => Trust::Authority,
                (false, false) => Trust::Name,
            };
            let roots = self
                .option("tlsCAFile")
                .map(|path| (surroundings.read)(path).ok_or(Obstacle::Malformed));
            link = link.secure(tls::config(trust, roots.transpose()?.as_deref())?).await?;
        }
        let mut session = Session {
            link,
            request: Cell::new(0),
        };
        if self.user.is_empty() {
            // Anybody may ping; what needs no credentials is what shows that there need be none.
            let database = self.database.as_deref().unwrap_or("admin");
            let list = Writer::new()
                .int("listCollections", 1)
                .boolean("nameOnly", true)
                .boolean("authorizedCollections", true);
            return session.run(list, database).await.map(drop);
        }
        self.sign_in(&mut session, surroundings).await?;
        session.run(Writer::new().int("ping", 1), "admin").await.map(drop)
    }

    async fn sign_in(&self, session: &mut Session, surroundings: &Surroundings<'_>) -> Result<(), Ended> {
        let source = self.option("authSource").or(self.database.as_deref()).unwrap_or("admin");
        let password = self.password.as_ref().ok_or(Obstacle::Incomplete)?;
        let hash = match self.option("authMechanism") {
            Some("SCRAM-SHA-1") => Hash::Sha1,
            Some("SCRAM-SHA-256") => Hash::Sha256,
            None | Some("DEFAULT") => session.best_way(&format!("{source}.{}", self.user)).await?,
            Some(_) => return Err(UNSUPPORTED),
        };
        let (name, password) = match hash {
            Hash::Sha256 => ("SCRAM-SHA-256", prepared(password.expose())),
            Hash::Sha1 => {
                let digest = digests::md5_hex(&[self.user.as_bytes(), b":mongo:", password.expose().as_bytes()]);
                ("SCRAM-SHA-1", Zeroizing::new(digest.as_bytes().to_vec()))
            }
        };
        let mut exchange = Exchange::begin(hash, &self.user, LEAST_ITERATIONS, surroundings.entropy)?;
        let start = Writer::new()
            .int("saslStart", 1)
            .text("mechanism", name)
            .binary("payload", exchange.first().as_bytes())
            .document("options", Writer::new().boolean("skipEmptyExchange", true));
        let begun = Step::of(&session.run(start, source).await?)?;
        let proof = Zeroizing::new(exchange.last(&begun.payload, &password)?.into_bytes());
        let mut step = Step::of(&session.run(begun.next(&proof), source).await?)?;
        exchange.verify(&step.payload)?;
        for _ in 0..MOST_STEPS {
            if step.done {
                return Ok(());
            }
            step = Step::of(&session.run(step.next(b""), source).await?)?;
        }
        Err(UNEXPECTED)
    }
}

/// An answer within the exchange.
struct Step {
    conversation: i32,
    payload: Vec<u8>,
    done: bool,
}

impl Step {
    fn of(answer: &[(String, Value)]) -> Result<Self, Ended> {
        let conversation = match member(answer, "conversationId") {
            #[expect(clippy::cast_possible_truncation, reason = "it was read from 32 bits")]
            Some(Value::Number(number)) => *number as i32,
            _ => return Err(UNEXPECTED),
        };
        let Some(Value::Binary(payload)) = member(answer, "payload") else {
            return Err(UNEXPECTED);
        };
        Ok(Self {
            conversation,
            payload: payload.clone(),
            done: member(answer, "done") == Some(&Value::Boolean(true)),
        })
    }

    fn next(&self, payload: &[u8]) -> Writer {
        Writer::new()
            .int("saslContinue", 1)
            .int("conversationId", self.conversation)
            .binary("payload", payload)
    }
}

/// Commands over a link.
struct Session {
    link: Link,
    request: Cell<i32>,
}

impl Session {
    /// The better of the ways in which a user may sign in; servers do not say whether there is such a user.
    async fn best_way(&mut self, user: &str) -> Result<Hash, Ended> {
        let hello = |name: &str| Writer::new().int(name, 1).text("saslSupportedMechs", user);
        let answer = match self.run(hello("hello"), "admin").await {
            // Servers before 4.4.2 know it by its old name.
            Err(_) => self.run(hello("isMaster"), "admin").await?,
            answered => answered?,
        };
        let Some(Value::Array(ways)) = member(&answer, "saslSupportedMechs") else {
            return Ok(Hash::Sha256);
        };
        let has = |name: &str| ways.contains(&Value::Text(name.to_owned()));
        match (has("SCRAM-SHA-256"), has("SCRAM-SHA-1")) {
            (true, _) => Ok(Hash::Sha256),
            (false, true) => Ok(Hash::Sha1),
            (false, false) => Err(UNSUPPORTED),
        }
    }

    /// Runs a command; an answer that tells of an error is what it means.
    async fn run(&mut self, command: Writer, database: &str) -> Result<bson::Members, Ended> {
        let body = command.text("$db", database).finish();
        let number = self.request.get().wrapping_add(1);
        self.request.set(number);
        let length = i32::try_from(body.len() + 21).map_err(|_| Obstacle::Malformed)?;
        let mut message = Zeroizing::new(Vec::with_capacity(body.len() + 21));
        for part in [length, number, 0, OP_MSG, 0] {
            message.extend_from_slice(&part.to_le_bytes());
        }
        message.push(0);
        message.extend_from_slice(&body);
        self.link.send(&message).await?;
        let head = self.link.receive(16).await?;
        let part = |at: usize| i32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let rest = usize::try_from(part(0))
            .ok()
            .and_then(|length| length.checked_sub(16))
            .ok_or(UNEXPECTED)?;
        if part(12) != OP_MSG || part(8) != number {
            return Err(UNEXPECTED);
        }
        let answer = self.link.receive(rest).await?;
        // Flags, then one section with the document.
        let document = answer.get(5..).filter(|_| answer[4] == 0).ok_or(UNEXPECTED)?;
        let answer = bson::read(document).ok_or(UNEXPECTED)?;
        match member(&answer, "ok") {
            Some(Value::Number(1.0)) => Ok(answer),
            Some(Value::Boolean(true)) => Ok(answer),
            _ => Err(meaning(&answer)),
        }
    }
}

fn member<'a>(document: &'a [(String, Value)], name: &str) -> Option<&'a Value> {
    document.iter().find(|(there, _)| there == name).map(|(_, value)| value)
}

/// What an error means, by its number (`src/mongo/base/error_codes.yml` of the server).
fn meaning(answer: &[(String, Value)]) -> Ended {
    let Some(Value::Number(code)) = member(answer, "code") else {
        return UNEXPECTED;
    };
    match code {
        // UserNotFound, AuthenticationFailed; AtlasError, which Atlas gives for both.
        11.0 | 18.0 | 8000.0 => WRONG,
        // Unauthorized, and AuthenticationRestrictionUnmet.
        13.0 | 396.0 => Refusal::MissingPermission.into(),
        // MechanismUnavailable.
        334.0 => UNSUPPORTED,
        // Those of a server that ends, waits for others or has too much to do.
        89.0 | 91.0 | 189.0 | 202.0 | 262.0 | 9001.0 | 10107.0 | 11600.0 | 11602.0 | 13435.0 | 13436.0 => Trouble::ServerError.into(),
        _ => UNEXPECTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_string_is_read_as_its_page_has_it() {
        let cluster =
            Cluster::parse("mongodb://a%40b:p%3Aq@h1,h2:27018/sales?authSource=admin&TLS=true").unwrap_or_else(|_| panic!("it is right"));
        assert_eq!(cluster.hosts, [("h1".to_owned(), 27_017), ("h2".to_owned(), 27_018)]);
        assert_eq!(cluster.user, "a@b");
        assert_eq!(cluster.password.as_ref().map(SecretValue::expose), Some("p:q"));
        assert_eq!(
            (cluster.database.as_deref(), cluster.option("authsource")),
            (Some("sales"), Some("admin"))
        );
        assert!(cluster.is("tls"));
        for bad in ["", "http://h", "mongodb://", "mongodb://u:p@", "mongodb://h:x"] {
            assert_eq!(Cluster::parse(bad).err(), Some(Obstacle::Malformed), "{bad}");
        }
    }
}
