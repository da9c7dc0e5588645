//! What is written for a reader or for a test: by a file's name, by what stands before it in a file, and texts that standards have printed.
//! General formats (keys, tokens and passwords of no one provider) are not told there; formats of providers and stored values always are.

use memchr::memmem::Finder;

/// Folders of tests and examples.
const FOLDERS: [&str; 24] = [
    "test",
    "tests",
    "testing",
    "testdata",
    "test_data",
    "test-data",
    "testsuite",
    "test-suite",
    "test_suite",
    "__tests__",
    "spec",
    "specs",
    "fixture",
    "fixtures",
    "cassettes",
    "mock",
    "mocks",
    "example",
    "examples",
    "samples",
    "benches",
    "molecule",
    "certdata",
    "vectors",
];

/// What the last word of such a folder's name is, where it has several (`integration-tests`).
const LAST_WORDS: [&str; 6] = ["test", "tests", "fixtures", "mocks", "examples", "vectors"];

/// What the name of such a folder begins with (`dummyserver`).
const BEGINNINGS: [&str; 2] = ["dummy", "fake"];

/// Endings of programs' sources: only of these does a name like `orders_test.go` say something.
const SOURCES: [&str; 24] = [
    "c", "cc", "cpp", "cs", "ex", "exs", "go", "h", "hpp", "java", "js", "jsx", "kt", "mjs", "php", "pl", "py", "rb", "rs", "scala",
    "swift", "ts", "tsx", "vue",
];

/// Packages of compiled programs: what is in them was compiled from sources, which are searched where they are.
const PACKAGES: [&str; 3] = [".jar", ".class", ".pyc"];

/// Whether a file is one of tests or examples, or a compiled program, by its name below the folder that is searched, which itself says nothing.
pub(crate) fn is_named_so(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let (folders, file) = lower.rsplit_once('/').unwrap_or(("", &lower));
    folders.split('/').any(is_folder) || is_file(file)
}

fn is_folder(folder: &str) -> bool {
    let words = || folder.split(['-', '_', '.', ' ']);
    FOLDERS.contains(&folder)
        || words().count() > 1 && words().next_back().is_some_and(|last| LAST_WORDS.contains(&last))
        || folder.contains("test-suite")
        || BEGINNINGS.iter().any(|beginning| folder.starts_with(beginning))
}

fn is_file(file: &str) -> bool {
    if PACKAGES.iter().any(|ending| file.ends_with(ending)) {
        return true;
    }
    let Some((stem, ending)) = file.rsplit_once('.') else {
        return false;
    };
    let words: Vec<&str> = stem.split(['-', '_', '.']).collect();
    let is_test = |word: Option<&&str>| matches!(word, Some(&("test" | "tests" | "spec")));
    // `orders_test.go`, `test_orders.py`, `orders.spec.ts`, `tests.rs`; not `test.py`, which people call what they try out.
    let is_source = SOURCES.contains(&ending) && (stem == "tests" || words.len() > 1 && (is_test(words.first()) || is_test(words.last())));
    is_source || words.contains(&"examples")
}

/// Behind these texts a file holds tests or examples: Rust's tests, which stand at the end of what they test, and the documentation of Ansible's
/// modules.
pub(crate) struct Beginnings([Finder<'static>; 2]);

impl Beginnings {
    pub(crate) fn new() -> Self {
        Self(["#[cfg(test)]", "\nEXAMPLES = "].map(Finder::new))
    }

    /// Where in a text the first one stands.
    pub(crate) fn first_in(&self, text: &[u8]) -> Option<usize> {
        self.0.iter().filter_map(|finder| finder.find(text)).min()
    }
}

/// Whether what stands here is shown to a reader: on a line of documentation (`///`, `//!`, `>>>`), or behind "for example" and "e.g.", in the address of a badge.
pub(crate) fn is_shown(text: &[u8], at: usize) -> bool {
    /// How far back the words may be, and how far the line may begin.
    const BEFORE: usize = 240;
    let before = &text[at.saturating_sub(BEFORE)..at];
    let line = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(before, |end| &before[end + 1..]);
    let is_whole = line.len() < BEFORE;
    let begins = |mark: &[u8]| is_whole && line.trim_ascii_start().starts_with(mark);
    let says = |words: &[u8]| line.windows(words.len()).any(|window| window.eq_ignore_ascii_case(words));
    begins(b"///") || begins(b"//!") || begins(b">>>") || says(b"for example") || says(b"e.g. ") || says(b"badge")
}

/// Tokens and keys that standards and manuals print, so that they open nothing; each with where it is printed.
const PRINTED: [(&[u8], &str); 11] = [
    (b"2YotnFZFEjr1zCsicMWpAA", "RFC 6749 §4.1.4, an access token"),
    (b"tGzv3JOkF0XG5Qx2TlKWIA", "RFC 6749 §4.1.4, a refresh token"),
    (b"SplxlOBeZQQYbYS6WxSbIA", "RFC 6749 §4.1.2, a code"),
    (b"7Fjfp0ZBr1KtDRbnfVdmIw", "RFC 6749 §2.3.1, a client's secret"),
    (b"czZCaGRSa3F0MzpnWDFmQmF0M2JW", "RFC 6749 §2.3.1, the same client in a header"),
    (b"QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "RFC 7617 §2, Aladdin"),
    (b"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "RFC 7636 appendix B, a verifier"),
    (b"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "RFC 7636 appendix B, a challenge"),
    (b"cf136dc3c1fc93f31185e5885805d", "RFC 7591 §3.2.1, a client's secret"),
    (
        b"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
        "Microsoft Learn, the account of the Azurite emulator",
    ),
    (
        b"C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==",
        "Microsoft Learn, the account of the Cosmos DB emulator",
    ),
];

/// Whether a text ends with one of those.
pub(crate) fn is_printed(text: &[u8]) -> bool {
    PRINTED.iter().any(|(printed, _)| text.ends_with(printed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_tests_and_examples_are_known_by_their_names() {
        for name in [
            "tests/keys/server.pem",
            "a/dummyserver/certs/ca.key",
            "roles/x/integration-tests/b.yml",
            "aws-signing-test-suite/v4/context.json",
            "src/keys/tests.rs",
            "config/kube_config_test.py",
            "crypto/x509_test.cc",
            "web/login.spec.ts",
            "apis/kms.examples.json",
            "lib/netty.jar",
            "Fixtures/KEY",
        ] {
            assert!(is_named_so(name), "{name}");
        }
        for name in [
            "test.py",
            "test.pem",
            "test_key.pem",
            "tests.pem",
            "contest/a.py",
            "latest/config.yml",
            "test-shop/config.py",
            "src/attest.rs",
            ".env.example",
            "config/settings.py",
            "spec",
        ] {
            assert!(!is_named_so(name), "{name}");
        }
    }

    #[test]
    fn a_line_that_shows_something_is_told_from_one_that_uses_it() {
        let shown = |text: &str| is_shown(text.as_bytes(), text.find('@').unwrap());
        assert!(shown("a\n    /// let key = \"@\""));
        assert!(shown(">>> login('@')"));
        assert!(shown("The key. For example, `@`"));
        assert!(!shown("// For example, see above\nkey = \"@\""));
        assert!(!shown("host = \"db.example.com\", key = \"@\""));
        assert!(
            !shown(&format!("//! {}@", "x".repeat(300))),
            "one long line is none of documentation"
        );
    }
}
