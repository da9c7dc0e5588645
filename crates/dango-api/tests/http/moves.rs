//! What tests do again and again: inviting, enrolling, making keys, many things at once, comparing members. No test lives here.

use dango_actions::{Credential, FirstLogin, UsersManage};
use dango_core::Clock;
use dango_identity::Role;
use pollster::block_on;
use serde_json::{Value, json};

use crate::world::{Answer, Browser, RIGHT, World};

/// An authenticator app and the codes on paper.
pub(crate) struct Factor {
    pub(crate) secret: String,
    pub(crate) recovery: Vec<String>,
}

impl World {
    /// Invites somebody; answers their id and the token of the link.
    pub(crate) fn invite(&self, address: &str, role: Role) -> (String, String) {
        let (id, credential) = self.added(address, role, FirstLogin::Invite);
        let Credential::Invite(link) = &credential else {
            panic!("no invitation")
        };
        (id, link.url().expose().rsplit('/').next().expect("a token").to_owned())
    }

    /// Adds somebody with a temporary password; answers their id and the password.
    pub(crate) fn with_temporary_password(&self, address: &str, role: Role) -> (String, String) {
        let (id, credential) = self.added(address, role, FirstLogin::TemporaryPassword);
        let Credential::TemporaryPassword(password) = &credential else {
            panic!("no password")
        };
        (id, password.expose().to_owned())
    }

    fn added(&self, address: &str, role: Role, first: FirstLogin) -> (String, Credential) {
        let permit = self.permit::<UsersManage>();
        let email = address.parse().expect("an address");
        let added = block_on(self.actions.add_user(&permit, email, role, first)).expect("added");
        (added.user.user.id.to_string(), added.credential)
    }

    /// What the app shows so many steps from now.
    pub(crate) fn code(&self, secret: &str, steps: i64) -> String {
        let secret = totp_rs::Secret::try_from_base32(secret).expect("base32");
        let totp = totp_rs::Builder::new().with_secret(secret).build().expect("parameters");
        let seconds = self.clock.now().unix_micros() / 1_000_000 + steps * 30;
        totp.generate(u64::try_from(seconds).expect("after 1970")).to_string()
    }

    /// A code that the app does not show at any moment that counts.
    pub(crate) fn wrong_code(&self, secret: &str) -> String {
        let shown: Vec<String> = (-3..=3).map(|step| self.code(secret, step)).collect();
        let wrong = (0..).map(|number| format!("{number:06}")).find(|code| !shown.contains(code));
        wrong.expect("a million codes")
    }

    /// A request with an API key.
    pub(crate) fn with_key(&self, key: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let bearer = format!("Bearer {key}");
        let body = body.map(|body| body.to_string());
        self.send(method, path, &[("authorization", &bearer)], body.as_deref())
    }

    /// A request with nothing but a cookie that somebody holds.
    pub(crate) fn with_cookie(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let cookie = format!("dango_session={token}");
        let body = body.map(|body| body.to_string());
        let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
        self.send(method, path, &headers, body.as_deref())
    }

    /// A browser in which somebody has logged in with a password of their own.
    pub(crate) fn signed_in_with(&self, address: &str, password: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let answer = browser.log_in(address, password);
        assert_eq!(answer.status, 200, "{}", answer.text());
        browser
    }

    /// What was recorded by some work, as `event outcome [code]`, oldest first.
    pub(crate) fn recorded<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<String>) {
        let before = self.events().first().map_or(0, |event| event.seq);
        let done = work();
        let mut events = self.events();
        events.reverse();
        let new = events.iter().filter(|event| event.seq > before);
        (done, new.map(summary).collect())
    }
}

fn summary(event: &dango_audit::AuditEvent) -> String {
    let details: Value = serde_json::from_str(&event.details).expect("JSON");
    let outcome = event.outcome.map_or("intent", dango_audit::Outcome::as_str);
    match details["code"].as_str() {
        Some(code) => format!("{} {outcome} {code}", event.event),
        None => format!("{} {outcome}", event.event),
    }
}

impl Browser<'_> {
    /// The session's token.
    pub(crate) fn token(&self) -> String {
        self.session().expect("a session").to_owned()
    }

    /// Sets up an app; its code of this moment is used then.
    pub(crate) fn enrol(&mut self) -> Factor {
        let begun = self.post("/api/auth/2fa/setup", json!({"password": RIGHT}));
        assert_eq!(begun.status, 200, "{}", begun.text());
        let secret = begun.json()["secret"].as_str().expect("a secret").to_owned();
        let code = self.world.code(&secret, 0);
        let done = self.post("/api/auth/2fa/verify-setup", json!({"code": code}));
        assert_eq!(done.status, 200, "{}", done.text());
        let codes = done.json()["recovery_codes"].clone();
        Factor {
            secret,
            recovery: serde_json::from_value(codes).expect("texts"),
        }
    }

    /// Makes an API key; answers its id and the key.
    pub(crate) fn make_key(&mut self, scopes: &[&str]) -> (String, String) {
        let made = self.post("/api/auth/api-keys", json!({"name": "ci", "scopes": scopes, "expires_in_days": 30}));
        assert_eq!(made.status, 201, "{}", made.text());
        let made = made.json();
        let text = |member: &str| made[member].as_str().expect("a text").to_owned();
        (text("id"), text("key"))
    }

    pub(crate) fn delete(&mut self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The lines of `Set-Cookie`.
    pub(crate) fn cookies(&self) -> Vec<String> {
        let lines = self.headers.get_all("set-cookie").iter();
        lines.map(|line| line.to_str().expect("ASCII").to_owned()).collect()
    }
}

/// Status and code that a problem has.
pub(crate) fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Runs the same thing in so many threads at once and collects the answers.
pub(crate) fn race<T: Send>(times: usize, run: impl Fn(usize) -> T + Sync) -> Vec<T> {
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

/// Checks that an object has these members and no others. A type is a letter: `s`tring, `b`oolean, `n`umber, `a`rray, `o`bject;
/// with `?` it may be null.
pub(crate) fn assert_members(object: &Value, expected: &[(&str, &str)]) {
    let members = object.as_object().unwrap_or_else(|| panic!("no object: {object}"));
    let mut names: Vec<&str> = members.keys().map(String::as_str).collect();
    let mut wanted: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(names, wanted);
    for (name, kind) in expected {
        let value = &members[*name];
        let fits = match kind.as_bytes()[0] {
            b's' => value.is_string(),
            b'b' => value.is_boolean(),
            b'n' => value.is_u64(),
            b'a' => value.is_array(),
            _ => value.is_object(),
        };
        assert!(fits || (kind.ends_with('?') && value.is_null()), "{name}: {value}");
    }
}

/// The members of the object *user*.
pub(crate) const USER: &[(&str, &str)] = &[
    ("id", "s"),
    ("email", "s"),
    ("role", "s"),
    ("status", "s"),
    ("is_active", "b"),
    ("totp_enabled", "b"),
    ("oauth_provider", "s?"),
    ("locked_until", "s?"),
    ("must_change_password", "b"),
    ("last_login", "s?"),
    ("invite_expires_at", "s?"),
    ("has_pending_invite", "b"),
    ("created_at", "s"),
    ("updated_at", "s"),
];

/// A time as answers have it: RFC 3339 in UTC with `Z`.
pub(crate) fn assert_time(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("no time: {value}"));
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    assert!(text.ends_with('Z') && text.as_bytes()[10] == b'T' && digits >= 14, "{text}");
}
