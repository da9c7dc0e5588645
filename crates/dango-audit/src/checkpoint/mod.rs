//! Checkpoints: the size and root of the log in a signed text that is kept elsewhere (C2SP `tlog-checkpoint`). How notes are signed is beside.

mod note;

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;

use crate::chain::Head;
use crate::digest::Digest;

pub use note::{CheckpointKey, CheckpointVerifier, OpenCheckpointError, ParseVerifierError};

/// The name of a log, which is also that of the key that signs its checkpoints: 1 to 200 characters, such as
/// `dango.example.com/audit`, without white space, control characters and `+` (C2SP `signed-note`, "Format").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogName(String);

impl LogName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that cannot be the name of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a log: 1 to 200 characters without white space, control characters and `+`")]
pub struct ParseLogNameError;

impl FromStr for LogName {
    type Err = ParseLogNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| !c.is_whitespace() && !crate::words::is_dangerous(c) && c != '+';
        if text.is_empty() || text.chars().count() > 200 || !text.chars().all(allowed) {
            return Err(ParseLogNameError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many records a log had and what their Merkle root was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: LogName,
    size: u64,
    root: Digest,
}

impl Checkpoint {
    /// Makes the checkpoint of a head.
    pub fn of(origin: LogName, head: &Head) -> Self {
        Self {
            origin,
            size: head.frontier().size(),
            root: head.frontier().root(),
        }
    }

    /// The log's name.
    pub fn origin(&self) -> &LogName {
        &self.origin
    }

    /// How many records the log had, the pruned ones included; the place of the last one.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the Merkle tree over them.
    pub fn root(&self) -> &Digest {
        &self.root
    }

    /// Reads the text of a note. Extension lines are passed over: nothing here writes any.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let origin = lines.next()?.parse().ok()?;
        let size = lines.next()?;
        let canonical = size.bytes().all(|b| b.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
        let size = if canonical { size.parse().ok()? } else { return None };
        let root = Digest::from_slice(&BASE64.decode(lines.next()?.as_bytes()).ok()?)?;
        lines.all(|line| !line.is_empty()).then_some(Self { origin, size, root })
    }
}

/// Writes the text that is signed: three lines.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, BASE64.encode(self.root.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C2SP `tlog-checkpoint`, the example.
    const PUBLISHED: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_published_text_is_read_and_written_back() {
        let checkpoint = Checkpoint::parse(PUBLISHED).expect("is one");
        assert_eq!(
            (checkpoint.origin().as_str(), checkpoint.size()),
            ("example.com/behind-the-sofa", 20_852_163)
        );
        assert_eq!(checkpoint.to_string(), PUBLISHED);
        assert_eq!(Checkpoint::parse(&format!("{PUBLISHED}an extension\n")), Some(checkpoint));
    }

    #[test]
    fn texts_that_are_nearly_checkpoints_are_refused() {
        let wrong = [
            PUBLISHED.replace("20852163", "020852163"),
            PUBLISHED.replace("20852163", "+20852163"),
            PUBLISHED.replace("20852163", "99999999999999999999999"),
            PUBLISHED.replace("q2I=", "q2J="),
            PUBLISHED.replace("q2I=", "q2I"),
            PUBLISHED.replace("sofa", "so fa"),
            format!("{PUBLISHED}\n"),
            PUBLISHED.trim_end().to_owned(),
            String::new(),
            "\n".to_owned(),
        ];
        for text in wrong {
            assert_eq!(Checkpoint::parse(&text), None, "{text:?}");
        }
    }

    #[test]
    fn names_that_would_break_a_note_are_refused() {
        for bad in ["", "a b", "a+b", "a\nb", "a\u{a0}b", "\u{202e}", &"a".repeat(201)] {
            assert_eq!(bad.parse::<LogName>(), Err(ParseLogNameError), "{bad:?}");
        }
    }
}
