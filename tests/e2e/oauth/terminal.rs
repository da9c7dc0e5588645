//! Connecting on a real terminal: questions, answers pasted over SSH, secrets that are not shown, and a terminal that is always given back.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use dango_tests::Scratch;
use dango_tests::provider::{Fake, Google};
use rexpect::session::PtySession;

use super::{decoded, project_with_app};
use crate::answers::{Answer, revealed};
use crate::terminal::{end, paste, send, shown_until, start};

/// The question for the answer, which is the last thing before it waits.
const PASTE_HERE: &str = "(not shown):";

/// The parameter of an address.
#[track_caller]
fn parameter(address: &str, name: &str) -> String {
    let (_, query) = address.split_once('?').unwrap_or_else(|| panic!("no query in {address}"));
    let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    decoded(found.unwrap_or_else(|| panic!("no {name} in {address}")))
}

/// The address that stands alone on its line.
#[track_caller]
fn address_in(shown: &str) -> String {
    let found = shown
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("http") && line.contains("state="));
    found.unwrap_or_else(|| panic!("no address in {shown}")).to_owned()
}

/// Where a browser ends that has been sent back with a code.
fn answer_to(address: &str) -> String {
    let state = parameter(address, "state");
    format!("{}?state={state}&code=the-code&scope=email", parameter(address, "redirect_uri"))
}

/// What a browser is shown at an address of this machine.
#[track_caller]
fn browse(url: &str) -> String {
    let rest = url.strip_prefix("http://").expect("plain HTTP");
    let (authority, target) = rest.split_once('/').expect("has a path");
    let mut stream = TcpStream::connect(authority).expect("it listens");
    write!(stream, "GET /{target} HTTP/1.1\r\nHost: {authority}\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    answer
}

/// Everything that is stored, but for the audit log.
fn stored(project: &Scratch) -> [String; 2] {
    [project.read(".dlt/secrets.toml"), project.read(".env")]
}

#[test]
fn what_the_source_needs_is_asked_for_and_the_answer_pasted_over_ssh() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let mut session = start(&project, "oauth google_ads --name ads --no-browser");
    let mut all = shown_until(&mut session, "hidden):");
    send(&mut session, "canary-developer-token\r");
    all += &shown_until(&mut session, "ustomer");
    send(&mut session, "123-456-7890\r");
    all += &shown_until(&mut session, PASTE_HERE);
    let address = address_in(&all);
    // What was in the clipboard before is not the answer, and is asked for again.
    send(&mut session, &paste("https://accounts.google.com/canary-clipboard"));
    send(&mut session, "\r");
    all += &shown_until(&mut session, "warning:");
    all += &shown_until(&mut session, PASTE_HERE);
    // A line end comes along when a whole line was copied.
    send(&mut session, &paste(&format!("{}\r", answer_to(&address))));
    send(&mut session, "\r");
    let (status, rest) = end(&mut session);
    all += &rest;
    assert_eq!(status, 0, "{all}");
    assert!(
        !all.contains("canary") && !all.contains("the-code"),
        "a secret is on the screen: {all}"
    );
    assert_eq!(revealed(&project, "sources.ads.dev_token"), "canary-developer-token");
    assert_eq!(revealed(&project, "sources.ads.customer_id"), "1234567890");
    assert_eq!(revealed(&project, "sources.ads.credentials.refresh_token"), "1//canary-refresh");
}

#[test]
fn the_browser_may_answer_while_the_terminal_waits_for_a_paste() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let mut session = start(&project, "oauth google_sheets --no-browser");
    let shown = shown_until(&mut session, PASTE_HERE);
    send(&mut session, "half an addr");
    let page = browse(&answer_to(&address_in(&shown)));
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    let (status, rest) = end(&mut session);
    assert_eq!(status, 0, "{rest}");
    assert!(rest.contains("connected to Google as Ada Lovelace"), "{rest}");
}

#[test]
fn ctrl_c_ends_every_step_and_leaves_everything_as_it_was() {
    let fake = Fake::start(Google::new());
    let mut project = project_with_app("google", &fake);
    project.give("BROWSER", "true");
    let before = stored(&project);
    type Steps = fn(&mut PtySession);
    let steps: [(&str, Steps); 4] = [
        ("google_ads --no-browser", |session| drop(shown_until(session, "hidden):"))),
        ("google_ads --no-browser", |session| {
            shown_until(session, "hidden):");
            send(session, "canary\r");
            shown_until(session, "ustomer");
        }),
        ("google_sheets --no-browser", |session| drop(shown_until(session, PASTE_HERE))),
        // The browser is away with the address; the program only waits.
        ("google_sheets", |session| drop(shown_until(session, "prompt=consent"))),
    ];
    for (command, steps) in steps {
        let mut session = start(&project, &format!("oauth {command}"));
        steps(&mut session);
        send(&mut session, "\u{3}");
        let (status, shown) = end(&mut session);
        assert_eq!(status, 130, "{command}: {shown}");
        assert!(shown.contains("nothing was changed"), "{command}: {shown}");
        assert_eq!(stored(&project), before, "{command}");
    }
    assert!(fake.all().is_empty());
    assert_eq!(project.run(&["audit", "verify", "--json"]).success().json()["ok"], true);
}

