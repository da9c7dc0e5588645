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

use dango_tests::{Output, Scratch};

use crate::answers::Answer;

/// Sets a variable on the server.
fn set(client: &Scratch, key: &str, value: &str) -> Output {
    client.dango(&["remote", "env", "set", "--raw", key]).stdin(value).run()
}

/// The keys that are listed.
fn listed(client: &Scratch) -> Vec<String> {
    let rows = client.run(&["remote", "env", "list", "--json"]).success().json();
    let rows = rows.as_array().expect("a list");
    rows.iter().map(|row| row["key"].as_str().expect("a key").to_owned()).collect()
}
