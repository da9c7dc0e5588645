//! E-mail addresses as identities: one canonical spelling each, look-alikes refused. Sending mail is elsewhere.

use std::fmt;
use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

/// The longest address, in bytes, in any of its spellings (RFC 5321 §4.5.3.1.3, less the angle brackets).
pub const MAX_EMAIL_BYTES: usize = 254;

/// The longest part before the `@`, in bytes (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// An e-mail address as it was written, as it is compared, and as what it looks like.
///
/// Case, compatibility forms (full-width letters, the Kelvin sign) and the two spellings of an international
/// domain fall together (NFKC, full case folding, UTS 46). An address that mixes scripts, or that is written in
/// another script and reads as Latin letters, is none (UTS 39).
///
/// It does not say that anybody receives mail there.
///
/// ```
/// use dango_identity::Email;
///
/// let email: Email = "Ana.Lima@BÜCHER.example".parse()?;
/// assert_eq!(email.as_str(), "Ana.Lima@BÜCHER.example");
/// assert_eq!(email.canonical(), "ana.lima@xn--bcher-kva.example");
/// # Ok::<(), dango_identity::ParseEmailError>(())
/// ```
///
/// # Security
///
/// The part before the `@` is case-folded, too: mail systems that tell `Ana@` from `ana@` apart are rarer than
/// people who would register the second to be taken for the first.
#[derive(Clone)]
pub struct Email {
    original: String,
    canonical: String,
    likeness: String,
}

impl Email {
    /// Takes back the three spellings that a database stored.
    ///
    /// They are not checked: what was an address under the tables of an earlier Unicode version stays the account's.
    pub const fn from_stored(original: String, canonical: String, likeness: String) -> Self {
        Self {
            original,
            canonical,
            likeness,
        }
    }

    /// The address as its owner writes it, without white space around it.
    pub fn as_str(&self) -> &str {
        &self.original
    }

    /// The one spelling that all spellings of this address share; the domain is in its ASCII form.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// What two addresses share that a person cannot tell apart; unique among accounts, and the key to find one by.
    ///
    /// Equal to the canonical spelling where that is ASCII. It is never shown.
    pub fn likeness(&self) -> &str {
        &self.likeness
    }

    /// The part before the `@` of the canonical spelling.
    pub fn local_part(&self) -> &str {
        self.canonical.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The part behind the `@` of the canonical spelling, in ASCII.
    pub fn domain(&self) -> &str {
        self.canonical.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// Two addresses are equal where a person cannot tell them apart, however they are written.
impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.likeness == other.likeness
    }
}

impl Eq for Email {}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.original)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Email({})", self.canonical)
    }
}

/// Why a text is no e-mail address that Dango accepts. The text is not repeated: it may be a password in the wrong field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseEmailError {
    /// Not one `@` with something on both sides, or dots where none may be (RFC 5322 §3.4.1; quoted local parts are not accepted).
    #[error("not an e-mail address such as name@example.com")]
    Malformed,
    /// More than 254 bytes, or more than 64 before the `@`.
    #[error("an e-mail address has at most 254 bytes, 64 of them before the @")]
    TooLong,
    /// A blank, a control character, an invisible one, or another that does not belong in an address.
    #[error("the e-mail address has a character that is not allowed in one")]
    Character,
    /// The part behind the `@` is no domain name (UTS 46, RFC 1035 §2.3.4).
    #[error("the part of the e-mail address behind the @ is not a domain name")]
    Domain,
    /// It mixes scripts, or reads as Latin letters without being any (UTS 39 §4 and §5).
    #[error("the e-mail address mixes alphabets, or looks like another one")]
    Confusable,
}

impl ParseEmailError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "email-malformed",
            Self::TooLong => "email-too-long",
            Self::Character => "email-character",
            Self::Domain => "email-domain",
            Self::Confusable => "email-confusable",
        }
    }
}

