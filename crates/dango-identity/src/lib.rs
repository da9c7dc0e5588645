//! People and what they may do: pure rules over small store traits; no file, no SQL, no HTTP, no clock and no randomness of its own.
//!
//! Time arrives as a [`Timestamp`](dango_core::Timestamp), randomness as [`Entropy`](dango_core::Entropy), rows
//! through store traits whose every method is one whole intent that answers whether it happened.
//!
//! - [`UserId`], [`SessionId`] and their kin: UUIDv7 identifiers, public and never a credential;
//! - [`IdentityKey`]: the one key outside the database, from which every other is derived;
//! - [`PlainToken`] and [`TokenDigest`]: what is shown once, and what is stored;
//! - [`Email`], [`Role`], [`Permission`]: who somebody is and what they may do;
//! - [`User`] and [`UserStore`]: accounts, with the guards that hold under races; [`Invite`], [`BootstrapClaim`] and
//!   temporary passwords lead into one;
//! - [`Password`], [`PasswordPolicy`], [`PasswordHasher`]: what may be chosen, and how it is stored and compared;
//! - [`LoginRules`]: the login ceremony and every other check of a password, in one budget ([`LockoutPolicy`]);
//! - [`decide_external_login`]: whose account a login at another provider opens;
//! - [`Sessions`]: issuing, checking, rotating and ending sessions; a [`Session`] has its stage in its type;
//! - [`SecondFactors`]: codes from an app (RFC 6238) and recovery codes, each good once;
//! - [`ApiKeys`]: keys for programs, never worth more than their owner;
//! - [`DeviceToken`]: a browser that logged in before is not locked out by strangers;
//! - [`MemoryStore`]: every store trait in memory.
//!
//! `examples/identity.rs`, at the root of the repository, is a program that embeds it with SQLite.
#![warn(missing_docs)]

mod account;
mod api_key;
mod bootstrap;
mod client;
mod device;
mod email;
mod encoding;
mod epoch;
mod factor;
mod handover;
mod id;
mod instant;
mod invite;
mod key;
mod linking;
mod lockout;
mod login;
mod memory;
mod oauth_flow;
mod password;
mod permission;
mod role;
mod seal;
mod session;
mod store;
mod temporary;
#[cfg(test)]
mod testing;
mod token;

pub use account::{
    AccountChange, AccountStatus, Activity, EmailChange, InsertUser, LoginCandidate, LoginCompletion, NewUser, OwnAccount, PasswordOrigin,
    StoredPassword, User, UserStore, check_not_own_account,
};
pub use api_key::{
    Administration, AllowList, ApiKeyList, ApiKeyName, ApiKeyPolicy, ApiKeyPrefix, ApiKeyRecord, ApiKeyState, ApiKeyStore, ApiKeyTouch,
    ApiKeyUse, ApiKeyWrite, ApiKeys, AuthenticatedKey, CheckApiKeyError, ExpiryRule, ImportApiKeyError, ImportedApiKey, IssuedApiKey,
    KeyScopes, MakeApiKeyError, NewApiKey, ParseAllowListError, ParseApiKeyError, ParseApiKeyNameError, PlainApiKey, Retirement,
    VerifiedApiKey,
};
pub use bootstrap::{BOOTSTRAP_TTL, BootstrapClaim, BootstrapStore, UseClaim};
pub use client::{Client, UserAgent};
pub use device::{DeviceToken, ParseDeviceTokenError, TrustedDevice};
pub use email::{Email, MAX_EMAIL_BYTES, ParseEmailError};
pub use epoch::SecurityEpoch;
pub use factor::{
    AttemptLimit, BeginEnrolmentError, Confirmation, DisableError, Enrolment, FactorCharge, FactorKind, FactorStore, FactorSummary,
    FinishEnrolmentError, ImportFactorError, InvalidTotpParameters, ParseRecoveryCodeError, ParseTotpCodeError, ParseTotpSecretError,
    ProvenFactor, RECOVERY_CODES, RecoveryCode, RecoveryCodes, RecoverySetRecord, RegenerateError, SecondFactors, TotpAlgorithm, TotpCode,
    TotpParameters, TotpRecord, TotpSecret, TotpState, TotpStep, VerifyFactorError,
};
pub use handover::{open_handover, seal_handover};
pub use id::{ApiKeyId, DeviceId, FactorId, InviteId, ParseIdError, SessionId, UserId};
pub use invite::{INVITE_TTL, Invite, InviteStore, ReplaceInvite};
pub use key::{
    AccountNameKey, ApiKeyMacKey, AuditChainKey, AuditCheckpointSeed, ColumnKey, DeviceKey, IdentityKey, IdentityKeyId,
    ParseIdentityKeyError, ParseIdentityKeyIdError, PasswordPepper, Purpose, SessionMacKey, TokenKey,
};
pub use linking::{
    EmailClaim, ExternalIdentity, ExternalLogin, ExternalLoginRefusal, FirstFactors, FirstUse, InsertLink, InvalidExternalIdentity, Link,
    LinkFacts, LinkPermit, LinkStore, LocalPassword, LocalPasswordRefused, ReauthenticationRequired, RemoveLink, check_local_password,
    decide_external_login, permit_link,
};
pub use lockout::{
    AccountKey, AttemptKey, AttemptState, AttemptStore, Charge, ChargedAttempt, ClientClass, InvalidLockoutPolicy, Lock, LockView,
    LockoutPolicy,
};
pub use login::{
    Authenticated, BeginCheckError, BeginLoginError, CheckedLogin, CheckedPassword, LoginAttempt, LoginError, LoginRules, LoginStep,
    LoginStore, PasswordCheck, PasswordUnchanged, PendingSecondFactor, ProvenPassword, SecondFactorCode, SecondFactorError,
    SecondFactorPassed, check_new_password, find_second_factor_state,
};
pub use memory::MemoryStore;
pub use oauth_flow::{
    InsertOauthFlow, OAUTH_FLOW_TTL, OauthFlowRecord, OauthFlowRoom, OauthFlowStore, OauthFlows, OauthStarter, OpenOauthFlowError,
};
pub use password::{
    Busy, HashPasswordError, HashingCost, HashingGate, MAX_PASSWORD_BYTES, ParseRecordError, Password, PasswordContext, PasswordHasher,
    PasswordIssue, PasswordPolicy, PasswordProfile, PasswordRecord, PasswordTooLong, Pepper, SecondFactorState, Verdict, WeakCost,
    WeakPassword, is_common_password,
};
pub use permission::{ParsePermissionError, Permission, PermissionSet};
pub use role::{ParseRoleError, Role};
pub use seal::{OpenColumnError, SealedColumn};
pub use session::{
    Aal, AnySession, Attempt, AuthContext, AuthFactor, CheckSessionError, FactorSet, Full, IssueSessionError, IssuedSession, NewSession,
    Obligation, ParseStageError, Partial, Restricted, Revocation, Session, SessionLimits, SessionList, SessionProfile, SessionRecord,
    SessionStore, SessionTouch, SessionWrite, Sessions, Stage, StoredSession, VerifiedSession,
};
pub use store::StoreError;
pub use temporary::{TEMPORARY_PASSWORD_TTL, hash_temporary_password, make_temporary_password};
pub use token::{ParseTokenError, PlainToken, TokenDigest, kind};
