//! Steps on what proves who somebody is: sessions, second factors and API keys.

use std::time::Duration;

use dango_identity::{
    ApiKeyUse, AttemptLimit, Client, Retirement, SecurityEpoch, SessionTouch, Stage, StoreError, TokenDigest, TotpStep, UserId,
};

use super::super::sample::{active_totp, api_key, at, bytes, factor_id, key_id, later, pending_totp, recovery, session, session_id};
use super::step::{Step, Verb};
use super::{Ended, epoch};
use crate::Transaction;

pub(super) async fn sessions(tx: &mut dyn Transaction, step: Step) -> Result<String, Ended> {
    let (id, now) = (step.user(), step.now());
    let digest = TokenDigest::from_bytes(bytes(2, step.what));
    let epoch = epoch(tx, id).await?;
    let mut record = session(step.what, id, epoch, now);
    if step.how == 1 {
        record.stage = Stage::SecondFactorPending;
    }
    Ok(match step.verb {
        // A session of somebody who is not there, or with the id of another, is made by nobody.
        Verb::InsertSession | Verb::InsertStaleSession if tx.find_user(id).await?.is_none() => "nobody".to_owned(),
        Verb::InsertSession | Verb::InsertStaleSession if taken(tx, step.what).await? => "taken".to_owned(),
        Verb::InsertSession => format!("{:?}", tx.insert_session(&record, 2).await?),
        Verb::InsertStaleSession => {
            record.epoch = epoch.next();
            format!("{:?}", tx.insert_session(&record, 2).await?)
        }
        Verb::FindSession => format!("{:?}", tx.find_session(&digest).await?),
        Verb::Rotate => {
            if let Some(stored) = tx.find_session(&digest).await? {
                record.user = stored.record.user;
                record.epoch = if step.how == 3 { stored.epoch.next() } else { stored.epoch };
            } else if tx.find_user(id).await?.is_none() {
                return Ok("nobody".to_owned());
            }
            if step.how == 2 {
                record.id = session_id(step.what + 1);
            }
            format!("{:?}", tx.rotate_session(&digest, &record, 2).await?)
        }
        Verb::Touch => {
            let touch = SessionTouch {
                last_active: now,
                mac: bytes(10, step.what),
            };
            format!("{:?}", tx.touch_session(&digest, &touch).await?)
        }
        Verb::ChargeSession => {
            let mut answers = Vec::new();
            for _ in 0..3 {
                answers.push(tx.charge_session_attempt(&digest, 2).await?);
            }
            format!("{answers:?}")
        }
        Verb::EndSession => format!("{:?}", tx.end_session(&digest).await?),
        Verb::EndSessionOf => format!("{:?}", tx.end_session_of(id, session_id(step.what)).await?),
        Verb::EndExcept => format!("{:?}", tx.end_sessions_except(id, session_id(step.what)).await?),
        Verb::EndOf => format!("{:?}", tx.end_sessions_of(id).await?),
        Verb::EndAll => format!("{:?}", tx.end_all_sessions().await?),
        _ => {
            let (expired_before, idle_since) = (now, at(step.when - 1000));
            let mut ended = tx.ended_sessions(expired_before, idle_since, 100).await?;
            ended.sort_by_key(|digest| *digest.as_bytes());
            let some = tx.ended_sessions(expired_before, idle_since, 1).await?.len();
            // Those that go on are asked for, too, and stay.
            let asked: Vec<_> = (0..100).map(|number| TokenDigest::from_bytes(bytes(2, number))).collect();
            let purged = tx.purge_sessions(&asked, expired_before, idle_since).await?;
            format!(
                "{} {some} {purged}",
                ended
                    .iter()
                    .map(|digest| digest.as_bytes()[31].to_string())
                    .collect::<Vec<_>>()
                    .join(",")
            )
        }
    })
}

async fn taken(tx: &mut dyn Transaction, number: u32) -> Result<bool, StoreError> {
    Ok(tx.find_session(&TokenDigest::from_bytes(bytes(2, number))).await?.is_some())
}

