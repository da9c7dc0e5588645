//! A project that the people of an earlier Dango come to: a store, a clock that is moved by hand, and what they log in with.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use dango_actions::{
    Actions, AuditView, Caller, Earlier, EarlierLog, Grant, ImportReport, KeyHolder, LogInStep, Login, Machine, Permit, Setup, SignedIn,
    UserView, UsersManage, UsersView,
};
use dango_audit::AuditEvent;
use dango_audit::query::{Filter, Order, PageLimit};
use dango_core::{Clock, Entropy, EntropyError, OsEntropy, SecretValue, Timestamp};
use dango_identity::{Client, IdentityKey, Password, PlainApiKey, PlainToken, RecoveryCode, SecondFactorCode, StoreError, TotpCode};
use dango_store::{Store, StoreExt};
use dango_store_sqlite::read_earlier;
pub(crate) use pollster::block_on as wait;
use serde_json::Value;

/// Made with getdango 1.0.13 by `make.py`.
pub(crate) fn made(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("earlier").join(name)
}

/// What the package made.
pub(crate) fn earlier() -> Arc<Earlier> {
    from(&made("auth.db"), &std::fs::read(made("audit.jsonl")).expect("read"))
}

pub(crate) fn from(database: &Path, log: &[u8]) -> Arc<Earlier> {
    Arc::new(Earlier {
        database: read_earlier(database).unwrap_or_else(|error| panic!("{error}")),
        log: Some(EarlierLog::read(log)),
    })
}

/// What one of them logs in with: a member of `credentials.json`.
pub(crate) fn known(email: &str, what: &str) -> Value {
    let text = std::fs::read_to_string(made("credentials.json")).expect("read");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    all["people"][email][what].clone()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.load(Ordering::SeqCst))
    }

    fn local_offset_seconds(&self, _: Timestamp) -> i32 {
        0
    }
}

/// Randomness that runs out, if it is told when.
pub(crate) struct Running(pub(crate) AtomicU64);

impl Entropy for Running {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        let left = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match left {
            Ok(_) => OsEntropy.fill(buffer),
            Err(_) => Err(EntropyError),
        }
    }
}

pub(crate) struct World {
    pub(crate) actions: Actions,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) entropy: Arc<Running>,
    clock: Arc<Hand>,
}

impl World {
    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        let key = SecretValue::new("07".repeat(32)).expect("hex");
        let key = IdentityKey::parse(&key).expect("a key");
        // After the fixture was made, and before what ends in 2100.
        let clock = Arc::new(Hand(AtomicI64::new(1_900_000_000_000_000)));
        let entropy = Arc::new(Running(AtomicU64::new(u64::MAX)));
        let setup = Setup {
            hashing_permits: NonZeroUsize::MIN,
            ..Setup::default()
        };
        let parts = (Arc::clone(&clock), Arc::clone(&entropy));
        let actions = Actions::new(Arc::clone(&store), &key, setup, parts.0, parts.1).expect("random");
        Self {
            actions,
            store,
            entropy,
            clock,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub(crate) fn permit<G: Grant>(&self) -> Permit<G> {
        let caller = Caller::cli(Some(1000), Some("ada"));
        wait(self.actions.permit::<G>(&caller)).expect("the machine's user may")
    }

    pub(crate) fn plan(&self, earlier: &Arc<Earlier>) -> ImportReport {
        wait(self.actions.plan_import(&self.permit::<Machine>(), Arc::clone(earlier))).expect("planned")
    }

    pub(crate) fn import(&self, earlier: &Arc<Earlier>) -> ImportReport {
        wait(self.actions.import(&self.permit::<Machine>(), Arc::clone(earlier))).expect("imported")
    }

    pub(crate) fn users(&self) -> Vec<UserView> {
        wait(self.actions.list_users(&self.permit::<UsersView>())).expect("listed")
    }

    pub(crate) fn user(&self, email: &str) -> UserView {
        let email = email.parse().expect("an address");
        let users = self.users();
        users.into_iter().find(|view| view.user.email == email).expect("is there")
    }

    pub(crate) fn delete(&self, email: &str) {
        let email: dango_identity::Email = email.parse().expect("an address");
        wait(self.actions.delete_user(&self.permit::<UsersManage>(), email, None)).expect("deleted");
    }

    /// Logs in with a password; the code of the refusal where nobody is let in.
    pub(crate) fn log_in(&self, email: &str, password: &str) -> Result<LogInStep, &'static str> {
        let password = Password::new(password.to_owned()).expect("short enough");
        let caller = Caller::anonymous(Client::default());
        wait(self.actions.log_in(&caller, email, password, None, None)).map_err(|error| error.code())
    }

