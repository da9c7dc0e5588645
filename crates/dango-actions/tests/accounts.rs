//! Accounts as administrators see and change them: what happens, what is refused, and one record for each.

#![allow(clippy::panic, reason = "a test that finds another answer ends")]

mod world;

use dango_actions::{
    AddUserError, AuthManage, ChangeAccountError, ClaimAdministratorError, Credential, DeleteUserError, Effect, FirstLogin, InviteError,
    LogInError, LogInStep, Machine, RecoverError, ResetPasswordError, SwitchError, UsersManage, UsersView,
};
use dango_identity::{AccountStatus, PlainToken, Role};
use world::{OTHER, RIGHT, WRONG, World, block_on, cli, email, invite_token, password, race, visitor};

#[test]
fn a_person_is_invited_accepts_and_logs_in() {
    let world = World::new();
    let manage = world.permit::<UsersManage>();
    let (added, records) = world.recorded(|| {
        block_on(
            world
                .actions
                .add_user(&manage, email("eve@x.example"), Role::Editor, FirstLogin::Invite),
        )
        .expect("added")
    });
    assert_eq!(records, ["user_created success"]);
    assert_eq!(added.user.status, AccountStatus::Invited);
    let token = invite_token(&added.credential);
    assert!(matches!(
        block_on(world.actions.log_in(&visitor(), "eve@x.example", password(RIGHT), None, None)),
        Err(LogInError::InvalidCredentials)
    ));
    let (accepted, records) = world.recorded(|| block_on(world.actions.accept_invite(&visitor(), &token, password(RIGHT))));
    assert_eq!(
        (accepted.expect("accepted").role, records),
        (Role::Editor, vec!["invite_accepted success".to_owned()])
    );
    let (again, records) = world.recorded(|| block_on(world.actions.accept_invite(&visitor(), &token, password(OTHER))));
    assert_eq!(again.err().map(|error| error.code()), Some("invite_invalid"));
    assert_eq!(records, ["invite_accepted failure invite_invalid"]);
    assert_eq!(world.log_in("Eve@X.example").user.status, AccountStatus::Active);
    world.verified();
}

#[test]
fn an_address_is_taken_however_it_is_written() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let manage = world.permit::<UsersManage>();
    let (refused, records) = world.recorded(|| {
        block_on(
            world
                .actions
                .add_user(&manage, email("ADA@x.example"), Role::Viewer, FirstLogin::Invite),
        )
    });
    assert!(matches!(refused, Err(AddUserError::UserExists)));
    assert_eq!(records, ["user_created failure user_exists"]);
    assert_eq!(world.users().len(), 1);
}

#[test]
fn a_temporary_password_is_good_for_one_login_and_a_change() {
    let world = World::new();
    let manage = world.permit::<UsersManage>();
    let added = block_on(
        world
            .actions
            .add_user(&manage, email("eve@x.example"), Role::Admin, FirstLogin::TemporaryPassword),
    );
    let Credential::TemporaryPassword(temporary) = added.expect("added").credential else {
        panic!("asked for a password");
    };
    let log_in = || {
        block_on(
            world
                .actions
                .log_in(&visitor(), "eve@x.example", password(temporary.expose()), None, None),
        )
    };
    let Ok(LogInStep::Done(login)) = log_in() else {
        panic!("logged in");
    };
    assert!(login.user.user.must_change_password);
    assert!(matches!(log_in(), Err(LogInError::InvalidCredentials)));
    let dango_actions::SignedIn::Restricted(holder, _) = world.signed_in(login.issued.token.expose()) else {
        panic!("restricted");
    };
    // Nothing else can be done first, not even by an administrator.
    assert!(block_on(world.actions.permit::<UsersView>(holder.caller())).is_err());
    let change = block_on(world.actions.change_password(holder, password(temporary.expose()), password(RIGHT)));
    change.expect("changed");
    assert!(!world.log_in("eve@x.example").user.user.must_change_password);
}

