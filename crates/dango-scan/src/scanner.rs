//! What is looked for, and one text searched for it: in windows, so that a text of any size takes little memory. Where texts come from is elsewhere.

use std::io::{self, Read};

use zeroize::Zeroizing;

use crate::examples::{self, Beginnings};
use crate::finding::{Mark, Spelling, Subject};
use crate::known::{self, FormIndex, KnownValue, Occurrence};
use crate::lines::Lines;
use crate::nature::Nature;
use crate::tokens::{self, Anchors, KNOWN_VALUE, Match, Rule, Strength};

/// How much of a text is searched at once, in bytes.
const WINDOW: usize = 1 << 20;
/// How far before a place a format may look, in bytes.
const BEHIND: usize = 512;
/// How far a token may reach, in bytes.
const AHEAD: usize = 32 * 1024;
/// More hits in one text are not told.
const MOST_HITS: usize = 1000;

/// Whether well-known token formats are looked for, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formats {
    /// They are.
    Sought,
    /// Only the project's own values are.
    Left,
}

/// What is looked for in one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// Everything that the scanner knows.
    Everything,
    /// The project's own values.
    KnownValues,
}

/// How many values are not looked for because they are short, common or settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut(pub usize);

/// Looks for known values and token formats in texts.
///
/// # Security
///
/// It holds the values in all their forms; they are wiped when it is dropped, blocks of five bytes of them are not.
pub struct Scanner {
    index: FormIndex,
    names: Vec<String>,
    anchors: Option<Anchors>,
    beginnings: Beginnings,
}

/// Something found in one text.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    /// The rule, a stable word.
    pub rule: &'static str,
    /// What it is.
    pub subject: Subject,
    pub(crate) mark: Mark,
    /// Whether the mark may go into a fingerprint.
    pub(crate) is_random: bool,
}

/// The window of a thread, kept from one text to the next and wiped at the end: most texts are far smaller.
#[derive(Default)]
pub(crate) struct Scratch(Zeroizing<Vec<u8>>);

/// The hits of one text, and whether there were more than are told.
#[derive(Default)]
pub(crate) struct Hits {
    pub(crate) hits: Vec<Hit>,
    pub(crate) is_cut: bool,
    /// Bytes that were searched.
    pub(crate) bytes: u64,
}

impl Scanner {
    /// Takes the values to look for.
    ///
    /// Not looked for are values of fewer than 8 characters or fewer than 4 different ones, common words, and what by its name or its form is a
    /// setting beside a secret: `host`, `project_id`, an e-mail address, a path; their number comes back, too.
    pub fn new(values: impl IntoIterator<Item = KnownValue>, formats: Formats) -> (Self, LeftOut) {
        let known = known::forms_of(values);
        let scanner = Self {
            index: FormIndex::new(known.forms),
            names: known.names,
            anchors: (formats == Formats::Sought).then(|| Anchors::new(tokens::all())),
            beginnings: Beginnings::new(),
        };
        (scanner, LeftOut(known.left_out))
    }

    /// How many values are looked for.
    pub fn values(&self) -> usize {
        self.names.len()
    }

    /// Searches a text in memory.
    pub fn scan(&self, text: &[u8]) -> Vec<Hit> {
        // Reading from memory does not fail.
        let hits = self.search(text, Sought::Everything, &mut Scratch::default());
        hits.map(|hits| hits.hits).unwrap_or_default()
    }

    /// Puts `***` in the place of everything that is found in a text, such as a file's name; `None` where nothing is.
    pub fn mask(&self, text: &str) -> Option<String> {
        let found = self.found_in(text.as_bytes(), 0..text.len(), Sought::Everything, Nature::Text);
        if found.is_empty() {
            return None;
        }
        let mut masked = Vec::new();
        let mut at = 0;
        for one in &found {
            masked.extend_from_slice(&text.as_bytes()[at..one.start.max(at)]);
            masked.extend_from_slice(b"***");
            at = at.max(one.end);
        }
        masked.extend_from_slice(&text.as_bytes()[at..]);
        Some(String::from_utf8_lossy(&masked).into_owned())
    }

