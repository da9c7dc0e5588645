//! A dump of the database in the hands of somebody who has no key: no value, token, seed or session is in it, and nothing that is in it
//! opens anything.

use dango_tests::provider::{Fake, OpenId, Reuse, Rotating};
use dango_tests::{Canary, Scratch};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use serde_json::json;

use super::house::{House, SERVING};
use super::{EMAIL, PASSWORD, enrol, token_in};
use crate::oauth::{rotating_project, stored};

/// The bytes of a column of a dump, as the letters that somebody would try.
fn columns(house: &House, column: &str, table: &str) -> Vec<Vec<u8>> {
    let listed = house.sql(&format!("SELECT encode({column}, 'hex') FROM dango.{table}"));
    let decoded = listed.lines().map(|line| HEXLOWER.decode(line.as_bytes()).expect("hex"));
    decoded.collect()
}

#[test]
fn a_dump_without_the_key_holds_no_secret_and_opens_nothing() {
    let open_id = Fake::start(OpenId::new());
    open_id.provider().register("dango-web", "canary-login-secret");
    let issuer = open_id.origin();
    // A variable, a credential and the tokens of a connection.
    let corp = Fake::start(Rotating::new(Reuse::Any));
    let project = rotating_project(&corp);
    let (access, refresh) = stored(&project);
    project.write(".env", "WAREHOUSE_KEY=canary-variable-5c1e\n");
    let set = project
        .dango(&["secrets", "set", "sources.crm.api_key"])
        .stdin("canary-credential-9d77")
        .run();
    assert_eq!(set.status, 0, "{}", set.stderr);
    let prepare = |project: &mut Scratch| project.give("DANGO_LOGIN_OIDC_SECRET", "canary-login-secret");
    let options = ["--login-oidc-issuer", &issuer, "--login-oidc-client", "dango-web"];
    let house = House::sharing(project, &prepare, &options);
    let link = house.servers[2].setup_link();
    house.servers[2].claim(EMAIL, PASSWORD);
    let mut secrets: Vec<String> = vec![PASSWORD.to_owned(), link.rsplit('/').next().expect("a token").to_owned()];
    secrets.extend([access, refresh, "canary-client".to_owned()]);
    secrets.extend(["canary-variable-5c1e", "canary-credential-9d77", "canary-set-at-a-server"].map(str::to_owned));

    // Everything that there is to have.
    let mut admin = house.admin(0);
    let set = admin.post("/api/secrets", &json!({"key": "FROM_THE_PAGE", "value": "canary-set-at-a-server"}));
    assert!(set.status < 300, "{}", set.text);
    let _ = house.add(&mut admin, "ben@team.example", "editor");
    let mut ben = house.signed_in(1, "ben@team.example");
    let begun = admin.post("/api/auth/2fa/setup", &json!({"password": PASSWORD}));
    let pending = begun.json()["secret"].as_str().expect("a secret").to_owned();
    let (app, recovery) = enrol(&mut ben);
    secrets.extend(recovery.iter().cloned());
    secrets.extend(recovery.iter().map(|code| code.replace('-', "")));
    let seed = app.totp.secret().to_base32();
    let half = house.signed_in(2, "ben@team.example");
    let invited = admin.post("/api/admin/users", &json!({"email": "eve@team.example", "role": "viewer"}));
    secrets.push(token_in(&invited));
    let temporary = admin.post(
        "/api/admin/users",
        &json!({"email": "fay@team.example", "role": "viewer", "generate_password": true}),
    );
    secrets.push(temporary.json()["temp_password"].as_str().expect("text").to_owned());
    let key = admin
        .post("/api/auth/api-keys", &json!({"name": "robot", "scopes": ["admin"]}))
        .json();
    let key = key["key"].as_str().expect("a key").to_owned();
    let mut robot = house.servers[1].client().with_key(&key);
    assert_eq!(robot.get("/api/admin/users").status, 200);
    let mut stranger = house.servers[0].client();
    let begun = stranger.get("/api/auth/oauth/oidc/login");
    let way = begun.header("location").to_owned();
    assert!(way.contains("/authorize?"), "{way} {}", begun.text);
    let parameters = way.split_once('?').expect("parameters").1;
    let query = form_urlencoded::parse(parameters.as_bytes());
    secrets.extend(
        query
            .filter(|(name, _)| ["state", "nonce", "code_challenge"].contains(&&**name))
            .map(|(_, value)| value.into_owned()),
    );
    for client in [&admin, &ben, &half, &stranger] {
        secrets.extend(client.cookies().map(|(_, value)| value.to_owned()));
    }
    secrets.extend([
        key.clone(),
        key.trim_start_matches("dak_").to_owned(),
        seed.clone(),
        pending.clone(),
    ]);
    secrets.extend(["canary-login-secret".to_owned(), "a7".repeat(32)]);
    secrets.push(house.projects[0].read(".dango/identity.key").trim().to_owned());

    let dump = house.postgres.dump("dango", "dango");
    assert!(dump.contains("ben@team.example"), "people are in it");
    for name in ["WAREHOUSE_KEY", "FROM_THE_PAGE"] {
        assert_eq!(house.everywhere(&admin, "/api/secrets"), [200; 3]);
        let listed = house.at(1, &admin).get("/api/secrets").text;
        assert!(listed.contains(name), "{listed}");
    }
    for secret in &secrets {
        assert!(secret.len() > 8, "{secret}");
        assert!(!Canary::of(secret).is_in(&dump), "{secret} is in the dump");
    }
    // What those are letters for.
    for seed in [&seed, &pending] {
        let bytes = BASE32_NOPAD.decode(seed.trim_end_matches('=').as_bytes()).expect("base32");
        assert!(!dump.contains(&HEXLOWER.encode(&bytes)), "a seed");
    }
    for secret in &secrets {
        if let Ok(bytes) = BASE64URL_NOPAD.decode(secret.as_bytes()) {
            assert!(!dump.contains(&HEXLOWER.encode(&bytes)), "the bytes of {secret}");
        }
    }

    // What is in it opens nothing.
    for (column, table) in [
        ("digest", "sessions"),
        ("id", "sessions"),
        ("mac", "sessions"),
        ("digest", "invites"),
        ("digest", "api_keys"),
    ] {
        let found = columns(&house, column, table);
        assert!(!found.is_empty(), "{table}.{column}");
        for bytes in found {
            for token in [HEXLOWER.encode(&bytes), BASE64URL_NOPAD.encode(&bytes)] {
                let mut browser = house.servers[0].client().with_cookie("dango_session", &token);
                assert_eq!(browser.get("/api/auth/me").status, 401);
                for key in [token.clone(), format!("dak_{token}")] {
                    assert_eq!(house.servers[1].client().with_key(&key).get("/api/auth/me").status, 401);
                }
                let body = json!({"token": token, "password": "battery staple battery"});
                let accepted = house.servers[2].client().post("/api/auth/accept-invite", &body);
                assert!([410, 422].contains(&accepted.status), "{}", accepted.text);
            }
        }
    }
    let record = house.sql("SELECT record FROM dango.passwords LIMIT 1");
    let body = json!({"email": EMAIL, "password": record});
    assert_eq!(house.servers[0].client().post("/api/auth/login", &body).status, 401);

    // And whoever may write to it, too, makes no session of a row.
    let nobody = "7a".repeat(32);
    let columns = "id, user_id, stage, factors, authenticated_at, stepped_up_at, second_factor_at, epoch, created_at, expires_at, \
                   last_active_at, address, user_agent, device_id, mac, attempts";
    let others = columns.replacen("id, user_id", "decode(md5('x'), 'hex'), user_id", 1);
    let made = format!(
        "INSERT INTO dango.sessions (digest, {columns}) SELECT sha256('{nobody}'::bytea), {others} FROM dango.sessions \
         WHERE stage = 'full' LIMIT 1"
    );
    let _ = house.postgres.sql("dango", &format!("SET ROLE {SERVING}; {made}"));
    let mut forged = house.servers[0].client().with_cookie("dango_session", &nobody);
    assert_eq!(forged.get("/api/auth/me").status, 401, "a row that was put in");
    assert_eq!(ben.get("/api/auth/me").status, 200);
    let taken = format!(
        "UPDATE dango.sessions SET user_id = (SELECT id FROM dango.users WHERE email = '{EMAIL}') WHERE user_id <> (SELECT id FROM dango.users WHERE email = '{EMAIL}')"
    );
    let _ = house.postgres.sql("dango", &format!("SET ROLE {SERVING}; {taken}"));
    assert_eq!(house.everywhere(&ben, "/api/auth/me"), [401; 3], "a row that was changed");
    house.verify();
}
