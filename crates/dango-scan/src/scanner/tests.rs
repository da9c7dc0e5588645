//! Known values in every spelling, at every place, and never in what comes out.

use dango_core::SecretValue;
use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};
use proptest::prelude::*;

use super::*;

fn scanner(values: &[(&str, &str)]) -> Scanner {
    let values = values
        .iter()
        .map(|(name, text)| KnownValue::new(*name, SecretValue::new((*text).to_owned()).unwrap()));
    Scanner::new(values, Formats::Sought).0
}

fn paths(hits: &[Hit]) -> Vec<&str> {
    let path = |hit| match hit {
        &Hit {
            subject: Subject::Known { ref path, .. },
            ..
        } => path.as_str(),
        _ => "a token",
    };
    hits.iter().map(path).collect()
}

const VALUE: &str = "p4ss w%rd/\"quoted\"";

#[test]
fn a_value_is_found_in_every_usual_spelling_wherever_it_begins() {
    let scanner = scanner(&[("sources.a.password", VALUE)]);
    let mut spellings = vec![
        VALUE.to_owned(),
        HEXLOWER.encode(VALUE.as_bytes()),
        HEXUPPER.encode(VALUE.as_bytes()),
        "p4ss%20w%25rd%2F%22quoted%22".to_owned(),
        "p4ss+w%25rd%2f%22quoted%22".to_owned(),
        "p4ss w%rd/\\\"quoted\\\"".to_owned(),
        "p4ss w%rd\\/\\\"quoted\\\"".to_owned(),
        "p4ss w%rd/\\u0022quoted\\u0022".to_owned(),
        "p4ss w%rd/&quot;quoted&quot;".to_owned(),
    ];
    for before in ["", "u", "us", "use"] {
        for after in ["", "r", "rs"] {
            let text = format!("{before}{VALUE}{after}");
            spellings.extend([BASE64.encode(text.as_bytes()), BASE64URL.encode(text.as_bytes())]);
        }
    }
    for (spelling, place) in spellings.iter().zip((0..).cycle()) {
        for begin in 0..9 {
            let text = format!("{}{spelling}\n", "x ".repeat(place % 5) + &"-".repeat(begin));
            let hits = scanner.scan(text.as_bytes());
            assert_eq!(paths(&hits), ["sources.a.password"], "spelling {place}, {begin} before");
        }
    }
}

#[test]
fn places_are_lines_and_characters() {
    let scanner = scanner(&[("K", "hunter22!")]);
    let hits = scanner.scan("é\nüüü hunter22! and hunter22!\r\n\n hunter22!".as_bytes());
    let places: Vec<(u64, u64)> = hits.iter().map(|hit| (hit.line, hit.column)).collect();
    assert_eq!(places, [(2, 5), (2, 19), (4, 2)]);
}

#[test]
fn a_value_within_another_and_a_token_that_is_stored_are_told_once_by_the_longer_name() {
    let key = format!("sk_live_{}", "4eC39HqLyjWDarjtT1zdp7dc");
    let scanner = scanner(&[("short", "hunter22!"), ("long", "hunter22!-and-more"), ("stripe", &key)]);
    assert_eq!(paths(&scanner.scan(b"hunter22!-and-more hunter22!")), ["long", "short"]);
    assert_eq!(paths(&scanner.scan(format!("key = '{key}'").as_bytes())), ["stripe"]);
}

#[test]
fn what_is_found_is_masked_in_a_name_and_a_name_without_it_stays() {
    let scanner = scanner(&[("K", "hunter22!")]);
    assert_eq!(scanner.mask("a/hunter22!/é-hunter22!.txt").as_deref(), Some("a/***/é-***.txt"));
    assert_eq!(scanner.mask("a/b.txt"), None);
}

#[test]
fn nothing_that_can_be_printed_holds_the_value() {
    let scanner = scanner(&[("K", "hunter22!")]);
    let hits = scanner.scan(b"hunter22!");
    assert_eq!(hits.len(), 1);
    assert!(!format!("{hits:?}").contains("hunter22"));
}

#[test]
fn a_file_full_of_findings_says_that_there_are_more() {
    let scanner = scanner(&[("K", "hunter22!")]);
    let text = "hunter22!\n".repeat(MOST_HITS + 1);
    let hits = scanner
        .search(text.as_bytes(), Sought::Everything, &mut Scratch::default())
        .unwrap();
    assert_eq!((hits.hits.len(), hits.is_cut), (MOST_HITS, true));
}

