//! Logging in with an account at a provider: who is let in, who is not, what is asked for all the same, and what is recorded.

#![allow(clippy::panic, reason = "a test that finds another answer ends")]

mod world;

use dango_actions::{
    BeginExternalLogin, ExternalLogIn, ExternalLoginError, FinishExternalLogin, FinishedExternal, LogInStep, ProviderFailure,
    ProviderProblem, SignedIn, UsersManage,
};
use dango_core::OsEntropy;
use dango_identity::{EmailClaim, ExternalIdentity, FirstUse, PlainToken, Role, kind};
use world::provider::{Fake, account, verified};
use world::{RIGHT, World, app, block_on, detail, email, password, visitor};

type Browser = PlainToken<kind::OauthBrowser>;

fn browser() -> Browser {
    PlainToken::make(&OsEntropy).expect("random")
}

/// Begins; answers the query that the provider sends the browser back with.
fn begin(world: &World, fake: &Fake, browser: &Browser) -> String {
    let caller = visitor();
    let begun = world.actions.begin_external_login(
        &caller,
        fake,
        BeginExternalLogin {
            provider: "google",
            redirect_uri: "https://dango.example.com/api/auth/oauth/google/callback",
            browser,
            next: Some("/settings/secrets".to_owned()),
        },
    );
    let url = block_on(begun).expect("begun");
    format!("code=x&{}", url.split_once('?').expect("a query").1)
}

fn finish(world: &World, fake: &Fake, browser: Option<&Browser>, provider: &str, query: &str) -> Result<ExternalLogIn, ExternalLoginError> {
    let finish = FinishExternalLogin {
        provider,
        browser,
        query,
        device: None,
        earlier: None,
        holder: None,
    };
    match block_on(world.actions.finish_external_login(&visitor(), fake, finish)) {
        FinishedExternal::LogIn(outcome) => outcome,
        FinishedExternal::Link(_) => panic!("nobody is logged in"),
    }
}

fn log_in(world: &World, fake: &Fake) -> Result<ExternalLogIn, ExternalLoginError> {
    let browser = browser();
    let query = begin(world, fake, &browser);
    finish(world, fake, Some(&browser), "google", &query)
}

fn code(outcome: Result<ExternalLogIn, ExternalLoginError>) -> &'static str {
    match outcome {
        Ok(ExternalLogIn {
            step: LogInStep::Done(_), ..
        }) => "in",
        Ok(_) => "second factor",
        Err(error) => error.page_code(),
    }
}

#[test]
fn the_first_use_links_by_a_verified_address_and_then_the_address_does_not_matter() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let fake = Fake::new(FirstUse::ByVerifiedEmail);
    fake.says(account("1", verified("Ada@x.example")));
    let (first, records) = world.recorded(|| log_in(&world, &fake).expect("logged in"));
    assert_eq!(records, ["login_provider_linked success", "login_success success"]);
    assert_eq!(first.next.as_deref(), Some("/settings/secrets"));
    let LogInStep::Done(login) = first.step else { panic!("done") };
    assert_eq!(login.user.user.email, email("ada@x.example"));
    assert!(matches!(world.signed_in(login.issued.token.expose()), SignedIn::Full(_)));
    fake.says(account("1", EmailClaim::Absent));
    assert_eq!(code(log_in(&world, &fake)), "in");
    assert_eq!(world.users()[0].oauth_provider.as_deref(), Some("https://google.example"));
    let mut named = account("9", verified("bob@x.example"));
    for (issuer, name) in [("https://accounts.google.com", "google"), ("https://github.com", "github")] {
        let address = format!("{name}@x.example");
        world.add(&address, Role::Viewer);
        named.identity = ExternalIdentity::new(issuer, "9").expect("printable");
        named.email = verified(&address);
        fake.says(named.clone());
        assert_eq!(code(log_in(&world, &fake)), "in");
        let known = world.users().into_iter().find(|view| view.user.email == email(&address));
        assert_eq!(known.expect("listed").oauth_provider.as_deref(), Some(name));
    }
    world.verified();
}

