//! The rules of second factors: enrolling, proving, renewing and removing them. The caller has checked the password where one is due.

use std::time::Duration;

use dango_core::{Entropy, SecretValue, Timestamp};

use super::ProvenFactor;
use super::error::{BeginEnrolmentError, DisableError, FinishEnrolmentError, ImportFactorError, RegenerateError, VerifyFactorError};
use super::record::{TotpRecord, TotpState};
use super::recovery::{RecoveryCode, RecoveryCodes, RecoverySetRecord, imported_digest};
use super::store::{AttemptLimit, FactorCharge, FactorStore};
use super::totp::{TotpCode, TotpParameters, TotpSecret, TotpStep};
use crate::id::{FactorId, UserId};
use crate::instant::after;
use crate::key::{ColumnKey, IdentityKey, TokenKey};
use crate::session::{AuthFactor, Full, Session};
use crate::store::StoreError;

/// The rules of second factors under one identity key.
///
/// ```
/// use dango_core::{OsEntropy, Timestamp};
/// use dango_identity::{IdentityKey, MemoryStore, SecondFactors, TotpCode, UserId};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # pollster::block_on(async {
/// # fn app(secret: &str, at: Timestamp) -> Result<String, Box<dyn std::error::Error>> {
/// #     let secret = totp_rs::Secret::try_from_base32(secret).map_err(|_| "base32")?;
/// #     let totp = totp_rs::Builder::new().with_secret(secret).build().map_err(|_| "parameters")?;
/// #     Ok(totp.generate(at.unix_micros() as u64 / 1_000_000).to_string())
/// # }
/// let mut store = MemoryStore::new();
/// let now = Timestamp::from_unix_micros(1_795_000_000_000_000);
/// let factors = SecondFactors::new(&IdentityKey::make(&OsEntropy)?);
/// let ada = UserId::make(now, &OsEntropy)?;
///
/// let enrolment = factors.begin_enrolment(&mut store, ada, ("Dango", "ada@example.org"), now, &OsEntropy).await?;
/// assert!(enrolment.uri.expose().starts_with("otpauth://totp/Dango:ada%40example.org?secret="));
///
/// let typed = app(enrolment.secret.expose_base32().expose(), now)?;
/// let confirmed = factors.finish_enrolment(&mut store, ada, &TotpCode::parse(&typed)?, now, &OsEntropy).await?;
/// assert_eq!(confirmed.codes.codes().len(), 10);
///
/// // That code has been used now.
/// assert!(factors.verify_totp(&mut store, ada, &TotpCode::parse(&typed)?, now).await.is_err());
/// let (_, left) = factors.verify_recovery(&mut store, ada, &confirmed.codes.codes()[0], now).await?;
/// assert_eq!(left, 9);
/// # Ok(())
/// # })
/// # }
/// ```
pub struct SecondFactors {
    column: ColumnKey,
    tokens: TokenKey,
}

/// An enrolment that has begun: what the owner needs to set up the app. It is not shown again.
pub struct Enrolment {
    /// The pending factor.
    pub factor: FactorId,
    /// The secret, for typing.
    pub secret: TotpSecret,
    /// The `otpauth` URI, for a QR code.
    pub uri: SecretValue,
    /// When it is too late to confirm it.
    pub expires_at: Timestamp,
}

/// An enrolment that was confirmed.
pub struct Confirmation {
    /// The recovery codes, to be shown once.
    pub codes: RecoveryCodes,
    /// The proof that the confirmation was.
    pub proof: ProvenFactor,
}

impl SecondFactors {
    /// How long an enrolment may take.
    pub const ENROLMENT_TTL: Duration = Duration::from_secs(10 * 60);

    /// How many codes may be tried for an account, over all its sessions and all that asks for a code.
    pub const ATTEMPTS: AttemptLimit = AttemptLimit {
        attempts: 10,
        window: Duration::from_secs(60 * 60),
    };

    /// The rules under a key.
    pub fn new(key: &IdentityKey) -> Self {
        Self {
            column: ColumnKey::derive(key),
            tokens: TokenKey::derive(key),
        }
    }

