//! The guards of accounts, invitations, the first claim and links, under races: what every backend has to do as well.

use dango_core::OsEntropy;

use super::*;
use crate::account::{AccountChange, AccountStatus, EmailChange, InsertUser, NewUser, StoredPassword, User, UserStore};
use crate::api_key::{ApiKeyName, ApiKeyPolicy, ApiKeys, NewApiKey, PlainApiKey};
use crate::bootstrap::{BOOTSTRAP_TTL, BootstrapStore, UseClaim};
use crate::invite::{INVITE_TTL, Invite, InviteStore, ReplaceInvite};
use crate::linking::{ExternalIdentity, InsertLink, LinkStore, RemoveLink, permit_link};
use crate::role::Role;
use crate::session::{AnySession, AuthFactor, FactorSet, Full, IssuedSession, NewSession, Session, Stage};
use crate::testing::{START, add_user, at, block_on, identity_key, race, right_record, sessions, token_key};
use crate::token::{PlainToken, kind};

fn store() -> MemoryStore {
    MemoryStore::new()
}

fn user(store: &MemoryStore, id: UserId) -> User {
    block_on(store.clone().find_user(id)).expect("found").expect("there")
}

fn session(store: &MemoryStore, user: &User) -> IssuedSession {
    let new = NewSession {
        user: user.id,
        epoch: user.epoch,
        factors: FactorSet::of(AuthFactor::Password),
        stage: Stage::Full,
        client: Default::default(),
        device: None,
    };
    block_on(sessions().begin(&mut store.clone(), new, START, &OsEntropy)).expect("issued")
}

fn is_alive(store: &MemoryStore, issued: &IssuedSession) -> bool {
    block_on(sessions().check(&mut store.clone(), &issued.token, at(1))).is_ok()
}

fn invite(store: &MemoryStore, email: &str, role: Role) -> (User, PlainToken<kind::Invite>) {
    let (invite, token) = Invite::make(&token_key(), START, &OsEntropy).expect("random");
    let new = NewUser::invited(email.parse().expect("an address"), role, invite, START, &OsEntropy).expect("random");
    assert_eq!(block_on(store.clone().insert_user(&new)).ok(), Some(InsertUser::Inserted));
    (new.user, token)
}

fn accept(store: &MemoryStore, token: &PlainToken<kind::Invite>, seconds: u64) -> Option<User> {
    let chosen = StoredPassword::chosen(right_record(), at(seconds));
    block_on(store.clone().accept_invite(&token.digest(&token_key()), &chosen, at(seconds))).expect("answered")
}

#[test]
fn an_address_that_nobody_can_tell_from_another_is_taken() {
    let store = store();
    let ana = add_user(&store, "ana@x.example", Role::Admin);
    let eva = add_user(&store, "eva@x.example", Role::Viewer);
    for taken in ["ANA@x.example", "ａｎａ@X.example"] {
        let chosen = StoredPassword::chosen(right_record(), START);
        let new = NewUser::with_password(taken.parse().expect("an address"), Role::Viewer, chosen, START, &OsEntropy).expect("random");
        assert_eq!(block_on(store.clone().insert_user(&new)).ok(), Some(InsertUser::EmailTaken));
        let change = block_on(store.clone().change_email(eva.id, &taken.parse().expect("an address"), at(1))).expect("answered");
        assert!(matches!(change, EmailChange::Taken));
    }
    let respelt = block_on(
        store
            .clone()
            .change_email(ana.id, &"Ana@X.example".parse().expect("an address"), at(1)),
    )
    .expect("answered");
    assert!(matches!(respelt, EmailChange::Changed(user) if user.email.as_str() == "Ana@X.example"));
    let inserted = race(20, |_| {
        let chosen = StoredPassword::chosen(right_record(), START);
        let new = NewUser::with_password(
            "new@x.example".parse().expect("an address"),
            Role::Viewer,
            chosen,
            START,
            &OsEntropy,
        )
        .expect("random");
        block_on(store.clone().insert_user(&new)).expect("answered")
    });
    assert_eq!(inserted.iter().filter(|inserted| **inserted == InsertUser::Inserted).count(), 1);
}

