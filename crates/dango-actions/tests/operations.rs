//! The reviewed page of all actions: who may, and which records each leaves. It is made by doing every one of them.

#![allow(clippy::panic, reason = "a test that finds another answer ends")]

mod world;

use std::fmt::Write as _;

use dango_actions::{
    Actions, AuditView, AuthManage, BeginExternalLogin, Caller, ChangeDraft, ConnectionDesk, Credential, Ending, FinishExternalLogin,
    FinishedExternal, FirstLogin, Grant, LogInStep, LoginProviders, Machine, Need, SignedIn, UsersManage, UsersView, WantedAccount,
};
use dango_audit::Event;
use dango_audit::export::ExportFormat;
use dango_audit::query::{Filter, PageLimit};
use dango_core::{Clock, OsEntropy};
use dango_identity::{
    Administration, AllowList, ApiKeyName, FirstUse, KeyScopes, NewApiKey, PlainApiKey, PlainToken, Role, SecondFactorCode, kind,
};
use world::provider::{Fake, Sheets, account, verified};
use world::{OTHER, RIGHT, WRONG, World, app, block_on, cli, email, invite_token, password, visitor};

const PAGE: &str = include_str!("../actions.md");

/// What an action needs, for the page.
fn need<G: Grant>() -> String {
    match G::NEED {
        Need::Permission(permission) => permission.to_string(),
        Need::Fresh(permission) => format!("{permission}, fresh"),
        Need::Machine => "the machine".to_owned(),
    }
}

/// Everybody who could ask, by name.
fn callers() -> (World, Vec<(&'static str, Caller)>) {
    let world = World::new();
    let mut callers = vec![("terminal", cli()), ("system", Caller::system())];
    for (name, address, role) in [
        ("admin", "ada@x.example", Role::Admin),
        ("editor", "ed@x.example", Role::Editor),
        ("viewer", "vi@x.example", Role::Viewer),
    ] {
        world.add(address, role);
        callers.push((name, world.session_of(address).caller().clone()));
    }
    let scopes = |administration| KeyScopes {
        administration,
        ..KeyScopes::default()
    };
    for (name, administration) in [
        ("admin's key", Administration::Withheld),
        ("admin's key, scope admin", Administration::Granted),
    ] {
        let made = block_on(
            world
                .actions
                .make_api_key(world.session_of("ada@x.example"), new_key(scopes(administration))),
        );
        let key = PlainApiKey::parse(made.expect("made").key.expose()).expect("a key");
        callers.push((
            name,
            block_on(world.actions.authenticate_key(key, visitor())).expect("works").caller,
        ));
    }
    callers.push(("anybody", visitor()));
    let old = world.session_of("ada@x.example").caller().clone();
    world.pass(11 * 60);
    let fresh = |address| world.session_of(address).caller().clone();
    for (name, address) in [(2, "ada@x.example"), (3, "ed@x.example"), (4, "vi@x.example")] {
        callers[name].1 = fresh(address);
    }
    callers.insert(3, ("admin, 11 minutes later", old));
    (world, callers)
}

fn new_key(scopes: KeyScopes) -> NewApiKey {
    NewApiKey {
        name: ApiKeyName::parse("deploy").expect("a name"),
        expires_at: None,
        scopes,
        allow_list: AllowList::default(),
    }
}

fn may(allowed: bool) -> &'static str {
    if allowed { "yes" } else { "–" }
}

