//! The calls of advertising, web, video and table analytics.

use dango_oauth::Method::{Get, Post};

use super::call::{Call, EXPIRED, FORBIDDEN, LATER, Origin, Proof, Sign, TROUBLE, UNEXPECTED, WRONG, json, on, text};
use crate::outcome::Outcome;

const FORM: &[(&str, &str)] = &[
    ("Content-Type", "application/x-www-form-urlencoded"),
    ("Accept", "application/json"),
];

/// Google renews nothing by being asked: the refresh token stays what it is.
pub(super) const GOOGLE_TOKENS: Origin = Origin::Fixed("https://oauth2.googleapis.com");
pub(super) const GOOGLE_SIGNS: &[Sign] = &[
    json(400, "/error_description", "Token has been expired or revoked.", EXPIRED),
    json(400, "/error", "invalid_grant", WRONG),
    json(400, "/error", "invalid_client", WRONG),
    json(400, "/error", "unauthorized_client", WRONG),
    json(400, "/error", "deleted_client", WRONG),
    json(400, "/error", "invalid_scope", FORBIDDEN),
];

const fn google(source_type: &'static str) -> Call {
    Call {
        source_type,
        way: None,
        method: Post,
        origin: GOOGLE_TOKENS,
        path: "/token",
        proof: Proof::Form(&[
            ("client_id", "{client_id}"),
            ("client_secret", "{client_secret}"),
            ("refresh_token", "{refresh_token}"),
            ("grant_type", "refresh_token"),
        ]),
        headers: FORM,
        signs: GOOGLE_SIGNS,
        document: "https://developers.google.com/identity/protocols/oauth2/web-server#offline",
    }
}

pub(super) static CALLS: &[Call] = &[
    google("google_sheets"),
    google("google_analytics"),
    google("google_ads"),
    Call {
        source_type: "facebook_ads",
        way: None,
        method: Get,
        origin: Origin::Fixed("https://graph.facebook.com"),
        path: "/v25.0/me?fields=id",
        proof: Proof::Bearer("{access_token}"),
        headers: &[("Accept", "application/json")],
        signs: &[
            json(0, "/error/error_subcode", "463", EXPIRED),
            json(0, "/error/code", "190", WRONG),
            json(0, "/error/code", "102", WRONG),
            json(0, "/error/code", "10", FORBIDDEN),
            json(0, "/error/code", "200", FORBIDDEN),
            json(0, "/error/code", "4", LATER),
            json(0, "/error/code", "17", LATER),
            json(0, "/error/code", "613", LATER),
            json(0, "/error/code", "1", TROUBLE),
            json(0, "/error/code", "2", TROUBLE),
        ],
        document: "https://developers.facebook.com/docs/graph-api/guides/error-handling",
    },
    Call {
        source_type: "matomo",
        way: None,
        method: Post,
        origin: Origin::Own { field: "url" },
        path: "/index.php?module=API&method=API.getMatomoVersion&format=json",
        // In the body, as Matomo wants it since version 5: what is in an address ends up in logs.
        proof: Proof::Form(&[("token_auth", "{api_token}")]),
        headers: FORM,
        signs: &[
            text(200, "Unable to authenticate", WRONG),
            text(401, "Unable to authenticate", WRONG),
            json(200, "/result", "error", FORBIDDEN),
            json(200, "/value", "*", Outcome::Accepted),
            on(200, UNEXPECTED),
        ],
        document: "https://developer.matomo.org/api-reference/reporting-api",
    },
    Call {
        source_type: "mux",
        way: None,
        method: Get,
        origin: Origin::Fixed("https://api.mux.com"),
        path: "/system/v1/whoami",
        proof: Proof::Basic {
            name: "{mux_api_access_token}",
            password: "{mux_api_secret_key}",
        },
        headers: &[("Accept", "application/json")],
        signs: &[],
        document: "https://www.mux.com/docs/api-reference/system/utilities/whoami",
    },
    Call {
        source_type: "airtable",
        way: None,
        method: Get,
        origin: Origin::Fixed("https://api.airtable.com"),
        path: "/v0/meta/whoami",
        proof: Proof::Bearer("{access_token}"),
        headers: &[],
        signs: &[],
        document: "https://airtable.com/developers/web/api/get-user-id-scopes",
    },
];