    /// Begins an enrolment in the place of an earlier one that was not confirmed. It protects nothing until it is confirmed.
    ///
    /// `issuer` and `account` are what the app shows.
    ///
    /// # Errors
    ///
    /// [`BeginEnrolmentError::AlreadyEnabled`] where the user has an app already.
    pub async fn begin_enrolment(
        &self,
        store: &mut dyn FactorStore,
        user: UserId,
        (issuer, account): (&str, &str),
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Enrolment, BeginEnrolmentError> {
        let factor = FactorId::make(now, entropy)?;
        let secret = TotpSecret::make(entropy)?;
        let parameters = TotpParameters::default();
        let expires_at = after(now, Self::ENROLMENT_TTL);
        let record = TotpRecord {
            id: factor,
            user,
            parameters,
            secret: TotpRecord::seal(&self.column, (factor, user), &secret, entropy)?,
            created_at: now,
            state: TotpState::Pending { expires_at },
        };
        if !store.put_pending_totp(&record).await? {
            return Err(BeginEnrolmentError::AlreadyEnabled);
        }
        Ok(Enrolment {
            factor,
            uri: secret.uri(&parameters, issuer, account),
            secret,
            expires_at,
        })
    }

    /// Confirms an enrolment with a code from the app. The code counts as used; the second factor is on from here.
    ///
    /// # Errors
    ///
    /// [`FinishEnrolmentError`]; after a wrong code the enrolment is still pending.
    pub async fn finish_enrolment(
        &self,
        store: &mut dyn FactorStore,
        user: UserId,
        code: &TotpCode,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Confirmation, FinishEnrolmentError> {
        let pending = store.pending_totp(user).await?.ok_or(FinishEnrolmentError::NoPendingSetup)?;
        if !matches!(pending.state, TotpState::Pending { expires_at } if now < expires_at) {
            return Err(FinishEnrolmentError::NoPendingSetup);
        }
        if let FactorCharge::Refused { retry_at } = store.charge_factor_attempt(user, Self::ATTEMPTS, now).await? {
            return Err(FinishEnrolmentError::TooManyAttempts { retry_at });
        }
        let secret = pending.open(&self.column)?;
        let step = secret.matching_step(&pending.parameters, code, None, now);
        let step = step.ok_or(FinishEnrolmentError::InvalidCode)?;
        let codes = RecoveryCodes::make(entropy)?;
        let set = codes.record(&self.tokens, user, now, entropy)?;
        if !store.confirm_totp(pending.id, step, &set, now).await? {
            return Err(FinishEnrolmentError::NoPendingSetup);
        }
        store.refund_factor_attempt(user, now).await?;
        Ok(Confirmation {
            codes,
            proof: proven(user, AuthFactor::Totp),
        })
    }

    /// Proves a second factor by a code from the app. A code works once, and none of an earlier step after it
    /// (RFC 6238 §5.2), whatever asks for it and whatever the clock does.
    ///
    /// # Errors
    ///
    /// [`VerifyFactorError`]; the client is told the same for a wrong and for a used code.
    pub async fn verify_totp(
        &self,
        store: &mut dyn FactorStore,
        user: UserId,
        code: &TotpCode,
        now: Timestamp,
    ) -> Result<ProvenFactor, VerifyFactorError> {
        let record = store.active_totp(user).await?.ok_or(VerifyFactorError::NotEnabled)?;
        charge(store, user, now).await?;
        let TotpState::Active { last_step, .. } = record.state else {
            return Err(VerifyFactorError::NotEnabled);
        };
        let secret = record.open(&self.column)?;
        let step = match secret.matching_step(&record.parameters, code, Some(last_step), now) {
            Some(step) => step,
            None if secret.matching_step(&record.parameters, code, None, now).is_some() => return Err(VerifyFactorError::Replayed),
            None => return Err(VerifyFactorError::InvalidCode),
        };
        if !store.advance_totp_step(record.id, step).await? {
            return Err(VerifyFactorError::Replayed);
        }
        store.refund_factor_attempt(user, now).await?;
        Ok(proven(user, AuthFactor::Totp))
    }

    /// Proves a second factor by a recovery code, which is then gone; answers how many are left, too.
    ///
    /// # Errors
    ///
    /// [`VerifyFactorError`].
    pub async fn verify_recovery(
        &self,
        store: &mut dyn FactorStore,
        user: UserId,
        code: &RecoveryCode,
        now: Timestamp,
    ) -> Result<(ProvenFactor, u32), VerifyFactorError> {
        if store.active_totp(user).await?.is_none() {
            return Err(VerifyFactorError::NotEnabled);
        }
        charge(store, user, now).await?;
        let digest = code.digest(&self.tokens, user);
        let left = store.consume_recovery_code(user, &digest).await?;
        let left = left.ok_or(VerifyFactorError::InvalidCode)?;
        store.refund_factor_attempt(user, now).await?;
        Ok((proven(user, AuthFactor::Recovery), left))
    }

    /// Makes a new set of recovery codes; the old ones are dead.
    ///
    /// # Errors
    ///
    /// [`RegenerateError::NeedsTotp`] where the proof is not a code from the app, [`RegenerateError::NotEnabled`] where there is
    /// no app any more.
    pub async fn regenerate_recovery(
        &self,
        store: &mut dyn FactorStore,
        proof: ProvenFactor,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<RecoveryCodes, RegenerateError> {
        if proof.factor != AuthFactor::Totp {
            return Err(RegenerateError::NeedsTotp);
        }
        let codes = RecoveryCodes::make(entropy)?;
        let set = codes.record(&self.tokens, proof.user, now, entropy)?;
        if store.replace_recovery_codes(&set).await? {
            Ok(codes)
        } else {
            Err(RegenerateError::NotEnabled)
        }
    }

    /// Removes the second factor of whoever has just proven it. The caller ends the user's other sessions in the same transaction.
    ///
    /// # Errors
    ///
    /// [`DisableError::NotEnabled`] where there is none.
    pub async fn disable(&self, store: &mut dyn FactorStore, proof: ProvenFactor) -> Result<(), DisableError> {
        remove(store, proof.user).await
    }

    /// Removes the second factor of whoever proved it within this session at most `window` ago; otherwise as
    /// [`SecondFactors::disable`].
    ///
    /// # Errors
    ///
    /// [`DisableError::ProofTooOld`] where a new code is needed.
    pub async fn disable_within(
        &self,
        store: &mut dyn FactorStore,
        session: &Session<Full>,
        window: Duration,
        now: Timestamp,
    ) -> Result<(), DisableError> {
        if !session.auth().has_fresh_second_factor(window, now) {
            return Err(DisableError::ProofTooOld);
        }
        remove(store, session.user()).await
    }

    /// Removes a user's second factor as an administrator; answers whether there was one. No secret is shown, and the user has to
    /// enrol again. The caller ends all sessions of the user in the same transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn reset(&self, store: &mut dyn FactorStore, user: UserId) -> Result<bool, StoreError> {
        store.remove_factors(user).await
    }

    /// Takes over an app and recovery codes that an earlier Dango enrolled: the secret, and the SHA-256 of each code (upper case,
    /// without dashes). Both are keyed from here on; answers false where the user has an app already.
    ///
    /// Codes from before this moment do not count any more.
    ///
    /// # Errors
    ///
    /// [`ImportFactorError`].
    pub async fn import(
        &self,
        store: &mut dyn FactorStore,
        user: UserId,
        (secret, code_hashes): (&TotpSecret, &[[u8; 32]]),
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<bool, ImportFactorError> {
        let id = FactorId::make(now, entropy)?;
        let parameters = TotpParameters::default();
        let record = TotpRecord {
            id,
            user,
            parameters,
            secret: TotpRecord::seal(&self.column, (id, user), secret, entropy)?,
            created_at: now,
            state: TotpState::Active {
                confirmed_at: now,
                last_step: TotpStep::from_number(TotpStep::at(now, &parameters).number().saturating_sub(1)),
            },
        };
        let set = RecoverySetRecord {
            id: FactorId::make(now, entropy)?,
            user,
            created_at: now,
            digests: code_hashes.iter().map(|hash| imported_digest(&self.tokens, user, hash)).collect(),
        };
        Ok(store.put_active_totp(&record, &set).await?)
    }
}

async fn charge(store: &mut dyn FactorStore, user: UserId, now: Timestamp) -> Result<(), VerifyFactorError> {
    match store.charge_factor_attempt(user, SecondFactors::ATTEMPTS, now).await? {
        FactorCharge::Charged => Ok(()),
        FactorCharge::Refused { retry_at } => Err(VerifyFactorError::TooManyAttempts { retry_at }),
    }
}

async fn remove(store: &mut dyn FactorStore, user: UserId) -> Result<(), DisableError> {
    if store.remove_factors(user).await? {
        Ok(())
    } else {
        Err(DisableError::NotEnabled)
    }
}

const fn proven(user: UserId, factor: AuthFactor) -> ProvenFactor {
    ProvenFactor { user, factor }
}