#[test]
fn an_answer_that_never_comes_gives_the_terminal_back() {
    let fake = Fake::start(Google::new());
    let mut project = project_with_app("google", &fake);
    project.give("DANGO_OAUTH_TIMEOUT", "2");
    let begin = Instant::now();
    let mut session = start(&project, "oauth google_sheets --no-browser");
    let (status, shown) = end(&mut session);
    assert_eq!(status, 1, "{shown}");
    assert!(shown.contains("no answer came in time"), "{shown}");
    assert!(begin.elapsed() >= Duration::from_secs(2));
}

#[test]
fn the_browser_gets_an_address_without_a_secret_and_no_word_of_it_reaches_the_terminal() {
    let fake = Fake::start(Google::new());
    let mut project = project_with_app("google", &fake);
    let browser = project.everything().join("browser");
    fs::write(
        &browser,
        "#!/bin/sh\nprintf '%s\\n' \"$@\" >\"$OPENED\".new && mv \"$OPENED\".new \"$OPENED\"\necho NOISE; echo NOISE >&2\n",
    )
    .unwrap();
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o700)).unwrap();
    let opened = project.everything().join("opened");
    project.give("BROWSER", &browser);
    project.give("OPENED", &opened);
    let mut session = start(&project, "oauth google_sheets");
    let mut all = shown_until(&mut session, "prompt=consent");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !opened.exists() {
        assert!(Instant::now() < deadline, "no browser was started");
        std::thread::sleep(Duration::from_millis(20));
    }
    let arguments = fs::read_to_string(&opened).unwrap();
    let address = arguments.trim_end();
    assert_eq!(address, address_in(&all), "the address alone");
    assert!(!address.contains("canary") && address.contains("access_type=offline"), "{address}");
    let page = browse(&answer_to(address));
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    let (status, rest) = end(&mut session);
    all += &rest;
    assert_eq!(status, 0, "{all}");
    assert!(!all.contains("NOISE") && !all.contains("canary"), "{all}");
}

#[test]
fn another_account_replaces_the_one_before_only_after_a_yes() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let _ = super::connect(&project, &["google_sheets"]);
    let text = project.read(".dlt/secrets.toml").replace("ada@example.com", "bob@example.com");
    project.write(".dlt/secrets.toml", &text);
    for (answer, status) in [("n\r", 1), ("\u{3}", 130), ("y\r", 0)] {
        let mut session = start(&project, "oauth google_sheets --no-browser");
        let shown = shown_until(&mut session, PASTE_HERE);
        send(&mut session, &format!("{}\r", answer_to(&address_in(&shown))));
        shown_until(&mut session, "bob@example.com");
        shown_until(&mut session, "ada@example.com");
        send(&mut session, answer);
        let (ended, shown) = end(&mut session);
        assert_eq!(ended, status, "{answer:?}: {shown}");
        assert_eq!(project.read(".dlt/secrets.toml") == text, status != 0, "{answer:?}");
    }
    assert!(project.read(".dlt/secrets.toml").contains("ada@example.com"));
}

#[test]
fn setup_asks_for_the_id_openly_and_for_the_secret_hidden() {
    let project = Scratch::initialised();
    let before = stored(&project);
    let mut session = start(&project, "oauth setup google");
    shown_until(&mut session, "client id");
    send(&mut session, "1234.apps.googleusercontent.com\r");
    shown_until(&mut session, "GOOGLE_CLIENT_SECRET");
    send(&mut session, "half\u{3}");
    assert_eq!(end(&mut session).0, 130);
    assert_eq!(stored(&project), before);

    let mut session = start(&project, "oauth setup google");
    let mut all = shown_until(&mut session, "client id");
    send(&mut session, " 1234.apps.googleusercontent.com \r");
    all += &shown_until(&mut session, "GOOGLE_CLIENT_SECRET");
    // As it comes from a page: with white space around it.
    send(&mut session, &paste(" GOCSPX-canary\r"));
    send(&mut session, "\r");
    let (status, rest) = end(&mut session);
    all += &rest;
    assert_eq!(status, 0, "{all}");
    assert!(!all.contains("canary"), "the secret is on the screen: {all}");
    let env = project.read(".env");
    assert!(
        env.contains("GOCSPX-canary") && !env.contains(" GOCSPX") && !env.contains("com "),
        "{env}"
    );
    // The id that is there is what Enter takes.
    let mut session = start(&project, "oauth setup google");
    shown_until(&mut session, "(1234.apps.googleusercontent.com)");
    send(&mut session, "\r");
    shown_until(&mut session, "GOOGLE_CLIENT_SECRET");
    send(&mut session, "another\r");
    assert_eq!(end(&mut session).0, 0);
    let env = project.read(".env");
    assert!(env.contains("1234.apps") && env.contains("another"), "{env}");
}
