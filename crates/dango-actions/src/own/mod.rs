//! What people do for themselves: log in, and look after their own account. What administrators do to others is in `accounts`.

mod api_keys;
mod arrival;
mod authentication;
mod bearers;
mod charging;
mod ended;
mod login;
mod password;
mod proof;
mod second_factor;
mod sessions;
mod turns;

pub use api_keys::{ApiKeyError, RevokeApiKeyError};
pub use arrival::{AcceptInviteError, ClaimAdministratorError};
pub use authentication::{AuthenticateError, KeyHolder};
pub(crate) use bearers::Bearers;
pub use ended::LetGo;
pub use login::{LogInError, LogInStep, Login, VerifyCodeError};
pub use password::{ChangePasswordError, ReauthenticateError};
pub use second_factor::{BeginSetupError, DisableFactorError, EnabledFactor, FinishSetupError, RegenerateCodesError};
pub use sessions::RevokeSessionError;
pub(crate) use turns::Turns;
