//! Providers that say what they are told to, for logins and connections, over files in memory.

use std::sync::{Arc, Mutex};

use dango_actions::{
    BegunFlow, CheckedConnection, ConnectableSource, ConnectionTrouble, Connections, Disconnected, ExternalAccount, FilesError,
    GrantedAccount, GrantedConnection, ListedConnection, LoginProvider, LoginProviders, ProjectFiles, ProviderFailure, SecretsListing,
    VariableChange, VariableChanged, WantedConnection,
};
use dango_core::OsEntropy;
use dango_identity::{EmailClaim, ExternalIdentity, FirstUse, PlainToken, kind};
use dango_store::BoxFuture;
use zeroize::Zeroizing;

use super::email;

/// Two providers that say what they are told to; each notes how often a code of it was redeemed.
pub struct Fake {
    providers: Vec<LoginProvider>,
    pub answer: Mutex<Result<ExternalAccount, ProviderFailure>>,
    redeemed: Mutex<u32>,
}

impl Fake {
    pub fn new(first_use: FirstUse) -> Self {
        let provider = |name: &str| LoginProvider {
            name: name.parse().expect("a name"),
            title: name.to_owned(),
            issuer: format!("https://{name}.example"),
            first_use,
        };
        Self {
            providers: vec![provider("google"), provider("github")],
            answer: Mutex::new(Ok(account("ada", EmailClaim::Absent))),
            redeemed: Mutex::new(0),
        }
    }

    pub fn says(&self, account: ExternalAccount) {
        *self.answer.lock().expect("whole") = Ok(account);
    }

    pub fn redeemed(&self) -> u32 {
        *self.redeemed.lock().expect("whole")
    }
}

impl LoginProviders for Fake {
    fn providers(&self) -> &[LoginProvider] {
        &self.providers
    }

    fn begin<'a>(&'a self, provider: &'a LoginProvider, redirect_uri: &'a str) -> BoxFuture<'a, Result<BegunFlow, ProviderFailure>> {
        Box::pin(async move {
            let state = PlainToken::make(&OsEntropy).expect("random");
            Ok(BegunFlow {
                url: format!("https://{}.example/authorize?state={}", provider.name, state.expose()),
                state,
                kept: Zeroizing::new(format!("verifier {redirect_uri}").into_bytes()),
            })
        })
    }

    fn state_of(&self, query: &str) -> Option<PlainToken<kind::OauthState>> {
        PlainToken::parse(query.strip_prefix("code=x&state=")?).ok()
    }

    fn finish<'a>(&'a self, _: &'a LoginProvider, kept: &'a [u8], _: &'a str) -> BoxFuture<'a, Result<ExternalAccount, ProviderFailure>> {
        assert!(kept.starts_with(b"verifier https://dango.example.com/"));
        *self.redeemed.lock().expect("whole") += 1;
        Box::pin(async move { self.answer.lock().expect("whole").clone() })
    }
}

pub fn account(subject: &str, email: EmailClaim) -> ExternalAccount {
    ExternalAccount {
        identity: ExternalIdentity::new("https://google.example", subject).expect("printable"),
        email,
    }
}

pub fn verified(address: &str) -> EmailClaim {
    EmailClaim::Verified(email(address))
}

/// A provider of Google Sheets, and the files of its connections.
#[derive(Default)]
pub struct Sheets(Arc<Mutex<Vec<ListedConnection>>>);

impl Sheets {
    /// The files that the connections are stored in.
    pub fn files(&self) -> Arc<dyn ProjectFiles> {
        Arc::new(Files(Arc::clone(&self.0)))
    }
}

struct Files(Arc<Mutex<Vec<ListedConnection>>>);

impl Files {
    fn listed(&self) -> Result<Arc<SecretsListing>, FilesError> {
        Ok(Arc::new(SecretsListing {
            variables: Arc::new([]),
            credentials: Arc::new([]),
            connections: self.0.lock().expect("whole").clone().into(),
        }))
    }
}

impl ProjectFiles for Files {
    fn list(&self) -> BoxFuture<'_, Result<Arc<SecretsListing>, FilesError>> {
        Box::pin(std::future::ready(self.listed()))
    }

    fn change(&self, _: &[VariableChange]) -> Vec<Result<VariableChanged, FilesError>> {
        Vec::new()
    }
}

impl Connections for Sheets {
    fn trouble(&self, _: &ListedConnection) -> Option<ConnectionTrouble> {
        None
    }

    fn sources(&self) -> Vec<ConnectableSource> {
        vec![ConnectableSource {
            source_type: "google_sheets".parse().expect("a type"),
            title: "Google Sheets".to_owned(),
            provider: "Google".to_owned(),
        }]
    }

    fn begin<'a>(&'a self, _: &'a WantedConnection, redirect_uri: &'a str) -> BoxFuture<'a, Result<BegunFlow, ProviderFailure>> {
        Box::pin(async move {
            let state = PlainToken::make(&OsEntropy).expect("random");
            Ok(BegunFlow {
                url: format!("https://google.example/authorize?state={}", state.expose()),
                state,
                kept: Zeroizing::new(redirect_uri.as_bytes().to_vec()),
            })
        })
    }

    fn state_of(&self, query: &str) -> Option<PlainToken<kind::OauthState>> {
        PlainToken::parse(query.strip_prefix("code=x&state=")?).ok()
    }

    fn redeem<'a>(
        &'a self,
        wanted: &'a WantedConnection,
        _: &'a [u8],
        _: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn GrantedConnection>, ProviderFailure>> {
        let granted: Box<dyn GrantedConnection> = Box::new(Granted(Arc::clone(&self.0), wanted.clone()));
        Box::pin(std::future::ready(Ok(granted)))
    }

    fn check<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<CheckedConnection, FilesError>> {
        Box::pin(std::future::ready(Ok(CheckedConnection {
            is_valid: true,
            error: None,
        })))
    }

    fn disconnect<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Disconnected, FilesError>> {
        self.0.lock().expect("whole").retain(|one| one.name != name);
        Box::pin(std::future::ready(Ok(Disconnected { revoked_at_provider: true })))
    }
}

struct Granted(Arc<Mutex<Vec<ListedConnection>>>, WantedConnection);

impl GrantedConnection for Granted {
    fn account(&self) -> GrantedAccount {
        GrantedAccount::MayStay
    }

    fn save(self: Box<Self>) -> BoxFuture<'static, Result<(), FilesError>> {
        self.0.lock().expect("whole").push(ListedConnection {
            name: self.1.name.to_string(),
            source_type: self.1.source_type.to_string(),
            provider: "google".to_owned(),
            identifier: None,
            account_info: None,
            connected_at: None,
            expires_at: None,
            refreshed_at: None,
            scopes: Vec::new(),
        });
        Box::pin(std::future::ready(Ok(())))
    }
}
