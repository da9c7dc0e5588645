//! The contents of objects, one after the other from one running `git cat-file`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::program::{GitError, Program, not_started};

/// How many objects are asked for at once: their names fit into a pipe, so neither side waits for the other.
const AT_ONCE: usize = 256;

/// An object's name: the hexadecimal digits of SHA-1 or SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Oid(Box<str>);

impl Oid {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let is_oid = matches!(text.len(), 40 | 64) && text.iter().all(u8::is_ascii_hexdigit);
        is_oid.then(|| Self(String::from_utf8_lossy(text).into()))
    }

    /// The name of no object at all.
    pub(super) fn is_null(&self) -> bool {
        self.0.bytes().all(|byte| byte == b'0')
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A running `git cat-file --batch`.
pub(super) struct Objects {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Objects {
    pub(super) fn open(program: &Program) -> Result<Self, GitError> {
        let mut child = program
            .command(&["cat-file", "--batch=%(objectname) %(objectsize)"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(not_started)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(GitError::Answer("it has no input or output"));
        };
        Ok(Self {
            child,
            input: Some(input),
            output: BufReader::with_capacity(128 * 1024, output),
        })
    }

    /// The one that a thread keeps, started where it is none yet.
    pub(super) fn kept<'k>(kept: &'k mut Option<Self>, program: &Program) -> Result<&'k mut Self, GitError> {
        match kept {
            Some(running) => Ok(running),
            none => Ok(none.insert(Self::open(program)?)),
        }
    }

    /// Hands the content of each object to a function, in the order of their names. One that git does not have is an error.
    pub(super) fn read<'o>(
        &mut self,
        oids: &[&'o Oid],
        mut take: impl FnMut(&'o Oid, &mut dyn Read) -> io::Result<()>,
    ) -> Result<(), GitError> {
        for some in oids.chunks(AT_ONCE) {
            let mut asked = String::with_capacity(some.len() * 65);
            for oid in some {
                asked.push_str(oid.as_str());
                asked.push('\n');
            }
            let input = self.input.as_mut().ok_or(GitError::Answer("its input is closed"))?;
            input.write_all(asked.as_bytes()).map_err(|_| DIED)?;
            for oid in some {
                let size = self.size()?;
                let mut content = (&mut self.output).take(size);
                take(oid, &mut content)?;
                // Content and the line feed behind it, however much of it was read.
                let rest = content.limit();
                let skipped = io::copy(&mut (&mut self.output).take(rest + 1), &mut io::sink())?;
                if skipped != rest + 1 {
                    return Err(DIED);
                }
            }
        }
        Ok(())
    }

    fn size(&mut self) -> Result<u64, GitError> {
        let mut line = Vec::new();
        (&mut self.output).take(256).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Err(DIED);
        }
        let size = line.trim_ascii_end().rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        let size = std::str::from_utf8(size).ok().and_then(|size| size.parse().ok());
        size.ok_or(GitError::Answer("an object is missing or damaged; `git fsck` says more"))
    }
}

/// It ends without a word where an object cannot be unpacked.
const DIED: GitError = GitError::Answer("it ended before it had answered: an object is damaged; `git fsck` says more");

impl Drop for Objects {
    fn drop(&mut self) {
        // Without input it ends; one that does not, because its output was not read to the end, is ended.
        self.input = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
