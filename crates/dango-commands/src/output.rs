//! What a command says: data to standard output, everything else to standard error.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, ErrorKind};

use serde::Serialize;

use crate::arguments::Global;
use crate::failure::Failure;
use crate::table::{Shown, lay_out};
use crate::{Host, Outcome};

/// The voice of a command; it also holds the [`Host`], so that there is one of each.
pub(crate) struct Output<'a> {
    pub(crate) host: &'a mut Host,
    pub(crate) json: bool,
    /// Whether a byte has come on standard input.
    pub(crate) saw_input: bool,
    quiet: bool,
    colour: bool,
    warned: Vec<String>,
}

impl<'a> Output<'a> {
    pub(crate) fn new(host: &'a mut Host, global: &Global) -> Self {
        let colour = host.terminal.error
            && !global.no_color
            && host.variable("NO_COLOR").is_none_or(str::is_empty)
            && host.variable("TERM") != Some("dumb");
        if !colour {
            crate::prompt::without_colour();
        }
        Self {
            host,
            json: global.json,
            saw_input: false,
            quiet: global.quiet,
            colour,
            warned: Vec::new(),
        }
    }

    /// Data, as it is.
    pub(crate) fn data(&mut self, bytes: &[u8]) -> Outcome {
        let written = self.host.stdout.write_all(bytes).and_then(|()| self.host.stdout.flush());
        written.or_else(|error| closed_pipe(&error))
    }

    /// A line of data.
    pub(crate) fn line(&mut self, text: &str) -> Outcome {
        self.data(text.as_bytes())?;
        self.data(b"\n")
    }

    /// Data as pretty JSON and a line feed.
    pub(crate) fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Outcome {
        let text = serde_json::to_string_pretty(value).map_err(|error| Failure::caused_by(&error))?;
        self.line(&text)
    }

    /// A table with a heading; on a terminal it keeps to the width.
    pub(crate) fn table(&mut self, heading: &[&str], rows: &[Vec<String>]) -> Outcome {
        let shown = match self.host.terminal.output {
            true => Shown::OnTerminal,
            false => Shown::Elsewhere,
        };
        let rows: Vec<Vec<Cow<'_, str>>> = rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
        self.data(lay_out(heading, &rows, shown).as_bytes())
    }

    /// Says what was done; `--quiet` silences it.
    pub(crate) fn say(&mut self, message: impl Display) {
        if !self.quiet {
            self.write("", &message.to_string());
        }
    }

    /// Says what nothing goes on without, on lines of its own, with `--quiet`, too.
    pub(crate) fn insist(&mut self, message: impl Display) {
        self.write("", &message.to_string());
    }

    /// Warns of something that the user will want to know.
    ///
    /// A second time the same is not said: two files may lack the same thing.
    pub(crate) fn warn(&mut self, message: impl Display) {
        let message = message.to_string();
        if self.warned.contains(&message) {
            return;
        }
        let prefix = self.paint("warning:", "33");
        self.write(&prefix, &message);
        self.warned.push(message);
    }

    /// Advises on a line of its own; `--quiet` silences it.
    pub(crate) fn hint(&mut self, message: impl Display) {
        if !self.quiet {
            let prefix = self.paint("hint:", "36");
            self.write(&prefix, &message.to_string());
        }
    }

    /// Reports a failure and returns its exit status.
    pub(crate) fn report(&mut self, failure: &Failure) -> u8 {
        if !failure.message.is_empty() {
            let prefix = self.paint("error:", "31");
            self.write(&prefix, &failure.message);
            for hint in &failure.hints {
                let prefix = self.paint("hint:", "36");
                self.write(&prefix, hint);
            }
        }
        failure.status.code()
    }

    fn paint(&self, text: &str, colour: &str) -> String {
        if self.colour {
            format!("\u{1b}[{colour}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn write(&mut self, prefix: &str, message: &str) {
        let space = if prefix.is_empty() { "" } else { " " };
        let message: String = message.chars().map(|c| if c == '\n' { c } else { visible(c) }).collect();
        // Where standard error is gone there is nobody left to tell.
        let _ = writeln!(self.host.stderr, "{prefix}{space}{message}");
        let _ = self.host.stderr.flush();
    }
}

/// A reader that has seen enough (`| head`) is no failure; any other error is.
fn closed_pipe(error: &io::Error) -> Outcome {
    if error.kind() == ErrorKind::BrokenPipe {
        return Err(Failure::silent(crate::failure::Status::Program(0)));
    }
    Err(Failure::refused(format!("cannot write to standard output: {error}")))
}

/// A text that came from a file, for a terminal: control characters and those that reorder text are shown as `?`.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| visible(c) == c) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(visible).collect())
    }
}

fn visible(c: char) -> char {
    let reorders = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || reorders { '?' } else { c }
}
