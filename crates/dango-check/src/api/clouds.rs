//! The calls of clouds: storage and streams.

use dango_oauth::Method::{Get, Post};

use super::analytics::{GOOGLE_SIGNS, GOOGLE_TOKENS};
use super::call::{Call, EXPIRED, FORBIDDEN, Origin, Proof, Sign, UNEXPECTED, UNKNOWN_ACCOUNT, WRONG, json, on, text};
use crate::outcome::Outcome;

const FORM: &[(&str, &str)] = &[
    ("Content-Type", "application/x-www-form-urlencoded"),
    ("Accept", "application/json"),
];
const AWS_FORM: &[(&str, &str)] = &[("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")];

/// AWS answers 403 to whatever it does not take; the code in the body says why.
const AWS_SIGNS: &[Sign] = &[
    text(200, "<GetCallerIdentityResponse", Outcome::Accepted),
    text(403, "<Code>ExpiredToken", EXPIRED),
    text(400, "<Code>ExpiredToken", EXPIRED),
    text(403, "<Code>RequestTimeTooSkewed", UNEXPECTED),
    text(403, "<Code>RequestExpired", UNEXPECTED),
    text(403, "<Code>AccessDenied", FORBIDDEN),
    on(403, WRONG),
    text(400, "<Code>InvalidToken", WRONG),
    text(400, "<Code>InvalidAccessKeyId", WRONG),
];

const IDENTITY: &str = "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html";

const fn identity(source_type: &'static str, way: Option<&'static str>) -> Call {
    Call {
        source_type,
        way,
        method: Post,
        origin: Origin::Fixed("https://sts.{region_name}.amazonaws.com"),
        path: "/",
        proof: Proof::Aws {
            service: "sts",
            body: "Action=GetCallerIdentity&Version=2011-06-15",
        },
        headers: AWS_FORM,
        signs: AWS_SIGNS,
        document: IDENTITY,
    }
}

/// Storage that speaks S3 elsewhere has no STS: it is asked for the list of buckets, which it may refuse to those whom it knows.
pub(super) static S3_ELSEWHERE: Call = Call {
    source_type: "filesystem",
    way: Some("s3"),
    method: Get,
    origin: Origin::Own { field: "endpoint_url" },
    path: "/",
    proof: Proof::Aws { service: "s3", body: "" },
    headers: &[],
    signs: &[
        text(200, "<ListAllMyBucketsResult", Outcome::Accepted),
        text(403, "<Code>ExpiredToken", EXPIRED),
        text(403, "<Code>RequestTimeTooSkewed", UNEXPECTED),
        // It names who may not: whoever that is has signed rightly. Without that, anybody may be denied, those that are not known included.
        text(403, "is not authorized to perform: s3:ListAllMyBuckets", Outcome::Accepted),
        text(403, "<Code>AccessDenied", UNEXPECTED),
        on(403, WRONG),
    ],
    document: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html",
};

pub(super) static CALLS: &[Call] = &[
    identity("kinesis", None),
    identity("filesystem", Some("s3")),
    Call {
        source_type: "filesystem",
        way: Some("gcs"),
        method: Post,
        origin: GOOGLE_TOKENS,
        path: "/token",
        proof: Proof::GoogleAssertion {
            scope: "https://www.googleapis.com/auth/devstorage.read_only",
        },
        headers: FORM,
        signs: GOOGLE_SIGNS,
        document: "https://developers.google.com/identity/protocols/oauth2/service-account#httprest",
    },
    Call {
        source_type: "filesystem",
        way: Some("azure"),
        method: Get,
        origin: Origin::Account {
            field: "azure_storage_account_name",
            suffix: ".blob.core.windows.net",
        },
        path: "/?comp=list&maxresults=1",
        proof: Proof::AzureSharedKey,
        headers: &[("x-ms-version", "2021-12-02")],
        signs: &[
            text(200, "<EnumerationResults", Outcome::Accepted),
            text(403, "<Code>AuthorizationFailure", FORBIDDEN),
            on(403, WRONG),
            on(404, UNKNOWN_ACCOUNT),
        ],
        document: "https://learn.microsoft.com/en-us/rest/api/storageservices/list-containers2",
    },
    Call {
        source_type: "filesystem",
        way: Some("azure_principal"),
        method: Post,
        origin: Origin::Fixed("https://login.microsoftonline.com"),
        path: "/{azure_tenant_id}/oauth2/v2.0/token",
        proof: Proof::Form(&[
            ("client_id", "{azure_client_id}"),
            ("client_secret", "{azure_client_secret}"),
            ("scope", "https://storage.azure.com/.default"),
            ("grant_type", "client_credentials"),
        ]),
        headers: FORM,
        signs: &[
            // Entra's own numbers: a secret that has ended, and a tenant that there is not.
            text(0, "AADSTS7000222", EXPIRED),
            text(0, "AADSTS90002", UNKNOWN_ACCOUNT),
            text(0, "AADSTS900023", UNKNOWN_ACCOUNT),
            json(400, "/error", "unauthorized_client", WRONG),
            json(400, "/error", "invalid_client", WRONG),
        ],
        document: "https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow",
    },
];
