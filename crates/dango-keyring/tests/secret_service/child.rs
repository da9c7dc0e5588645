//! The process that uses the keyring: reads one request from standard input and answers in one line. What a request means is the holder's.

use std::fmt;
use std::io::BufRead;

use dango_core::SecretValue;
use dango_keyring::{HolderError, KeyHolder, KeySet, MasterKey, OsKeyring, SessionBus};

/// The word before an answer; the test runner prints lines of its own.
pub(crate) const ANSWER: &str = "ANSWER ";

/// What the child is to do, as words on one line.
pub(crate) struct Request(String);

impl Request {
    pub(crate) fn load(project: &str) -> Self {
        Self(format!("load {project}"))
    }

    pub(crate) fn store(project: &str, key: &str) -> Self {
        Self(format!("store {project} {key}"))
    }

    pub(crate) fn delete(project: &str) -> Self {
        Self(format!("delete {project}"))
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[expect(clippy::print_stdout, reason = "this is how the child answers")]
pub(crate) fn serve(input: impl BufRead) {
    // Run with all ignored tests and no request, it has nothing to do.
    if let Some(Ok(line)) = input.lines().next() {
        let answer = answer(&line).unwrap_or_else(|error| error.code().to_owned());
        println!("\n{ANSWER}{answer}");
    }
}

fn answer(line: &str) -> Result<String, HolderError> {
    let words: Vec<&str> = line.split(' ').collect();
    let (bus, words) = words.split_first().expect("a bus");
    let bus = match *bus {
        "announced" => SessionBus::Announced,
        _ => SessionBus::Unannounced,
    };
    match *words {
        ["load", project] => Ok(OsKeyring::new(project, bus).load()?.active_id().to_string()),
        ["store", project, key] => {
            let key = MasterKey::parse(&SecretValue::new(key.to_owned()).expect("no NUL")).expect("a key");
            let keys = KeySet::new(key, None);
            OsKeyring::new(project, bus).store(&keys)?;
            Ok(keys.active_id().to_string())
        }
        ["delete", project] => {
            OsKeyring::new(project, bus).delete()?;
            Ok("done".to_owned())
        }
        _ => Ok(format!("no request: {line}")),
    }
}
