//! Which passwords may be chosen: long enough, not guessed first, not made of what anybody can see. No composition rules.

use std::fmt;

use super::blocklist::{fold, is_common_password};
use super::{Password, pattern};
use crate::email::Email;

/// How long a password must be (NIST SP 800-63B-4 §3.1.1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordProfile {
    /// At least 8 characters.
    #[default]
    Standard,
    /// At least 15 characters while the password is the only factor, 8 beside a second one.
    Nist,
}

/// Whether the account has a second factor that is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactorState {
    /// One is active.
    Active,
    /// There is none, or only one whose enrolment is not finished.
    Absent,
}

/// What anybody who knows the account can guess from.
#[derive(Clone, Copy, Debug)]
pub struct PasswordContext<'a> {
    /// The address of the account.
    pub email: &'a Email,
    /// The names of the organisation, the project and the host, as far as they are known.
    pub words: &'a [&'a str],
    /// Whether the password will stand alone.
    pub second_factor: SecondFactorState,
}

/// The rules for a new password. They are never applied to a login: a password that was accepted stays accepted.
#[derive(Clone, Copy, Debug, Default)]
pub struct PasswordPolicy {
    profile: PasswordProfile,
}

/// The product is guessed everywhere.
const PRODUCT: &str = "dango";
/// Shorter words are in too many other words to be a hint.
const SHORTEST_WORD: usize = 3;
/// How many characters must remain when everything that can be guessed from the context is taken away.
const SHORTEST_REMAINDER: usize = 6;

impl PasswordPolicy {
    /// The policy of a profile.
    pub const fn new(profile: PasswordProfile) -> Self {
        Self { profile }
    }

    /// How many characters (code points, after NFC) a password needs.
    pub const fn floor(self, second_factor: SecondFactorState) -> usize {
        match (self.profile, second_factor) {
            (PasswordProfile::Nist, SecondFactorState::Absent) => 15,
            _ => 8,
        }
    }

    /// Checks a new password and names everything that is wrong with it at once.
    ///
    /// # Errors
    ///
    /// [`WeakPassword`] with at least one issue.
    pub fn check(self, password: &Password, context: &PasswordContext<'_>) -> Result<(), WeakPassword> {
        let folded = fold(password.expose());
        let characters = zeroize::Zeroizing::new(folded.chars().collect::<Vec<char>>());
        let floor = self.floor(context.second_factor);
        let mut issues = Vec::new();
        if password.expose().chars().count() < floor {
            issues.push(PasswordIssue::TooShort { floor });
        }
        if is_common_password(password.expose()) {
            issues.push(PasswordIssue::Common);
        }
        if says_only_what_is_known(&folded, &context_words(context)) {
            issues.push(PasswordIssue::Context);
        }
        // An empty password is too short and nothing else.
        if !characters.is_empty() && pattern::is_repetitive(&characters) {
            issues.push(PasswordIssue::Repetitive);
        } else if !characters.is_empty() && pattern::is_sequence(&characters) {
            issues.push(PasswordIssue::Sequence);
        }
        if issues.is_empty() { Ok(()) } else { Err(WeakPassword { issues }) }
    }
}

/// The folded words of the context, the longest first, so that none hides a part of a longer one.
fn context_words(context: &PasswordContext<'_>) -> Vec<String> {
    let local = context.email.local_part();
    let given = context.words.iter().flat_map(|word| split_words(word));
    let mut words: Vec<String> = std::iter::once(local)
        .chain(split_words(local))
        .chain(split_words(context.email.domain()))
        .chain(given)
        .chain(context.words.iter().copied())
        .chain([PRODUCT])
        .map(|word| fold(word).to_string())
        .filter(|word| word.chars().count() >= SHORTEST_WORD)
        .collect();
    words.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    words.dedup();
    words
}

fn split_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
}

/// Whether too little is left, or only something common, without the words and without digits and signs around the rest.
fn says_only_what_is_known(folded: &str, words: &[String]) -> bool {
    let mut rest = zeroize::Zeroizing::new(folded.to_owned());
    for word in words {
        // Not joined: what a word separated must not become a word itself.
        rest = zeroize::Zeroizing::new(rest.replace(word.as_str(), "\0"));
    }
    if !rest.contains('\0') {
        return false;
    }
    let rest = zeroize::Zeroizing::new(rest.replace('\0', ""));
    let core = rest.trim_matches(|c: char| !c.is_alphabetic());
    core.chars().count() < SHORTEST_REMAINDER || is_common_password(core)
}

/// A password that may not be chosen, with every reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password is too weak: {}", sentences(.issues))]
pub struct WeakPassword {
    /// At least one; the worst first.
    pub issues: Vec<PasswordIssue>,
}

impl WeakPassword {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        "weak-password"
    }
}

fn sentences(issues: &[PasswordIssue]) -> String {
    let texts: Vec<String> = issues.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// One reason why a password may not be chosen. It never repeats a part of the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordIssue {
    /// Fewer characters than the floor.
    TooShort {
        /// How many there must be.
        floor: usize,
    },
    /// On the list of those that are tried first, or on it but for a short tail.
    Common,
    /// Made of the product's, the organisation's, the host's or the account's name.
    Context,
    /// The same characters again and again.
    Repetitive,
    /// Letters, digits or keys in their order.
    Sequence,
}

impl PasswordIssue {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "password-too-short",
            Self::Common => "password-common",
            Self::Context => "password-context",
            Self::Repetitive => "password-repetitive",
            Self::Sequence => "password-sequence",
        }
    }
}

