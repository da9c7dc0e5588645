//! Spellings, look-alikes and limits of addresses.

use proptest::prelude::*;

use super::*;

fn canonical(text: &str) -> Result<String, ParseEmailError> {
    text.parse::<Email>().map(|email| email.canonical().to_owned())
}

fn refused(text: &str) -> Option<ParseEmailError> {
    text.parse::<Email>().err()
}

#[test]
fn every_spelling_of_an_address_is_one_identity() {
    for spelling in [
        "admin@x.example",
        "ADMIN@X.example",
        " admin@x.example\n",
        "ＡＤＭＩＮ＠ｘ.example",
        "ａｄｍｉｎ@x．example",
        "Admin@X.EXAMPLE",
    ] {
        assert_eq!(canonical(spelling).as_deref(), Ok("admin@x.example"), "{spelling}");
    }
    // The Kelvin sign and the long s are letters of their own that fold to k and s.
    assert_eq!(canonical("\u{212a}ar\u{17f}ten@x.example").as_deref(), Ok("karsten@x.example"));
    assert_eq!(canonical("stra\u{df}e@x.example").as_deref(), Ok("strasse@x.example"));
}

#[test]
fn an_international_domain_has_one_spelling() {
    for spelling in [
        "a@bücher.example",
        "a@BÜCHER.example",
        "a@bu\u{308}cher.example",
        "a@xn--bcher-kva.example",
        "a@XN--BCHER-KVA.example",
    ] {
        assert_eq!(canonical(spelling).as_deref(), Ok("a@xn--bcher-kva.example"), "{spelling}");
    }
}

#[test]
fn what_was_typed_is_kept_for_display() {
    let email: Email = "  Ana.Lima@Example.COM ".parse().expect("an address");
    assert_eq!(email.as_str(), "Ana.Lima@Example.COM");
    assert_eq!(email.to_string(), "Ana.Lima@Example.COM");
    assert_eq!((email.local_part(), email.domain()), ("ana.lima", "example.com"));
}

#[test]
fn what_was_stored_comes_back_as_it_was() {
    let email: Email = "Ana@BÜCHER.example".parse().expect("an address");
    let [original, canonical, likeness] = [email.as_str(), email.canonical(), email.likeness()].map(str::to_owned);
    assert_eq!(likeness, "ana@bu\u{308}cher.example");
    let back = Email::from_stored(original, canonical, likeness);
    assert!(back == email && back.as_str() == email.as_str() && back.canonical() == email.canonical());
}

#[test]
fn addresses_of_other_scripts_are_accepted() {
    for address in [
        "用户@例子.example",
        "анна@почта.example",
        "josé@x.example",
        "山田太郎@x.example",
        "παράδειγμα@x.example",
    ] {
        assert!(refused(address).is_none(), "{address}: {:?}", refused(address));
    }
}

#[test]
fn ordinary_addresses_are_accepted() {
    for address in [
        "admin@localhost",
        "a@b",
        "first.last+tag@sub.example.co.uk",
        "o'brien@example.com",
        "x_y-z@ex-ample.com",
        "1@2.example",
    ] {
        assert_eq!(canonical(address).as_deref(), Ok(address));
    }
}

#[test]
fn look_alikes_are_refused() {
    for address in [
        "\u{430}dmin@x.example",                  // Cyrillic a among Latin letters
        "\u{441}\u{43e}\u{441}\u{43e}@x.example", // all Cyrillic, reads "coco"
        "adm\u{131}n@x.example",                  // dotless i
        "a@\u{430}pple.example",                  // in the domain
        "a@xn--80ak6aa92e.example",               // in the domain, spelled in ASCII ("apple" in Cyrillic)
        "a\u{3b2}c@x.example",                    // Greek among Latin
    ] {
        assert_eq!(refused(address), Some(ParseEmailError::Confusable), "{address}");
    }
}

#[test]
fn two_addresses_that_look_alike_in_another_script_are_one() {
    let one: Email = "\u{4e00}\u{4e8c}@x.example".parse().expect("an address");
    let other: Email = "\u{4e00}\u{4e8c}@X.example".parse().expect("an address");
    let third: Email = "\u{4e00}\u{4e09}@x.example".parse().expect("an address");
    assert!(one == other && one != third);
}