impl FromStr for Email {
    type Err = ParseEmailError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let original = text.trim();
        // Before any table is asked: folding can make a text eighteen times as long.
        if original.len() > MAX_EMAIL_BYTES {
            return Err(ParseEmailError::TooLong);
        }
        if original.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(ParseEmailError::Character);
        }
        let folded = fold(original);
        let (local, domain) = folded.split_once('@').ok_or(ParseEmailError::Malformed)?;
        if local.is_empty() || domain.is_empty() || domain.contains('@') {
            return Err(ParseEmailError::Malformed);
        }
        check_local(local)?;
        let domain = ascii_domain(domain)?;
        let canonical = format!("{local}@{domain}");
        if local.len() > MAX_LOCAL_BYTES || canonical.len() > MAX_EMAIL_BYTES {
            return Err(ParseEmailError::TooLong);
        }
        let likeness = format!("{}@{}", part_likeness(local)?, domain_likeness(&domain)?);
        Ok(Self {
            original: original.to_owned(),
            canonical,
            likeness,
        })
    }
}

/// NFKC and full case folding, until nothing changes any more: one pass leaves a few characters half done.
fn fold(text: &str) -> String {
    let mut folded = text.to_owned();
    // Two passes settle every character of Unicode 16; the bound is there for those to come.
    for _ in 0..4 {
        let composed: String = folded.nfkc().collect();
        let again: String = caseless::default_case_fold_str(&composed).nfkc().collect();
        if again == folded {
            break;
        }
        folded = again;
    }
    folded
}

/// A dot-atom (RFC 5322 §3.2.3), with the letters and digits of any script beside those of ASCII (RFC 6531 §3.3).
fn check_local(local: &str) -> Result<(), ParseEmailError> {
    if local.split('.').any(str::is_empty) {
        return Err(ParseEmailError::Malformed);
    }
    if local.chars().all(is_local_character) {
        Ok(())
    } else {
        Err(ParseEmailError::Character)
    }
}

fn is_local_character(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c)
    } else {
        is_visible_letter(c)
    }
}

/// The joiners are allowed in identifiers of some scripts, but nobody sees whether they are there.
fn is_visible_letter(c: char) -> bool {
    GeneralSecurityProfile::identifier_allowed(c) && !matches!(c, '\u{200c}' | '\u{200d}')
}

fn ascii_domain(domain: &str) -> Result<String, ParseEmailError> {
    // UTS 46 drops what is invisible instead of refusing it, so that is looked at first.
    if !domain.chars().all(|c| c.is_ascii() || is_visible_letter(c)) {
        return Err(ParseEmailError::Character);
    }
    Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map(|ascii| ascii.into_owned())
        .map_err(|_| ParseEmailError::Domain)
}

/// A domain label by label, as a reader sees it.
fn domain_likeness(ascii: &str) -> Result<String, ParseEmailError> {
    if !ascii.split('.').any(|label| label.starts_with("xn--")) {
        return Ok(ascii.to_owned());
    }
    let (shown, valid) = Uts46::new().to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    valid.map_err(|_| ParseEmailError::Domain)?;
    if !shown.chars().all(|c| c.is_ascii() || is_visible_letter(c)) {
        return Err(ParseEmailError::Character);
    }
    let labels: Vec<String> = shown.split('.').map(part_likeness).collect::<Result<_, _>>()?;
    Ok(labels.join("."))
}

/// ASCII is what it is; anything else must keep to one script (or a customary mix) and must not read as ASCII.
fn part_likeness(part: &str) -> Result<String, ParseEmailError> {
    if part.is_ascii() {
        return Ok(part.to_owned());
    }
    let letters: String = part.chars().filter(|c| !c.is_ascii() || c.is_ascii_alphanumeric()).collect();
    if !letters.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive) {
        return Err(ParseEmailError::Confusable);
    }
    let likeness: String = skeleton(part).collect();
    if likeness.is_ascii() {
        return Err(ParseEmailError::Confusable);
    }
    Ok(likeness)
}

#[cfg(test)]
mod tests;
