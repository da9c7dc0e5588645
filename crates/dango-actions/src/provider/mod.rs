//! What is done with accounts at other providers: logging in with one, and connecting sources to one. What is said to a provider is behind a port.

mod connect;
mod flow;
mod link;
mod login;
mod port;

pub use connect::{
    BrokenCause, CheckedConnection, ConnectError, ConnectableSource, Connected, ConnectionDesk, ConnectionError, ConnectionTrouble,
    Connections, Disconnected, GrantedAccount, GrantedConnection, WantedAccount, WantedConnection,
};
pub use flow::FlowRefusal;
pub use link::{LinkError, LoginWay, LoginWays, UnlinkError};
pub use login::{BeginExternalLogin, ExternalLogIn, ExternalLoginError, FinishExternalLogin, FinishedExternal};
pub use port::{BegunFlow, ExternalAccount, LoginProvider, LoginProviders, ProviderFailure, ProviderProblem};
