//! Every call as it goes out, and what each kind of answer means. The samples of answers are those of the pages that `dango_check::calls`
//! names.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use dango_tests::Scratch;
use dango_tests::provider::{Fake, Reply, Seen};
use data_encoding::BASE64;
use serde_json::json;

use super::told;
use crate::answers::Answer;

/// One source with its call.
struct Sample {
    name: &'static str,
    source_type: &'static str,
    /// Settings of `sources.yml`.
    settings: &'static str,
    secrets: &'static str,
    method: &'static str,
    target: &'static str,
    /// A header, or the beginning of its value where it ends in `…`; `+` encodes what follows as Basic does.
    header: (&'static str, &'static str),
    body: &'static str,
    answer: &'static str,
}

const SAMPLES: &[Sample] = &[
    Sample {
        name: "stripe",
        source_type: "stripe",
        settings: "",
        secrets: "stripe_secret_key = 'sk_canary'",
        method: "GET",
        target: "/v1/balance",
        header: ("authorization", "Bearer sk_canary"),
        body: "",
        answer: r#"{"object":"balance","available":[{"amount":666670,"currency":"usd"}],"livemode":false}"#,
    },
    Sample {
        name: "github",
        source_type: "github",
        settings: ", owner: dlt-hub, repository: dlt",
        secrets: "access_token = 'ghp_canary'",
        method: "GET",
        target: "/user",
        header: ("x-github-api-version", "2022-11-28"),
        body: "",
        answer: r#"{"login":"octocat","id":1,"type":"User"}"#,
    },
    Sample {
        name: "hubspot",
        source_type: "hubspot",
        settings: "",
        secrets: "api_key = 'pat-canary'",
        method: "GET",
        target: "/account-info/v3/details",
        header: ("authorization", "Bearer pat-canary"),
        body: "",
        answer: r#"{"portalId":123456,"accountType":"STANDARD","timeZone":"US/Eastern"}"#,
    },
    Sample {
        name: "shopify",
        source_type: "shopify",
        settings: "",
        secrets: "private_app_password = 'shpat_canary'\nshop_url = 'https://example.myshopify.com'",
        method: "GET",
        target: "/admin/api/2025-10/shop.json",
        header: ("x-shopify-access-token", "shpat_canary"),
        body: "",
        answer: r#"{"shop":{"id":548380009,"name":"John Smith Test Store"}}"#,
    },
    Sample {
        name: "zendesk_token",
        source_type: "zendesk",
        settings: "",
        secrets: "credentials = { subdomain = 'example', email = 'a@example.com', token = 'canary' }",
        method: "GET",
        target: "/api/v2/users/me.json",
        header: ("authorization", "+a@example.com/token:canary"),
        body: "",
        answer: r#"{"user":{"id":35436,"name":"Robert C. Martin","role":"admin"}}"#,
    },
    Sample {
        name: "zendesk_password",
        source_type: "zendesk",
        settings: "",
        secrets: "credentials = { subdomain = 'example', email = 'a@example.com', password = 'canary' }",
        method: "GET",
        target: "/api/v2/users/me.json",
        header: ("authorization", "+a@example.com:canary"),
        body: "",
        answer: r#"{"user":{"id":35436}}"#,
    },
    Sample {
        name: "zendesk_oauth",
        source_type: "zendesk",
        settings: "",
        secrets: "credentials = { subdomain = 'example', oauth_token = 'canary' }",
        method: "GET",
        target: "/api/v2/users/me.json",
        header: ("authorization", "Bearer canary"),
        body: "",
        answer: r#"{"user":{"id":35436}}"#,
    },
    Sample {
        name: "slack",
        source_type: "slack",
        settings: "",
        secrets: "access_token = 'xoxb-canary'",
        method: "POST",
        target: "/api/auth.test",
        header: ("authorization", "Bearer xoxb-canary"),
        body: "",
        answer: r#"{"ok":true,"url":"https://subarachnoid.slack.com/","team":"Subarachnoid Workspace","user":"grace"}"#,
    },
    Sample {
        name: "notion",
        source_type: "notion",
        settings: "",
        secrets: "api_key = 'ntn_canary'",
        method: "GET",
        target: "/v1/users/me",
        header: ("notion-version", "2022-06-28"),
        body: "",
        answer: r#"{"object":"user","id":"16d84278-ab0e-484c-9bdd-b35da3bd8905","type":"bot"}"#,
    },
    Sample {
        name: "airtable",
        source_type: "airtable",
        settings: ", base_id: app1",
        secrets: "access_token = 'pat_canary'",
        method: "GET",
        target: "/v0/meta/whoami",
        header: ("authorization", "Bearer pat_canary"),
        body: "",
        answer: r#"{"id":"usrL2PNC5o3H4lBEi"}"#,
    },
    Sample {
        name: "jira",
        source_type: "jira",
        settings: "",
        secrets: "subdomain = 'example'\nemail = 'a@example.com'\napi_token = 'canary'",
        method: "GET",
        target: "/rest/api/3/myself",
        header: ("authorization", "+a@example.com:canary"),
        body: "",
        answer: r#"{"accountId":"5b10a2844c20165700ede21g","active":true}"#,
    },
    Sample {
        name: "asana",
        source_type: "asana",
        settings: "",
        secrets: "access_token = '1/canary'",
        method: "GET",
        target: "/api/1.0/users/me",
        header: ("authorization", "Bearer 1/canary"),
        body: "",
        answer: r#"{"data":{"gid":"12345","resource_type":"user"}}"#,
    },
    Sample {
        name: "pipedrive",
        source_type: "pipedrive",
        settings: "",
        secrets: "pipedrive_api_key = 'canary'",
        method: "GET",
        target: "/v1/users/me",
        header: ("x-api-token", "canary"),
        body: "",
        answer: r#"{"success":true,"data":{"id":1234}}"#,
    },
    Sample {
        name: "freshdesk",
        source_type: "freshdesk",
        settings: "",
        secrets: "domain = 'example'\napi_secret_key = 'canary'",
        method: "GET",
        target: "/api/v2/agents/me",
        header: ("authorization", "+canary:X"),
        body: "",
        answer: r#"{"available":true,"id":1,"type":"support_agent"}"#,
    },
    Sample {
        name: "workable",
        source_type: "workable",
        settings: ", subdomain: example",
        secrets: "access_token = 'canary'",
        method: "GET",
        target: "/spi/v3/jobs?limit=1",
        header: ("authorization", "Bearer canary"),
        body: "",
        answer: r#"{"jobs":[]}"#,
    },
    Sample {
        name: "mux",
        source_type: "mux",
        settings: "",
        secrets: "mux_api_access_token = 'id'\nmux_api_secret_key = 'canary'",
        method: "GET",
        target: "/system/v1/whoami",
        header: ("authorization", "+id:canary"),
        body: "",
        answer: r#"{"data":{"permissions":["video:read"]}}"#,
    },
    Sample {
        name: "matomo",
        source_type: "matomo",
        settings: ", url: 'https://analytics.example.com', site_id: 1",
        secrets: "api_token = 'canary'",
        method: "POST",
        target: "/index.php?module=API&method=API.getMatomoVersion&format=json",
        header: ("content-type", "application/x-www-form-urlencoded"),
        body: "token_auth=canary",
        answer: r#"{"value":"5.3.2"}"#,
    },
    Sample {
        name: "personio",
        source_type: "personio",
        settings: "",
        secrets: "client_id = 'id'\nclient_secret = 'canary'",
        method: "POST",
        target: "/v1/auth",
        header: ("content-type", "application/json"),
        body: r#"{"client_id":"id","client_secret":"canary"}"#,
        answer: r#"{"success":true,"data":{"token":"papi-1"}}"#,
    },
    Sample {
        name: "strapi",
        source_type: "strapi",
        settings: ", endpoints: [posts]",
        secrets: "domain = 'cms.example.com'\napi_secret_key = 'canary'",
        method: "GET",
        target: "/api/posts?pagination[pageSize]=1",
        header: ("authorization", "Bearer canary"),
        body: "",
        answer: r#"{"data":[],"meta":{}}"#,
    },
    Sample {
        name: "facebook",
        source_type: "facebook_ads",
        settings: "",
        secrets: "access_token = 'canary'\naccount_id = '1'",
        method: "GET",
        target: "/v25.0/me?fields=id",
        header: ("authorization", "Bearer canary"),
        body: "",
        answer: r#"{"id":"1234567890"}"#,
    },
    Sample {
        name: "sheets",
        source_type: "google_sheets",
        settings: ", spreadsheet_url_or_id: x",
        secrets: "credentials = { client_id = 'id', client_secret = 'canary', refresh_token = '1//canary', project_id = 'x' }",
        method: "POST",
        target: "/token",
        header: ("content-type", "application/x-www-form-urlencoded"),
        body: "client_id=id&client_secret=canary&refresh_token=1%2F%2Fcanary&grant_type=refresh_token",
        answer: r#"{"access_token":"1/fFAGRNJru1FTz70BzhT3Zg","expires_in":3920,"token_type":"Bearer"}"#,
    },
    Sample {
        name: "kinesis",
        source_type: "kinesis",
        settings: ", stream_name: s",
        secrets: "credentials = { aws_access_key_id = 'AKIDEXAMPLE', aws_secret_access_key = 'canary', region_name = 'eu-central-1' }",
        method: "POST",
        target: "/",
        header: ("authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/…"),
        body: "Action=GetCallerIdentity&Version=2011-06-15",
        answer: "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult/></GetCallerIdentityResponse>",
    },
    Sample {
        name: "azure",
        source_type: "filesystem",
        settings: ", bucket_url: 'az://data'",
        secrets: "credentials = { azure_storage_account_name = 'acc', azure_storage_account_key = 'Y2FuYXJ5' }",
        method: "GET",
        target: "/?comp=list&maxresults=1",
        header: ("authorization", "SharedKey acc:…"),
        body: "",
        answer: "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"https://acc.blob.core.windows.net/\"/>",
    },
    Sample {
        name: "principal",
        source_type: "filesystem",
        settings: ", bucket_url: 'az://data'",
        secrets: "credentials = { azure_storage_account_name = 'acc', azure_tenant_id = 't-1', azure_client_id = 'id', azure_client_secret = 'canary' }",
        method: "POST",
        target: "/t-1/oauth2/v2.0/token",
        header: ("content-type", "application/x-www-form-urlencoded"),
        body: "client_id=id&client_secret=canary&scope=https%3A%2F%2Fstorage.azure.com%2F.default&grant_type=client_credentials",
        answer: r#"{"token_type":"Bearer","expires_in":3599,"access_token":"e"}"#,
    },
    Sample {
        name: "salesforce_login",
        source_type: "salesforce",
        settings: "",
        secrets: "credentials = { user_name = 'me@example.com', password = 'can<ary', security_token = 'token' }",
        method: "POST",
        target: "/services/Soap/u/59.0",
        header: ("soapaction", "login"),
        body: "<env:Envelope xmlns:env=\"http://schemas.xmlsoap.org/soap/envelope/\"><env:Body><n1:login xmlns:n1=\"urn:partner.soap.sforce.com\"><n1:username>me@example.com</n1:username><n1:password>can&lt;arytoken</n1:password></n1:login></env:Body></env:Envelope>",
        answer: "<soapenv:Envelope><soapenv:Body><loginResponse><result><passwordExpired>false</passwordExpired><sessionId>x</sessionId></result></loginResponse></soapenv:Body></soapenv:Envelope>",
    },
    Sample {
        name: "salesforce_client",
        source_type: "salesforce",
        settings: "",
        secrets: "credentials = { consumer_key = 'id', consumer_secret = 'canary', domain = 'example.my' }",
        method: "POST",
        target: "/services/oauth2/token",
        header: ("accept", "application/json"),
        body: "grant_type=client_credentials&client_id=id&client_secret=canary",
        answer: r#"{"access_token":"x","instance_url":"https://example.my.salesforce.com","token_type":"Bearer"}"#,
    },
    Sample {
        name: "salesforce_session",
        source_type: "salesforce",
        settings: "",
        secrets: "credentials = { session_id = 'canary', instance_url = 'https://example.my.salesforce.com' }",
        method: "GET",
        target: "/services/oauth2/userinfo",
        header: ("authorization", "Bearer canary"),
        body: "",
        answer: r#"{"sub":"https://login.salesforce.com/id/1","user_id":"1"}"#,
    },
];

