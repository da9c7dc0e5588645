//! The table of providers, and what a project's own may say.

use dango_core::SourceType;
use proptest::prelude::*;

use super::*;

fn source_type(name: &str) -> SourceType {
    name.parse().expect("a source type")
}

#[test]
fn the_table_that_comes_with_the_program_is_complete() {
    let providers = Providers::builtin();
    assert!(providers.iter().count() >= 11);
    for provider in providers.iter() {
        let account = provider.parse_account_host(Some("example")).expect("a host");
        let endpoints = provider.endpoints(account.as_ref(), &Replacement::none()).expect("resolves");
        let urls = [
            Some(&endpoints.authorize),
            Some(&endpoints.token),
            endpoints.userinfo.as_ref(),
            endpoints.revoke.as_ref(),
        ];
        for url in urls.into_iter().flatten() {
            assert_eq!(url.scheme(), "https", "{}", provider.name);
            assert!(
                !url.as_str().contains("%7B") || provider.revocation == Revocation::DeleteGrant,
                "{url}"
            );
        }
        assert!(!provider.sources.is_empty() && endpoints.userinfo.is_some(), "{}", provider.name);
        assert_eq!(
            provider.revocation == Revocation::None,
            endpoints.revoke.is_none(),
            "{}",
            provider.name
        );
        assert_eq!(provider.scope_report == ScopeReport::Permissions, endpoints.permissions.is_some());
        assert!(provider.identity.identifier.is_some(), "{}", provider.name);
        assert!(endpoints.reach.admit(&endpoints.token).is_ok());
    }
}

#[test]
fn google_and_facebook_ask_for_what_earlier_versions_asked_for() {
    let providers = Providers::builtin();
    let scopes = |name: &str| {
        let (provider, source) = providers.for_source_type(&source_type(name)).expect("is served");
        (provider.name.clone(), provider.scopes_for(source))
    };
    let auth = |scope: &str| format!("https://www.googleapis.com/auth/{scope}");
    for (name, scope) in [
        ("google_sheets", "spreadsheets.readonly"),
        ("google_analytics", "analytics.readonly"),
        ("google_ads", "adwords"),
    ] {
        let expected = vec!["openid".to_owned(), auth("userinfo.email"), auth(scope)];
        assert_eq!(scopes(name), ("google".to_owned(), expected));
    }
    assert_eq!(
        scopes("facebook_ads"),
        ("facebook".to_owned(), vec!["ads_read".to_owned(), "ads_management".to_owned()])
    );
    let variables = |name: &str| providers.find(name).expect("is there").client_variables.clone();
    assert_eq!(variables("google"), ["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"]);
    assert_eq!(variables("facebook"), ["FACEBOOK_APP_ID", "FACEBOOK_APP_SECRET"]);
}

#[test]
fn an_account_has_a_host_of_its_own_where_the_provider_says_so() {
    let providers = Providers::builtin();
    let token = |provider: &str, account: Option<&str>| {
        let provider = providers.find(provider).expect("is there");
        let host = provider.parse_account_host(account)?;
        provider
            .endpoints(host.as_ref(), &Replacement::none())
            .map(|endpoints| endpoints.token.to_string())
    };
    let shop = "https://example.myshopify.com/admin/oauth/access_token";
    assert_eq!(token("shopify", Some("https://example.myshopify.com/")).as_deref(), Ok(shop));
    assert_eq!(token("shopify", None), Err(HostError::Missing));
    assert_eq!(token("shopify", Some("evil.example@")), Err(HostError::Malformed));
    assert_eq!(
        token("salesforce", None).as_deref(),
        Ok("https://login.salesforce.com/services/oauth2/token")
    );
    let sandbox = "https://acme--dev.sandbox.my.salesforce.com/services/oauth2/token";
    assert_eq!(token("salesforce", Some("acme--dev.sandbox.my")).as_deref(), Ok(sandbox));
    assert_eq!(
        token("google", Some("ignored")).as_deref(),
        Ok("https://oauth2.googleapis.com/token")
    );
}

#[test]
fn every_source_and_field_of_the_table_is_in_the_catalogue() {
    for provider in Providers::builtin().iter() {
        for source in &provider.sources {
            let spec = dango_sources::catalogue().find(&source.source_type);
            let spec = spec.unwrap_or_else(|| panic!("{} is no type of the catalogue", source.source_type));
            let field = |name: &str| spec.field(name).unwrap_or_else(|| panic!("{} has no field {name}", spec.name));
            // Refresh tokens of sources that read the access token are keys beside what dlt reads.
            match (&source.access_token, &source.refresh_token) {
                (Some(name), _) | (None, Some(name)) => assert!(field(name).secret, "{name}"),
                (None, None) => panic!("{} stores no token", spec.name),
            }
            if let Some(name) = provider.host.as_ref().and_then(|host| host.field.as_deref()) {
                assert!(!field(name).secret, "{name}");
            }
        }
    }
    // What the catalogue calls OAuth is served.
    for spec in dango_sources::catalogue().types() {
        if spec.auth == dango_sources::AuthKind::Oauth {
            assert!(
                Providers::builtin().for_source_type(&source_type(spec.name)).is_some(),
                "{}",
                spec.name
            );
        }
    }
}

