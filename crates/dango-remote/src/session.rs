//! One session with a server: `.env` was read, and may be replaced once, if it still is what was read. What goes in is not decided here.

use std::io::Write;

use dango_core::{SecretValue, VariableName};
use zeroize::Zeroizing;

use crate::digest::{Digest, DigestKind};
use crate::failure::{LinkError, ServerError, SessionError};
use crate::frames::NoAnswer;
use crate::process::Process;

/// The largest file, in bytes; the script has the same number.
const LARGEST: usize = 16 * 1024 * 1024;

/// A session in which `.env` was read.
pub struct Session {
    process: Process,
    kind: DigestKind,
    has_dango: bool,
    contents: Option<Zeroizing<Vec<u8>>>,
    digest: Digest,
    is_private: bool,
}

/// What became of a file that was to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Replaced {
    /// The new contents are there, durably.
    Done,
    /// Somebody else had changed the file since it was read; nothing was written.
    Changed,
}

/// How the `dango` on the server ended.
pub(crate) struct There {
    pub(crate) status: i32,
    pub(crate) said: Zeroizing<String>,
}

impl Session {
    /// Takes the script's account of the file.
    pub(crate) fn read(mut process: Process) -> Result<Self, SessionError> {
        let first = process.answers.answer();
        let first = given(&mut process, first)?;
        let words: Vec<&str> = first.split(' ').collect();
        let garbled = || SessionError::from(ServerError::Garbled);
        let (kind, tool, file) = match words.as_slice() {
            ["absent", kind, tool] => (kind, tool, None),
            ["file", kind, tool, mode, size] => (kind, tool, Some((mode, size))),
            _ => return Err(garbled()),
        };
        let kind = DigestKind::parse(kind).ok_or_else(garbled)?;
        let has_dango = *tool == "dango";
        let Some((mode, size)) = file else {
            return Ok(Self {
                process,
                kind,
                has_dango,
                contents: None,
                digest: Digest::absent(),
                is_private: true,
            });
        };
        let size = size.parse().ok().filter(|size| *size <= LARGEST).ok_or_else(garbled)?;
        let is_private = mode.get(4..10) == Some("------");
        let answer = process.answers.contents(size);
        let (contents, answer) = match answer {
            // A file that grew or shrank meanwhile: the lengths do not fit.
            Err(NoAnswer::Garbled) => return Err(ServerError::Torn.into()),
            answer => given(&mut process, answer)?,
        };
        let digest = Digest::told(answer.strip_prefix("read ").ok_or_else(garbled)?);
        if kind.of(&contents) != digest {
            return Err(ServerError::Torn.into());
        }
        Ok(Self {
            process,
            kind,
            has_dango,
            contents: Some(contents),
            digest,
            is_private,
        })
    }

    /// The file's bytes; `None` where there is no file.
    ///
    /// # Security
    ///
    /// They hold every secret of the file.
    pub fn contents(&self) -> Option<&[u8]> {
        self.contents.as_ref().map(|contents| contents.as_slice())
    }

    /// What tells this state of the file from any other.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Whether nobody but its owner may read the file.
    pub fn is_private(&self) -> bool {
        self.is_private
    }

    /// Whether there is a `dango` on the server, and the directory is a project of its.
    pub fn has_dango(&self) -> bool {
        self.has_dango
    }

    /// Ends the session; the file stays as it is.
    pub fn close(mut self) {
        self.process.end();
    }

    /// Puts new contents in the place of what was read, durably and in one step.
    ///
    /// # Errors
    ///
    /// [`SessionError`]: with `Link` and `Server` nothing was changed.
    pub fn replace(mut self, new: &[u8]) -> Result<Replaced, SessionError> {
        let (old, digest) = (self.digest.clone(), self.kind.of(new));
        self.process.send(|stdin| {
            stdin.write_all(format!("write {old} {digest}\n").as_bytes())?;
            stdin.write_all(new)
        });
        let answer = self.finished()?;
        match answer.as_str() {
            "done" => Ok(Replaced::Done),
            "changed" => Ok(Replaced::Changed),
            "not_durable" => Err(SessionError::NotDurable),
            _ => Err(ServerError::Garbled.into()),
        }
    }

    /// Lets the `dango` on the server set a variable, or remove it where there is no value.
    pub(crate) fn delegate(mut self, key: &VariableName, value: Option<&SecretValue>) -> Result<There, SessionError> {
        self.process.send(|stdin| match value {
            Some(value) => {
                stdin.write_all(format!("set {key}\n").as_bytes())?;
                stdin.write_all(value.expose().as_bytes())
            }
            None => stdin.write_all(format!("unset {key}\n").as_bytes()),
        });
        let answer = self.finished()?;
        let status = answer.strip_prefix("dango ").and_then(|status| status.parse().ok());
        let status = status.ok_or(ServerError::Garbled)?;
        let said = self.process.answers.text();
        let said = said.map_err(|no_answer| SessionError::OutcomeUnknown(lost(&mut self.process, no_answer)))?;
        self.process.end();
        Ok(There { status, said })
    }

    /// Closes the stream, which is what the script waits for, and takes its answer.
    fn finished(&mut self) -> Result<String, SessionError> {
        self.process.close();
        let mut answer = self.process.answers.answer();
        if answer.as_deref() == Ok("locked") {
            answer = self.process.answers.answer();
        }
        let answer = answer.map_err(|no_answer| SessionError::OutcomeUnknown(lost(&mut self.process, no_answer)))?;
        match answer.strip_prefix("fail ") {
            Some(words) => Err(ServerError::parse(words).into()),
            None => Ok(answer),
        }
    }
}

/// What was answered, or why nothing was, before anything was asked to change.
fn given<T: Answered>(process: &mut Process, answer: Result<T, NoAnswer>) -> Result<T, SessionError> {
    let answer = answer.map_err(|no_answer| SessionError::from(lost(process, no_answer)))?;
    match answer.words().strip_prefix("fail ") {
        Some(words) => Err(ServerError::parse(words).into()),
        None => Ok(answer),
    }
}

fn lost(process: &mut Process, no_answer: NoAnswer) -> LinkError {
    process.end().failure(no_answer, true)
}

/// An answer that may be a refusal.
trait Answered {
    fn words(&self) -> &str;
}

impl Answered for String {
    fn words(&self) -> &str {
        self
    }
}

impl Answered for (Zeroizing<Vec<u8>>, String) {
    fn words(&self) -> &str {
        &self.1
    }
}
