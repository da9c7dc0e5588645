//! Every event that a record can tell of, as one table: name, category, word of the OWASP vocabulary. What a record holds is elsewhere.
//!
//! The first part keeps the names of earlier Dango versions, whose logs are imported; a name, once used, keeps its spelling.

mod owasp;

use std::fmt;
use std::str::FromStr;

pub use owasp::Owasp;

use crate::draft::Outcome;

/// What kind of thing an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Category {
    /// Who comes in: login, second factor, sessions.
    Authentication,
    /// Who may do what, and who was refused.
    Authorization,
    /// Accounts of people and their invitations.
    Users,
    /// Credentials that a program uses in a person's place.
    ApiKeys,
    /// Values in `secrets.toml` and `.env`.
    Secrets,
    /// The keys that protect everything else.
    Keys,
    /// Data sources, their connections, their runs.
    Sources,
    /// Deployed projects.
    Remote,
    /// This log itself.
    Audit,
    /// The system: server, database, settings.
    System,
    /// What earlier Dango versions recorded besides; only read from their logs.
    Workspace,
}

impl Category {
    /// The category's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Users => "users",
            Self::ApiKeys => "api_keys",
            Self::Secrets => "secrets",
            Self::Keys => "keys",
            Self::Sources => "sources",
            Self::Remote => "remote",
            Self::Audit => "audit",
            Self::System => "system",
            Self::Workspace => "workspace",
        }
    }
}

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $category:ident, $owasp:ident $(, fails as $failed:ident)?;)*) => {
        /// Something that happened and is worth a record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Event {
            $(
                #[doc = concat!("`", $name, "`")]
                $(#[$doc])*
                $variant,
            )*
        }

        impl Event {
            /// Every event, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The event's name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What kind of thing it is about.
            pub const fn category(self) -> Category {
                match self {
                    $(Self::$variant => Category::$category,)*
                }
            }

            /// The word of the OWASP vocabulary for this event when it ended so. A refusal is an `authz_fail` whatever was tried,
            /// but where somebody proves to be somebody, and for events that are refusals by themselves.
            pub fn owasp(self, outcome: Option<Outcome>) -> Owasp {
                let (word, failed) = self.owasp_words();
                let is_own = self.category() == Category::Authentication || failed == Some(word);
                match outcome {
                    Some(Outcome::Failure) => failed.unwrap_or(word),
                    Some(Outcome::Denied) => failed.filter(|_| is_own).unwrap_or(Owasp::AuthzFail),
                    Some(Outcome::Success) | None => word,
                }
            }

            const fn owasp_words(self) -> (Owasp, Option<Owasp>) {
                match self {
                    $(Self::$variant => (Owasp::$owasp, failed!($($failed)?)),)*
                }
            }
        }
    };
}

macro_rules! failed {
    () => {
        None
    };
    ($word:ident) => {
        Some(Owasp::$word)
    };
}

