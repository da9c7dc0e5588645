//! Variables for the later steps of a GitHub Actions job, and the masks for its log.

use dango_core::{Entropy, EntropyError, SecretValue};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::export::{SHELL_NAME, check_variables, is_shell_name, join_lines};
use super::import::decode;
use super::{Format, GithubExportError, Import, ImportError, ImportProblem, Place, Reason, Variable};
use crate::redact::is_maskable;

/// Random bytes in a delimiter: nobody can write a value that ends early.
const DELIMITER_BYTES: usize = 16;

/// Writes what a step appends to the file `$GITHUB_ENV`: `NAME<<delimiter`, the value, the delimiter.
///
/// Print [`github_masks`] first, or the values may show up in the job's log.
///
/// # Errors
///
/// [`GithubExportError::Refused`] with every credential whose variable the runner would refuse or ignore;
/// [`GithubExportError::Entropy`] without randomness.
///
/// # Security
///
/// A value that held its delimiter could set any variable, `PATH` for one. Each value gets a
/// delimiter of 128 random bits, which is made again should it occur in the value.
pub fn write_github(variables: &[Variable], entropy: &dyn Entropy) -> Result<Zeroizing<String>, GithubExportError> {
    check_variables(Format::Github, variables, |variable| {
        let upper = variable.name.to_ascii_uppercase();
        if !is_shell_name(&variable.name) {
            Some(Reason::Name(SHELL_NAME))
        } else if upper.starts_with("GITHUB_") || upper.starts_with("RUNNER_") || upper == "NODE_OPTIONS" {
            Some(Reason::ReservedName("the runner"))
        } else {
            None
        }
    })?;
    let mut lines = Vec::with_capacity(variables.len() * 3);
    for variable in variables {
        let delimiter = make_delimiter(&variable.value, entropy)?;
        lines.push(Zeroizing::new(format!("{}<<{delimiter}", variable.name)));
        lines.push(Zeroizing::new(variable.value.expose().to_owned()));
        lines.push(Zeroizing::new(delimiter));
    }
    Ok(join_lines(&lines))
}

fn make_delimiter(value: &SecretValue, entropy: &dyn Entropy) -> Result<String, GithubExportError> {
    // Even one repetition says that the source is no source of randomness.
    for _ in 0..4 {
        let mut bytes = [0; DELIMITER_BYTES];
        entropy.fill(&mut bytes)?;
        let delimiter = format!("dango_{}", HEXLOWER.encode(&bytes));
        if !value.expose().contains(&delimiter) {
            return Ok(delimiter);
        }
    }
    Err(EntropyError.into())
}

/// Reads what steps append to `$GITHUB_ENV`: `NAME=value` lines, and `NAME<<delimiter` with the lines down to the delimiter.
///
/// # Errors
///
/// [`ImportError`] with the line, also for a delimiter that never comes.
pub fn parse_github(bytes: &[u8]) -> Result<Import, ImportError> {
    let mut variables = Vec::new();
    let mut lines = decode(bytes)?
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .enumerate();
    while let Some((index, line)) = lines.next() {
        let error = |problem| ImportError::new(Place::Line(index + 1), problem);
        if line.is_empty() {
            continue;
        }
        let equals = line.split_once('=');
        let (name, value) = match line.split_once("<<") {
            // Whichever comes first decides, as for the runner.
            Some((name, delimiter)) if equals.is_none_or(|(before, _)| before.len() > name.len()) => {
                let mut value = Zeroizing::new(String::new());
                let mut is_first = true;
                loop {
                    match lines.next() {
                        None => return Err(error(ImportProblem::UnclosedQuote)),
                        Some((_, line)) if line == delimiter => break,
                        Some((_, line)) => {
                            value.push_str(if is_first { "" } else { "\n" });
                            value.push_str(line);
                            is_first = false;
                        }
                    }
                }
                (name, std::mem::take(&mut *value))
            }
            _ => {
                let (name, value) = equals.ok_or_else(|| error(ImportProblem::NoValue))?;
                (name, value.to_owned())
            }
        };
        if !is_shell_name(name) {
            return Err(error(ImportProblem::Name));
        }
        let value = SecretValue::new(value).map_err(|_| error(ImportProblem::Nul))?;
        variables.push((name.to_owned(), value));
    }
    Import::from_variables(variables)
}

/// Writes the `::add-mask::` workflow commands that keep the values out of a job's log.
///
/// The runner takes them from a step's output, so they belong on standard output or standard
/// error, before anything else, and nowhere but in GitHub Actions. Each value gets one, and each
/// line of a multi-line value, because the log is masked line by line; values that are not
/// [`is_maskable`] get none.
pub fn github_masks(variables: &[Variable]) -> Zeroizing<String> {
    let mut lines = Vec::new();
    for value in variables.iter().map(|variable| &variable.value).filter(|value| is_maskable(value)) {
        let text = value.expose();
        lines.push(mask_command(text));
        if text.trim_end().contains(['\n', '\r']) {
            let parts = text.split(['\n', '\r']).filter_map(|line| SecretValue::new(line.to_owned()).ok());
            lines.extend(parts.filter(is_maskable).map(|line| mask_command(line.expose())));
        }
    }
    join_lines(&lines)
}

fn mask_command(text: &str) -> Zeroizing<String> {
    let mut line = Zeroizing::new(String::with_capacity("::add-mask::".len() + text.len() * 3));
    line.push_str("::add-mask::");
    for c in text.chars() {
        match c {
            '%' => line.push_str("%25"),
            '\r' => line.push_str("%0D"),
            '\n' => line.push_str("%0A"),
            c => line.push(c),
        }
    }
    line
}
