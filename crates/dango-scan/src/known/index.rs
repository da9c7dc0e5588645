//! Finds any of thousands of byte strings in a text by looking at every fourth place of it; what the strings are is not its business.
//!
//! Every form has at least 8 bytes, so wherever it stands, five bytes of it begin at a place that is a multiple of four. The four
//! such blocks of each form are in a table; a text is asked once every four bytes, through a bit field that stays in the cache.

use std::collections::HashMap;

use super::pieces::{Form, MIN_FORM};
use crate::finding::Spelling;

/// How many bytes are compared at once.
const BLOCK: usize = 5;
/// How many places are passed over.
const STEP: usize = MIN_FORM - BLOCK + 1;
/// How far into a form its most telling 8 bytes are looked for.
const REACH: usize = 128;
/// Bits of the field for each entry: one question in this many is answered in vain.
const BITS_PER_ENTRY: usize = 16;

/// Where a form stands, in bytes of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occurrence {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The number of the value.
    pub(crate) value: usize,
    pub(crate) spelling: Spelling,
}

/// The forms of all known values.
///
/// # Security
///
/// It holds the forms in the clear; they are wiped when it is dropped, the table of blocks of five bytes is not.
pub(crate) struct FormIndex {
    forms: Vec<Form>,
    /// Which forms have a block, and where in the form.
    blocks: HashMap<u64, Vec<(u32, u32)>>,
    field: Vec<u64>,
    shift: u32,
    longest: usize,
}

impl FormIndex {
    pub(crate) fn new(mut forms: Vec<Form>) -> Self {
        forms.retain(|form| form.bytes.len() >= MIN_FORM);
        // The first value keeps a form that several have.
        forms.sort_by(|a, b| a.bytes.as_slice().cmp(b.bytes.as_slice()).then(a.value.cmp(&b.value)));
        forms.dedup_by(|later, first| later.bytes.as_slice() == first.bytes.as_slice());
        let mut blocks: HashMap<u64, Vec<(u32, u32)>> = HashMap::new();
        for (number, form) in (0u32..).zip(&forms) {
            let begin = most_telling(&form.bytes);
            for at in begin..begin + STEP {
                let at_u32 = u32::try_from(at).expect("it is within the reach");
                blocks.entry(block_at(&form.bytes, at)).or_default().push((number, at_u32));
            }
        }
        let bits = (blocks.len() * BITS_PER_ENTRY).next_power_of_two().max(1 << 12);
        let shift = 64 - bits.trailing_zeros();
        let mut field = vec![0u64; bits / 64];
        for block in blocks.keys() {
            let bit = slot(*block, shift);
            field[bit / 64] |= 1 << (bit % 64);
        }
        let longest = forms.iter().map(|form| form.bytes.len()).max().unwrap_or(0);
        Self {
            forms,
            blocks,
            field,
            shift,
            longest,
        }
    }

    /// The length of the longest form, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// Reports every form that stands in the text, overlapping ones too, in no particular order.
    pub(crate) fn find(&self, text: &[u8], mut found: impl FnMut(Occurrence)) {
        if self.forms.is_empty() || text.len() < MIN_FORM {
            return;
        }
        // Eight bytes are read at once, of which five count.
        let whole = text.len() - (MIN_FORM - 1);
        for at in (0..whole).step_by(STEP) {
            let eight: [u8; 8] = text[at..at + 8].try_into().expect("there are eight");
            self.ask(text, at, u64::from_le_bytes(eight) & MASK, &mut found);
        }
        for at in (whole.next_multiple_of(STEP)..=text.len() - BLOCK).step_by(STEP) {
            self.ask(text, at, block_at(text, at), &mut found);
        }
    }

    #[inline]
    fn ask(&self, text: &[u8], at: usize, block: u64, found: &mut impl FnMut(Occurrence)) {
        let bit = slot(block, self.shift);
        if self.field[bit / 64] >> (bit % 64) & 1 == 1 {
            self.compare(text, at, block, found);
        }
    }

    #[cold]
    fn compare(&self, text: &[u8], at: usize, block: u64, found: &mut impl FnMut(Occurrence)) {
        for &(number, within) in self.blocks.get(&block).into_iter().flatten() {
            let form = &self.forms[number as usize];
            let Some(start) = at.checked_sub(within as usize) else { continue };
            let end = start + form.bytes.len();
            if text.get(start..end) == Some(form.bytes.as_slice()) {
                found(Occurrence {
                    start,
                    end,
                    value: form.value,
                    spelling: form.spelling,
                });
            }
        }
    }
}

const MASK: u64 = (1 << (8 * BLOCK)) - 1;

fn block_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + BLOCK]
        .iter()
        .rev()
        .fold(0, |block, byte| block << 8 | u64::from(*byte))
}

#[inline]
fn slot(block: u64, shift: u32) -> usize {
    (block.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> shift) as usize
}

/// Where the eight bytes begin that are the least likely in other texts: the most different ones, those that are no lower-case letters counting twice.
fn most_telling(form: &[u8]) -> usize {
    let weight = |begin: usize| {
        let window = &form[begin..begin + MIN_FORM];
        let different = (0..MIN_FORM).filter(|&at| !window[..at].contains(&window[at]));
        different
            .map(|at| if window[at].is_ascii_lowercase() { 1 } else { 2 })
            .sum::<usize>()
    };
    let last = (form.len() - MIN_FORM).min(REACH);
    (0..=last).rev().max_by_key(|begin| weight(*begin)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::*;

    fn index(forms: &[String]) -> FormIndex {
        let form = |(value, text): (usize, &String)| Form {
            bytes: Zeroizing::new(text.as_bytes().to_vec()),
            value,
            spelling: Spelling::Plain,
        };
        FormIndex::new(forms.iter().enumerate().map(form).collect())
    }

    fn found(index: &FormIndex, text: &[u8]) -> Vec<(usize, usize)> {
        let mut places = Vec::new();
        index.find(text, |there| places.push((there.start, there.end)));
        places.sort_unstable();
        places
    }

    proptest! {
        /// A plain search of every place is the counterpart.
        #[test]
        fn every_place_where_a_form_stands_is_found_and_nothing_else_is(
            forms in proptest::collection::btree_set("[ab]{8,10}|[abc]{8,20}|[a-zA-Z0-9]{8,200}", 1..8),
            around in proptest::collection::vec("[abc]{0,40}", 2..6),
        ) {
            let forms: Vec<String> = forms.into_iter().collect();
            let mut text = String::new();
            for (at, between) in around.iter().enumerate() {
                text.push_str(between);
                text.push_str(&forms[at % forms.len()]);
            }
            let text = text.as_bytes();
            let mut expected = Vec::new();
            for form in &forms {
                let places = text.windows(form.len()).enumerate().filter(|(_, window)| *window == form.as_bytes());
                expected.extend(places.map(|(start, _)| (start, start + form.len())));
            }
            expected.sort_unstable();
            prop_assert_eq!(found(&index(&forms), text), expected);
        }
    }

    #[test]
    fn no_forms_and_no_text_find_nothing() {
        assert!(found(&index(&[]), b"any text at all").is_empty());
        assert!(found(&index(&["abcdefgh".to_owned()]), b"abcdefg").is_empty());
    }
}
