//! The rows against the catalogue, and signatures against those of the providers' own libraries.

use dango_core::Timestamp;
use dango_sources::catalogue;

use super::*;
use crate::outcome::Trouble;
use call::Origin;

fn spec(source_type: &str) -> &'static TypeSpec {
    catalogue()
        .find(&source_type.parse().expect("a type"))
        .expect("is in the catalogue")
}

fn subject(source_type: &str, way: Option<&str>, fields: &[(&'static str, &str)]) -> Subject {
    let spec = spec(source_type);
    let mut subject = Subject::new(spec, way.and_then(|way| spec.variant(way)));
    for (field, value) in fields {
        subject.put(field, SecretValue::new((*value).to_owned()).expect("text"));
    }
    subject
}

#[test]
fn every_row_is_of_a_type_a_way_and_fields_of_the_catalogue() {
    for call in rows() {
        let spec = spec(call.source_type);
        let place = format!("{} {:?}", call.source_type, call.way);
        match call.way {
            Some(way) => assert!(spec.variant(way).is_some(), "{place}"),
            None => assert!(spec.variants.is_empty(), "{place}"),
        }
        assert!(call.document.starts_with("https://"), "{place}");
        let mut texts = vec![call.path];
        match call.origin {
            Origin::Fixed(origin) => texts.push(origin),
            Origin::Account { field, suffix } => {
                assert!(suffix.starts_with('.') && spec.field(field).is_some(), "{place}");
            }
            Origin::Own { field } => assert!(spec.field(field).is_some(), "{place}"),
        }
        match call.proof {
            Proof::Bearer(text) | Proof::Header(_, text) | Proof::Xml(text) => texts.push(text),
            Proof::Basic { name, password } => texts.extend([name, password]),
            Proof::Form(fields) | Proof::Json(fields) => texts.extend(fields.iter().map(|(_, text)| *text)),
            Proof::Aws { .. } | Proof::AzureSharedKey | Proof::GoogleAssertion { .. } => {}
        }
        for text in texts {
            for part in text.split('{').skip(1) {
                let field = part.split('}').next().expect("a beginning");
                let found = spec.fields.iter().any(|known| known.name == field);
                assert!(found, "{place} names {field}, which the type does not have");
            }
        }
    }
    let mut types: Vec<&str> = rows().map(|call| call.source_type).collect();
    types.sort_unstable();
    types.dedup();
    assert!(types.len() >= 15, "{types:?}");
}

#[test]
fn no_secret_is_ever_a_part_of_an_address() {
    for call in rows() {
        for part in call.path.split('{').skip(1) {
            let field = part.split('}').next().expect("a beginning");
            let secret = spec(call.source_type).field(field).is_some_and(|field| field.secret);
            assert!(!secret, "{} puts {field} into its address", call.source_type);
        }
    }
}

// What botocore 1.44.5 signs for the same request: `S3SigV4Auth(Credentials("AKIDEXAMPLE", …), service, "eu-central-1")`.
#[test]
fn requests_to_aws_are_signed_as_botocore_signs_them() {
    let now: Timestamp = "2015-08-30T12:36:00Z".parse().expect("a time");
    let subject = subject(
        "kinesis",
        None,
        &[
            ("aws_access_key_id", "AKIDEXAMPLE"),
            ("aws_secret_access_key", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            ("aws_session_token", "tok/en+="),
            ("region_name", "eu-central-1"),
        ],
    );
    for (method, url, service, body, expected) in [
        (
            "POST",
            "https://sts.eu-central-1.amazonaws.com/",
            "sts",
            "Action=GetCallerIdentity&Version=2011-06-15",
            "ab5d4c9c2bf2f68c028f00e6b5902ac5ed935ead50c430d50b8abb2a53460594",
        ),
        (
            "GET",
            "http://127.0.0.1:9000/",
            "s3",
            "",
            "7d9f58000226e8dff7146544ded5d054333972cad2db28e7037ea3ce237fa24c",
        ),
    ] {
        let url: Url = url.parse().expect("a URL");
        let request = aws::Unsigned {
            method,
            url: &url,
            service,
            body,
        };
        let headers = aws::sign(&request, &subject, now).expect("it is signed");
        let authorization = headers.iter().find(|(name, _)| *name == "authorization").expect("there is one");
        assert_eq!(
            authorization.1.expose(),
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-central-1/{service}/aws4_request, \
                 SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature={expected}"
            )
        );
    }
}

// What azure-storage-blob 12.31.1 signs for the same request (`SharedKeyCredentialPolicy`).
#[test]
fn requests_to_azure_are_signed_as_its_own_library_signs_them() {
    let now: Timestamp = "2015-08-30T12:36:00Z".parse().expect("a time");
    let key = data_encoding::BASE64.encode(b"0123456789abcdef0123456789abcdef");
    let subject = subject(
        "filesystem",
        Some("azure"),
        &[("azure_storage_account_name", "myaccount"), ("azure_storage_account_key", &key)],
    );
    let call = row(&subject).expect("there is a row");
    let url = address::address(call, &subject).expect("an address");
    assert_eq!(url.as_str(), "https://myaccount.blob.core.windows.net/?comp=list&maxresults=1");
    let headers = azure::sign(&url, "2021-12-02", &subject, now).expect("it is signed");
    let shown: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.expose())).collect();
    assert_eq!(
        shown,
        [
            ("x-ms-date", "Sun, 30 Aug 2015 12:36:00 GMT"),
            ("authorization", "SharedKey myaccount:l0r1N2v6Rvu1v7bNsx/509PcnIm/sKiFuB+AOZDDIJw=")
        ]
    );
}

#[test]
fn storage_elsewhere_is_asked_itself() {
    let keys = [("aws_access_key_id", "A"), ("aws_secret_access_key", "canary")];
    let at_home = subject("filesystem", Some("s3"), &keys);
    assert_eq!(row(&at_home).map(|call| call.document), Some(clouds::CALLS[1].document));
    let mut elsewhere = subject("filesystem", Some("s3"), &keys);
    elsewhere.put(
        "endpoint_url",
        SecretValue::new("https://minio.example.com".to_owned()).expect("text"),
    );
    let call = row(&elsewhere).expect("there is a row");
    assert_eq!(
        address::address(call, &elsewhere).map(|url| url.to_string()).as_deref(),
        Ok("https://minio.example.com/")
    );
}

#[test]
fn storage_elsewhere_that_denies_anybody_has_not_taken_the_credentials() {
    let of = |body: &str| {
        let answer = dango_oauth::Answer {
            status: 403,
            retry_after: None,
            body: body.as_bytes().to_vec().into(),
        };
        verdict::verdict(&answer, clouds::S3_ELSEWHERE.signs)
    };
    // What a bucket that is shown as a page answers to whoever comes.
    assert_eq!(
        of("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"),
        Trouble::Unexpected.into()
    );
    let named = "<Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/a is not authorized to perform: \
        s3:ListAllMyBuckets because no identity-based policy allows the s3:ListAllMyBuckets action</Message></Error>";
    assert_eq!(of(named), Outcome::Accepted);
    for wrong in ["SignatureDoesNotMatch", "InvalidAccessKeyId"] {
        let body = format!("<Error><Code>{wrong}</Code></Error>");
        assert_eq!(of(&body), crate::outcome::Refusal::WrongCredential.into(), "{wrong}");
    }
}
