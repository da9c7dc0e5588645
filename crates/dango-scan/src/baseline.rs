//! Findings that somebody has looked at and accepted, kept in a file that is committed with the project.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::finding::{Finding, Fingerprint};
use crate::replaced::{Mode, ReplaceError, replace};

/// The baseline's usual name, at the top of a repository or project.
pub const DEFAULT_NAME: &str = ".dango-scan-baseline.json";
/// A larger file is none, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;
const VERSION: u64 = 1;

/// Accepted findings.
///
/// What is in the file for people (rule, file, path) is told anew from the finding that is accepted; the fingerprint alone counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    accepted: BTreeSet<Accepted>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Accepted {
    file: String,
    rule: String,
    path: Option<String>,
    fingerprint: Fingerprint,
}

/// A baseline that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is no baseline.
    #[error("{path} is no baseline of `dango scan`: {problem}")]
    Malformed {
        /// Which file.
        path: String,
        /// Why.
        problem: &'static str,
    },
}

impl BaselineError {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "baseline-unreadable",
            Self::Malformed { .. } => "baseline-malformed",
        }
    }
}

impl Baseline {
    /// Reads a file; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`BaselineError`]: a baseline that is there and cannot be understood accepts nothing silently.
    pub fn read(path: &Path) -> Result<Option<Self>, BaselineError> {
        let unreadable = |source| BaselineError::Unreadable {
            path: path.display().to_string(),
            source,
        };
        let malformed = |problem| BaselineError::Malformed {
            path: path.display().to_string(),
            problem,
        };
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
            Ok(facts) if !facts.is_file() => return Err(malformed("it is no file")),
            Ok(facts) if facts.len() > LARGEST => return Err(malformed("it is too large")),
            Ok(_) => {}
        }
        let text = fs::read(path).map_err(unreadable)?;
        Self::parse(&text).map(Some).map_err(malformed)
    }

    fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let value: Value = serde_json::from_slice(text).map_err(|_| "it is not JSON")?;
        if value.get("version").and_then(Value::as_u64) != Some(VERSION) {
            return Err("it has no version 1");
        }
        let list = value
            .get("accepted")
            .and_then(Value::as_array)
            .ok_or("it has no list of what is accepted")?;
        let accepted = list.iter().map(|item| {
            let text = |name| item.get(name).and_then(Value::as_str);
            Some(Accepted {
                file: text("file")?.to_owned(),
                rule: text("rule")?.to_owned(),
                path: text("path").map(ToOwned::to_owned),
                fingerprint: Fingerprint::parse(text("fingerprint")?)?,
            })
        });
        let accepted = accepted
            .collect::<Option<_>>()
            .ok_or("an entry has no file, no rule or no fingerprint")?;
        Ok(Self { accepted })
    }

    /// Takes findings in; answers how many of them are new.
    pub fn accept(&mut self, findings: &[Finding]) -> usize {
        let before = self.accepted.len();
        let known = self.fingerprints();
        let new = findings.iter().filter(|finding| !known.contains(finding.fingerprint.as_str()));
        let new: Vec<Accepted> = new
            .map(|finding| Accepted {
                file: finding.file.clone(),
                rule: finding.rule.to_owned(),
                path: finding.path().map(ToOwned::to_owned),
                fingerprint: finding.fingerprint.clone(),
            })
            .collect();
        self.accepted.extend(new);
        self.accepted.len() - before
    }

    /// Takes the accepted ones out of findings; answers how many they were.
    pub fn sift(&self, findings: &mut Vec<Finding>) -> usize {
        let known = self.fingerprints();
        let before = findings.len();
        findings.retain(|finding| !known.contains(finding.fingerprint.as_str()));
        before - findings.len()
    }

    /// Writes it, sorted, one entry in a few lines of its own: what changes is easy to review and to merge.
    ///
    /// # Errors
    ///
    /// [`ReplaceError`]; the old file is then as it was.
    pub fn write(&self, path: &Path) -> Result<(), ReplaceError> {
        let accepted: Vec<Value> = self.accepted.iter().map(Accepted::to_json).collect();
        let text = serde_json::to_string_pretty(&json!({ "version": VERSION, "accepted": accepted }));
        let text = text.map_err(|error| ReplaceError::new(path, error.into()))?;
        replace(path, format!("{text}\n").as_bytes(), Mode::Data)
    }

    fn fingerprints(&self) -> BTreeSet<&str> {
        // Borrowed by the caller for as long as it looks.
        self.accepted.iter().map(|accepted| accepted.fingerprint.as_str()).collect()
    }
}

impl Accepted {
    fn to_json(&self) -> Value {
        let mut entry = Map::new();
        entry.insert("file".to_owned(), json!(self.file));
        entry.insert("rule".to_owned(), json!(self.rule));
        entry.insert("path".to_owned(), json!(self.path));
        entry.insert("fingerprint".to_owned(), json!(self.fingerprint.as_str()));
        Value::Object(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Fingerprints, Subject};

    fn finding(file: &str, rule: &'static str) -> Finding {
        let subject = Subject::Token { what: "a token" };
        Finding {
            file: file.to_owned(),
            line: 3,
            column: 1,
            rule,
            fingerprint: Fingerprints::default().make(file, rule, &subject, None),
            subject,
            commit: None,
        }
    }

    #[test]
    fn what_was_accepted_is_found_no_more_and_the_file_is_sorted_whatever_came_first() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        let all = [finding("b.py", "github-token"), finding("a.py", "private-key")];
        let mut baseline = Baseline::default();
        assert_eq!(baseline.accept(&all), 2);
        assert_eq!(baseline.accept(&all), 0);
        baseline.write(&one).unwrap();
        let mut other = Baseline::default();
        other.accept(&[all[1].clone()]);
        other.accept(&all);
        other.write(&two).unwrap();
        assert_eq!(fs::read(&one).unwrap(), fs::read(&two).unwrap());

        let read = Baseline::read(&one).unwrap().unwrap();
        let mut findings = vec![finding("a.py", "private-key"), finding("c.py", "private-key")];
        assert_eq!(read.sift(&mut findings), 1);
        assert_eq!(findings[0].file, "c.py");
    }

    #[test]
    fn a_file_that_is_no_baseline_is_an_error_and_a_missing_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Baseline::read(&folder.path().join("none")).unwrap(), None);
        for text in [
            "",
            "[]",
            r#"{"version":2,"accepted":[]}"#,
            r#"{"version":1}"#,
            r#"{"version":1,"accepted":[{"file":"a"}]}"#,
        ] {
            assert!(Baseline::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
