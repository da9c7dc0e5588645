//! Thousands of requests that chance has made: each is answered, and nothing breaks.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request};
use dango_api::ROUTES;
use dango_identity::Role;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::hostile::assert_sound;
use crate::world::{HOST, ORIGIN, World};

const ADA: &str = "ada@team.example";

#[derive(Clone, Debug)]
struct Sent {
    method: String,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

fn methods() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"]);
    prop_oneof![9 => known.prop_map(str::to_owned), 1 => "[A-Z!#$%&'*+.^_`|~0-9a-z-]{1,12}"]
}

fn paths() -> impl Strategy<Value = String> {
    let routes: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
    let id = prop_oneof![
        Just("0193d5a0-0000-7000-8000-000000000000".to_owned()),
        "[a-z0-9.%-]{0,40}",
        Just("%2e%2e%2f".to_owned()),
        Just("%ff".to_owned()),
        Just("%".to_owned()),
    ];
    let known = (prop::sample::select(routes), id).prop_map(|(path, id)| path.replace("{id}", &id));
    let path = prop_oneof![8 => known, 1 => "(/[a-z0-9%.~-]{0,10}){1,6}", 1 => "/api/auth/[!-~&&[^?#\"<>`{}|\\\\^]]{0,30}"];
    let query = prop_oneof![
        6 => Just(String::new()),
        1 => "\\?[a-z=&%0-9]{0,30}",
        1 => "\\?(since|until|type|actor|limit|cursor)=[!-~&&[^#\"<>`{}|\\\\^]]{0,20}",
        1 => "\\?(token|KEY|api_key)=x",
    ];
    (path, query).prop_map(|(path, query)| path + &query)
}

fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("000000")),
        Just(json!(ADA)),
        Just(json!("admin")),
    ];
    let names = prop::sample::select(vec![
        "email",
        "password",
        "code",
        "recovery_code",
        "token",
        "name",
        "scopes",
        "role",
        "expires_at",
        "expires_in_days",
        "current_password",
        "new_password",
        "confirm_email",
        "generate_password",
        "x",
    ]);
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            3 => prop::collection::hash_map(names.clone().prop_map(str::to_owned), inner.clone(), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::Array),
        ]
    })
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => Just(Vec::new()),
        5 => json_values().prop_map(|value| value.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
        1 => json_values().prop_map(|value| {
            let mut text = value.to_string().into_bytes();
            text.truncate(text.len() / 2);
            text
        }),
    ]
}

fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let names = prop::sample::select(vec![
        "authorization",
        "cookie",
        "content-type",
        "content-length",
        "origin",
        "sec-fetch-site",
        "x-forwarded-for",
        "user-agent",
        "accept",
        "range",
        "if-none-match",
        "x-request-id",
        "transfer-encoding",
        "expect",
        "upgrade",
        "x-http-method-override",
    ]);
    let values = prop_oneof![
        3 => prop::sample::select(vec![
            "application/json", "text/plain", "same-origin", "cross-site", ORIGIN, "null", "Bearer x", "", "dango_session=x",
            "dango_session=a; dango_session=b", "0", "99999999999999999999", "chunked", "bytes=0-", "*", "DELETE",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(prop_oneof![Just(b'\t'), 0x20_u8..0x7f, 0x80_u8..=0xff], 0..60),
    ];
    prop::collection::vec((names.prop_map(str::to_owned), values), 0..4)
}

/// W8, W9.
#[test]
fn whatever_is_sent_is_answered_and_nothing_breaks() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let (_, key) = browser.make_key(&["admin"]);
    let token = browser.token();
    let who = prop::sample::select(vec![0_u8, 1, 2]);
    let requests = (methods(), paths(), headers(), bodies()).prop_map(|(method, path, headers, body)| Sent {
        method,
        path,
        headers,
        body,
    });
    let config = Config {
        cases: 3000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut number = 0_u32;
    let counted = std::cell::RefCell::new(&mut number);
    let outcome = TestRunner::new(config).run(&(requests, who), |(sent, who)| {
        // Logging out, or in, would end what is tried here; each request comes from an address of its own.
        let Ok(method) = Method::from_bytes(sent.method.as_bytes()) else {
            return Ok(());
        };
        let mut request = Request::builder().method(method).uri(&sent.path).header("host", HOST);
        for (name, value) in &sent.headers {
            let Ok(value) = HeaderValue::from_bytes(value) else { continue };
            request = request.header(name.as_str(), value);
        }
        if sent.headers.iter().all(|(name, _)| name != "content-type") {
            request = request.header("content-type", "application/json");
        }
        request = match who {
            0 => request,
            1 => request.header("authorization", format!("Bearer {key}")),
            _ => request
                .header("cookie", format!("dango_session={token}"))
                .header("sec-fetch-site", "same-origin"),
        };
        let Ok(request) = request.body(Body::from(sent.body.clone())) else {
            return Ok(());
        };
        let mut number = counted.borrow_mut();
        **number += 1;
        let peer = format!("10.{}.{}.{}:1", **number >> 16, (**number >> 8) & 255, **number & 255);
        assert_sound(&world.send_request(&peer, request), &format!("{} {sent:?}", sent.method));
        Ok(())
    });
    outcome.expect("every answer is sound");
    assert!(number > 2000, "{number}");
    assert!(world.events().len() > 1);
}