#[test]
fn a_change_of_address_ends_sessions_and_finds_the_user_by_the_new_one() {
    let store = store();
    let ana = add_user(&store, "ana@x.example", Role::Admin);
    let issued = session(&store, &ana);
    let new = "ana@y.example".parse().expect("an address");
    assert!(matches!(
        block_on(store.clone().change_email(ana.id, &new, at(1))),
        Ok(EmailChange::Changed(_))
    ));
    assert!(!is_alive(&store, &issued));
    assert!(block_on(store.clone().find_user_by_email(&new)).expect("found").is_some());
    assert!(block_on(store.clone().find_user_by_email(&ana.email)).expect("found").is_none());
}

#[test]
fn two_administrators_who_demote_each_other_at_once_leave_one() {
    for _ in 0..50 {
        let store = store();
        let admins = [
            add_user(&store, "a@x.example", Role::Admin),
            add_user(&store, "b@x.example", Role::Admin),
        ];
        let changes = race(2, |number| {
            block_on(store.clone().change_role(admins[number].id, Role::Viewer, at(1))).expect("answered")
        });
        assert_eq!(
            changes.iter().filter(|change| matches!(change, AccountChange::Changed(_))).count(),
            1
        );
        assert_eq!(
            changes.iter().filter(|change| matches!(change, AccountChange::LastAdmin)).count(),
            1
        );
    }
}

#[test]
fn demoting_deactivating_and_deleting_at_once_leave_an_administrator() {
    for _ in 0..50 {
        let store = store();
        let admins: Vec<User> = ["a@x.example", "b@x.example", "c@x.example"]
            .iter()
            .map(|email| add_user(&store, email, Role::Admin))
            .collect();
        let refused = race(3, |number| {
            let (mut store, id) = (store.clone(), admins[number].id);
            let change = match number {
                0 => block_on(store.change_role(id, Role::Editor, at(1))),
                1 => block_on(store.deactivate_user(id, at(1))),
                _ => block_on(store.delete_user(id)),
            };
            matches!(change, Ok(AccountChange::LastAdmin))
        });
        assert_eq!(refused.iter().filter(|refused| **refused).count(), 1);
        assert_eq!(
            block_on(store.clone().users())
                .expect("listed")
                .iter()
                .filter(|user| user.is_working_admin())
                .count(),
            1
        );
    }
}

#[test]
fn an_administrator_who_is_invited_or_switched_off_is_none_who_is_left() {
    let store = store();
    let admin = add_user(&store, "a@x.example", Role::Admin);
    let _ = invite(&store, "b@x.example", Role::Admin);
    let off = add_user(&store, "c@x.example", Role::Admin);
    assert!(matches!(
        block_on(store.clone().deactivate_user(off.id, at(1))),
        Ok(AccountChange::Changed(_))
    ));
    for change in [
        block_on(store.clone().change_role(admin.id, Role::Editor, at(1))),
        block_on(store.clone().deactivate_user(admin.id, at(1))),
        block_on(store.clone().delete_user(admin.id)),
    ] {
        assert!(matches!(change, Ok(AccountChange::LastAdmin)));
    }
    assert!(matches!(
        block_on(store.clone().change_role(admin.id, Role::Admin, at(1))),
        Ok(AccountChange::Unchanged(_))
    ));
    assert!(matches!(block_on(store.clone().delete_user(off.id)), Ok(AccountChange::Changed(_))));
    assert!(matches!(block_on(store.clone().delete_user(off.id)), Ok(AccountChange::NotFound)));
}