#[test]
fn only_the_projects_own_values_are_told_where_only_they_are_sought() {
    let scanner = scanner(&[("K", "hunter22!")]);
    let text = format!("hunter22! ghp_{}", "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6");
    assert_eq!(
        scanner
            .search(text.as_bytes(), Sought::Everything, &mut Scratch::default())
            .unwrap()
            .hits
            .len(),
        2
    );
    assert_eq!(
        paths(
            &scanner
                .search(text.as_bytes(), Sought::KnownValues, &mut Scratch::default())
                .unwrap()
                .hits
        ),
        ["K"]
    );
}

#[test]
fn formats_that_are_left_are_not_told() {
    let value = KnownValue::new("K", SecretValue::new("hunter22!".to_owned()).unwrap());
    let (scanner, left_out) = Scanner::new([value], Formats::Left);
    let text = format!("hunter22! ghp_{}", "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6");
    assert_eq!(paths(&scanner.scan(text.as_bytes())), ["K"]);
    assert_eq!((scanner.values(), left_out), (1, LeftOut(0)));
}

/// A reader that gives a text again and again, in pieces of odd sizes.
struct Long<'t> {
    text: &'t [u8],
    at: usize,
    left: usize,
}

impl Read for Long<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.left).min(4093);
        for byte in &mut buffer[..length] {
            *byte = self.text[self.at % self.text.len()];
            self.at += 1;
        }
        self.left -= length;
        Ok(length)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_text_of_many_windows_is_searched_as_if_it_were_one(line in 30usize..3000, cut in 0usize..40) {
        let scanner = scanner(&[("K", "hunter22!"), ("L", "-----long-and-42-----")]);
        let text = format!("{}hunter22! ghp_{} -----long-and-42-----\n", "é ".repeat(line / 3), "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6");
        let whole = 3 * WINDOW + cut;
        let rounds = whole.div_ceil(text.len()).min(MOST_HITS / 3);
        let length = (rounds * text.len()).min(whole);
        let source = Long { text: text.as_bytes(), at: 0, left: length };
        let hits = scanner.search(source, Sought::Everything, &mut Scratch::default()).unwrap().hits;
        let at_once = text.repeat(rounds);
        let expected = scanner.found_in(&at_once.as_bytes()[..length], 0..length, Sought::Everything, Nature::Text);
        prop_assert_eq!(hits.len(), expected.len());
        let column = (line / 3 * 2 + 1) as u64;
        for (number, hit) in hits.iter().enumerate() {
            prop_assert_eq!(hit.line, number as u64 / 3 + 1);
            if number % 3 == 0 {
                prop_assert_eq!(hit.column, column);
            }
        }
    }

    #[test]
    fn no_text_whatever_makes_it_stumble(text in proptest::collection::vec(any::<u8>(), 0..4096)) {
        let scanner = scanner(&[("K", "hunter22!")]);
        scanner.scan(&text);
    }

    #[test]
    fn texts_made_of_the_pieces_of_tokens_do_not_either(pieces in proptest::collection::vec("(-----BEGIN| PRIVATE KEY-----|eyJ[a-zA-Z0-9.]{0,9}|://|[a-z]:[a-z0-9]{8}@|token=|\"|\\\\n|ghp_|[a-zA-Z0-9]{1,40}|\\.atlasv1\\.|-us1|:AA)", 0..40)) {
        let scanner = scanner(&[("K", "hunter22!")]);
        scanner.scan(pieces.concat().as_bytes());
    }
}

#[test]
fn keys_of_no_provider_are_not_told_where_programs_test_themselves_and_show_how_they_are_used() {
    let scanner = scanner(&[("K", "hunter22!")]);
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\n";
    let rules = |text: &str| scanner.scan(text.as_bytes()).iter().map(|hit| hit.rule).collect::<Vec<_>>();
    assert_eq!(
        rules(&format!("const KEY: &str = \"{key}\";\n#[cfg(test)]\nmod tests;\n")),
        ["private-key"]
    );
    let far = "x = 1\n".repeat(400_000);
    for text in [
        format!("#[cfg(test)]\nmod tests {{ const KEY: &str = \"{key}\"; }}\n"),
        format!("#[cfg(test)]\n{far}{key}"),
        format!("DOCUMENTATION = ''\nEXAMPLES = r\"\"\"\n{key}"),
        format!("/// let key = \"{key}"),
        format!("//! let key = \"{key}"),
        format!(">>> load('{key}"),
        format!("the key. For example, `{key}"),
        format!("\u{7f}ELF\0{key}"),
        format!("\u{7f}ELF\0{far}{key}"),
    ] {
        assert_eq!(rules(&text), [""; 0], "{}", &text[..40.min(text.len())]);
        // What the project stores is told everywhere.
        assert_eq!(rules(&format!("{text} hunter22!")), ["known-value"]);
    }
}
