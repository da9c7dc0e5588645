//! Secrets of a connection: in no address, in nothing that is said, in no process list, and in no file but the one that is to hold them;
//! not even where the provider repeats all that it was sent.

use std::fs;
use std::path::PathBuf;

use dango_tests::provider::{Fake, Reply, Seen};
use dango_tests::{Canary, Scratch};
use serde_json::json;

use super::Waiting;

/// A provider that gives the secrets out, and repeats whatever it was sent once it refuses.
struct Echo {
    access: String,
    refresh: String,
}

impl Echo {
    fn answer(&self, seen: &Seen) -> Reply {
        let all = format!("{} {} {:?} {}", seen.method, seen.target, seen.headers, seen.body);
        let error = json!({ "error": all, "error_description": all, "message": all });
        match (seen.path(), seen.field("grant_type").as_deref()) {
            ("/token", Some("authorization_code")) => {
                let tokens =
                    json!({ "access_token": self.access, "refresh_token": self.refresh, "token_type": "bearer", "expires_in": 1800 });
                Reply::json(200, tokens.to_string())
            }
            ("/token", _) => Reply::json(400, error.to_string()),
            ("/userinfo", _) => Reply::json(200, json!({ "portalId": 1, "uiDomain": "app.hubspot.com" }).to_string()),
            _ => Reply::json(500, all),
        }
    }
}

fn strays(project: &Scratch, canary: &Canary) -> Vec<PathBuf> {
    let kept = [project.path().join(".dlt/secrets.toml"), project.path().join(".env")];
    let mut files = canary.files_below(project.everything());
    files.retain(|file| !kept.contains(file));
    files
}

#[test]
fn no_secret_of_a_connection_is_where_somebody_may_see_it() {
    let [client, code, access, refresh] = ["client", "code", "access", "refresh"].map(Canary::new);
    let secrets = [&client, &code, &access, &refresh];
    let echo = Echo {
        access: access.value().to_owned(),
        refresh: refresh.value().to_owned(),
    };
    let fake = Fake::start(move |seen: &Seen| echo.answer(seen));
    let mut project = Scratch::initialised();
    fake.stands_in_for("hubspot", &mut project);
    project.give("DANGO_OAUTH_CALLBACK_URL", "http://127.0.0.1:0/callback");
    project.give("RUST_LOG", "trace");
    let setup = project.dango(&["oauth", "setup", "hubspot", "--client-id", "app"]);
    let mut answers = vec![setup.stdin(client.value()).run().success()];

    let mut waiting = Waiting::start(&project, &["hubspot"]);
    let processes: Vec<Vec<u8>> = fs::read_dir("/proc")
        .expect("this test needs /proc")
        .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
        .collect();
    assert!(
        processes.iter().any(|line| line.windows(7).any(|word| word == b"hubspot")),
        "this test needs the command lines"
    );
    let encoded: String = code.value().replace('%', "%25");
    waiting.paste(&format!("http://127.0.0.1:1{}", waiting.callback(&format!("code={encoded}"))));
    answers.push(waiting.end().success());

    for words in [
        &["oauth", "list"][..],
        &["oauth", "status"],
        &["oauth", "check"],
        &["oauth", "check", "--json"],
        &["oauth", "refresh", "hubspot"],
        &["audit", "list", "--json"],
        &["oauth", "remove", "hubspot", "--yes"],
        &["audit", "list", "--json"],
        &["audit", "export", "--format", "jsonl"],
    ] {
        answers.push(project.run(words));
    }
    let refused = answers.iter().filter(|answer| answer.stderr.contains("was not renewed")).count();
    assert!(
        refused == 1 && fake.asked("/token").len() >= 2,
        "the provider is to be asked, and to refuse"
    );
    for canary in secrets {
        answers.iter().for_each(|answer| canary.assert_absent_from(answer));
        assert!(processes.iter().all(|line| !canary.is_in(line)), "a process list shows it");
        assert!(fake.all().iter().all(|seen| !canary.is_in(&seen.target)), "an address holds it");
        assert_eq!(strays(&project, canary), Vec::<PathBuf>::new());
    }
    // The app stays registered; of the connection nothing is left.
    let left = project.read(".dlt/secrets.toml");
    assert!(
        !access.is_in(&left) && !refresh.is_in(&left) && client.is_in(project.read(".env")),
        "{left}"
    );
}
