//! However a stream is cut, what is shown is the same, and no form of a value survives.
//!
//! The input is a list of cuts, up to three values and the stream, with a NUL byte behind each. In the stream the byte 1
//! and a number stand for a form of the values.
#![no_main]

use std::time::Duration;

use dango_core::SecretValue;
use dango_secrets::redact::{MASK, MAX_DELAY, Redactor, encoded_forms, is_maskable};
use libfuzzer_sys::fuzz_target;

type Forms = Vec<Vec<u8>>;

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(5, |&byte| byte == 0);
    let cuts = parts.next().unwrap_or_default();
    let mut parts: Vec<&[u8]> = parts.collect();
    let stream = parts.pop().unwrap_or_default();
    let values: Vec<SecretValue> = parts.iter().filter_map(|part| SecretValue::from_utf8(part.to_vec()).ok()).collect();
    let maskable = values.iter().filter(|value| is_maskable(value));
    let forms: Forms = maskable.flat_map(encoded_forms).map(|form| form.to_vec()).collect();
    let redactor = Redactor::new(&values).expect("small");
    let stream = with_forms(stream, &forms);

    let mut whole = Vec::new();
    let mut filter = redactor.filter();
    filter.push(&stream, Duration::ZERO, &mut whole);
    filter.finish(&mut whole);
    assert_eq!(whole, masked(&stream, &forms), "what is masked is not what the forms cover");

    let chunks = cut(&stream, cuts);
    let mut shown = Vec::new();
    let mut filter = redactor.filter();
    for chunk in &chunks {
        filter.push(chunk, Duration::ZERO, &mut shown);
    }
    filter.finish(&mut shown);
    assert_eq!(shown, whole, "cutting the stream makes a difference");
    check_slow(&redactor, &chunks, cuts, &forms);
});

/// Where bytes come late, some are let go; still no form is shown as a whole, and none waits too long.
fn check_slow(redactor: &Redactor, chunks: &[&[u8]], cuts: &[u8], forms: &Forms) {
    let mut now = Duration::ZERO;
    let mut shown = Vec::new();
    let mut filter = redactor.filter();
    for (index, chunk) in chunks.iter().enumerate() {
        now += Duration::from_millis(u64::from(cuts.get(index % cuts.len().max(1)).copied().unwrap_or_default()));
        filter.flush_due(now, &mut shown);
        filter.push(chunk, now, &mut shown);
        assert!(
            filter
                .deadline()
                .is_none_or(|deadline| deadline > now && deadline <= now + MAX_DELAY)
        );
    }
    filter.finish(&mut shown);
    // A form with an asterisk can come about by a mask between two halves.
    for form in forms.iter().filter(|form| !form.contains(&b'*')) {
        assert!(!contains(&shown, form), "a form is shown");
    }
}

fn with_forms(stream: &[u8], forms: &Forms) -> Vec<u8> {
    let mut written = Vec::new();
    let mut bytes = stream.iter();
    while let Some(&byte) = bytes.next() {
        match (byte, forms.len()) {
            (1, 1..) => {
                let number = usize::from(bytes.next().copied().unwrap_or_default());
                written.extend_from_slice(&forms[number % forms.len()]);
            }
            _ => written.push(byte),
        }
        if written.len() > 1 << 14 {
            break;
        }
    }
    written
}

fn cut<'s>(stream: &'s [u8], cuts: &[u8]) -> Vec<&'s [u8]> {
    let mut chunks = Vec::new();
    let mut rest = stream;
    for &length in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, behind) = rest.split_at(usize::from(length).max(1).min(rest.len()));
        chunks.push(chunk);
        rest = behind;
    }
    if cuts.is_empty() {
        chunks.push(stream);
    }
    chunks
}

/// Every byte that an occurrence of a form covers is masked, by the most simple means.
fn masked(stream: &[u8], forms: &Forms) -> Vec<u8> {
    let mut covered = vec![false; stream.len()];
    for form in forms {
        for (at, _) in stream.windows(form.len()).enumerate().filter(|(_, window)| window == form) {
            covered[at..at + form.len()].fill(true);
        }
    }
    let mut shown = Vec::new();
    for (at, &byte) in stream.iter().enumerate() {
        if !covered[at] {
            shown.push(byte);
        } else if at == 0 || !covered[at - 1] {
            shown.extend_from_slice(MASK);
        }
    }
    shown
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
