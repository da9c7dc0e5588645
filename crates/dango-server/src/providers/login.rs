//! Logging in with Google, GitHub or another OpenID provider: the port of the use cases over `dango-oauth`.

use std::sync::Arc;

use dango_actions::{BegunFlow, ExternalAccount, LoginProvider, LoginProviders, ProviderFailure, ProviderProblem};
use dango_core::{Clock, Entropy, SecretValue, SourceName};
use dango_identity::{EmailClaim, ExternalIdentity, FirstUse, PlainToken, kind};
use dango_oauth::{
    ClientRegistration, Context, GitHubLogin, Http, LoginError, LoginIdentity, OidcLogin, OidcSettings, Providers, Replacement,
};
use dango_store::BoxFuture;

use super::flow::{answered, into_begun, state_of};
use super::problem::write_down;
use crate::failure::Failure;
use crate::settings::{LoginName, LoginSettings};
use crate::system::System;

/// The providers that are configured.
pub(crate) struct Logins {
    /// What is shown of each, in the order of `doors`.
    shown: Vec<LoginProvider>,
    doors: Vec<Door>,
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// How a provider is talked to.
enum Door {
    Oidc(Box<OidcLogin>),
    GitHub(Box<GitHubLogin>),
}

impl Logins {
    /// The providers of the settings, with their secrets from the environment; none where there are none.
    pub(crate) fn of(system: &System, settings: &LoginSettings, http: Arc<dyn Http>) -> Result<Option<Self>, Failure> {
        let mut logins = Self {
            shown: Vec::new(),
            doors: Vec::new(),
            http,
            clock: Arc::clone(&system.clock),
            entropy: Arc::clone(&system.entropy),
        };
        for (name, client) in &settings.clients {
            let client = ClientRegistration {
                id: client.clone(),
                secret: Some(secret(system, *name)?),
            };
            let door = match name {
                LoginName::Google => {
                    let google = OidcSettings::google(&replacement(system, "google")?).map_err(|problem| Failure::caused_by(&problem))?;
                    Door::Oidc(Box::new(OidcLogin::new(google, client)))
                }
                LoginName::Oidc => {
                    let issuer = settings.oidc_issuer.as_deref().unwrap_or_default();
                    let oidc = OidcSettings::new(name.as_str(), issuer, &[], false);
                    let oidc = oidc.map_err(|problem| Failure::caused_by(&problem).at("login-oidc-issuer"))?;
                    Door::Oidc(Box::new(OidcLogin::new(oidc, client)))
                }
                LoginName::GitHub => {
                    let github = GitHubLogin::new(client, &replacement(system, "github")?);
                    Door::GitHub(Box::new(github.map_err(|error| Failure::caused_by(&error))?))
                }
            };
            let issuer = match &door {
                Door::Oidc(oidc) => oidc.settings().issuer().to_owned(),
                Door::GitHub(_) => GitHubLogin::ISSUER.to_owned(),
            };
            logins.shown.push(LoginProvider {
                issuer,
                name: name.as_str().parse::<SourceName>().map_err(|error| Failure::caused_by(&error))?,
                title: match name {
                    LoginName::Google => "Google".to_owned(),
                    LoginName::GitHub => "GitHub".to_owned(),
                    LoginName::Oidc => settings.oidc_title.clone(),
                },
                first_use: match settings.by_email.contains(name) {
                    true => FirstUse::ByVerifiedEmail,
                    false => FirstUse::LinkedOnly,
                },
            });
            logins.doors.push(door);
        }
        Ok((!logins.doors.is_empty()).then_some(logins))
    }

    fn door(&self, provider: &LoginProvider) -> Result<&Door, ProviderFailure> {
        let place = self.shown.iter().position(|shown| shown.name == provider.name);
        let door = place.and_then(|place| self.doors.get(place));
        door.ok_or_else(|| ProviderFailure::new(ProviderProblem::Unsupported, "oauth_provider_unknown"))
    }

    /// Whose the flow is is bound by the use cases, which keep it: here it is bound to the provider.
    fn context(provider: &LoginProvider) -> Context {
        Context::new(provider.name.as_str(), &["login"])
    }

    async fn begin_flow(&self, provider: &LoginProvider, redirect_uri: &str) -> Result<BegunFlow, ProviderFailure> {
        let redirect_uri = redirect_uri.parse();
        let redirect_uri = redirect_uri.map_err(|_| ProviderFailure::new(ProviderProblem::Unsupported, "oauth_redirect_uri"))?;
        let (context, now) = (Self::context(provider), self.clock.now());
        let begun = match self.door(provider)? {
            Door::Oidc(oidc) => oidc.begin(&*self.http, &redirect_uri, context, &*self.entropy, now).await,
            Door::GitHub(github) => github.begin(&redirect_uri, context, &*self.entropy, now),
        };
        into_begun(begun.map_err(of_login)?)
    }

