//! Compares what one python-dotenv statement means with what node dotenv, docker and bash make of its lines.

use super::dialect::bash::{self, Command, Effect, Part};
use super::dialect::docker::{self, Line, LineKind};
use super::dialect::node::{self, Assignment};
use super::lint::{Finding, Reader, Sees, readings, shown_key};
use super::parser::{Statement, StatementKind};
use super::{Binding, EnvPiece};

/// A place in the file: the line, counted from 1, and the byte at which it starts.
pub(super) type Place = (usize, usize);

/// What the other readers make of a file, in the file's order.
pub(super) struct OtherReaders<'t> {
    node: Vec<Assignment>,
    docker: Vec<Line<'t>>,
    bash: Vec<Command>,
}

impl<'t> OtherReaders<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self {
            node: node::read(text),
            docker: docker::read(text),
            bash: bash::read(text),
        }
    }

    /// What is worth telling about a statement and the blank lines up to the next one.
    pub(super) fn compare(&self, statement: &Statement, from: Place, to: Place) -> Option<Finding> {
        let node = within(&self.node, |item| item.line, from.0, to.0);
        let docker = within(&self.docker, |item| item.at, from.1, to.1);
        let bash = within(&self.bash, |item| item.at, from.1, to.1);
        let binding = match &statement.kind {
            StatementKind::Binding(binding) => Some(binding),
            _ => None,
        };
        let python = match binding {
            Some(binding) if binding.has_value() => Sees::SameValue,
            Some(_) => Sees::KeyOnly,
            None => Sees::Nothing,
        };
        let expected = binding.map(Expected::of);
        let expected = expected.as_ref();
        let sees = [
            python,
            node_sees(node, expected),
            docker_sees(docker, expected),
            bash_sees(bash, expected),
        ];
        let code = code(&statement.kind, sees)?;
        Some(Finding {
            line: statement.line,
            key: binding.and_then(shown_key),
            code,
            message: message(code, sees),
            readings: readings(sees),
        })
    }
}

/// The items whose places lie in a range; they are in order.
fn within<T>(items: &[T], place: impl Fn(&T) -> usize, from: usize, to: usize) -> &[T] {
    let first = items.partition_point(|item| place(item) < from);
    let behind = items.partition_point(|item| place(item) < to);
    &items[first..behind]
}

/// What python-dotenv reads.
struct Expected<'d> {
    key: &'d str,
    value: Option<&'d str>,
    pieces: Vec<EnvPiece<'d>>,
    characters: usize,
    has_reference: bool,
}

impl<'d> Expected<'d> {
    fn of(binding: &'d Binding) -> Self {
        Self {
            key: binding.key(),
            value: binding.expose(),
            pieces: binding.pieces(),
            characters: binding.expose().map_or(0, |value| value.chars().count()),
            has_reference: binding.has_reference(),
        }
    }

    /// A reader that expands nothing has read a text for the key.
    fn compare(&self, text: &str) -> Sees {
        let is_without_quotes = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) == self.value;
        match self.value {
            Some(value) if value == text => self.unexpanded(),
            Some(_) if is_without_quotes('"') || is_without_quotes('\'') => Sees::WithQuotes,
            Some(_) => self.other(text.chars().count()),
            None => Sees::Value {
                characters: text.chars().count(),
            },
        }
    }

    fn unexpanded(&self) -> Sees {
        if self.has_reference { Sees::Unexpanded } else { Sees::SameValue }
    }

    fn other(&self, characters: usize) -> Sees {
        Sees::OtherValue {
            characters,
            instead_of: self.characters,
        }
    }
}

fn node_sees(items: &[Assignment], expected: Option<&Expected<'_>>) -> Sees {
    let pairs: Vec<(&str, &str)> = items.iter().map(|item| (item.key.as_str(), item.value.as_str())).collect();
    variables(&pairs, expected)
}

