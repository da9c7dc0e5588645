//! `dango-server auth`: the door closed and opened, and the way back in, where people are in PostgreSQL.

use dango_tests::{Server, dango_server};
use serde_json::json;

use super::postgres::{KEY, at, database, project, three};
use super::{EMAIL, PASSWORD};

#[test]
fn the_door_is_closed_and_opened_and_the_way_back_in_is_found_at_the_machine() {
    let postgres = database();
    let (projects, servers) = three(&postgres);
    let session = servers[0].signed_in(EMAIL, PASSWORD);
    let everywhere = || -> Vec<u16> {
        let asked = servers.iter().map(|server| at(server, &session).get("/api/auth/me").status);
        asked.collect()
    };
    let auth = |arguments: &[&str]| projects[1].command(dango_server(), &[&["auth"], arguments].concat()).run();
    // The command line for files knows where to go.
    let said = projects[1].dango(&["auth", "disable", "--yes"]).run();
    assert!(
        said.status == 1 && said.stderr.contains("`dango-server auth enable|disable|recover`"),
        "{}",
        said.stderr
    );
    let asked = auth(&["disable"]);
    assert_eq!((asked.status, asked.stdout.as_str()), (1, ""));
    assert!(
        asked.stderr.contains("not confirmed: close the door") && asked.stderr.contains("add `--yes`"),
        "{}",
        asked.stderr
    );
    assert_eq!(everywhere(), [200; 3]);
    let closed = auth(&["disable", "--yes", "--json"]);
    assert_eq!(
        (closed.status, closed.stdout.as_str()),
        (0, "{\n  \"enabled\": false\n}\n"),
        "{}",
        closed.stderr
    );
    assert!(everywhere().iter().all(|status| *status != 200), "nobody is let in, anywhere");
    let recovered = auth(&["recover", "--email", "back@team.example"]);
    assert_eq!(recovered.status, 0, "{}", recovered.stderr);
    assert!(
        recovered.stderr.contains("is an administrator now") && recovered.stderr.contains("`dango-server auth enable` opens the door"),
        "{}",
        recovered.stderr
    );
    let password = recovered.stdout.trim_end();
    assert!(
        !password.is_empty() && !recovered.stderr.contains(password),
        "it is shown once, on its own"
    );
    assert_eq!(auth(&["recover", "--email", "back@team.example"]).status, 1, "there is one now");
    assert_eq!(auth(&["recover", "--email", "nobody"]).status, 2);
    let opened = auth(&["enable"]);
    assert_eq!((opened.status, opened.stdout.as_str()), (0, ""));
    assert!(opened.stderr.contains("people can sign in again"), "{}", opened.stderr);
    assert!(auth(&["enable"]).stderr.contains("nothing was changed"));
    assert_eq!(everywhere(), [200; 3], "and sessions count again");
    let in_again = servers[2]
        .client()
        .post("/api/auth/login", &json!({"email": "back@team.example", "password": password}));
    assert_eq!(in_again.status, 200, "{}", in_again.text);
    let recorded = "SELECT string_agg(event || ' ' || outcome, ',' ORDER BY seq) FROM dango.audit \
                    WHERE event IN ('auth_disabled', 'auth_enabled', 'account_recovered')";
    assert_eq!(
        postgres.sql("dango", recorded),
        "auth_disabled success,account_recovered success,account_recovered failure,auth_enabled success,auth_enabled success"
    );
    // The identity key is lost, and every server has ended: another one begins another chain.
    servers.into_iter().for_each(Server::kill);
    let mut anew = project(&postgres);
    anew.give("DANGO_IDENTITY_KEY", KEY.replace('6', "7"));
    let recover = |options: &[&str]| {
        let arguments = [&["auth", "recover", "--email", "key@team.example"], options].concat();
        anew.command(dango_server(), &arguments).run()
    };
    let asked = recover(&[]);
    assert!(
        asked.status == 1 && asked.stderr.contains("was not written with this identity key"),
        "{}",
        asked.stderr
    );
    let begun = recover(&["--yes"]);
    assert_eq!(begun.status, 0, "{}", begun.stderr);
    assert!(begun.stderr.contains("records are put away"), "{}", begun.stderr);
    let server = Server::start(&anew);
    let login = json!({"email": "key@team.example", "password": begun.stdout.trim_end()});
    assert_eq!(server.client().post("/api/auth/login", &login).status, 200);
}
