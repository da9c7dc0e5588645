//! Providers on this machine with throw-away accounts, in the shapes that the real ones document. One thread a request, no TLS.
//!
//! Each of them answers at four paths of the same names, `/authorize`, `/token`, `/userinfo` and `/revoke`, at which
//! [`Fake::stands_in_for`] points `dango`, and at what it has beside them. A closure is a provider, too.
//!
//! ```no_run
//! use dango_tests::Scratch;
//! use dango_tests::provider::{Fake, Google, Trouble};
//!
//! let fake = Fake::start(Google::new());
//! let mut project = Scratch::initialised();
//! fake.stands_in_for("google", &mut project);
//! // … connect …
//! fake.trouble("/token", [Trouble::Unavailable, Trouble::LostAnswer]);
//! fake.provider().end_grants();
//! assert_eq!(fake.asked("/token").len(), 1);
//! ```

mod codes;
mod facebook;
mod github;
mod google;
mod openid;
mod rotating;
#[cfg(test)]
mod tests;
mod trouble;
mod wire;

use std::collections::{HashMap, VecDeque};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::client::Client;
use crate::scratch::Scratch;

pub use codes::OPEN_CODE;
pub use facebook::{Facebook, FacebookEnd};
pub use github::GitHub;
pub use google::Google;
pub use openid::{Account, Algorithm, Forgery, Hostility, OpenId};
pub use rotating::{Reuse, Rotating};
pub use trouble::{Gate, Trouble};
pub use wire::{Reply, Seen};

use trouble::{Before, Course};

/// What answers the requests of a provider.
pub trait Answers: Send + Sync + 'static {
    /// Answers a request, which `origin` stands before.
    fn answer(&self, seen: &Seen, origin: &str) -> Reply;
}

impl<F: Fn(&Seen) -> Reply + Send + Sync + 'static> Answers for F {
    fn answer(&self, seen: &Seen, _origin: &str) -> Reply {
        self(seen)
    }
}

/// A provider that runs, and remembers what it was asked. It stays until the process ends.
pub struct Fake<A: ?Sized> {
    address: SocketAddr,
    shared: Arc<Shared>,
    answers: Arc<A>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    troubles: Mutex<HashMap<String, VecDeque<Trouble>>>,
}

impl<A: Answers> Fake<A> {
    /// Starts a provider on a free port.
    ///
    /// # Panics
    ///
    /// When no port is free.
    #[must_use]
    pub fn start(answers: A) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let fake = Self {
            address: listener.local_addr().expect("bound"),
            shared: Arc::default(),
            answers: Arc::new(answers),
        };
        let (shared, answers, origin) = (Arc::clone(&fake.shared), Arc::clone(&fake.answers), fake.origin());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, answers, origin) = (Arc::clone(&shared), Arc::clone(&answers), origin.clone());
                thread::spawn(move || serve(stream, &shared, answers.as_ref(), &origin));
            }
        });
        fake
    }
}

impl<A: ?Sized> Fake<A> {
    /// What answers, to be told what happens meanwhile.
    #[must_use]
    pub fn provider(&self) -> &A {
        &self.answers
    }

    /// What its addresses begin with.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The variables that replace the endpoints of a provider by those here.
    #[must_use]
    pub fn variables(&self, provider: &str) -> [(String, String); 4] {
        ["AUTHORIZE", "TOKEN", "USERINFO", "REVOKE"].map(|endpoint| {
            let name = format!("DANGO_OAUTH_{}_{endpoint}_URL", provider.to_ascii_uppercase());
            (name, format!("{}/{}", self.origin(), endpoint.to_ascii_lowercase()))
        })
    }

    /// Replaces the endpoints of a provider for all programs that are run in a project.
    pub fn stands_in_for(&self, provider: &str, project: &mut Scratch) {
        for (name, url) in self.variables(provider) {
            // A few short names for as long as the tests run.
            project.give(name.leak(), url);
        }
    }

    /// Everything that it was asked at a path, whatever the query.
    ///
    /// # Panics
    ///
    /// When a thread of it failed, as all methods here.
    #[must_use]
    pub fn asked(&self, path: &str) -> Vec<Seen> {
        self.all().into_iter().filter(|seen| seen.path() == path).collect()
    }

    /// Everything that it was asked.
    #[must_use]
    pub fn all(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("no thread failed").clone()
    }

    /// What befalls the next requests at a path, one after the other; those after them are answered as ever.
    pub fn trouble(&self, path: &str, troubles: impl IntoIterator<Item = Trouble>) {
        let mut all = self.shared.troubles.lock().expect("no thread failed");
        all.entry(path.to_owned()).or_default().extend(troubles);
    }
}

/// Goes to an authorization page as the browser of somebody who is logged in there and says what the provider was told to say: the
/// address that the browser is sent on to.
///
/// # Panics
///
/// When it is sent nowhere.
#[track_caller]
#[must_use]
pub fn consent(authorization_url: &str) -> String {
    let path = authorization_url
        .match_indices('/')
        .nth(2)
        .map_or(authorization_url.len(), |(at, _)| at);
    let (origin, target) = authorization_url.split_at(path);
    let answer = Client::of(origin).get(target);
    assert_eq!(answer.status, 302, "{}", answer.text);
    answer.header("location").to_owned()
}

fn serve(mut stream: TcpStream, shared: &Shared, answers: &impl Answers, origin: &str) {
    let Some(seen) = wire::read(&stream) else { return };
    shared.seen.lock().expect("no thread failed").push(seen.clone());
    let trouble = {
        let mut all = shared.troubles.lock().expect("no thread failed");
        all.get_mut(seen.path()).and_then(VecDeque::pop_front)
    };
    let course = trouble.map_or_else(Course::usual, Trouble::into_course);
    let reply = match course.before(&stream) {
        Before::Answered(reply) => Some(reply),
        Before::Lost => None,
        Before::Nothing => course.after(answers.answer(&seen, origin)),
    };
    if let Some(reply) = reply {
        // A client that was killed in between reads nothing.
        let _ = reply.write(&mut stream);
    }
}
