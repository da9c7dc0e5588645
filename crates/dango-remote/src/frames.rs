//! The server's answers out of a stream: lines that begin with the session's mark, and contents of a told length. What they mean is in `session`.

use std::io::Read;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use zeroize::Zeroizing;

/// How much a login may print before the script answers: a message of the day, a warning.
const MOST_NOISE: usize = 1 << 20;
/// The longest line of an answer.
const LONGEST_LINE: usize = 64 * 1024;
/// How long a server that has answered once may be silent. It waits up to 30 s for a lock.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long a login may take, passphrases and questions included. A server itself gives up after two minutes (`LoginGraceTime`), and so may a jump
/// host before it.
const PATIENCE_AT_LOGIN: Duration = Duration::from_secs(300);

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The stream has ended.
    Ended,
    /// Nothing came for too long.
    Silent,
    /// What came is no answer.
    Garbled,
}

/// The stream of answers of one session.
pub(crate) struct Frames {
    chunks: Receiver<Zeroizing<Vec<u8>>>,
    buffer: Zeroizing<Vec<u8>>,
    at: usize,
    mark: String,
}

impl Frames {
    /// Reads a stream on a thread of its own, so that silence can be told from an answer.
    pub(crate) fn new(mut source: impl Read + Send + 'static, mark: &str) -> Self {
        let (sender, chunks) = mpsc::sync_channel(4);
        std::thread::spawn(move || {
            loop {
                let mut chunk = Zeroizing::new(vec![0; 64 * 1024]);
                match source.read(&mut chunk) {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Ok(0) | Err(_) => return,
                    Ok(length) => {
                        chunk.truncate(length);
                        if sender.send(chunk).is_err() {
                            return;
                        }
                    }
                }
            }
        });
        Self {
            chunks,
            buffer: Zeroizing::new(Vec::new()),
            at: 0,
            mark: mark.to_owned(),
        }
    }

    /// Waits for the script's first line. What a login prints before it is skipped.
    pub(crate) fn hello(&mut self) -> Result<(), NoAnswer> {
        let mut skipped = 0;
        loop {
            let line = self.line(PATIENCE_AT_LOGIN)?;
            if self.words_of(&line).is_some_and(|words| words == "hello") {
                return Ok(());
            }
            skipped += line.len() + 1;
            if skipped > MOST_NOISE {
                return Err(NoAnswer::Garbled);
            }
        }
    }

    /// The next answer, without the mark.
    pub(crate) fn answer(&mut self) -> Result<String, NoAnswer> {
        let line = self.line(PATIENCE)?;
        self.words_of(&line).map(str::to_owned).ok_or(NoAnswer::Garbled)
    }

    /// Contents of a told length, and the answer on the line below them.
    pub(crate) fn contents(&mut self, length: usize) -> Result<(Zeroizing<Vec<u8>>, String), NoAnswer> {
        let mut contents = Zeroizing::new(Vec::with_capacity(length));
        while contents.len() < length {
            if self.at == self.buffer.len() {
                self.fill(PATIENCE)?;
            }
            let end = self.buffer.len().min(self.at + length - contents.len());
            contents.extend_from_slice(&self.buffer[self.at..end]);
            self.at = end;
            if contents.len() < length && self.has_overrun(&contents) {
                return Err(NoAnswer::Garbled);
            }
        }
        match self.line(PATIENCE)?.is_empty() {
            true => Ok((contents, self.answer()?)),
            false => Err(NoAnswer::Garbled),
        }
    }

    /// The lines up to one that is the answer `end`.
    pub(crate) fn text(&mut self) -> Result<Zeroizing<String>, NoAnswer> {
        let mut text = Zeroizing::new(String::new());
        let mut seen = 0;
        loop {
            let line = self.line(PATIENCE)?;
            if self.words_of(&line) == Some("end") {
                return Ok(text);
            }
            seen += line.len() + 1;
            if seen > MOST_NOISE {
                return Err(NoAnswer::Garbled);
            }
            if text.len() < LONGEST_LINE {
                text.push_str(&String::from_utf8_lossy(&line));
                text.push('\n');
            }
        }
    }

