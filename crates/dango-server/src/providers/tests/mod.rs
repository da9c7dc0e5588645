//! Connections and their renewal over real files, with a provider in this process whose refresh tokens are worth something once.

#![expect(clippy::disallowed_methods, reason = "files are changed as editors and other programs change them")]

mod port;
mod renewal;

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use dango_actions::{Actions, AuditView, Caller, ConnectionTrouble, Connections, ListedConnection, Setup};
use dango_audit::Outcome;
use dango_audit::query::{Filter, Order, PageLimit};
use dango_core::{Clock, Entropy, OsEntropy, SecretValue, Timestamp};
use dango_files::{KeyAccess, KeySource};
use dango_identity::IdentityKey;
use dango_oauth::{Answer, CallError, Http, Outbound, Reach};
use dango_secrets::document::SecretsDocument;
use dango_secrets::project::Project;
use dango_store::MemoryStore;
use dango_vault::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{Desk, DeskParts, ProviderConnections, RenewalCounts, Renewals};

/// Beside what comes with Dango: a provider whose refresh tokens rotate.
const PROVIDERS: &str = "[corp]\nauthorize = \"https://corp.example/authorize\"\ntoken = \"https://corp.example/token\"\n\
    userinfo = \"https://corp.example/me\"\nrevoke = \"https://corp.example/revoke\"\nrevocation = \"rfc7009\"\nrefresh = \"rotating\"\n\
    access_seconds = 3600\nissuer = \"https://corp.example\"\nidentity = { subject = \"/sub\", identifier = \"/email\" }\n\
    [corp.sources]\ncorp_data = { scopes = [\"data.read\", \"data.write\"], access_token = \"access_token\", refresh_token = \"refresh_token\" }\n\
    [meta]\nauthorize = \"https://corp.example/authorize\"\ntoken = \"https://corp.example/token\"\nrefresh = \"exchange\"\ngrant_days = 60\n\
    [meta.sources]\nmeta_data = { scopes = [], access_token = \"access_token\" }\n";

/// When the tests begin.
const NOW: &str = "2026-11-22T12:00:00Z";

/// A clock that stands still unless moved. What happens when it is looked at next can be said, for what comes in between.
struct Hand(AtomicI64, Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        let happens = self.1.lock().expect("whole").take();
        if let Some(happens) = happens {
            happens();
        }
        Timestamp::from_unix_micros(self.0.load(Ordering::SeqCst))
    }

    fn local_offset_seconds(&self, _: Timestamp) -> i32 {
        0
    }
}

/// What befalls the next request for tokens.
enum Trouble {
    /// The provider cannot answer.
    Unavailable,
    /// It gives an access token alone, as Google does on a second consent.
    WithoutRefreshToken,
    /// It refuses with this name.
    Refuses(&'static str),
    /// Something else happens first; then it answers as ever.
    Meanwhile(Box<dyn FnOnce() + Send>),
    /// Something else happens, and it refuses the token.
    RefusesAfter(Box<dyn FnOnce() + Send>),
}

/// The provider: its tokens are `rt-N` and `at-N`, and the last refresh token alone is worth something.
#[derive(Default)]
struct Corp {
    last: Mutex<u32>,
    troubles: Mutex<VecDeque<Trouble>>,
    /// Every path that was asked, with its body.
    asked: Mutex<Vec<(String, String)>>,
    email: Mutex<String>,
}

impl Corp {
    fn asked(&self, path: &str) -> usize {
        self.asked.lock().expect("whole").iter().filter(|(at, _)| at == path).count()
    }

    fn befalls(&self, trouble: Trouble) {
        self.troubles.lock().expect("whole").push_back(trouble);
    }

