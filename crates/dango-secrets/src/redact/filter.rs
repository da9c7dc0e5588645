//! The stream filter: bytes in, the same bytes out without the known values, none held back for long.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use dango_core::SecretValue;
use zeroize::Zeroizing;

use super::automaton::{Automaton, State, TooManyForms};
use super::{encoded_forms, is_maskable};

/// What stands in the output for a value.
pub const MASK: &[u8] = b"***";

/// How long a byte is held back at most: 50 ms are promised, and the caller's timer needs a part of them.
pub const MAX_DELAY: Duration = Duration::from_millis(45);

/// A beginning of a value that must be let go is masked from this length on, in bytes.
const MIN_MASKED_PREFIX: usize = 4;

/// The values to mask, in all their forms; cheap to clone, shared by the filters of several streams.
///
/// # Security
///
/// The forms stay in memory until the last clone and the last filter are dropped, and are not
/// erased then.
#[derive(Clone)]
pub struct Redactor {
    automaton: Arc<Automaton>,
}

impl Redactor {
    /// Takes the values to mask; those that are not [`is_maskable`] are left out.
    ///
    /// # Errors
    ///
    /// [`TooManyForms`] from about a gigabyte of values on.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a SecretValue>) -> Result<Self, TooManyForms> {
        let values = values.into_iter().filter(|value| is_maskable(value));
        let mut forms: Vec<_> = values.flat_map(encoded_forms).collect();
        forms.sort_unstable_by(|a, b| a.as_slice().cmp(b.as_slice()));
        forms.dedup_by(|a, b| a.as_slice() == b.as_slice());
        Ok(Self {
            automaton: Arc::new(Automaton::new(&forms)?),
        })
    }

    /// Makes a filter for one stream.
    pub fn filter(&self) -> Filter {
        Filter {
            state: self.automaton.start(),
            // What is held is the beginning of a form, so this never grows and leaves no copies behind.
            held: Zeroizing::new(Vec::with_capacity(self.automaton.longest())),
            arrivals: VecDeque::new(),
            masked: Vec::new(),
            after_mask: false,
            automaton: Arc::clone(&self.automaton),
        }
    }
}

/// Replaces the known values in one stream of bytes.
///
/// Every byte that belongs to an occurrence of a form is masked, overlapping occurrences
/// included, and each unbroken run of masked bytes becomes one `***`. A byte is held back only
/// while it belongs to the beginning of a form, and for [`MAX_DELAY`] at most. When that time is
/// over, a beginning of 4 bytes or more is masked, a shorter one is shown; the search goes on
/// either way, so the rest of the value is masked when it comes. How the bytes are cut into
/// chunks makes no difference as long as none is let go early.
///
/// Times are durations since any fixed moment, from a clock that never goes back.
///
/// ```
/// use std::time::Duration;
/// use dango_core::SecretValue;
/// use dango_secrets::redact::Redactor;
///
/// let key = SecretValue::new("sk_live_4242".to_owned())?;
/// let mut filter = Redactor::new([&key])?.filter();
/// let mut shown = Vec::new();
/// filter.push(b"key=sk_li", Duration::ZERO, &mut shown);
/// filter.push(b"ve_4242\n", Duration::from_millis(3), &mut shown);
/// filter.finish(&mut shown);
/// assert_eq!(shown, b"key=***\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Filter {
    automaton: Arc<Automaton>,
    state: State,
    /// Bytes read and not yet written: the end of what was read.
    held: Zeroizing<Vec<u8>>,
    /// For the held bytes, in order: how many came when.
    arrivals: VecDeque<(usize, Duration)>,
    /// What is masked in `held`: in order, apart from each other.
    masked: Vec<Range<usize>>,
    /// Whether the last thing written is a mask, which a masked byte then extends.
    after_mask: bool,
}

