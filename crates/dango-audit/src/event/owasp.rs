//! The words of the OWASP Application Logging Vocabulary that our events are mapped to; the events themselves are in the table.

macro_rules! vocabulary {
    ($($variant:ident = $word:literal,)*) => {
        /// A word of the OWASP Application Logging Vocabulary (OWASP Cheat Sheet Series), for tools that look for those.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Owasp {
            $(
                #[doc = concat!("`", $word, "`")]
                $variant,
            )*
        }

        impl Owasp {
            /// Every word.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word as the vocabulary spells it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

vocabulary! {
    AuthnLoginSuccess = "authn_login_success",
    AuthnLoginFail = "authn_login_fail",
    AuthnLoginLock = "authn_login_lock",
    AuthnPasswordChange = "authn_password_change",
    AuthnPasswordChangeFail = "authn_password_change_fail",
    AuthnTokenCreated = "authn_token_created",
    AuthnTokenRevoked = "authn_token_revoked",
    AuthnTokenReuse = "authn_token_reuse",
    AuthzFail = "authz_fail",
    AuthzChange = "authz_change",
    AuthzAdmin = "authz_admin",
    CryptDecryptFail = "crypt_decrypt_fail",
    CryptEncryptFail = "crypt_encrypt_fail",
    ExcessRateLimitExceeded = "excess_rate_limit_exceeded",
    InputValidationFail = "input_validation_fail",
    MaliciousCors = "malicious_cors",
    MaliciousDirectReference = "malicious_direct_reference",
    PrivilegePermissionsChanged = "privilege_permissions_changed",
    SensitiveCreate = "sensitive_create",
    SensitiveRead = "sensitive_read",
    SensitiveUpdate = "sensitive_update",
    SensitiveDelete = "sensitive_delete",
    SequenceFail = "sequence_fail",
    SessionRenewed = "session_renewed",
    SessionExpired = "session_expired",
    SessionUseAfterExpire = "session_use_after_expire",
    SysStartup = "sys_startup",
    SysShutdown = "sys_shutdown",
    SysMonitorDisabled = "sys_monitor_disabled",
    SysMonitorEnabled = "sys_monitor_enabled",
    UploadComplete = "upload_complete",
    UploadDelete = "upload_delete",
    UserCreated = "user_created",
    UserUpdated = "user_updated",
    UserArchived = "user_archived",
    UserDeleted = "user_deleted",
}
