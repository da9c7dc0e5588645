//! How a value can be spelled in a `.env` file, and which spelling most readers read back; where it goes is not decided here.

use std::fmt;

use zeroize::Zeroizing;

use super::EnvDocument;
use super::dialect::{bash, docker, node};
use super::whitespace::{is_javascript_space, is_python_space};

/// Why no spelling is read back: what the value holds that stands in each other's way.
///
/// It tells kinds of characters, never which or where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacles(Vec<&'static str>);

impl fmt::Display for Obstacles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, obstacle) in self.0.iter().enumerate() {
            let separator = match index {
                0 => "",
                _ if index + 1 == self.0.len() => " and ",
                _ => ", ",
            };
            write!(f, "{separator}{obstacle}")?;
        }
        Ok(())
    }
}

/// The spellings that python-dotenv and node dotenv read back, best first.
///
/// Best is what bash and docker read back as well, then what bash does, then what docker does; among
/// equals the plainest: bare, single quotes, double quotes, double quotes with escaped line breaks.
///
/// # Errors
///
/// What the value holds, where no spelling is read back.
pub(super) fn spellings(value: &str) -> Result<Vec<Zeroizing<String>>, Obstacles> {
    let mut candidates = vec![
        Zeroizing::new(value.to_owned()),
        Zeroizing::new(format!("'{value}'")),
        Zeroizing::new(format!("\"{value}\"")),
    ];
    if value.contains(['\n', '\r']) {
        let newlines = Zeroizing::new(value.replace('\n', "\\n"));
        let escaped = Zeroizing::new(newlines.replace('\r', "\\r"));
        candidates.push(Zeroizing::new(format!("\"{}\"", *escaped)));
        candidates.push(Zeroizing::new(format!("\"{}\"", *Zeroizing::new(value.replace('\r', "\\r")))));
    }
    let mut served: Vec<(u8, Zeroizing<String>)> = candidates
        .into_iter()
        .filter_map(|spelling| Some((readers_served(&spelling, value)?, spelling)))
        .collect();
    if served.is_empty() {
        return Err(obstacles(value));
    }
    // A stable sort keeps the plainest first among equals.
    served.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    Ok(served.into_iter().map(|(_, spelling)| spelling).collect())
}

/// Ranks a spelling by who reads the value back; `None` where python-dotenv or node dotenv does not.
fn readers_served(spelling: &str, value: &str) -> Option<u8> {
    let text = Zeroizing::new(format!("K={spelling}\n"));
    let document = EnvDocument::from_text(text.clone());
    let mut bindings = document.bindings();
    let python = bindings.next()?;
    let is_python = python.expose() == Some(value) && bindings.next().is_none() && document.problems().next().is_none();
    let node = node::read(&text);
    let is_node = matches!(node.as_slice(), [only] if only.value.as_str() == value);
    if !is_python || !is_node {
        return None;
    }
    let pieces = python.pieces();
    let bash = match bash::read(&text).as_slice() {
        [
            bash::Command {
                effect: bash::Effect::Assigns(assigned),
                ..
            },
        ] => {
            matches!(assigned.as_slice(), [(_, parts)] if bash::is_same_value(parts, &pieces))
        }
        _ => false,
    };
    let docker = matches!(
        docker::read(&text).as_slice(),
        [only] if matches!(only.kind, docker::LineKind::Variable { value: read, .. } if read == value)
    );
    Some(u8::from(bash) * 2 + u8::from(docker))
}

fn obstacles(value: &str) -> Obstacles {
    let is_space = |c: char| is_python_space(c) || is_javascript_space(c);
    let has_edge = value.starts_with(is_space) || value.ends_with(is_space);
    let present = [
        (value.contains('\''), "single quotes"),
        (value.contains('"'), "double quotes"),
        (value.contains('\\'), "backslashes"),
        (value.contains('\n'), "line breaks"),
        (value.contains('\r'), "carriage returns"),
        (value.contains('#'), "a `#`"),
        (value.starts_with('`'), "a backtick at the start"),
        (has_edge, "white space at an edge"),
    ];
    Obstacles(present.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect())
}
