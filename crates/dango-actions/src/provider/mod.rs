//! What is done with accounts at other providers: logging in with one. What is said to a provider is behind a port.

mod flow;
mod login;
mod port;

pub use flow::FlowRefusal;
pub use login::{BeginExternalLogin, ExternalLogIn, ExternalLoginError, FinishExternalLogin};
pub use port::{BegunFlow, ExternalAccount, LoginProvider, LoginProviders, ProviderFailure, ProviderProblem};
