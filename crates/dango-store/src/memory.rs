//! A store in memory: those of the domains put together. It is for tests, and the model that backends are compared with.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use dango_audit::query::Filter;
use dango_audit::retention::SealedSegment;
use dango_audit::{
    AuditStore, AuditStoreError, Digest, Erasure, Personal, PersonalFacts, SealedHead, Seq, StoredRecord, VisitPersonal, VisitRow,
};
use dango_core::Timestamp;
use dango_identity::{
    AccountChange, AccountKey, ApiKeyId, ApiKeyRecord, ApiKeyStore, ApiKeyUse, ApiKeyWrite, AttemptKey, AttemptLimit, AttemptStore,
    BootstrapClaim, BootstrapStore, Charge, ChargedAttempt, Email, EmailChange, ExternalIdentity, FactorCharge, FactorId, FactorStore,
    FactorSummary, InsertLink, InsertOauthFlow, InsertUser, Invite, InviteStore, Link, LinkPermit, LinkStore, Lock, LockView,
    LockoutPolicy, LoginCandidate, LoginCompletion, NewUser, OauthFlowRecord, OauthFlowRoom, OauthFlowStore, PasswordRecord,
    RecoverySetRecord, RemoveLink, ReplaceInvite, Retirement, Role, SecurityEpoch, SessionId, SessionRecord, SessionStore, SessionTouch,
    SessionWrite, StoreError, StoredPassword, StoredSession, TokenDigest, TotpRecord, TotpStep, UseClaim, User, UserId, UserStore, kind,
};
use futures_util::FutureExt;
use futures_util::lock::Mutex;

use crate::failure::StoreFailure;
use crate::imports::{ImportMark, ImportStore};
use crate::settings::{Admission, DirectoryStore, SettingsStore};
use crate::store::{Job, Store, StoreVersion, Verdict};

/// A store in memory. Nothing is kept when it is dropped.
#[derive(Default)]
pub struct MemoryStore {
    tables: Mutex<MemoryTransaction>,
    /// How many transactions were committed.
    commits: AtomicU64,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Copies of the rows, which take the place of the old ones when the transaction is committed.
#[derive(Default)]
struct MemoryTransaction {
    identity: dango_identity::MemoryStore,
    audit: dango_audit::MemoryStore,
    admission: Admission,
    imports: HashSet<ImportMark>,
    failed: bool,
}

impl MemoryTransaction {
    fn of(tables: &Self) -> Self {
        Self {
            identity: tables.identity.detached(),
            audit: tables.audit.clone(),
            admission: tables.admission,
            imports: tables.imports.clone(),
            failed: false,
        }
    }

