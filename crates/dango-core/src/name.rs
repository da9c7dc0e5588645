//! Names that were checked once: sources, source types, environment variables, deployed projects and hosts.

use std::fmt;
use std::str::FromStr;

/// A text that is not a name of the wanted kind.
///
/// # Security
///
/// The text itself is not kept: `KEY=VALUE` typed where a key was asked for carries a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseNameError {
    /// Nothing at all.
    #[error("a {kind} must not be empty")]
    Empty {
        /// What was asked for.
        kind: &'static str,
    },
    /// Longer than allowed.
    #[error("a {kind} has at most {max} characters")]
    TooLong {
        /// What was asked for.
        kind: &'static str,
        /// The longest allowed, in characters.
        max: usize,
    },
    /// A character that the kind does not allow in this place.
    #[error("character {column} is not allowed in a {kind}: {rule}")]
    Character {
        /// What was asked for.
        kind: &'static str,
        /// The place of the character, from 1.
        column: usize,
        /// The rule in words.
        rule: &'static str,
    },
}

struct Rule {
    kind: &'static str,
    max: usize,
    first: fn(char) -> bool,
    rest: fn(char) -> bool,
    words: &'static str,
}

fn check(text: &str, rule: &Rule) -> Result<(), ParseNameError> {
    let kind = rule.kind;
    if text.is_empty() {
        return Err(ParseNameError::Empty { kind });
    }
    for (index, c) in text.chars().enumerate() {
        if index == rule.max {
            return Err(ParseNameError::TooLong { kind, max: rule.max });
        }
        let allowed = if index == 0 { (rule.first)(c) } else { (rule.rest)(c) };
        if !allowed {
            return Err(ParseNameError::Character {
                kind,
                column: index + 1,
                rule: rule.words,
            });
        }
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $rule:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseNameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                check(text, &$rule)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// The name of an environment variable that every shell can export: a letter or `_`, then
    /// letters, digits and `_` (POSIX.1-2024, XBD 8.1), ASCII only, at most 128 characters.
    VariableName,
    Rule {
        kind: "variable name",
        max: 128,
        first: |c| c.is_ascii_alphabetic() || c == '_',
        rest: |c| c.is_ascii_alphanumeric() || c == '_',
        words: "letters, digits and `_`, and no digit first",
    }
);

name!(
    /// The name of a configured source: an ASCII letter, then letters, digits, `_` and `-`, at most 64 characters.
    ///
    /// It becomes a key in `secrets.toml` and a part of a variable's name, never a file name.
    SourceName,
    Rule {
        kind: "source name",
        max: 64,
        first: |c| c.is_ascii_alphabetic(),
        rest: |c| c.is_ascii_alphanumeric() || c == '_' || c == '-',
        words: "letters, digits, `_` and `-`, and a letter first",
    }
);

name!(
    /// The name of a source type of the catalogue: lower-case ASCII letters, digits and `_`, a letter first, at most 64 characters.
    SourceType,
    Rule {
        kind: "source type",
        max: 64,
        first: |c| c.is_ascii_lowercase(),
        rest: |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_',
        words: "lower-case letters, digits and `_`, and a letter first",
    }
);

name!(
    /// The name of a deployed project: an ASCII letter, then letters, digits, `_` and `-`, at most 64 characters.
    RemoteName,
    Rule {
        kind: "remote's name",
        max: 64,
        first: |c| c.is_ascii_alphabetic(),
        rest: |c| c.is_ascii_alphanumeric() || c == '_' || c == '-',
        words: "letters, digits, `_` and `-`, and a letter first",
    }
);

name!(
    /// The name or the address of a host, or an alias of it: ASCII letters, digits, `.`, `_`, `-`, `:` and `%`, at most 253
    /// characters. It says nothing about whether there is such a host.
    ///
    /// # Security
    ///
    /// It begins with no `-`, so no program takes it for an option, and nothing in it means something to a shell
    /// (CVE-2023-51385). A name of other letters is given in its ASCII form (RFC 5890 §2.3.2.1, `xn--…`).
    HostName,
    Rule {
        kind: "host",
        max: 253,
        first: |c| c.is_ascii_alphanumeric() || c == ':',
        rest: |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '%'),
        words: "letters, digits, `.`, `_` and `-`, and no `-` first",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_host_is_an_option_or_means_something_to_a_shell() {
        for bad in [
            "",
            "-oProxyCommand=x",
            "a b",
            "a;b",
            "$(id)",
            "a`b",
            "a\nb",
            "é.example",
            "a@b",
            "a/b",
            ".a",
        ] {
            assert!(bad.parse::<HostName>().is_err(), "{bad:?}");
        }
        for good in [
            "example.org",
            "10.0.0.1",
            "::1",
            "fe80::1%eth0",
            "xn--bcher-kva.example",
            "my_alias",
        ] {
            assert!(good.parse::<HostName>().is_ok(), "{good}");
        }
    }

    #[test]
    fn variable_names_follow_posix() {
        for good in ["A", "_", "STRIPE_API_KEY", "a1"] {
            assert!(good.parse::<VariableName>().is_ok(), "{good}");
        }
        for bad in ["", "1A", "A-B", "A.B", "A B", "Ä", "A=B", "A\0"] {
            assert!(bad.parse::<VariableName>().is_err(), "{bad:?}");
        }
        assert!("A".repeat(128).parse::<VariableName>().is_ok());
        assert!("A".repeat(129).parse::<VariableName>().is_err());
    }

    #[test]
    fn a_refused_name_is_not_repeated() {
        let error = "KEY=canary".parse::<VariableName>().expect_err("has an equals sign");
        assert_eq!(
            error.to_string(),
            "character 4 is not allowed in a variable name: letters, digits and `_`, and no digit first"
        );
    }

    #[test]
    fn source_names_cannot_leave_a_folder() {
        for bad in ["../x", "/x", "a/b", "a\\b", "CON:", "-x", "a.b", "1a"] {
            assert!(bad.parse::<SourceName>().is_err(), "{bad:?}");
        }
        assert!("stripe-test_2".parse::<SourceName>().is_ok());
    }
}