#[test]
fn the_last_administrator_stays_whoever_tries_at_once() {
    let world = World::new();
    let [ada, eve] = ["ada@x.example", "eve@x.example"].map(|address| world.add(address, Role::Admin).id);
    let permits = [world.permit::<UsersManage>(), world.permit::<UsersManage>()];
    let (answers, records) = world.recorded(|| {
        race(2, |number| {
            let other = [eve, ada][number];
            block_on(world.actions.change_role(&permits[number], other, Role::Viewer))
        })
    });
    let refused = |answer: &Result<_, ChangeAccountError>| matches!(answer, Err(ChangeAccountError::LastAdmin));
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(answers.iter().filter(|answer| refused(answer)).count(), 1);
    assert_eq!(records, ["role_changed success", "role_changed failure last_admin"]);
    let left = world
        .users()
        .into_iter()
        .find(|view| view.user.role == Role::Admin)
        .expect("one is left")
        .user
        .id;
    assert!(refused(&block_on(world.actions.deactivate_user(&permits[0], left))));
    assert!(matches!(
        block_on(world.actions.delete_user(&permits[0], left, None)),
        Err(DeleteUserError::LastAdmin)
    ));
}

#[test]
fn an_administrator_who_loses_the_role_does_nothing_more_with_an_old_ticket() {
    let world = World::new();
    let ada = world.add("ada@x.example", Role::Admin);
    world.add("eve@x.example", Role::Admin);
    let holder = world.session_of("ada@x.example");
    let ticket = block_on(world.actions.permit::<UsersManage>(holder.caller())).expect("an administrator");
    block_on(world.actions.change_role(&world.permit::<UsersManage>(), ada.id, Role::Viewer)).expect("demoted");
    let (refused, records) = world.recorded(|| block_on(world.actions.unlock(&ticket, email("eve@x.example"))));
    assert_eq!(refused.err().map(|error| error.code()), Some("permission_denied"));
    assert_eq!(records, ["permission_denied denied permission_denied"]);
}

#[test]
fn nobody_does_to_themselves_what_only_others_may() {
    let world = World::new();
    let ada = world.add("ada@x.example", Role::Admin);
    world.add("eve@x.example", Role::Admin);
    let holder = world.session_of("ada@x.example");
    let ticket = block_on(world.actions.permit::<UsersManage>(holder.caller())).expect("an administrator");
    let codes = [
        block_on(world.actions.deactivate_user(&ticket, ada.id))
            .err()
            .map(|error| error.code()),
        block_on(world.actions.reactivate_user(&ticket, ada.id))
            .err()
            .map(|error| error.code()),
        block_on(world.actions.unlock(&ticket, ada.id)).err().map(|error| error.code()),
        block_on(world.actions.delete_user(&ticket, ada.id, None))
            .err()
            .map(|error| error.code()),
    ];
    assert_eq!(codes, [Some("own_account"); 4]);
}

#[test]
fn deactivation_ends_sessions_at_once_and_reactivation_brings_none_back() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let eve = world.add("eve@x.example", Role::Editor);
    let login = world.log_in("eve@x.example");
    let manage = world.permit::<UsersManage>();
    let authenticate = || {
        let token = PlainToken::parse(login.issued.token.expose()).expect("a token");
        block_on(world.actions.authenticate(token, world::visitor()))
            .map(|_| ())
            .map_err(|error| error.code())
    };
    assert_eq!(authenticate(), Ok(()));
    let off = block_on(world.actions.deactivate_user(&manage, eve.id)).expect("switched off");
    assert_eq!((off.effect, off.user.status), (Effect::Changed, AccountStatus::Inactive));
    assert_eq!(authenticate(), Err("authentication_required"));
    let again = block_on(world.actions.deactivate_user(&manage, eve.id)).expect("still off");
    assert_eq!(again.effect, Effect::Unchanged);
    let on = block_on(world.actions.reactivate_user(&manage, eve.id)).expect("switched on");
    assert_eq!(on.user.status, AccountStatus::Active);
    assert_eq!(authenticate(), Err("authentication_required"));
}

