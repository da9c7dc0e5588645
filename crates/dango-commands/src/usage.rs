//! A wrong command line, explained without repeating what may be a secret typed in the wrong place.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::Host;

/// The longest word that is repeated in a message; keys and tokens are longer.
const LONGEST_WORD: usize = 24;

/// Answers what clap found: help and version to standard output (0), anything else is exit 2.
pub(crate) fn report(host: &mut Host, arguments: &[OsString], error: &clap::Error) -> u8 {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let written = write!(host.stdout, "{}", error.render()).and_then(|()| host.stdout.flush());
            match written {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                    let _ = writeln!(host.stderr, "error: cannot write to standard output: {error}");
                    1
                }
                _ => 0,
            }
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = write!(host.stderr, "{}", error.render());
            2
        }
        _ => {
            let _ = host.stderr.write_all(explain(arguments, error).as_bytes());
            2
        }
    }
}

fn explain(arguments: &[OsString], error: &clap::Error) -> String {
    let mut text = format!("error: {}\n", message(error));
    for hint in hints(arguments, error) {
        text.push_str(&format!("hint: {hint}\n"));
    }
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        text.push_str(&format!("\n{usage}\n"));
    }
    text
}

fn message(error: &clap::Error) -> String {
    let word = |kind| error.get(kind).and_then(single).filter(|word| is_harmless(word));
    let option = option(error);
    match error.kind() {
        ErrorKind::UnknownArgument => match word(ContextKind::InvalidArg) {
            Some(word) if word.starts_with('-') => format!("there is no option {word} here"),
            _ => "there is an argument too many (it is not shown: it may be a secret)".to_owned(),
        },
        ErrorKind::InvalidSubcommand => match word(ContextKind::InvalidSubcommand) {
            Some(word) => format!("there is no command {word} here"),
            None => "there is no such command".to_owned(),
        },
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let allowed = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(values)) if !values.is_empty() => format!("; one of: {}", values.join(", ")),
                _ => String::new(),
            };
            format!("the value of {option} is not one that it takes{allowed}")
        }
        ErrorKind::NoEquals => format!("{option} needs its value behind an equals sign"),
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("{option} was given the wrong number of values")
        }
        ErrorKind::ArgumentConflict => format!("{option} cannot be used with {}", prior(error)),
        ErrorKind::MissingRequiredArgument => format!("missing: {}", listed(error.get(ContextKind::InvalidArg))),
        ErrorKind::MissingSubcommand => "a command is missing".to_owned(),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        kind => kind.as_str().unwrap_or("the command line is not understood").to_owned(),
    }
}

fn hints(arguments: &[OsString], error: &clap::Error) -> Vec<String> {
    let mut hints = Vec::new();
    if let Some(ContextValue::Strings(words)) = error.get(ContextKind::SuggestedSubcommand).or(error.get(ContextKind::SuggestedArg)) {
        hints.extend(words.iter().map(|word| format!("did you mean `{word}`?")));
    } else if let Some(ContextValue::String(word)) = error.get(ContextKind::SuggestedArg).or(error.get(ContextKind::SuggestedSubcommand)) {
        hints.push(format!("did you mean `{word}`?"));
    }
    if error.kind() == ErrorKind::UnknownArgument && arguments.iter().any(|word| word == "set") {
        hints.push(
            "a secret is never taken from the argument list: type it at the prompt, send it to standard input, \
             or use `--from-file FILE` or `--from-env VAR`"
                .to_owned(),
        );
        hints.push("your shell's history and the process list may have seen it; if it was a real secret, consider a new one".to_owned());
    }
    hints
}

fn option(error: &clap::Error) -> String {
    match error.get(ContextKind::InvalidArg).and_then(single) {
        Some(name) => name.to_owned(),
        None => "an argument".to_owned(),
    }
}

fn prior(error: &clap::Error) -> String {
    match error.get(ContextKind::PriorArg) {
        Some(value) => listed(Some(value)),
        None => "another option given".to_owned(),
    }
}

fn listed(value: Option<&ContextValue>) -> String {
    match value {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => "an argument".to_owned(),
    }
}

fn single(value: &ContextValue) -> Option<&str> {
    match value {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

/// Whether a word is an option's or a command's name mistyped rather than a secret.
fn is_harmless(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    word.len() <= LONGEST_WORD
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}
