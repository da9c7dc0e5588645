//! Questions on a terminal: hidden secrets, choices, text, yes or no. Ctrl-C and Escape end the command, nothing done.

use std::sync::Once;

use dango_core::SecretValue;
use inquire::error::{InquireError, InquireResult};
use inquire::ui::RenderConfig;
use inquire::{Confirm, Select, Text, set_global_render_config};

use crate::failure::{Failure, Status};
use crate::hidden::{self, Typed};
use crate::output::Output;
use crate::signals;

/// Exit status of a command ended with Ctrl-C: 128 and the number of SIGINT, as a shell counts it.
const INTERRUPTED: u8 = 130;

/// Takes the colour out of all questions.
pub(crate) fn without_colour() {
    set_global_render_config(RenderConfig::empty());
}

/// Asks for a secret without showing it, not even its length. A paste of several lines is taken whole.
pub(crate) fn secret(what: &str) -> Result<SecretValue, Failure> {
    hidden(&format!("{what} (hidden):"))?.ok_or_else(|| Failure::refused("nothing was typed; nothing was changed"))
}

/// Asks for a secret; without an answer it is left out, which only `required` forbids.
pub(crate) fn optional_secret(what: &str, help: &str, required: bool) -> Result<Option<SecretValue>, Failure> {
    let leave_out = if required { "" } else { ", Enter to leave out" };
    hidden(&format!("{what} ({help}; hidden{leave_out}):"))
}

fn hidden(label: &str) -> Result<Option<SecretValue>, Failure> {
    leave_no_trace();
    match hidden::read(label).map_err(|error| Failure::refused(format!("cannot ask on the terminal: {error}")))? {
        Typed::Line(line) if line.is_empty() => Ok(None),
        Typed::Line(mut line) => SecretValue::new(std::mem::take(&mut *line))
            .map(Some)
            .map_err(|error| Failure::caused_by(&error)),
        Typed::Cancelled => Err(cancelled()),
        Typed::Interrupted => Err(interrupted()),
    }
}

/// Asks for a line of text, with a suggestion that Enter takes.
pub(crate) fn text(what: &str, suggestion: Option<&str>, help: Option<&str>) -> Result<String, Failure> {
    leave_no_trace();
    let mut prompt = Text::new(what);
    // An empty suggestion would be shown as `()`; Enter gives an empty text without it, too.
    if let Some(suggestion) = suggestion.filter(|suggestion| !suggestion.is_empty()) {
        prompt = prompt.with_default(suggestion);
    }
    if let Some(help) = help {
        prompt = prompt.with_help_message(help);
    }
    answered(prompt.prompt())
}

/// Lets the user pick one of several; returns its index. Typing narrows the list.
pub(crate) fn choice(what: &str, choices: Vec<String>) -> Result<usize, Failure> {
    leave_no_trace();
    answered(Select::new(what, choices).with_page_size(12).raw_prompt()).map(|picked| picked.index)
}

/// Asks a question that must be answered with yes before something is done.
///
/// `--yes` answers it; without a terminal and without `--yes` it is a refusal.
pub(crate) fn confirm(question: &str, yes: bool, output: &mut Output<'_>) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !output.host.terminal.input {
        return Err(Failure::refused(format!("not confirmed: {question}")).hint("add `--yes` to answer without a terminal"));
    }
    leave_no_trace();
    if answered(Confirm::new(question).with_default(false).prompt())? {
        Ok(())
    } else {
        Err(Failure::refused("not confirmed; nothing was changed"))
    }
}

/// Asks a question whose answer may be no; without a terminal the answer is `unasked`.
pub(crate) fn decide(question: &str, unasked: bool, output: &Output<'_>) -> Result<bool, Failure> {
    if !output.host.terminal.input {
        return Ok(unasked);
    }
    leave_no_trace();
    answered(Confirm::new(question).with_default(unasked).prompt())
}

fn answered<T>(answer: InquireResult<T>) -> Result<T, Failure> {
    answer.map_err(|error| match error {
        InquireError::OperationCanceled => cancelled(),
        InquireError::OperationInterrupted => interrupted(),
        InquireError::NotTTY => Failure::refused("this needs a terminal"),
        error => Failure::refused(format!("cannot ask on the terminal: {error}")),
    })
}

fn cancelled() -> Failure {
    Failure::refused("cancelled; nothing was changed")
}

/// What became of a command that was ended with Ctrl-C while it asked.
pub(crate) fn interrupted() -> Failure {
    let mut failure = Failure::refused("interrupted; nothing was changed");
    failure.status = Status::Program(INTERRUPTED);
    failure
}

/// From the first question on, a signal that ends this process gives the terminal back as it was.
fn leave_no_trace() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| signals::before_dying(hidden::restore_terminal));
}