#[test]
fn a_closed_door_lets_nobody_in_and_opens_again() {
    let world = World::new();
    let auth = world.permit::<AuthManage>();
    let (refused, records) = world.recorded(|| block_on(world.actions.enable(&auth)));
    assert!(matches!(refused, Err(SwitchError::NoAdministrator)));
    assert_eq!(records, ["auth_enabled failure no_administrator"]);
    world.add("ada@x.example", Role::Admin);
    let login = world.log_in("ada@x.example");
    let holder = world.full(&login);
    let status = || block_on(world.actions.status(&world.permit::<UsersView>())).expect("read");
    assert!(status().enabled);
    let ticket = block_on(world.actions.permit::<UsersManage>(holder.caller())).expect("an administrator");

    assert_eq!(block_on(world.actions.disable(&auth)).ok(), Some(Effect::Changed));
    assert!(!status().enabled);
    let step = block_on(world.actions.log_in(&visitor(), "ada@x.example", password(RIGHT), None, None));
    assert_eq!(step.err().map(|error| error.code()), Some("auth_disabled"));
    let token = || PlainToken::parse(login.issued.token.expose()).expect("a token");
    let session = block_on(world.actions.authenticate(token(), world::visitor()));
    assert_eq!(session.err().map(|error| error.code()), Some("auth_disabled"));
    let old = block_on(world.actions.unlock(&ticket, email("ada@x.example")));
    assert_eq!(old.err().map(|error| error.code()), Some("permission_denied"));

    assert_eq!(block_on(world.actions.enable(&auth)).ok(), Some(Effect::Changed));
    assert_eq!(block_on(world.actions.enable(&auth)).ok(), Some(Effect::Unchanged));
    assert!(block_on(world.actions.authenticate(token(), world::visitor())).is_ok());
}

#[test]
fn a_reset_ends_everything_and_forgets_failures() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let login = world.log_in("ada@x.example");
    for _ in 0..5 {
        let _ = block_on(world.actions.log_in(&visitor(), "ada@x.example", password(WRONG), None, None));
    }
    assert_eq!(world.status_of("ada@x.example"), AccountStatus::Locked);
    let manage = world.permit::<UsersManage>();
    let reset = block_on(world.actions.reset_password(&manage, email("ada@x.example"))).expect("reset");
    assert_eq!(reset.user.status, AccountStatus::Active);
    let token = PlainToken::parse(login.issued.token.expose()).expect("a token");
    assert!(block_on(world.actions.authenticate(token, world::visitor())).is_err());
    let step = block_on(
        world
            .actions
            .log_in(&visitor(), "ada@x.example", password(reset.password.expose()), None, None),
    );
    assert!(matches!(step, Ok(LogInStep::Done(login)) if login.user.user.must_change_password));
    assert!(matches!(
        block_on(world.actions.reset_password(&manage, email("nobody@x.example"))),
        Err(ResetPasswordError::NotFound)
    ));
}

#[test]
fn links_are_replaced_and_revoked() {
    let world = World::new();
    let manage = world.permit::<UsersManage>();
    let added = block_on(
        world
            .actions
            .add_user(&manage, email("eve@x.example"), Role::Viewer, FirstLogin::Invite),
    )
    .expect("added");
    let first = invite_token(&added.credential);
    let link = block_on(world.actions.resend_invite(&manage, email("eve@x.example"))).expect("another");
    let second = invite_token(&Credential::Invite(link));
    assert!(block_on(world.actions.find_invited(&first)).expect("read").is_none());
    assert!(block_on(world.actions.find_invited(&second)).expect("read").is_some());
    let revoked = block_on(world.actions.revoke_invite(&manage, email("eve@x.example"))).expect("revoked");
    assert_eq!(revoked.user.status, AccountStatus::InviteExpired);
    assert!(block_on(world.actions.find_invited(&second)).expect("read").is_none());
    world.add("ada@x.example", Role::Viewer);
    assert!(matches!(
        block_on(world.actions.resend_invite(&manage, email("ada@x.example"))),
        Err(InviteError::AlreadyAccepted)
    ));
    assert_eq!(
        block_on(world.actions.revoke_invite(&manage, email("ada@x.example")))
            .err()
            .map(|error| error.code()),
        Some("no_pending_invite")
    );
}

#[test]
fn an_invitation_is_accepted_once_however_many_try() {
    let world = World::new();
    let manage = world.permit::<UsersManage>();
    let added = block_on(
        world
            .actions
            .add_user(&manage, email("eve@x.example"), Role::Viewer, FirstLogin::Invite),
    )
    .expect("added");
    let token = invite_token(&added.credential);
    let (answers, records) = world.recorded(|| {
        race(10, |_| {
            block_on(world.actions.accept_invite(&visitor(), &token, password(RIGHT))).is_ok()
        })
    });
    assert_eq!(answers.iter().filter(|accepted| **accepted).count(), 1);
    assert_eq!(records.iter().filter(|record| *record == "invite_accepted success").count(), 1);
    assert_eq!(records.len(), 10);
}

