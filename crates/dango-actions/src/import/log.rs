//! The audit log of an earlier Dango (`audit.jsonl`), line by line. What becomes of a line in our log is in `drafting`.

use std::net::IpAddr;

use dango_audit::Event;
use dango_core::Timestamp;
use dango_store::ImportMark;
use serde_json::{Map, Value};

use super::mark::{mark, parse_time};
use super::report::{BAD_LINES, BadLine, LineProblem};

/// No record comes near this.
const LINE_MAX: usize = 64 * 1024;

/// The audit log of an earlier Dango.
#[derive(Default)]
pub struct EarlierLog {
    pub(super) events: Vec<EarlierEvent>,
    pub(super) malformed: u64,
    pub(super) bad_lines: Vec<BadLine>,
}

/// A record of an earlier Dango.
pub(super) struct EarlierEvent {
    /// What says that this very line was taken over.
    pub(super) mark: ImportMark,
    pub(super) at: Timestamp,
    pub(super) event: Event,
    pub(super) user_id: Option<String>,
    pub(super) email: Option<String>,
    pub(super) ip: Option<IpAddr>,
    pub(super) details: Map<String, Value>,
}

impl EarlierLog {
    /// Reads a log. Lines that are no records are counted, and the first of them are named; empty lines are nothing.
    pub fn read(bytes: &[u8]) -> Self {
        let mut log = Self::default();
        for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1..) {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            match parse(line) {
                Ok(event) => log.events.push(event),
                Err(problem) => {
                    log.malformed += 1;
                    if log.bad_lines.len() < BAD_LINES {
                        log.bad_lines.push(BadLine { line: number, problem });
                    }
                }
            }
        }
        log
    }
}

fn parse(line: &[u8]) -> Result<EarlierEvent, LineProblem> {
    if line.len() > LINE_MAX {
        return Err(LineProblem::TooLong);
    }
    let Ok(Value::Object(mut record)) = serde_json::from_slice(line) else {
        return Err(LineProblem::NotAnObject);
    };
    let mut text = |name: &str| match record.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let at = text("timestamp").and_then(|at| parse_time(&at)).ok_or(LineProblem::NoTime)?;
    let event = text("event")
        .and_then(|event| event.parse().ok())
        .ok_or(LineProblem::UnknownEvent)?;
    Ok(EarlierEvent {
        mark: mark("event", line),
        at,
        event,
        user_id: text("user_id"),
        email: text("email"),
        ip: text("ip").and_then(|ip| ip.parse().ok()),
        details: match record.remove("details") {
            Some(Value::Object(details)) => details,
            _ => Map::new(),
        },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_that_are_no_records_are_named_and_the_others_are_read() {
        let text = concat!(
            r#"{"timestamp": "2026-11-22T02:15:28.667037+00:00", "event": "login_success", "email": "a@x.test", "ip": "192.0.2.7"}"#,
            "\r\n\n",
            "{\"timestamp\": \"2026-11-22T02:15:28\", \"event\": \"secret_set\", \"details\": {\"key\": \"A\"}}\n",
            "[1]\n{\"event\": \"logout\"}\n{\"timestamp\": \"yesterday\", \"event\": \"logout\"}\n",
            "{\"timestamp\": \"2026-11-22T02:15:28Z\", \"event\": \"party\"}\n\u{1b}[31m\n\n",
            "{\"timestamp\": \"2026-11-22T02:15:2",
        );
        let log = EarlierLog::read(text.as_bytes());
        let seen: Vec<_> = log.events.iter().map(|event| (event.event, event.at.to_string())).collect();
        let at = "2026-11-22T02:15:28Z".to_owned();
        assert_eq!(seen, [(Event::LoginSuccess, at.clone()), (Event::SecretSet, at)]);
        assert_eq!((log.events[0].ip, log.events[1].details.len()), (Some([192, 0, 2, 7].into()), 1));
        let bad: Vec<_> = log.bad_lines.iter().map(|bad| (bad.line, bad.problem)).collect();
        use LineProblem::{NoTime, NotAnObject, UnknownEvent};
        let expected = [
            (4, NotAnObject),
            (5, NoTime),
            (6, NoTime),
            (7, UnknownEvent),
            (8, NotAnObject),
            (10, NotAnObject),
        ];
        assert_eq!((log.malformed, bad.as_slice()), (6, expected.as_slice()));
    }

    #[test]
    fn a_log_of_garbage_is_counted_to_its_end_and_named_in_part() {
        let log = EarlierLog::read("x\n".repeat(5000).as_bytes());
        assert_eq!((log.malformed, log.bad_lines.len()), (5000, BAD_LINES));
        let long = format!("{{\"event\": \"{}\"}}", "x".repeat(LINE_MAX));
        assert_eq!(EarlierLog::read(long.as_bytes()).bad_lines[0].problem, LineProblem::TooLong);
        let deep = "[".repeat(60_000);
        assert_eq!(EarlierLog::read(deep.as_bytes()).bad_lines[0].problem, LineProblem::NotAnObject);
    }

    proptest! {
        #[test]
        fn any_bytes_are_records_or_counted(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let log = EarlierLog::read(&bytes);
            let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
            prop_assert_eq!(log.events.len() as u64 + log.malformed, lines as u64);
        }
    }
}
