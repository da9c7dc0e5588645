//! A frame as a row: sealed under a key of the project, but for the one that says where the project went, which whoever has no such key reads, too.

use dango_core::Entropy;
use dango_keyring::{KeyId, OpenError, RowPlace};
use dango_secrets::home::{HomeError, Row, SharedFile};

use super::frame::{self, Frame};
use super::{SealedHome, place};

/// What stands in the place of the key's id where the project went away: keys are replaced in files, and nobody asks such rows which they need.
pub(super) const AWAY: &str = "moved-elsewhere-";
/// How long the id of a key is.
const KEY_ID: usize = AWAY.len();
/// What is said of where the files are to whoever has not the key of that time.
const SOMEWHERE: &str = "in files again";

impl SealedHome {
    /// The id of the key and the sealed text of a row that says this.
    pub(super) fn seal(
        &self,
        file: SharedFile,
        revision: u64,
        frame: &Frame,
        entropy: &dyn Entropy,
    ) -> Result<(String, Vec<u8>), HomeError> {
        let sealer = self.sealer(file)?;
        let key = sealer.active_id().to_string();
        let sealed = sealer.seal(&self.at(file, revision), &frame.to_plain(), entropy);
        let sealed = sealed.map_err(|error| HomeError::Seal {
            place: place(file),
            source: error.into(),
        })?;
        Ok(match frame {
            Frame::Moved(token, _) => (AWAY.to_owned(), [&token.bytes()[..], key.as_bytes(), &sealed].concat()),
            Frame::File(..) => (key, sealed),
        })
    }

    /// What a row says, opened under the keys at hand, or those that are at hand now.
    pub(super) fn frame(&self, file: SharedFile, row: &Row) -> Result<Frame, HomeError> {
        let closed = || HomeError::Closed { place: place(file) };
        if row.key != AWAY {
            let key = row.key.parse().map_err(|_| closed())?;
            let frame = self.frame_under(file, row.revision, key, &row.sealed)?;
            // One that was sealed as a file's is no file's in another guise, and the other way round.
            return matches!(frame, Frame::File(..)).then_some(frame).ok_or_else(closed);
        }
        let (token, rest) = frame::split_token(&row.sealed).ok_or_else(closed)?;
        let (key, sealed) = rest.split_first_chunk::<KEY_ID>().ok_or_else(closed)?;
        let key = std::str::from_utf8(key).ok().and_then(|key| key.parse().ok()).ok_or_else(closed)?;
        match self.frame_under(file, row.revision, key, sealed) {
            Ok(Frame::Moved(sealed, whereto)) if sealed == token => Ok(Frame::Moved(token, whereto)),
            // That it is gone is no secret. Who could forge this could as well have removed the row.
            Err(HomeError::UnknownKey { .. }) => Ok(Frame::Moved(token, SOMEWHERE.to_owned())),
            Err(error) => Err(error),
            Ok(_) => Err(closed()),
        }
    }

    fn frame_under(&self, file: SharedFile, revision: u64, key: KeyId, sealed: &[u8]) -> Result<Frame, HomeError> {
        let at = self.at(file, revision);
        let opened = match self.sealer(file)?.open(&at, key, sealed) {
            Err(OpenError::UnknownKey { .. }) => self.fetch_sealer(file)?.open(&at, key, sealed),
            opened => opened,
        };
        let closed = || HomeError::Closed { place: place(file) };
        let plain = opened.map_err(|error| match error {
            OpenError::UnknownKey { id } => HomeError::UnknownKey {
                place: place(file),
                key: id.to_string(),
            },
            _ => closed(),
        })?;
        Frame::parse(&plain).ok_or_else(closed)
    }

    fn at(&self, file: SharedFile, revision: u64) -> RowPlace<'_> {
        RowPlace {
            project: &self.project,
            name: file.name(),
            revision,
        }
    }
}
