//! A small world for the tests: a store in memory, time that stands still unless moved, people who log in.

#![allow(dead_code, unreachable_pub, reason = "each test program uses its part")]

pub mod provider;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use dango_actions::{
    Actions, AuditView, Caller, Credential, FirstLogin, Grant, Holder, LogInStep, Login, Permit, Setup, SignedIn, UsersManage, UsersView,
};
use dango_audit::query::{Filter, Order, PageLimit};
use dango_audit::{AuditEvent, Outcome};
use dango_core::{Clock, OsEntropy, SecretValue, Timestamp};
use dango_identity::{Client, Full, IdentityKey, Password, PlainToken, Role, SessionId, TotpCode};
use dango_store::{MemoryStore, Store, StoreExt};
pub use pollster::block_on;

pub const RIGHT: &str = "correct horse battery staple";
pub const OTHER: &str = "another horse in the stable";
pub const WRONG: &str = "correct horse battery stable";

#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.load(Ordering::SeqCst))
    }

    fn local_offset_seconds(&self, _: Timestamp) -> i32 {
        0
    }
}

pub struct World {
    pub actions: Actions,
    pub clock: Arc<ManualClock>,
    pub store: Arc<dyn Store>,
}

pub fn identity_key(byte: u8) -> IdentityKey {
    let text = format!("{byte:02x}").repeat(32);
    IdentityKey::parse(&SecretValue::new(text).expect("hex")).expect("a key")
}

pub fn password(text: &str) -> Password {
    Password::new(text.to_owned()).expect("short enough")
}

pub fn email(text: &str) -> dango_identity::Email {
    text.parse().expect("an address")
}

pub fn cli() -> Caller {
    Caller::cli(Some(1000), Some("ada"))
}

pub fn browser() -> Client {
    Client {
        address: Some([192, 0, 2, 7].into()),
        user_agent: Some(dango_identity::UserAgent::new("Firefox/140")),
    }
}

pub fn visitor() -> Caller {
    Caller::anonymous(browser())
}

impl World {
    pub fn new() -> Self {
        Self::over(Arc::new(MemoryStore::new()), identity_key(7))
    }

    pub fn over(store: Arc<dyn Store>, key: IdentityKey) -> Self {
        Self::with(store, key, Setup::default())
    }

    pub fn with(store: Arc<dyn Store>, key: IdentityKey, setup: Setup) -> Self {
        let clock = Arc::new(ManualClock(AtomicI64::new(1_795_000_000_000_000)));
        let setup = Setup {
            public_url: "https://dango.example.com".parse().expect("an address"),
            hashing_permits: NonZeroUsize::new(4).expect("not zero"),
            hashing_queue: 1000,
            ..setup
        };
        let (shared, entropy) = (Arc::clone(&clock), Arc::new(OsEntropy));
        let actions = Actions::new(Arc::clone(&store), &key, setup, shared, entropy).expect("random");
        Self { actions, clock, store }
    }

    /// Moves time on by so many seconds.
    pub fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub fn permit<G: Grant>(&self) -> Permit<G> {
        block_on(self.actions.permit::<G>(&cli())).expect("the machine's user may")
    }

    /// Adds somebody who has chosen [`RIGHT`].
    pub fn add(&self, address: &str, role: Role) -> dango_identity::User {
        let added = block_on(
            self.actions
                .add_user(&self.permit::<UsersManage>(), email(address), role, FirstLogin::Invite),
        );
        let added = added.expect("added");
        let token = invite_token(&added.credential);
        block_on(self.actions.accept_invite(&visitor(), &token, password(RIGHT))).expect("accepted")
    }

    /// Adds somebody who has no password, as an import does with people who sign in elsewhere.
    pub fn add_without_password(&self, address: &str, role: Role) -> dango_identity::User {
        let now = self.clock.now();
        let user = dango_identity::User {
            id: dango_identity::UserId::make(now, &OsEntropy).expect("random"),
            email: address.parse().expect("an address"),
            role,
            activity: dango_identity::Activity::Active,
            invite_expires_at: None,
            must_change_password: false,
            epoch: dango_identity::SecurityEpoch::default(),
            created_at: now,
            updated_at: now,
            last_login: None,
        };
        let new = dango_identity::NewUser {
            user: user.clone(),
            password: None,
            invite: None,
        };
        let added: Result<_, dango_identity::StoreError> =
            block_on(self.store.write(move |tx| Box::pin(async move { tx.insert_user(&new).await })));
        assert!(matches!(added, Ok(dango_identity::InsertUser::Inserted)));
        user
    }