#[test]
fn reactivation_brings_nothing_back() {
    let store = store();
    let _ = add_user(&store, "admin@x.example", Role::Admin);
    let ana = add_user(&store, "ana@x.example", Role::Editor);
    let (eva, link) = invite(&store, "eva@x.example", Role::Viewer);
    let issued = session(&store, &ana);
    for id in [ana.id, eva.id] {
        assert!(matches!(
            block_on(store.clone().deactivate_user(id, at(1))),
            Ok(AccountChange::Changed(_))
        ));
        assert_eq!(user(&store, id).status(None, at(1)), AccountStatus::Inactive);
        assert!(matches!(
            block_on(store.clone().reactivate_user(id, at(2))),
            Ok(AccountChange::Changed(_))
        ));
        assert!(matches!(
            block_on(store.clone().reactivate_user(id, at(2))),
            Ok(AccountChange::Unchanged(_))
        ));
    }
    assert!(!is_alive(&store, &issued));
    assert_eq!(user(&store, ana.id).status(None, at(2)), AccountStatus::Active);
    assert!(accept(&store, &link, 3).is_none());
    assert_eq!(user(&store, eva.id).status(None, at(2)), AccountStatus::InviteExpired);
}

#[test]
fn an_invitation_is_accepted_once_however_many_try() {
    let store = store();
    let (eva, link) = invite(&store, "eva@x.example", Role::Editor);
    let digest = link.digest(&token_key());
    for _ in 0..50 {
        let shown = block_on(store.clone().find_invited(&digest, at(1))).expect("found").expect("there");
        assert_eq!((shown.id, shown.email.as_str()), (eva.id, "eva@x.example"));
    }
    let accepted = race(20, |_| accept(&store, &link, 2));
    assert_eq!(accepted.iter().flatten().count(), 1);
    let eva = user(&store, eva.id);
    assert_eq!((eva.role, eva.status(None, at(3))), (Role::Editor, AccountStatus::Active));
    assert!(block_on(store.clone().find_invited(&digest, at(3))).expect("found").is_none());
}

#[test]
fn an_invitation_expires_to_the_second_and_the_status_with_it() {
    let ttl = INVITE_TTL.as_secs();
    let store = store();
    let (eva, link) = invite(&store, "eva@x.example", Role::Viewer);
    assert_eq!(user(&store, eva.id).status(None, at(ttl - 1)), AccountStatus::Invited);
    assert_eq!(user(&store, eva.id).status(None, at(ttl)), AccountStatus::InviteExpired);
    assert!(accept(&store, &link, ttl).is_none());
    assert!(accept(&store, &link, ttl - 1).is_some());
}

#[test]
fn a_new_invitation_kills_the_old_link_and_nobody_else_is_invited_again() {
    let store = store();
    let (eva, old) = invite(&store, "eva@x.example", Role::Viewer);
    let replace = |id, seconds| {
        let (invite, token) = Invite::make(&token_key(), at(seconds), &OsEntropy).expect("random");
        (
            block_on(store.clone().replace_invite(id, &invite, at(seconds))).expect("answered"),
            token,
        )
    };
    let (replaced, new) = replace(eva.id, 10);
    assert!(matches!(replaced, ReplaceInvite::Replaced(user) if user.invite_expires_at == Some(at(10 + INVITE_TTL.as_secs()))));
    assert!(accept(&store, &old, 11).is_none() && accept(&store, &new, 11).is_some());
    assert!(matches!(replace(eva.id, 12).0, ReplaceInvite::AlreadyAccepted));
    let (off, _) = invite(&store, "off@x.example", Role::Viewer);
    let _ = block_on(store.clone().deactivate_user(off.id, at(1))).expect("off");
    assert!(matches!(replace(off.id, 12).0, ReplaceInvite::Inactive));
    let nobody = UserId::make(START, &OsEntropy).expect("random");
    assert!(matches!(replace(nobody, 12).0, ReplaceInvite::NotFound));
}

