//! Tells what bash assigns where it sources a `.env` file (`set -a; . file`), without running anything; words are read in `bash_word`.

use std::ops::Range;

use super::bash_scanner::{Scanner, Stop};
use super::bash_word::Word;
use crate::dotenv::EnvPiece;

pub(in crate::dotenv) use super::bash_word::Part;

/// One command of the file.
pub(in crate::dotenv) struct Command {
    /// Its first byte.
    pub(in crate::dotenv) at: usize,
    pub(in crate::dotenv) effect: Effect,
}

/// What a command does to the environment.
pub(in crate::dotenv) enum Effect {
    /// Variables are set, in order.
    Assigns(Vec<(String, Vec<Part>)>),
    /// A program, a builtin or a substitution runs; what it does is not known.
    Runs,
    /// Bash reports an error, sets nothing and goes on.
    Fails,
    /// Bash reports an error and reads no further.
    Stops,
}

/// How many bytes may be read twice, as a multiple of the text, because bash stopped and reading went on behind that line.
const MAX_REREADS: usize = 8;

/// Every command in order.
///
/// Where bash stops, reading goes on with the next line, as if the faulty one were not there, so
/// that one stray quote does not hide what else there is; only in a file with very many such
/// lines it ends.
pub(in crate::dotenv) fn read(text: &str) -> Vec<Command> {
    let mut scanner = Scanner::new(text);
    let mut commands = Vec::new();
    let mut budget = text.len().saturating_mul(MAX_REREADS);
    loop {
        scanner.skip_space_and_comments();
        if scanner.is_at_end() {
            return commands;
        }
        let start = scanner.at();
        match line(&mut scanner, text) {
            Ok(found) => commands.extend(found),
            Err(Stop) => {
                commands.push(Command {
                    at: start,
                    effect: Effect::Stops,
                });
                let reread = scanner.at() - start;
                if reread > budget {
                    return commands;
                }
                budget -= reread;
                scanner.go_to(text[start..].find('\n').map_or(text.len(), |length| start + length));
            }
        }
    }
}

/// The commands of one line; bash reads all of it before it runs the first.
fn line(scanner: &mut Scanner<'_>, text: &str) -> Result<Vec<Command>, Stop> {
    let mut commands = Vec::new();
    loop {
        scanner.skip_blanks();
        let at = scanner.at();
        let (effects, end) = statement(scanner, text)?;
        commands.extend(effects.into_iter().map(|effect| Command { at, effect }));
        if end == StatementEnd::Line {
            return Ok(commands);
        }
    }
}

/// What ended a statement.
#[derive(PartialEq, Eq)]
enum StatementEnd {
    Semicolon,
    Line,
}

