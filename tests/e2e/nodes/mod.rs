//! Three servers on one PostgreSQL that behave as one: what may happen once, what is in force at the next request, whatever is killed,
//! another version beside them, a pooler before it, a dump in other hands. How such a database is set up is tested in `server::postgres`.

mod background;
mod disks;
mod dump;
mod house;
mod kills;
mod next_request;
mod once;
mod pooled;
mod upgrade;

use dango_tests::{Answer, Client};
use serde_json::json;

pub(crate) const EMAIL: &str = "ada@team.example";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Codes of an authenticator app, each newer than the one before it.
struct App {
    totp: totp_rs::Totp,
    last: u64,
}

impl App {
    /// The code of a step that no code was used of: this one, or the next, which is accepted as well.
    fn code(&mut self) -> String {
        let now = || std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs() / 30;
        let step = now().max(self.last + 1);
        while step > now() + 1 {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        self.last = step;
        self.totp.generate(step * 30).to_string()
    }
}

/// Sets up a second factor for whoever is signed in, and answers the app and the recovery codes.
#[track_caller]
fn enrol(client: &mut Client) -> (App, Vec<String>) {
    let begun = client.post("/api/auth/2fa/setup", &json!({"password": PASSWORD}));
    assert_eq!(begun.status, 200, "{}", begun.text);
    let secret = begun.json()["secret"].as_str().expect("a secret").to_owned();
    let secret = totp_rs::Secret::try_from_base32(&secret).expect("base32");
    let totp = totp_rs::Builder::new().with_secret(secret).build().expect("parameters");
    let mut app = App { totp, last: 0 };
    let done = client.post("/api/auth/2fa/verify-setup", &json!({"code": app.code()}));
    assert_eq!(done.status, 200, "{}", done.text);
    (app, recovery_codes(&done))
}

fn recovery_codes(answer: &Answer) -> Vec<String> {
    let answer = answer.json();
    let codes = answer["recovery_codes"].as_array().expect("a list").iter();
    codes.map(|code| code.as_str().expect("text").to_owned()).collect()
}

/// The last part of a link that was given out.
#[track_caller]
fn token_in(answer: &Answer) -> String {
    let answer = answer.json();
    let link = answer["invite_url"].as_str().unwrap_or_else(|| panic!("{answer}"));
    link.rsplit('/').next().expect("the last part").to_owned()
}