fn row_of_grant<G: Grant>(actions: &Actions, callers: &[(&'static str, Caller)]) -> String {
    let cells: Vec<&str> = callers
        .iter()
        .map(|(_, caller)| may(block_on(actions.permit::<G>(caller)).is_ok()))
        .collect();
    format!("| {} | {} |\n", need::<G>(), cells.join(" | "))
}

fn row_of_change(actions: &Actions, callers: &[(&'static str, Caller)], event: Event) -> String {
    let cells: Vec<&str> = callers
        .iter()
        .map(
            |(_, caller)| match block_on(actions.begin_changes(caller, vec![ChangeDraft::new(event)])) {
                Ok(pending) => {
                    block_on(actions.finish_changes(pending, Ending::done())).expect("finished");
                    may(true)
                }
                Err(_) => may(false),
            },
        )
        .collect();
    format!("| a change `{event}` | {} |\n", cells.join(" | "))
}

/// Does something and notes what it left.
struct Page {
    world: World,
    rows: String,
}

impl Page {
    fn note<T, E>(&mut self, action: &str, need: &str, done: impl Fn(&World) -> Result<T, E>, refused: impl Fn(&World) -> bool) -> T {
        let (answer, left) = self.world.recorded(|| done(&self.world));
        let Ok(answer) = answer else {
            panic!("{action} was refused: {left:?}");
        };
        let (was_refused, refusal) = self.world.recorded(|| refused(&self.world));
        let refusal = if was_refused { refusal.join(", ") } else { String::new() };
        writeln!(self.rows, "| {action} | {need} | {} | {refusal} |", left.join(", ")).expect("memory");
        answer
    }
}

fn nobody() -> dango_identity::Email {
    email("nobody@x.example")
}

fn never(_: &World) -> bool {
    false
}

fn actions_and_records() -> String {
    let mut page = Page {
        world: World::new(),
        rows: String::new(),
    };
    accounts(&mut page);
    own_account(&mut page);
    elsewhere(&mut page);
    the_log(&mut page);
    page.world.verified();
    page.rows
}

fn accounts(page: &mut Page) {
    let (auth, manage, view, machine) = (need::<AuthManage>(), need::<UsersManage>(), need::<UsersView>(), need::<Machine>());
    let claim = page.note(
        "offer_claim",
        &machine,
        |w| block_on(w.actions.offer_claim(&w.permit::<Machine>())),
        never,
    );
    let token = claim.url().expose().rsplit('/').next().expect("a token").to_owned();
    let claimed = |w: &World| {
        let token = PlainToken::<kind::BootstrapClaim>::parse(&token).expect("a token");
        block_on(
            w.actions
                .claim_administrator(&visitor(), &token, email("ada@x.example"), password(RIGHT)),
        )
    };
    page.note("claim_administrator", "the claim", claimed, |w| claimed(w).is_err());
    page.note("enable", &auth, |w| block_on(w.actions.enable(&w.permit::<AuthManage>())), never);
    page.note(
        "disable",
        &auth,
        |w| block_on(w.actions.disable(&w.permit::<AuthManage>())),
        |w| block_on(w.actions.log_in(&visitor(), "ada@x.example", password(RIGHT), None, None)).is_err(),
    );
    block_on(page.world.actions.enable(&page.world.permit::<AuthManage>())).expect("open again");
    page.note("status", &view, |w| block_on(w.actions.status(&w.permit::<UsersView>())), never);
    page.note(
        "list_users",
        &view,
        |w| block_on(w.actions.list_users(&w.permit::<UsersView>())),
        never,
    );
    page.note(
        "find_user",
        &view,
        |w| block_on(w.actions.find_user(&w.permit::<UsersView>(), nobody())),
        never,
    );
    let add = |w: &World| {
        let first = FirstLogin::Invite;
        block_on(
            w.actions
                .add_user(&w.permit::<UsersManage>(), email("eve@x.example"), Role::Editor, first),
        )
    };
    page.note("add_user", &manage, add, |w| add(w).is_err());
    let link = page.note(
        "resend_invite",
        &manage,
        |w| block_on(w.actions.resend_invite(&w.permit::<UsersManage>(), email("eve@x.example"))),
        |w| block_on(w.actions.resend_invite(&w.permit::<UsersManage>(), email("ada@x.example"))).is_err(),
    );
    let invited = Credential::Invite(link);
    page.note(
        "find_invited",
        "the link",
        |w| block_on(w.actions.find_invited(&invite_token(&invited))),
        never,
    );
    let accept = |w: &World| block_on(w.actions.accept_invite(&visitor(), &invite_token(&invited), password(RIGHT)));
    page.note("accept_invite", "the link", accept, |w| accept(w).is_err());
    let invite = FirstLogin::Invite;
    let manager = page.world.permit::<UsersManage>();
    block_on(page.world.actions.add_user(&manager, email("new@x.example"), Role::Viewer, invite)).expect("added");
    page.note(
        "revoke_invite",
        &manage,
        |w| block_on(w.actions.revoke_invite(&w.permit::<UsersManage>(), email("new@x.example"))),
        |w| block_on(w.actions.revoke_invite(&w.permit::<UsersManage>(), email("ada@x.example"))).is_err(),
    );
    macro_rules! change {
        ($name:ident $(, $more:expr)?) => {
            page.note(
                stringify!($name),
                &manage,
                |w| block_on(w.actions.$name(&w.permit::<UsersManage>(), email("eve@x.example") $(, $more)?)),
                |w| block_on(w.actions.$name(&w.permit::<UsersManage>(), nobody() $(, $more)?)).is_err(),
            );
        };
    }
    change!(change_role, Role::Viewer);
    change!(deactivate_user);
    change!(reactivate_user);
    change!(unlock);
    change!(revoke_sessions);
    change!(reset_password);
    change!(reset_second_factor);
    change!(delete_user, None);
    change!(erase_person);
    let recover = |w: &World| block_on(w.actions.recover(&w.permit::<Machine>(), None));
    page.note("recover", &machine, recover, |w| recover(w).is_err());
}

fn own_account(page: &mut Page) {
    let ada = "ada@x.example";
    let log_in = |w: &World, text: &str| block_on(w.actions.log_in(&visitor(), ada, password(text), None, None));
    page.note("log_in", "a password", |w| log_in(w, RIGHT), |w| log_in(w, WRONG).is_err());
    let login = page.world.log_in(ada);
    let token = || PlainToken::parse(login.issued.token.expose()).expect("a token");
    page.note(
        "authenticate",
        "a session's token",
        |w| block_on(w.actions.authenticate(token(), visitor())),
        never,
    );
    page.note(
        "list_sessions",
        "a full session",
        |w| block_on(w.actions.list_sessions(&w.full(&login))),
        never,
    );
    let revoked = page.world.log_in(ada);
    page.note(
        "revoke_session",
        "a full session",
        |w| block_on(w.actions.revoke_session(w.full(&login), world::id_of(&revoked))),
        |w| block_on(w.actions.revoke_session(w.full(&login), world::id_of(&revoked))).is_err(),
    );
    page.note(
        "revoke_other_sessions",
        "a full session",
        |w| block_on(w.actions.revoke_other_sessions(w.full(&login))),
        never,
    );
    let made = page.note(
        "make_api_key",
        "a full session, fresh",
        |w| block_on(w.actions.make_api_key(w.full(&login), new_key(KeyScopes::default()))),
        |w| {
            let past = NewApiKey {
                expires_at: Some(w.clock.now()),
                ..new_key(KeyScopes::default())
            };
            block_on(w.actions.make_api_key(w.full(&login), past)).is_err()
        },
    );
    let rotate = |w: &World| {
        block_on(
            w.actions
                .rotate_api_key(w.full(&login), made.record.id, std::time::Duration::ZERO, None),
        )
    };
    page.note("rotate_api_key", "a full session, fresh", rotate, |w| rotate(w).is_err());
    let key = || PlainApiKey::parse(made.key.expose()).expect("a key");
    let other = block_on(
        page.world
            .actions
            .make_api_key(page.world.full(&login), new_key(KeyScopes::default())),
    )
    .expect("made");
    page.note(
        "authenticate_key",
        "a key",
        |w| {
            block_on(
                w.actions
                    .authenticate_key(PlainApiKey::parse(other.key.expose()).expect("a key"), visitor()),
            )
        },
        |w| block_on(w.actions.authenticate_key(key(), visitor())).is_err(),
    );
    page.note(
        "list_api_keys",
        "a full session",
        |w| block_on(w.actions.list_api_keys(&w.full(&login))),
        never,
    );
    let another = block_on(
        page.world
            .actions
            .make_api_key(page.world.full(&login), new_key(KeyScopes::default())),
    )
    .expect("made");
    let revoke = |w: &World| block_on(w.actions.revoke_api_key(w.full(&login), another.record.id));
    page.note("revoke_api_key", "a full session", revoke, |w| revoke(w).is_err());
    second_factor(page, ada);
}

fn second_factor(page: &mut Page, ada: &str) {
    let login = page.world.log_in(ada);
    let begun = page.note(
        "begin_enrolment",
        "a session and the password",
        |w| block_on(w.actions.begin_enrolment(w.full(&login), password(RIGHT))),
        |w| block_on(w.actions.begin_enrolment(w.full(&login), password(WRONG))).is_err(),
    );
    let secret = begun.secret.expose_base32();
    let code = |w: &World| app(&secret, w.clock.now());
    let enabled = page.note(
        "finish_enrolment",
        "a full session",
        |w| block_on(w.actions.finish_enrolment(w.full(&login), code(w))),
        never,
    );
    let holder = |w: &World| match w.signed_in(enabled.issued.token.expose()) {
        SignedIn::Full(holder) => holder,
        other => panic!("{other:?}"),
    };
    let partial = |w: &World| {
        let step = block_on(w.actions.log_in(&visitor(), ada, password(RIGHT), None, None));
        let Ok(LogInStep::SecondFactor(issued)) = step else {
            panic!("a second factor is due");
        };
        match w.signed_in(issued.token.expose()) {
            SignedIn::Partial(holder) => holder,
            other => panic!("{other:?}"),
        }
    };
    page.note(
        "log_in, where a second factor is due",
        "a password",
        |w| Ok::<_, ()>(partial(w)),
        never,
    );
    page.world.pass(60);
    let pending = std::cell::RefCell::new(vec![partial(&page.world), partial(&page.world)]);
    let verify = |w: &World| {
        let holder = pending.borrow_mut().pop().expect("one each");
        block_on(w.actions.verify_second_factor(holder, SecondFactorCode::Totp(code(w))))
    };
    page.note("verify_second_factor", "a partial session", verify, |w| verify(w).is_err());
    page.world.pass(60);
    let proof = |w: &World| Some(SecondFactorCode::Totp(code(w)));
    let session = std::cell::RefCell::new(enabled.issued.token.expose().to_owned());
    page.note(
        "reauthenticate",
        "a full session",
        |w| {
            let issued = block_on(w.actions.reauthenticate(holder(w), password(RIGHT), proof(w)))?;
            *session.borrow_mut() = issued.token.expose().to_owned();
            Ok::<_, dango_actions::ReauthenticateError>(())
        },
        never,
    );
    page.world.pass(60);
    let holder = |w: &World| match w.signed_in(&session.borrow()) {
        SignedIn::Full(holder) => holder,
        other => panic!("{other:?}"),
    };
    let regenerate = |w: &World| block_on(w.actions.regenerate_recovery_codes(holder(w), password(RIGHT), code(w)));
    page.note(
        "regenerate_recovery_codes",
        "a full session, the password and a code",
        regenerate,
        |w| regenerate(w).is_err(),
    );
    page.world.pass(60);
    let disable = |w: &World| block_on(w.actions.disable_second_factor(holder(w), password(RIGHT), proof(w)));
    page.note("disable_second_factor", "a full session, the password and a factor", disable, |w| {
        disable(w).is_err()
    });
    let login = page.world.log_in(ada);
    page.note(
        "change_password",
        "a session and the password",
        |w| block_on(w.actions.change_password(w.full(&login), password(RIGHT), password(OTHER))),
        never,
    );
    let step = block_on(page.world.actions.log_in(&visitor(), ada, password(OTHER), None, None));
    let Ok(LogInStep::Done(login)) = step else {
        panic!("logged in");
    };
    let out = |w: &World| block_on(w.actions.log_out(w.signed_in(login.issued.token.expose())));
    page.note("log_out", "a session", out, never);
}

fn elsewhere(page: &mut Page) {
    let ada = "ada@x.example";
    let fake = Fake::new(FirstUse::ByVerifiedEmail);
    fake.says(account("1", verified(ada)));
    let browser = PlainToken::<kind::OauthBrowser>::make(&OsEntropy).expect("random");
    let query = |url: &str| format!("code=x&{}", url.split_once('?').expect("a query").1);
    let begin = |w: &World| {
        let begin = BeginExternalLogin {
            provider: "google",
            redirect_uri: "https://dango.example.com/back",
            browser: &browser,
            next: None,
        };
        block_on(w.actions.begin_external_login(&visitor(), &fake, begin))
    };
    let answer = query(&page.note("begin_external_login", "nothing", begin, never));
    let finish = |w: &World| {
        let finish = FinishExternalLogin {
            provider: "google",
            browser: Some(&browser),
            query: &answer,
            device: None,
            earlier: None,
            holder: None,
        };
        match block_on(w.actions.finish_external_login(&visitor(), &fake, finish)) {
            FinishedExternal::LogIn(outcome) => outcome,
            FinishedExternal::Link(_) => panic!("nobody is logged in"),
        }
    };
    let done = page.note("finish_external_login", "an answer of the provider", finish, |w| finish(w).is_err());
    let LogInStep::Done(login) = done.step else {
        panic!("logged in");
    };
    let google = fake.providers().to_vec();
    let list = |w: &World| block_on(w.actions.list_logins(&w.full(&login), &google));
    page.note("list_logins", "a full session", list, never);
    let back = "https://dango.example.com/back";
    let begin = |w: &World| block_on(w.actions.begin_link(&w.full(&login), &fake, "google", back));
    let answer = query(&page.note("begin_link", "a full session, a fresh proof", begin, |w| {
        w.pass(601);
        let refused = begin(w).is_err();
        w.pass(-601);
        refused
    }));
    let link = |w: &World| {
        let finish = FinishExternalLogin {
            provider: "google",
            browser: None,
            query: &answer,
            device: None,
            earlier: None,
            holder: Some(w.full(&login)),
        };
        match block_on(w.actions.finish_external_login(&visitor(), &fake, finish)) {
            FinishedExternal::Link(outcome) => outcome,
            FinishedExternal::LogIn(_) => panic!("it was begun to link"),
        }
    };
    page.note("finish_external_login (link)", "the session that began", link, |w| link(w).is_err());
    let unlink = |w: &World| block_on(w.actions.unlink(w.full(&login), &google, "google"));
    page.note("unlink", "a full session, a fresh proof", unlink, |w| unlink(w).is_err());
    let (holder, sheets) = (page.world.full(&login), Sheets::default());
    let files = sheets.files();
    let desk = ConnectionDesk::new(page.world.actions.clone(), files, std::sync::Arc::new(sheets));
    let origin = "https://dango.example.com";
    let begin = |_: &World| block_on(desk.begin(&holder, "google_sheets", WantedAccount::Same, origin));
    let answer = query(&page.note("ConnectionDesk::begin", "a full session, config.manage", begin, never));
    let finish = |_: &World| block_on(desk.finish(Some(&holder), "google_sheets", &answer));
    page.note("ConnectionDesk::finish", "the session that began, config.manage", finish, |w| {
        finish(w).is_err()
    });
    let check = |_: &World| block_on(desk.check(holder.caller(), "google_sheets"));
    page.note("ConnectionDesk::check", "config.manage", check, never);
    let disconnect = |_: &World| block_on(desk.disconnect(holder.caller(), "google_sheets"));
    page.note("ConnectionDesk::disconnect", "config.manage", disconnect, |w| {
        disconnect(w).is_err()
    });
}

fn the_log(page: &mut Page) {
    let view = need::<AuditView>();
    let filter = Filter::default;
    page.note(
        "list_audit",
        &view,
        |w| block_on(w.actions.list_audit(&w.permit::<AuditView>(), filter(), PageLimit::default())),
        never,
    );
    page.note(
        "verify_audit",
        &view,
        |w| block_on(w.actions.verify_audit(&w.permit::<AuditView>(), "")),
        never,
    );
    page.note(
        "export_audit",
        &view,
        |w| {
            block_on(
                w.actions
                    .export_audit(&w.permit::<AuditView>(), filter(), ExportFormat::Csv, None, std::io::sink()),
            )
        },
        never,
    );
    page.note(
        "checkpoint_if_due",
        "–",
        |w| block_on(w.actions.checkpoint_if_due(None, Default::default())),
        never,
    );
    page.note(
        "record_identity_key",
        &need::<Machine>(),
        |w| block_on(w.actions.record_identity_key(&w.permit::<Machine>())),
        never,
    );
    let pending = page.note(
        "begin_changes",
        "by the event",
        |w| block_on(w.actions.begin_changes(&cli(), vec![ChangeDraft::new(Event::SecretSet)])),
        |w| block_on(w.actions.begin_changes(&visitor(), vec![ChangeDraft::new(Event::SecretSet)])).is_err(),
    );
    let pending = std::cell::RefCell::new(Some(pending));
    page.note(
        "finish_changes",
        "what `begin_changes` gave",
        |w| block_on(w.actions.finish_changes(pending.borrow_mut().take().expect("one"), Ending::done())),
        never,
    );
    let long_ago = dango_core::Timestamp::from_unix_micros(0);
    page.note(
        "prune_audit",
        &need::<AuthManage>(),
        |w| block_on(w.actions.prune_audit(&w.permit::<AuthManage>(), long_ago)),
        never,
    );
    page.note(
        "prune_audit_if_due",
        &need::<AuthManage>(),
        |w| {
            w.pass(86_400);
            block_on(w.actions.prune_audit_if_due(&w.permit::<AuthManage>(), w.clock.now()))
        },
        |w| {
            assert_eq!(
                block_on(w.actions.prune_audit_if_due(&w.permit::<AuthManage>(), long_ago)).ok(),
                Some(None)
            );
            false
        },
    );
    let _ = page.note(
        "let_go_of_ended",
        &need::<Machine>(),
        |w| block_on(w.actions.let_go_of_ended(&w.permit::<Machine>())),
        never,
    );
    page.note(
        "begin_new_chain",
        &need::<Machine>(),
        |w| block_on(w.actions.begin_new_chain(&w.permit::<Machine>())),
        never,
    );
}

fn page() -> String {
    let (world, callers) = callers();
    let names: Vec<&str> = callers.iter().map(|(name, _)| *name).collect();
    let mut text = String::from(
        "# Actions: who may, and what is recorded\n\nA test does every action and compares this page with what happened; \
         where they differ it prints the page that it expects. Have the difference reviewed. What each role \
         may do is in `crates/dango-identity/role_permission_matrix.md`.\n\n## Who may\n\n*Fresh* asks of people a login, or a proof \
         of who they are, that is at most 10 minutes old.\n\n",
    );
    writeln!(text, "| need | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len())).expect("memory");
    for row in [
        row_of_grant::<UsersView>(&world.actions, &callers),
        row_of_grant::<UsersManage>(&world.actions, &callers),
        row_of_grant::<AuthManage>(&world.actions, &callers),
        row_of_grant::<AuditView>(&world.actions, &callers),
        row_of_grant::<Machine>(&world.actions, &callers),
    ] {
        text += &row;
    }
    for event in [
        Event::SecretSet,
        Event::SecretDeleted,
        Event::KeyRotated,
        Event::SourceEdited,
        Event::SyncTriggered,
    ] {
        text += &row_of_change(&world.actions, &callers, event);
    }
    text += "\n## What is recorded\n\nA refusal is one that the action has of its own; denials are `permission_denied`. An action \
             without records changes nothing.\n\n| action | needs | records when done | records of a refusal |\n|---|---|---|---|\n";
    text + &actions_and_records()
}

#[test]
fn the_page_of_actions_is_the_reviewed_one() {
    // Whoever changes it puts this text into actions.md, and has it reviewed.
    assert!(page() == PAGE, "actions.md is to be:\n{}", page());
}
