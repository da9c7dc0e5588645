//! What is taken away at one server is gone for the next request at every other; what is tried at all of them counts together.

use dango_tests::Answer;
use serde_json::json;

use super::house::{House, at_once};
use super::{EMAIL, PASSWORD};

const BEN: &str = "ben@team.example";
const USERS: &str = "/api/admin/users";
const ME: &str = "/api/auth/me";

#[test]
fn sessions_keys_roles_and_accounts_end_at_every_server_with_the_next_request() {
    let house = House::new();
    let mut admin = house.admin(0);
    let ben = house.add(&mut admin, BEN, "admin");

    // One session ends another of the same person.
    let mut sessions = [house.signed_in(0, BEN), house.signed_in(1, BEN), house.signed_in(2, BEN)];
    let listed = sessions[0].get("/api/auth/sessions").json();
    let listed = listed.as_array().expect("a list").clone();
    assert_eq!(listed.len(), 3, "{listed:?}");
    assert!(sessions.iter().all(|session| house.everywhere(session, ME) == [200; 3]));
    let newest = listed[0]["id"].as_str().expect("an id");
    let ended = sessions[0].delete(&format!("/api/auth/sessions/{newest}"));
    assert_eq!(ended.status, 200, "{}", ended.text);
    assert_eq!(house.everywhere(&sessions[2], ME), [401; 3], "a session that was ended");
    // An administrator ends all of them.
    let revoked = house.at(1, &admin).post(&format!("{USERS}/{ben}/revoke-sessions"), &json!({}));
    assert_eq!(revoked.json()["revoked"], 2, "{}", revoked.text);
    for session in &sessions {
        assert_eq!(house.everywhere(session, ME), [401; 3], "an administrator ended it");
    }

    // Keys.
    let mut session = house.signed_in(0, BEN);
    let mut key = || {
        let made = session.post("/api/auth/api-keys", &json!({"name": "robot", "scopes": ["admin"]}));
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        let client = house.servers[0].client().with_key(made["key"].as_str().expect("a key"));
        (made["id"].as_str().expect("an id").to_owned(), client)
    };
    let ((first, robot), (_, second)) = (key(), key());
    assert_eq!(house.everywhere(&robot, USERS), [200; 3]);
    let revoked = house.at(2, &session).delete(&format!("/api/auth/api-keys/{first}"));
    assert_eq!(revoked.status, 200, "{}", revoked.text);
    assert_eq!(house.everywhere(&robot, USERS), [401; 3], "a key that was revoked");
    assert_eq!(house.everywhere(&second, USERS), [200; 3]);

    // A role, for sessions and keys alike.
    let role = |node: usize, role: &str| {
        let body = json!({"role": role}).to_string();
        let changed = house.at(node, &admin).send("PUT", &format!("{USERS}/{ben}/role"), &[], Some(&body));
        assert_eq!(changed.status, 200, "{}", changed.text);
    };
    role(1, "viewer");
    assert_eq!(house.everywhere(&second, USERS), [403; 3], "the owner's role is the key's");
    assert!(house.everywhere(&session, USERS).iter().all(|status| [401, 403].contains(status)));
    role(2, "admin");
    assert_eq!(house.everywhere(&second, USERS), [200; 3], "and back");

    // A password that is changed ends every session, the own one too.
    let (mut session, other) = (house.signed_in(1, BEN), house.signed_in(2, BEN));
    let body = json!({"current_password": PASSWORD, "new_password": "another horse battery staple"});
    let changed = session.post("/api/auth/change-password", &body);
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(house.everywhere(&session, ME), [401; 3]);
    assert_eq!(house.everywhere(&other, ME), [401; 3]);
    let old = house.servers[0]
        .client()
        .post("/api/auth/login", &json!({"email": BEN, "password": PASSWORD}));
    assert_eq!(old.code(), "invalid_credentials", "{}", old.text);

    // An account that is switched off.
    let session = house.servers[2].signed_in(BEN, "another horse battery staple");
    assert_eq!(house.everywhere(&session, ME), [200; 3]);
    let off = house.at(1, &admin).post(&format!("{USERS}/{ben}/deactivate"), &json!({}));
    assert_eq!(off.status, 200, "{}", off.text);
    assert_eq!(house.everywhere(&session, ME), [401; 3], "switched off");
    assert_eq!(house.everywhere(&second, USERS), [401; 3], "and its keys");
    house.verify();
}

#[test]
fn whether_anybody_is_let_in_is_one_setting_for_all() {
    let house = House::new();
    let admin = house.admin(0);
    // No server changes it yet: who looks after the database does.
    let _ = house.sql("INSERT INTO dango.settings (one, admission, updated_at) VALUES (1, 'closed', 0)");
    assert_eq!(house.everywhere(&admin, ME), [403; 3]);
    for server in &house.servers {
        let login = server
            .client()
            .post("/api/auth/login", &json!({"email": EMAIL, "password": PASSWORD}));
        assert_eq!((login.status, login.code()), (403, "auth_disabled".to_owned()), "{}", login.text);
    }
    let _ = house.sql("UPDATE dango.settings SET admission = 'open'");
    assert_eq!(house.everywhere(&admin, ME), [200; 3]);
}

#[test]
fn wrong_passwords_at_all_servers_count_together() {
    let house = House::new();
    let mut admin = house.admin(0);
    let ben = house.add(&mut admin, BEN, "viewer");
    let tried: Vec<Answer> = at_once(60, |number| {
        let body = json!({"email": BEN, "password": format!("wrong horse {number} battery staple")});
        house.servers[number % 3].client().post("/api/auth/login", &body)
    });
    let told: Vec<(u16, String)> = tried.iter().map(|answer| (answer.status, answer.code())).collect();
    let wrong = told.iter().filter(|(status, _)| *status == 401).count();
    assert!((1..=5).contains(&wrong), "{told:?}");
    assert_eq!(told.iter().filter(|(status, _)| *status == 423).count(), 60 - wrong, "{told:?}");
    let right = |node: usize| {
        let body = json!({"email": BEN, "password": PASSWORD});
        house.servers[node].client().post("/api/auth/login", &body).status
    };
    assert_eq!([right(0), right(1), right(2)], [423; 3], "the lock is in force at each");
    let unlocked = house.at(1, &admin).post(&format!("{USERS}/{ben}/unlock"), &json!({}));
    assert_eq!(unlocked.status, 200, "{}", unlocked.text);
    assert_eq!([right(2), right(0), right(1)], [200; 3], "and no longer");
    house.verify();
}

#[test]
fn right_passwords_at_all_servers_at_once_lock_nobody_out() {
    let house = House::new();
    let logged_in = at_once(48, |number| {
        let body = json!({"email": EMAIL, "password": PASSWORD});
        house.servers[number % 3].client().post("/api/auth/login", &body).status
    });
    assert_eq!(logged_in, vec![200; 48]);
    house.verify();
}
