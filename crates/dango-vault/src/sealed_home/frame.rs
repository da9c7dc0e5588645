//! What a row says once it is open: the file, or that there is none, and whether it is coming or going. One byte in front tells.

use dango_secrets::home::{HomeError, Row, SharedFile};
use zeroize::Zeroizing;

use super::place;

/// A row and what it says.
pub(super) struct Opened {
    pub(super) row: Row,
    pub(super) frame: Frame,
}

/// What a row says.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Frame {
    /// The file, `None` where there is none.
    File(Phase, Option<Zeroizing<Vec<u8>>>),
    /// The project was moved to files again; where they are, for people.
    Moved(String),
}

/// Whether the file of a row is the one that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is.
    Live,
    /// Not yet: it is being moved here.
    Arriving,
    /// It is, and nobody changes it any more: it is being moved to files.
    Leaving,
}

const PHASES: [Phase; 3] = [Phase::Live, Phase::Arriving, Phase::Leaving];
/// What stands in front: twice the place of the phase, and one more where there is a file.
const MOVED: u8 = 6;

impl Frame {
    pub(super) fn parse(mut plain: Zeroizing<Vec<u8>>) -> Option<Self> {
        let (&first, rest) = plain.split_first()?;
        if first == MOVED {
            return Some(Self::Moved(std::str::from_utf8(rest).ok()?.to_owned()));
        }
        let phase = *PHASES.get(usize::from(first / 2))?;
        match (first % 2, rest) {
            (0, []) => Some(Self::File(phase, None)),
            (1, _) => {
                plain.drain(..1);
                Some(Self::File(phase, Some(plain)))
            }
            _ => None,
        }
    }

    pub(super) fn to_plain(&self) -> Zeroizing<Vec<u8>> {
        let (first, rest): (u8, &[u8]) = match self {
            Self::File(phase, bytes) => (
                phase.place() * 2 + u8::from(bytes.is_some()),
                bytes.as_ref().map_or(&[], |bytes| bytes.as_slice()),
            ),
            Self::Moved(whereto) => (MOVED, whereto.as_bytes()),
        };
        // Large enough never to grow: a buffer that grows leaves a copy behind.
        let mut plain = Zeroizing::new(Vec::with_capacity(rest.len() + 1));
        plain.push(first);
        plain.extend_from_slice(rest);
        plain
    }

    /// The file that may be read.
    pub(super) fn readable(self, file: SharedFile) -> Result<Option<Zeroizing<Vec<u8>>>, HomeError> {
        match self {
            Self::File(Phase::Live | Phase::Leaving, bytes) => Ok(bytes),
            Self::File(Phase::Arriving, _) => Err(HomeError::Moving { place: place(file) }),
            Self::Moved(whereto) => Err(moved(file, whereto)),
        }
    }

    /// The file that may be changed.
    pub(super) fn changeable(&self, file: SharedFile) -> Result<Option<&[u8]>, HomeError> {
        match self {
            Self::File(Phase::Live, bytes) => Ok(bytes.as_ref().map(|bytes| bytes.as_slice())),
            Self::File(Phase::Arriving | Phase::Leaving, _) => Err(HomeError::Moving { place: place(file) }),
            Self::Moved(whereto) => Err(moved(file, whereto.clone())),
        }
    }
}

impl Phase {
    const fn place(self) -> u8 {
        match self {
            Self::Live => 0,
            Self::Arriving => 1,
            Self::Leaving => 2,
        }
    }
}

fn moved(file: SharedFile, whereto: String) -> HomeError {
    HomeError::Moved {
        place: place(file),
        whereto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(bytes.to_vec())
    }

    #[test]
    fn what_is_written_is_read_and_anything_else_is_refused() {
        for phase in PHASES {
            for file in [None, Some(bytes(b"")), Some(bytes(b"\0\x01\xff"))] {
                let frame = Frame::File(phase, file);
                assert!(Frame::parse(frame.to_plain()) == Some(frame));
            }
        }
        let moved = Frame::Moved("in files".to_owned());
        assert!(Frame::parse(moved.to_plain()) == Some(moved));
        for malformed in [&b""[..], b"\0x", b"\x02x", b"\x07", b"\xff", b"\x06\xff"] {
            assert!(Frame::parse(bytes(malformed)).is_none());
        }
    }

    #[test]
    fn only_what_counts_is_read_and_only_what_stays_is_changed() {
        let may = |frame: Frame| {
            let changeable = frame.changeable(SharedFile::Env).map(|bytes| bytes.is_some());
            let readable = frame.clone().readable(SharedFile::Env).map(|bytes| bytes.is_some());
            [readable, changeable].map(|result| result.map_err(|error| error.code()))
        };
        assert_eq!(may(Frame::File(Phase::Live, Some(bytes(b"")))), [Ok(true), Ok(true)]);
        assert_eq!(may(Frame::File(Phase::Live, None)), [Ok(false), Ok(false)]);
        assert_eq!(may(Frame::File(Phase::Arriving, None)), [Err("home_moving"); 2]);
        assert_eq!(may(Frame::File(Phase::Leaving, None)), [Ok(false), Err("home_moving")]);
        assert_eq!(may(Frame::Moved(String::new())), [Err("home_moved"); 2]);
    }
}
