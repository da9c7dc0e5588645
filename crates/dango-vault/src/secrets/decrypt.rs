//! Values made plain again: the text that was encrypted is put back byte for byte, the comment that was encrypted with it too.

use dango_core::CredentialPath;
use dango_keyring::{KeySet, Purpose};
use dango_secrets::document::{CommentChange, Respelling, SecretsDocument};

use super::encrypt::{EncryptError, is_at};
use super::open::open;
use super::{Targets, sealed};
use crate::closed::{ClosedValue, OpeningError};

/// Makes a document in which the targets are plain, and says which were not before.
///
/// # Errors
///
/// [`EncryptError::NotFound`] for a path with nothing at it, and [`EncryptError::Closed`] with every value that does not
/// open; then nothing is decrypted.
pub fn decrypt_secrets(
    document: &SecretsDocument,
    targets: Targets<'_>,
    keys: &KeySet,
) -> Result<(SecretsDocument, Vec<CredentialPath>), EncryptError> {
    super::encrypt::check_targets(document, targets)?;
    let opener = keys.opener(Purpose::SecretsToml);
    let mut closed = Vec::new();
    let mut opened = Vec::new();
    for (path, envelope) in sealed(document).into_iter().filter(|(path, _)| is_at(targets, path)) {
        match open(&opener, &path, &envelope) {
            Ok(text) => opened.push((path, text)),
            Err(problem) => closed.push(ClosedValue {
                place: path.to_string(),
                problem,
            }),
        }
    }
    if !closed.is_empty() {
        return Err(EncryptError::Closed(OpeningError::Closed(closed)));
    }
    let changes: Vec<_> = opened
        .iter()
        .map(|(path, text)| Respelling {
            path,
            spelling: text.spelling(),
            comment: match text.comment() {
                "" => CommentChange::Keep,
                comment => CommentChange::Put(comment),
            },
        })
        .collect();
    let document = document.respell(&changes)?;
    Ok((document, opened.into_iter().map(|(path, _)| path).collect()))
}
