//! A path that parses is written in one canonical form, which parses to an equal path.
#![no_main]

use dango_core::CredentialPath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(path) = text.parse::<CredentialPath>() {
        let canonical = path.to_string();
        assert_eq!(canonical.parse::<CredentialPath>().as_ref(), Ok(&path));
        assert!(!path.parts().is_empty());
        let name = dango_secrets::dlt::variable_name(&path);
        assert!(name.is_err() || !name.is_ok_and(|name| name.as_str().contains(['=', '\0'])));
    }
});