/// Whether bash gives a variable what python-dotenv gives it, wherever referenced variables are unset or not empty.
pub(in crate::dotenv) fn is_same_value(parts: &[Part], pieces: &[EnvPiece<'_>]) -> bool {
    parts.len() == pieces.len()
        && parts.iter().zip(pieces).all(|pair| match pair {
            (Part::Literal(text), EnvPiece::Literal(literal)) => text.as_str() == *literal,
            (
                Part::Variable {
                    name,
                    default,
                    braces: true,
                },
                EnvPiece::Reference {
                    name: other,
                    default: other_default,
                },
            ) => name == other && default.as_ref().map(|default| default.as_str()) == *other_default,
            _ => false,
        })
}

/// One command with what is tied to it by `&&`, `|` and the like, to behind its `;` or line break.
fn statement(scanner: &mut Scanner<'_>, text: &str) -> Result<(Vec<Effect>, StatementEnd), Stop> {
    let mut words: Vec<Word> = Vec::new();
    let mut other_commands = false;
    let mut redirects = false;
    let mut has_command = false;
    let mut end = StatementEnd::Line;
    loop {
        scanner.skip_blanks();
        let Some(c) = scanner.peek() else { break };
        match c {
            '\n' => {
                scanner.advance(c);
                break;
            }
            '#' => scanner.skip_line(),
            ';' => {
                scanner.advance(c);
                if (words.is_empty() && !redirects) || scanner.peek() == Some(';') {
                    return Err(Stop);
                }
                end = StatementEnd::Semicolon;
                break;
            }
            '|' | '&' => {
                if words.is_empty() && !redirects {
                    return Err(Stop);
                }
                other_commands = true;
                operator(scanner)?;
            }
            '<' | '>' => {
                redirects = true;
                redirection(scanner)?;
            }
            '(' if words.is_empty() && !redirects && !other_commands => {
                other_commands = true;
                scanner.parenthesized()?;
            }
            '(' | ')' => return Err(Stop),
            _ => {
                let word = scanner.word(!has_command || is_export(&words, text))?;
                has_command |= word.name.is_none();
                if words.is_empty() && word.name.is_none() && is_reserved(&text[word.span.clone()]) {
                    return Err(Stop);
                }
                words.push(word);
            }
        }
    }
    Ok((effects(words, other_commands || redirects, text), end))
}

/// Steps over `&`, `&&`, `|`, `||`, `|&`; where a command must follow, it may do so on the next line.
fn operator(scanner: &mut Scanner<'_>) -> Result<(), Stop> {
    let first = scanner.peek();
    let mut length = 0;
    while let Some(c @ ('&' | '|')) = scanner.peek() {
        scanner.advance(c);
        length += 1;
    }
    scanner.skip_blanks();
    if first == Some('&') && length == 1 {
        return Ok(());
    }
    scanner.skip_space_and_comments();
    if length > 2 || scanner.is_at_end() || matches!(scanner.peek(), Some(';' | ')')) {
        return Err(Stop);
    }
    Ok(())
}

/// Steps over a redirection operator, behind which a word must follow; a here-document would take the lines below.
fn redirection(scanner: &mut Scanner<'_>) -> Result<(), Stop> {
    let from = scanner.at();
    while let Some(c @ ('<' | '>' | '&' | '|')) = scanner.peek() {
        scanner.advance(c);
    }
    let operator = scanner.text_from(from);
    if matches!(operator, "<" | ">") && scanner.peek() == Some('(') {
        return scanner.parenthesized();
    }
    let is_known = matches!(operator, "<" | ">" | ">>" | "<&" | ">&" | ">|" | "<>" | "<<<");
    scanner.skip_blanks();
    if !is_known || matches!(scanner.peek(), None | Some('\n' | ';' | '(' | ')' | '<' | '>' | '&' | '|')) {
        return Err(Stop);
    }
    scanner.word(false).map(|_| ())
}

fn is_export(words: &[Word], text: &str) -> bool {
    words
        .first()
        .is_some_and(|word| word.name.is_none() && &text[word.span.clone()] == "export")
}

/// Words that begin or end a compound command, which a `.env` file does not complete.
fn is_reserved(word: &str) -> bool {
    const RESERVED: [&str; 18] = [
        "if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "select", "function", "{", "}", "[[",
        "coproc",
    ];
    RESERVED.contains(&word)
}

fn effects(words: Vec<Word>, other_commands: bool, text: &str) -> Vec<Effect> {
    if words.is_empty() && !other_commands {
        return Vec::new();
    }
    let exports = is_export(&words, text);
    let has_command = words.iter().any(|word| word.name.is_none());
    let substitutes = words.iter().any(|word| word.parts.iter().any(|part| matches!(part, Part::Command)));
    let lists_all = exports && words.len() == 1;
    if other_commands || substitutes || lists_all || (has_command && !exports) {
        return vec![Effect::Runs];
    }
    let mut assigned = Vec::new();
    let mut effects = Vec::new();
    for mut word in words.into_iter().skip(usize::from(exports)) {
        if word.parts.iter().any(|part| matches!(part, Part::Invalid)) {
            return vec![Effect::Fails];
        }
        match word.name.take() {
            Some(name) if is_readonly(&name) => effects.push(Effect::Fails),
            Some(name) if is_kept_by_bash(&name) => assigned.push((name, vec![Part::Expanded])),
            Some(name) => assigned.push((name, word.parts)),
            None => match quoted_assignment(&word) {
                Some(assignment) => assigned.push(assignment),
                None if is_name(&text[word.span.clone()]) => {}
                None => effects.push(Effect::Fails),
            },
        }
    }
    if !assigned.is_empty() {
        effects.insert(0, Effect::Assigns(assigned));
    }
    effects
}

/// What `export "A=1"` or `export 'A'=1` assigns.
fn quoted_assignment(word: &Word) -> Option<(String, Vec<Part>)> {
    let (Part::Literal(first), rest) = word.parts.split_first()? else {
        return None;
    };
    let (name, value) = first.split_once('=').filter(|(name, _)| is_name(name))?;
    let mut parts = vec![Part::Literal(zeroize::Zeroizing::new(value.to_owned()))];
    parts.extend(rest.iter().cloned());
    Some((name.to_owned(), parts))
}

/// Whether a text is a name that bash assigns to.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_readonly(name: &str) -> bool {
    matches!(name, "UID" | "EUID" | "PPID" | "BASHOPTS" | "SHELLOPTS" | "BASH_VERSINFO")
}

/// Variables that bash sets itself, so that an assignment has another effect or none.
fn is_kept_by_bash(name: &str) -> bool {
    matches!(
        name,
        "BASHPID"
            | "BASH_ARGV0"
            | "BASH_COMMAND"
            | "BASH_SUBSHELL"
            | "COMP_WORDBREAKS"
            | "DIRSTACK"
            | "EPOCHREALTIME"
            | "EPOCHSECONDS"
            | "FUNCNAME"
            | "GROUPS"
            | "HISTCMD"
            | "LINENO"
            | "RANDOM"
            | "SECONDS"
            | "SRANDOM"
            | "SHLVL"
            | "_"
    )
}

/// The bytes of a word in the text.
pub(super) type Span = Range<usize>;
