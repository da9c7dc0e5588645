//! A provider that does as it is told: sources are connected to it, and people log in with it. It counts what reaches it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use dango_actions::{
    BegunFlow, CheckedConnection, ConnectableSource, ConnectionTrouble, Connections, Disconnected, ExternalAccount, FilesError,
    FilesProblem, GrantedAccount, GrantedConnection, ListedConnection, LoginProvider, LoginProviders, ProviderFailure, ProviderProblem,
    WantedConnection,
};
use dango_core::OsEntropy;
use dango_identity::{EmailClaim, ExternalIdentity, FirstUse, PlainToken, kind};
use dango_store::BoxFuture;
use zeroize::Zeroizing;

use crate::files::Files;

/// The secret that the flow keeps: it is to be found nowhere.
pub(crate) const VERIFIER: &str = "verifier-canary";

pub(crate) struct Provider {
    files: Arc<Files>,
    logins: Vec<LoginProvider>,
    begun: AtomicU32,
    redeemed: AtomicU32,
    /// Whose account connections are for.
    pub(crate) account: Mutex<GrantedAccount>,
    /// What a live check finds.
    pub(crate) checked: Mutex<CheckedConnection>,
    /// What stands in the way of connections, by name.
    pub(crate) trouble: Mutex<BTreeMap<String, ConnectionTrouble>>,
    /// Who logs in.
    pub(crate) person: Mutex<ExternalAccount>,
}

impl Provider {
    pub(crate) fn new(files: Arc<Files>) -> Self {
        let login = |name: &str, title: &str| LoginProvider {
            name: name.parse().expect("a name"),
            title: title.to_owned(),
            issuer: format!("https://{name}.example"),
            first_use: FirstUse::ByVerifiedEmail,
        };
        Self {
            files,
            logins: vec![login("google", "Google"), login("github", "GitHub")],
            begun: AtomicU32::new(0),
            redeemed: AtomicU32::new(0),
            account: Mutex::new(GrantedAccount::MayStay),
            checked: Mutex::new(CheckedConnection {
                is_valid: true,
                error: None,
            }),
            trouble: Mutex::default(),
            person: Mutex::new(person("1", EmailClaim::Absent)),
        }
    }

    /// How many flows were begun.
    pub(crate) fn begun(&self) -> u32 {
        self.begun.load(Ordering::SeqCst)
    }

    /// How many codes came here.
    pub(crate) fn redeemed(&self) -> u32 {
        self.redeemed.load(Ordering::SeqCst)
    }

    fn begin_flow(&self, redirect_uri: &str) -> BegunFlow {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let state = PlainToken::<kind::OauthState>::make(&OsEntropy).expect("random");
        BegunFlow {
            url: format!(
                "https://provider.example/authorize?redirect_uri={redirect_uri}&state={}",
                state.expose()
            ),
            state,
            kept: Zeroizing::new(VERIFIER.as_bytes().to_vec()),
        }
    }

    fn redeem_code(&self, kept: &[u8], query: &str) -> Result<(), ProviderFailure> {
        assert_eq!(kept, VERIFIER.as_bytes());
        if query.contains("error=access_denied") {
            return Err(ProviderFailure::new(ProviderProblem::ProviderDenied, "access_denied"));
        }
        self.redeemed.fetch_add(1, Ordering::SeqCst);
        if query.contains("code=bad") {
            return Err(ProviderFailure::new(ProviderProblem::ExchangeFailed, "invalid_grant"));
        }
        Ok(())
    }
}

pub(crate) fn person(subject: &str, email: EmailClaim) -> ExternalAccount {
    ExternalAccount {
        identity: ExternalIdentity::new("https://google.example", subject).expect("printable"),
        email,
    }
}

fn state_of(query: &str) -> Option<PlainToken<kind::OauthState>> {
    let state = query.split('&').find_map(|pair| pair.strip_prefix("state="))?;
    PlainToken::parse(state).ok()
}

impl Connections for Provider {
    fn trouble(&self, listed: &ListedConnection) -> Option<ConnectionTrouble> {
        self.trouble.lock().expect("not poisoned").get(&listed.name).cloned()
    }

    fn sources(&self) -> Vec<ConnectableSource> {
        let source = |(name, title): (&str, &str)| ConnectableSource {
            source_type: name.parse().expect("a type"),
            title: title.to_owned(),
            provider: "Google".to_owned(),
        };
        [("google_sheets", "Google Sheets"), ("google_ads", "Google Ads")]
            .map(source)
            .to_vec()
    }

    fn begin<'a>(&'a self, _: &'a WantedConnection, redirect_uri: &'a str) -> BoxFuture<'a, Result<BegunFlow, ProviderFailure>> {
        Box::pin(async move { Ok(self.begin_flow(redirect_uri)) })
    }

    fn state_of(&self, query: &str) -> Option<PlainToken<kind::OauthState>> {
        state_of(query)
    }

    fn redeem<'a>(
        &'a self,
        wanted: &'a WantedConnection,
        kept: &'a [u8],
        query: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn GrantedConnection>, ProviderFailure>> {
        Box::pin(async move {
            self.redeem_code(kept, query)?;
            let granted: Box<dyn GrantedConnection> = Box::new(Granted {
                files: Arc::clone(&self.files),
                wanted: wanted.clone(),
                account: *self.account.lock().expect("not poisoned"),
            });
            Ok(granted)
        })
    }

    fn check<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<CheckedConnection, FilesError>> {
        Box::pin(async move { Ok(*self.checked.lock().expect("not poisoned")) })
    }

    fn disconnect<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Disconnected, FilesError>> {
        Box::pin(async move {
            self.files.connections.lock().expect("not poisoned").retain(|one| one.name != name);
            Ok(Disconnected { revoked_at_provider: true })
        })
    }
}

struct Granted {
    files: Arc<Files>,
    wanted: WantedConnection,
    account: GrantedAccount,
}

impl GrantedConnection for Granted {
    fn account(&self) -> GrantedAccount {
        self.account
    }

    fn save(self: Box<Self>) -> BoxFuture<'static, Result<(), FilesError>> {
        Box::pin(async move {
            if self.wanted.source_type.as_str() == "google_ads" {
                return Err(FilesError::new(FilesProblem::DiskFull, "disk_full"));
            }
            let name = self.wanted.name.to_string();
            let mut connections = self.files.connections.lock().expect("not poisoned");
            connections.retain(|one| one.name != name);
            connections.push(ListedConnection {
                name,
                source_type: self.wanted.source_type.to_string(),
                provider: "google".to_owned(),
                identifier: Some("ada@team.example".to_owned()),
                account_info: None,
                connected_at: None,
                expires_at: None,
                refreshed_at: None,
                scopes: Vec::new(),
            });
            Ok(())
        })
    }
}

impl LoginProviders for Provider {
    fn providers(&self) -> &[LoginProvider] {
        &self.logins
    }

    fn begin<'a>(&'a self, _: &'a LoginProvider, redirect_uri: &'a str) -> BoxFuture<'a, Result<BegunFlow, ProviderFailure>> {
        Box::pin(async move { Ok(self.begin_flow(redirect_uri)) })
    }

    fn state_of(&self, query: &str) -> Option<PlainToken<kind::OauthState>> {
        state_of(query)
    }

    fn finish<'a>(
        &'a self,
        _: &'a LoginProvider,
        kept: &'a [u8],
        query: &'a str,
    ) -> BoxFuture<'a, Result<ExternalAccount, ProviderFailure>> {
        Box::pin(async move {
            self.redeem_code(kept, query)?;
            Ok(self.person.lock().expect("not poisoned").clone())
        })
    }
}
