//! Many at once and many at a time: two clients that set fifty variables each, a thousand variables, a project with a dango of its own.

use std::thread;

use dango_tests::Sshd;
use serde_json::{Map, Value};

use super::{listed, set};
use crate::answers::Answer;

#[test]
fn two_clients_with_fifty_variables_each_keep_all_hundred() {
    let server = Sshd::new();
    server.write(".env", "# ours\n");
    thread::scope(|scope| {
        for client in ["A", "B"] {
            let server = &server;
            scope.spawn(move || {
                let project = server.client();
                for number in 0..50 {
                    let _ = set(&project, &format!("{client}_{number}"), &format!("value {number}")).success();
                }
            });
        }
    });
    let text = server.read(".env");
    assert!(text.starts_with("# ours\n"));
    for client in ["A", "B"] {
        for number in 0..50 {
            assert!(
                text.contains(&format!("{client}_{number}='value {number}'\n")),
                "{client}_{number} is lost"
            );
        }
    }
    assert_eq!(text.lines().count(), 101);
    assert_eq!(server.names(), [".env", ".env.lock"], "nothing else is left");
}

#[test]
fn a_thousand_variables_are_sent_listed_and_changed() {
    let server = Sshd::new();
    let client = server.client();
    let values: Map<String, Value> = (0..1000)
        .map(|number| (format!("key_{number}"), format!("value {number}").into()))
        .collect();
    let file = serde_json::json!({ "sources": { "many": values } });
    client.write("in.json", file.to_string());
    let _ = client.run(&["secrets", "import", "in.json"]).success();
    let _ = client
        .run(&["remote", "push-secrets", "--yes"])
        .success()
        .says(&["1000 sent to prod"]);
    assert_eq!(listed(&client).len(), 1000);
    let _ = set(&client, "SOURCES__MANY__KEY_500", "other").success();
    let text = server.read(".env");
    assert_eq!(text.lines().count(), 1000);
    assert!(text.contains("SOURCES__MANY__KEY_500=other\n"));
}
