//! Where a secret comes in: a hidden prompt, standard input, a file or a variable; never the argument list.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use dango_core::SecretValue;
use zeroize::Zeroizing;

use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;
use crate::prompt;

/// The largest secret that is taken, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Where the secret is read from, if not from the prompt or standard input.
#[derive(Args, Clone, Debug)]
pub(crate) struct SecretInput {
    /// Read the value from a file
    #[arg(long, value_name = "FILE", conflicts_with = "from_env")]
    from_file: Option<PathBuf>,
    /// Read the value from an environment variable
    #[arg(long, value_name = "VAR")]
    from_env: Option<String>,
    /// Keep the line feed at the end of what is read
    #[arg(long)]
    raw: bool,
}

impl SecretInput {
    /// Reads the secret that takes the place of another; `what` names it.
    ///
    /// A standard input that ends at once, as that of a failed command does, replaces no value unless that is confirmed.
    pub(crate) fn read_over(&self, what: &str, is_stored: bool, global: &Global, output: &mut Output<'_>) -> Result<SecretValue, Failure> {
        self.read_over_if(what, || Ok(is_stored), global, output)
    }

    /// The same where it is found out only if need be whether something is stored.
    pub(crate) fn read_over_if(
        &self,
        what: &str,
        is_stored: impl FnOnce() -> Result<bool, Failure>,
        global: &Global,
        output: &mut Output<'_>,
    ) -> Result<SecretValue, Failure> {
        let secret = self.read(what, output)?;
        let from_input = self.from_file.is_none() && self.from_env.is_none() && !output.host.terminal.input;
        // With a line feed the empty text was meant; without one nothing came at all.
        if from_input && secret.expose().is_empty() && !output.saw_input && is_stored()? {
            prompt::confirm(
                &format!("nothing came on standard input: replace the stored value of {what} by an empty one?"),
                global.yes,
                output,
            )?;
        }
        Ok(secret)
    }

    /// Whether an option says where it comes from.
    pub(crate) fn is_given(&self) -> bool {
        self.from_file.is_some() || self.from_env.is_some()
    }

    /// Whether what is read is taken as it is.
    pub(crate) const fn is_raw(&self) -> bool {
        self.raw
    }

    /// Reads the secret; `what` names it in a prompt.
    pub(crate) fn read(&self, what: &str, output: &mut Output<'_>) -> Result<SecretValue, Failure> {
        if let Some(name) = &self.from_env {
            return from_variable(name, output);
        }
        let bytes = match &self.from_file {
            Some(path) => {
                let path = output.host.directory.join(path);
                let cannot = |error: std::io::Error| Failure::refused(format!("cannot read {}: {error}", path.display()));
                // Not through `storage`: a pipe (`<(command)`) may stand here, which is no file to be kept.
                limited(File::open(&path).map_err(cannot)?, &path.display().to_string())?
            }
            None if output.host.terminal.input => return prompt::secret(what),
            None => {
                let bytes = standard_input(output)?;
                output.saw_input = !bytes.is_empty();
                bytes
            }
        };
        let secret = secret(bytes, self.raw)?;
        if secret.expose().is_empty() {
            output.warn(format!("the value of {what} is empty"));
        }
        Ok(secret)
    }
}

fn from_variable(name: &str, output: &Output<'_>) -> Result<SecretValue, Failure> {
    let value = output.host.environment.get(OsStr::new(name));
    let value = value.ok_or_else(|| Failure::refused("the variable named by --from-env is not set in the environment"))?;
    SecretValue::from_utf8(value.as_encoded_bytes().to_vec()).map_err(|error| Failure::caused_by(&error))
}

fn standard_input(output: &mut Output<'_>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    limited(&mut output.host.stdin, "standard input")
}

/// All of standard input, for a command that takes several secrets from it.
pub(crate) fn standard_input_text(output: &mut Output<'_>) -> Result<SecretValue, Failure> {
    secret(standard_input(output)?, true)
}

fn limited(source: impl Read, name: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    // Room for every usual secret, so that growing leaves no copies of it in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
    let read = source.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::refused(format!("cannot read {name}: {error}")))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::refused(format!("the value in {name} is larger than {LARGEST} bytes")));
    }
    Ok(bytes)
}

fn secret(mut bytes: Zeroizing<Vec<u8>>, raw: bool) -> Result<SecretValue, Failure> {
    if !raw && bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    SecretValue::from_utf8(std::mem::take(&mut *bytes)).map_err(|error| Failure::caused_by(&error))
}
