//! After everything is encrypted, no six bytes of a value stand in any file of the project, in whatever spelling.

use dango_vault::{EnvTargets, Keys, Protection, Targets};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

use super::*;

const VALUES: [&str; 6] = [
    "qW7!xZp/k9+Lm 2$vB",
    "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END KEY-----",
    "8675309421",
    "2031-07-19",
    "pässwörd~ünique",
    "replacedLater_77",
];

fn spellings(window: &[u8]) -> Vec<Vec<u8>> {
    let mut found = vec![
        window.to_vec(),
        HEXLOWER.encode(window).into_bytes(),
        HEXUPPER.encode(window).into_bytes(),
    ];
    for encoding in [&BASE64_NOPAD, &BASE64URL_NOPAD] {
        for phase in 0..3usize {
            let shifted = [&vec![0; phase], window].concat();
            let encoded = encoding.encode(&shifted).into_bytes();
            found.push(encoded[(phase * 8).div_ceil(6)..shifted.len() * 8 / 6].to_vec());
        }
    }
    let percent: String = window
        .iter()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(*byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    found.push(percent.into_bytes());
    found
}

#[test]
fn nothing_of_a_value_is_left_anywhere() {
    let [one, pem, number, date, accents, old] = VALUES;
    let encoded = BASE64_NOPAD.encode(format!("x{one}").as_bytes());
    let hex = HEXUPPER.encode(&accents.as_bytes()[3..9]);
    let secrets = format!(
        "# the warehouse\n[sources.a]\nkey = \"{one}\" # {one}\nkey2 = '{one}' # as Base64: {encoded}\n\
         pem = \"\"\"\n{pem}\"\"\"\nnumber = {number} # {number}!\ndate = {date}\nlist = [\n  '{accents}', # {hex}\n]\n\
         table = {{ user = 'u', pass = '{accents}' }} # pass: {hex}\nchanged = '{old}'\n"
    );
    let env = format!("A='{one}' # {one}\nB=\"{pem}\"\nexport C={old} # {old}\n");
    let place = Place::with(&secrets, &env);
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let vault = vault(&place, &keys);
    let report = vault.encrypt_secrets(Targets::All).expect("encrypted");
    assert!(report.left.is_empty() && report.comment_lines.is_empty(), "{report:?}");
    let report = vault.encrypt_env(EnvTargets::All).expect("encrypted");
    assert!(report.left.is_empty() && report.comment_lines.is_empty(), "{report:?}");
    vault
        .set_secrets(&[(path("sources.a.changed"), string("somethingElse_88"))], Protection::Habit)
        .expect("set");
    vault
        .set_env(
            &"C".parse().expect("a name"),
            &secret("somethingElse_88"),
            References::Literal,
            Protection::Habit,
        )
        .expect("set");
    let files = place.files();
    assert!(files.iter().any(|(name, _)| name.ends_with("history")));
    for value in VALUES.iter().chain(&["somethingElse_88"]) {
        for window in value.as_bytes().windows(6) {
            for spelling in spellings(window) {
                for (name, bytes) in &files {
                    let is_there = bytes.windows(spelling.len()).any(|found| found == spelling);
                    assert!(!is_there, "{} in {name}", String::from_utf8_lossy(&spelling));
                }
            }
        }
    }
}

#[test]
fn comments_elsewhere_that_give_a_value_away_are_named_by_their_line() {
    let place = Place::with(
        "# old: first-value\n[sources.a]\n# harmless\nkey = 'first-value'\n# FIRST\n#key = 'first-value'\n",
        "# was other-value\nA=other-value\n",
    );
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let vault = vault(&place, &keys);
    assert_eq!(vault.encrypt_secrets(Targets::All).expect("encrypted").comment_lines, [1, 6]);
    assert_eq!(vault.encrypt_env(EnvTargets::All).expect("encrypted").comment_lines, [1]);
}
