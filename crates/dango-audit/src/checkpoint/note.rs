//! Signed notes (C2SP `signed-note`) with Ed25519 (RFC 8032): signing, opening, the text of a public key.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::{Checkpoint, LogName};
use crate::digest::sha256;

/// The signature type of Ed25519.
const ED25519: u8 = 1;
/// The longest note that is read, in bytes.
const NOTE_MAX: usize = 64 * 1024;
/// What stands before a signature: an em dash and a space.
const SIGNATURE: &str = "\u{2014} ";

/// The key that signs a log's checkpoints, erased when dropped.
pub struct CheckpointKey {
    key: SigningKey,
    verifier: CheckpointVerifier,
}

impl CheckpointKey {
    /// Makes the log's key from 32 bytes that were derived for this use alone.
    pub fn from_derived(name: LogName, seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let verifier = CheckpointVerifier::new(name, key.verifying_key());
        Self { key, verifier }
    }

    /// What others check the log's checkpoints with.
    pub fn verifier(&self) -> &CheckpointVerifier {
        &self.verifier
    }

    /// Signs a checkpoint; what comes out is a whole note.
    ///
    /// # Security
    ///
    /// The caller signs only heads of its own log: two signed checkpoints of which neither grew into the other convict the log.
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let text = checkpoint.to_string();
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let line = [self.verifier.id.as_slice(), &signature].concat();
        format!("{text}\n{SIGNATURE}{} {}\n", self.verifier.name, BASE64.encode(&line))
    }
}

/// A log's public key. Its text, `name+id+key`, is what other tools for signed notes take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointVerifier {
    name: LogName,
    id: [u8; 4],
    key: VerifyingKey,
}

/// A note is not a checkpoint of this log, signed with this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenCheckpointError {
    /// It has not the form of a signed note.
    #[error("not a signed note")]
    NotANote,
    /// Nobody signed it with this key.
    #[error("not signed with the key of this log")]
    NotSigned,
    /// A signature is there and wrong: the text was changed.
    #[error("the signature does not fit the text")]
    WrongSignature,
    /// What was signed is not a checkpoint of this log.
    #[error("what was signed is not a checkpoint of this log")]
    NotACheckpoint,
}

impl OpenCheckpointError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotANote => "checkpoint_not_a_note",
            Self::NotSigned => "checkpoint_not_signed",
            Self::WrongSignature => "checkpoint_wrong_signature",
            Self::NotACheckpoint => "checkpoint_malformed",
        }
    }
}

impl CheckpointVerifier {
    fn new(name: LogName, key: VerifyingKey) -> Self {
        let digest = sha256(&[name.as_str().as_bytes(), b"\n", &[ED25519], key.as_bytes()]);
        let [a, b, c, d, ..] = *digest.as_bytes();
        Self {
            name,
            id: [a, b, c, d],
            key,
        }
    }

    /// Checks a note's signature and reads the checkpoint. Signatures of other keys are passed over.
    ///
    /// # Errors
    ///
    /// [`OpenCheckpointError`] says what is wrong; a text that does not open must not be believed in any part.
    pub fn open(&self, note: &str) -> Result<Checkpoint, OpenCheckpointError> {
        let text = self.signed_text(note)?;
        let checkpoint = Checkpoint::parse(text).ok_or(OpenCheckpointError::NotACheckpoint)?;
        if checkpoint.origin() != &self.name {
            return Err(OpenCheckpointError::NotACheckpoint);
        }
        Ok(checkpoint)
    }

    fn signed_text<'a>(&self, note: &'a str) -> Result<&'a str, OpenCheckpointError> {
        let broken = note.len() > NOTE_MAX || note.chars().any(|c| c < ' ' && c != '\n');
        let end = note.rfind("\n\n").filter(|_| !broken).ok_or(OpenCheckpointError::NotANote)?;
        let (text, signatures) = (&note[..=end], &note[end + 2..]);
        let signatures = signatures.strip_suffix('\n').ok_or(OpenCheckpointError::NotANote)?;
        let mut signed = false;
        for line in signatures.split('\n') {
            let (name, encoded) = line
                .strip_prefix(SIGNATURE)
                .and_then(|line| line.split_once(' '))
                .ok_or(OpenCheckpointError::NotANote)?;
            let decoded = BASE64.decode(encoded.as_bytes()).map_err(|_| OpenCheckpointError::NotANote)?;
            let (id, signature) = decoded.split_at_checked(4).ok_or(OpenCheckpointError::NotANote)?;
            if name != self.name.as_str() || id != self.id {
                continue;
            }
            let signature = Signature::from_slice(signature).map_err(|_| OpenCheckpointError::WrongSignature)?;
            self.key
                .verify_strict(text.as_bytes(), &signature)
                .map_err(|_| OpenCheckpointError::WrongSignature)?;
            signed = true;
        }
        if signed { Ok(text) } else { Err(OpenCheckpointError::NotSigned) }
    }
}