    /// Does the work on the copies.
    async fn run(&mut self, job: Job) -> Result<Verdict, StoreFailure> {
        let ran = AssertUnwindSafe(async { job(self).await }).catch_unwind().await;
        match ran {
            Ok(_) if self.failed => Err(StoreFailure::damaged("a step of the transaction failed")),
            Ok(verdict) => Ok(verdict),
            Err(_) => Err(StoreFailure::Interrupted),
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn run_write(&self, job: Job) -> Result<(), StoreFailure> {
        let mut tables = self.tables.lock().await;
        let mut copy = MemoryTransaction::of(&tables);
        if copy.run(job).await? == Verdict::Commit {
            *tables = copy;
            self.commits.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }

    async fn run_read(&self, job: Job) -> Result<(), StoreFailure> {
        let mut copy = MemoryTransaction::of(&*self.tables.lock().await);
        copy.run(job).await.map(|_| ())
    }

    async fn schema_version(&self) -> Result<u32, StoreFailure> {
        Ok(0)
    }

    fn version(&self) -> Result<Option<StoreVersion>, StoreFailure> {
        Ok(Some(StoreVersion::from_number(self.commits.load(Ordering::SeqCst))))
    }
}

#[async_trait]
impl SettingsStore for MemoryTransaction {
    async fn admission(&mut self) -> Result<Admission, StoreError> {
        Ok(self.admission)
    }

    async fn set_admission(&mut self, admission: Admission, _: Timestamp) -> Result<bool, StoreError> {
        Ok(std::mem::replace(&mut self.admission, admission) != admission)
    }
}

#[async_trait]
impl DirectoryStore for MemoryTransaction {
    async fn enrolled_users(&mut self) -> Result<HashSet<UserId>, StoreError> {
        let mut enrolled = HashSet::new();
        for user in self.users().await? {
            if self.active_totp(user.id).await?.is_some() {
                enrolled.insert(user.id);
            }
        }
        Ok(enrolled)
    }

    async fn first_issuers(&mut self) -> Result<HashMap<UserId, String>, StoreError> {
        let mut issuers = HashMap::new();
        for user in self.users().await? {
            if let Some(first) = self.links_of(user.id).await?.first() {
                issuers.insert(user.id, first.identity.issuer().to_owned());
            }
        }
        Ok(issuers)
    }
}

#[async_trait]
impl ImportStore for MemoryTransaction {
    async fn import_marks(&mut self) -> Result<HashSet<ImportMark>, StoreError> {
        Ok(self.imports.clone())
    }

    async fn mark_imported(&mut self, mark: ImportMark, _: Timestamp) -> Result<bool, StoreError> {
        Ok(self.imports.insert(mark))
    }
}

/// Hands every method on to the part that it belongs to, and notes when one fails.
macro_rules! delegate {
    ($($store:ident of $part:ident ($error:ty) {
        $($method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    })*) => {$(
        #[async_trait]
        impl $store for MemoryTransaction {
            $(async fn $method(&mut self $(, $argument: $type)*) -> Result<$answer, $error> {
                let answer = self.$part.$method($($argument),*).await;
                self.failed |= answer.is_err();
                answer
            })*
        }
    )*};
}

delegate! {
    UserStore of identity (StoreError) {
        insert_user(new: &NewUser) -> InsertUser;
        find_user(id: UserId) -> Option<User>;
        find_user_by_email(email: &Email) -> Option<User>;
        users() -> Vec<User>;
        find_candidate_by_email(email: &Email) -> Option<LoginCandidate>;
        find_candidate(id: UserId) -> Option<LoginCandidate>;
        complete_login(login: &LoginCompletion<'_>) -> bool;
        upgrade_password(id: UserId, proven: &PasswordRecord, upgrade: &PasswordRecord) -> bool;
        change_role(id: UserId, role: Role, now: Timestamp) -> AccountChange;
        deactivate_user(id: UserId, now: Timestamp) -> AccountChange;
        reactivate_user(id: UserId, now: Timestamp) -> AccountChange;
        delete_user(id: UserId) -> AccountChange;
        change_email(id: UserId, email: &Email, now: Timestamp) -> EmailChange;
        change_password(id: UserId, epoch: SecurityEpoch, password: &StoredPassword) -> bool;
        reset_password(id: UserId, password: &StoredPassword) -> Option<User>;
    }
    InviteStore of identity (StoreError) {
        replace_invite(user: UserId, invite: &Invite, now: Timestamp) -> ReplaceInvite;
        find_invited(digest: &TokenDigest<kind::Invite>, now: Timestamp) -> Option<User>;
        accept_invite(digest: &TokenDigest<kind::Invite>, password: &StoredPassword, now: Timestamp) -> Option<User>;
    }
    BootstrapStore of identity (StoreError) {
        offer_claim(claim: &BootstrapClaim) -> bool;
        is_claim_open(digest: &TokenDigest<kind::BootstrapClaim>, now: Timestamp) -> bool;
        use_claim(digest: &TokenDigest<kind::BootstrapClaim>, admin: &NewUser, now: Timestamp) -> UseClaim;
    }
    AttemptStore of identity (StoreError) {
        charge_attempt(key: &AttemptKey, policy: &LockoutPolicy, now: Timestamp) -> Charge;
        refund_attempt(attempt: &ChargedAttempt, policy: &LockoutPolicy) -> ();
        clear_attempts(key: &AttemptKey) -> ();
        unlock_account(account: &AccountKey, policy: &LockoutPolicy, now: Timestamp) -> bool;
        find_lock(key: &AttemptKey, policy: &LockoutPolicy, now: Timestamp) -> Option<Lock>;
        locks(policy: &LockoutPolicy, now: Timestamp) -> Vec<LockView>;
        spent_attempts(policy: &LockoutPolicy, now: Timestamp, most: u32) -> Vec<AttemptKey>;
        purge_attempts(keys: &[AttemptKey], policy: &LockoutPolicy, now: Timestamp) -> u64;
    }
    LinkStore of identity (StoreError) {
        find_linked(identity: &ExternalIdentity) -> Option<User>;
        links_of(user: UserId) -> Vec<Link>;
        insert_link(permit: &LinkPermit) -> InsertLink;
        insert_first_link(link: &Link) -> InsertLink;
        remove_link(user: UserId, issuer: &str) -> RemoveLink;
    }
    OauthFlowStore of identity (StoreError) {
        insert_oauth_flow(flow: &OauthFlowRecord, room: OauthFlowRoom, now: Timestamp) -> InsertOauthFlow;
        take_oauth_flow(state: &TokenDigest<kind::OauthState>) -> Option<OauthFlowRecord>;
    }
    SessionStore of identity (StoreError) {
        insert_session(record: &SessionRecord, parallel: u32) -> SessionWrite;
        find_session(digest: &TokenDigest<kind::Session>) -> Option<StoredSession>;
        rotate_session(old: &TokenDigest<kind::Session>, record: &SessionRecord, parallel: u32) -> SessionWrite;
        touch_session(digest: &TokenDigest<kind::Session>, touch: &SessionTouch) -> bool;
        charge_session_attempt(digest: &TokenDigest<kind::Session>, limit: u32) -> Option<u32>;
        end_session(digest: &TokenDigest<kind::Session>) -> bool;
        end_session_of(user: UserId, id: SessionId) -> bool;
        end_sessions_except(user: UserId, kept: SessionId) -> u64;
        end_sessions_of(user: UserId) -> u64;
        end_all_sessions() -> u64;
        sessions_of(user: UserId) -> Vec<StoredSession>;
        ended_sessions(expired_before: Timestamp, idle_since: Timestamp, most: u32) -> Vec<TokenDigest<kind::Session>>;
        purge_sessions(sessions: &[TokenDigest<kind::Session>], expired_before: Timestamp, idle_since: Timestamp) -> u64;
    }
    FactorStore of identity (StoreError) {
        put_pending_totp(record: &TotpRecord) -> bool;
        put_active_totp(record: &TotpRecord, recovery: &RecoverySetRecord) -> bool;
        pending_totp(user: UserId) -> Option<TotpRecord>;
        active_totp(user: UserId) -> Option<TotpRecord>;
        confirm_totp(id: FactorId, step: TotpStep, recovery: &RecoverySetRecord, now: Timestamp) -> bool;
        advance_totp_step(id: FactorId, step: TotpStep) -> bool;
        consume_recovery_code(user: UserId, digest: &TokenDigest<kind::RecoveryCode>) -> Option<u32>;
        replace_recovery_codes(set: &RecoverySetRecord) -> bool;
        count_recovery_codes(user: UserId) -> u32;
        remove_factors(user: UserId) -> bool;
        factors_of(user: UserId) -> Vec<FactorSummary>;
        charge_factor_attempt(user: UserId, limit: AttemptLimit, now: Timestamp) -> FactorCharge;
        refund_factor_attempt(user: UserId, charged_at: Timestamp) -> ();
    }
    ApiKeyStore of identity (StoreError) {
        insert_api_key(record: &ApiKeyRecord) -> ApiKeyWrite;
        rotate_api_key(old: &Retirement, record: &ApiKeyRecord) -> ApiKeyWrite;
        find_api_key(digest: &TokenDigest<kind::ApiKey>) -> Option<ApiKeyRecord>;
        api_key_of(owner: UserId, id: ApiKeyId) -> Option<ApiKeyRecord>;
        api_keys_of(owner: UserId) -> Vec<ApiKeyRecord>;
        touch_api_key(id: ApiKeyId, last_used: &ApiKeyUse, not_after: Timestamp) -> bool;
        revoke_api_key(owner: UserId, id: ApiKeyId, now: Timestamp) -> bool;
        revoke_api_key_family(family: ApiKeyId, now: Timestamp) -> u64;
        revoke_api_keys_of(owner: UserId, now: Timestamp) -> u64;
    }
    AuditStore of audit (AuditStoreError) {
        head() -> Option<SealedHead>;
        insert(record: &StoredRecord, head: &SealedHead) -> ();
        find_personal(facts: &PersonalFacts) -> Option<Digest>;
        insert_personal(personal: &Personal) -> ();
        page(filter: &Filter, limit: u32, visit: VisitRow<'_>) -> ();
        scan(after: Option<Seq>, visit: VisitRow<'_>) -> ();
        personal(ids: &[Digest], visit: VisitPersonal<'_>) -> ();
        all_personal(visit: VisitPersonal<'_>) -> ();
        erase(erasure: &Erasure) -> u64;
        delete_personal(ids: &[Digest]) -> ();
        segment() -> Option<SealedSegment>;
        prune(segment: &SealedSegment, head: &SealedHead) -> ();
        retire() -> u64;
    }
}
