//! A server without a socket: the router over a store in memory, time that stands still unless moved, and clients with a cookie jar.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use dango_actions::{
    Actions, AuditView, Caller, ConnectionDesk, Credential, FirstLogin, Grant, Permit, SecretsDesk, Setup, UsersManage, ValuesDesk,
};
use dango_api::{App, Limits, Machine, NotReady, Parts, Peer, Site, router};
use dango_audit::AuditEvent;
use dango_audit::query::{Filter, PageLimit};
use dango_core::{Clock, OsEntropy, SecretValue, Timestamp};
use dango_identity::{IdentityKey, Role};
use dango_store::{BoxFuture, MemoryStore, Store, StoreExt};
use http_body_util::BodyExt;
use pollster::block_on;
use serde_json::Value;
use tower::ServiceExt;

use crate::documented::{self, Asked};
use crate::files::Files;
use crate::provider::Provider;

pub(crate) const RIGHT: &str = "correct horse battery staple";
pub(crate) const OTHER: &str = "another horse in the stable";
pub(crate) const WRONG: &str = "correct horse battery stable";
pub(crate) const HOST: &str = "localhost:8800";
pub(crate) const ORIGIN: &str = "http://localhost:8800";

pub(crate) struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.load(Ordering::SeqCst))
    }

    fn local_offset_seconds(&self, _: Timestamp) -> i32 {
        0
    }
}

struct Fine;

impl Machine for Fine {
    fn check_readiness(&self) -> BoxFuture<'_, Result<(), NotReady>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn checkpoints(&self) -> Result<String, NotReady> {
        Ok(String::new())
    }
}

pub(crate) struct World {
    pub(crate) actions: Actions,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) router: Router,
    pub(crate) files: Arc<Files>,
    pub(crate) provider: Arc<Provider>,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Status and code together: what a client decides by.
    pub(crate) fn problem(&self) -> (u16, String) {
        (self.status.as_u16(), self.code())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }
}

/// What a client sends beside the body.
pub(crate) type Headers<'a> = &'a [(&'a str, &'a str)];

impl World {
    pub(crate) fn new() -> Self {
        Self::at(Site::Loopback { port: 8800, tls: false }, Setup::default())
    }

    pub(crate) fn at(site: Site, setup: Setup) -> Self {
        Self::behind(site, setup, &[])
    }

    /// A server behind proxies that are believed.
    pub(crate) fn behind(site: Site, setup: Setup, proxies: &[&str]) -> Self {
        Self::with_limits(site, setup, proxies, Limits::default())
    }

    pub(crate) fn with_limits(site: Site, setup: Setup, proxies: &[&str], limits: Limits) -> Self {
        let clock = Arc::new(ManualClock(AtomicI64::new(1_795_000_000_000_000)));
        let setup = Setup {
            hashing_permits: NonZeroUsize::new(4).expect("not zero"),
            hashing_queue: 1000,
            ..setup
        };
        let key = SecretValue::new("07".repeat(32)).expect("hex");
        let key = IdentityKey::parse(&key).expect("a key");
        let shared: Arc<dyn Clock> = clock.clone();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let actions = Actions::new(Arc::clone(&store), &key, setup, Arc::clone(&shared), Arc::new(OsEntropy));
        let actions = actions.expect("random");
        let files = Arc::new(Files::default());
        let secrets = SecretsDesk::open(actions.clone(), Arc::clone(&files) as _, 256).expect("a thread");
        let provider = Arc::new(Provider::new(Arc::clone(&files)));
        let connections = ConnectionDesk::new(actions.clone(), Arc::clone(&files) as _, Arc::clone(&provider) as _);
        let values = ValuesDesk::new(actions.clone(), Arc::clone(&files) as _);
        let parts = Parts {
            actions: actions.clone(),
            secrets,
            values,
            connections: Some(connections),
            logins: Some(Arc::clone(&provider) as _),
            site,
            trusted_proxies: proxies.iter().map(|net| net.parse().expect("a network")).collect(),
            limits,
            machine: Arc::new(Fine),
            traces: None,
            clock: shared,
            entropy: Arc::new(OsEntropy),
        };
        let router = router(App::new(parts).expect("random"));
        Self {
            actions,
            store,
            clock,
            router,
            files,
            provider,
        }
    }

    /// Moves time on by so many seconds.
    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub(crate) fn permit<G: Grant>(&self) -> Permit<G> {
        block_on(self.actions.permit::<G>(&Caller::cli(Some(1000), Some("ada")))).expect("the machine's user may")
    }

