//! What is done with accounts at other providers: logging in with one, and connecting sources to one. What is said to a provider is behind a port.

mod connect;
mod flow;
mod login;
mod port;

pub use connect::{
    CheckedConnection, ConnectError, ConnectableSource, Connected, ConnectionDesk, ConnectionError, Connections, Disconnected,
    GrantedAccount, GrantedConnection, WantedAccount, WantedConnection,
};
pub use flow::FlowRefusal;
pub use login::{BeginExternalLogin, ExternalLogIn, ExternalLoginError, FinishExternalLogin};
pub use port::{BegunFlow, ExternalAccount, LoginProvider, LoginProviders, ProviderFailure, ProviderProblem};
