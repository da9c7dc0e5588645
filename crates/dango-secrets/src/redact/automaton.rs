//! All forms of all values in one Aho-Corasick automaton, and the fast way past text that cannot begin any of them.
//!
//! Nothing else imports `aho-corasick`. Its automaton is driven byte by byte, because a stream
//! needs to know two things its searches do not tell: how much of the text read last may still
//! become a match (the depth of a state), and every match, overlapping ones too.

use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, MatchKind};
use zeroize::Zeroizing;

/// How many bytes of a form the fast way looks at; forms may be shorter.
const WINDOW: usize = 8;
/// How many bytes it compares at once.
const BLOCK: usize = 3;
/// The size of its table is two to the power of this.
const TABLE_BITS: u32 = 16;

/// The values have so many forms that no automaton can hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the values to mask are too large")]
pub struct TooManyForms;

/// Where the automaton is: what it remembers of the bytes read so far.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct State(StateID);

/// # Security
///
/// It holds the forms in the clear and, being another crate's, does not erase them when dropped.
pub(super) struct Automaton {
    nfa: NFA,
    start: StateID,
    states: Vec<StateFacts>,
    longest: usize,
    skips: Skips,
}

#[derive(Clone, Copy, Default)]
struct StateFacts {
    /// The length of the longest end of the text read that begins a form.
    depth: u32,
    /// The length of the longest form that ends here, or 0.
    matched: u32,
}

impl Automaton {
    /// Builds it from forms of which none is empty.
    pub(super) fn new(forms: &[Zeroizing<Vec<u8>>]) -> Result<Self, TooManyForms> {
        let nfa = NFA::builder()
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(forms.iter().map(|form| form.as_slice()))
            .map_err(|_| TooManyForms)?;
        let start = nfa.start_state(Anchored::No).map_err(|_| TooManyForms)?;
        let mut states: Vec<StateFacts> = Vec::new();
        let mut longest = 0;
        for form in forms {
            let mut state = start;
            longest = longest.max(form.len());
            for (depth, &byte) in (1..).zip(form.iter()) {
                // Along a form every state is the form's own beginning: no longer one can end there.
                state = nfa.next_state(Anchored::No, state, byte);
                let index = state.as_usize();
                if index >= states.len() {
                    states.resize(index + 1, StateFacts::default());
                }
                if states[index].depth == 0 {
                    let matches = if nfa.is_match(state) { nfa.match_len(state) } else { 0 };
                    let lengths = (0..matches).map(|n| nfa.pattern_len(nfa.match_pattern(state, n)));
                    states[index] = StateFacts {
                        depth,
                        matched: lengths.max().map_or(Ok(0), u32::try_from).map_err(|_| TooManyForms)?,
                    };
                }
            }
        }
        let skips = Skips::new(forms);
        Ok(Self {
            nfa,
            start,
            states,
            longest,
            skips,
        })
    }

    /// The state before the first byte.
    pub(super) fn start(&self) -> State {
        State(self.start)
    }

    /// How many of the bytes read last may be the beginning of a form.
    pub(super) fn depth(&self, state: State) -> usize {
        self.facts(state.0).depth as usize
    }

    /// The length of the longest form.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    fn facts(&self, state: StateID) -> StateFacts {
        self.states.get(state.as_usize()).copied().unwrap_or_default()
    }

    /// Reads on, and reports where in `text` each match ends, with its length, which may reach back before `text`.
    pub(super) fn scan(&self, state: State, text: &[u8], mut found: impl FnMut(usize, usize)) -> State {
        let mut state = state.0;
        let mut at = 0;
        while at < text.len() {
            if state == self.start {
                at = self.skips.next_candidate(text, at);
                if at == text.len() {
                    break;
                }
            }
            state = self.nfa.next_state(Anchored::No, state, text[at]);
            at += 1;
            if state == self.start {
                continue;
            }
            let StateFacts { depth, matched } = self.facts(state);
            if matched > 0 {
                found(at, matched as usize);
            }
            // Most beginnings are two or three bytes of ordinary text. Where the table rules out
            // what was begun, the fast way goes on behind it. That reads less than a window
            // again, in which no form can end.
            if let Some(begun) = at.checked_sub(depth as usize) {
                let skip = self.skips.skip(text, begun);
                if skip > 0 {
                    at = begun + skip;
                    state = self.start;
                }
            }
        }
        State(state)
    }
}