pub(super) async fn factors(tx: &mut dyn Transaction, step: Step) -> Result<String, Ended> {
    let (id, now) = (step.user(), step.now());
    if tx.find_user(id).await?.is_none() {
        return Ok("nobody".to_owned());
    }
    // Ids are made once: those of one user are never another's.
    let number = step.who * 10 + step.what;
    let limit = AttemptLimit {
        attempts: 3,
        window: Duration::from_secs(3600),
    };
    Ok(match step.verb {
        Verb::PutPending | Verb::PutActive if holds(tx, id, number).await? => "taken".to_owned(),
        Verb::PutPending => format!("{:?}", tx.put_pending_totp(&pending_totp(number, id, now)).await?),
        Verb::PutActive => {
            let (record, codes) = (active_totp(number, id, now), recovery(number, id, now));
            format!("{:?}", tx.put_active_totp(&record, &codes).await?)
        }
        Verb::Confirm => {
            let pending = tx.pending_totp(id).await?.map_or(factor_id(number), |record| record.id);
            let (step_number, codes) = (TotpStep::from_number(50), recovery(number, id, now));
            format!("{:?}", tx.confirm_totp(pending, step_number, &codes, now).await?)
        }
        Verb::Advance => {
            let active = tx.active_totp(id).await?.map_or(factor_id(number), |record| record.id);
            format!(
                "{:?}",
                tx.advance_totp_step(active, TotpStep::from_number(48 + u64::from(step.what) * 8))
                    .await?
            )
        }
        Verb::Consume => {
            let set = tx.factors_of(id).await?.len();
            let mut answers = Vec::new();
            for code in 0..100 {
                answers.push(
                    tx.consume_recovery_code(id, &TokenDigest::from_bytes(bytes(7, step.who * 100 + code)))
                        .await?,
                );
            }
            format!("{set} {answers:?}")
        }
        Verb::ReplaceRecovery => format!("{:?}", tx.replace_recovery_codes(&recovery(number, id, now)).await?),
        Verb::RemoveFactors => format!("{:?}", tx.remove_factors(id).await?),
        Verb::ChargeFactor => format!("{:?}", tx.charge_factor_attempt(id, limit, now).await?),
        _ => format!("{:?}", tx.refund_factor_attempt(id, now).await?),
    })
}

/// Whether an enrolment with this number is there already.
async fn holds(tx: &mut dyn Transaction, user: UserId, number: u32) -> Result<bool, StoreError> {
    let held = [tx.pending_totp(user).await?, tx.active_totp(user).await?];
    Ok(held.iter().flatten().any(|record| record.id == factor_id(number)))
}

pub(super) async fn keys(tx: &mut dyn Transaction, step: Step) -> Result<String, Ended> {
    let (id, now) = (step.user(), step.now());
    if tx.find_user(id).await?.is_none() {
        return Ok("nobody".to_owned());
    }
    let digest = TokenDigest::from_bytes(bytes(4, step.what));
    Ok(match step.verb {
        Verb::InsertKey => format!("{:?}", tx.insert_api_key(&api_key(step.what, id, now)).await?),
        Verb::RotateKey => {
            let old = Retirement {
                id: key_id(step.what),
                until: later(now, 60),
                mac: bytes(11, step.what),
            };
            format!("{:?}", tx.rotate_api_key(&old, &api_key((step.what + 1) % 10, id, now)).await?)
        }
        Verb::FindKey => format!("{:?}", tx.find_api_key(&digest).await?),
        Verb::KeyOf => format!("{:?}", tx.api_key_of(id, key_id(step.what)).await?),
        Verb::TouchKey => {
            let client = if step.how == 0 {
                Client::default()
            } else {
                session(0, id, SecurityEpoch::default(), now).client
            };
            let used = ApiKeyUse { at: now, client };
            format!("{:?}", tx.touch_api_key(key_id(step.what), &used, at(step.when - 60)).await?)
        }
        Verb::RevokeKey => format!("{:?}", tx.revoke_api_key(id, key_id(step.what), now).await?),
        Verb::RevokeFamily => format!("{:?}", tx.revoke_api_key_family(key_id(step.what / 4), now).await?),
        _ => format!("{:?}", tx.revoke_api_keys_of(id, now).await?),
    })
}
