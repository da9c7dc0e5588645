//! What all use cases share: the store, the derived keys, the rules of the domains. Built once at start.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use dango_audit::ChainKey;
use dango_audit::checkpoint::{CheckpointKey, CheckpointVerifier, LogName};
use dango_core::{Clock, Entropy, EntropyError};
use dango_identity::{
    ApiKeyPolicy, ApiKeys, AuditChainKey, AuditCheckpointSeed, DeviceKey, HashPasswordError, HashingCost, HashingGate, IdentityKey,
    LockoutPolicy, LoginRules, OauthFlows, PasswordHasher, PasswordPolicy, PasswordProfile, Pepper, Role, SecondFactors, SessionLimits,
    Sessions, TokenKey,
};
use dango_store::Store;

use crate::fault::Fault;
use crate::own::{Bearers, Turns};
use crate::permit::DenialCap;
use crate::public_url::PublicUrl;
use crate::workers::{InPlace, Workers, offload};

/// What can be chosen about the use cases; the default is right for a project on one's own machine.
pub struct Setup {
    /// What links begin with.
    pub public_url: PublicUrl,
    /// The name of the audit log and of the key that signs its checkpoints.
    pub log_name: LogName,
    /// When accounts are locked.
    pub lockout: LockoutPolicy,
    /// How long a login waits for tries of its account at other servers of the same database, which may turn out right; zero where there
    /// are no such servers.
    pub login_patience: Duration,
    /// How long sessions last.
    pub session_limits: SessionLimits,
    /// What API keys may be made.
    pub api_key_policy: ApiKeyPolicy,
    /// How long passwords have to be.
    pub password_profile: PasswordProfile,
    /// What a hash costs.
    pub hashing_cost: HashingCost,
    /// How many passwords are hashed at once: the number of cores is right.
    pub hashing_permits: NonZeroUsize,
    /// How many wait for that; the rest is sent away.
    pub hashing_queue: usize,
    /// Roles whose users can do nothing but enrol until they have a second factor.
    pub second_factor_roles: Vec<Role>,
    /// Names of the organisation, the project and the host, which are no passwords.
    pub context_words: Vec<String>,
    /// What authenticator apps show as the issuer.
    pub issuer: String,
    /// Identity keys that were replaced: passwords under them still count, until their next login.
    pub retired_keys: Vec<IdentityKey>,
    /// Where passwords are hashed.
    pub workers: Arc<dyn Workers>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            public_url: PublicUrl::default(),
            log_name: "dango/audit".parse().expect("a name without blanks is the name of a log"),
            lockout: LockoutPolicy::default(),
            login_patience: Duration::ZERO,
            session_limits: SessionLimits::default(),
            api_key_policy: ApiKeyPolicy::default(),
            password_profile: PasswordProfile::default(),
            hashing_cost: HashingCost::default(),
            hashing_permits: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            hashing_queue: 256,
            second_factor_roles: Vec::new(),
            context_words: Vec::new(),
            issuer: "Dango".to_owned(),
            retired_keys: Vec::new(),
            workers: Arc::new(InPlace),
        }
    }
}

/// The use cases of Dango over one store, under one identity key. Clones share everything.
///
/// Building it derives a few keys, and neither hashes nor asks the store anything: a command that only records a change pays
/// microseconds for it.
#[derive(Clone)]
pub struct Actions(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) workers: Arc<dyn Workers>,
    pub(crate) chain: ChainKey,
    pub(crate) checkpoint_key: CheckpointKey,
    pub(crate) log_name: LogName,
    pub(crate) tokens: TokenKey,
    pub(crate) device: DeviceKey,
    pub(crate) hasher: Arc<PasswordHasher>,
    pub(crate) policy: PasswordPolicy,
    pub(crate) context_words: Vec<String>,
    pub(crate) turns: Turns,
    pub(crate) login_patience: Duration,
    pub(crate) rules: LoginRules,
    pub(crate) sessions: Sessions,
    pub(crate) factors: SecondFactors,
    pub(crate) api_keys: ApiKeys,
    pub(crate) oauth_flows: OauthFlows,
    pub(crate) public_url: PublicUrl,
    pub(crate) issuer: String,
    pub(crate) denials: DenialCap,
    pub(crate) bearers: Bearers,
}

impl Actions {
    /// Builds the use cases.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness.
    pub fn new(
        store: Arc<dyn Store>,
        key: &IdentityKey,
        setup: Setup,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, EntropyError> {
        let gate = Arc::new(HashingGate::new(setup.hashing_permits, setup.hashing_queue));
        let retired = setup.retired_keys.iter().map(Pepper::derive).collect();
        let hasher = PasswordHasher::new(setup.hashing_cost, Pepper::derive(key), retired, gate, &*entropy)?;
        let hasher = Arc::new(hasher);
        let kept = Arc::downgrade(&hasher);
        setup.workers.when_quiet(Box::new(move || {
            if let Some(hasher) = kept.upgrade() {
                hasher.release_memory();
            }
        }));
        let seed = AuditCheckpointSeed::derive(key);
        Ok(Self(Arc::new(Inner {
            store,
            clock,
            entropy,
            workers: setup.workers,
            chain: ChainKey::from_derived(AuditChainKey::derive(key).expose()),
            checkpoint_key: CheckpointKey::from_derived(setup.log_name.clone(), seed.expose()),
            log_name: setup.log_name,
            tokens: TokenKey::derive(key),
            device: DeviceKey::derive(key),
            hasher,
            policy: PasswordPolicy::new(setup.password_profile),
            context_words: setup.context_words,
            turns: Turns::new(setup.lockout.failures()),
            login_patience: setup.login_patience,
            rules: LoginRules::new(key, setup.lockout).with_second_factor_for(&setup.second_factor_roles),
            sessions: Sessions::new(key, setup.session_limits),
            factors: SecondFactors::new(key),
            api_keys: ApiKeys::new(key, setup.api_key_policy),
            oauth_flows: OauthFlows::new(key),
            public_url: setup.public_url,
            issuer: setup.issuer,
            denials: DenialCap::default(),
            bearers: Bearers::default(),
        })))
    }

    /// The public key with which anybody checks this log's checkpoints.
    pub fn checkpoint_verifier(&self) -> &CheckpointVerifier {
        self.0.checkpoint_key.verifier()
    }

    pub(crate) fn from_inner(inner: Arc<Inner>) -> Self {
        Self(inner)
    }

    pub(crate) fn inner(&self) -> Arc<Inner> {
        Arc::clone(&self.0)
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    pub(crate) fn denials(&self) -> &DenialCap {
        &self.0.denials
    }

    /// Hashes or verifies, where work that blocks is done.
    pub(crate) async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PasswordHasher, &dyn Entropy) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let inner = self.inner();
        offload(&*self.0.workers, move || work(&inner.hasher, &*inner.entropy)).await
    }

    /// As [`Actions::hashing`], where the work may fail.
    pub(crate) async fn hash<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PasswordHasher, &dyn Entropy) -> Result<T, HashPasswordError> + Send + 'static,
    ) -> Result<T, Fault> {
        Ok(self.hashing(work).await??)
    }
}