    pub fn log_in(&self, address: &str) -> Login {
        match block_on(self.actions.log_in(&visitor(), address, password(RIGHT), None, None)).expect("logged in") {
            LogInStep::Done(login) => *login,
            LogInStep::SecondFactor(_) => panic!("a second factor is asked for"),
        }
    }

    pub fn full(&self, login: &Login) -> Holder<Full> {
        match self.signed_in(login.issued.token.expose()) {
            SignedIn::Full(holder) => holder,
            other => panic!("not a full session: {other:?}"),
        }
    }

    pub fn signed_in(&self, token: &str) -> SignedIn {
        let token = PlainToken::parse(token).expect("a token");
        block_on(self.actions.authenticate(token, visitor())).expect("authenticated")
    }

    pub fn session_of(&self, address: &str) -> Holder<Full> {
        let login = self.log_in(address);
        self.full(&login)
    }

    /// Every record, oldest first.
    pub fn records(&self) -> Vec<AuditEvent> {
        let permit = self.permit::<AuditView>();
        let (mut filter, mut all) = (
            Filter {
                order: Order::OldestFirst,
                ..Filter::default()
            },
            Vec::new(),
        );
        loop {
            let limit = PageLimit::new(500).expect("few");
            let page = block_on(self.actions.list_audit(&permit, filter.clone(), limit)).expect("listed");
            all.extend(page.events);
            match page.next_cursor {
                Some(cursor) => filter.cursor = Some(cursor),
                None => return all,
            }
        }
    }

    /// What was recorded by some work, as `event outcome [code]`.
    pub fn recorded<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<String>) {
        let last = |records: &[AuditEvent]| records.last().map(|record| record.seq);
        let before = last(&self.records());
        let done = work();
        let records = self.records();
        // A new chain begins at its first record.
        let is_new = last(&records) < before;
        let left = records.iter().filter(|record| is_new || Some(record.seq) > before);
        (done, left.map(summary).collect())
    }

    pub fn verified(&self) {
        let report = block_on(self.actions.verify_audit(&self.permit::<AuditView>(), "")).expect("read");
        assert!(report.is_ok(), "{report:?}");
    }

    pub fn users(&self) -> Vec<dango_actions::UserView> {
        block_on(self.actions.list_users(&self.permit::<UsersView>())).expect("listed")
    }

    pub fn status_of(&self, address: &str) -> dango_identity::AccountStatus {
        let users = self.users();
        users
            .iter()
            .find(|view| view.user.email == email(address))
            .expect("is there")
            .status
    }
}

pub fn summary(event: &AuditEvent) -> String {
    let outcome = event.outcome.map_or("intent", Outcome::as_str);
    match detail(event, "code") {
        Some(code) => format!("{} {outcome} {code}", event.event),
        None => format!("{} {outcome}", event.event),
    }
}

pub fn detail(event: &AuditEvent, key: &str) -> Option<String> {
    let details: serde_json::Value = serde_json::from_str(&event.details).expect("JSON");
    match details.get(key)? {
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

pub fn invite_token(credential: &Credential) -> PlainToken<dango_identity::kind::Invite> {
    let Credential::Invite(link) = credential else {
        panic!("not an invitation");
    };
    let url = link.url().expose();
    PlainToken::parse(url.strip_prefix("https://dango.example.com/invite/").expect("a link")).expect("a token")
}

/// The code that an app shows at a moment.
pub fn app(secret: &SecretValue, at: Timestamp) -> TotpCode {
    let secret = totp_rs::Secret::try_from_base32(secret.expose()).expect("base32");
    let totp = totp_rs::Builder::new().with_secret(secret).build().expect("parameters");
    let seconds = u64::try_from(at.unix_micros() / 1_000_000).expect("after 1970");
    TotpCode::parse(&totp.generate(seconds).to_string()).expect("a code")
}

/// Runs the same thing in so many threads at once and collects the answers.
pub fn race<T: Send>(times: usize, run: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = std::sync::Barrier::new(times);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..times)
            .map(|number| {
                let (start, run) = (&start, &run);
                scope.spawn(move || {
                    start.wait();
                    run(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

pub fn id_of(login: &Login) -> SessionId {
    login.issued.session.record().id
}
