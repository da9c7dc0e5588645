//! Repetition and sequences in a password: how much of it is not the next key, the next letter or the same one again.

/// The rows of a keyboard that people run a finger along.
const ROWS: [&str; 5] = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop"];

/// The shortest run that counts as one.
const RUN: usize = 3;

/// How many characters must stand outside all runs.
const FREE: usize = 4;

/// Whether it is made of at most two different characters, or of a few that are each repeated.
pub(super) fn is_repetitive(folded: &[char]) -> bool {
    let mut distinct: Vec<char> = Vec::with_capacity(3);
    for c in folded {
        if !distinct.contains(c) {
            distinct.push(*c);
            if distinct.len() > 2 {
                return free_characters(folded, |one, next| one == next) < FREE;
            }
        }
    }
    true
}

/// Whether it is made of runs such as `abcd`, `4321` and `qwert`, but for a few characters.
pub(super) fn is_sequence(folded: &[char]) -> bool {
    covered(folded) > folded.len().saturating_sub(FREE)
}

fn covered(folded: &[char]) -> usize {
    let up = |one: char, next: char| is_next(one, next);
    let down = |one: char, next: char| is_next(next, one);
    let same = |one: char, next: char| one == next;
    let mut inside = vec![false; folded.len()];
    mark_runs(folded, &mut inside, up);
    mark_runs(folded, &mut inside, down);
    mark_runs(folded, &mut inside, same);
    inside.iter().filter(|inside| **inside).count()
}

fn free_characters(folded: &[char], follows: impl Fn(char, char) -> bool) -> usize {
    let mut inside = vec![false; folded.len()];
    mark_runs(folded, &mut inside, follows);
    inside.iter().filter(|inside| !**inside).count()
}

fn mark_runs(folded: &[char], inside: &mut [bool], follows: impl Fn(char, char) -> bool) {
    let mut start = 0;
    for end in 1..=folded.len() {
        let goes_on = end < folded.len() && follows(folded[end - 1], folded[end]);
        if !goes_on {
            if end - start >= RUN {
                inside[start..end].fill(true);
            }
            start = end;
        }
    }
}

/// The next letter of an alphabet, the next digit, or the next key.
fn is_next(one: char, next: char) -> bool {
    let neighbours = u32::from(next) == u32::from(one) + 1;
    if neighbours && one.is_alphanumeric() && next.is_alphanumeric() {
        return true;
    }
    ROWS.iter().any(|row| {
        let mut keys = row.chars().skip_while(|key| *key != one);
        keys.next().is_some() && keys.next() == Some(next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn repetition_is_found() {
        for text in [
            "",
            "aaaaaaaaaaaaaaa",
            "abababababab",
            "aaaabbbbcccc",
            "1111222233334",
            "🍡🍡🍡🍡🍡🍡🍡🍡",
            "        ",
        ] {
            assert!(is_repetitive(&chars(text)), "{text}");
        }
        for text in ["a ba ba ba ba ba ba ba b", "bookkeeper", "aaa-bcde-x", "😀🍡🎈🚀🐙🌵🍕🎹"] {
            assert!(!is_repetitive(&chars(text)), "{text}");
        }
    }

    #[test]
    fn sequences_of_letters_digits_and_keys_are_found() {
        for text in [
            "abcdefgh",
            "87654321",
            "qwertyuiop",
            "poiuytrewq",
            "abc123xyz",
            "asdfghjkl1!",
            "qwertzuiop",
            "абвгдежз",
            "abcabcabc",
            "7890123456x",
            "aaabcdefgh",
        ] {
            assert!(is_sequence(&chars(text)), "{text}");
        }
        for text in [
            "correct horse",
            "abcd9x!k",
            "12345678 and counting",
            "a ba ba ba b",
            "😀😁😂😃😄😅😆😇",
        ] {
            assert!(!is_sequence(&chars(text)), "{text}");
        }
    }
}