impl fmt::Display for CheckpointVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id), BASE64.encode(&key))
    }
}

/// A text that is not the public key of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a log's public key of the form `name+id+key`")]
pub struct ParseVerifierError;

impl FromStr for CheckpointVerifier {
    type Err = ParseVerifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '+');
        let mut part = || parts.next().ok_or(ParseVerifierError);
        let (name, id, key) = (part()?, part()?, part()?);
        let name = name.parse().map_err(|_| ParseVerifierError)?;
        let key = BASE64.decode(key.as_bytes()).map_err(|_| ParseVerifierError)?;
        let key = key.strip_prefix(&[ED25519]).ok_or(ParseVerifierError)?;
        let key = key.try_into().map_err(|_| ParseVerifierError)?;
        let verifier = Self::new(name, VerifyingKey::from_bytes(key).map_err(|_| ParseVerifierError)?);
        if id == format!("{:08x}", u32::from_be_bytes(verifier.id)) {
            Ok(verifier)
        } else {
            Err(ParseVerifierError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Head;

    /// golang.org/x/mod/sumdb/note, `note_test.go`: the key and the signed note of the package's documentation.
    #[test]
    fn a_note_of_the_go_implementation_is_signed_for_us_too() {
        let verifier: CheckpointVerifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
            .parse()
            .expect("a key");
        let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let note = format!(
            "{text}\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
        );
        assert_eq!(verifier.signed_text(&note), Ok(text));
        assert_eq!(verifier.open(&note), Err(OpenCheckpointError::NotACheckpoint));
        assert_eq!(
            verifier.signed_text(&note.replace("don't", "do")),
            Err(OpenCheckpointError::WrongSignature)
        );
    }

    fn key(seed: u8) -> CheckpointKey {
        CheckpointKey::from_derived("dango.example/audit".parse().expect("a name"), &[seed; 32])
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint::of("dango.example/audit".parse().expect("a name"), &Head::genesis())
    }

    #[test]
    fn what_is_signed_opens_with_the_public_key_that_was_written_down() {
        let note = key(1).sign(&checkpoint());
        let verifier: CheckpointVerifier = key(1).verifier().to_string().parse().expect("a key");
        assert_eq!(verifier.open(&note), Ok(checkpoint()));
        assert_eq!(key(2).verifier().open(&note), Err(OpenCheckpointError::NotSigned));
        // A second signature, of a witness, is passed over.
        let witnessed = format!("{note}\u{2014} witness.example {}\n", BASE64.encode(&[1; 76]));
        assert_eq!(verifier.open(&witnessed), Ok(checkpoint()));
    }

    #[test]
    fn no_changed_byte_of_a_note_goes_unnoticed() {
        let note = key(1).sign(&checkpoint());
        for place in 0..note.len() {
            for bit in 0..8 {
                let mut bytes = note.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                if let Ok(changed) = String::from_utf8(bytes) {
                    assert!(key(1).verifier().open(&changed).is_err(), "{changed:?}");
                }
            }
            assert!(key(1).verifier().open(note.get(..place).unwrap_or("")).is_err());
        }
    }

    #[test]
    fn public_keys_with_a_wrong_id_or_type_are_refused() {
        let text = key(1).verifier().to_string();
        let (name, rest) = text.split_once('+').expect("has one");
        let (id, encoded) = rest.split_once('+').expect("has one");
        let other = key(2).verifier().to_string();
        let (_, other) = other.rsplit_once('+').expect("has one");
        for wrong in [
            format!("{name}+{id}+{other}"),
            format!("{name}x+{id}+{encoded}"),
            format!("{name}+{id}"),
            format!("{name}+00000000+{encoded}"),
            String::new(),
        ] {
            assert_eq!(wrong.parse::<CheckpointVerifier>(), Err(ParseVerifierError), "{wrong}");
        }
    }
}
