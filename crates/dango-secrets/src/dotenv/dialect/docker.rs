//! Reads `.env` text line by line as `docker run --env-file` does (docker CLI 28); the host's variables are not looked up.

use crate::dotenv::parser::BOM;
use crate::dotenv::whitespace::is_go_space;

/// From this many bytes on, line break not counted, docker refuses a line, and with it the file.
const TOO_LONG: usize = 64 * 1024;

/// One line that is neither blank nor a comment.
pub(in crate::dotenv) struct Line<'t> {
    /// Its first byte.
    pub(in crate::dotenv) at: usize,
    pub(in crate::dotenv) kind: LineKind<'t>,
}

/// What docker makes of a line.
pub(in crate::dotenv) enum LineKind<'t> {
    /// Everything behind the first `=`, quotes, blanks and all.
    Variable { key: &'t str, value: &'t str },
    /// No `=`: the variable is copied from the host if it is set there.
    FromHost,
    /// An error, for which the whole file is refused.
    Refused,
}

/// Every line; the file is read on behind a line for which docker gives up.
pub(in crate::dotenv) fn read(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut at = 0;
    for raw in text.split('\n') {
        let start = at;
        at += raw.len() + 1;
        let unmarked = if start == 0 { raw.strip_prefix(BOM).unwrap_or(raw) } else { raw };
        let content = unmarked.strip_suffix('\r').unwrap_or(unmarked).trim_start_matches(is_go_space);
        let kind = if raw.len() >= TOO_LONG {
            LineKind::Refused
        } else if content.is_empty() || content.starts_with('#') {
            continue;
        } else {
            let (key, value) = content.split_once('=').map_or((content, None), |(key, value)| (key, Some(value)));
            match value {
                _ if key.is_empty() || key.contains([' ', '\t']) => LineKind::Refused,
                Some(value) => LineKind::Variable { key, value },
                None => LineKind::FromHost,
            }
        };
        lines.push(Line { at: start, kind });
    }
    lines
}
