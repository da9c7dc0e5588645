//! How dlt spells a path as an environment variable and as a file below `/run/secrets`, and back; nothing is looked up here.

use std::fmt;

use dango_core::CredentialPath;

/// The name of an environment variable that dlt looks up: any text but the empty one, without `=` and NUL.
///
/// It may hold characters that a shell cannot export (`MY-SRC__API-KEY`); [`Self::is_exportable`] tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnvironmentName(String);

impl EnvironmentName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a shell can export it: an ASCII letter or `_`, then letters, digits and `_` (POSIX.1-2024, XBD 8.1).
    ///
    /// A program can set any other name for a program that it starts, which is what `dango run` does.
    pub fn is_exportable(&self) -> bool {
        let mut bytes = self.0.bytes();
        bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// The file below `/run/secrets` that dlt reads for this variable if a secret is asked for: see [`run_secret_name`].
    pub fn run_secret_name(&self) -> String {
        run_secret_name(&self.0)
    }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for EnvironmentName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Why a path has no variable in any environment (POSIX.1-2024, XBD 8.1: a name holds neither `=` nor NUL).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// A key has an equals sign.
    #[error("{path} cannot be an environment variable: a key of it holds `=`")]
    EqualsSign {
        /// The path.
        path: CredentialPath,
    },
    /// A key has the character NUL.
    #[error("{path} cannot be an environment variable: a key of it holds the character NUL")]
    Nul {
        /// The path.
        path: CredentialPath,
    },
    /// Every key is empty.
    #[error("{path} cannot be an environment variable: the name would be empty")]
    Empty {
        /// The path.
        path: CredentialPath,
    },
}

impl NameError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EqualsSign { .. } => "variable_equals_sign",
            Self::Nul { .. } => "variable_nul",
            Self::Empty { .. } => "variable_empty",
        }
    }
}

/// The variable that dlt reads a path from: its keys joined by `__` and upper-cased.
///
/// Dashes, dots and every other character stay; upper-casing follows Unicode as Python's does (`ß` becomes `SS`).
/// An empty key is left out unless it is the last one, as dlt leaves it out. Two paths can have one name
/// (`a.B` and `A.b`, `a.b__c` and `a.b.c`); whoever fills an environment has to notice.
///
/// ```
/// use dango_secrets::dlt::variable_name;
///
/// let name = variable_name(&"sources.my-src.api_key".parse()?)?;
/// assert_eq!(name.as_str(), "SOURCES__MY-SRC__API_KEY");
/// assert!(!name.is_exportable(), "no shell can export a dash");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`NameError`] where the name could be in no environment.
pub fn variable_name(path: &CredentialPath) -> Result<EnvironmentName, NameError> {
    let name = looked_up_name(path);
    let path = || path.clone();
    if name.is_empty() {
        Err(NameError::Empty { path: path() })
    } else if name.contains('=') {
        Err(NameError::EqualsSign { path: path() })
    } else if name.contains('\0') {
        Err(NameError::Nul { path: path() })
    } else {
        Ok(EnvironmentName(name))
    }
}

/// The text that dlt asks the environment for, whether a variable can have that name or not.
pub(super) fn looked_up_name(path: &CredentialPath) -> String {
    let sections = path.parts().len() - 1;
    let mut name = String::new();
    for (index, part) in path.parts().iter().enumerate() {
        if index < sections && part.is_empty() {
            continue;
        }
        name.push_str(part);
        if index < sections {
            name.push_str("__");
        }
    }
    name.to_uppercase()
}

/// The file below `/run/secrets` that dlt reads before the variable of this name: lower-cased, `_` turned into `-`.
///
/// A directory of that name with a file of the same name in it works as well. Where a key holds `/`, so does the result.
pub fn run_secret_name(variable: &str) -> String {
    variable.to_lowercase().replace('_', "-")
}

