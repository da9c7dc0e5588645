//! `dango source check` against servers that answer as the real ones are documented to, and against real databases.

mod calls;
mod databases;
mod memory;
mod refused;

use dango_tests::provider::{Fake, Reply, Seen};
use dango_tests::{Output, Scratch};
use serde_json::Value;

use crate::answers::Answer;

/// A project with one Stripe source, whose provider is asked here instead.
fn stripe<F: Fn(&Seen) -> Reply + Send + Sync + 'static>(fake: &Fake<F>) -> Scratch {
    let mut project = Scratch::initialised();
    project.give("DANGO_CHECK_STRIPE_URL", fake.origin());
    project.write(".dango/sources.yml", "sources:\n  - {name: shop, type: stripe}\n");
    project.write(".dlt/secrets.toml", "[sources.shop]\nstripe_secret_key = \"sk_canary\"\n");
    project
}

/// What `source check --json` says of every source, by its name.
#[track_caller]
fn told(output: &Output) -> Vec<(String, String, Value)> {
    let rows = output.json();
    let rows = rows.as_array().expect("a list");
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    rows.iter()
        .map(|row| (text(row, "source"), text(row, "outcome"), row["reason"].clone()))
        .collect()
}

/// What it says of the only source.
#[track_caller]
fn told_once(output: &Output) -> (String, Value) {
    let rows = told(output);
    assert_eq!(rows.len(), 1, "{}", output.stdout);
    (rows[0].1.clone(), rows[0].2.clone())
}
