//! What may enter the dependency tree, checked offline from `deny.toml`: licences, banned crates and where packages come from.

use toml_edit::{DocumentMut, Item};

use super::Finding;
use super::metadata::{Metadata, Package};
use super::tree::SourceTree;
use crate::step::Failure;

const POLICY: &str = "deny.toml";

/// The name by which cargo calls the public registry, whatever it is replaced by on a machine.
const PUBLIC_REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The part of `deny.toml` that can be checked without asking anyone.
struct Policy {
    licenses: Vec<String>,
    banned: Vec<String>,
}

/// Checks every package of the tree, those of other platforms and of tests included.
pub(super) fn check(tree: &SourceTree, metadata: &Metadata) -> Result<Vec<Finding>, Failure> {
    let Some(file) = tree.file(POLICY) else {
        return Ok(vec![Finding::in_file(
            POLICY,
            "it does not exist",
            "say there which licences and crates may enter",
        )]);
    };
    let policy = parse(&file.text)?;
    Ok(metadata.packages().flat_map(|package| judge(&policy, package)).collect())
}

fn judge(policy: &Policy, package: &Package) -> Vec<Finding> {
    let Package { name, version, .. } = package;
    let mut findings = Vec::new();
    let mut found = |problem: String, fix: &str| findings.push(Finding::in_file(POLICY, problem, fix));
    if policy.banned.contains(name) {
        found(
            format!("{name} {version} is banned"),
            "turn off the feature that brings it: `cargo tree --invert` names it",
        );
    }
    match package.source.as_deref() {
        None if !package.ours => found(
            format!("{name} {version} comes from a folder outside the workspace"),
            "depend on a released version",
        ),
        None | Some(PUBLIC_REGISTRY) => {}
        Some(source) => found(
            format!("{name} {version} comes from {source}"),
            "depend on the version that crates.io has",
        ),
    }
    if !package.ours
        && !package
            .license
            .as_deref()
            .is_some_and(|license| is_allowed(license, &policy.licenses))
    {
        let license = package.license.as_deref().unwrap_or("not stated");
        found(
            format!("the licence of {name} {version} is {license}"),
            "do without the crate, or allow the licence and say why",
        );
    }
    findings
}

fn parse(text: &str) -> Result<Policy, Failure> {
    let document: DocumentMut = text
        .parse()
        .map_err(|error| Failure::new(format!("cannot parse {POLICY}: {error}")))?;
    let list = |table: &str, key: &str, text_of: fn(&toml_edit::Value) -> Option<&str>| {
        let array = document.get(table).and_then(|table| table.get(key)).and_then(Item::as_array);
        let array = array.ok_or_else(|| Failure::new(format!("{POLICY} has no array `{key}` in [{table}]")))?;
        Ok(array.iter().filter_map(text_of).map(str::to_owned).collect())
    };
    Ok(Policy {
        licenses: list("licenses", "allow", |entry| entry.as_str())?,
        banned: list("bans", "deny", |entry| {
            entry
                .as_inline_table()
                .and_then(|table| table.get("crate"))
                .and_then(toml_edit::Value::as_str)
        })?,
    })
}

/// Says whether an SPDX expression can be met with the allowed licences alone; what does not parse is not allowed.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    // Packages from before SPDX expressions write `/` for OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Expression { words: &words, allowed };
    let verdict = reader.any_of();
    reader.words.is_empty() && verdict == Some(true)
}

/// What is left of an expression; each method reads its part and answers whether that part can be met.
struct Expression<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl Expression<'_> {
    fn any_of(&mut self) -> Option<bool> {
        let mut met = self.all_of()?;
        while self.take("OR") {
            met |= self.all_of()?;
        }
        Some(met)
    }

    fn all_of(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.take("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let met = self.any_of()?;
            return self.take(")").then_some(met);
        }
        let (license, rest) = self.words.split_first()?;
        self.words = rest;
        if !self.take("WITH") {
            return Some(self.allowed.iter().any(|allowed| allowed == license));
        }
        let (exception, rest) = self.words.split_first()?;
        self.words = rest;
        let whole = format!("{license} WITH {exception}");
        Some(self.allowed.contains(&whole))
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::metadata::samples;
    use super::*;

    const SAMPLE: &str =
        "[licenses]\nallow = [\"MIT\", \"Apache-2.0 WITH LLVM-exception\"]\n[bans]\ndeny = [{ crate = \"openssl\", reason = \"x\" }]\n";

    fn problems(others: &[(&str, &str, &str, &str)]) -> Vec<String> {
        let findings = check(
            &SourceTree::of(&[(POLICY, SAMPLE)]),
            &samples::workspace(&[("dango-core", &[])], others),
        )
        .expect("the sample parses");
        findings.into_iter().map(|finding| finding.problem).collect()
    }

    #[test]
    fn a_licence_that_is_not_allowed_is_found() {
        assert_eq!(
            problems(&[("a", "GPL-3.0-only", PUBLIC_REGISTRY, "dango-core")]),
            ["the licence of a 1.2.3 is GPL-3.0-only"]
        );
        assert_eq!(
            problems(&[("a", "MIT OR GPL-3.0-only", PUBLIC_REGISTRY, "dango-core")]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_banned_crate_is_found() {
        assert_eq!(
            problems(&[("openssl", "MIT", PUBLIC_REGISTRY, "dango-core")]),
            ["openssl 1.2.3 is banned"]
        );
    }

    #[test]
    fn a_package_from_elsewhere_is_found() {
        assert_eq!(
            problems(&[("a", "MIT", "git+ssh://host/a", "dango-core")]),
            ["a 1.2.3 comes from git+ssh://host/a"]
        );
    }

    #[test]
    fn a_policy_without_a_list_of_licences_is_an_error() {
        assert!(parse("[bans]\ndeny = []\n").is_err());
    }

    #[test]
    fn licence_expressions_are_read_as_spdx_says() {
        let allowed = ["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        for met in [
            "MIT",
            "MIT/Apache-2.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0-only",
        ] {
            assert!(is_allowed(met, &allowed), "{met}");
        }
        for unmet in [
            "",
            "Apache-2.0",
            "MIT AND GPL-2.0-only",
            "(MIT",
            "MIT MIT",
            "MIT WITH LLVM-exception",
            "OR MIT",
        ] {
            assert!(!is_allowed(unmet, &allowed), "{unmet}");
        }
    }
}