    /// Logs in with the password that is known, which is all that it takes.
    pub(crate) fn enter(&self, email: &str) -> SignedIn {
        match self.log_in(email, text(&known(email, "password"))) {
            Ok(LogInStep::Done(login)) => self.signed_in(login.issued.token.expose()),
            Ok(LogInStep::SecondFactor(_)) => panic!("{email}: a second factor is asked for"),
            Err(code) => panic!("{email}: {code}"),
        }
    }

    /// Logs in with the password that is known and a second factor.
    pub(crate) fn enter_with(&self, email: &str, code: SecondFactorCode) -> Result<Login, &'static str> {
        match self.log_in(email, text(&known(email, "password"))) {
            Ok(LogInStep::SecondFactor(issued)) => match self.signed_in(issued.token.expose()) {
                SignedIn::Partial(holder) => wait(self.actions.verify_second_factor(holder, code)).map_err(|error| error.code()),
                other => panic!("{email}: not a partial session: {other:?}"),
            },
            Ok(LogInStep::Done(_)) => panic!("{email}: no second factor is asked for"),
            Err(code) => panic!("{email}: {code}"),
        }
    }

    fn signed_in(&self, token: &str) -> SignedIn {
        let token = PlainToken::parse(token).expect("a token");
        wait(self.actions.authenticate(token, Caller::anonymous(Client::default()))).expect("authenticated")
    }

    /// The code that somebody's app shows now.
    pub(crate) fn app(&self, email: &str) -> SecondFactorCode {
        let secret = totp_rs::Secret::try_from_base32(text(&known(email, "totp"))).expect("base32");
        let totp = totp_rs::Builder::new().with_secret(secret).build().expect("parameters");
        let seconds = u64::try_from(self.now().unix_micros() / 1_000_000).expect("after 1970");
        SecondFactorCode::Totp(TotpCode::parse(&totp.generate(seconds).to_string()).expect("a code"))
    }

    pub(crate) fn use_key(&self, key: &str) -> Result<KeyHolder, &'static str> {
        let key = PlainApiKey::parse(key).expect("a key");
        wait(self.actions.authenticate_key(key, Caller::anonymous(Client::default()))).map_err(|error| error.code())
    }

    /// What is stored of somebody's password.
    pub(crate) fn stored(&self, email: &str) -> String {
        let email: dango_identity::Email = email.parse().expect("an address");
        let found: Result<_, StoreError> = wait(
            self.store
                .read(move |tx| Box::pin(async move { tx.find_candidate_by_email(&email).await })),
        );
        let password = found.expect("read").expect("is there").password.expect("a password");
        password.record.as_str().to_owned()
    }

    /// Every record, oldest first.
    pub(crate) fn records(&self) -> Vec<AuditEvent> {
        let mut filter = Filter {
            order: Order::OldestFirst,
            ..Filter::default()
        };
        let mut all = Vec::new();
        loop {
            let limit = PageLimit::new(500).expect("few");
            let page = wait(self.actions.list_audit(&self.permit::<AuditView>(), filter.clone(), limit)).expect("listed");
            all.extend(page.events);
            match page.next_cursor {
                Some(cursor) => filter.cursor = Some(cursor),
                None => return all,
            }
        }
    }

    pub(crate) fn is_intact(&self) -> bool {
        let report = wait(self.actions.verify_audit(&self.permit::<AuditView>(), "")).expect("read");
        report.is_ok()
    }
}

pub(crate) fn recovery(code: &str) -> SecondFactorCode {
    SecondFactorCode::Recovery(RecoveryCode::parse(code).expect("a code"))
}