    /// Adds somebody who has chosen [`RIGHT`].
    pub(crate) fn add(&self, address: &str, role: Role) -> String {
        let email = address.parse().expect("an address");
        let permit = self.permit::<UsersManage>();
        let added = block_on(self.actions.add_user(&permit, email, role, FirstLogin::Invite)).expect("added");
        let Credential::Invite(link) = &added.credential else {
            panic!("no invitation")
        };
        let token = link.url().expose().rsplit('/').next().expect("a token").to_owned();
        let body = serde_json::json!({"token": token, "password": RIGHT}).to_string();
        let accepted = self.send("POST", "/api/auth/accept-invite", &[], Some(&body));
        assert_eq!(accepted.status, 200, "{}", String::from_utf8_lossy(&accepted.body));
        added.user.user.id.to_string()
    }

    /// Adds somebody who has no password, as an import does with people who sign in elsewhere.
    pub(crate) fn add_without_password(&self, address: &str, role: Role) -> dango_identity::User {
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

    /// Sends a request as the program of a stranger would: with a host, and with JSON if there is a body.
    pub(crate) fn send(&self, method: &str, path: &str, headers: Headers<'_>, body: Option<&str>) -> Answer {
        self.send_from("192.0.2.7:4711", method, path, headers, body)
    }

    pub(crate) fn send_from(&self, peer: &str, method: &str, path: &str, headers: Headers<'_>, body: Option<&str>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        let is_set = |name: &str| headers.iter().any(|(set, _)| set.eq_ignore_ascii_case(name));
        if !is_set("host") {
            request = request.header(header::HOST, HOST);
        }
        if body.is_some() && !is_set("content-type") {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.unwrap_or_default().to_owned())).expect("a request");
        let asked = Asked::new(&request, body);
        let answer = self.exchange(peer, request);
        documented::check(&asked, &answer);
        answer
    }

    /// As [`World::send`], for what is not sent like that.
    pub(crate) fn send_request(&self, peer: &str, request: Request<Body>) -> Answer {
        let asked = Asked::new(&request, None);
        let answer = self.exchange(peer, request);
        documented::check(&asked, &answer);
        answer
    }

    fn exchange(&self, peer: &str, mut request: Request<Body>) -> Answer {
        let peer: SocketAddr = peer.parse().expect("an address");
        request.extensions_mut().insert(Peer(peer));
        block_on(async {
            let response = self.router.clone().oneshot(request).await.expect("infallible");
            let (parts, body) = response.into_parts();
            let body = body.collect().await.expect("a whole body").to_bytes().to_vec();
            Answer {
                status: parts.status,
                headers: parts.headers,
                body,
            }
        })
    }

    /// Every outcome in the audit log, newest first.
    pub(crate) fn events(&self) -> Vec<AuditEvent> {
        let permit = self.permit::<AuditView>();
        let limit = PageLimit::new(500).expect("allowed");
        block_on(self.actions.list_audit(&permit, Filter::default(), limit))
            .expect("listed")
            .events
    }

    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser {
            world: self,
            cookies: Vec::new(),
            peer: "192.0.2.7:4711".to_owned(),
        }
    }

    /// A browser in which somebody has logged in.
    pub(crate) fn signed_in(&self, address: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let answer = browser.log_in(address, RIGHT);
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        browser
    }
}

/// A browser: it keeps cookies and says where its requests come from.
pub(crate) struct Browser<'a> {
    pub(crate) world: &'a World,
    pub(crate) cookies: Vec<(String, String)>,
    pub(crate) peer: String,
}

impl Browser<'_> {
    pub(crate) fn log_in(&mut self, email: &str, password: &str) -> Answer {
        let body = serde_json::json!({"email": email, "password": password}).to_string();
        self.send("POST", "/api/auth/login", Some(&body))
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    pub(crate) fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(&body.to_string()))
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, body: Option<&str>) -> Answer {
        self.send_with(method, path, &[("sec-fetch-site", "same-origin")], body)
    }

    pub(crate) fn send_with(&mut self, method: &str, path: &str, headers: Headers<'_>, body: Option<&str>) -> Answer {
        let cookie = self.cookie();
        let mut all = headers.to_vec();
        all.push(("cookie", &cookie));
        let answer = self.world.send_from(&self.peer, method, path, &all, body);
        for set in answer.headers.get_all(header::SET_COOKIE) {
            self.keep(set.to_str().expect("ASCII"));
        }
        answer
    }

    pub(crate) fn cookie(&self) -> String {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    pub(crate) fn session(&self) -> Option<&str> {
        let found = self.cookies.iter().find(|(name, _)| name.ends_with("dango_session"));
        found.map(|(_, value)| value.as_str())
    }

    fn keep(&mut self, set: &str) {
        let (pair, attributes) = set.split_once(';').expect("attributes");
        let (name, value) = pair.split_once('=').expect("a name and a value");
        self.cookies.retain(|(kept, _)| kept != name);
        if !attributes.contains("Max-Age=0") {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}
