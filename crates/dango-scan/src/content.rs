//! What a file holds as texts to search: itself, UTF-16 as UTF-8, and what is packed in it. Where files come from is elsewhere.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use crate::archive;
use crate::scanner::{Hits, Scanner, Scratch, Sought};

/// How deep packed files are opened.
const DEPTH: usize = 3;
/// How much is unpacked of one file in all, in bytes.
const MOST_UNPACKED: u64 = 1 << 30;
/// How much is read ahead.
const AHEAD: usize = 64 * 1024;
const NOT_TO_ITS_END: &str = "it is packed in a way that could not be opened to its end";

/// The hits in one text of a file.
pub(crate) struct Part {
    /// The name within a packed file.
    pub(crate) within: Option<String>,
    pub(crate) hits: Hits,
}

/// All hits of a file.
#[derive(Default)]
pub(crate) struct Searched {
    pub(crate) parts: Vec<Part>,
    /// Why something in it was not searched.
    pub(crate) unsearched: Option<&'static str>,
    /// Bytes that were searched, unpacked ones included.
    pub(crate) bytes: u64,
}

/// Searches a file's content, from its first byte to its last.
///
/// # Errors
///
/// What reading fails with. Packed data that is damaged is searched as it is.
pub(crate) fn search(scanner: &Scanner, source: impl Read, sought: Sought, scratch: &mut Scratch) -> io::Result<Searched> {
    let mut search = Search {
        scanner,
        sought,
        scratch,
        room: MOST_UNPACKED,
        searched: Searched::default(),
    };
    search.content(&mut BufReader::with_capacity(AHEAD, source), None, DEPTH)?;
    Ok(search.searched)
}

pub(crate) struct Search<'s> {
    scanner: &'s Scanner,
    sought: Sought,
    scratch: &'s mut Scratch,
    /// How much may still be unpacked.
    room: u64,
    searched: Searched,
}

impl Search<'_> {
    /// Searches one content, and what is packed in it.
    pub(crate) fn content(&mut self, source: &mut dyn BufRead, within: Option<String>, depth: usize) -> io::Result<()> {
        let head = source.fill_buf()?;
        match head {
            [0x1f, 0x8b, 8, ..] if depth > 0 => {
                let mut room = Rationed::new(MultiGzDecoder::new(source), self.room);
                self.content(&mut BufReader::with_capacity(AHEAD, &mut room), within, depth - 1)?;
                self.settle(&room);
                Ok(())
            }
            [b'P', b'K', 3, 4, ..] if depth > 0 => {
                let unpacked = archive::members(source, &mut |name, member| {
                    let within = Some(match &within {
                        Some(outer) => format!("{outer}!{name}"),
                        None => name,
                    });
                    let mut room = Rationed::new(member, self.room);
                    self.content(&mut BufReader::with_capacity(AHEAD, &mut room), within, depth - 1)?;
                    // What is left of a member has to be read past.
                    io::copy(&mut room, &mut io::sink())?;
                    self.settle(&room);
                    Ok(())
                });
                if unpacked.is_err() {
                    self.note(NOT_TO_ITS_END);
                }
                Ok(())
            }
            [0xff, 0xfe, ..] => self.text(Utf16::new(source, u16::from_le_bytes), within),
            [0xfe, 0xff, ..] => self.text(Utf16::new(source, u16::from_be_bytes), within),
            head if is_bare_utf16(head, 1) => self.text(Utf16::new(source, u16::from_le_bytes), within),
            head if is_bare_utf16(head, 0) => self.text(Utf16::new(source, u16::from_be_bytes), within),
            _ => self.text(source, within),
        }
    }

    fn text(&mut self, source: impl Read, within: Option<String>) -> io::Result<()> {
        let hits = self.scanner.search(source, self.sought, self.scratch)?;
        self.searched.bytes += hits.bytes;
        if hits.is_cut {
            self.note("more was found in it than is told");
        }
        if !hits.hits.is_empty() {
            self.searched.parts.push(Part { within, hits });
        }
        Ok(())
    }

    /// Takes what was unpacked off the ration, and notes where it did not come to an end.
    fn settle<R>(&mut self, room: &Rationed<R>) {
        self.room = room.left;
        match room.end {
            End::Exceeded => self.note("more is packed in it than is unpacked"),
            End::Damaged => self.note(NOT_TO_ITS_END),
            End::Own => {}
        }
    }

    fn note(&mut self, why: &'static str) {
        self.searched.unsearched.get_or_insert(why);
    }
}

/// UTF-16 without a mark, where it begins with ASCII: each second byte is NUL, the first (0) or the second (1) of each two, and the other is a character.
fn is_bare_utf16(head: &[u8], nul: usize) -> bool {
    const LEAST: usize = 16;
    const LOOKED_AT: usize = 64;
    let head = &head[..head.len().min(LOOKED_AT)];
    let is_character = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    head.len() >= LEAST && head.chunks_exact(2).all(|unit| unit[nul] == 0 && is_character(unit[1 - nul]))
}

/// Why unpacking ended.
#[derive(Clone, Copy)]
enum End {
    /// It came to its end, or has not ended yet.
    Own,
    Exceeded,
    Damaged,
}

/// A reader that ends when so much has come of it, and where its source is damaged: what came before is searched all the same.
struct Rationed<R> {
    source: R,
    left: u64,
    end: End,
}

impl<R> Rationed<R> {
    fn new(source: R, left: u64) -> Self {
        Self {
            source,
            left,
            end: End::Own,
        }
    }
}

impl<R: Read> Read for Rationed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            self.end = End::Exceeded;
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Ok(read) = self.source.read(&mut buffer[..most]) else {
            self.end = End::Damaged;
            return Ok(0);
        };
        self.left -= read as u64;
        Ok(read)
    }
}

/// UTF-16 with a byte order mark (RFC 2781 §3.2), as Windows programs write logs, read as UTF-8.
struct Utf16<R> {
    source: R,
    unit: fn([u8; 2]) -> u16,
    /// UTF-8 that was not taken yet.
    ready: Vec<u8>,
    taken: usize,
    /// A byte without its second one, and a surrogate without its second one.
    odd: Option<u8>,
    high: Option<u16>,
}

impl<R: Read> Utf16<R> {
    fn new(source: R, unit: fn([u8; 2]) -> u16) -> Self {
        Self {
            source,
            unit,
            ready: Vec::new(),
            taken: 0,
            odd: None,
            high: None,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut bytes = [0; 16 * 1024];
        let read = self.source.read(&mut bytes)?;
        self.ready.clear();
        self.taken = 0;
        let mut units: Vec<u16> = self.high.take().into_iter().collect();
        for byte in &bytes[..read] {
            match self.odd.take() {
                None => self.odd = Some(*byte),
                Some(first) => units.push((self.unit)([first, *byte])),
            }
        }
        if read > 0 {
            self.high = units.pop_if(|last| (0xd800..0xdc00).contains(last));
        }
        let text: String = char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .filter(|c| *c != '\u{feff}')
            .collect();
        self.ready.extend_from_slice(text.as_bytes());
        if read > 0 && self.ready.is_empty() { self.refill() } else { Ok(()) }
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() {
            self.refill()?;
        }
        let length = buffer.len().min(self.ready.len() - self.taken);
        buffer[..length].copy_from_slice(&self.ready[self.taken..self.taken + length]);
        self.taken += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