    async fn finish_flow(&self, provider: &LoginProvider, bytes: &[u8], query: &str) -> Result<ExternalAccount, ProviderFailure> {
        let now = self.clock.now();
        let redeemable = answered(bytes, query, &Self::context(provider), &*self.clock)?;
        let identity = match self.door(provider)? {
            Door::Oidc(oidc) => oidc.finish(&*self.http, redeemable, now).await,
            Door::GitHub(github) => github.finish(&*self.http, redeemable).await,
        };
        account(identity.map_err(of_login)?)
    }
}

impl LoginProviders for Logins {
    fn providers(&self) -> &[LoginProvider] {
        &self.shown
    }

    fn begin<'a>(&'a self, provider: &'a LoginProvider, redirect_uri: &'a str) -> BoxFuture<'a, Result<BegunFlow, ProviderFailure>> {
        Box::pin(async move {
            let begun = self.begin_flow(provider, redirect_uri).await;
            begun.inspect_err(|failure| write_down(provider.name.as_str(), failure))
        })
    }

    fn state_of(&self, query: &str) -> Option<PlainToken<kind::OauthState>> {
        state_of(query)
    }

    fn finish<'a>(
        &'a self,
        provider: &'a LoginProvider,
        kept: &'a [u8],
        query: &'a str,
    ) -> BoxFuture<'a, Result<ExternalAccount, ProviderFailure>> {
        Box::pin(async move {
            let finished = self.finish_flow(provider, kept, query).await;
            finished.inspect_err(|failure| write_down(provider.name.as_str(), failure))
        })
    }
}

fn of_login(error: LoginError) -> ProviderFailure {
    ProviderFailure::new(ProviderProblem::ExchangeFailed, error.code()).caused_by(error)
}

/// Who somebody is, as the rules of linking need it.
fn account(identity: LoginIdentity) -> Result<ExternalAccount, ProviderFailure> {
    let email = match &identity.email {
        // An address that is none of ours is nobody's here.
        Some(email) => email.as_str().parse().map_or(EmailClaim::Absent, EmailClaim::Verified),
        None => EmailClaim::Unverified,
    };
    let identity = ExternalIdentity::new(&identity.issuer, &identity.subject)
        .map_err(|error| ProviderFailure::new(ProviderProblem::ExchangeFailed, "oauth_subject_malformed").caused_by(error))?;
    Ok(ExternalAccount { identity, email })
}

/// Endpoints that the process's environment replaces; said aloud, since people log in there.
fn replacement(system: &System, provider: &str) -> Result<Replacement, Failure> {
    let providers = Providers::builtin();
    let Some(provider) = providers.find(provider) else {
        return Ok(Replacement::none());
    };
    let variable = |name: &str| system.variable(name).map(|value| value.to_string_lossy().into_owned());
    let replacement = Replacement::from_environment(provider, variable).map_err(|error| Failure::caused_by(&error))?;
    for endpoint in replacement.replaced() {
        tracing::warn!(
            provider = provider.name,
            endpoint,
            "an endpoint of a login provider is replaced by the environment"
        );
    }
    Ok(replacement)
}

