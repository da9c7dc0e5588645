//! Accounts at providers linked to one's own: who may, for how long, what must be left, and what an account without a password can do.

#![allow(clippy::panic, reason = "a test that finds another answer ends")]

mod world;

use dango_actions::{
    BeginExternalLogin, ChangePasswordError, ExternalLoginError, FinishExternalLogin, FinishedExternal, LinkError, LogInStep,
    LoginProviders, ReauthenticateError, UnlinkError, UsersManage,
};
use dango_core::OsEntropy;
use dango_identity::{EmailClaim, FirstUse, Full, PlainToken, Role, kind};
use world::provider::{Fake, account, verified};
use world::{OTHER, RIGHT, World, app, block_on, password, visitor};

type Holder = dango_actions::Holder<Full>;

const ADA: &str = "ada@x.example";
const BACK: &str = "https://dango.example.com/api/auth/oauth/google/callback";

fn begin(world: &World, fake: &Fake, holder: &Holder) -> Result<String, LinkError> {
    let url = block_on(world.actions.begin_link(holder, fake, "google", BACK))?;
    Ok(format!("code=x&{}", url.split_once('?').expect("a query").1))
}

fn finish(world: &World, fake: &Fake, holder: Option<Holder>, provider: &str, query: &str) -> FinishedExternal {
    let finish = FinishExternalLogin {
        provider,
        browser: None,
        query,
        device: None,
        earlier: None,
        holder,
    };
    block_on(world.actions.finish_external_login(&visitor(), fake, finish))
}

fn code(finished: FinishedExternal) -> &'static str {
    match finished {
        FinishedExternal::Link(Ok(_)) => "linked",
        FinishedExternal::Link(Err(error)) => error.page_code(),
        FinishedExternal::LogIn(Ok(_)) => "in",
        FinishedExternal::LogIn(Err(error)) => error.page_code(),
    }
}

/// Logs in at the provider; who that opens, or the reason why nobody.
fn log_in(world: &World, fake: &Fake) -> Result<String, ExternalLoginError> {
    let browser = PlainToken::<kind::OauthBrowser>::make(&OsEntropy).expect("random");
    let begin = BeginExternalLogin {
        provider: "google",
        redirect_uri: BACK,
        browser: &browser,
        next: None,
    };
    let url = block_on(world.actions.begin_external_login(&visitor(), fake, begin)).expect("begun");
    let query = format!("code=x&{}", url.split_once('?').expect("a query").1);
    let finish = FinishExternalLogin {
        provider: "google",
        browser: Some(&browser),
        query: &query,
        device: None,
        earlier: None,
        holder: None,
    };
    let FinishedExternal::LogIn(done) = block_on(world.actions.finish_external_login(&visitor(), fake, finish)) else {
        panic!("a login is no link")
    };
    match done?.step {
        LogInStep::Done(login) => Ok(login.issued.token.expose().to_owned()),
        LogInStep::SecondFactor(issued) => Ok(issued.token.expose().to_owned()),
    }
}

fn full(world: &World, token: &str) -> Holder {
    match world.signed_in(token) {
        dango_actions::SignedIn::Full(holder) => holder,
        other => panic!("not a full session: {other:?}"),
    }
}

fn linked(world: &World, fake: &Fake, holder: &Holder) -> Vec<String> {
    let ways = block_on(world.actions.list_logins(holder, fake.providers())).expect("listed");
    let linked = ways.providers.into_iter().filter(|way| way.linked_at.is_some());
    linked.map(|way| way.name).collect()
}

#[test]
fn an_account_is_linked_signs_in_without_its_address_and_is_unlinked() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let fake = Fake::new(FirstUse::LinkedOnly);
    fake.says(account("1", EmailClaim::Absent));
    assert_eq!(log_in(&world, &fake).map_err(|error| error.page_code()), Err("login_refused"));
    let login = world.log_in(ADA);
    let (query, records) = world.recorded(|| begin(&world, &fake, &world.full(&login)).expect("begun"));
    assert_eq!(records, ["oauth_started success"]);
    let (done, records) = world.recorded(|| code(finish(&world, &fake, Some(world.full(&login)), "google", &query)));
    assert_eq!((done, records), ("linked", vec!["login_provider_linked success".to_owned()]));
    assert_eq!(linked(&world, &fake, &world.full(&login)), ["google"]);
    assert!(log_in(&world, &fake).is_ok());
    assert_eq!(
        code(finish(&world, &fake, Some(world.full(&login)), "google", &query)),
        "state_mismatch",
        "once"
    );
    let unlink = |name: &str| block_on(world.actions.unlink(world.full(&login), fake.providers(), name));
    assert!(matches!(unlink("github"), Err(UnlinkError::NotFound)));
    let (_, records) = world.recorded(|| unlink("google").expect("unlinked"));
    assert_eq!(records, ["login_provider_unlinked success"]);
    assert!(log_in(&world, &fake).is_err());
    world.verified();
}