    /// Searches a text to its end.
    pub(crate) fn search(&self, mut source: impl Read, sought: Sought, scratch: &mut Scratch) -> io::Result<Hits> {
        let ahead = AHEAD.max(self.index.longest());
        let buffer = &mut scratch.0;
        buffer.clear();
        let mut hits = Hits::default();
        let mut lines = Lines::new();
        // Where in the buffer the bytes begin that are still to be searched, and how many of those are covered by what was found before.
        let (mut begin, mut covered) = (0, 0);
        let mut nature = Nature::Text;
        let mut is_behind_examples = false;
        loop {
            let room = begin + WINDOW + ahead;
            let is_last = fill(&mut source, buffer, room)?;
            if hits.bytes == 0 {
                nature = Nature::of(buffer);
            }
            let settled = if is_last { buffer.len() } else { buffer.len() - ahead };
            let mut counted = begin;
            let examples = match is_behind_examples {
                true => Some(0),
                false => self.beginnings.first_in(&buffer[..settled]),
            };
            for found in self.found_in(buffer, begin..settled, sought, nature) {
                let is_example = found.is_general() && examples.is_some_and(|examples| examples < found.start);
                if found.start < covered || is_example {
                    continue;
                }
                lines.advance(&buffer[counted..found.start]);
                counted = found.start;
                covered = found.end;
                if hits.hits.len() < MOST_HITS {
                    hits.hits.push(self.hit(&found, buffer, &lines));
                } else {
                    hits.is_cut = true;
                }
            }
            is_behind_examples = examples.is_some();
            lines.advance(&buffer[counted..settled]);
            hits.bytes += (settled - begin) as u64;
            if is_last {
                return Ok(hits);
            }
            let kept = settled.saturating_sub(BEHIND);
            buffer.copy_within(kept.., 0);
            let length = buffer.len() - kept;
            buffer.truncate(length);
            begin = settled - kept;
            covered = covered.saturating_sub(kept);
        }
    }

    /// What begins in a range of a text, without what stands within something else, from front to back.
    fn found_in(&self, text: &[u8], range: std::ops::Range<usize>, sought: Sought, nature: Nature) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        self.index.find(text, |there| {
            if range.contains(&there.start) {
                found.push(Found::known(there));
            }
        });
        if let (Sought::Everything, Some(anchors)) = (sought, &self.anchors) {
            let from = range.start.saturating_sub(BEHIND);
            anchors.find(&text[from..], |rule, Match { start, end }| {
                let (start, end) = (start + from, end + from);
                let is_told = match nature {
                    Nature::Text => !tokens::is_general(rule.id) || !examples::is_shown(text, start),
                    // Only in text does a name say what a value is.
                    Nature::Data => rule.strength == Strength::Random,
                    Nature::Program => !tokens::is_general(rule.id),
                };
                if range.contains(&start) && is_told && !examples::is_printed(&text[start..end]) {
                    let what = What::Token(rule);
                    found.push(Found { start, end, what });
                }
            });
        }
        // A known value before a format, a format of a provider before a general one, the longer before the shorter.
        found.sort_by_key(|one| (one.rank(), one.start, usize::MAX - one.end));
        let mut kept: Vec<Found> = Vec::new();
        let mut taken = Taken::default();
        for one in found {
            if taken.take(one.start, one.end) {
                kept.push(one);
            }
        }
        kept.sort_by_key(|one| one.start);
        kept
    }

    fn hit(&self, found: &Found, text: &[u8], lines: &Lines) -> Hit {
        let (line, column) = lines.place();
        let (rule, subject, is_random) = match &found.what {
            What::Known(Occurrence { value, spelling, .. }) => {
                let path = self.names[*value].clone();
                (KNOWN_VALUE.id, Subject::Known { path, spelling: *spelling }, false)
            }
            What::Token(rule) => (rule.id, Subject::Token { what: rule.what }, rule.strength == Strength::Random),
        };
        Hit {
            line,
            column,
            rule,
            subject,
            mark: Mark::of(&text[found.start..found.end]),
            is_random,
        }
    }
}

/// Fills a buffer up to a length; answers whether the source has ended.
fn fill(source: &mut impl Read, buffer: &mut Zeroizing<Vec<u8>>, length: usize) -> io::Result<bool> {
    // Grown at once, so that no copies of a smaller buffer are left behind.
    let missing = length.saturating_sub(buffer.len());
    buffer.reserve(missing);
    let read = source.take(missing as u64).read_to_end(buffer)?;
    Ok(read < missing)
}

struct Found {
    start: usize,
    end: usize,
    what: What,
}

enum What {
    Known(Occurrence),
    Token(&'static Rule),
}

impl Found {
    fn known(there: Occurrence) -> Self {
        Self {
            start: there.start,
            end: there.end,
            what: What::Known(there),
        }
    }

    /// Whether it is in a format of no one provider.
    fn is_general(&self) -> bool {
        matches!(&self.what, What::Token(rule) if tokens::is_general(rule.id))
    }

    fn rank(&self) -> (u8, usize) {
        match &self.what {
            // Where several values stand at one place, the longest; the plain one before what else it could be.
            What::Known(there) => (u8::from(there.spelling == Spelling::Encoded), usize::MAX - (self.end - self.start)),
            What::Token(rule) => (if rule.strength == Strength::Random { 2 } else { 3 }, 0),
        }
    }
}

/// Ranges that do not overlap.
#[derive(Default)]
struct Taken {
    ranges: std::collections::BTreeMap<usize, usize>,
}

impl Taken {
    /// Takes a range unless part of it is taken.
    fn take(&mut self, start: usize, end: usize) -> bool {
        let before = self.ranges.range(..end).next_back();
        if before.is_some_and(|(_, taken_end)| *taken_end > start) {
            return false;
        }
        self.ranges.insert(start, end);
        true
    }
}

#[cfg(test)]
mod tests;