#[test]
fn one_claim_makes_one_administrator_and_only_the_machine_offers_it() {
    let world = World::new();
    let claim = block_on(world.actions.offer_claim(&world.permit::<Machine>())).expect("offered");
    let token = claim
        .url()
        .expose()
        .strip_prefix("https://dango.example.com/setup/")
        .expect("a link")
        .to_owned();
    let claimed = race(10, |number| {
        let token = PlainToken::parse(&token).expect("a token");
        let address = email(&format!("admin{number}@x.example"));
        let done = block_on(world.actions.claim_administrator(&visitor(), &token, address, password(RIGHT)));
        match done {
            Ok(_) => true,
            Err(ClaimAdministratorError::ClaimInvalid) => false,
            Err(other) => panic!("{other}"),
        }
    });
    assert_eq!(claimed.iter().filter(|claimed| **claimed).count(), 1);
    assert_eq!(world.users().len(), 1);
    let again = block_on(world.actions.offer_claim(&world.permit::<Machine>()));
    assert_eq!(again.err().map(|error| error.code()), Some("administrator_exists"));
    let address = world.users()[0].user.email.to_string();
    let holder = world.session_of(&address);
    assert!(block_on(world.actions.permit::<Machine>(holder.caller())).is_err());
}

#[test]
fn recovery_works_after_the_key_was_lost_and_begins_a_new_chain() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let before = world.records().len();
    let lost = World::over(world.store.clone(), world::identity_key(9));
    let manage = lost.permit::<UsersManage>();
    // Everything that would be recorded is refused until then.
    let refused = block_on(lost.actions.unlock(&manage, email("ada@x.example")));
    assert_eq!(refused.err().map(|error| error.code()), Some("audit_unavailable"));
    let recovered = block_on(lost.actions.recover(&lost.permit::<Machine>(), None)).expect("recovered");
    assert_eq!(recovered.user.user.email, email("recovery@localhost"));
    assert_eq!(recovered.retired_records, u64::try_from(before).ok());
    lost.verified();
    let step = block_on(
        lost.actions
            .log_in(&visitor(), "recovery@localhost", password(recovered.password.expose()), None, None),
    );
    assert!(matches!(step, Ok(LogInStep::Done(_))));
    let again = block_on(lost.actions.recover(&lost.permit::<Machine>(), None));
    assert!(matches!(again, Err(RecoverError::UserExists)));
}

#[test]
fn a_list_says_of_everybody_what_a_single_reading_says() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    world.add("eve@x.example", Role::Editor);
    let manage = world.permit::<UsersManage>();
    block_on(
        world
            .actions
            .add_user(&manage, email("new@x.example"), Role::Viewer, FirstLogin::Invite),
    )
    .expect("added");
    for _ in 0..5 {
        let _ = block_on(world.actions.log_in(&visitor(), "eve@x.example", password(WRONG), None, None));
    }
    let view = world.permit::<UsersView>();
    for listed in world.users() {
        let one = block_on(world.actions.find_user(&view, listed.user.id))
            .expect("read")
            .expect("is there");
        assert_eq!(
            (one.status, one.lock, one.totp_enabled, one.oauth_provider),
            (listed.status, listed.lock, listed.totp_enabled, listed.oauth_provider)
        );
    }
    let status = block_on(world.actions.status(&view)).expect("read");
    let counts = [
        status.active_users,
        status.admins,
        status.editors,
        status.viewers,
        status.inactive,
        status.locked,
    ];
    assert_eq!(counts, [3, 1, 1, 1, 0, 1]);
    let (unlocked, records) = world.recorded(|| block_on(world.actions.unlock(&manage, email("eve@x.example"))));
    assert_eq!(unlocked.expect("unlocked").user.status, AccountStatus::Active);
    assert_eq!(records, ["account_unlocked success"]);
    assert_eq!(cli().user_id(), None);
}

#[test]
fn deleting_asks_for_the_right_address_where_one_is_typed() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let eve = world.add("eve@x.example", Role::Viewer);
    let manage = world.permit::<UsersManage>();
    let wrong = block_on(world.actions.delete_user(&manage, eve.id, Some(email("ada@x.example"))));
    assert!(matches!(wrong, Err(DeleteUserError::ConfirmationMismatch)));
    let deleted = block_on(world.actions.delete_user(&manage, eve.id, Some(email("EVE@x.example"))));
    assert_eq!(deleted.expect("deleted").id, eve.id);
    assert_eq!(world.users().len(), 1);
}
