//! Steps on users, invitations, the first administrator's claim, budgets of tries, links and OAuth flows.

use dango_identity::{
    AccountKey, AttemptKey, BootstrapClaim, Charge, ChargedAttempt, ClientClass, ExternalIdentity, Link, LockoutPolicy, LoginCompletion,
    OauthFlowRoom, Role, SecurityEpoch, TokenDigest,
};

use super::super::sample::{bytes, device_id, invite, invited, later, oauth_flow, password, password_record, temporary_password, user};
use super::step::{Step, Verb};
use super::{Ended, candidate, epoch};
use crate::Transaction;

pub(super) async fn people(tx: &mut dyn Transaction, step: Step) -> Result<String, Ended> {
    let (id, now) = (step.user(), step.now());
    let claim = TokenDigest::from_bytes(bytes(40, step.what % 2));
    let invitation = TokenDigest::from_bytes(bytes(6, step.what));
    Ok(match step.verb {
        Verb::InsertUser => format!("{:?}", tx.insert_user(&user(step.who, step.role(), now)).await?),
        // The invitation of one user must not be another's, too.
        Verb::InviteUser => format!("{:?}", tx.insert_user(&invited(step.who, step.role(), now)).await?),
        Verb::FindUser => format!("{:?}", tx.find_user(id).await?),
        Verb::FindByEmail => {
            let email = format!("USER{}@example.com", step.who).parse().expect("an address");
            format!("{:?}", tx.find_user_by_email(&email).await?)
        }
        Verb::Candidate => {
            let email = format!("USER{}@example.com", step.who).parse().expect("an address");
            candidate(tx.find_candidate_by_email(&email).await?)
        }
        Verb::CompleteLogin => {
            let epoch = if step.how == 0 {
                SecurityEpoch::default()
            } else {
                epoch(tx, id).await?
            };
            let stored = tx
                .find_candidate(id)
                .await?
                .and_then(|found| found.password)
                .map(|stored| stored.record);
            let proven = if step.how == 1 { Some(password_record(99)) } else { stored };
            let upgrade = password_record(step.what);
            let login = LoginCompletion {
                user: id,
                epoch,
                password: proven.as_ref(),
                upgrade: (step.how == 3).then_some(&upgrade),
                now,
            };
            format!("{:?}", tx.complete_login(&login).await?)
        }
        Verb::UpgradePassword => {
            let stored = tx.find_candidate(id).await?.and_then(|found| found.password);
            let proven = stored.filter(|_| step.how > 0).map_or(password_record(99), |stored| stored.record);
            format!("{:?}", tx.upgrade_password(id, &proven, &password_record(step.what)).await?)
        }
        Verb::ChangeRole => format!("{:?}", tx.change_role(id, step.role(), now).await?),
        Verb::Deactivate => format!("{:?}", tx.deactivate_user(id, now).await?),
        Verb::Reactivate => format!("{:?}", tx.reactivate_user(id, now).await?),
        Verb::Delete => format!("{:?}", tx.delete_user(id).await?),
        Verb::ChangeEmail => {
            let email = format!("user{}@example.com", step.what % 6).parse().expect("an address");
            format!("{:?}", tx.change_email(id, &email, now).await?)
        }
        Verb::ChangePassword => {
            let epoch = if step.how == 0 {
                SecurityEpoch::default()
            } else {
                epoch(tx, id).await?
            };
            // A user whom nobody knows has no epoch to be right about.
            if tx.find_user(id).await?.is_none() {
                return Ok("nobody".to_owned());
            }
            format!("{:?}", tx.change_password(id, epoch, &password(step.what, now)).await?)
        }
        Verb::ResetPassword => {
            let new = if step.how == 0 {
                password(step.what, now)
            } else {
                temporary_password(step.what, now)
            };
            format!("{:?}", tx.reset_password(id, &new).await?)
        }
        // Tokens are made once: two users never have the same invitation.
        Verb::ReplaceInvite if step.what % 5 == step.who => format!("{:?}", tx.replace_invite(id, &invite(step.what, now), now).await?),
        Verb::ReplaceInvite => "another's".to_owned(),
        Verb::FindInvited => format!("{:?}", tx.find_invited(&invitation, now).await?),
        Verb::AcceptInvite => format!("{:?}", tx.accept_invite(&invitation, &password(step.what, now), now).await?),
        Verb::OfferClaim => {
            let claim = BootstrapClaim {
                digest: claim,
                expires_at: later(now, 3600),
            };
            format!("{:?}", tx.offer_claim(&claim).await?)
        }
        Verb::IsClaimOpen => format!("{:?}", tx.is_claim_open(&claim, now).await?),
        _ => format!("{:?}", tx.use_claim(&claim, &user(step.who, Role::Admin, now), now).await?),
    })
}

