//! The calls of business applications, shops, developers' tools, messages and documents.

use dango_oauth::Method::{Get, Post};

use super::call::{
    Call, EXPIRED, FORBIDDEN, LATER, Mark, Origin, Proof, Sign, TROUBLE, UNEXPECTED, UNKNOWN_ACCOUNT, WRONG, json, on, text, within,
};
use crate::outcome::Outcome;

/// What asks for JSON.
const ACCEPT_JSON: &[(&str, &str)] = &[("Accept", "application/json")];
const FORM: &[(&str, &str)] = &[
    ("Content-Type", "application/x-www-form-urlencoded"),
    ("Accept", "application/json"),
];

pub(super) const ZENDESK: Origin = Origin::Account {
    field: "subdomain",
    suffix: ".zendesk.com",
};
const ZENDESK_DOCUMENT: &str = "https://developer.zendesk.com/api-reference/ticketing/users/users/#show-self";
/// Whoever is not known is somebody without a number there.
const ZENDESK_SIGNS: &[Sign] = &[
    Sign {
        status: 200,
        mark: Mark::Missing("/user/id"),
        meaning: WRONG,
    },
    on(404, UNKNOWN_ACCOUNT),
];

/// Salesforce's token endpoint answers as RFC 6749 §5.2 has it.
const SALESFORCE_SIGNS: &[Sign] = &[
    json(400, "/error", "invalid_client*", WRONG),
    json(400, "/error", "invalid_grant", WRONG),
    json(400, "/error", "inactive_*", WRONG),
    json(400, "/error", "rate_limit_exceeded", LATER),
    on(404, UNKNOWN_ACCOUNT),
];
const SALESFORCE_LOGIN: &str = "https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_login.htm";
const SOAP: &[(&str, &str)] = &[("Content-Type", "text/xml; charset=UTF-8"), ("SOAPAction", "login")];
const SOAP_SIGNS: &[Sign] = &[
    text(500, ">sf:INVALID_LOGIN<", WRONG),
    text(500, "INVALID_LOGIN:", WRONG),
    text(500, "PASSWORD_LOCKOUT:", WRONG),
    text(500, "LOGIN_MUST_USE_SECURITY_TOKEN:", WRONG),
    text(500, "INVALID_OPERATION_WITH_EXPIRED_PASSWORD:", EXPIRED),
    text(500, "API_DISABLED_FOR_ORG:", FORBIDDEN),
    // An account whose password has ended is told so in an answer that is a success.
    text(200, "<passwordExpired>true<", EXPIRED),
    text(200, "<sessionId>", Outcome::Accepted),
    on(200, UNEXPECTED),
];