impl Filter {
    /// Takes in bytes that came at `now`, and appends to `shown` all that can be shown.
    pub fn push(&mut self, chunk: &[u8], now: Duration, shown: &mut Vec<u8>) {
        let before = self.held.len();
        let masked = &mut self.masked;
        self.state = self.automaton.scan(self.state, chunk, |end, length| {
            let end = before + end;
            cover_end(masked, end.saturating_sub(length)..end);
        });
        let total = before + chunk.len();
        let begun = self.automaton.depth(self.state).min(total);
        self.arrivals.push_back((chunk.len(), now));
        self.release(total - begun, chunk, shown);
        self.flush_due(now, shown);
    }

    /// When [`Self::flush_due`] must be called, unless more is pushed before; `None` where nothing is held back.
    pub fn deadline(&self) -> Option<Duration> {
        self.arrivals.front().map(|(_, at)| at.saturating_add(MAX_DELAY))
    }

    /// Lets go of the bytes that have been held back for [`MAX_DELAY`].
    pub fn flush_due(&mut self, now: Duration, shown: &mut Vec<u8>) {
        let due = self.arrivals.iter().take_while(|(_, at)| at.saturating_add(MAX_DELAY) <= now);
        let due = due.map(|(count, _)| count).sum();
        if due == 0 {
            return;
        }
        if self.automaton.depth(self.state) >= MIN_MASKED_PREFIX {
            cover_start(&mut self.masked, due);
        }
        self.release(due, &[], shown);
    }

    /// Ends the stream: what is still held back is no value, and is shown.
    pub fn finish(mut self, shown: &mut Vec<u8>) {
        self.release(self.held.len(), &[], shown);
    }

    /// Writes the first `count` bytes of `held` and `chunk`, and holds the others.
    fn release(&mut self, count: usize, chunk: &[u8], shown: &mut Vec<u8>) {
        let mut at = 0;
        for range in &self.masked {
            let (start, end) = (range.start.min(count), range.end.min(count));
            if at < start {
                copy(&self.held, chunk, at..start, shown);
                self.after_mask = false;
            }
            if start < end {
                if !self.after_mask {
                    shown.extend_from_slice(MASK);
                }
                self.after_mask = true;
            }
            at = end;
        }
        if at < count {
            copy(&self.held, chunk, at..count, shown);
            self.after_mask = false;
        }
        self.forget(count, chunk);
    }

    fn forget(&mut self, count: usize, chunk: &[u8]) {
        self.masked.retain_mut(|range| {
            *range = range.start.saturating_sub(count)..range.end.saturating_sub(count);
            range.start < range.end
        });
        let of_held = count.min(self.held.len());
        self.held.drain(..of_held);
        self.held.extend_from_slice(&chunk[count - of_held..]);
        let mut left = count;
        while let Some((arrived, _)) = self.arrivals.front_mut() {
            if *arrived > left {
                *arrived -= left;
                break;
            }
            left -= *arrived;
            self.arrivals.pop_front();
        }
    }
}

/// Appends a part of two buffers that are thought of as one.
fn copy(first: &[u8], second: &[u8], part: Range<usize>, shown: &mut Vec<u8>) {
    let within = |index: usize| index.saturating_sub(first.len());
    shown.extend_from_slice(&first[part.start.min(first.len())..part.end.min(first.len())]);
    shown.extend_from_slice(&second[within(part.start)..within(part.end)]);
}

/// Adds a range that ends behind all others.
fn cover_end(ranges: &mut Vec<Range<usize>>, mut range: Range<usize>) {
    while let Some(last) = ranges.last()
        && last.end >= range.start
    {
        range.start = range.start.min(last.start);
        ranges.pop();
    }
    ranges.push(range);
}

/// Adds the range from 0 to `end`.
fn cover_start(ranges: &mut Vec<Range<usize>>, end: usize) {
    let touched = ranges.iter().take_while(|range| range.start <= end).count();
    let end = ranges.drain(..touched).fold(end, |end, range| end.max(range.end));
    ranges.insert(0, 0..end);
}
