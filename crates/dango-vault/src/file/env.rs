//! `.env` as a file with a seal: one comment line.

use dango_core::VariableName;
use dango_keyring::{Envelope, FileSeal, Purpose, SealedValues};
use dango_secrets::dotenv::{EnvDocument, EnvRespelling};
use dango_secrets::home::SharedFile;

use super::{Sealed, SealedFile};
use crate::env::{EnvEncryptError, binding, sealed};
use crate::error::VaultError;

impl SealedFile for EnvDocument {
    const PURPOSE: Purpose = Purpose::DotEnv;
    const NAME: &'static str = SharedFile::Env.path();
    const FILE: SharedFile = SharedFile::Env;
    const SEEN: &'static str = "seen-env";
    type Place = usize;

    fn parse(bytes: &[u8]) -> Result<Self, VaultError> {
        Self::parse(bytes).map_err(VaultError::Env)
    }

    fn text(&self) -> &str {
        self.text()
    }

    fn sealed(&self) -> Vec<Sealed<usize>> {
        let values = sealed(self).into_iter();
        values
            .map(|(index, key, envelope)| Sealed {
                place: index,
                binding: key.parse::<VariableName>().ok().map(|name| binding(&name)),
                name: key,
                envelope,
            })
            .collect()
    }

    fn sealed_values(&self) -> SealedValues {
        let mut values = SealedValues::new();
        for (_, key, envelope) in sealed(self) {
            if let (Ok(name), Ok(envelope)) = (key.parse::<VariableName>(), envelope) {
                values.add_variable(&name, &envelope);
            }
        }
        values
    }

    fn seal(&self) -> Option<FileSeal> {
        self.find_comment_line(FileSeal::parse_comment)
    }

    fn with_seal(&self, seal: Option<&FileSeal>) -> Result<Self, VaultError> {
        let line = seal.map(FileSeal::to_comment);
        self.with_comment_line(FileSeal::is_comment, line.as_deref())
            .map_err(VaultError::SealLine)
    }

    fn with_envelopes(&self, envelopes: &[(usize, Envelope)]) -> Result<Self, VaultError> {
        let spellings: Vec<String> = envelopes.iter().map(|(_, envelope)| envelope.to_string()).collect();
        let changes: Vec<_> = envelopes
            .iter()
            .zip(&spellings)
            .map(|((index, _), spelling)| EnvRespelling {
                index: *index,
                spelling,
                with_comment: false,
            })
            .collect();
        Ok(self.respell(&changes).map_err(EnvEncryptError::from)?)
    }
}
