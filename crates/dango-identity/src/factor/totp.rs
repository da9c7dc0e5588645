//! Time-based one-time codes (RFC 6238): parameters, secrets, codes and the step that a code belongs to. Nothing is stored here.

use std::fmt;
use std::str::FromStr;

use dango_core::{Entropy, EntropyError, SecretValue, Timestamp};
use data_encoding::BASE32_NOPAD;
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::{Zeroize, Zeroizing};

/// The hash under a one-time code. Apps exist that ignore all but the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TotpAlgorithm {
    /// HMAC-SHA-1, as every app has it.
    #[default]
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl TotpAlgorithm {
    /// The word that is stored; also the one of the `otpauth` URI.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    const fn of_library(self) -> Algorithm {
        match self {
            Self::Sha1 => Algorithm::SHA1,
            Self::Sha256 => Algorithm::SHA256,
            Self::Sha512 => Algorithm::SHA512,
        }
    }
}

impl FromStr for TotpAlgorithm {
    type Err = InvalidTotpParameters;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Sha1, Self::Sha256, Self::Sha512];
        let found = all.into_iter().find(|algorithm| algorithm.as_str() == text);
        found.ok_or(InvalidTotpParameters)
    }
}

/// The parameters of one enrolment; they are stored with it, so that changing the default changes no enrolment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TotpParameters {
    algorithm: TotpAlgorithm,
    digits: u8,
    period_seconds: u32,
}

impl TotpParameters {
    /// Parameters other than the default ones.
    ///
    /// # Errors
    ///
    /// [`InvalidTotpParameters`] unless there are 6 to 8 digits (RFC 4226 §5.3) and a period of 15 to 120 seconds.
    pub fn new(algorithm: TotpAlgorithm, digits: u8, period_seconds: u32) -> Result<Self, InvalidTotpParameters> {
        if (6..=8).contains(&digits) && (15..=120).contains(&period_seconds) {
            Ok(Self {
                algorithm,
                digits,
                period_seconds,
            })
        } else {
            Err(InvalidTotpParameters)
        }
    }

    /// The hash.
    pub const fn algorithm(&self) -> TotpAlgorithm {
        self.algorithm
    }

    /// How many digits a code has.
    pub const fn digits(&self) -> u8 {
        self.digits
    }

    /// How many seconds a step lasts.
    pub const fn period_seconds(&self) -> u32 {
        self.period_seconds
    }

    fn step_at(&self, now: Timestamp) -> u64 {
        let seconds = u64::try_from(now.unix_micros().div_euclid(1_000_000)).unwrap_or(0);
        seconds / u64::from(self.period_seconds)
    }
}

/// SHA-1, 6 digits, 30 seconds: what every app understands.
impl Default for TotpParameters {
    fn default() -> Self {
        Self {
            algorithm: TotpAlgorithm::Sha1,
            digits: 6,
            period_seconds: 30,
        }
    }
}

/// Parameters that no enrolment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the parameters of a time-based one-time code")]
pub struct InvalidTotpParameters;

/// A number of periods since 1970 (RFC 6238 §4.2): the one thing that a store has to remember of a code that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TotpStep(u64);

impl TotpStep {
    /// Takes the number back from a database.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number, as a database stores it.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The step at a point in time.
    pub fn at(now: Timestamp, parameters: &TotpParameters) -> Self {
        Self(parameters.step_at(now))
    }
}

