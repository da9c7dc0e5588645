//! Every source type that Dango connects: what is stored is what dlt's source of that type reads, plain, encrypted, and of two accounts
//! side by side; and a host that is the account's own leads nowhere else.

use dango_tests::Scratch;
use dango_tests::provider::{Answers, Fake, Google, Reply, Seen};
use serde_json::{Value, json};

use super::{CLIENT_SECRET, Waiting};
use crate::answers::Answer;
use crate::dlt::{from_file, from_run};

/// A source type: its provider, what has to be given with it, and what dlt's function of the type is to be given in the end.
struct Kind {
    provider: &'static str,
    source_type: &'static str,
    given: &'static [&'static str],
    flat: &'static [(&'static str, &'static str)],
    nested: &'static [(&'static str, &'static str)],
}

const KINDS: &[Kind] = &[
    Kind {
        provider: "facebook",
        source_type: "facebook_ads",
        given: &["--set", "account_id=act_42"],
        flat: &[("access_token", "canary-access"), ("account_id", "42")],
        nested: &[],
    },
    Kind {
        provider: "shopify",
        source_type: "shopify",
        given: &["--set", "shop_url=acme.myshopify.com/admin"],
        flat: &[
            ("private_app_password", "canary-access"),
            ("shop_url", "https://acme.myshopify.com"),
        ],
        nested: &[],
    },
    Kind {
        provider: "github",
        source_type: "github",
        given: &[],
        flat: &[("access_token", "canary-access")],
        nested: &[],
    },
    Kind {
        provider: "hubspot",
        source_type: "hubspot",
        given: &[],
        flat: &[("api_key", "canary-access")],
        nested: &[],
    },
    Kind {
        provider: "slack",
        source_type: "slack",
        given: &[],
        flat: &[("access_token", "canary-access")],
        nested: &[],
    },
    Kind {
        provider: "notion",
        source_type: "notion",
        given: &[],
        flat: &[("api_key", "canary-access")],
        nested: &[],
    },
    Kind {
        provider: "airtable",
        source_type: "airtable",
        given: &[],
        flat: &[("access_token", "canary-access")],
        nested: &[],
    },
    Kind {
        provider: "asana",
        source_type: "asana",
        given: &[],
        flat: &[("access_token", "canary-access")],
        nested: &[],
    },
    Kind {
        provider: "zendesk",
        source_type: "zendesk",
        given: &["--set", "subdomain=https://acme.zendesk.com/agent"],
        flat: &[],
        nested: &[("subdomain", "acme"), ("oauth_token", "canary-access")],
    },
    Kind {
        provider: "salesforce",
        source_type: "salesforce",
        given: &[],
        flat: &[],
        nested: &[("session_id", "canary-access"), ("instance_url", "https://acme.my.salesforce.com")],
    },
];

/// Tokens in the form that all of them share, and a person as each of them tells of one.
fn anyone(seen: &Seen) -> Reply {
    let body = match seen.target.as_str() {
        "/token" => json!({
            "ok": true, "access_token": "canary-access", "refresh_token": "canary-refresh", "token_type": "bearer", "expires_in": 3600,
            "instance_url": "https://acme.my.salesforce.com",
        }),
        "/userinfo/permissions" => json!({ "data": [
            { "permission": "ads_read", "status": "granted" }, { "permission": "ads_management", "status": "granted" },
        ] }),
        _ => json!({
            "ok": true, "sub": "1", "id": 1, "login": "ada", "email": "ada@example.com", "name": "Ada", "preferred_username": "ada",
            "portalId": 1, "uiDomain": "app.hubspot.com", "user_id": "U1", "team_id": "T1", "team": "Acme",
            "bot": { "workspace_name": "Acme" }, "data": { "gid": "1", "email": "ada@example.com", "name": "Ada" },
            "user": { "id": 1, "email": "ada@example.com", "name": "Ada" },
            "shop": { "id": 1, "myshopify_domain": "acme.myshopify.com", "name": "Acme" },
        }),
    };
    Reply::json(200, body.to_string())
}

/// A project in which all providers are one fake, and an app is registered at each.
fn project_at(fake: &Fake<impl Answers>, encrypted: bool) -> Scratch {
    let mut project = Scratch::initialised();
    if encrypted {
        project.give("DANGO_KEY", "11".repeat(32));
    }
    for kind in KINDS {
        fake.stands_in_for(kind.provider, &mut project);
        let _ = project
            .dango(&["oauth", "setup", kind.provider, "--client-id", "app"])
            .stdin(CLIENT_SECRET)
            .run()
            .success();
    }
    project.give("DANGO_OAUTH_CALLBACK_URL", "http://127.0.0.1:0/callback");
    project
}

/// Connects without a look at the provider's page.
#[track_caller]
fn agree(project: &Scratch, arguments: &[&str]) {
    let waiting = Waiting::start(project, arguments);
    let page = waiting.browse("GET", &waiting.callback("code=the-code"));
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    let _ = waiting.end().success();
}