#[test]
fn keys_survive_a_change_of_password_and_nothing_that_an_administrator_does_to_the_account() {
    let store = store();
    let _ = add_user(&store, "admin@x.example", Role::Admin);
    let ana = add_user(&store, "ana@x.example", Role::Editor);
    let keys = ApiKeys::new(&identity_key(), ApiKeyPolicy::default());
    let make = |user: &User| {
        let new = NewApiKey {
            name: ApiKeyName::parse("sync").expect("a name"),
            expires_at: None,
            scopes: Default::default(),
            allow_list: Default::default(),
        };
        let owner = (&full(session(&store, user)), user.role.permissions());
        block_on(keys.make(&mut store.clone(), owner, new, START, &OsEntropy))
            .expect("made")
            .key
    };
    let opens = |key: &PlainApiKey| block_on(keys.check(&mut store.clone(), key, &Default::default(), at(1))).is_ok();
    let chosen = StoredPassword::chosen(right_record(), at(1));

    let key = make(&ana);
    assert!(block_on(store.clone().change_password(ana.id, ana.epoch, &chosen)).expect("changed"));
    assert!(opens(&key));
    let _ = block_on(store.clone().reset_password(ana.id, &chosen)).expect("reset");
    assert!(!opens(&key));

    let key = make(&user(&store, ana.id));
    let _ = block_on(store.clone().deactivate_user(ana.id, at(2))).expect("off");
    let _ = block_on(store.clone().reactivate_user(ana.id, at(3))).expect("on");
    assert!(!opens(&key));

    let key = make(&user(&store, ana.id));
    let _ = block_on(store.clone().delete_user(ana.id)).expect("deleted");
    assert!(!opens(&key));
}

#[test]
fn a_change_of_password_ends_everything_and_happens_once() {
    let store = store();
    let ana = add_user(&store, "ana@x.example", Role::Editor);
    let issued = [session(&store, &ana), session(&store, &ana)];
    let changed = race(20, |_| {
        let chosen = StoredPassword::chosen(right_record(), at(1));
        block_on(store.clone().change_password(ana.id, ana.epoch, &chosen)).expect("answered")
    });
    assert_eq!(changed.iter().filter(|changed| **changed).count(), 1);
    assert!(issued.iter().all(|issued| !is_alive(&store, issued)));
    assert_eq!(user(&store, ana.id).epoch, ana.epoch.next());
}

#[test]
fn a_reset_takes_the_place_of_an_invitation() {
    let store = store();
    let (eva, link) = invite(&store, "eva@x.example", Role::Viewer);
    let handed = StoredPassword {
        origin: crate::account::PasswordOrigin::Temporary {
            expires_at: at(100),
            used: false,
        },
        ..StoredPassword::chosen(right_record(), at(1))
    };
    let reset = block_on(store.clone().reset_password(eva.id, &handed))
        .expect("reset")
        .expect("there");
    assert!(reset.must_change_password && reset.may_log_in());
    assert!(accept(&store, &link, 2).is_none());
}

#[test]
fn of_twenty_claims_at_once_one_makes_an_administrator() {
    let store = store();
    let (claim, token) = BootstrapClaim::make(&token_key(), START, &OsEntropy).expect("random");
    assert!(block_on(store.clone().offer_claim(&claim)).expect("offered"));
    let digest = token.digest(&token_key());
    assert!(block_on(store.clone().is_claim_open(&digest, at(1))).expect("asked"));
    let used = race(20, |number| {
        let chosen = StoredPassword::chosen(right_record(), START);
        let email = format!("admin{number}@x.example").parse().expect("an address");
        let admin = NewUser::with_password(email, Role::Admin, chosen, START, &OsEntropy).expect("random");
        block_on(store.clone().use_claim(&digest, &admin, at(1))).expect("answered")
    });
    assert_eq!(used.iter().filter(|used| **used == UseClaim::Claimed).count(), 1);
    assert_eq!(block_on(store.clone().users()).expect("listed").len(), 1);
    assert!(!block_on(store.clone().is_claim_open(&digest, at(1))).expect("asked"));
    assert!(
        !block_on(store.clone().offer_claim(&claim)).expect("answered"),
        "there is an administrator"
    );
}