const OWN: &str = r#"
[acme]
title = "Acme"
authorize = "https://id.acme.example/authorize"
token = "https://id.acme.example/token"
refresh = "rotating"

[acme.sources]
acme_crm = { scopes = ["crm:read"], access_token = "api_key" }
"#;

#[test]
fn a_project_adds_a_provider() {
    let providers = Providers::builtin().with_project_file(OWN).expect("is right");
    let (provider, source) = providers.for_source_type(&source_type("acme_crm")).expect("is served");
    assert_eq!(provider.refresh, RefreshModel::Rotating);
    assert_eq!(provider.client_variables, ["ACME_CLIENT_ID", "ACME_CLIENT_SECRET"]);
    assert_eq!(source.access_token.as_deref(), Some("api_key"));
    assert!(providers.find("google").is_some());
}

#[test]
fn a_project_changes_nothing_that_is_there() {
    let problem = |text: &str| Providers::builtin().with_project_file(text).map(|_| ()).expect_err("refused");
    let own = |from: &str, to: &str| problem(&OWN.replacen(from, to, 1));
    assert_eq!(problem(&OWN.replace("acme", "google")).problem, ProviderProblem::Taken);
    assert_eq!(own("acme_crm", "google_sheets").problem, ProviderProblem::SourceTaken);
    let variables = own(
        "refresh =",
        "client_variables = [\"GOOGLE_CLIENT_ID\", \"GOOGLE_CLIENT_SECRET\"]\nrefresh =",
    );
    assert_eq!(variables.problem, ProviderProblem::Unknown);
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_nothing_of_the_value() {
    let problem = |from: &str, to: &str| {
        Providers::builtin()
            .with_project_file(&OWN.replacen(from, to, 1))
            .map(|_| ())
            .expect_err("refused")
    };
    let cases = [
        (
            "https://id.acme.example/token",
            "http://id.acme.example/token",
            5,
            "`token` is no address of an endpoint: it must begin with `https:`",
        ),
        (
            "https://id.acme.example/token",
            "http://127.0.0.1/token",
            5,
            "`token` is no address of an endpoint: it must begin with `https:`",
        ),
        (
            "https://id.acme.example/token",
            "https://a:canary@id.acme.example/",
            5,
            "`token` is no address of an endpoint: it must not hold a user name or password",
        ),
        (
            "rotating",
            "sometimes",
            6,
            "`refresh` must be `static`, `rotating`, `exchange` or `none`",
        ),
        ("refresh", "refesh", 6, "unknown member"),
        ("token =", "tokens =", 5, "unknown member"),
        ("title = \"Acme\"", "title = 7", 3, "`title` must be text on one line"),
        (
            "title = \"Acme\"",
            "headers = { Host = \"x\" }",
            3,
            "`headers` must be a table of ASCII texts, without the names that Dango sets itself",
        ),
        (
            "title = \"Acme\"",
            "parameters = { state = \"x\" }",
            3,
            "`parameters` must be a table of ASCII texts, without the names that Dango sets itself",
        ),
        ("title = \"Acme\"", "grant_days = -1", 3, "`grant_days` must be a number of days"),
        ("title = \"Acme\"", "title = \"", 3, "this is no TOML"),
        ("[\"crm:read\"]", "\"crm:read\"", 9, "`scopes` must be a list of texts"),
        (
            "[acme]",
            "[Acme]",
            2,
            "a provider's name has lower-case letters, digits and `_`, a letter first, at most 40 characters",
        ),
    ];
    for (from, to, line, expected) in cases {
        let error = problem(from, to);
        assert_eq!(error.to_string(), format!("line {line}: {expected}"), "{to}");
    }
    let missing = problem("authorize = \"https://id.acme.example/authorize\"\n", "");
    assert_eq!(missing.problem, ProviderProblem::Missing("authorize"));
}

#[test]
fn a_huge_file_is_refused() {
    let many: String = (0..=MOST_PROVIDERS)
        .map(|number| OWN.replace("acme", &format!("acme{number}")))
        .collect();
    let error = Providers::builtin().with_project_file(&many).map(|_| ()).expect_err("refused");
    assert_eq!(error.problem, ProviderProblem::TooLarge);
    let error = Providers::builtin()
        .with_project_file(&"#".repeat(300_000))
        .map(|_| ())
        .expect_err("refused");
    assert_eq!(error.problem, ProviderProblem::TooLarge);
}

proptest! {
    #[test]
    fn no_file_panics(text in "(\\PC|\n|=|\\[|\\]|\"){0,300}") {
        let _ = Providers::builtin().with_project_file(&text);
    }

    #[test]
    fn no_account_moves_an_endpoint_away(account in "\\PC{0,80}") {
        let providers = Providers::builtin();
        let provider = providers.find("shopify").expect("is there");
        if let Ok(host) = provider.parse_account_host(Some(&account)) {
            let endpoints = provider.endpoints(host.as_ref(), &Replacement::none()).expect("resolves");
            prop_assert!(endpoints.token.host_str().is_some_and(|host| host.ends_with(".myshopify.com")));
            prop_assert_eq!(endpoints.token.path(), "/admin/oauth/access_token");
        }
    }
}
