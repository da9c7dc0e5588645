//! What may happen once, tried by many threads at once.

use std::sync::{Arc, Barrier};

use dango_identity::{
    AccountChange, AccountKey, AttemptKey, BootstrapClaim, Charge, ClientClass, InsertUser, LockoutPolicy, OauthFlowRoom, Role,
    SecurityEpoch, StoreError, TokenDigest, TotpStep, UseClaim,
};

use super::Make;
use super::sample::{active_totp, at, bytes, factor_id, invited, oauth_flow, password, recovery, session, user, user_id};
use crate::{BoxFuture, Store, StoreExt, Transaction};

const MANY: u32 = 50;

pub(super) fn check(make: Make<'_>) {
    let store = make();
    set_up(store.as_ref());
    let once = |what, work: Work| assert_eq!(successes(&store, work), 1, "{what}");
    once("a TOTP step", |tx, _| {
        Box::pin(tx.advance_totp_step(factor_id(1), TotpStep::from_number(101)))
    });
    once("a recovery code", |tx, _| {
        Box::pin(async move {
            let digest = TokenDigest::from_bytes(bytes(7, 10));
            Ok(tx.consume_recovery_code(user_id(1), &digest).await?.is_some())
        })
    });
    once("an invitation", |tx, number| {
        Box::pin(async move {
            let digest = TokenDigest::from_bytes(bytes(6, 2));
            Ok(tx.accept_invite(&digest, &password(number, at(1)), at(1)).await?.is_some())
        })
    });
    once("a session's rotation", |tx, number| {
        Box::pin(async move {
            let mut record = session(1, user_id(1), SecurityEpoch::default(), at(1));
            record.digest = TokenDigest::from_bytes(bytes(20, number));
            let old = TokenDigest::from_bytes(bytes(2, 1));
            Ok(tx.rotate_session(&old, &record, 5).await? != dango_identity::SessionWrite::Stale)
        })
    });
    once("an upgrade of one hash", |tx, number| {
        Box::pin(async move {
            let proven = password(3, at(0)).record;
            tx.upgrade_password(user_id(3), &proven, &password(1000 + number, at(1)).record)
                .await
        })
    });
    once("an address", |tx, number| {
        Box::pin(async move {
            let mut new = user(100 + number, Role::Viewer, at(0));
            new.user.email = "Same@example.com".parse().expect("an address");
            Ok(tx.insert_user(&new).await? == InsertUser::Inserted)
        })
    });
    once("an OAuth flow", |tx, _| {
        Box::pin(async move { Ok(tx.take_oauth_flow(&TokenDigest::from_bytes(bytes(50, 1))).await?.is_some()) })
    });
    two_administrators_do_not_demote_each_other(&store);
    tries_in_parallel_are_as_dear_as_tries_in_a_row(&store);
    one_claim_makes_one_administrator(&make());
}

/// A user with everything, and one who was invited.
fn set_up(store: &dyn Store) {
    let work = store.write(|tx| {
        Box::pin(async move {
            let admin = user(1, Role::Admin, at(0));
            let _ = tx.insert_user(&admin).await?;
            let _ = tx.insert_user(&invited(2, Role::Viewer, at(0))).await?;
            let _ = tx.insert_user(&user(3, Role::Admin, at(0))).await?;
            let enrolled = tx
                .put_active_totp(&active_totp(1, admin.user.id, at(0)), &recovery(1, admin.user.id, at(0)))
                .await?;
            assert!(enrolled);
            let _ = tx.insert_session(&session(1, admin.user.id, admin.user.epoch, at(0)), 5).await?;
            let _ = tx
                .insert_oauth_flow(&oauth_flow(1, 1, at(0)), OauthFlowRoom::default(), at(0))
                .await?;
            Ok::<_, StoreError>(())
        })
    });
    pollster::block_on(work).expect("set up");
}

type Work = for<'t> fn(&'t mut dyn Transaction, u32) -> BoxFuture<'t, Result<bool, StoreError>>;

/// How many of many threads that do the same at once are told that it happened.
fn successes(store: &Arc<dyn Store>, work: Work) -> usize {
    let start = Arc::new(Barrier::new(MANY as usize));
    let threads: Vec<_> = (0..MANY)
        .map(|number| {
            let (store, start) = (Arc::clone(store), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                pollster::block_on(store.write(move |tx| work(tx, number))).expect("the store works")
            })
        })
        .collect();
    let ended = threads.into_iter().map(|thread| thread.join().expect("no panic"));
    ended.filter(|happened| *happened).count()
}

fn two_administrators_do_not_demote_each_other(store: &Arc<dyn Store>) {
    let demoted = successes(store, |tx, number| {
        Box::pin(async move {
            let other = user_id(if number % 2 == 0 { 1 } else { 3 });
            Ok(matches!(
                tx.change_role(other, Role::Viewer, at(2)).await?,
                AccountChange::Changed(_)
            ))
        })
    });
    assert_eq!(demoted, 1);
}

fn tries_in_parallel_are_as_dear_as_tries_in_a_row(store: &Arc<dyn Store>) {
    let granted = successes(store, |tx, _| {
        Box::pin(async move {
            let key = AttemptKey {
                account: AccountKey::from_bytes(bytes(30, 1)),
                client: ClientClass::Untrusted,
            };
            let charge = tx.charge_attempt(&key, &LockoutPolicy::default(), at(0)).await?;
            Ok(matches!(charge, Charge::Granted { .. }))
        })
    });
    assert_eq!(granted, 5);
}

fn one_claim_makes_one_administrator(store: &Arc<dyn Store>) {
    let claim = BootstrapClaim {
        digest: TokenDigest::from_bytes(bytes(40, 1)),
        expires_at: at(100),
    };
    let offered = pollster::block_on(store.write(move |tx| Box::pin(async move { tx.offer_claim(&claim).await })));
    assert!(offered.expect("offered"));
    let claimed = successes(store, |tx, number| {
        Box::pin(async move {
            let digest = TokenDigest::from_bytes(bytes(40, 1));
            Ok(tx.use_claim(&digest, &user(number, Role::Admin, at(1)), at(1)).await? == UseClaim::Claimed)
        })
    });
    assert_eq!(claimed, 1);
    let users = pollster::block_on(store.read(|tx| Box::pin(async move { tx.users().await })));
    assert_eq!(users.expect("read").len(), 1);
}