/// For every three bytes, how far ahead the next form can begin at the earliest (Wu and Manber, 1994).
struct Skips {
    /// As many bytes as every form has, at most [`WINDOW`].
    window: usize,
    table: Vec<u8>,
}

impl Skips {
    fn new(forms: &[Zeroizing<Vec<u8>>]) -> Self {
        let window = forms.iter().map(|form| form.len()).min().unwrap_or(WINDOW).min(WINDOW);
        // Forms shorter than a block leave nothing to skip.
        let unknown = (window + 1).saturating_sub(BLOCK) as u8;
        let mut table = vec![unknown; 1 << TABLE_BITS];
        if unknown > 0 {
            for form in forms {
                for (index, block) in form[..window].windows(BLOCK).enumerate() {
                    let skip = &mut table[slot(block)];
                    *skip = (*skip).min((window - BLOCK - index) as u8);
                }
            }
        }
        Self { window, table }
    }

    /// How many places from `at` on no form begins; 0 where one may, and where the text ends too soon to tell.
    #[inline]
    fn skip(&self, text: &[u8], at: usize) -> usize {
        match text.get(at..at + self.window) {
            Some(window) if self.window >= BLOCK => usize::from(self.table[slot(&window[self.window - BLOCK..])]),
            _ => 0,
        }
    }

    /// The first place from `at` on where a form may begin.
    #[inline]
    fn next_candidate(&self, text: &[u8], mut at: usize) -> usize {
        loop {
            match self.skip(text, at) {
                0 => return at,
                skip => at += skip,
            }
        }
    }
}

#[inline]
fn slot(block: &[u8]) -> usize {
    let number = u32::from(block[0]) | u32::from(block[1]) << 8 | u32::from(block[2]) << 16;
    (number.wrapping_mul(0x9e37_79b1) >> (32 - TABLE_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn automaton(forms: &[&str]) -> Automaton {
        let forms: Vec<_> = forms.iter().map(|form| Zeroizing::new(form.as_bytes().to_vec())).collect();
        Automaton::new(&forms).expect("small")
    }

    fn all_matches(automaton: &Automaton, text: &[u8]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        automaton.scan(automaton.start(), text, |end, length| found.push((end, length)));
        found
    }

    proptest! {
        #[test]
        fn every_place_where_a_form_ends_is_found(
            forms in proptest::collection::vec("[ab]{1,3}|[abc]{4,9}|[abc]{6,12}", 1..6),
            text in "[abcd]{0,80}",
            cut in 0usize..80,
        ) {
            let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
            let automaton = automaton(&forms);
            let text = text.as_bytes();
            let expected: Vec<(usize, usize)> = (1..=text.len())
                .filter_map(|end| {
                    let ending = forms.iter().filter(|form| text[..end].ends_with(form.as_bytes()));
                    ending.map(|form| form.len()).max().map(|length| (end, length))
                })
                .collect();
            prop_assert_eq!(&all_matches(&automaton, text), &expected);

            let cut = cut.min(text.len());
            let mut found = Vec::new();
            let state = automaton.scan(automaton.start(), &text[..cut], |end, length| found.push((end, length)));
            let begun = |form: &&str| (1..form.len()).rev().find(|&n| text[..cut].ends_with(&form.as_bytes()[..n]));
            let whole = |form: &&str| text[..cut].ends_with(form.as_bytes()).then_some(form.len());
            let depth = forms.iter().filter_map(|form| begun(form).max(whole(form))).max().unwrap_or(0);
            // The fast way forgets beginnings that the bytes behind them have ruled out already; none of them is at the end.
            prop_assert_eq!(automaton.depth(state), depth);
            automaton.scan(state, &text[cut..], |end, length| found.push((cut + end, length)));
            prop_assert_eq!(&found, &expected);
        }
    }

    #[test]
    fn no_forms_match_nothing() {
        assert!(all_matches(&automaton(&[]), b"any text at all").is_empty());
    }
}
