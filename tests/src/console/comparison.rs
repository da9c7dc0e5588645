//! Expected and real output compared line by line, with `...` for any lines and `[..]` for any text in a line.

const ANY_LINES: &str = "...";
const ANY_TEXT: &str = "[..]";

/// Returns nothing if the output is what was expected, else the difference: `-` for what the document says, `+` for what was said.
#[must_use]
pub fn difference(expected: &[String], output: &str) -> Option<String> {
    let said: Vec<&str> = output
        .trim_end_matches('\n')
        .split('\n')
        .filter(|_| !output.trim_end_matches('\n').is_empty())
        .collect();
    if matches(expected, &said) {
        return None;
    }
    let longest = longest_common(expected, &said);
    let mut text = String::new();
    let (mut at, mut said_at) = (0, 0);
    for (next, said_next) in longest.into_iter().chain([(expected.len(), said.len())]) {
        expected[at..next].iter().for_each(|line| text.push_str(&format!("  - {line}\n")));
        said[said_at..said_next]
            .iter()
            .for_each(|line| text.push_str(&format!("  + {line}\n")));
        if let Some(line) = said.get(said_next) {
            text.push_str(&format!("    {line}\n"));
        }
        (at, said_at) = (next + 1, said_next + 1);
    }
    Some(text)
}

/// Line patterns against lines; each `...` takes as few lines as it can.
fn matches(expected: &[String], said: &[&str]) -> bool {
    wildcard(
        expected,
        said,
        |pattern| pattern == ANY_LINES,
        |pattern, line| line_matches(pattern, line),
    )
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let mut rest = line;
    let mut parts = pattern.split(ANY_TEXT);
    let first = parts.next().unwrap_or_default();
    let Some(after) = rest.strip_prefix(first) else { return false };
    rest = after;
    let mut last = None;
    for part in parts {
        if let Some(middle) = last.replace(part) {
            let Some(at) = rest.find(middle) else { return false };
            rest = &rest[at + middle.len()..];
        }
    }
    last.map_or(rest.is_empty(), |end: &str| rest.ends_with(end))
}

/// Matches a sequence against patterns of which some stand for any number of items; only the last such is ever tried again.
fn wildcard<P, T>(patterns: &[P], items: &[T], is_any: impl Fn(&P) -> bool, fits: impl Fn(&P, &T) -> bool) -> bool {
    let (mut pattern, mut item) = (0, 0);
    let mut retry = None;
    while item < items.len() {
        match patterns.get(pattern) {
            Some(current) if is_any(current) => {
                retry = Some((pattern, item));
                pattern += 1;
            }
            Some(current) if fits(current, &items[item]) => {
                pattern += 1;
                item += 1;
            }
            _ => {
                let Some((any, taken)) = retry else { return false };
                retry = Some((any, taken + 1));
                (pattern, item) = (any + 1, taken + 1);
            }
        }
    }
    patterns[pattern..].iter().all(is_any)
}

/// The pairs of lines that both sides have, in order, as many as there can be.
fn longest_common(expected: &[String], said: &[&str]) -> Vec<(usize, usize)> {
    let mut lengths = vec![vec![0_usize; said.len() + 1]; expected.len() + 1];
    for at in (0..expected.len()).rev() {
        for said_at in (0..said.len()).rev() {
            lengths[at][said_at] = if line_matches(&expected[at], said[said_at]) {
                lengths[at + 1][said_at + 1] + 1
            } else {
                lengths[at + 1][said_at].max(lengths[at][said_at + 1])
            };
        }
    }
    let mut pairs = Vec::new();
    let (mut at, mut said_at) = (0, 0);
    while at < expected.len() && said_at < said.len() {
        if line_matches(&expected[at], said[said_at]) {
            pairs.push((at, said_at));
            (at, said_at) = (at + 1, said_at + 1);
        } else if lengths[at + 1][said_at] >= lengths[at][said_at + 1] {
            at += 1;
        } else {
            said_at += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(expected: &[&str], output: &str) -> bool {
        difference(&expected.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>(), output).is_none()
    }

    #[test]
    fn lines_are_compared_exactly() {
        assert!(same(&[], "") && same(&[], "\n") && same(&["a", "", "b"], "a\n\nb\n"));
        assert!(!same(&["a"], "a \n") && !same(&["a"], "") && !same(&[], "a\n") && !same(&["a"], "\na\n"));
    }

    #[test]
    fn three_dots_stand_for_any_lines() {
        assert!(same(&["..."], "") && same(&["a", "...", "d"], "a\nb\nc\nd\n") && same(&["a", "..."], "a\n"));
        assert!(same(&["...", "b", "...", "c"], "a\nb\nb\nx\nc\n"));
        assert!(!same(&["a", "...", "d"], "a\nb\nc\n") && !same(&["a...c"], "abc\n"));
    }

    #[test]
    fn two_dots_in_brackets_stand_for_any_text_in_a_line() {
        assert!(same(&["a[..]c"], "abbc\n") && same(&["[..]"], "x\n") && same(&["a[..]b[..]c"], "a1b2b3c\n") && same(&["a[..]"], "a\n"));
        assert!(!same(&["a[..]c"], "abcd\n") && !same(&["ab[..]bc"], "abc\n") && !same(&["a[..]"], "b\n"));
    }

    #[test]
    fn a_difference_shows_both_sides_around_what_they_share() {
        let expected = ["a", "b", "d"].map(str::to_owned);
        assert_eq!(
            difference(&expected, "a\nc\nd\ne\n").as_deref(),
            Some("    a\n  - b\n  + c\n    d\n  + e\n")
        );
    }
}