#[test]
fn a_stale_proof_another_session_another_user_or_another_provider_links_nothing() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    world.add("eve@x.example", Role::Viewer);
    let fake = Fake::new(FirstUse::LinkedOnly);
    fake.says(account("1", verified(ADA)));
    let login = world.log_in(ADA);
    let query = || begin(&world, &fake, &world.full(&login)).expect("begun");
    for (holder, provider, expected) in [
        (Some(world.session_of("eve@x.example")), "google", "state_mismatch"),
        (Some(world.session_of(ADA)), "google", "state_mismatch"),
        (Some(world.full(&login)), "github", "state_mismatch"),
        (None, "google", "session_expired"),
    ] {
        let query = query();
        assert_eq!(code(finish(&world, &fake, holder, provider, &query)), expected, "{provider}");
        let again = finish(&world, &fake, Some(world.full(&login)), "google", &query);
        assert_eq!(code(again), "state_mismatch", "it is used up");
    }
    assert_eq!(fake.redeemed(), 0, "no code was sent anywhere");
    world.pass(599);
    let late = query();
    world.pass(599);
    assert_eq!(
        code(finish(&world, &fake, Some(world.full(&login)), "google", &late)),
        "linked",
        "the proof was fresh when it began"
    );
    let (refused, records) = world.recorded(|| begin(&world, &fake, &world.full(&login)));
    assert!(matches!(refused, Err(LinkError::ReauthenticationRequired)));
    assert_eq!(records, ["oauth_started failure reauthentication_required"]);
    let unlink = block_on(world.actions.unlink(world.full(&login), fake.providers(), "google"));
    assert!(matches!(unlink, Err(UnlinkError::ReauthenticationRequired)));
    assert_eq!(linked(&world, &fake, &world.full(&login)), ["google"]);
}

#[test]
fn a_flow_that_logs_in_links_nothing_and_one_that_links_logs_nobody_in() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let fake = Fake::new(FirstUse::ByVerifiedEmail);
    fake.says(account("1", verified(ADA)));
    let login = world.log_in(ADA);
    let query = begin(&world, &fake, &world.full(&login)).expect("begun");
    let browser = PlainToken::<kind::OauthBrowser>::make(&OsEntropy).expect("random");
    let finish_in = |query: &str, holder| {
        let finish = FinishExternalLogin {
            provider: "google",
            browser: Some(&browser),
            query,
            device: None,
            earlier: None,
            holder,
        };
        code(block_on(world.actions.finish_external_login(&visitor(), &fake, finish)))
    };
    assert_eq!(finish_in(&query, None), "session_expired");
    let begin = BeginExternalLogin {
        provider: "google",
        redirect_uri: BACK,
        browser: &browser,
        next: None,
    };
    let url = block_on(world.actions.begin_external_login(&visitor(), &fake, begin)).expect("begun");
    let query = format!("code=x&{}", url.split_once('?').expect("a query").1);
    fake.says(account("2", EmailClaim::Absent));
    assert_eq!(
        finish_in(&query, Some(world.full(&login))),
        "login_refused",
        "it is a login that nobody has"
    );
    assert!(linked(&world, &fake, &world.full(&login)).is_empty());
}

#[test]
fn one_account_there_opens_one_here_and_each_provider_one_of_its_accounts() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    world.add("bob@x.example", Role::Viewer);
    let fake = Fake::new(FirstUse::LinkedOnly);
    let link = |login: &dango_actions::Login, subject: &str| {
        fake.says(account(subject, EmailClaim::Absent));
        let query = begin(&world, &fake, &world.full(login)).expect("begun");
        code(finish(&world, &fake, Some(world.full(login)), "google", &query))
    };
    let (ada, bob) = (world.log_in(ADA), world.log_in("bob@x.example"));
    assert_eq!(link(&ada, "1"), "linked");
    assert_eq!(link(&ada, "1"), "linked", "the same once more");
    assert_eq!(link(&ada, "2"), "provider_linked");
    let (taken, records) = world.recorded(|| link(&bob, "1"));
    assert_eq!(taken, "identity_taken");
    assert_eq!(records, ["oauth_started success", "login_provider_linked failure identity_taken"]);
}

#[test]
fn an_account_that_is_opened_elsewhere_alone_keeps_that_and_gets_no_password_by_itself() {
    let world = World::new();
    let user = world.add_without_password(ADA, Role::Viewer);
    let fake = Fake::new(FirstUse::ByVerifiedEmail);
    fake.says(account("1", verified(ADA)));
    let token = log_in(&world, &fake).expect("linked at the first use");
    let holder = || full(&world, &token);
    let ways = block_on(world.actions.list_logins(&holder(), fake.providers())).expect("listed");
    assert!(!ways.has_password);
    let unlink = block_on(world.actions.unlink(holder(), fake.providers(), "google"));
    assert!(matches!(unlink, Err(UnlinkError::LastLogin)));
    for _ in 0..6 {
        let changed = block_on(world.actions.change_password(holder(), password(RIGHT), password(OTHER)));
        assert!(matches!(changed, Err(ChangePasswordError::NoPassword)), "and that locks nothing");
    }
    let proven = block_on(world.actions.reauthenticate(holder(), password(RIGHT), None));
    assert!(matches!(proven, Err(ReauthenticateError::NoPassword)));
    // A login that is minutes old takes the place of the password for a second factor, and no older one does.
    let begun = block_on(world.actions.begin_enrolment(holder(), password(""))).expect("begun");
    let totp = app(&begun.secret.expose_base32(), dango_core::Clock::now(&*world.clock));
    block_on(world.actions.finish_enrolment(holder(), totp)).expect("enrolled");
    // An administrator may hand a password over: then there are two ways.
    let manage = world.permit::<UsersManage>();
    let reset = block_on(world.actions.reset_password(&manage, user.id)).expect("reset");
    assert!(block_on(world.actions.log_in(&visitor(), ADA, reset.password, None, None)).is_ok());
}

#[test]
fn without_a_password_an_old_session_sets_up_no_second_factor() {
    let world = World::new();
    world.add_without_password(ADA, Role::Viewer);
    let fake = Fake::new(FirstUse::ByVerifiedEmail);
    fake.says(account("1", verified(ADA)));
    let token = log_in(&world, &fake).expect("linked at the first use");
    world.pass(601);
    let begun = block_on(world.actions.begin_enrolment(full(&world, &token), password("")));
    assert_eq!(begun.err().map(|error| error.code()), Some("local_password_refused"));
}
