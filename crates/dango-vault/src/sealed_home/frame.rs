//! What a row says once it is open: the file, or that there is none, and whether it is coming or going. One byte in front tells.

use dango_secrets::home::{HomeError, MoveToken, Row, SharedFile};
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
    /// The project was moved to files again, by this move; where they are, for people.
    Moved(MoveToken, String),
}

/// Whether the file of a row is the one that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is.
    Live,
    /// Not yet: that move is bringing it here, and another one may put its own in the place.
    Arriving(MoveToken),
    /// Not yet: that move has everything here and is about to let it count, so no other one puts anything in the place.
    Settling(MoveToken),
    /// It is, and nobody changes it any more: that move is taking it to files.
    Leaving(MoveToken),
}

/// What stands in front: the place of the phase, and one more where there is a file.
const LIVE: u8 = 0;
const ARRIVING: u8 = 2;
const LEAVING: u8 = 4;
const MOVED: u8 = 6;
const SETTLING: u8 = 8;

impl Frame {
    pub(super) fn parse(plain: &[u8]) -> Option<Self> {
        let (&first, rest) = plain.split_first()?;
        if first == MOVED {
            let (token, whereto) = split_token(rest)?;
            return Some(Self::Moved(token, std::str::from_utf8(whereto).ok()?.to_owned()));
        }
        let (phase, bytes) = match first & !1 {
            LIVE => (Phase::Live, rest),
            ARRIVING => split_token(rest).map(|(token, bytes)| (Phase::Arriving(token), bytes))?,
            LEAVING => split_token(rest).map(|(token, bytes)| (Phase::Leaving(token), bytes))?,
            SETTLING => split_token(rest).map(|(token, bytes)| (Phase::Settling(token), bytes))?,
            _ => return None,
        };
        match (first & 1, bytes) {
            (0, []) => Some(Self::File(phase, None)),
            (1, _) => Some(Self::File(phase, Some(Zeroizing::new(bytes.to_vec())))),
            _ => None,
        }
    }

    pub(super) fn to_plain(&self) -> Zeroizing<Vec<u8>> {
        let (first, token, rest): (u8, Option<&MoveToken>, &[u8]) = match self {
            Self::File(phase, bytes) => {
                let (place, token) = match phase {
                    Phase::Live => (LIVE, None),
                    Phase::Arriving(token) => (ARRIVING, Some(token)),
                    Phase::Settling(token) => (SETTLING, Some(token)),
                    Phase::Leaving(token) => (LEAVING, Some(token)),
                };
                let bytes_of = bytes.as_ref().map_or(&[][..], |bytes| bytes.as_slice());
                (place + u8::from(bytes.is_some()), token, bytes_of)
            }
            Self::Moved(token, whereto) => (MOVED, Some(token), whereto.as_bytes()),
        };
        // Large enough never to grow: a buffer that grows leaves a copy behind.
        let mut plain = Zeroizing::new(Vec::with_capacity(rest.len() + MoveToken::LENGTH + 1));
        plain.push(first);
        plain.extend_from_slice(token.map_or(&[], |token| token.bytes()));
        plain.extend_from_slice(rest);
        plain
    }

    /// The file that may be read.
    pub(super) fn readable(self, file: SharedFile) -> Result<Option<Zeroizing<Vec<u8>>>, HomeError> {
        match self {
            Self::File(Phase::Live | Phase::Leaving(_), bytes) => Ok(bytes),
            Self::File(Phase::Arriving(_) | Phase::Settling(_), _) => Err(HomeError::Moving { place: place(file) }),
            Self::Moved(_, whereto) => Err(moved(file, whereto)),
        }
    }

    /// The file that may be changed.
    pub(super) fn changeable(&self, file: SharedFile) -> Result<Option<&[u8]>, HomeError> {
        match self {
            Self::File(Phase::Live, bytes) => Ok(bytes.as_ref().map(|bytes| bytes.as_slice())),
            Self::File(..) => Err(HomeError::Moving { place: place(file) }),
            Self::Moved(_, whereto) => Err(moved(file, whereto.clone())),
        }
    }
}

/// Takes the token off the front.
pub(super) fn split_token(bytes: &[u8]) -> Option<(MoveToken, &[u8])> {
    let (token, rest) = bytes.split_first_chunk::<{ MoveToken::LENGTH }>()?;
    Some((MoveToken::of_bytes(*token), rest))
}

pub(super) fn moved(file: SharedFile, whereto: String) -> HomeError {
    HomeError::Moved {
        place: place(file),
        whereto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: MoveToken = MoveToken::of_bytes([7; MoveToken::LENGTH]);

    fn bytes(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(bytes.to_vec())
    }

    #[test]
    fn what_is_written_is_read_and_anything_else_is_refused() {
        for phase in [Phase::Live, Phase::Arriving(TOKEN), Phase::Settling(TOKEN), Phase::Leaving(TOKEN)] {
            for file in [None, Some(bytes(b"")), Some(bytes(b"\0\x01\xff"))] {
                let frame = Frame::File(phase, file);
                assert!(Frame::parse(&frame.to_plain()) == Some(frame));
            }
        }
        let moved = Frame::Moved(TOKEN, "in files".to_owned());
        assert!(Frame::parse(&moved.to_plain()) == Some(moved));
        let not_text = [&[MOVED][..], TOKEN.bytes(), b"\xff"].concat();
        let too_much = [&[ARRIVING][..], TOKEN.bytes(), b"x"].concat();
        for malformed in [
            &b""[..],
            b"\0x",
            b"\x02x",
            b"\x03",
            b"\x07",
            b"\x0a",
            b"\xff",
            b"\x06",
            &not_text,
            &too_much,
        ] {
            assert!(Frame::parse(malformed).is_none());
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
        assert_eq!(may(Frame::File(Phase::Arriving(TOKEN), None)), [Err("home_moving"); 2]);
        assert_eq!(may(Frame::File(Phase::Settling(TOKEN), None)), [Err("home_moving"); 2]);
        assert_eq!(may(Frame::File(Phase::Leaving(TOKEN), None)), [Ok(false), Err("home_moving")]);
        assert_eq!(may(Frame::Moved(TOKEN, String::new())), [Err("home_moved"); 2]);
    }
}
