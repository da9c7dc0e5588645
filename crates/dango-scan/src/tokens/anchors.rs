//! Finds the fixed texts of all formats in one pass: three bytes at each place are asked of a bit field, and few are looked at further.

use super::{Match, Matcher, Rule};

/// How many bytes of an anchor the field knows.
const KEY: usize = 3;
/// The field has two to the power of this bits.
const FIELD_BITS: u32 = 15;

/// The anchors of all formats, by their first three bytes without regard to ASCII case.
pub(crate) struct Anchors {
    field: Vec<u64>,
    /// Where in `buckets` the anchors of a slot begin, and how many they are.
    slots: Vec<(u16, u16)>,
    buckets: Vec<(&'static Rule, usize)>,
}

impl Anchors {
    pub(crate) fn new(rules: impl Iterator<Item = &'static Rule>) -> Self {
        let mut buckets: Vec<(&'static Rule, usize)> = rules.flat_map(|rule| (0..rule.anchors.len()).map(move |at| (rule, at))).collect();
        let slot_of = |(rule, at): &(&'static Rule, usize)| slot(key_at(rule.anchors[*at].text.as_bytes(), 0));
        buckets.sort_by_key(slot_of);
        let mut field = vec![0u64; 1 << (FIELD_BITS - 6)];
        let mut slots = vec![(0u16, 0u16); 1 << FIELD_BITS];
        for (number, anchor) in (0u16..).zip(&buckets) {
            let slot = slot_of(anchor);
            field[slot / 64] |= 1 << (slot % 64);
            if slots[slot].1 == 0 {
                slots[slot].0 = number;
            }
            slots[slot].1 += 1;
        }
        Self { field, slots, buckets }
    }

    /// Reports every token whose anchor stands in the text, in no particular order.
    pub(crate) fn find(&self, text: &[u8], mut found: impl FnMut(&'static Rule, Match)) {
        let Some(last) = text.len().checked_sub(KEY) else { return };
        let mut key = fold(text[0]) << 8 | fold(text[1]);
        for at in 0..=last {
            key = (key << 8 | fold(text[at + 2])) & 0xff_ffff;
            let slot = slot(key);
            if self.field[slot / 64] >> (slot % 64) & 1 == 1 {
                self.look(text, at, slot, &mut found);
            }
        }
    }

    #[cold]
    fn look(&self, text: &[u8], at: usize, slot: usize, found: &mut impl FnMut(&'static Rule, Match)) {
        let (begin, count) = self.slots[slot];
        for (rule, number) in &self.buckets[usize::from(begin)..usize::from(begin) + usize::from(count)] {
            let anchor = &rule.anchors[*number];
            let length = anchor.text.len();
            let Some(there) = text.get(at..at + length) else { continue };
            let token = match &anchor.matcher {
                Matcher::Shape(shape) if there == anchor.text.as_bytes() => shape.find(text, at, length),
                Matcher::Around(look) if there.eq_ignore_ascii_case(anchor.text.as_bytes()) => look(text, at),
                _ => None,
            };
            if let Some(token) = token {
                found(rule, token);
            }
        }
    }
}

/// A letter without its case; other characters may fall together, which costs a look and nothing else.
#[inline]
fn fold(byte: u8) -> u32 {
    u32::from(byte | 0x20)
}

fn key_at(text: &[u8], at: usize) -> u32 {
    text[at..at + KEY].iter().fold(0, |key, byte| key << 8 | fold(*byte))
}

#[inline]
fn slot(key: u32) -> usize {
    (key.wrapping_mul(0x9e37_79b1) >> (32 - FIELD_BITS)) as usize
}
