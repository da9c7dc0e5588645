//! Makes `blocklist/common-passwords.fst` anew: lists of passwords, the commonest first, on standard input, the set on
//! standard output. `blocklist/README.md` has the command.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{self, BufRead, Write};

use fst::Set;
use unicode_normalization::UnicodeNormalization;

/// As many as keep the file below a megabyte.
const ENTRIES: usize = 160_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut entries = BTreeSet::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let folded: String = caseless::default_case_fold_str(line.trim_end_matches('\r')).nfc().collect();
        if folded.chars().count() >= 8 {
            entries.insert(folded);
        }
        if entries.len() == ENTRIES {
            break;
        }
    }
    let set = Set::from_iter(entries)?;
    io::stdout().write_all(set.as_fst().as_bytes())?;
    Ok(())
}