#[test]
fn a_claim_that_was_replaced_or_has_expired_or_comes_too_late_is_gone() {
    let store = store();
    let make = || BootstrapClaim::make(&token_key(), START, &OsEntropy).expect("random");
    let ((old, old_token), (new, new_token)) = (make(), make());
    for claim in [&old, &new] {
        assert!(block_on(store.clone().offer_claim(claim)).expect("offered"));
    }
    let using = |token: &PlainToken<kind::BootstrapClaim>, email: &str, seconds| {
        let chosen = StoredPassword::chosen(right_record(), START);
        let admin = NewUser::with_password(email.parse().expect("an address"), Role::Admin, chosen, START, &OsEntropy).expect("random");
        block_on(store.clone().use_claim(&token.digest(&token_key()), &admin, at(seconds))).expect("answered")
    };
    assert_eq!(using(&old_token, "a@x.example", 1), UseClaim::Gone);
    assert_eq!(using(&new_token, "a@x.example", BOOTSTRAP_TTL.as_secs()), UseClaim::Gone);
    let _ = add_user(&store, "a@x.example", Role::Viewer);
    assert_eq!(using(&new_token, "A@x.example", 1), UseClaim::EmailTaken);
    let _ = add_user(&store, "b@x.example", Role::Admin);
    assert_eq!(using(&new_token, "c@x.example", 1), UseClaim::Gone);
}

fn full(issued: IssuedSession) -> Session<Full> {
    match issued.session {
        AnySession::Full(session) => session,
        other => panic!("{other:?}"),
    }
}

#[test]
fn links_are_one_for_an_identity_and_one_for_an_issuer_and_something_is_left() {
    let store = store();
    let (ana, eva) = (
        add_user(&store, "ana@x.example", Role::Editor),
        add_user(&store, "eva@x.example", Role::Editor),
    );
    let window = std::time::Duration::from_secs(600);
    let identity = |issuer: &str, subject: &str| ExternalIdentity::new(issuer, subject).expect("valid");
    let link = |user: &User, issuer: &str, subject: &str, seconds: u64| {
        let permit = permit_link(&full(session(&store, user)), identity(issuer, subject), window, at(seconds)).ok()?;
        Some(block_on(store.clone().insert_link(&permit)).expect("answered"))
    };
    assert_eq!(link(&ana, "https://op.example", "1", 601), None, "the proof is too old");
    assert_eq!(link(&ana, "https://op.example", "1", 600), Some(InsertLink::Inserted));
    assert_eq!(link(&ana, "https://op.example", "1", 600), Some(InsertLink::Inserted));
    assert_eq!(link(&eva, "https://op.example", "1", 600), Some(InsertLink::IdentityTaken));
    assert_eq!(link(&ana, "https://op.example", "2", 600), Some(InsertLink::IssuerTaken));
    let found = block_on(store.clone().find_linked(&identity("https://op.example", "1"))).expect("found");
    assert_eq!(found.map(|user| user.id), Some(ana.id));
    let first = Link {
        user: ana.id,
        identity: identity("https://other.example", "9"),
        linked_at: at(1),
    };
    assert_eq!(
        block_on(store.clone().insert_first_link(&first)).ok(),
        Some(InsertLink::IssuerTaken),
        "not the first"
    );

    let remove = |user: &User, issuer: &str| block_on(store.clone().remove_link(user.id, issuer)).expect("answered");
    assert_eq!(remove(&eva, "https://op.example"), RemoveLink::NotFound);
    assert_eq!(remove(&ana, "https://op.example"), RemoveLink::Removed);
}

#[test]
fn of_two_links_that_are_removed_at_once_one_stays_where_there_is_no_password() {
    for _ in 0..50 {
        let store = store();
        let chosen = StoredPassword::chosen(right_record(), START);
        let mut new = NewUser::with_password(
            "sso@x.example".parse().expect("an address"),
            Role::Viewer,
            chosen,
            START,
            &OsEntropy,
        )
        .expect("random");
        new.password = None;
        assert_eq!(block_on(store.clone().insert_user(&new)).ok(), Some(InsertUser::Inserted));
        let window = std::time::Duration::from_secs(600);
        for issuer in ["0", "1"] {
            let identity = ExternalIdentity::new(issuer, "me").expect("valid");
            let permit = permit_link(&full(session(&store, &new.user)), identity, window, START).expect("fresh");
            assert_eq!(block_on(store.clone().insert_link(&permit)).ok(), Some(InsertLink::Inserted));
        }
        let removed = race(2, |number| {
            block_on(store.clone().remove_link(new.user.id, &number.to_string())).expect("answered")
        });
        assert!(removed.contains(&RemoveLink::Removed) && removed.contains(&RemoveLink::LastFactor));
    }
}
