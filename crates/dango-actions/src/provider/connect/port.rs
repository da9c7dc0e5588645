//! The port to connections: what is asked of providers and stored for sources. Tokens never come this far up.

use dango_audit::Word;
use dango_core::{SourceName, SourceType};
use dango_identity::{PlainToken, kind};
use dango_store::BoxFuture;

use crate::desk::{FilesError, ListedConnection};
use crate::provider::port::{BegunFlow, ProviderFailure};

/// A type of source that is connected by a login at its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectableSource {
    /// The type.
    pub source_type: SourceType,
    /// How people know it.
    pub title: String,
    /// How people know its provider.
    pub provider: String,
}

/// The connection that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedConnection {
    /// The type of the source, which the callback's path names, too.
    pub source_type: SourceType,
    /// The name of the source.
    pub name: SourceName,
}

/// The tokens of one connection go to and fro behind this.
///
/// An implementation must hold to this:
///
/// - an answer of another provider or issuer is refused before the code of it is sent anywhere;
/// - one renewal of a connection is in flight at a time, over all processes, and new tokens are on the disk before they are used;
/// - a failure that may pass costs no stored token, and no failure repeats what a provider said;
/// - each call ends within two minutes, and goes on to its end where nobody waits for it any more.
pub trait Connections: Send + Sync {
    /// What can be connected, in the order in which pages show it. It is asked on threads that must not wait.
    fn sources(&self) -> Vec<ConnectableSource>;

    /// What stands in the way of a stored connection, as far as it is known. It is asked on threads that must not wait.
    fn trouble(&self, listed: &ListedConnection) -> Option<ConnectionTrouble>;

    /// Begins a flow; the provider sends the browser back to `redirect_uri`.
    fn begin<'a>(&'a self, wanted: &'a WantedConnection, redirect_uri: &'a str) -> BoxFuture<'a, Result<BegunFlow, ProviderFailure>>;

    /// The `state` in the query of an answer, if it is an answer and has one of ours.
    fn state_of(&self, query: &str) -> Option<PlainToken<kind::OauthState>>;

    /// Redeems the code of an answer. Nothing is stored yet.
    fn redeem<'a>(
        &'a self,
        wanted: &'a WantedConnection,
        kept: &'a [u8],
        query: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn GrantedConnection>, ProviderFailure>>;

    /// Asks the provider whether a stored connection works.
    fn check<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<CheckedConnection, FilesError>>;

    /// Gives a grant back at the provider, as well as it can be done, and removes everything that was stored for it.
    fn disconnect<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Disconnected, FilesError>>;
}

/// A connection that was granted and waits to be stored. What is dropped is forgotten; the grant stays at the provider.
pub trait GrantedConnection: Send {
    /// Whether it is for another account than the one that is stored under the name.
    fn account(&self) -> GrantedAccount;

    /// Stores it: the fields of the source and the record, in one save. It may block its thread, and has no runtime around it.
    fn save(self: Box<Self>) -> BoxFuture<'static, Result<(), FilesError>>;
}

/// Whose account a new grant is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantedAccount {
    /// Nothing was stored, it is the same, or one of the two is not known.
    MayStay,
    /// It is another one than before.
    IsAnother,
}

/// What stands in the way of a connection, apart from its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionTrouble {
    /// Not everything was granted that the source needs.
    Limited {
        /// What is missing, as the provider calls it.
        missing: Vec<String>,
    },
    /// The provider takes it no more.
    Broken(BrokenCause),
}

/// Why a provider most likely takes a connection no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenCause {
    /// Its time was over.
    Ended,
    /// The provider ends what it grants to an app in its testing phase.
    TestingPhase {
        /// After so many days.
        days: u32,
    },
    /// It was revoked, or its user changed the password or left.
    Revoked,
    /// The provider knows the app no more, or wants something else of it. What was granted is kept.
    Misconfigured,
}

/// What a live check has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedConnection {
    /// Whether the connection counts as good: it does unless the provider plainly says otherwise.
    pub is_valid: bool,
    /// What stood in the way: a code and a sentence of the program's text.
    pub error: Option<(Word, &'static str)>,
}

/// A connection that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disconnected {
    /// Whether the provider took the grant back.
    pub revoked_at_provider: bool,
}