events! {
    // Names of earlier versions.
    LoginSuccess = "login_success", Authentication, AuthnLoginSuccess;
    LoginFailure = "login_failure", Authentication, AuthnLoginFail, fails as AuthnLoginFail;
    Logout = "logout", Authentication, SessionExpired;
    SessionExpired = "session_expired", Authentication, SessionExpired;
    PasswordChange = "password_change", Authentication, AuthnPasswordChange, fails as AuthnPasswordChangeFail;
    PasswordReset = "password_reset", Authentication, AuthnPasswordChange, fails as AuthnPasswordChangeFail;
    UserCreated = "user_created", Users, UserCreated;
    UserDeactivated = "user_deactivated", Users, UserArchived;
    UserReactivated = "user_reactivated", Users, UserUpdated;
    UserDeleted = "user_deleted", Users, UserDeleted;
    RoleChanged = "role_changed", Users, AuthzChange;
    PermissionDenied = "permission_denied", Authorization, AuthzFail, fails as AuthzFail;
    RateLimitHit = "rate_limit_hit", Authorization, ExcessRateLimitExceeded, fails as ExcessRateLimitExceeded;
    AccountLocked = "account_locked", Authentication, AuthnLoginLock, fails as AuthnLoginLock;
    AccountUnlocked = "account_unlocked", Users, UserUpdated;
    TwoFaEnabled = "two_fa_enabled", Authentication, UserUpdated, fails as AuthnLoginFail;
    TwoFaDisabled = "two_fa_disabled", Authentication, UserUpdated, fails as AuthnLoginFail;
    ApiKeyCreated = "api_key_created", ApiKeys, AuthnTokenCreated;
    ApiKeyRevoked = "api_key_revoked", ApiKeys, AuthnTokenRevoked;
    RecoveryCodeUsed = "recovery_code_used", Authentication, AuthnLoginSuccess, fails as AuthnLoginFail;
    InviteAccepted = "invite_accepted", Users, UserUpdated, fails as AuthnTokenReuse;
    InviteResent = "invite_resent", Users, UserUpdated;
    SecretSet = "secret_set", Secrets, SensitiveUpdate;
    SecretDeleted = "secret_deleted", Secrets, SensitiveDelete;
    OauthSourceConnected = "oauth_source_connected", Sources, AuthnTokenCreated;
    OauthSourceDisconnected = "oauth_source_disconnected", Sources, AuthnTokenRevoked;
    ScriptRun = "script_run", Workspace, AuthzAdmin;
    ScriptCancelled = "script_cancelled", Workspace, AuthzAdmin;
    ScheduleCreated = "schedule_created", Workspace, SensitiveCreate;
    ScheduleUpdated = "schedule_updated", Workspace, SensitiveUpdate;
    ScheduleDeleted = "schedule_deleted", Workspace, SensitiveDelete;
    ScheduleTriggered = "schedule_triggered", Workspace, AuthzAdmin;
    SchedulesReloaded = "schedules_reloaded", Workspace, AuthzAdmin;
    JobCancelled = "job_cancelled", Workspace, AuthzAdmin;
    SyncTriggered = "sync_triggered", Sources, SensitiveRead;
    NotebookCreated = "notebook_created", Workspace, SensitiveCreate;
    NotebookDeleted = "notebook_deleted", Workspace, SensitiveDelete;
    NotebookLockForceReleased = "notebook_lock_force_released", Workspace, AuthzAdmin;
    NotebookMarimoRestarted = "notebook_marimo_restarted", Workspace, AuthzAdmin;
    GovernanceDriftViewed = "governance_drift_viewed", Workspace, SensitiveRead;
    GovernancePiiViewed = "governance_pii_viewed", Workspace, SensitiveRead;
    CatalogViewed = "catalog_viewed", Workspace, SensitiveRead;
    MonitoringViewed = "monitoring_viewed", Workspace, SensitiveRead;
    AiCatalogViewed = "ai_catalog_viewed", Workspace, SensitiveRead;
    DeploymentHistoryViewed = "deployment_history_viewed", Workspace, SensitiveRead;
    GovernanceDriftAccepted = "governance_drift_accepted", Workspace, AuthzAdmin;
    QueryExecuted = "query_executed", Workspace, SensitiveRead;
    CsvUploaded = "csv_uploaded", Workspace, UploadComplete;
    CsvDeleted = "csv_deleted", Workspace, UploadDelete;
    CatalogProfileTriggered = "catalog_profile_triggered", Workspace, AuthzAdmin;
    TelemetryToggled = "telemetry_toggled", Workspace, AuthzAdmin;

    // Coming in and staying in.
    SessionRevoked = "session_revoked", Authentication, SessionExpired;
    SessionRowInvalid = "session_row_invalid", Authentication, MaliciousDirectReference, fails as MaliciousDirectReference;
    SessionUseAfterExpire = "session_use_after_expire", Authentication, SessionUseAfterExpire, fails as SessionUseAfterExpire;
    Reauthenticated = "reauthenticated", Authentication, SessionRenewed, fails as AuthnLoginFail;
    TwoFaSetupStarted = "two_fa_setup_started", Authentication, UserUpdated, fails as AuthnLoginFail;
    /// The password was right; the second factor is still to come.
    SecondFactorRequested = "second_factor_requested", Authentication, AuthnLoginSuccess, fails as AuthnLoginFail;
    TwoFaVerified = "two_fa_verified", Authentication, AuthnLoginSuccess, fails as AuthnLoginFail;
    TwoFaReset = "two_fa_reset", Users, UserUpdated;
    RecoveryCodesRegenerated = "recovery_codes_regenerated", Authentication, AuthnTokenCreated, fails as AuthnLoginFail;
    PasswordRehashed = "password_rehashed", Authentication, AuthnPasswordChange, fails as AuthnPasswordChangeFail;
    LoginProviderLinked = "login_provider_linked", Users, UserUpdated, fails as AuthnLoginFail;
    LoginProviderUnlinked = "login_provider_unlinked", Users, UserUpdated;
    DeviceTrusted = "device_trusted", Authentication, AuthnTokenCreated;
    CrossSiteRefused = "cross_site_refused", Authorization, MaliciousCors, fails as MaliciousCors;
    StageViolated = "stage_violated", Authorization, SequenceFail, fails as SequenceFail;
    InputRefused = "input_refused", Authorization, InputValidationFail, fails as InputValidationFail;

    // People.
    AdminClaimed = "admin_claimed", Users, UserCreated, fails as AuthnTokenReuse;
    SetupLinkIssued = "setup_link_issued", Users, AuthnTokenCreated;
    InviteCreated = "invite_created", Users, AuthnTokenCreated;
    InviteRevoked = "invite_revoked", Users, AuthnTokenRevoked;
    EmailChanged = "email_changed", Users, UserUpdated;
    AccountRecovered = "account_recovered", Users, UserUpdated;
    UsersImported = "users_imported", Users, UserCreated;
    AuthEnabled = "auth_enabled", Authorization, SysMonitorEnabled;
    AuthDisabled = "auth_disabled", Authorization, SysMonitorDisabled;

    // API keys.
    ApiKeyRotated = "api_key_rotated", ApiKeys, AuthnTokenCreated;
    ApiKeyRefused = "api_key_refused", ApiKeys, AuthnTokenReuse, fails as AuthnTokenReuse;

    // Values.
    SecretRevealed = "secret_revealed", Secrets, SensitiveRead;
    SecretsImported = "secrets_imported", Secrets, SensitiveCreate;
    SecretsExported = "secrets_exported", Secrets, SensitiveRead;
    SecretsEncrypted = "secrets_encrypted", Secrets, SensitiveUpdate, fails as CryptEncryptFail;
    SecretsDecrypted = "secrets_decrypted", Secrets, SensitiveUpdate, fails as CryptDecryptFail;
    SecretsResealed = "secrets_resealed", Secrets, SensitiveUpdate, fails as CryptEncryptFail;
    SecretRolledBack = "secret_rolled_back", Secrets, SensitiveUpdate;
    SecretsUsed = "secrets_used", Secrets, SensitiveRead, fails as CryptDecryptFail;
    CredentialRotationStarted = "credential_rotation_started", Secrets, SensitiveUpdate;
    CredentialRotationAborted = "credential_rotation_aborted", Secrets, SensitiveUpdate;
    CredentialRotated = "credential_rotated", Secrets, SensitiveUpdate;
    CredentialExposed = "credential_exposed", Secrets, SensitiveRead;

    // Keys.
    KeyCreated = "key_created", Keys, SensitiveCreate;
    KeyRotated = "key_rotated", Keys, SensitiveUpdate, fails as CryptEncryptFail;
    KeyExported = "key_exported", Keys, SensitiveRead;
    KeyImported = "key_imported", Keys, SensitiveCreate;
    IdentityKeyCreated = "identity_key_created", Keys, SensitiveCreate;
    IdentityKeyRotated = "identity_key_rotated", Keys, SensitiveUpdate, fails as CryptEncryptFail;

    // Sources and their connections.
    SourceAdded = "source_added", Sources, SensitiveCreate;
    SourceEdited = "source_edited", Sources, SensitiveUpdate;
    SourceRemoved = "source_removed", Sources, SensitiveDelete;
    SourceChecked = "source_checked", Sources, SensitiveRead;
    OauthSetup = "oauth_setup", Sources, SensitiveUpdate;
    OauthStarted = "oauth_started", Sources, AuthzAdmin;
    OauthRefused = "oauth_refused", Sources, AuthzFail, fails as AuthzFail;
    OauthRefreshed = "oauth_refreshed", Sources, AuthnTokenCreated;
    OauthChecked = "oauth_checked", Sources, SensitiveRead;

    // Deployed projects.
    RemoteAdded = "remote_added", Remote, SensitiveCreate;
    RemoteRemoved = "remote_removed", Remote, SensitiveDelete;
    RemoteSelected = "remote_selected", Remote, AuthzAdmin;
    RemoteHostKeyRecorded = "remote_host_key_recorded", Remote, PrivilegePermissionsChanged;
    RemoteHostKeyRefused = "remote_host_key_refused", Remote, AuthzFail, fails as AuthzFail;
    RemoteEnvViewed = "remote_env_viewed", Remote, SensitiveRead;
    RemoteEnvSet = "remote_env_set", Remote, SensitiveUpdate;
    RemoteEnvDeleted = "remote_env_deleted", Remote, SensitiveDelete;
    RemoteSecretsPushed = "remote_secrets_pushed", Remote, SensitiveUpdate;

    // This log.
    AuditViewed = "audit_viewed", Audit, SensitiveRead;
    AuditExported = "audit_exported", Audit, SensitiveRead;
    AuditVerified = "audit_verified", Audit, SensitiveRead;
    AuditPruned = "audit_pruned", Audit, SensitiveDelete;
    AuditImported = "audit_imported", Audit, SensitiveCreate;
    AuditChainStarted = "audit_chain_started", Audit, SysMonitorEnabled;
    /// `details.count` says of how many entries; verification holds it against what is gone.
    PersonalDataErased = "personal_data_erased", Audit, SensitiveDelete;

    // The system.
    ProjectInitialized = "project_initialized", System, SensitiveCreate;
    ServerStarted = "server_started", System, SysStartup;
    ServerStopped = "server_stopped", System, SysShutdown;
    DatabaseMigrated = "database_migrated", System, AuthzAdmin;
    SettingsChanged = "settings_changed", System, AuthzAdmin;
    PermissionsTightened = "permissions_tightened", System, PrivilegePermissionsChanged;
    /// Something that `dango doctor` found was put right.
    ProjectRepaired = "project_repaired", System, SensitiveUpdate;
    HookInstalled = "hook_installed", System, SysMonitorEnabled;
    ScanFound = "scan_found", System, SensitiveRead;
    /// The files with the project's values went to a database, or came back.
    ProjectMoved = "project_moved", System, SensitiveUpdate;
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is the name of no event. The text is not kept; [`Event::ALL`] has the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no event of that name")]
pub struct UnknownEvent;

impl FromStr for Event {
    type Err = UnknownEvent;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|event| event.as_str() == text).ok_or(UnknownEvent)
    }
}

#[cfg(test)]
mod tests;