fn docker_sees(items: &[Line<'_>], expected: Option<&Expected<'_>>) -> Sees {
    if items.iter().any(|item| matches!(item.kind, LineKind::Refused)) {
        return Sees::FileRefused;
    }
    let pairs: Vec<(&str, &str)> = items
        .iter()
        .filter_map(|item| match item.kind {
            LineKind::Variable { key, value } => Some((key, value)),
            _ => None,
        })
        .collect();
    if pairs.is_empty() && !items.is_empty() {
        return Sees::HostVariable;
    }
    let sees = variables(&pairs, expected);
    if pairs.len() < items.len() && sees == Sees::SameValue {
        Sees::Strays
    } else {
        sees
    }
}

/// What a reader sees that expands nothing.
fn variables(pairs: &[(&str, &str)], expected: Option<&Expected<'_>>) -> Sees {
    let Some(expected) = expected else {
        return pairs.last().map_or(Sees::Nothing, |(_, value)| Sees::Value {
            characters: value.chars().count(),
        });
    };
    match pairs.iter().rfind(|(key, _)| *key == expected.key) {
        Some((_, value)) => match expected.compare(value) {
            Sees::SameValue if pairs.iter().any(|(key, _)| *key != expected.key) => Sees::Strays,
            sees => sees,
        },
        None if pairs.is_empty() => Sees::Nothing,
        None => Sees::Strays,
    }
}

fn bash_sees(items: &[Command], expected: Option<&Expected<'_>>) -> Sees {
    let any = |wanted: fn(&Effect) -> bool| items.iter().any(|item| wanted(&item.effect));
    if any(|effect| matches!(effect, Effect::Stops)) {
        return Sees::Stop;
    }
    if any(|effect| matches!(effect, Effect::Runs)) {
        return Sees::Command;
    }
    let assigned: Vec<&(String, Vec<Part>)> = items
        .iter()
        .flat_map(|item| match &item.effect {
            Effect::Assigns(assigned) => assigned.as_slice(),
            _ => &[],
        })
        .filter(|(_, parts)| !parts.iter().any(|part| matches!(part, Part::Array)))
        .collect();
    let found = expected.and_then(|expected| assigned.iter().rfind(|(name, _)| name == expected.key));
    match (expected, found, assigned.last()) {
        (Some(expected), Some((_, parts)), _) => {
            let sees = bash_value(parts, expected);
            let has_strays = assigned.iter().any(|(name, _)| name != expected.key);
            if has_strays && sees == Sees::SameValue {
                Sees::Strays
            } else {
                sees
            }
        }
        (Some(_), None, Some(_)) => Sees::Strays,
        (None, _, Some((_, parts))) => literal(parts).map_or(Sees::ShellExpanded, |characters| Sees::Value { characters }),
        (_, None, None) if any(|effect| matches!(effect, Effect::Fails)) => Sees::LineError,
        _ => Sees::Nothing,
    }
}

fn bash_value(parts: &[Part], expected: &Expected<'_>) -> Sees {
    if expected.value.is_some() && bash::is_same_value(parts, &expected.pieces) {
        return Sees::SameValue;
    }
    match (parts, literal(parts)) {
        ([Part::Literal(text)], _) => expected.compare(text),
        (_, Some(characters)) => expected.other(characters),
        _ => Sees::ShellExpanded,
    }
}

/// The length of a value in which the shell expands nothing, in characters.
fn literal(parts: &[Part]) -> Option<usize> {
    parts.iter().try_fold(0, |sum, part| match part {
        Part::Literal(text) => Some(sum + text.chars().count()),
        _ => None,
    })
}

/// The kind of finding, the gravest first; `None` where all agree.
fn code(kind: &StatementKind, sees: [Sees; 4]) -> Option<&'static str> {
    let [python, node, docker, bash] = sees;
    let unexpanded = |sees: Sees| matches!(sees, Sees::Unexpanded | Sees::WithQuotes | Sees::SameValue);
    Some(match (kind, python) {
        (StatementKind::Unparsable, _) => "unparsable",
        (_, Sees::KeyOnly) => "no_value",
        _ if sees.iter().all(|sees| *sees == python) => return None,
        _ if bash == Sees::Stop => "shell_stops",
        _ if bash == Sees::Command => "runs_command",
        _ if docker == Sees::FileRefused => "file_refused",
        (_, Sees::Nothing) => "stray_variable",
        _ if node == Sees::SameValue && bash == Sees::SameValue && docker == Sees::WithQuotes => "quotes_kept",
        _ if node == Sees::Unexpanded && unexpanded(docker) && unexpanded(bash) => "references_unexpanded",
        _ => "differs",
    })
}

fn message(code: &str, sees: [Sees; 4]) -> String {
    match code {
        "unparsable" => "python-dotenv cannot read this and skips it".to_owned(),
        "no_value" => "there is no `=`, so python-dotenv sees a key without a value".to_owned(),
        "shell_stops" => "bash finds an error here and reads no further".to_owned(),
        "runs_command" => "bash takes a part of this for a command, or for a file to redirect to".to_owned(),
        "file_refused" => "docker refuses the whole file because of this".to_owned(),
        "stray_variable" => "python-dotenv sees no variable here, but another reader does".to_owned(),
        "quotes_kept" => "docker makes the quotes a part of the value".to_owned(),
        "references_unexpanded" => "python-dotenv expands the references in this value, and not every reader does".to_owned(),
        _ => {
            let others: Vec<&str> = (Reader::ALL.iter().zip(sees))
                .filter(|(_, sees)| *sees != Sees::SameValue)
                .map(|(reader, _)| reader.as_str())
                .collect();
            let (last, rest) = others.split_last().map_or(("", [].as_slice()), |(last, rest)| (*last, rest));
            let (list, verb) = if rest.is_empty() {
                (last.to_owned(), "reads")
            } else {
                (format!("{} and {last}", rest.join(", ")), "read")
            };
            format!("{list} {verb} something else than python-dotenv")
        }
    }
}
