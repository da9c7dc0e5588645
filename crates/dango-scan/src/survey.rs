//! What a search has come to: findings under the names that people know, and all that was not searched.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::content::Searched;
use crate::examples;
use crate::finding::{Finding, Fingerprints, Mark};
use crate::scanner::{Hit, Scanner};
use crate::tokens;

/// Findings and counts of one search.
#[derive(Debug, Default)]
pub struct Survey {
    /// What was found, by place; sorted by [`Survey::finish`].
    pub findings: Vec<Finding>,
    /// Texts that were searched: files, or versions of files in a history.
    pub texts: u64,
    /// Bytes that were searched.
    pub bytes: u64,
    /// What could not be read, with why: the search is not complete.
    pub unread: Vec<(String, String)>,
    /// What was searched in part, with why.
    pub partly: Vec<(String, &'static str)>,
    /// Folders of other people's programs that were left out.
    pub left_out: Vec<String>,
}

impl Survey {
    /// Puts two surveys together.
    pub fn join(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.texts += other.texts;
        self.bytes += other.bytes;
        self.unread.extend(other.unread);
        self.partly.extend(other.partly);
        self.left_out.extend(other.left_out);
    }

    /// Sorts the findings by place, each once.
    pub fn finish(&mut self) {
        self.findings.sort();
        let mut seen = HashSet::new();
        // What is in the tree and in a history is told for each, what two searches of the tree have found only once.
        self.findings
            .retain(|finding| seen.insert((finding.fingerprint.clone(), finding.line, finding.column, finding.commit.clone())));
        self.unread.sort();
        self.unread.dedup();
        self.partly.sort();
        self.partly.dedup();
        self.left_out.sort();
        self.left_out.dedup();
    }

    /// Takes in what was found in one file, and in its name where that is new; `below_root` is its name as the search saw it.
    pub(crate) fn add_file(&mut self, scanner: &Scanner, name: Name<'_>, below_root: &str, searched: Searched) {
        self.texts += 1;
        self.bytes += searched.bytes;
        let (Name::New(text) | Name::Old(text)) = name;
        let shown = shown(scanner, text);
        if let Some(why) = searched.unsearched {
            self.partly.push((shown.clone(), why));
        }
        let is_masked = shown != text;
        let mut named = Named::new(shown, below_root);
        if let (Name::New(text), true) = (name, is_masked) {
            for hit in scanner.scan(text.as_bytes()) {
                let hit = Hit { line: 1, column: 1, ..hit };
                self.findings.push(named.finding(scanner, None, hit, None));
            }
        }
        for part in searched.parts {
            for hit in part.hits.hits {
                if named.tells(part.within.as_deref(), &hit) {
                    self.findings.push(named.finding(scanner, part.within.as_deref(), hit, None));
                }
            }
        }
    }

    /// Notes what could not be read.
    pub(crate) fn add_unread(&mut self, scanner: &Scanner, name: &str, why: impl ToString) {
        self.unread.push((shown(scanner, name), why.to_string()));
    }
}

/// The name of a file.
#[derive(Clone, Copy)]
pub(crate) enum Name<'n> {
    /// What is in the name itself is told, at its first line.
    New(&'n str),
    /// The name was there before.
    Old(&'n str),
}

/// Makes findings of the hits of one file.
pub(crate) struct Named {
    shown: String,
    fingerprints: Fingerprints,
    is_of_tests: bool,
}

impl Named {
    pub(crate) fn new(shown: String, below_root: &str) -> Self {
        Self {
            is_of_tests: examples::is_named_so(below_root),
            shown,
            fingerprints: Fingerprints::default(),
        }
    }

    /// Whether something found there, or in a member of it, is told: in files of tests and examples, keys and tokens of no one provider are not.
    pub(crate) fn tells(&self, within: Option<&str>, hit: &Hit) -> bool {
        let is_of_tests = || self.is_of_tests || within.is_some_and(|within| within.split('!').any(examples::is_named_so));
        !(tokens::is_general(hit.rule) && is_of_tests())
    }

    pub(crate) fn finding(&mut self, scanner: &Scanner, within: Option<&str>, hit: Hit, commit: Option<String>) -> Finding {
        let file = match within {
            Some(within) => format!("{}!{}", self.shown, shown(scanner, within)),
            None => self.shown.clone(),
        };
        let random: Option<Mark> = hit.is_random.then_some(hit.mark);
        let fingerprint = self.fingerprints.make(&file, hit.rule, &hit.subject, random);
        Finding {
            file,
            line: hit.line,
            column: hit.column,
            rule: hit.rule,
            subject: hit.subject,
            commit,
            fingerprint,
        }
    }
}

/// A name without what it holds of secrets.
pub(crate) fn shown(scanner: &Scanner, name: &str) -> String {
    scanner.mask(name).unwrap_or_else(|| name.to_owned())
}

/// The name of a path for people and for baselines: below a folder where it is, with `/` between its parts.
pub(crate) fn name_below(base: &Path, path: &Path) -> String {
    let below = path.strip_prefix(base).map_or_else(|_| PathBuf::from(path), Path::to_path_buf);
    below.to_string_lossy().into_owned()
}