/// The path that a variable stands for: split at `__`, lower-cased; `None` for the empty name.
///
/// No key is empty: more than two `_` in a row belong to the key behind them, and leading or trailing ones to the
/// key they stand at, so [`variable_name`] of the result is the (ASCII, upper-case) name again.
///
/// ```
/// use dango_secrets::dlt::path_of;
///
/// let path = path_of("SOURCES__STRIPE__API_KEY").expect("not empty");
/// assert_eq!(path.to_string(), "sources.stripe.api_key");
/// ```
pub fn path_of(name: &str) -> Option<CredentialPath> {
    if name.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(rest) = name.get(at..) {
        let Some(found) = rest.find("__").map(|offset| at + offset) else {
            break;
        };
        let behind = found + 2;
        if found == start || behind == name.len() {
            // A key may begin with `_`: the first of the two belongs to it.
            at = found + 1;
            continue;
        }
        parts.push(name[start..found].to_lowercase());
        (start, at) = (behind, behind);
    }
    parts.push(name[start..].to_lowercase());
    CredentialPath::from_parts(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path<const N: usize>(parts: [&str; N]) -> CredentialPath {
        CredentialPath::from_parts(parts).expect("not empty")
    }

    fn name<const N: usize>(parts: [&str; N]) -> String {
        variable_name(&path(parts)).expect("a name").to_string()
    }

    #[test]
    fn a_path_is_spelled_as_dlt_spells_it() {
        assert_eq!(name(["sources", "stripe", "api_key"]), "SOURCES__STRIPE__API_KEY");
        assert_eq!(name(["my-src", "my.key"]), "MY-SRC__MY.KEY");
        assert_eq!(name(["straße", "ŉ", "ǆ", "ﬁ"]), "STRASSE__ʼN__Ǆ__FI");
        assert_eq!(name(["", "a", "", "b"]), "A__B", "dlt leaves out empty sections");
        assert_eq!(name(["a", ""]), "A__", "but not an empty key");
    }

    #[test]
    fn a_name_that_no_environment_can_hold_is_refused() {
        let code = |path| variable_name(&path).map_err(|error| error.code());
        assert_eq!(code(path(["a=b"])), Err("variable_equals_sign"));
        assert_eq!(code(path(["a\0"])), Err("variable_nul"));
        assert_eq!(code(path([""])), Err("variable_empty"));
    }

    #[test]
    fn only_names_that_posix_allows_are_exportable() {
        for (part, exportable) in [
            ("api_key", true),
            ("_a1", true),
            ("api-key", false),
            ("1a", false),
            ("a.b", false),
            ("ключ", false),
        ] {
            let name = variable_name(&path([part])).expect("a name");
            assert_eq!(name.is_exportable(), exportable, "{part}");
        }
    }

    #[test]
    fn a_run_secret_is_named_in_lower_case_with_dashes() {
        assert_eq!(run_secret_name("SOURCES__STRIPE__API_KEY"), "sources--stripe--api-key");
        assert_eq!(run_secret_name("STRASSE.X"), "strasse.x");
    }

    #[test]
    fn a_variable_names_the_path_it_is_read_for() {
        let parts = |name: &str| path_of(name).map(|path| path.parts().to_vec());
        assert_eq!(parts(""), None);
        assert_eq!(parts("API_KEY"), Some(vec!["api_key".to_owned()]));
        assert_eq!(parts("A__B_C__D"), Some(vec!["a".to_owned(), "b_c".to_owned(), "d".to_owned()]));
        assert_eq!(parts("A____B"), Some(vec!["a".to_owned(), "__b".to_owned()]));
        assert_eq!(parts("__A__"), Some(vec!["__a__".to_owned()]));
        assert_eq!(parts("____"), Some(vec!["_".to_owned(), "_".to_owned()]));
    }

    proptest! {
        #[test]
        fn every_upper_case_name_comes_back(text in "[A-Z_0-9]{1,12}") {
            let path = path_of(&text).expect("not empty");
            prop_assert!(path.parts().iter().all(|part| !part.is_empty()));
            let name = variable_name(&path).expect("a name");
            prop_assert_eq!(name.as_str(), text);
        }

        #[test]
        fn no_name_panics(text in "\\PC{0,20}") {
            let _ = path_of(&text);
        }
    }
}