    fn tokens(&self, body: &str) -> (u16, String) {
        let refused = |name: &str| (400, format!("{{\"error\":\"{name}\"}}"));
        let trouble = self.troubles.lock().expect("whole").pop_front();
        match trouble {
            None => {}
            Some(Trouble::Unavailable) => return (503, String::new()),
            Some(Trouble::WithoutRefreshToken) => {
                let tokens = "{\"access_token\":\"at-alone\",\"token_type\":\"bearer\",\"expires_in\":3600}";
                return (200, tokens.to_owned());
            }
            Some(Trouble::Refuses(name)) => return refused(name),
            Some(Trouble::Meanwhile(happens)) => happens(),
            Some(Trouble::RefusesAfter(happens)) => {
                happens();
                return refused("invalid_grant");
            }
        }
        let mut last = self.last.lock().expect("whole");
        let is_exchange = body.contains(&format!("fb_exchange_token=at-{last}"));
        if !is_exchange && !body.contains("code=") && !body.contains(&format!("refresh_token=rt-{last}")) {
            return refused("invalid_grant");
        }
        *last += 1;
        let seconds = if is_exchange { 5_184_000 } else { 3600 };
        let tokens = format!(
            "{{\"access_token\":\"at-{last}\",\"refresh_token\":\"rt-{last}\",\"token_type\":\"bearer\",\"expires_in\":{seconds},\"scope\":\"data.read data.write\"}}"
        );
        (200, tokens)
    }
}

#[async_trait]
impl Http for Corp {
    async fn call(&self, _: &Reach, request: Outbound) -> Result<Answer, CallError> {
        let path = request.url.path().to_owned();
        let body = request.body.map(|body| body.expose().to_owned()).unwrap_or_default();
        self.asked.lock().expect("whole").push((path.clone(), body.clone()));
        let (status, text) = match path.as_str() {
            "/token" => self.tokens(&body),
            "/me" => (
                200,
                format!("{{\"sub\":\"1\",\"email\":\"{}\"}}", self.email.lock().expect("whole")),
            ),
            _ => (200, "{}".to_owned()),
        };
        Ok(Answer {
            status,
            retry_after: None,
            body: text.into_bytes().into(),
        })
    }
}

struct World {
    _directory: TempDir,
    project: Project,
    clock: Arc<Hand>,
    corp: Arc<Corp>,
    actions: Actions,
    runtime: Runtime,
}

impl World {
    /// A project with the provider and its app, and nothing connected.
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::at(directory.path());
        fs::create_dir_all(project.dango_dir()).expect("made");
        fs::create_dir_all(project.dlt_dir()).expect("made");
        fs::write(project.dango_dir().join("providers.toml"), PROVIDERS).expect("written");
        fs::write(
            project.env_file(),
            "CORP_CLIENT_ID=app\nCORP_CLIENT_SECRET=canary-app\nMETA_CLIENT_ID=app\n",
        )
        .expect("written");
        let now: Timestamp = NOW.parse().expect("a time");
        let clock = Arc::new(Hand(AtomicI64::new(now.unix_micros()), Mutex::new(None)));
        let key = IdentityKey::parse(&SecretValue::new("07".repeat(32)).expect("hex")).expect("a key");
        let (shared, entropy) = (Arc::clone(&clock), Arc::new(OsEntropy));
        let actions = Actions::new(Arc::new(MemoryStore::new()), &key, Setup::default(), shared, entropy).expect("random");
        let corp = Arc::new(Corp::default());
        *corp.email.lock().expect("whole") = "ada@corp.example".to_owned();
        Self {
            _directory: directory,
            project,
            clock,
            corp,
            actions,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime"),
        }
    }

    /// A connection `data` that was made so many seconds ago, of which the provider knows the tokens.
    fn connected(&self, seconds_ago: i64) {
        let made = Timestamp::from_unix_micros(self.clock.now().unix_micros() - seconds_ago * 1_000_000);
        let text = format!(
            "[sources.data]\naccess_token = \"at-0\"\nrefresh_token = \"rt-0\"\n\n[dango.oauth.data]\nsource_type = \"corp_data\"\n\
             provider = \"corp\"\nidentifier = \"ada@corp.example\"\ncreated_at = \"{made}\"\nscopes = [\"data.read\", \"data.write\"]\n"
        );
        fs::write(self.project.secrets_toml(), text).expect("written");
    }

    /// What a server has of its own.
    fn desk(&self) -> Arc<Desk> {
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        Arc::new(Desk::new(DeskParts {
            project: self.project.clone(),
            keys: Arc::new(KeySource::new(KeyAccess::default())),
            environment: BTreeMap::new(),
            http: Arc::clone(&self.corp) as _,
            clock: Arc::clone(&self.clock) as _,
            entropy,
        }))
    }

    fn renewals(&self, desk: &Arc<Desk>) -> Renewals {
        Renewals::new(Arc::clone(desk), self.actions.clone(), RenewalCounts::default())
    }

    fn look(&self, renewals: &mut Renewals) {
        renewals.look(self.runtime.handle(), &|| false);
    }

    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// What is said to stand in the way of the connection `data`, as its record is now.
    fn trouble(&self, desk: &Arc<Desk>) -> Option<ConnectionTrouble> {
        let document = SecretsDocument::parse(self.file().as_bytes()).expect("TOML");
        let connection = Connection::find(&document, "data", &*self.clock).expect("is there");
        let listed = ListedConnection {
            name: connection.name,
            source_type: connection.source_type,
            provider: connection.provider,
            identifier: connection.identifier,
            account_info: connection.account_info,
            connected_at: connection.connected_at,
            expires_at: connection.expires_at,
            refreshed_at: connection.refreshed_at,
            scopes: connection.scopes,
        };
        ProviderConnections::new(Arc::clone(desk)).trouble(&listed)
    }

    fn file(&self) -> String {
        fs::read_to_string(self.project.secrets_toml()).expect("is there")
    }

    /// What was recorded, as `event outcome`, the earliest first.
    fn recorded(&self) -> Vec<String> {
        let permit = pollster::block_on(self.actions.permit::<AuditView>(&Caller::cli(Some(1000), Some("ada"))));
        let filter = Filter {
            order: Order::OldestFirst,
            ..Filter::default()
        };
        let limit = PageLimit::new(500).expect("few");
        let page = pollster::block_on(self.actions.list_audit(&permit.expect("the machine's user may"), filter, limit));
        let events = page.expect("readable").events;
        events
            .iter()
            .map(|event| format!("{} {}", event.event, event.outcome.map_or("intent", Outcome::as_str)))
            .collect()
    }
}