    /// Whether the answer below the contents is among them already: they were shorter than was told. No file holds the mark.
    fn has_overrun(&self, contents: &[u8]) -> bool {
        let tail = &contents[contents.len().saturating_sub(4 * self.mark.len() + 256)..];
        tail.ends_with(b"\n") && tail.windows(self.mark.len()).any(|window| window == self.mark.as_bytes())
    }

    fn words_of<'l>(&self, line: &'l [u8]) -> Option<&'l str> {
        let words = std::str::from_utf8(line).ok()?.strip_prefix(self.mark.as_str())?;
        words.strip_prefix(' ')
    }

    fn line(&mut self, patience: Duration) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        let mut line = Zeroizing::new(Vec::new());
        loop {
            let rest = &self.buffer[self.at..];
            if let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
                line.extend_from_slice(&rest[..length]);
                self.at += length + 1;
                return Ok(line);
            }
            line.extend_from_slice(rest);
            self.at = self.buffer.len();
            if line.len() > LONGEST_LINE {
                return Err(NoAnswer::Garbled);
            }
            self.fill(patience)?;
        }
    }

    fn fill(&mut self, patience: Duration) -> Result<(), NoAnswer> {
        self.buffer = self.chunks.recv_timeout(patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => NoAnswer::Silent,
            RecvTimeoutError::Disconnected => NoAnswer::Ended,
        })?;
        self.at = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes one by one, as a slow network does.
    struct Slowly(&'static [u8]);

    impl Read for Slowly {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    const MARK: &str = "0123456789abcdef";

    #[test]
    fn contents_may_look_like_answers_of_another_session() {
        let stream = b"Welcome\nno newline here\n0123456789abcdef hello\n0123456789abcdef file 12\n0 read x\nabc\
            \n0123456789abcdef read y\n0123456789abcdef done\n";
        let stream: &'static [u8] = stream;
        for mut frames in [Frames::new(stream, MARK), Frames::new(Slowly(stream), MARK)] {
            frames.hello().expect("it is there");
            assert_eq!(frames.answer().expect("it is there"), "file 12");
            let (contents, answer) = frames.contents(12).expect("it is there");
            assert_eq!((contents.as_slice(), answer.as_str()), (&b"0 read x\nabc"[..], "read y"));
            assert_eq!(frames.answer().expect("it is there"), "done");
            assert_eq!(frames.answer(), Err(NoAnswer::Ended));
        }
    }

    #[test]
    fn contents_that_were_cut_are_no_contents() {
        let mut frames = Frames::new(&b"0123456789abcdef hello\nabc"[..], MARK);
        frames.hello().expect("it is there");
        assert_eq!(frames.contents(12).err(), Some(NoAnswer::Ended));
        let mut frames = Frames::new(&b"0123456789abcdef hello\nabcdef\n0123456789abcdef read x\n"[..], MARK);
        frames.hello().expect("it is there");
        assert_eq!(frames.contents(3).err(), Some(NoAnswer::Garbled));
    }

    #[test]
    fn a_file_that_shrank_while_it_was_read_is_noticed_at_once() {
        struct Stalls(&'static [u8]);
        impl Read for Stalls {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                if self.0.is_empty() {
                    loop {
                        std::thread::park();
                    }
                }
                self.0.read(buffer)
            }
        }
        let mut frames = Frames::new(Stalls(b"0123456789abcdef hello\nab\n0123456789abcdef read x\n"), MARK);
        frames.hello().expect("it is there");
        assert_eq!(frames.contents(1000).err(), Some(NoAnswer::Garbled));
    }

    #[test]
    fn a_program_that_prints_without_end_is_given_up() {
        let mut frames = Frames::new((&b"m hello\nm dango 0\n"[..]).chain(std::io::repeat(b'\n')), "m");
        frames.hello().expect("it is there");
        assert_eq!(frames.answer().expect("it is there"), "dango 0");
        assert_eq!(frames.text().err(), Some(NoAnswer::Garbled));
    }

    #[test]
    fn a_login_that_prints_without_end_is_given_up() {
        let mut frames = Frames::new(std::io::repeat(b'\n'), "m");
        assert_eq!(frames.hello(), Err(NoAnswer::Garbled));
        let mut frames = Frames::new(std::io::repeat(b'x'), "m");
        assert_eq!(frames.hello(), Err(NoAnswer::Garbled));
    }
}