#[test]
fn invisible_and_directional_characters_are_refused() {
    for c in [
        '\0',
        '\r',
        '\n',
        '\t',
        '\u{1b}',
        '\u{a0}',
        '\u{ad}',
        '\u{200b}',
        '\u{200d}',
        '\u{202e}',
        '\u{2066}',
        '\u{feff}',
        '\u{e0041}',
        ' ',
        '"',
        '(',
        '<',
        '\\',
        ',',
    ] {
        for address in [format!("ad{c}min@x.example"), format!("admin@x{c}y.example")] {
            assert!(refused(&address).is_some(), "{c:?}");
        }
    }
}

#[test]
fn malformed_addresses_are_refused() {
    for (address, why) in [
        ("", ParseEmailError::Malformed),
        ("notanemail", ParseEmailError::Malformed),
        ("@x.example", ParseEmailError::Malformed),
        ("a@", ParseEmailError::Malformed),
        ("a@b@c", ParseEmailError::Malformed),
        ("a\u{ff20}b@c", ParseEmailError::Malformed),
        (".a@x", ParseEmailError::Malformed),
        ("a..b@x", ParseEmailError::Malformed),
        ("a.@x", ParseEmailError::Malformed),
        ("a@x..y", ParseEmailError::Domain),
        ("a@-x.example", ParseEmailError::Domain),
        ("a@[127.0.0.1]", ParseEmailError::Domain),
        ("a@x_y.example", ParseEmailError::Domain),
        ("a@xn--a.example", ParseEmailError::Domain),
    ] {
        assert_eq!(refused(address), Some(why), "{address}");
    }
}

#[test]
fn lengths_are_limits_to_the_byte() {
    let domain = format!("{}.{}.{}.x", "d".repeat(63), "d".repeat(63), "d".repeat(55));
    let longest = format!("{}@{domain}", "l".repeat(64));
    assert_eq!(longest.len(), 250);
    assert!(refused(&longest).is_none());
    assert_eq!(refused(&format!("{}@x", "l".repeat(65))), Some(ParseEmailError::TooLong));
    assert_eq!(refused(&format!("l@{}.x", "d".repeat(64))), Some(ParseEmailError::Domain));
    assert_eq!(refused(&format!("{}@{domain}", "l".repeat(69))), Some(ParseEmailError::TooLong));
    // One character that folds to eighteen.
    assert!(refused(&format!("{}@x", "\u{fdfa}".repeat(80))).is_some());
    assert_eq!(refused(&"a".repeat(10_000_000)), Some(ParseEmailError::TooLong));
}

#[test]
fn errors_and_debug_do_not_repeat_a_password_in_the_wrong_field() {
    let error = "hunter2-hunter2".parse::<Email>().expect_err("not an address");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn the_canonical_spelling_is_its_own(text in "[\\PC@.]{0,30}@[\\PC.]{1,20}") {
        if let Ok(email) = text.parse::<Email>() {
            let again = canonical(email.canonical());
            prop_assert_eq!(again.as_deref(), Ok(email.canonical()));
            prop_assert!(email.canonical().len() <= MAX_EMAIL_BYTES);
            prop_assert!(!email.canonical().chars().any(|c| c.is_control() || c.is_whitespace()));
        }
    }

    #[test]
    fn case_never_makes_a_second_identity(text in "[a-zA-Z0-9äöüßéñİıſK]{1,12}@[a-z]{1,8}") {
        let upper = text.to_uppercase().parse::<Email>();
        if let (Ok(email), Ok(upper)) = (text.parse::<Email>(), upper) {
            let lower: Email = text.to_lowercase().parse().map_err(|_| TestCaseError::reject("lower case of it is none"))?;
            prop_assert!(lower == email || upper == email);
        }
    }

    #[test]
    fn nothing_that_is_typed_breaks_the_parser(text in "\\PC{0,300}") {
        let _ = text.parse::<Email>();
    }
}
