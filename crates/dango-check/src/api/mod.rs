//! Providers over HTTP: a call is looked up, spelled, sent once, and its answer judged. What calls there are stands in the rows.

mod address;
mod analytics;
mod applications;
mod aws;
mod azure;
mod call;
mod clouds;
mod google;
mod template;
mod verdict;

#[cfg(test)]
mod tests;

use dango_core::{SecretValue, Timestamp};
use dango_oauth::{Header, Method, Outbound, Reach};
use dango_sources::TypeSpec;
use data_encoding::BASE64;
use serde_json::{Map, Value};
use url::Url;
use zeroize::Zeroizing;

use crate::Surroundings;
use crate::outcome::{Obstacle, Outcome};
use crate::subject::Subject;
use call::{Call, Proof};
use template::{Spelling, fill};

/// What is documented where, of one way to sign in.
#[derive(Clone, Copy, Debug)]
pub struct CallDocument {
    /// The type of the catalogue.
    pub source_type: &'static str,
    /// The way to sign in, where the type has several.
    pub way: Option<&'static str>,
    /// The method.
    pub method: &'static str,
    /// Path and query, with `{field}` where a value goes.
    pub path: &'static str,
    /// The page of the provider's documentation.
    pub document: &'static str,
}

/// Every call there is, for documents and tests.
pub fn calls() -> impl Iterator<Item = CallDocument> {
    rows().map(|call| CallDocument {
        source_type: call.source_type,
        way: call.way,
        method: word(call.method),
        path: call.path,
        document: call.document,
    })
}

/// Whether there is a call for the way in which a source signs in.
pub(crate) fn has_call(subject: &Subject) -> bool {
    row(subject).is_some()
}

/// Whether there is a call for any way of a type.
pub(crate) fn knows(spec: &TypeSpec) -> bool {
    rows().any(|call| call.source_type == spec.name)
}

/// Asks the provider once.
pub(crate) async fn check(subject: &Subject, surroundings: &Surroundings<'_>) -> Outcome {
    let Some(call) = row(subject) else {
        return Obstacle::NoCheck.into();
    };
    let outbound = match spell(call, subject, surroundings) {
        Ok(outbound) => outbound,
        Err(obstacle) => return obstacle.into(),
    };
    match surroundings.http.call(&Reach::of(&outbound.url), outbound).await {
        Ok(answer) => verdict::verdict(&answer, call.signs),
        Err(error) => error.into(),
    }
}

fn rows() -> impl Iterator<Item = &'static Call> {
    let tables = [analytics::CALLS, applications::CALLS, clouds::CALLS];
    tables.into_iter().flatten().chain([&clouds::S3_ELSEWHERE])
}

fn row(subject: &Subject) -> Option<&'static Call> {
    let spec = subject.spec();
    let fits = |call: &&Call| call.source_type == spec.name && (call.way.is_none() || call.way == subject.way());
    let elsewhere = &clouds::S3_ELSEWHERE;
    if fits(&elsewhere) && subject.text("endpoint_url").is_some() {
        return Some(elsewhere);
    }
    rows().find(fits)
}

/// The request as it goes out.
fn spell(call: &Call, subject: &Subject, surroundings: &Surroundings<'_>) -> Result<Outbound, Obstacle> {
    let own = address::address(call, subject)?;
    let url = match surroundings.instead {
        Some(endpoint) => endpoint.stand_in_for(&own),
        None => own.clone(),
    };
    let mut headers = Vec::new();
    for (name, value) in call.headers {
        headers.push(header(name, (*value).to_owned())?);
    }
    let (proof, body) = prove(call, (&own, &url), subject, surroundings.now)?;
    headers.extend(proof);
    Ok(Outbound {
        method: call.method,
        url,
        headers,
        body,
    })
}

/// The headers and the body that prove who asks.
fn prove(call: &Call, (own, url): (&Url, &Url), subject: &Subject, now: Timestamp) -> Result<(Vec<Header>, Option<SecretValue>), Obstacle> {
    let plain = |template: &str| fill(template, Spelling::Plain, subject);
    let secret = |text: String| SecretValue::new(text).map_err(|_| Obstacle::Malformed);
    Ok(match call.proof {
        Proof::Bearer(token) => {
            let value = format!("Bearer {}", plain(token)?.expose());
            (vec![header("Authorization", value)?], None)
        }
        Proof::Header(name, template) => (
            vec![Header {
                name: name.to_owned(),
                value: plain(template)?,
            }],
            None,
        ),
        Proof::Basic { name, password } => {
            let name = plain(name)?;
            // A name with a colon would end there (RFC 7617 §2).
            if name.expose().contains(':') {
                return Err(Obstacle::Malformed);
            }
            let pair = Zeroizing::new(format!("{}:{}", name.expose(), plain(password)?.expose()));
            (
                vec![header("Authorization", format!("Basic {}", BASE64.encode(pair.as_bytes())))?],
                None,
            )
        }
        Proof::Form(fields) => {
            let mut form = form_urlencoded::Serializer::new(String::with_capacity(4096));
            for (name, template) in fields {
                form.append_pair(name, plain(template)?.expose());
            }
            (Vec::new(), Some(secret(form.finish())?))
        }
        Proof::Json(fields) => {
            let mut object = Map::new();
            for (name, template) in fields {
                object.insert((*name).to_owned(), Value::String(plain(template)?.expose().to_owned()));
            }
            (Vec::new(), Some(secret(Value::Object(object).to_string())?))
        }
        Proof::Xml(template) => (Vec::new(), Some(fill(template, Spelling::Xml, subject)?)),
        Proof::Aws { service, body } => {
            let request = aws::Unsigned {
                method: word(call.method),
                url,
                service,
                body,
            };
            let signed = aws::sign(&request, subject, now)?;
            let body = (!body.is_empty()).then(|| secret(body.to_owned())).transpose()?;
            (named(signed), body)
        }
        Proof::AzureSharedKey => {
            let version = call.headers.iter().find(|(name, _)| *name == "x-ms-version");
            let version = version.map_or("", |(_, version)| version);
            (named(azure::sign(own, version, subject, now)?), None)
        }
        Proof::GoogleAssertion { scope } => {
            let assertion = google::assertion(scope, subject, now)?;
            let mut form = form_urlencoded::Serializer::new(String::with_capacity(4096));
            form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
            form.append_pair("assertion", assertion.expose());
            (Vec::new(), Some(secret(form.finish())?))
        }
    })
}

fn named(headers: Vec<(&'static str, SecretValue)>) -> Vec<Header> {
    let headers = headers.into_iter();
    headers
        .map(|(name, value)| Header {
            name: name.to_owned(),
            value,
        })
        .collect()
}

fn header(name: &str, value: String) -> Result<Header, Obstacle> {
    Ok(Header {
        name: name.to_owned(),
        value: SecretValue::new(value).map_err(|_| Obstacle::Malformed)?,
    })
}

const fn word(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Delete => "DELETE",
    }
}
