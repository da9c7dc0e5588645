//! A tree as a large public one is: sources, their tests, documentation, hashes, identifiers. Nothing is found in it, and what is put into it is.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the test writes its tree and stops loudly"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use dango_scan::tree::{Files, Tree, search};
use dango_scan::{Formats, Scanner};

const FILES: usize = 2_000;
const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &str = "0123456789abcdef";

/// The same numbers each time.
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn text(&mut self, alphabet: &str, length: usize) -> String {
        (0..length)
            .map(|_| char::from(alphabet.as_bytes()[self.below(alphabet.len())]))
            .collect()
    }

    fn word(&mut self) -> &'static str {
        const WORDS: [&str; 16] = [
            "token",
            "secret",
            "password",
            "client",
            "session",
            "Request",
            "Handler",
            "access_key",
            "api_key",
            "credential",
            "value",
            "Default",
            "private_key",
            "parse",
            "Provider",
            "auth",
        ];
        WORDS[self.below(WORDS.len())]
    }

    fn uuid(&mut self) -> String {
        [8, 4, 4, 4, 12].map(|length| self.text(HEX, length)).join("-")
    }

    fn key(&mut self) -> String {
        let line = self.text(ALNUM, 60);
        format!("-----BEGIN PRIVATE KEY-----\nMIIE{line}\n-----END PRIVATE KEY-----\n")
    }

    /// The name of a file, and what public files of that kind hold.
    fn file(&mut self, number: usize) -> (String, String) {
        let mut text = String::new();
        for _ in 0..40 {
            let (a, b, c) = (self.word(), self.word(), self.word());
            let line = match self.below(6) {
                0 => format!("    let {a}_{b} = {c}.{a}({b}{});", self.below(100)),
                1 => format!("{a}_{b}: NonEmpty{c}MaxLength{}String", self.below(4096)),
                2 => format!("    \"{a}{b}\": {c}{a}Factory{}.get_{b}_{c}(),", self.below(10)),
                3 => format!("# {a} of the {b}: see https://example.org/{c}/{}", self.uuid()),
                4 => format!("{a}_id = \"{}\"", self.uuid()),
                _ => format!("export {a} = ${{{b}_{c}}}"),
            };
            writeln!(text, "{line}").unwrap();
        }
        let (random, hash) = (self.text(ALNUM, 32), self.text(HEX, 64));
        let (name, more) = match number % 12 {
            0 => (
                "src/lib.rs",
                format!("#[cfg(test)]\nmod tests {{ const KEY: &str = \"{}\"; }}\n", self.key()),
            ),
            1 => ("tests/data/server.pem", self.key()),
            2 => (
                "plugins/modules/zone.py",
                format!("EXAMPLES = r\"\"\"\n    api_key: {random}\n\"\"\"\n"),
            ),
            3 => ("Cargo.lock", format!("checksum = \"{hash}\"\n")),
            4 => (
                "package-lock.json",
                format!("\"integrity\": \"sha512-{}==\"\n", self.text(ALNUM, 86)),
            ),
            5 => ("pkg/auth_test.go", format!("token := \"{random}\"\n")),
            6 => (
                "docs/oauth.md",
                "    {\"access_token\":\"2YotnFZFEjr1zCsicMWpAA\",\n     \"refresh_token\":\"tGzv3JOkF0XG5Qx2TlKWIA\"}\n".to_owned(),
            ),
            7 => (
                "README.md",
                "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nDATABASE_URL=postgres://user:password@localhost/db\n".to_owned(),
            ),
            8 => ("src/keys.rs", format!("/// let key = \"{}\";\n", self.key())),
            9 => (
                "roles/db.yml",
                format!("password: md5{}\npassword_hash: {hash}\n", self.text(HEX, 32)),
            ),
            10 => (
                "web/app.min.js",
                format!("!function(e){{e.csrfToken=\"{random}\",e.nextPageToken=\"{random}\"}}();\n"),
            ),
            _ => ("k8s/version.go", format!("const secretVersion = \"{}\"\n", self.uuid())),
        };
        (format!("{number}/{name}"), text + &more)
    }
}

fn put(top: &Path, name: &str, text: &str) {
    let path = top.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Where something is found.
fn found(top: &Path) -> Vec<String> {
    let (scanner, _) = Scanner::new([], Formats::Sought);
    let roots: [PathBuf; 1] = [top.to_path_buf()];
    let tree = Tree {
        roots: &roots,
        files: Files::All,
        base: top,
        stores: &[],
        repository: None,
    };
    let survey = search(&scanner, &tree).unwrap();
    assert!(survey.texts >= FILES as u64);
    let place = |finding: &dango_scan::Finding| format!("{} {}", finding.file, finding.rule);
    survey.findings.iter().map(place).collect()
}

#[test]
fn in_a_public_tree_nothing_is_found_but_what_was_put_there() {
    let top = tempfile::tempdir().unwrap();
    let mut drawn = Drawn(42);
    for number in 0..FILES {
        let (name, text) = drawn.file(number);
        put(top.path(), &name, &text);
    }
    assert_eq!(found(top.path()), [""; 0]);
    let random = drawn.text(ALNUM, 32);
    put(top.path(), "0/src/config.rs", &format!("const API_KEY: &str = \"{random}\";\n"));
    put(top.path(), "1/deploy/key.pem", &drawn.key());
    put(top.path(), "1/tests/data/token.txt", &format!("sk_live_{random}\n"));
    assert_eq!(
        found(top.path()),
        [
            "0/src/config.rs secret-assignment",
            "1/deploy/key.pem private-key",
            "1/tests/data/token.txt stripe-key"
        ]
    );
}
