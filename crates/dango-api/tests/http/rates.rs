//! How many requests a minute somebody may send: by API key, and by address for whoever has no credential that counts.

use axum::http::Request;
use dango_actions::Setup;
use dango_api::{Limits, Site};
use dango_identity::Role;
use serde_json::json;

use crate::moves::is;
use crate::world::{Answer, RIGHT, WRONG, World};

const ADA: &str = "ada@team.example";
const SITE: Site = Site::Loopback { port: 8800, tls: false };

/// Three requests a minute, of whatever kind.
fn three_a_minute(proxies: &[&str]) -> World {
    let limits = Limits {
        requests_a_minute_by_key: 3,
        requests_a_minute_by_strangers: 3,
        ..Limits::default()
    };
    let world = World::with_limits(SITE, Setup::default(), proxies, limits);
    world.add(ADA, Role::Admin);
    world
}

fn left(answer: &Answer) -> (&str, &str) {
    (answer.header("ratelimit-policy"), answer.header("ratelimit"))
}

/// A stranger's request from somewhere.
fn stranger(world: &World, peer: &str) -> Answer {
    world.send_from(peer, "GET", "/api/auth/me", &[], None)
}

#[test]
fn an_api_key_has_a_share_of_each_minute_and_no_other_key_or_session_pays_for_it() {
    let world = three_a_minute(&[]);
    let mut browser = world.signed_in(ADA);
    let ((_, key), (_, other)) = (browser.make_key(&[]), browser.make_key(&[]));
    let use_key = |key: &str| world.with_key(key, "GET", "/api/secrets", None);
    for (remaining, reset) in [(2, 20), (1, 40), (0, 60)] {
        let answer = use_key(&key);
        assert_eq!(answer.status, 200);
        let limit = format!("\"key\";r={remaining};t={reset}");
        assert_eq!(left(&answer), ("\"key\";q=3;w=60", limit.as_str()));
    }
    let (refused, records) = world.recorded(|| use_key(&key));
    assert_eq!(refused.problem(), is(429, "rate_limited"));
    assert_eq!((refused.header("retry-after"), left(&refused).1), ("20", "\"key\";r=0;t=20"));
    assert!(records.is_empty(), "{records:?}");
    // Whatever it asks for, and from wherever: it is the key that is counted.
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str())];
    let elsewhere = world.send_from("203.0.113.9:1", "DELETE", "/api/secrets/NONE", &headers, None);
    assert_eq!(elsewhere.problem(), is(429, "rate_limited"));
    assert_eq!(use_key(&other).status, 200);
    for _ in 0..10 {
        let answer = browser.get("/api/secrets");
        assert_eq!((answer.status.as_u16(), left(&answer)), (200, ("", "")));
    }
    // It comes back evenly, and a denial costs a request, too.
    world.pass(20);
    assert_eq!(
        world
            .with_key(&key, "POST", "/api/auth/api-keys", Some(json!({"name": "x"})))
            .status,
        403
    );
    assert_eq!(use_key(&key).status, 429);
    world.pass(60);
    assert_eq!(left(&use_key(&key)).1, "\"key\";r=2;t=20");
}