impl fmt::Display for PasswordIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { floor } => write!(f, "it needs at least {floor} characters"),
            Self::Common => f.write_str("it is one of the passwords that attackers try first"),
            Self::Context => f.write_str("it is made of a name that anybody can see"),
            Self::Repetitive => f.write_str("it repeats a few characters"),
            Self::Sequence => f.write_str("it is a sequence of letters, digits or keys"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn codes(text: &str, profile: PasswordProfile, second_factor: SecondFactorState) -> Vec<&'static str> {
        let email: Email = "alice.liddell@wonderland.example".parse().expect("an address");
        let context = PasswordContext {
            email: &email,
            words: &["Acme Corp", "db-host-7"],
            second_factor,
        };
        let password = Password::new(text.to_owned()).expect("short enough");
        let checked = PasswordPolicy::new(profile).check(&password, &context);
        checked.map_or_else(|weak| weak.issues.iter().map(|issue| issue.code()).collect(), |()| Vec::new())
    }

    fn standard(text: &str) -> Vec<&'static str> {
        codes(text, PasswordProfile::Standard, SecondFactorState::Absent)
    }

    #[test]
    fn the_floor_counts_characters_not_bytes() {
        assert_eq!(standard("k7Qf2vm"), ["password-too-short"]);
        assert_eq!(standard("k7Qf2vmz"), [""; 0]);
        assert_eq!(standard("é7Öf2vñ"), ["password-too-short"]);
        // Seven characters in NFC, fourteen as typed.
        assert_eq!(
            standard("e\u{301}a\u{301}o\u{301}u\u{301}i\u{301}n\u{303}c\u{327}"),
            ["password-too-short"]
        );
        assert_eq!(standard(""), ["password-too-short"]);
    }

    #[test]
    fn the_nist_profile_wants_fifteen_characters_until_there_is_a_second_factor() {
        let nist = |text, second_factor| codes(text, PasswordProfile::Nist, second_factor);
        assert_eq!(nist("k7Qf2vmz9xT-pw", SecondFactorState::Absent), ["password-too-short"]);
        assert_eq!(nist("k7Qf2vmz9xT-pwd", SecondFactorState::Absent), [""; 0]);
        assert_eq!(nist("k7Qf2vmz", SecondFactorState::Active), [""; 0]);
        assert_eq!(nist("k7Qf2vm", SecondFactorState::Active), ["password-too-short"]);
    }

    #[test]
    fn nothing_is_asked_of_the_composition() {
        for text in [
            "correct horse battery staple",
            "👍🎈🍡🚀🐙🌵🍕🎹🦊🐢🌈🔥🎲🧩🪁",
            "   spaces are fine   ",
            "a ba ba ba ba b",
            "юный химик в лесу",
            "only-lower-case-letters-here",
            "密码是一个很长的句子",
        ] {
            assert_eq!(standard(text), [""; 0], "{text}");
        }
        assert_eq!(standard(&"x".repeat(1000)), ["password-repetitive"]);
        assert_eq!(standard(&"long and dull, ".repeat(68)), [""; 0]);
    }

    #[test]
    fn what_attackers_try_first_is_refused() {
        for text in ["password", "Password123!", "ILOVEYOU", "1qaz2wsx", "trustno1"] {
            assert!(standard(text).contains(&"password-common"), "{text}: {:?}", standard(text));
        }
    }

    #[test]
    fn names_that_anybody_can_see_are_refused() {
        for text in [
            "dangodangodango1",
            "Dango2026!",
            "alice.liddell2026!!!",
            "aliceliddell1865",
            "Liddell#1865#1865",
            "wonderland99999",
            "alice.liddell@wonderland.example",
            "acme corp 2026",
            "AcmeCorp1234",
            "acme-password-1",
            "db-host-7!db-host-7!",
        ] {
            assert!(standard(text).contains(&"password-context"), "{text}: {:?}", standard(text));
        }
        // A name inside something long that nobody can guess is no reason.
        assert_eq!(standard("alice sold my telescope for tea"), [""; 0]);
        assert_eq!(standard("tandangoreen paint"), [""; 0]);
    }

    #[test]
    fn repetition_and_sequences_are_told_apart() {
        assert_eq!(
            standard("zzzzzzzzzzzzzzz"),
            ["password-common", "password-repetitive"][usize::from(!is_common_password("zzzzzzzzzzzzzzz"))..]
        );
        assert_eq!(standard("bcdefghijklmnop1"), ["password-sequence"]);
    }

    #[test]
    fn every_reason_is_named_at_once_and_none_repeats_the_password() {
        let email: Email = "a@b.example".parse().expect("an address");
        let context = PasswordContext {
            email: &email,
            words: &[],
            second_factor: SecondFactorState::Absent,
        };
        let password = Password::new("dango12".to_owned()).expect("short enough");
        let weak = PasswordPolicy::default().check(&password, &context).expect_err("weak");
        let codes: Vec<_> = weak.issues.iter().map(|issue| issue.code()).collect();
        assert_eq!(codes, ["password-too-short", "password-context"]);
        assert!(!weak.to_string().contains("dango12"));
    }

    proptest! {
        #[test]
        fn random_passwords_of_twelve_characters_are_accepted(text in "[a-zA-Z0-9]{12}") {
            let found = standard(&text);
            // One in many thousands has a run or a name by chance; then the code says so.
            prop_assert!(found.is_empty() || found.iter().all(|code| ["password-sequence", "password-context"].contains(code)), "{:?}", found);
        }

        #[test]
        fn nothing_that_is_typed_breaks_the_policy(text in "\\PC{0,200}") {
            let found = standard(&text);
            // NFC makes at most three characters of one, so two stay below the floor.
            prop_assert!(text.chars().count() > 2 || found.contains(&"password-too-short"));
        }
    }
}