#[test]
fn nobody_is_let_in_by_an_address_that_is_not_theirs_not_verified_or_not_to_be_used() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let off = world.add("off@x.example", Role::Viewer);
    let manage = world.permit::<UsersManage>();
    block_on(world.actions.deactivate_user(&manage, off.id)).expect("off");
    let invite = dango_actions::FirstLogin::Invite;
    block_on(world.actions.add_user(&manage, email("new@x.example"), Role::Viewer, invite)).expect("added");
    let fake = Fake::new(FirstUse::ByVerifiedEmail);
    fake.says(account("1", verified("ada@x.example")));
    assert_eq!(code(log_in(&world, &fake)), "in");
    let linked_only = Fake::new(FirstUse::LinkedOnly);
    for (fake, account, reason) in [
        // A provider that is made to send a victim's address, under another subject.
        (&fake, account("2", verified("ada@x.example")), "different-provider-linked"),
        (&fake, account("3", verified("nobody@x.example")), "no-account"),
        (&fake, account("4", EmailClaim::Unverified), "email-not-verified"),
        (&fake, account("5", EmailClaim::Absent), "no-account"),
        (&fake, account("6", verified("off@x.example")), "inactive"),
        (&fake, account("7", verified("new@x.example")), "invite-not-accepted"),
        (&linked_only, account("8", verified("ada@x.example")), "first-use-not-allowed"),
    ] {
        fake.says(account);
        let (outcome, records) = world.recorded(|| code(log_in(&world, fake)));
        assert_eq!(outcome, "login_refused", "{reason}");
        assert_eq!(records, ["login_failure failure login_refused"], "{reason}");
        let record = world.records().pop().expect("recorded");
        assert_eq!(detail(&record, "reason").as_deref(), Some(reason));
        assert_eq!(detail(&record, "provider").as_deref(), Some("google"));
    }
}

#[test]
fn a_second_factor_is_asked_for_all_the_same() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let login = world.log_in("ada@x.example");
    let begun = block_on(world.actions.begin_enrolment(world.full(&login), password(RIGHT))).expect("begun");
    let totp = app(&begun.secret.expose_base32(), dango_core::Clock::now(&*world.clock));
    block_on(world.actions.finish_enrolment(world.full(&login), totp)).expect("enrolled");
    let fake = Fake::new(FirstUse::ByVerifiedEmail);
    fake.says(account("1", verified("ada@x.example")));
    let (done, records) = world.recorded(|| log_in(&world, &fake).expect("the provider is right"));
    assert_eq!(records, ["login_provider_linked success", "second_factor_requested success"]);
    let LogInStep::SecondFactor(issued) = done.step else {
        panic!("a second factor is asked for")
    };
    assert!(matches!(world.signed_in(issued.token.expose()), SignedIn::Partial(_)));
}

#[test]
fn an_answer_counts_once_in_the_browser_and_for_the_provider_where_it_began_and_ten_minutes_long() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let fake = Fake::new(FirstUse::ByVerifiedEmail);
    fake.says(account("1", verified("ada@x.example")));
    let (mine, other) = (browser(), browser());
    for (shown, provider, seconds, expected) in [
        (Some(&other), "google", 0, "state_mismatch"),
        (None, "google", 0, "state_mismatch"),
        (Some(&mine), "github", 0, "state_mismatch"),
        (Some(&mine), "google", 600, "session_expired"),
    ] {
        let query = begin(&world, &fake, &mine);
        world.pass(seconds);
        let (outcome, records) = world.recorded(|| code(finish(&world, &fake, shown, provider, &query)));
        assert_eq!(outcome, expected, "{provider}");
        assert_eq!(records.len(), 1, "{records:?}");
        assert!(records[0].starts_with("login_failure failure oauth_flow_"), "{records:?}");
        assert_eq!(
            code(finish(&world, &fake, Some(&mine), "google", &query)),
            "state_mismatch",
            "it is used up"
        );
    }
    assert_eq!(fake.redeemed(), 0, "no code was sent anywhere");
    let query = begin(&world, &fake, &mine);
    world.pass(599);
    assert_eq!(code(finish(&world, &fake, Some(&mine), "google", &query)), "in");
    assert_eq!(code(finish(&world, &fake, Some(&mine), "google", &query)), "state_mismatch");
    assert_eq!(
        code(finish(&world, &fake, Some(&mine), "google", "error=access_denied")),
        "state_mismatch"
    );
    assert_eq!(fake.redeemed(), 1);
}

#[test]
fn what_fails_at_the_provider_and_a_closed_house_are_said_and_recorded() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let fake = Fake::new(FirstUse::ByVerifiedEmail);
    *fake.answer.lock().expect("whole") = Err(ProviderFailure::new(ProviderProblem::ProviderDenied, "access_denied"));
    let (outcome, records) = world.recorded(|| code(log_in(&world, &fake)));
    assert_eq!(
        (outcome, records),
        ("provider_denied", vec!["login_failure failure access_denied".to_owned()])
    );
    assert_eq!(code(finish(&world, &fake, None, "gitlab", "code=x&state=y")), "unsupported");
    fake.says(account("1", verified("ada@x.example")));
    let browser = browser();
    let query = begin(&world, &fake, &browser);
    block_on(world.actions.disable(&world.permit())).expect("closed");
    assert_eq!(code(finish(&world, &fake, Some(&browser), "google", &query)), "auth_disabled");
    world.verified();
}
