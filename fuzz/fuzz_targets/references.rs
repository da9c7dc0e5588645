//! A text keeps its letters, and resolving it ends.
#![no_main]

use dango_core::{CredentialPath, SecretValue, VariableName};
use dango_secrets::{Lookup, Text};
use libfuzzer_sys::fuzz_target;

struct Half;

impl Lookup for Half {
    fn variable(&self, name: &VariableName) -> Result<Option<SecretValue>, Vec<VariableName>> {
        match name.as_str().len() % 3 {
            0 => Ok(SecretValue::new(format!("${{{name}}}")).ok()),
            1 => Ok(None),
            _ => Ok(SecretValue::new(String::new()).ok()),
        }
    }
}

fuzz_target!(|text: &str| {
    let read = Text::from_plain(text);
    assert_eq!(read.verbatim().as_str(), text);
    let path = CredentialPath::from_parts(["k"]).expect("not empty");
    let resolved = read.resolve(&path, &Half);
    if !read.has_reference() {
        assert_eq!(resolved.expect("nothing to look up").as_str(), text);
    }
});
