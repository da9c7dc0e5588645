//! Answers that are remembered for five minutes, as long as the files that hold the credentials are the same. No value, and nothing
//! that is made of one, is written.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use dango_check::Outcome as Verdict;
use dango_core::Timestamp;
use dango_secrets::project::Project;
use dango_secrets::storage::{self, Edit, Stamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::output::Output;

/// How long an answer is believed, in microseconds.
const LIFETIME_MICROS: i64 = 300 * 1_000_000;
/// How often, and how long each time, it is waited until a file that has just been changed would show another change.
const PATIENCE: (u32, Duration) = (6, Duration::from_millis(25));

/// An answer, and when it came.
#[derive(Clone, Copy)]
pub(crate) struct Checked {
    pub(crate) verdict: Verdict,
    pub(crate) at: Timestamp,
}

/// What is remembered of earlier checks.
pub(crate) struct Memory {
    path: PathBuf,
    files: [PathBuf; 3],
    /// The files as they were before anything of them was read.
    before: Option<[Option<Zeroizing<Vec<u8>>>; 3]>,
    stored: Stored,
}

/// What is asked about: a source, and where.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) source: String,
    #[serde(rename = "type")]
    pub(crate) source_type: String,
    /// The address that stood in for the provider's.
    pub(crate) endpoint: Option<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Stored {
    /// The states of the three files, by which any change of them is seen.
    files: Vec<String>,
    checks: Vec<Entry>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    key: Key,
    outcome: String,
    checked_at: String,
}

impl Memory {
    /// Recalls what is remembered of a project. What cannot be read is not remembered.
    pub(crate) fn recall(project: &Project) -> Self {
        let files = [project.secrets_toml(), project.env_file(), project.sources_yml()];
        let path = project.dango_dir().join("checks.json");
        let stored = storage::read(&path).ok().flatten().map(|contents| parse(contents.bytes()));
        let mut memory = Self {
            before: contents(&files),
            path,
            files,
            stored: stored.unwrap_or_default(),
        };
        if stamps(&memory.files).is_none_or(|stamps| words(&stamps) != memory.stored.files) {
            memory.stored = Stored::default();
        }
        memory
    }

    /// The answer to a question, if it is young enough. One of the future, which a clock that was set back makes, is not.
    pub(crate) fn answer(&self, key: &Key, now: Timestamp) -> Option<Checked> {
        let entry = self.stored.checks.iter().find(|entry| entry.key == *key)?;
        let at: Timestamp = entry.checked_at.parse().ok()?;
        let age = now.unix_micros().saturating_sub(at.unix_micros());
        let verdict = Verdict::verdict(&entry.outcome)?;
        (0..LIFETIME_MICROS).contains(&age).then_some(Checked { verdict, at })
    }

    /// Remembers answers, unless a file was changed meanwhile. That it cannot be written harms nobody, so nothing is said.
    pub(crate) fn keep(self, answers: &[(Key, Checked)], output: &Output<'_>) {
        let verdicts: Vec<_> = answers.iter().filter(|(_, checked)| checked.verdict.is_verdict()).collect();
        if verdicts.is_empty() {
            return;
        }
        let Some(files) = self.unchanged(output) else { return };
        let kept = storage::update(&self.path, output.host.entropy.as_ref(), |old| {
            // Another process may have learned something meanwhile.
            let mut stored = old.map(parse).filter(|stored| stored.files == files).unwrap_or_default();
            stored.files.clone_from(&files);
            for (key, checked) in &verdicts {
                stored.checks.retain(|entry| entry.key != *key);
                stored.checks.push(Entry {
                    key: key.clone(),
                    outcome: checked.verdict.code().to_owned(),
                    checked_at: checked.at.to_string(),
                });
            }
            let text = serde_json::to_vec(&stored)?;
            Ok::<_, serde_json::Error>(Edit::Replace(Zeroizing::new(text), ()))
        });
        drop(kept);
    }

    /// The states of the files, if they are what they were, and if a change from now on would show.
    fn unchanged(&self, output: &Output<'_>) -> Option<Vec<String>> {
        let (times, pause) = PATIENCE;
        for _ in 0..times {
            let now = output.host.clock.now();
            let before = stamps(&self.files)?;
            if before.iter().flatten().all(|stamp| stamp.is_settled(now)) {
                let same = self.before.is_some() && contents(&self.files) == self.before;
                return (same && stamps(&self.files)? == before).then(|| words(&before));
            }
            thread::sleep(pause);
        }
        None
    }
}

fn parse(bytes: &[u8]) -> Stored {
    serde_json::from_slice(bytes).unwrap_or_default()
}

fn contents(files: &[PathBuf; 3]) -> Option<[Option<Zeroizing<Vec<u8>>>; 3]> {
    let mut found = [None, None, None];
    for (slot, path) in found.iter_mut().zip(files) {
        *slot = storage::read(path).ok()?.map(storage::Contents::into_bytes);
    }
    Some(found)
}

fn stamps(files: &[PathBuf; 3]) -> Option<[Option<Stamp>; 3]> {
    let mut found = [None, None, None];
    for (slot, path) in found.iter_mut().zip(files) {
        *slot = storage::stamp(path).ok()?;
    }
    Some(found)
}

fn words(stamps: &[Option<Stamp>; 3]) -> Vec<String> {
    stamps
        .iter()
        .map(|stamp| stamp.as_ref().map(Stamp::to_word).unwrap_or_default())
        .collect()
}
