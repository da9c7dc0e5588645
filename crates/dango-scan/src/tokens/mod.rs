//! Formats of well-known tokens: found by a fixed text that each has, then held against the whole format, its checksum included.

mod anchors;
mod applications;
mod assignment;
mod checks;
mod cloud;
mod curl;
mod jwt;
mod private_key;
mod shape;
mod url;
mod words;

pub(crate) use anchors::Anchors;

use shape::Shape;

/// How much of a digest of a token a baseline may tell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strength {
    /// A machine made it from 64 random bits or more.
    Random,
    /// A person may have thought it up.
    Guessable,
}

/// One format.
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    /// For people, with its article.
    pub(crate) what: &'static str,
    /// Who defines the format.
    source: &'static str,
    pub(crate) strength: Strength,
    anchors: &'static [Anchor],
}

/// A fixed text, of at least three bytes, by which a format is found.
struct Anchor {
    text: &'static str,
    matcher: Matcher,
}

enum Matcher {
    /// The text begins the format or stands in it.
    Shape(Shape),
    /// A function looks around; the text is found in either case.
    Around(fn(&[u8], usize) -> Option<Match>),
}

/// A token in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// What a rule is, for a list of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleFacts {
    /// The stable word that findings carry.
    pub id: &'static str,
    /// What it finds.
    pub what: &'static str,
    /// Who defines the format.
    pub source: &'static str,
}

/// The rule of values that the project stores.
pub(crate) const KNOWN_VALUE: RuleFacts = RuleFacts {
    id: "known-value",
    what: "a value that the project stores",
    source: "the project's own .dlt/secrets.toml and .env",
};

/// Lists every rule, the project's own values first.
pub fn rules() -> impl Iterator<Item = RuleFacts> {
    let facts = |rule: &Rule| RuleFacts {
        id: rule.id,
        what: rule.what,
        source: rule.source,
    };
    std::iter::once(KNOWN_VALUE).chain(all().map(facts))
}

/// Every format; the more special ones first.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    cloud::RULES.iter().chain(&applications::RULES).chain(&GENERAL)
}

/// Whether a rule is of no one provider: test suites and examples have keys, tokens and passwords of their own that open nothing.
pub(crate) fn is_general(rule: &str) -> bool {
    GENERAL.iter().any(|general| general.id == rule)
}

/// Formats of no one provider.
static GENERAL: [Rule; 5] = [
    Rule {
        id: "private-key",
        what: "a private key",
        source: "RFC 7468 §10 and §11, RFC 4880 §6.2, OpenSSH PROTOCOL.key, PuTTY's PPK",
        strength: Strength::Random,
        anchors: &[
            Anchor::around("-----BEGIN", private_key::pem),
            Anchor::around("PuTTY-User-Key-File-", private_key::putty),
        ],
    },
    Rule {
        id: "json-web-token",
        what: "a signed JSON Web Token",
        source: "RFC 7519 §3, RFC 7515 §7.1",
        strength: Strength::Random,
        anchors: &[Anchor::around("eyJ", jwt::signed)],
    },
    Rule {
        id: "url-password",
        what: "a password in a URL",
        source: "RFC 3986 §3.2.1",
        strength: Strength::Guessable,
        anchors: &[Anchor::around("://", url::password)],
    },
    Rule {
        id: "curl-login",
        what: "a login on a command line of curl",
        source: "curl's manual, `--user`",
        strength: Strength::Guessable,
        anchors: &[Anchor::around("curl ", curl::login)],
    },
    Rule {
        id: "secret-assignment",
        what: "a random text that is assigned to the name of a secret",
        source: "our own: a name such as `api_key`, and a text with neither words nor structure",
        strength: Strength::Guessable,
        anchors: &[
            Anchor::around("passw", assignment::value),
            Anchor::around("pwd", assignment::value),
            Anchor::around("secret", assignment::value),
            Anchor::around("token", assignment::value),
            Anchor::around("apikey", assignment::value),
            Anchor::around("api_key", assignment::value),
            Anchor::around("api-key", assignment::value),
            Anchor::around("auth_key", assignment::value),
            Anchor::around("access_key", assignment::value),
            Anchor::around("accesskey", assignment::value),
            Anchor::around("private_key", assignment::value),
            Anchor::around("credential", assignment::value),
            Anchor::around("deploy_key", assignment::value),
            Anchor::around("encryption_key", assignment::value),
            Anchor::around("signing_key", assignment::value),
            Anchor::around("master_key", assignment::value),
            Anchor::around("\"auth\"", auth),
            Anchor::around("bearer ", assignment::header),
            Anchor::around("basic ", assignment::header),
        ],
    },
];

/// The member `"auth"`, as Docker keeps logins: its name begins behind the quote.
fn auth(text: &[u8], at: usize) -> Option<Match> {
    assignment::value(text, at + 1)
}

impl Anchor {
    const fn around(text: &'static str, look: fn(&[u8], usize) -> Option<Match>) -> Self {
        Self {
            text,
            matcher: Matcher::Around(look),
        }
    }
}

#[cfg(test)]
mod tests;