pub(super) static CALLS: &[Call] = &[
    Call {
        source_type: "hubspot",
        way: None,
        method: Get,
        origin: Origin::Fixed("https://api.hubapi.com"),
        path: "/account-info/v3/details",
        proof: Proof::Bearer("{api_key}"),
        headers: ACCEPT_JSON,
        signs: &[json(401, "/category", "EXPIRED_AUTHENTICATION", EXPIRED)],
        document: "https://developers.hubspot.com/docs/api-reference/account-account-info-v3/details/get-account-info-v3-details",
    },
    Call {
        source_type: "salesforce",
        way: Some("client_credentials"),
        method: Post,
        origin: Origin::Account {
            field: "domain",
            suffix: ".salesforce.com",
        },
        path: "/services/oauth2/token",
        proof: Proof::Form(&[
            ("grant_type", "client_credentials"),
            ("client_id", "{consumer_key}"),
            ("client_secret", "{consumer_secret}"),
        ]),
        headers: FORM,
        signs: SALESFORCE_SIGNS,
        document: "https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow.htm",
    },
    Call {
        source_type: "salesforce",
        way: Some("consumer_key"),
        method: Post,
        origin: Origin::Fixed("https://login.salesforce.com"),
        path: "/services/oauth2/token",
        proof: Proof::Form(&[
            ("grant_type", "password"),
            ("client_id", "{consumer_key}"),
            ("client_secret", "{consumer_secret}"),
            ("username", "{user_name}"),
            ("password", "{password}"),
        ]),
        headers: FORM,
        signs: SALESFORCE_SIGNS,
        document: "https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_username_password_flow.htm",
    },
    Call {
        source_type: "salesforce",
        way: Some("security_token"),
        method: Post,
        origin: Origin::Fixed("https://login.salesforce.com"),
        path: "/services/Soap/u/59.0",
        proof: Proof::Xml(
            "<env:Envelope xmlns:env=\"http://schemas.xmlsoap.org/soap/envelope/\"><env:Body><n1:login xmlns:n1=\"urn:partner.soap.sforce.com\">\
             <n1:username>{user_name}</n1:username><n1:password>{password}{security_token}</n1:password></n1:login></env:Body></env:Envelope>",
        ),
        headers: SOAP,
        signs: SOAP_SIGNS,
        document: SALESFORCE_LOGIN,
    },
    Call {
        source_type: "salesforce",
        way: Some("session"),
        method: Get,
        origin: Origin::Own { field: "instance_url" },
        path: "/services/oauth2/userinfo",
        proof: Proof::Bearer("{session_id}"),
        headers: ACCEPT_JSON,
        // A session that is none is forbidden here, as the page says.
        signs: &[text(403, "Bad_OAuth_Token", WRONG), text(403, "Missing_OAuth_Token", WRONG)],
        document: "https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_userinfo_endpoint.htm",
    },
    Call {
        source_type: "pipedrive",
        way: None,
        method: Get,
        origin: Origin::Fixed("https://api.pipedrive.com"),
        path: "/v1/users/me",
        proof: Proof::Header("x-api-token", "{pipedrive_api_key}"),
        headers: ACCEPT_JSON,
        signs: &[],
        document: "https://developers.pipedrive.com/docs/api/v1/Users#getCurrentUser",
    },
    Call {
        source_type: "freshdesk",
        way: None,
        method: Get,
        origin: Origin::Account {
            field: "domain",
            suffix: ".freshdesk.com",
        },
        path: "/api/v2/agents/me",
        proof: Proof::Basic {
            name: "{api_secret_key}",
            password: "X",
        },
        headers: ACCEPT_JSON,
        signs: &[on(404, UNKNOWN_ACCOUNT)],
        document: "https://developers.freshdesk.com/api/#me",
    },
    Call {
        source_type: "zendesk",
        way: Some("token"),
        method: Get,
        origin: ZENDESK,
        path: "/api/v2/users/me.json",
        proof: Proof::Basic {
            name: "{email}/token",
            password: "{token}",
        },
        headers: ACCEPT_JSON,
        signs: ZENDESK_SIGNS,
        document: ZENDESK_DOCUMENT,
    },
    Call {
        source_type: "zendesk",
        way: Some("password"),
        method: Get,
        origin: ZENDESK,
        path: "/api/v2/users/me.json",
        proof: Proof::Basic {
            name: "{email}",
            password: "{password}",
        },
        headers: ACCEPT_JSON,
        signs: ZENDESK_SIGNS,
        document: ZENDESK_DOCUMENT,
    },
    Call {
        source_type: "zendesk",
        way: Some("oauth"),
        method: Get,
        origin: ZENDESK,
        path: "/api/v2/users/me.json",
        proof: Proof::Bearer("{oauth_token}"),
        headers: ACCEPT_JSON,
        signs: ZENDESK_SIGNS,
        document: ZENDESK_DOCUMENT,
    },
    Call {
        source_type: "jira",
        way: None,
        method: Get,
        origin: Origin::Account {
            field: "subdomain",
            suffix: ".atlassian.net",
        },
        path: "/rest/api/3/myself",
        proof: Proof::Basic {
            name: "{email}",
            password: "{api_token}",
        },
        headers: ACCEPT_JSON,
        signs: &[on(404, UNKNOWN_ACCOUNT)],
        document: "https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-myself/#api-rest-api-3-myself-get",
    },
    Call {
        source_type: "workable",
        way: None,
        method: Get,
        origin: Origin::Account {
            field: "subdomain",
            suffix: ".workable.com",
        },
        path: "/spi/v3/jobs?limit=1",
        proof: Proof::Bearer("{access_token}"),
        headers: ACCEPT_JSON,
        signs: &[on(404, UNKNOWN_ACCOUNT)],
        document: "https://workable.readme.io/reference/jobs",
    },
    Call {
        source_type: "asana",
        way: None,
        method: Get,
        origin: Origin::Fixed("https://app.asana.com"),
        path: "/api/1.0/users/me",
        proof: Proof::Bearer("{access_token}"),
        headers: ACCEPT_JSON,
        signs: &[],
        document: "https://developers.asana.com/reference/getuser",
    },
    Call {
        source_type: "stripe",
        way: None,
        method: Get,
        origin: Origin::Fixed("https://api.stripe.com"),
        path: "/v1/balance",
        proof: Proof::Bearer("{stripe_secret_key}"),
        headers: &[],
        signs: &[
            json(401, "/error/code", "api_key_expired", EXPIRED),
            // A restricted key that Stripe knows: that it may not read the balance keeps no pipeline from what it may read. Other keys
            // are forbidden, too, as those that are kept to certain addresses are.
            within(
                403,
                "/error/message",
                "does not have the required permissions for this endpoint",
                Outcome::Accepted,
            ),
            json(403, "/error/type", "*", FORBIDDEN),
            on(403, UNEXPECTED),
        ],
        document: "https://docs.stripe.com/api/balance/balance_retrieve",
    },
    Call {
        source_type: "shopify",
        way: None,
        method: Get,
        origin: Origin::Account {
            field: "shop_url",
            suffix: ".myshopify.com",
        },
        path: "/admin/api/2025-10/shop.json",
        proof: Proof::Header("X-Shopify-Access-Token", "{private_app_password}"),
        headers: ACCEPT_JSON,
        signs: &[on(404, UNKNOWN_ACCOUNT)],
        document: "https://shopify.dev/docs/api/admin-rest/latest/resources/shop#get-shop",
    },
    Call {
        source_type: "github",
        way: None,
        method: Get,
        origin: Origin::Fixed("https://api.github.com"),
        path: "/user",
        proof: Proof::Bearer("{access_token}"),
        headers: &[("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", "2022-11-28")],
        signs: &[
            text(403, "rate limit", LATER),
            // The token of an app's installation, which is nobody's: GitHub knows it.
            within(403, "/message", "Resource not accessible by integration", Outcome::Accepted),
        ],
        document: "https://docs.github.com/en/rest/users/users#get-the-authenticated-user",
    },
    Call {
        source_type: "slack",
        way: None,
        method: Post,
        origin: Origin::Fixed("https://slack.com"),
        path: "/api/auth.test",
        proof: Proof::Bearer("{access_token}"),
        headers: &[("Content-Type", "application/x-www-form-urlencoded")],
        signs: &[
            json(200, "/ok", "true", Outcome::Accepted),
            json(200, "/error", "token_expired", EXPIRED),
            json(200, "/error", "missing_scope", FORBIDDEN),
            json(200, "/error", "no_permission", FORBIDDEN),
            json(200, "/error", "not_allowed_token_type", FORBIDDEN),
            json(200, "/error", "access_denied", FORBIDDEN),
            json(200, "/error", "ekm_access_denied", FORBIDDEN),
            json(200, "/error", "two_factor_setup_required", FORBIDDEN),
            json(200, "/error", "invalid_auth", WRONG),
            json(200, "/error", "not_authed", WRONG),
            json(200, "/error", "account_inactive", WRONG),
            json(200, "/error", "token_revoked", WRONG),
            json(200, "/error", "org_login_required", WRONG),
            json(200, "/error", "ratelimited", LATER),
            json(200, "/error", "internal_error", TROUBLE),
            json(200, "/error", "fatal_error", TROUBLE),
            json(200, "/error", "service_unavailable", TROUBLE),
            on(200, UNEXPECTED),
        ],
        document: "https://docs.slack.dev/reference/methods/auth.test",
    },
    Call {
        source_type: "notion",
        way: None,
        method: Get,
        origin: Origin::Fixed("https://api.notion.com"),
        path: "/v1/users/me",
        proof: Proof::Bearer("{api_key}"),
        headers: &[("Notion-Version", "2022-06-28")],
        signs: &[],
        document: "https://developers.notion.com/reference/get-self",
    },
    Call {
        source_type: "personio",
        way: None,
        method: Post,
        origin: Origin::Fixed("https://api.personio.de"),
        path: "/v1/auth",
        proof: Proof::Json(&[("client_id", "{client_id}"), ("client_secret", "{client_secret}")]),
        headers: &[("Content-Type", "application/json"), ("Accept", "application/json")],
        signs: &[
            // As the page has it: wrong credentials are forbidden, or an answer that says of itself that it is no success.
            on(403, WRONG),
            json(200, "/success", "false", WRONG),
        ],
        document: "https://developer.personio.de/reference/post_auth",
    },
    Call {
        source_type: "strapi",
        way: None,
        method: Get,
        origin: Origin::Own { field: "domain" },
        path: "/api/{endpoints}?pagination[pageSize]=1",
        proof: Proof::Bearer("{api_secret_key}"),
        headers: ACCEPT_JSON,
        signs: &[],
        document: "https://docs.strapi.io/cms/features/api-tokens",
    },
];