/// A project with a source for each sample, all of which are asked at one place that answers as it is told.
fn project() -> (Scratch, Fake<impl Fn(&Seen) -> Reply + Send + Sync + 'static>, Arc<Mutex<Reply>>) {
    let told = Arc::new(Mutex::new(Reply::empty(204)));
    let answer = Arc::clone(&told);
    let fake = Fake::start(move |seen: &Seen| {
        let reply = answer.lock().expect("no thread failed").clone();
        let sample = SAMPLES.iter().find(|sample| sample.target == seen.target);
        // 204 stands for the documented answer of each.
        match sample.filter(|_| reply.status() == 204) {
            Some(sample) => Reply::json(200, sample.answer),
            None => reply,
        }
    });
    let mut project = Scratch::initialised();
    let (mut sources, mut secrets) = ("sources:\n".to_owned(), String::new());
    for sample in SAMPLES {
        let Sample { name, source_type, .. } = sample;
        sources += &format!("  - {{name: {name}, type: {source_type}{}}}\n", sample.settings);
        secrets += &format!("[sources.{name}]\n{}\n", sample.secrets);
        let variable = format!("DANGO_CHECK_{}_URL", source_type.to_uppercase());
        project.give(variable.leak(), fake.origin());
    }
    project.write(".dango/sources.yml", sources);
    project.write(".dlt/secrets.toml", secrets);
    (project, fake, told)
}

