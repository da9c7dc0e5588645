//! The record of an exposure, as Markdown: what was exposed, what was done about it, who touched it, where it was found. Never the value.

use std::fmt::Write;

use dango_core::Timestamp;

/// How every record begins.
const HEADING: &str = "# Exposure of ";

/// Whether a file is a record of an exposure, which a later one may take the place of.
pub fn is_record(text: &[u8]) -> bool {
    text.starts_with(HEADING.as_bytes())
}

/// What is known of an exposure when its record is written.
#[derive(Clone, Debug)]
pub struct ExposureRecord {
    /// The path or the variable that was exposed.
    pub subject: String,
    /// The source that reads it, and what it is of.
    pub source: Option<(String, String)>,
    /// Since when it is dealt with.
    pub began: Timestamp,
    /// When this is written.
    pub at: Timestamp,
    /// Who writes it.
    pub by: String,
    /// Where it is revoked, where that is known.
    pub revoke_url: Option<String>,
    /// Whether somebody has said that it is revoked.
    pub revoked: bool,
    /// What took its place.
    pub replacement: Replacement,
    /// Who changed or used it, as the audit log tells it, the latest first; `None` where the log could not be read.
    pub traces: Option<Vec<Trace>>,
    /// Where it was found.
    pub found: Vec<Whereabout>,
    /// What was searched, in words.
    pub searched: Vec<String>,
    /// What there is not to be searched, with the reason.
    pub inapplicable: Vec<String>,
    /// What could not be searched, with the reason: it may be there.
    pub unsearched: Vec<String>,
}

/// What took the place of an exposed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// Nothing yet.
    None,
    /// A new value, of which a provider said this.
    Stored {
        /// The paths and variables that have it.
        places: Vec<String>,
        /// Those from which somebody else has taken the exposed value: they are as they were left.
        others: Vec<String>,
        /// What is known of it.
        check: Check,
    },
}

/// What is known of a new value that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Its provider takes it.
    Accepted,
    /// Its provider does not take it.
    Refused,
    /// Whether it works was not found out, and nobody waits for that.
    Unknown,
    /// Whether it works is still to be found out.
    Due,
}

impl Check {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "the provider takes the new value",
            Self::Refused => "the provider does not take the new value",
            Self::Unknown => "whether the new value works was not found out",
            Self::Due => "whether the new value works is not known yet",
        }
    }
}

/// One record of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// When.
    pub at: String,
    /// Who.
    pub who: String,
    /// What: the event's name.
    pub event: String,
    /// How it ended.
    pub outcome: String,
    /// From where, if it came over a network.
    pub origin: String,
}

/// A place where the value was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabout {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The commit since which it is there, for what is in git's history.
    pub commit: Option<String>,
}

impl ExposureRecord {
    /// The steps that are not done yet, in the order in which to do them.
    pub fn open_steps(&self) -> Vec<&'static str> {
        let check = match &self.replacement {
            Replacement::Stored { check, .. } => Some(*check),
            Replacement::None => None,
        };
        let steps = [
            (!self.revoked, "revoke the exposed value at its provider"),
            (check.is_none(), "store a new value"),
            (check == Some(Check::Refused), "store a new value that works"),
            (check == Some(Check::Due), "find out whether the new value works"),
            (self.traces.is_none(), "read the audit log"),
            (!self.unsearched.is_empty(), "search what could not be searched"),
            (!self.found.is_empty(), "take the value out of where it was found"),
        ];
        steps.into_iter().filter_map(|(is_open, step)| is_open.then_some(step)).collect()
    }

    /// Whether everything was looked at that there is to look at.
    pub fn is_complete(&self) -> bool {
        self.traces.is_some() && self.unsearched.is_empty()
    }

    /// The record.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "{HEADING}{}\n", plain(&self.subject))?;
        writeln!(out, "The value itself is not in this record.\n")?;
        if let Some((name, title)) = &self.source {
            writeln!(out, "- Source: {} ({})", plain(name), plain(title))?;
        }
        writeln!(out, "- Dealt with since: {}", self.began)?;
        writeln!(out, "- Recorded: {} by {}\n", self.at, plain(&self.by))?;
        self.write_actions(out)?;
        self.write_traces(out)?;
        self.write_findings(out)?;
        writeln!(out, "## 6. What is left to do\n")?;
        let open = self.open_steps();
        open.iter().try_for_each(|step| writeln!(out, "- [ ] {step}"))?;
        writeln!(out, "- [ ] ask the provider for its own log of what the exposed value was used for")?;
        writeln!(
            out,
            "- [ ] write down how it came to be exposed, and what keeps it from happening again:\n"
        )
    }

    fn write_actions(&self, out: &mut String) -> std::fmt::Result {
        let tick = |done: bool| if done { "[x]" } else { "[ ]" };
        let url = self.revoke_url.as_ref().map(|url| format!(" at <{url}>")).unwrap_or_default();
        writeln!(out, "## 1. Revoked\n\n- {} the exposed value is revoked{url}\n", tick(self.revoked))?;
        writeln!(out, "## 2. New value, 3. Stored\n")?;
        match &self.replacement {
            Replacement::None => writeln!(out, "- [ ] no new value is stored yet\n"),
            Replacement::Stored { places, others, check } => {
                for place in places {
                    writeln!(out, "- [x] {}", plain(place))?;
                }
                for place in others {
                    writeln!(
                        out,
                        "- [x] {}: somebody else has changed it, and it is as they left it",
                        plain(place)
                    )?;
                }
                writeln!(out, "- check: {}\n", check.as_str())
            }
        }
    }

    fn write_traces(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "## 4. Who changed or used it\n")?;
        let Some(traces) = &self.traces else {
            return writeln!(out, "The audit log could not be read.\n");
        };
        writeln!(
            out,
            "From the audit log of this project. It does not know of programs that read the file by themselves, nor of what was done at the provider.\n"
        )?;
        if traces.is_empty() {
            return writeln!(out, "Nothing is recorded.\n");
        }
        writeln!(out, "| When | Who | What | Outcome | From |\n|---|---|---|---|---|")?;
        for trace in traces {
            let cells = [&trace.at, &trace.who, &trace.event, &trace.outcome, &trace.origin].map(|cell| plain(cell));
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
        writeln!(out)
    }

    fn write_findings(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "## 5. Where it was found\n")?;
        for what in &self.searched {
            writeln!(out, "- searched: {}", plain(what))?;
        }
        for what in &self.inapplicable {
            writeln!(out, "- not searched: {}", plain(what))?;
        }
        for what in &self.unsearched {
            writeln!(out, "- **could not be searched**: {}", plain(what))?;
        }
        if self.found.is_empty() {
            let where_it_was_looked_for = if self.unsearched.is_empty() {
                ""
            } else {
                " where it could be looked for"
            };
            return writeln!(out, "\nIt was not found{where_it_was_looked_for}.\n");
        }
        writeln!(out, "\n| File | Line | Commit |\n|---|---|---|")?;
        for place in &self.found {
            let commit = place.commit.as_deref().unwrap_or("");
            writeln!(out, "| {} | {} | {} |", plain(&place.file), place.line, plain(commit))?;
        }
        writeln!(out)
    }
}