#[test]
fn whoever_has_no_credential_that_counts_has_a_share_by_address() {
    let world = three_a_minute(&[]);
    let mut browser = world.signed_in(ADA);
    let (_, key) = browser.make_key(&[]);
    let nobodys = format!("dak_{}", "0".repeat(46));
    let tries: [&dyn Fn() -> Answer; 6] = [
        &|| world.send("GET", "/api/secrets", &[], None),
        &|| world.with_cookie(&"A".repeat(43), "GET", "/api/auth/me", None),
        &|| world.with_key(&nobodys, "GET", "/api/auth/me", None),
        &|| world.send("GET", "/api/nothing", &[], None),
        &|| world.send("PATCH", "/api/secrets", &[], None),
        // Behind a proof there is a second limit, of failures.
        &|| world.send("POST", "/api/auth/change-password", &[], Some("{}")),
    ];
    for attempt in tries {
        world.pass(60);
        for limit in ["\"anonymous\";r=2;t=20", "\"anonymous\";r=1;t=40", "\"anonymous\";r=0;t=60"] {
            let answer = attempt();
            assert!([401, 404, 405].contains(&answer.status.as_u16()), "{}", answer.status);
            if answer.status == 401 {
                let fields: Vec<_> = answer.headers.get_all("ratelimit").iter().collect();
                assert!(fields.contains(&&limit.parse().expect("a field")), "{fields:?}");
            }
        }
        let refused = attempt();
        assert_eq!(refused.problem(), is(429, "rate_limited"));
        assert_eq!(refused.header("retry-after"), "20");
        assert_eq!(refused.json()["request_id"], refused.header("x-request-id"));
        // From the same address logins, sessions, keys and probes go on.
        assert_eq!(browser.get("/api/auth/me").status, 200);
        assert_eq!(world.with_key(&key, "GET", "/api/auth/me", None).status, 200);
        assert_eq!(world.browser().log_in(ADA, WRONG).status, 401);
        assert_eq!(world.browser().log_in(ADA, RIGHT).status, 200);
        for _ in 0..5 {
            assert_eq!(world.send("GET", "/api/health", &[], None).status, 200);
            assert_eq!(world.send("GET", "/api/ready", &[], None).status, 200);
        }
        assert_eq!(stranger(&world, "198.51.100.1:1").status, 401);
    }
}

#[test]
fn an_address_is_what_a_trusted_proxy_says_a_64_of_ipv6_and_this_machine_like_any_other() {
    let spent = |ask: &dyn Fn(usize) -> Answer| (0..4).map(|turn| ask(turn).status.as_u16()).collect::<Vec<_>>();
    let world = three_a_minute(&["10.0.0.0/8"]);
    assert_eq!(spent(&|_| stranger(&world, "127.0.0.1:1")), [401, 401, 401, 429]);
    assert_eq!(
        spent(&|turn| stranger(&world, &format!("[2001:db8::{turn}]:1"))),
        [401, 401, 401, 429]
    );
    assert_eq!(stranger(&world, "[2001:db8:0:1::1]:1").status, 401);
    let forwarded = |client: &str| world.send_from("10.0.0.1:1", "GET", "/api/auth/me", &[("x-forwarded-for", client)], None);
    assert_eq!(spent(&|_| forwarded("198.51.100.7")), [401, 401, 401, 429]);
    assert_eq!(forwarded("198.51.100.8").status, 401);
    // Who is no proxy is not asked for whom it speaks.
    let liar = |turn: usize| {
        let client = format!("198.51.100.{turn}");
        world.send_from("192.0.2.99:1", "GET", "/api/auth/me", &[("x-forwarded-for", &client)], None)
    };
    assert_eq!(spent(&liar), [401, 401, 401, 429]);
}

#[test]
fn by_default_a_program_may_send_a_hundred_a_second_and_without_a_limit_as_many_as_it_likes() {
    let world = World::new();
    world.add(ADA, Role::Viewer);
    let (_, key) = world.signed_in(ADA).make_key(&[]);
    let bearer = format!("Bearer {key}");
    let answered = |world: &World, headers: &[(&str, &str)]| {
        let request = Request::builder().uri("/api/auth/me").header("host", crate::world::HOST);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.body(axum::body::Body::empty()).expect("a request");
        world.send_request("192.0.2.7:1", request).status.as_u16()
    };
    for _ in 0..6_000 {
        assert_eq!(answered(&world, &[("authorization", &bearer)]), 200);
    }
    assert_eq!(answered(&world, &[("authorization", &bearer)]), 429);
    for _ in 0..1_200 {
        assert_eq!(answered(&world, &[]), 401);
    }
    assert_eq!(answered(&world, &[]), 429);
    let limits = Limits {
        requests_a_minute_by_key: 0,
        requests_a_minute_by_strangers: 0,
        ..Limits::default()
    };
    let open = World::with_limits(SITE, Setup::default(), &[], limits);
    for _ in 0..1_300 {
        assert_eq!(answered(&open, &[]), 401);
    }
}
