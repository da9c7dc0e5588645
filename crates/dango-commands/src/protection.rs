//! `--encrypt` and `--plain`: whether what is stored is encrypted, whatever the file's habit.

use clap::Args;
use dango_vault::Protection;

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ProtectionOptions {
    /// Encrypt the value [default: where the value that it replaces, or all others of the file, are encrypted]
    #[arg(long, conflicts_with = "plain")]
    encrypt: bool,
    /// Keep the value in plain text
    #[arg(long)]
    plain: bool,
}

impl ProtectionOptions {
    pub(crate) fn protection(self) -> Protection {
        match (self.encrypt, self.plain) {
            (true, _) => Protection::Encrypt,
            (_, true) => Protection::Plain,
            _ => Protection::Habit,
        }
    }
}