/// A text in which nothing is markup, on one line: a file may be called anything.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' | '!' | '$' => out.extend(['\\', c]),
            c if c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                out.push('?')
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> ExposureRecord {
        ExposureRecord {
            subject: "sources.shop.api_key".to_owned(),
            source: Some(("shop".to_owned(), "Stripe".to_owned())),
            began: Timestamp::from_unix_micros(0),
            at: Timestamp::from_unix_micros(60_000_000),
            by: "ana".to_owned(),
            revoke_url: Some("https://dashboard.stripe.com/apikeys".to_owned()),
            revoked: false,
            replacement: Replacement::None,
            traces: None,
            found: Vec::new(),
            searched: vec!["all files".to_owned()],
            inapplicable: Vec::new(),
            unsearched: Vec::new(),
        }
    }

    #[test]
    fn what_is_left_to_do_is_what_was_not_done() {
        let open = record();
        assert_eq!(
            open.open_steps(),
            [
                "revoke the exposed value at its provider",
                "store a new value",
                "read the audit log"
            ]
        );
        assert!(
            open.to_markdown()
                .contains("- [ ] the exposed value is revoked at <https://dashboard.stripe.com/apikeys>")
        );
        let done = ExposureRecord {
            revoked: true,
            replacement: Replacement::Stored {
                places: vec!["sources.shop.api_key".to_owned()],
                others: Vec::new(),
                check: Check::Accepted,
            },
            traces: Some(Vec::new()),
            ..record()
        };
        assert!(done.open_steps().is_empty());
        assert!(done.to_markdown().contains("- [x] the exposed value is revoked"));
        assert!(is_record(done.to_markdown().as_bytes()) && !is_record(b"# Exposures") && !is_record(b""));
    }

    #[test]
    fn what_could_not_be_looked_at_is_left_to_do_and_what_there_is_not_is_not() {
        let without = ExposureRecord {
            revoked: true,
            replacement: Replacement::Stored {
                places: Vec::new(),
                others: vec!["TOKEN".to_owned()],
                check: Check::Unknown,
            },
            traces: Some(Vec::new()),
            inapplicable: vec!["git's history: there is no repository".to_owned()],
            ..record()
        };
        assert!(without.is_complete() && without.open_steps().is_empty());
        let failed = ExposureRecord {
            unsearched: vec!["a.log: permission denied".to_owned()],
            ..without.clone()
        };
        assert!(!failed.is_complete());
        assert_eq!(failed.open_steps(), ["search what could not be searched"]);
        assert!(failed.to_markdown().contains("It was not found where it could be looked for."));
        let unread = ExposureRecord {
            traces: None,
            ..without.clone()
        };
        assert!(!unread.is_complete());
        for (check, step) in [
            (Check::Refused, "store a new value that works"),
            (Check::Due, "find out whether the new value works"),
        ] {
            let stored = ExposureRecord {
                replacement: Replacement::Stored {
                    places: Vec::new(),
                    others: Vec::new(),
                    check,
                },
                ..without.clone()
            };
            assert_eq!(stored.open_steps(), [step]);
        }
    }

    #[test]
    fn a_file_name_is_no_markup_and_no_second_row() {
        let hostile = ExposureRecord {
            found: vec![Whereabout {
                file: "a|b\n| x | <script>`_*\u{202e}".to_owned(),
                line: 3,
                commit: None,
            }],
            ..record()
        };
        let text = hostile.to_markdown();
        let row = text.lines().find(|line| line.starts_with("| a")).expect("a row");
        assert_eq!(row, r"| a\|b?\| x \| \<script\>\`\_\*? | 3 |  |");
    }
}
