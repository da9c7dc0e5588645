//! The members of a zip file (PKWARE APPNOTE 6.3.10), one after the other as they stand in it: workbooks, packages, documents. Nothing is written.

use std::io::{self, BufRead, Read};

use flate2::bufread::DeflateDecoder;

/// What a member begins with (§4.3.7).
const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";
/// The rest of that header.
const HEADER: usize = 26;
/// The sizes stand behind the data (§4.4.4, bit 3).
const SIZES_BEHIND: u16 = 1 << 3;
/// The data is encrypted (bit 0).
const ENCRYPTED: u16 = 1;
/// The longest descriptor behind the data (§4.3.9), with its signature.
const LONGEST_DESCRIPTOR: usize = 24;

/// Hands every member that can be opened to a function, with its name.
///
/// # Errors
///
/// What reading fails with, and [`io::ErrorKind::InvalidData`] where a member cannot be opened and its end is therefore unknown.
pub(crate) fn members(source: &mut dyn BufRead, take: &mut dyn FnMut(String, &mut dyn Read) -> io::Result<()>) -> io::Result<()> {
    let mut signature = [0; 4];
    source.read_exact(&mut signature)?;
    while signature == LOCAL_HEADER {
        let header = Header::read(source)?;
        match (header.method, header.size) {
            (_, Some(size)) if header.is_encrypted => {
                io::copy(&mut source.take(size), &mut io::sink())?;
            }
            (8, _) => take(header.name, &mut DeflateDecoder::new(&mut *source))?,
            (0, Some(size)) => take(header.name, &mut source.take(size))?,
            (_, Some(size)) => {
                io::copy(&mut source.take(size), &mut io::sink())?;
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
        signature = match header.size {
            Some(_) => next_four(source)?,
            None => past_descriptor(source)?,
        };
    }
    Ok(())
}

struct Header {
    name: String,
    method: u16,
    /// In the file, where it is known before.
    size: Option<u64>,
    is_encrypted: bool,
}

impl Header {
    fn read(source: &mut dyn BufRead) -> io::Result<Self> {
        let mut bytes = [0; HEADER];
        source.read_exact(&mut bytes)?;
        let two = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let (flags, method) = (two(2), two(4));
        let size = u64::from(u32::from_le_bytes([bytes[14], bytes[15], bytes[16], bytes[17]]));
        let mut name = vec![0; usize::from(two(22))];
        source.read_exact(&mut name)?;
        let mut extra = vec![0; usize::from(two(24))];
        source.read_exact(&mut extra)?;
        let size = match size {
            0xffff_ffff => long_size(&extra).ok_or(io::ErrorKind::InvalidData)?,
            size => size,
        };
        Ok(Self {
            name: String::from_utf8_lossy(&name).into_owned(),
            method,
            size: (flags & SIZES_BEHIND == 0).then_some(size),
            is_encrypted: flags & ENCRYPTED != 0,
        })
    }
}

/// The packed size in the extra field of ZIP64 (§4.5.3), behind the unpacked one.
fn long_size(mut extra: &[u8]) -> Option<u64> {
    loop {
        let (head, rest) = extra.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let field = rest.get(..length)?;
        if head[..2] == [1, 0] {
            return field.get(8..16)?.try_into().ok().map(u64::from_le_bytes);
        }
        extra = &rest[length..];
    }
}

/// The next signature; nothing more is the end of a file that was cut off.
fn next_four(source: &mut dyn BufRead) -> io::Result<[u8; 4]> {
    let mut signature = [0; 4];
    source.read_exact(&mut signature)?;
    Ok(signature)
}

/// The signature behind a descriptor, which has one of four lengths: it is read until the next member or the directory begins.
fn past_descriptor(source: &mut dyn BufRead) -> io::Result<[u8; 4]> {
    let mut last = next_four(source)?;
    for _ in 0..=LONGEST_DESCRIPTOR {
        if last == LOCAL_HEADER || last == *b"PK\x01\x02" {
            return Ok(last);
        }
        let mut byte = [0];
        source.read_exact(&mut byte)?;
        last = [last[1], last[2], last[3], byte[0]];
    }
    Err(io::ErrorKind::InvalidData.into())
}
