//! Files for `docker run --env-file`: `NAME=value` lines without quotes or escapes.

use dango_core::SecretValue;
use zeroize::Zeroizing;

use super::export::{check_variables, join_lines};
use super::import::decode;
use super::{ExportError, Format, Import, ImportError, ImportProblem, Place, Reason, Variable};

/// The longest line that docker reads, in bytes (Go's `bufio.Scanner` holds 64 KiB with the line feed).
const MAX_LINE: usize = 65_535;

/// Writes `NAME=value` lines.
///
/// Docker takes everything behind `=` as it stands, so no value changes, but there is no way to
/// write one with a line break.
///
/// # Errors
///
/// [`ExportError`] with every credential that docker would read differently or not at all.
pub fn write_docker(variables: &[Variable]) -> Result<Zeroizing<String>, ExportError> {
    check_variables(Format::Docker, variables, |variable| {
        let Variable { name, value, .. } = variable;
        if !is_docker_name(name) {
            Some(Reason::Name(
                "at least one character, and no white space, control character, `=` or `#` at the start",
            ))
        } else if value.expose().contains(['\n', '\r']) {
            Some(Reason::LineBreak)
        } else if name.len() + 1 + value.expose().len() > MAX_LINE {
            Some(Reason::TooLarge(MAX_LINE))
        } else {
            None
        }
    })?;
    let line = |variable: &Variable| {
        let value = variable.value.expose();
        let mut line = Zeroizing::new(String::with_capacity(variable.name.len() + value.len() + 1));
        line.push_str(&variable.name);
        line.push('=');
        line.push_str(value);
        line
    };
    let lines: Vec<_> = variables.iter().map(line).collect();
    Ok(join_lines(&lines))
}

/// Reads `NAME=value` lines as docker's `--env-file` does: nothing is unquoted, `#` begins a comment only at the start of a line.
///
/// # Errors
///
/// [`ImportError`] with the line, also for a name without `=`, whose value docker takes from its own environment.
pub fn parse_docker(bytes: &[u8]) -> Result<Import, ImportError> {
    let mut variables = Vec::new();
    for (index, line) in decode(bytes)?.split('\n').enumerate() {
        let error = |problem| ImportError::new(Place::Line(index + 1), problem);
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or_else(|| error(ImportProblem::NoValue))?;
        if !is_docker_name(name) {
            return Err(error(ImportProblem::Name));
        }
        let value = SecretValue::new(value.to_owned()).map_err(|_| error(ImportProblem::Nul))?;
        variables.push((name.to_owned(), value));
    }
    Import::from_variables(variables)
}

/// What docker's reader takes as a name and does not change.
fn is_docker_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(['#', '\u{feff}']) && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '=')
}