/// The secret that an app and this program share: 160 random bits (RFC 4226 §4, R6), erased from memory when dropped.
///
/// It has no `Debug`, `Display`, `Serialize`, `Clone` or `PartialEq`:
///
/// ```compile_fail,E0277
/// let secret = dango_identity::TotpSecret::make(&dango_core::OsEntropy).unwrap();
/// println!("{secret:?}");
/// ```
///
/// ```compile_fail,E0277
/// let secret = dango_identity::TotpSecret::make(&dango_core::OsEntropy).unwrap();
/// serde_json::to_string(&secret).unwrap();
/// ```
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl TotpSecret {
    const MADE_LENGTH: usize = 20;
    /// RFC 4226 §4, R6: at least 128 bits.
    const MIN_LENGTH: usize = 16;
    /// A block of SHA-512; HMAC hashes whatever is longer.
    const MAX_LENGTH: usize = 128;

    /// Makes a new secret.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness.
    pub fn make(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new(vec![0; Self::MADE_LENGTH]);
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads a secret that another program made, from base32 (RFC 4648 §6) in either case, padded or not, 128 to 1024 bits.
    ///
    /// # Errors
    ///
    /// [`ParseTotpSecretError`], which does not repeat the text.
    pub fn parse_base32(text: &SecretValue) -> Result<Self, ParseTotpSecretError> {
        let digits = Zeroizing::new(text.expose().trim_end_matches('=').to_ascii_uppercase());
        let bytes = BASE32_NOPAD.decode(digits.as_bytes()).map_err(|_| ParseTotpSecretError)?;
        Self::from_bytes(Zeroizing::new(bytes)).ok_or(ParseTotpSecretError)
    }

    /// The secret as people type it into an app: base32 in upper case, without padding.
    pub fn expose_base32(&self) -> SecretValue {
        SecretValue::new(BASE32_NOPAD.encode(&self.0)).expect("base32 has no NUL")
    }

    pub(super) fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        (Self::MIN_LENGTH..=Self::MAX_LENGTH).contains(&bytes.len()).then_some(Self(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The URI that an app reads from a QR code (the "Key URI Format"). A colon in a name becomes a space: it would part issuer and account.
    pub(super) fn uri(&self, parameters: &TotpParameters, issuer: &str, account: &str) -> SecretValue {
        let name = |text: &str| text.replace([':', '\0'], " ");
        let uri = self
            .builder(parameters)
            .with_issuer(Some(name(issuer)))
            .with_account_name(name(account))
            .build_noncompliant()
            .to_url();
        // The library refuses no more than an empty account; an app takes a URI with a name that is one space.
        let uri = uri.unwrap_or_else(|_| {
            self.builder(parameters)
                .with_account_name(" ")
                .build_noncompliant()
                .to_url()
                .unwrap_or_default()
        });
        SecretValue::new(uri).expect("a URI escapes NUL")
    }

    /// The step that a code belongs to: the previous, the present or the next, and later than the last one used.
    ///
    /// Where a code belongs to several, the latest counts, so that it cannot come again.
    pub(super) fn matching_step(
        &self,
        parameters: &TotpParameters,
        code: &TotpCode,
        last: Option<TotpStep>,
        now: Timestamp,
    ) -> Option<TotpStep> {
        let totp = self.builder(parameters).build_noncompliant();
        let present = parameters.step_at(now);
        (present.saturating_sub(1)..=present.saturating_add(1))
            .rev()
            .filter(|step| last.is_none_or(|last| *step > last.0))
            .find(|step| is_code_of_step(&totp, code, *step))
            .map(TotpStep)
    }

    fn builder(&self, parameters: &TotpParameters) -> Builder {
        Builder::new()
            .with_algorithm(parameters.algorithm.of_library())
            .with_digits(parameters.digits)
            .with_step_duration(u64::from(parameters.period_seconds))
            .with_skew(0)
            .with_secret(self.bytes())
    }
}

/// Compares in constant time; the library does.
fn is_code_of_step(totp: &Totp, code: &TotpCode, step: u64) -> bool {
    totp.check(&code.0, step.saturating_mul(totp.step())).is_some()
}

/// A text that is no secret of a second factor; it is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not base32 of 128 to 1024 bits")]
pub struct ParseTotpSecretError;

/// A one-time code as somebody typed it: 6 to 8 ASCII digits; white space between them is not part of it.
///
/// It has no `Debug`, `Display`, `Serialize`, `Clone` or `PartialEq`:
///
/// ```compile_fail,E0277
/// let code = dango_identity::TotpCode::parse("123456").unwrap();
/// println!("{code:?}");
/// ```
pub struct TotpCode(Zeroizing<String>);

impl TotpCode {
    /// Reads a code.
    ///
    /// # Errors
    ///
    /// [`ParseTotpCodeError`], which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, ParseTotpCodeError> {
        // The longest code has 8 digits; whoever sends more than a line of blanks sends no code.
        if text.len() > 64 {
            return Err(ParseTotpCodeError);
        }
        let mut digits = Zeroizing::new(String::with_capacity(text.len()));
        for character in text.chars().filter(|character| !character.is_whitespace()) {
            if !character.is_ascii_digit() {
                digits.zeroize();
                return Err(ParseTotpCodeError);
            }
            digits.push(character);
        }
        if (6..=8).contains(&digits.len()) {
            Ok(Self(digits))
        } else {
            Err(ParseTotpCodeError)
        }
    }
}

/// A text that is no one-time code; it is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code has 6 to 8 digits")]
pub struct ParseTotpCodeError;

impl fmt::Display for TotpAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
