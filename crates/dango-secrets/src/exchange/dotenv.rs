//! `.env` text made of lines that the caller's writer spells; the rules of spelling are not here.

use dango_core::SecretValue;
use zeroize::Zeroizing;

use super::export::{check_variables, join_lines};
use super::{ExportError, Format, Reason, Variable};

/// Gives the whole line for a name and a value, without the line feed at its end, or the reason why
/// no spelling is read back exactly.
pub type Spell<'a> = dyn Fn(&str, &SecretValue) -> Result<Zeroizing<String>, String> + 'a;

/// Writes a `.env` file, each line as `spell` spells it.
///
/// # Errors
///
/// [`ExportError`] with every credential that has no spelling or no name of its own.
pub fn write_dotenv(variables: &[Variable], spell: &Spell<'_>) -> Result<Zeroizing<String>, ExportError> {
    let mut lines = Vec::with_capacity(variables.len());
    check_variables(Format::Dotenv, variables, |variable| match spell(&variable.name, &variable.value) {
        Ok(line) => {
            lines.push(line);
            None
        }
        Err(reason) => Some(Reason::Spelling(reason)),
    })?;
    Ok(join_lines(&lines))
}