#[test]
fn every_call_goes_out_as_its_page_documents_it_and_is_accepted() {
    let (project, fake, _) = project();
    let output = project.run(&["source", "check", "--json"]).success().hides(&["canary", "Y2FuYXJ5"]);
    for (name, outcome, reason) in told(&output) {
        assert_eq!((outcome.as_str(), &reason), ("accepted", &json!(null)), "{name}");
    }
    let seen = fake.all();
    assert_eq!(seen.len(), SAMPLES.len());
    for sample in SAMPLES {
        let expected = match sample.header.1.strip_prefix('+') {
            Some(pair) => format!("Basic {}", BASE64.encode(pair.as_bytes())),
            None => sample.header.1.to_owned(),
        };
        let is_it = |seen: &&Seen| {
            let header = seen.header(sample.header.0).unwrap_or_default();
            let fits = match expected.strip_suffix('…') {
                Some(beginning) => header.starts_with(beginning),
                None => header == expected,
            };
            (seen.method.as_str(), seen.target.as_str(), seen.body.as_str()) == (sample.method, sample.target, sample.body) && fits
        };
        assert!(seen.iter().any(|seen| is_it(&seen)), "{} was not asked so: {seen:#?}", sample.name);
    }
}

#[test]
fn what_each_status_means_for_each_provider() {
    let (project, _, answer) = project();
    let check = |reply: Reply, status: i32| -> BTreeMap<String, (String, String)> {
        *answer.lock().expect("no thread failed") = reply;
        let output = project.run(&["source", "check", "--json", "--fresh"]).ending_with(status);
        let output = output.hides(&["canary", "answer-of-the-server", "elsewhere.example"]);
        let rows = told(&output).into_iter();
        rows.map(|(name, outcome, reason)| (name, (outcome, reason.as_str().unwrap_or_default().to_owned())))
            .collect()
    };
    let all_but = |found: &BTreeMap<String, (String, String)>, others: &[(&str, &str)], usual: (&str, &str)| {
        for (name, (outcome, reason)) in found {
            let expected = others.iter().find(|(other, _)| other == name).map_or(usual.1, |(_, reason)| reason);
            let kind = match expected {
                "" => "accepted",
                "wrong_credential" | "missing_permission" | "not_found" => "refused",
                _ => "unreachable",
            };
            assert_eq!((outcome.as_str(), reason.as_str()), (kind, expected), "{name}");
        }
        assert_eq!(found.len(), SAMPLES.len());
    };
    let page = |status| Reply::json(status, r#"{"message":"answer-of-the-server"}"#);
    all_but(&check(page(401), 3), &[], ("refused", "wrong_credential"));
    let of_403 = [
        // Not in Stripe's own form: somebody in between forbids it, and knows no key.
        ("stripe", "unexpected_answer"),
        ("kinesis", "wrong_credential"),
        ("azure", "wrong_credential"),
        ("personio", "wrong_credential"),
    ];
    all_but(&check(page(403), 3), &of_403, ("refused", "missing_permission"));
    let not_found = [
        "shopify",
        "zendesk_token",
        "zendesk_password",
        "zendesk_oauth",
        "jira",
        "freshdesk",
        "workable",
        "azure",
    ];
    let mut of_404: Vec<(&str, &str)> = not_found.iter().map(|name| (*name, "not_found")).collect();
    of_404.push(("salesforce_client", "not_found"));
    all_but(&check(page(404), 3), &of_404, ("unreachable", "unexpected_answer"));
    all_but(&check(page(418), 1), &[], ("unreachable", "unexpected_answer"));
    all_but(&check(page(429), 1), &[], ("unreachable", "too_many_requests"));
    all_but(&check(page(500), 1), &[], ("unreachable", "server_error"));
    all_but(
        &check(Reply::redirect("https://elsewhere.example/"), 1),
        &[],
        ("unreachable", "redirected"),
    );
    // A network's login page, and a server that does not end.
    all_but(
        &check(Reply::page(200, "<h1>Welcome, answer-of-the-server"), 1),
        &[],
        ("unreachable", "unexpected_answer"),
    );
    all_but(&check(Reply::endless(), 1), &[], ("unreachable", "unexpected_answer"));
}

/// What particular answers mean, from the pages on errors: an answer, and the reason.
const PARTICULAR: &[(&str, u16, &str, &str)] = &[
    (
        "stripe",
        401,
        r#"{"error":{"code":"api_key_expired","type":"invalid_request_error"}}"#,
        "expired",
    ),
    (
        "stripe",
        403,
        r#"{"error":{"message":"The provided key 'rk_live_****abcd' does not have the required permissions for this endpoint on account 'acct_1'. Having the 'rak_balance_read' permission would allow this request to continue.","type":"invalid_request_error"}}"#,
        "",
    ),
    (
        "stripe",
        403,
        r#"{"error":{"message":"The API key provided does not allow requests from your IP address.","type":"invalid_request_error"}}"#,
        "missing_permission",
    ),
    ("stripe", 403, "<h1>Forbidden by the proxy", "unexpected_answer"),
    ("slack", 200, r#"{"ok":false,"error":"invalid_auth"}"#, "wrong_credential"),
    ("slack", 200, r#"{"ok":false,"error":"token_expired"}"#, "expired"),
    ("slack", 200, r#"{"ok":false,"error":"missing_scope"}"#, "missing_permission"),
    ("slack", 200, r#"{"ok":false,"error":"ratelimited"}"#, "too_many_requests"),
    ("slack", 200, r#"{"ok":false,"error":"something_new"}"#, "unexpected_answer"),
    (
        "hubspot",
        401,
        r#"{"status":"error","category":"EXPIRED_AUTHENTICATION"}"#,
        "expired",
    ),
    (
        "sheets",
        400,
        r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#,
        "expired",
    ),
    (
        "sheets",
        400,
        r#"{"error":"invalid_grant","error_description":"Bad Request"}"#,
        "wrong_credential",
    ),
    (
        "facebook",
        400,
        r#"{"error":{"message":"x","type":"OAuthException","code":190,"error_subcode":463}}"#,
        "expired",
    ),
    (
        "facebook",
        400,
        r#"{"error":{"message":"x","type":"OAuthException","code":190,"error_subcode":467}}"#,
        "wrong_credential",
    ),
    ("facebook", 400, r#"{"error":{"message":"x","code":17}}"#, "too_many_requests"),
    (
        "github",
        403,
        r#"{"message":"API rate limit exceeded for user ID 1."}"#,
        "too_many_requests",
    ),
    (
        "zendesk_token",
        200,
        r#"{"user":{"id":null,"name":"Anonymous user"}}"#,
        "wrong_credential",
    ),
    (
        "matomo",
        200,
        r#"{"result":"error","message":"Unable to authenticate with the provided token."}"#,
        "wrong_credential",
    ),
    (
        "kinesis",
        403,
        "<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>",
        "expired",
    ),
    (
        "kinesis",
        403,
        "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>",
        "wrong_credential",
    ),
    (
        "principal",
        401,
        r#"{"error":"invalid_client","error_description":"AADSTS7000222: x"}"#,
        "expired",
    ),
    (
        "salesforce_login",
        500,
        "<faultstring>INVALID_LOGIN: Invalid username</faultstring>",
        "wrong_credential",
    ),
    ("salesforce_login", 500, "<faultstring>something else</faultstring>", "server_error"),
    ("salesforce_client", 400, r#"{"error":"invalid_client_id"}"#, "wrong_credential"),
    ("personio", 200, r#"{"success":false,"error":{"code":0}}"#, "wrong_credential"),
];

#[test]
fn what_providers_say_of_their_own_is_understood() {
    let (project, _, answer) = project();
    for (name, status, body, expected) in PARTICULAR {
        *answer.lock().expect("no thread failed") = Reply::json(*status, *body);
        let output = project.run(&["source", "check", "--json", "--fresh", name]);
        let (_, outcome, reason) = told(&output).remove(0);
        let expected = Some(*expected).filter(|reason| !reason.is_empty());
        assert_eq!(reason, json!(expected), "{name} {body}: {outcome}");
    }
}

#[test]
fn only_what_is_spelled_as_an_address_stands_in_for_a_provider() {
    let (mut project, fake, _) = project();
    for bad in ["", "http://localhost:1/", "https://user:canary@127.0.0.1/"] {
        project.give("DANGO_CHECK_STRIPE_URL", bad);
        let _ = project
            .run(&["source", "check", "stripe"])
            .fails(1, &["DANGO_CHECK_STRIPE_URL"])
            .hides(&["canary"]);
    }
    assert!(fake.all().is_empty());
    project.give("DANGO_CHECK_STRIPE_URL", format!("{}/other", fake.origin()));
    let _ = project
        .run(&["source", "check", "github"])
        .success()
        .says(&["warning", "DANGO_CHECK_GITHUB_URL"]);
    let _ = project.run(&["source", "check", "stripe"]);
    assert_eq!(fake.asked("/other").len(), 1, "an address with a path is called as it is");
}
