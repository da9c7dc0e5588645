//! `.dlt/secrets.toml` as a file with a seal: the table `[dango.seal]`.

use dango_core::{CredentialPath, SecretValue};
use dango_keyring::{Envelope, FileSeal, Purpose, SealedValues};
use dango_secrets::document::{CommentChange, NewValue, Respelling, SecretsDocument};
use dango_secrets::home::SharedFile;
use dango_secrets::{References, Value};

use super::{Sealed, SealedFile};
use crate::error::VaultError;
use crate::secrets::{EncryptError, OWN_TABLE, binding, sealed};

impl SealedFile for SecretsDocument {
    const PURPOSE: Purpose = Purpose::SecretsToml;
    const NAME: &'static str = SharedFile::Secrets.path();
    const FILE: SharedFile = SharedFile::Secrets;
    const SEEN: &'static str = "seen-secrets";
    type Place = CredentialPath;

    fn parse(bytes: &[u8]) -> Result<Self, VaultError> {
        Self::parse(bytes).map_err(VaultError::Document)
    }

    fn text(&self) -> &str {
        self.text()
    }

    fn sealed(&self) -> Vec<Sealed<CredentialPath>> {
        let values = sealed(self).into_iter();
        values
            .map(|(path, envelope)| Sealed {
                binding: Some(binding(&path)),
                name: path.to_string(),
                place: path,
                envelope,
            })
            .collect()
    }

    fn sealed_values(&self) -> SealedValues {
        let mut values = SealedValues::new();
        for (path, envelope) in sealed(self) {
            if let Ok(envelope) = envelope {
                values.add_path(&path, &envelope);
            }
        }
        values
    }

    fn seal(&self) -> Option<FileSeal> {
        let table = seal_table();
        let text = |name: &str| match self.value(&table.child(name)) {
            Some(Value::String(text)) => Some(text.verbatim()),
            _ => None,
        };
        let counter = match self.value(&table.child("counter")) {
            Some(Value::Integer { value, .. }) => value,
            _ => return None,
        };
        FileSeal::from_members(&text("key_id")?, counter, &text("digest")?)
    }

    fn with_seal(&self, seal: Option<&FileSeal>) -> Result<Self, VaultError> {
        let table = seal_table();
        match seal {
            Some(seal) => {
                let string = |text: String| -> Result<NewValue, VaultError> {
                    Ok(NewValue::String {
                        text: SecretValue::new(text).map_err(|_| VaultError::Nul)?,
                        references: References::Literal,
                    })
                };
                let members = [
                    ("key_id".to_owned(), string(seal.key_id().to_string())?),
                    ("counter".to_owned(), NewValue::Integer(seal.counter())),
                    ("digest".to_owned(), string(seal.digest_text())?),
                ];
                self.with_appendix(&table, &members).map_err(VaultError::SealTable)
            }
            None if self.value(&table).is_some() => self.without_appendix(&table).map_err(VaultError::SealTable),
            None => Ok(self.clone()),
        }
    }

    fn with_envelopes(&self, envelopes: &[(CredentialPath, Envelope)]) -> Result<Self, VaultError> {
        let spellings: Vec<String> = envelopes.iter().map(|(_, envelope)| format!("\"{envelope}\"")).collect();
        let changes: Vec<_> = envelopes
            .iter()
            .zip(&spellings)
            .map(|((path, _), spelling)| Respelling {
                path,
                spelling,
                comment: CommentChange::Keep,
            })
            .collect();
        Ok(self.respell(&changes).map_err(EncryptError::from)?)
    }
}

fn seal_table() -> CredentialPath {
    CredentialPath::from_parts([OWN_TABLE, "seal"]).expect("two parts are a path")
}
