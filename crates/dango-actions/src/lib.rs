//! Use cases: may the caller, do it, record it, commit — one function each, for the command line and the server alike. No rule of a domain, no SQL, no HTTP and no terminal lives here.
//!
//! - [`Actions`]: everything below is a method of it; cheap to build, cheap to clone;
//! - [`Caller`] and [`Permit`]: who wants something, and the ticket that says that they may; an action does not compile without its ticket;
//! - accounts: [`Actions::add_user`], [`Actions::list_users`], [`Actions::change_role`], [`Actions::recover`] and the like;
//! - [`IdentityKeyFile`]: the key that all of it needs, from the environment or from `.dango/identity.key`;
//! - [`Premises`]: where a project's database, key and checkpoint are, and whether there should be a database;
//! - logging in: [`Actions::log_in`], [`Actions::verify_second_factor`], [`Actions::authenticate`], and what people do with their own
//!   account: [`Actions::change_password`], [`Actions::list_sessions`], [`Actions::make_api_key`], [`Actions::begin_enrolment`];
//! - an earlier Dango: [`Actions::plan_import`] and [`Actions::import`] take over its people and its log;
//! - changes of files: [`Actions::begin_changes`] before, [`Actions::finish_changes`] after;
//! - a project's secrets for people who are not at the machine: [`SecretsDesk`], over files that are a port, [`ProjectFiles`];
//! - stored values for programs with an API key, and credentials changed: [`ValuesDesk`], over a port, [`ProjectValues`];
//! - sources connected to their providers: [`ConnectionDesk`], over a port, [`Connections`];
//! - logging in with an account elsewhere: [`Actions::begin_external_login`], [`Actions::finish_external_login`], over a port,
//!   [`LoginProviders`];
//! - the audit log itself: [`Actions::list_audit`], [`Actions::verify_audit`], [`Actions::export_audit`].
//!
//! Every action leaves one audit record, whether it succeeded or was refused, in the transaction of the change: there is no
//! change without its record and no record without its change. Where the record cannot be written the change does not happen.
#![warn(missing_docs)]

mod accounts;
mod actions;
mod audit;
mod caller;
mod desk;
pub mod drafts;
mod fault;
mod holder;
mod identity_key;
mod import;
mod own;
mod permit;
mod premises;
mod provider;
mod public_url;
mod recording;
mod unit;
mod values;
mod workers;

pub use accounts::{
    AccountOutcome, AddUserError, AddedUser, AuthStatus, ChangeAccountError, ClaimError, ClaimLink, Credential, DeleteUserError, Effect,
    FirstLogin, InviteError, InviteLink, RecoverError, Recovered, ResetPassword, ResetPasswordError, RevokeInviteError, SwitchError,
    UserRef, UserView,
};
pub use actions::{Actions, Setup};
pub use audit::{
    AuditError, CheckpointError, CheckpointPolicy, ExportAuditError, Exported, KeptCheckpoint, PruneAuditError, SignedCheckpoint,
    VerifyAuditError, split_notes,
};
pub use caller::Caller;
pub use desk::{
    ChangeVariableError, FilesError, FilesProblem, LARGEST_VALUE, ListSecretsError, ListedConnection, ListedCredential, ListedVariable,
    ProjectFiles, SecretsDesk, SecretsListing, SetVariable, ValueError, VariableChange, VariableChanged, VariableEdit,
};
pub use fault::Fault;
pub use holder::{Holder, LoggedIn, SignedIn};
pub use identity_key::{FoundIdentityKey, IdentityKeyEnvironment, IdentityKeyError, IdentityKeyFile};
pub use import::{
    BAD_LINES, BadLine, Earlier, EarlierLog, FirstEntry, ImportError, ImportReport, ImportedEvents, ImportedFactor, ImportedKey,
    ImportedUser, KeySkipped, LineProblem, NoPassword, SkippedUser, UserSkipped,
};
pub use own::{
    AcceptInviteError, ApiKeyError, AuthenticateError, BeginSetupError, ChangePasswordError, ClaimAdministratorError, DisableFactorError,
    EnabledFactor, FinishSetupError, KeyHolder, LetGo, LogInError, LogInStep, Login, ReauthenticateError, RegenerateCodesError,
    RevokeApiKeyError, RevokeSessionError, VerifyCodeError,
};
pub use permit::{AuditView, AuthManage, DENIALS_A_MINUTE, Denied, Grant, Machine, Need, Permit, UsersManage, UsersView, ValuesRead};
pub use premises::{CheckpointStanding, KeepCheckpointError, Premises, PremisesError};
pub use provider::{
    BeginExternalLogin, BegunFlow, BrokenCause, CheckedConnection, ConnectError, ConnectableSource, Connected, ConnectionDesk,
    ConnectionError, ConnectionTrouble, Connections, Disconnected, ExternalAccount, ExternalLogIn, ExternalLoginError, FinishExternalLogin,
    FinishedExternal, FlowRefusal, GrantedAccount, GrantedConnection, LinkError, LoginProvider, LoginProviders, LoginWay, LoginWays,
    ProviderFailure, ProviderProblem, UnlinkError, WantedAccount, WantedConnection,
};
pub use public_url::{ParsePublicUrlError, PublicUrl};
pub use recording::{BeginChangesError, ChangeDraft, Ending, FinishChangesError, Pending};
pub use values::{
    ChangeCredentialError, CredentialChange, CredentialChanged, CredentialEntry, GivenValues, Keeping, ProjectValues, Purpose,
    ReadValuesError, Tables, ValuesDesk, ValuesListing, ValuesWarning, VariableEntry, WantedValues,
};
pub use workers::{InPlace, Workers};