#[test]
fn what_every_type_stores_is_what_dlt_gives_to_its_source() {
    for encrypted in [false, true] {
        let fake = Fake::start(anyone);
        let project = project_at(&fake, encrypted);
        let mut sections = Vec::new();
        for kind in KINDS {
            let mut arguments = vec![kind.source_type];
            arguments.extend(kind.given);
            if encrypted {
                arguments.push("--encrypt");
            }
            agree(&project, &arguments);
            let nested = kind.nested.iter().map(|(field, value)| (format!("credentials.{field}"), *value));
            let flat = kind.flat.iter().map(|(field, value)| ((*field).to_owned(), *value));
            for (path, value) in nested.chain(flat) {
                let stored = project.run(&["secrets", "get", "--reveal", "--", &format!("sources.{}.{path}", kind.source_type)]);
                assert_eq!(stored.success().stdout, format!("{value}\n"), "{path} of {}", kind.source_type);
            }
            if !kind.flat.is_empty() {
                let values: serde_json::Map<String, Value> = kind
                    .flat
                    .iter()
                    .map(|(field, value)| ((*field).to_owned(), (*value).into()))
                    .collect();
                sections.push(json!({ "name": kind.source_type, "folder": project.path(), "values": values }));
            }
        }
        assert_eq!(project.read(".dlt/secrets.toml").contains("canary"), !encrypted);
        let count: usize = KINDS.iter().map(|kind| kind.flat.len()).sum();
        let strings = json!({ "task": "strings", "sections": sections });
        let nested: serde_json::Map<String, Value> = [("zendesk", "ZendeskOAuthCredentials"), ("salesforce", "SalesforceSession")]
            .map(|(name, spec)| (name.to_owned(), spec.into()))
            .into_iter()
            .collect();
        let specs = json!({ "task": "specs", "specs": nested });
        type Reader = fn(&Scratch, &Value) -> Value;
        let ways: &[Reader] = if encrypted { &[from_run] } else { &[from_run, from_file] };
        for read in ways {
            assert_eq!(read(&project, &strings), json!({ "read": count, "wrong": [] }));
            let found = read(&project, &specs);
            for kind in KINDS.iter().filter(|kind| !kind.nested.is_empty()) {
                let found = &found[kind.source_type];
                assert_eq!(found["is_resolved"], true, "{found}");
                for (field, value) in kind.nested {
                    assert_eq!(&found[*field], value, "{field} of {}", kind.source_type);
                }
            }
        }
    }
}

#[test]
fn two_accounts_of_one_type_are_two_sources_for_dlt() {
    let fake = Fake::start(Google::new());
    let project = super::project_with_app("google", &fake);
    for name in ["ads_eu", "ads_us"] {
        let customer = if name == "ads_eu" {
            "customer_id=111-111-1111"
        } else {
            "customer_id=222-222-2222"
        };
        let waiting = Waiting::start_with(
            &project,
            &["google_ads", "--name", name, "--set", customer, "--field", "dev_token"],
            &format!("canary-{name}\n"),
        );
        let page = waiting.browse("GET", &waiting.callback("code=the-code"));
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
        let _ = waiting.end().success();
    }
    let specs = json!({ "task": "specs", "specs": { "ads_eu": "GcpOAuthCredentials", "ads_us": "GcpOAuthCredentials" } });
    let values = |name: &str, customer: &str| json!({ "dev_token": format!("canary-{name}"), "customer_id": customer });
    let sections = json!([
        { "name": "ads_eu", "folder": project.path(), "values": values("ads_eu", "1111111111") },
        { "name": "ads_us", "folder": project.path(), "values": values("ads_us", "2222222222") },
    ]);
    let strings = json!({ "task": "strings", "sections": sections });
    for read in [from_file, from_run] {
        assert_eq!(read(&project, &strings), json!({ "read": 4, "wrong": [] }));
        let found = read(&project, &specs);
        assert!(
            found["ads_eu"]["is_resolved"] == true && found["ads_us"]["is_resolved"] == true,
            "{found}"
        );
    }
    let removed = project.run(&["oauth", "remove", "ads_eu", "--yes"]).success();
    let _ = removed.says(&["ads_us has it from the same account"]);
    assert_eq!(fake.asked("/revoke").len(), 0, "the other one lives on");
    let text = project.read(".dlt/secrets.toml");
    assert!(!text.contains("ads_eu") && text.contains("canary-ads_us"), "{text}");
}

#[test]
fn an_account_has_its_own_host_and_no_text_leads_to_another_one() {
    let fake = Fake::start(anyone);
    let mut project = project_at(&fake, false);
    for variable in [
        "DANGO_OAUTH_SHOPIFY_AUTHORIZE_URL",
        "DANGO_OAUTH_ZENDESK_AUTHORIZE_URL",
        "DANGO_OAUTH_SALESFORCE_AUTHORIZE_URL",
    ] {
        project.take(variable);
    }
    for (arguments, beginning) in [
        (
            &["shopify", "--set", "shop_url=acme"][..],
            "https://acme.myshopify.com/admin/oauth/authorize?",
        ),
        (
            &["shopify", "--set", "shop_url=https://evil.example/"],
            "https://evil.example.myshopify.com/",
        ),
        (
            &["zendesk", "--set", "subdomain=acme"],
            "https://acme.zendesk.com/oauth/authorizations/new?",
        ),
        (&["salesforce"], "https://login.salesforce.com/services/oauth2/authorize?"),
    ] {
        let waiting = Waiting::start(&project, arguments);
        assert!(waiting.address.starts_with(beginning), "{}", waiting.address);
        let _ = waiting.browse("GET", &waiting.callback("error=access_denied"));
        let _ = waiting.end().fails(1, &["access_denied"]);
    }
    for text in ["evil.example@acme", "evil.example%2f", "acme:8443", "évil", "-", "a b"] {
        let refused = project.run(&["oauth", "shopify", "--no-browser", "--set", &format!("shop_url={text}")]);
        let _ = refused.fails(2, &["shop_url"]);
    }
    // The next time nobody has to say it again, and the host is still the account's.
    agree(&project, &["shopify", "--set", "shop_url=acme"]);
    let waiting = Waiting::start(&project, &["shopify"]);
    assert!(waiting.address.starts_with("https://acme.myshopify.com/"), "{}", waiting.address);
    let _ = waiting.browse("GET", &waiting.callback("error=access_denied"));
    let _ = waiting.end().fails(1, &["nothing was changed"]);
}
