//! What a user of `dango run --redact` relies on, seen from outside the crate.

use std::time::{Duration, Instant};

use dango_core::SecretValue;
use dango_secrets::redact::{Filter, MAX_DELAY, Redactor, encoded_forms, is_maskable};
use proptest::prelude::*;

/// What `tests/fixtures/redact/generate.py` wrote, with the versions of the tools in it.
const FORMS: &str = include_str!("fixtures/redact/forms.json");

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.to_owned()).expect("no NUL")
}

fn filter(secrets: &[&str]) -> Filter {
    let secrets: Vec<_> = secrets.iter().map(|text| secret(text)).collect();
    Redactor::new(&secrets).expect("small").filter()
}

fn redact_chunks<'a>(secrets: &[&str], chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut filter, mut shown) = (filter(secrets), Vec::new());
    for chunk in chunks {
        filter.push(chunk, Duration::ZERO, &mut shown);
    }
    filter.finish(&mut shown);
    shown
}

fn redact(secrets: &[&str], text: &str) -> String {
    String::from_utf8(redact_chunks(secrets, [text.as_bytes()])).expect("UTF-8 stays UTF-8")
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Pushes each text at its time, flushing at every deadline before it, and gives what is shown, and when.
fn timed(secrets: &[&str], writes: &[(u64, &str)]) -> Vec<(u64, String)> {
    let mut filter = filter(secrets);
    let mut log: Vec<(u64, String)> = Vec::new();
    let mut note = |at: Duration, shown: Vec<u8>| {
        if !shown.is_empty() {
            log.push((at.as_millis() as u64, String::from_utf8(shown).expect("UTF-8")));
        }
    };
    for &(at, text) in writes.iter().chain([&(u64::MAX / 2, "")]) {
        while let Some(deadline) = filter.deadline().filter(|deadline| *deadline <= ms(at)) {
            let mut shown = Vec::new();
            filter.flush_due(deadline, &mut shown);
            note(deadline, shown);
        }
        let mut shown = Vec::new();
        filter.push(text.as_bytes(), ms(at), &mut shown);
        note(ms(at), shown);
    }
    log
}

fn joined(log: &[(u64, String)]) -> String {
    log.iter().map(|(_, text)| text.as_str()).collect()
}

#[test]
fn values_are_masked_as_real_programs_print_them() {
    let fixture: serde_json::Value = serde_json::from_str(FORMS).expect("JSON");
    for case in fixture["cases"].as_array().expect("cases") {
        let value = case["value"].as_str().expect("a text");
        for (how, output) in case["outputs"].as_object().expect("outputs") {
            let output = output.as_str().expect("a text");
            let line = format!("<{output}>");
            let shown = redact(&[value], &line);
            assert_eq!(shown, "<***>", "{how} of {value:?}");
        }
        for around in case["base64_around"].as_array().expect("cases") {
            let output = around["output"].as_str().expect("a text");
            let outside = around["before"].as_u64().expect("a number") + around["after"].as_u64().expect("a number");
            let shown = redact(&[value], output);
            let left = shown.replacen("***", "", 1).len() as u64;
            assert!(shown.contains("***") && left <= outside * 4 / 3 + 4, "{shown} of {value:?}");
        }
    }
}

#[test]
fn single_lines_of_a_multi_line_value_are_masked_but_not_the_pem_armour() {
    let pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n  MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3S  \nshort\n-----END PRIVATE KEY-----\n";
    assert_eq!(redact(&[pem], "bad line: MIIEvQIBADANBgkqhkiG9w0BAQEFAASC."), "bad line: ***.");
    assert_eq!(redact(&[pem], "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3S"), "***");
    assert_eq!(redact(&[pem], "MzEfYyjiWA4R4%2FM2bS1GB4t7NXp98C3S"), "***");
    let other = "-----BEGIN PRIVATE KEY-----\nshort stop\n-----END PRIVATE KEY-----\n";
    assert_eq!(redact(&[pem], other), other);
}

#[test]
fn the_private_key_inside_a_service_accounts_json_is_masked_line_by_line() {
    let json = "{\n  \"type\": \"service_account\",\n  \"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\\nMzEfYyjiWA4R4/M2bS1GB4t7NXp98C3S\\n-----END PRIVATE KEY-----\\n\"\n}\n";
    let shown = redact(&[json], "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nMzEfYyjiWA4R4/M2bS1GB4t7NXp98C3S\n");
    assert_eq!(shown, "***\n***\n");
}

#[test]
fn a_value_is_masked_however_the_writes_cut_it() {
    let text = b"a hunter2hunter2 b\xff\x00hunter2";
    let expected: &[u8] = b"a *** b\xff\x00***";
    for size in 1..text.len() {
        assert_eq!(redact_chunks(&["hunter2"], text.chunks(size)), expected, "chunks of {size}");
    }
}

#[test]
fn overlapping_values_leave_nothing_of_either() {
    assert_eq!(redact(&["abcdef123", "123ghijkl"], "<abcdef123ghijkl>"), "<***>");
    assert_eq!(
        redact(&["secret-one", "secret-one-longer"], "secret-one-longer secret-one-long"),
        "*** ***-long"
    );
    assert_eq!(redact(&["abcd-efgh-ijkl", "efgh-ij"], "abcd-efgh-ijk"), "abcd-***k");
}

#[test]
fn values_that_are_not_maskable_are_left_alone() {
    assert_eq!(
        redact(&["true", "docker", "5432", ""], "docker run -p 5432 true"),
        "docker run -p 5432 true"
    );
    assert!(!is_maskable(&secret("docker")) && is_maskable(&secret("docker-hub-token")));
}

#[test]
fn text_that_begins_no_value_is_shown_at_once() {
    assert_eq!(timed(&["hunter2"], &[(0, "Password: ")]), [(0, "Password: ".to_owned())]);
    assert_eq!(timed(&["hunter2"], &[(0, "x hunt")])[0], (0, "x ".to_owned()));
}

#[test]
fn a_short_beginning_is_shown_in_time_and_the_rest_masked() {
    let log = timed(&["hunter2-and-more"], &[(0, "a hun"), (80, "ter2-and-more b")]);
    assert_eq!(log, [(0, "a ".to_owned()), (45, "hun".to_owned()), (80, "*** b".to_owned())]);
}

#[test]
fn a_long_beginning_is_masked_in_time_and_the_rest_swallowed() {
    let log = timed(&["hunter2-and-more"], &[(0, "a hunt"), (80, "er2-and"), (300, "-more b")]);
    assert_eq!(log, [(0, "a ".to_owned()), (45, "***".to_owned()), (300, " b".to_owned())]);
}

#[test]
fn typing_a_value_slowly_shows_three_bytes_of_it_at_most() {
    let value = "correct-horse-battery";
    let writes: Vec<(u64, String)> = value.chars().enumerate().map(|(n, c)| (n as u64 * 100, c.to_string())).collect();
    let writes: Vec<(u64, &str)> = writes.iter().map(|(at, text)| (*at, text.as_str())).collect();
    assert_eq!(joined(&timed(&[value], &writes)), "cor***");
}

#[test]
fn text_that_only_began_like_a_value_goes_on_visibly() {
    let log = timed(&["hunter2-and-more"], &[(0, "hunter2"), (80, " is no value, hunter2 neither\n")]);
    assert_eq!(joined(&log), "*** is no value, hunter2 neither\n");
}

#[test]
fn the_masks_do_not_depend_on_the_order_of_values() {
    let (a, b) = ("alpha-beta-1", "beta-1-gamma");
    let text = "alpha-beta-1-gamma beta-1-gamma-alpha-beta-1";
    assert_eq!(redact(&[a, b], text), redact(&[b, a], text));
}

#[test]
fn a_large_value_does_not_take_long() {
    let value: String = (0..40_000u32)
        .map(|n| char::from(b'!' + (n.wrapping_mul(2_654_435_761) >> 25) as u8 % 90))
        .collect();
    let began = Instant::now();
    assert_eq!(redact(&[&value], &format!("a{value}b")), "a***b");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

fn cut(text: &[u8], at: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut places: Vec<usize> = at.iter().map(|index| index.index(text.len() + 1)).collect();
    places.extend([0, text.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| text[pair[0]..pair[1]].to_vec()).collect()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Secrets over few letters, so that they overlap and begin alike.
fn secrets() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(prop_oneof!["[a-e]{6,12}", "[a-dé\"/ ]{6,14}", "[a-e]{8,9}\n[a-e]{8,9}\n?"], 1..4)
}

proptest! {
    #[test]
    fn no_form_of_a_value_survives_and_cuts_change_nothing(
        secrets in secrets(),
        filling in proptest::collection::vec("[a-e \n]{0,10}", 1..8),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 8),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let values: Vec<SecretValue> = secrets.iter().map(|text| secret(text)).filter(is_maskable).collect();
        let forms: Vec<_> = values.iter().flat_map(encoded_forms).collect();
        let mut text = Vec::new();
        for (filling, pick) in filling.iter().zip(&picks) {
            text.extend_from_slice(filling.as_bytes());
            if !forms.is_empty() {
                text.extend_from_slice(&forms[pick.index(forms.len())]);
            }
        }
        let redactor = Redactor::new(&values).expect("small");
        let (mut filter, mut whole) = (redactor.filter(), Vec::new());
        filter.push(&text, Duration::ZERO, &mut whole);
        filter.finish(&mut whole);
        for form in &forms {
            prop_assert!(!contains(&whole, form), "a form is left in {:?}", String::from_utf8_lossy(&whole));
        }

        let (mut filter, mut shown) = (redactor.filter(), Vec::new());
        for (n, chunk) in cut(&text, &cuts).iter().enumerate() {
            filter.push(chunk, ms(n as u64 * 2), &mut shown);
        }
        filter.finish(&mut shown);
        prop_assert_eq!(String::from_utf8_lossy(&shown), String::from_utf8_lossy(&whole));
    }

    #[test]
    fn bytes_without_a_value_pass_unchanged(
        text in proptest::collection::vec(any::<u8>(), 0..400),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let secrets = ["hunter2-é/1", "zzz-canary-zzz"];
        let forms: Vec<_> = secrets.iter().flat_map(|text| encoded_forms(&secret(text))).collect();
        prop_assume!(!forms.iter().any(|form| contains(&text, form)));
        let chunks = cut(&text, &cuts);
        prop_assert_eq!(redact_chunks(&secrets, chunks.iter().map(Vec::as_slice)), text);
    }

    #[test]
    fn no_byte_is_held_beyond_its_time_and_three_are_shown_at_most(
        gaps in proptest::collection::vec(0u64..120, 24),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let value = "corn-on-the-corn-on-the-cob";
        let text = format!("say {value}!");
        let mut filter = filter(&[value]);
        let (mut shown, mut now) = (Vec::new(), Duration::ZERO);
        let mut oldest_due: Option<Duration> = None;
        for (chunk, gap) in cut(text.as_bytes(), &cuts).iter().zip(&gaps) {
            let next = now + ms(*gap);
            while let Some(deadline) = filter.deadline().filter(|deadline| *deadline <= next) {
                prop_assert!(deadline <= now + MAX_DELAY);
                prop_assert!(oldest_due.is_none_or(|due| due <= deadline), "deadlines go forward");
                oldest_due = Some(deadline);
                filter.flush_due(deadline, &mut shown);
            }
            now = next;
            filter.push(chunk, now, &mut shown);
            prop_assert!(filter.deadline().is_none_or(|deadline| now < deadline));
        }
        filter.finish(&mut shown);
        let shown = String::from_utf8(shown).expect("UTF-8");
        prop_assert!(shown.starts_with("say ") && shown.ends_with("***!") && shown.len() <= "say cor***!".len(), "{}", shown);
    }
}
