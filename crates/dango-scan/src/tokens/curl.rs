//! A login on the command line of curl: `curl -u name:password`, or a key in the place of the name, as many providers document it.

use super::Match;
use super::checks::{is_beginning, is_structureless};
use super::url::{is_made, is_somewhere};

/// How long a command is that is looked at, in bytes; it goes on behind a `\` at the end of a line.
const LONGEST: usize = 1024;
/// The long names of the options (curl's manual, `-u` and `-U`); the short ones may end a word of several.
const NAMES: [&[u8]; 2] = [b"--user", b"--proxy-user"];
/// Shorter keys are names.
const SHORTEST_KEY: usize = 20;

/// The password of the command whose `curl ` stands here.
pub(super) fn login(text: &[u8], at: usize) -> Option<Match> {
    if !is_beginning(text, at) {
        return None;
    }
    let start = at + "curl".len();
    let command = command(&text[start..text.len().min(start + LONGEST)]);
    let found = (1..command.len())
        .filter(|at| command[at - 1].is_ascii_whitespace())
        .find_map(|at| secret(command, at + option(&command[at..])?))?;
    is_sent_somewhere(command).then_some(Match {
        start: start + found.start,
        end: start + found.end,
    })
}

/// A command up to the end of its line, or of the last one where `\` joins lines.
fn command(text: &[u8]) -> &[u8] {
    let is_end = |at: &usize| text[*at] == b'\n' && !text[..*at].trim_ascii_end().ends_with(b"\\");
    let end = (0..text.len()).find(is_end).unwrap_or(text.len());
    &text[..end]
}

/// The length of the option at the beginning, with what separates it from its value.
fn option(text: &[u8]) -> Option<usize> {
    let length = match NAMES.iter().find(|name| text.starts_with(name)) {
        Some(name) => name.len(),
        None => {
            let letters = text.strip_prefix(b"-")?.iter().take_while(|byte| byte.is_ascii_alphabetic());
            // `-sSu`, and `-uname:…` where the value follows at once.
            1 + letters.take(8).position(|byte| matches!(byte, b'u' | b'U'))? + 1
        }
    };
    let rest = &text[length..];
    let between = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b'\\').count();
    match rest.first()? {
        b'=' if text.starts_with(b"--") => Some(length + 1),
        _ if between > 0 => Some(length + between),
        _ if !text.starts_with(b"--") => Some(length),
        _ => None,
    }
}

/// The secret half of the value that begins here.
fn secret(command: &[u8], at: usize) -> Option<Match> {
    let (start, quote) = match command.get(at)? {
        quote @ (b'"' | b'\'') => (at + 1, Some(*quote)),
        _ => (at, None),
    };
    let is_end = |byte: &u8| match quote {
        Some(quote) => *byte == quote,
        None => byte.is_ascii_whitespace() || b"\"'`;|&<>()".contains(byte),
    };
    let length = command[start..].iter().position(is_end).unwrap_or(command.len() - start);
    let value = &command[start..start + length];
    // What a shell or a template puts in is not here.
    if value.iter().any(|byte| b"${}<>`".contains(byte)) {
        return None;
    }
    let colon = value.iter().position(|byte| *byte == b':')?;
    let (name, password) = (&value[..colon], &value[colon + 1..]);
    let is_key = name.len() >= SHORTEST_KEY && is_structureless(name);
    match password {
        [] | [_] if is_key => Some(Match { start, end: start + colon }),
        _ => (!name.eq_ignore_ascii_case(password) && is_made(password)).then_some(Match {
            start: start + colon + 1,
            end: start + length,
        }),
    }
}

/// Whether the command is not for a host of a document alone.
fn is_sent_somewhere(command: &[u8]) -> bool {
    let hosts = command.windows(3).enumerate().filter(|(_, window)| *window == b"://");
    let hosts: Vec<&[u8]> = hosts
        .map(|(at, _)| {
            let rest = &command[at + 3..];
            let is_end = |byte: &u8| byte.is_ascii_whitespace() || b":/?#\"'\\".contains(byte);
            &rest[..rest.iter().position(is_end).unwrap_or(rest.len())]
        })
        .collect();
    hosts.is_empty() || hosts.into_iter().any(is_somewhere)
}
