//! A passphrase that is to protect keys: typed twice on a terminal, else taken as any secret.

use dango_core::SecretValue;

use crate::failure::Failure;
use crate::input::SecretInput;
use crate::key_access::PASSPHRASE;
use crate::output::Output;
use crate::prompt;

/// Below this many characters a passphrase is warned about; NIST SP 800-63B-4 §3.1.1.2 asks 15 of a password that stands alone.
const SHORT: usize = 15;

/// Whether `DANGO_PASSPHRASE` may give it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable {
    /// It does where it is set, because it will unlock these keys, too.
    Taken,
    /// It unlocks other keys than these.
    LeftAlone,
}

/// A passphrase that is chosen now.
pub(super) fn choose(what: &str, input: &SecretInput, variable: Variable, output: &mut Output<'_>) -> Result<SecretValue, Failure> {
    let from_variable = (variable == Variable::Taken && !input.is_given())
        .then(|| output.host.variable(PASSPHRASE))
        .flatten();
    let passphrase = match from_variable {
        Some(text) => SecretValue::new(text.to_owned()).map_err(|error| Failure::caused_by(&error))?,
        None => {
            let passphrase = input.read(what, output)?;
            if !input.is_given() && output.host.terminal.input {
                let again = prompt::secret("the same again")?;
                if passphrase.expose() != again.expose() {
                    return Err(Failure::refused("the two passphrases are not the same; nothing was changed"));
                }
            }
            passphrase
        }
    };
    if passphrase.expose().is_empty() {
        return Err(Failure::refused("an empty passphrase protects nothing")
            .hint("give one on a terminal, on standard input, with `--from-file FILE` or `--from-env VAR`"));
    }
    if passphrase.expose().chars().count() < SHORT {
        output.warn(format!(
            "the passphrase is short: who has the file can try many; {SHORT} characters or more are safe"
        ));
    }
    Ok(passphrase)
}