pub(super) async fn budgets_and_links(tx: &mut dyn Transaction, step: Step) -> Result<String, Ended> {
    let (id, now, policy) = (step.user(), step.now(), LockoutPolicy::default());
    let account = AccountKey::from_bytes(bytes(30, step.what % 2));
    let client = if step.how == 0 {
        ClientClass::Trusted(device_id(step.what % 2))
    } else {
        ClientClass::Untrusted
    };
    let key = AttemptKey { account, client };
    let identity = ExternalIdentity::new(&format!("https://{}.example", step.how % 2), &step.what.to_string()).expect("printable");
    Ok(match step.verb {
        Verb::Charge => {
            let mut answers = Vec::new();
            for _ in 0..3 {
                answers.push(tx.charge_attempt(&key, &policy, now).await?);
            }
            format!("{answers:?}")
        }
        Verb::ChargeAndRefund => {
            let charge = tx.charge_attempt(&key, &policy, now).await?;
            if let Charge::Granted { window } = charge {
                tx.refund_attempt(&ChargedAttempt { key, window }, &policy).await?;
            }
            format!("{charge:?}")
        }
        Verb::Clear => format!("{:?}", tx.clear_attempts(&key).await?),
        Verb::Unlock => format!("{:?}", tx.unlock_account(&account, &policy, now).await?),
        Verb::FindLock => format!("{:?}", tx.find_lock(&key, &policy, now).await?),
        Verb::Locks => {
            let mut locks: Vec<_> = tx.locks(&policy, now).await?;
            locks.sort_by_key(|view| *view.account.as_bytes());
            format!(
                "{:?}",
                locks
                    .iter()
                    .map(|view| (view.account.as_bytes()[31], view.lock))
                    .collect::<Vec<_>>()
            )
        }
        Verb::PurgeAttempts => {
            let mut spent = tx.spent_attempts(&policy, now, 100).await?;
            spent.sort_by_key(|key| (*key.account.as_bytes(), key.client != ClientClass::Untrusted));
            let some = tx.spent_attempts(&policy, now, 1).await?.len();
            spent.push(key);
            format!("{spent:?} {some} {}", tx.purge_attempts(&spent, &policy, now).await?)
        }
        Verb::InsertFirstLink => {
            let link = Link {
                user: id,
                identity,
                linked_at: now,
            };
            format!("{:?}", tx.insert_first_link(&link).await?)
        }
        Verb::FindLinked => format!("{:?}", tx.find_linked(&identity).await?),
        Verb::RemoveLink => format!("{:?}", tx.remove_link(id, identity.issuer()).await?),
        Verb::InsertFlow => {
            let room = OauthFlowRoom {
                per_starter: 2,
                browsers: 3,
            };
            let flow = oauth_flow(4 * step.what + step.how, step.who, now);
            format!("{:?}", tx.insert_oauth_flow(&flow, room, now).await?)
        }
        _ => {
            let state = TokenDigest::from_bytes(bytes(50, 4 * step.what + step.how));
            format!("{:?}", tx.take_oauth_flow(&state).await?)
        }
    })
}