fn secret(system: &System, name: LoginName) -> Result<SecretValue, Failure> {
    let variable = name.secret_variable();
    let secret = system.secret_variable(variable)?.filter(|secret| !secret.expose().is_empty());
    secret.ok_or_else(|| {
        Failure::new(format!(
            "people are to log in with {}, and {variable} has no client secret",
            name.as_str()
        ))
        .hint(format!(
            "set {variable} in the environment of the server; it is never read from a file of settings"
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::sync::Mutex;

    use async_trait::async_trait;
    use dango_core::{OsEntropy, SystemClock};
    use dango_oauth::{Answer, CallError, Outbound, Reach};

    use super::*;

    /// GitHub, as its documents have it (<https://docs.github.com/en/rest/users/emails>); it notes what it was asked.
    #[derive(Default)]
    struct GitHub {
        asked: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl Http for GitHub {
        async fn call(&self, _: &Reach, request: Outbound) -> Result<Answer, CallError> {
            let path = request.url.path().to_owned();
            let body = match path.as_str() {
                "/login/oauth/access_token" => {
                    r#"{"access_token":"gho_16C7e42F292c6912E7710c838347Ae178B4a","scope":"read:user,user:email","token_type":"bearer"}"#
                }
                "/user" => r#"{"login":"octocat","id":583231,"name":"The Octocat"}"#,
                "/user/emails" => r#"[{"email":"octocat@github.com","primary":true,"verified":true,"visibility":"public"}]"#,
                _ => "{}",
            };
            self.asked.lock().expect("not poisoned").push(path);
            Ok(Answer {
                status: 200,
                retry_after: None,
                body: body.as_bytes().to_vec().into(),
            })
        }
    }

    fn system(variables: &[(&str, &str)]) -> System {
        let environment: BTreeMap<_, _> = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        System {
            arguments: Vec::new(),
            environment,
            directory: PathBuf::new(),
            user: "ada".to_owned(),
            uid: 1000,
            has_terminal: false,
            sockets: Vec::new(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
        }
    }

    fn settings(names: &[LoginName]) -> LoginSettings {
        LoginSettings {
            clients: names.iter().map(|name| (*name, "client".to_owned())).collect(),
            oidc_issuer: Some("https://login.example.com".to_owned()),
            oidc_title: "Example".to_owned(),
            by_email: vec![LoginName::GitHub],
        }
    }

    const SECRETS: [(&str, &str); 3] = [
        ("DANGO_LOGIN_GOOGLE_SECRET", "a"),
        ("DANGO_LOGIN_GITHUB_SECRET", "b"),
        ("DANGO_LOGIN_OIDC_SECRET", "c"),
    ];

    fn wait<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(future)
    }

    #[test]
    fn each_provider_has_a_button_and_an_address_matters_only_where_it_was_allowed() {
        let http: Arc<dyn Http> = Arc::new(GitHub::default());
        let all = [LoginName::Google, LoginName::GitHub, LoginName::Oidc];
        let logins = Logins::of(&system(&SECRETS), &settings(&all), Arc::clone(&http))
            .expect("set up")
            .expect("some");
        let shown: Vec<_> = logins
            .providers()
            .iter()
            .map(|one| (one.name.as_str(), one.title.as_str(), one.first_use))
            .collect();
        let expected = [
            ("google", "Google", FirstUse::LinkedOnly),
            ("github", "GitHub", FirstUse::ByVerifiedEmail),
            ("oidc", "Example", FirstUse::LinkedOnly),
        ];
        assert_eq!(shown, expected);
        assert!(
            Logins::of(&system(&[]), &settings(&[]), Arc::clone(&http))
                .expect("set up")
                .is_none()
        );
        let missing = Logins::of(&system(&SECRETS[..1]), &settings(&all), http).err().expect("no secret");
        assert!(format!("{missing:?}").contains("DANGO_LOGIN_GITHUB_SECRET"));
    }

    #[test]
    fn a_login_goes_there_and_back_and_its_answer_fits_one_flow_alone() {
        let github = Arc::new(GitHub::default());
        let http: Arc<dyn Http> = Arc::clone(&github) as _;
        let logins = Logins::of(&system(&SECRETS), &settings(&[LoginName::GitHub]), http)
            .expect("set up")
            .expect("one");
        let provider = &logins.providers()[0];
        let begin = || wait(logins.begin(provider, "https://dango.example/api/auth/oauth/github/callback")).expect("begun");
        let (one, other) = (begin(), begin());
        assert!(one.url.starts_with("https://github.com/login/oauth/authorize?"), "{}", one.url);
        let query = format!("code=x&state={}", one.state.expose());
        let found = logins.state_of(&query).expect("a state");
        assert_eq!(found.expose(), one.state.expose());
        let foreign = wait(logins.finish(provider, &other.kept, &query)).expect_err("another flow");
        assert_eq!(foreign.problem(), ProviderProblem::StateMismatch);
        let denied = format!("error=access_denied&state={}", one.state.expose());
        let denied = wait(logins.finish(provider, &one.kept, &denied)).expect_err("refused");
        assert_eq!(denied.problem(), ProviderProblem::ProviderDenied);
        assert!(github.asked.lock().expect("not poisoned").is_empty(), "nothing was sent");
        let account = wait(logins.finish(provider, &one.kept, &query)).expect("known");
        assert_eq!(
            (account.identity.issuer(), account.identity.subject()),
            ("https://github.com", "583231")
        );
        assert_eq!(
            account.email,
            EmailClaim::Verified("octocat@github.com".parse().expect("an address"))
        );
    }
}
