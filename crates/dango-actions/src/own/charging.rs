//! A try of an account charged before the password is looked at, once tries that may turn out right have given their places back.

use std::sync::Arc;
use std::time::Duration;

use dango_audit::Event;
use dango_identity::{BeginLoginError, ClientClass, DeviceToken, LoginAttempt, User};
use dango_store::Admission;

use super::login::LogInError;
use super::turns::Turn;
use crate::actions::Actions;
use crate::caller::Caller;
use crate::unit::Record;

/// What a locked account means for a try.
#[derive(Clone, Copy)]
enum WhenLocked {
    /// Others of the account are open here, and one that ends well gives its place back.
    Wait,
    /// Others may be open at other servers, if it was locked just now.
    WaitIfYoung,
    Refuse,
}

/// How long a login rests before it looks whether a try at another server has given its place back: twice as long each time, up to the
/// longest. Each look is a turn at writing.
const FIRST_REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_millis(500);

/// How old a lock may be that comes of tries that may be open still: the time that hashing a password takes, and then some.
const YOUNG: Duration = Duration::from_secs(2);

impl Actions {
    /// Charges a try. Where the account is locked by tries that may be open still, here or at another server, it waits for them.
    pub(super) async fn charge(
        &self,
        caller: &Caller,
        email: &str,
        device: Option<Arc<DeviceToken>>,
        turn: &Turn<'_>,
    ) -> Result<LoginAttempt, LogInError> {
        let inner = self.inner();
        let (mut patience, mut rest) = (inner.login_patience, FIRST_REST);
        loop {
            // What locks an account may be tries that turn out to be right.
            let locked = match turn.has_another() {
                true => WhenLocked::Wait,
                false if patience.is_zero() => WhenLocked::Refuse,
                false => WhenLocked::WaitIfYoung,
            };
            match (self.begin_login(caller, email, device.clone(), locked).await?, locked) {
                (Some(attempt), _) => return Ok(attempt),
                (None, WhenLocked::WaitIfYoung) => {
                    let next = rest.min(patience);
                    inner.workers.rest(next).await;
                    patience -= next;
                    rest = (rest * 2).min(LONGEST_REST);
                }
                (None, _) => {
                    turn.wait_for_another().await;
                }
            }
        }
    }

    /// Charges a try; nothing where the account is locked and that is to be waited for.
    async fn begin_login(
        &self,
        caller: &Caller,
        email: &str,
        device: Option<Arc<DeviceToken>>,
        locked: WhenLocked,
    ) -> Result<Option<LoginAttempt>, LogInError> {
        let typed = email.to_owned();
        self.write(caller, move |mut unit| {
            Box::pin(async move {
                if unit.tx.admission().await? == Admission::Closed {
                    return unit.refuse(Record::of(Event::LoginFailure), LogInError::Closed).await;
                }
                let (inner, now) = (Arc::clone(&unit.inner), unit.now);
                let classify = |user: &User| {
                    let trusted = device
                        .as_ref()
                        .and_then(|device| device.verify(&inner.device, user.id, user.epoch, now));
                    ClientClass::of(user.id, trusted)
                };
                match inner.rules.begin_login(unit.tx, &typed, &classify, now).await {
                    Ok(attempt) => Ok(Ok(Some(attempt))),
                    Err(BeginLoginError::Locked { .. }) if matches!(locked, WhenLocked::Wait) => Ok(Ok(None)),
                    Err(BeginLoginError::Locked { lock, .. })
                        if matches!(locked, WhenLocked::WaitIfYoung) && inner.rules.lockout().has_just_locked(lock, YOUNG, now) =>
                    {
                        Ok(Ok(None))
                    }
                    Err(BeginLoginError::Locked { lock, user }) => {
                        let user = unit.account_of(user).await?;
                        let record = Record::of(Event::LoginFailure);
                        let record = match &user {
                            Some(user) => record.on_user(user),
                            None => record,
                        };
                        unit.refuse(record, LogInError::Locked(lock)).await
                    }
                    Err(BeginLoginError::Store(error)) => Err(error.into()),
                    // The list of reasons may grow; a reason that is not known lets nobody in.
                    Err(_) => unit.refuse(Record::of(Event::LoginFailure), LogInError::InvalidCredentials).await,
                }
            })
        })
        .await
    }
}
