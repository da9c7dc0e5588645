//! `dango remote` against a real sshd: what arrives on the server, who is refused, crowds, cut links, other shells. The server is the harness's.

mod crowds;
mod cuts;
mod host_keys;
mod pushes;
mod records;
mod refusals;
mod settings;
mod shells;
mod terminal;
mod variables;

use dango_tests::{Output, Scratch, dango};

use crate::answers::Answer;

/// Sets a variable on the server.
fn set(client: &Scratch, key: &str, value: &str) -> Output {
    client.dango(&["remote", "env", "set", "--raw", key]).stdin(value).run()
}

/// Lists the variables in a session of its own, which has no terminal that ssh could ask at.
fn listed_without_a_terminal(client: &Scratch) -> Output {
    let arguments = [
        "--wait".as_ref(),
        dango().as_os_str(),
        "remote".as_ref(),
        "env".as_ref(),
        "list".as_ref(),
    ];
    client.command("setsid", &arguments).run()
}

/// The keys that are listed.
fn listed(client: &Scratch) -> Vec<String> {
    let rows = client.run(&["remote", "env", "list", "--json"]).success().json();
    let rows = rows.as_array().expect("a list");
    rows.iter().map(|row| row["key"].as_str().expect("a key").to_owned()).collect()
}
