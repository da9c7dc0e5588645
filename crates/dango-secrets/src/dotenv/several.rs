//! Many keys set at once: the new ones are appended in one go and looked at once. What setting one key means is in `edit`.

use std::collections::{HashMap, HashSet};

use dango_core::{SecretValue, VariableName};
use zeroize::Zeroizing;

use super::edit::Readings;
use super::interpolation::{EnvPiece, pieces};
use super::spelling::spellings;
use super::{EnvDocument, EnvEditError};
use crate::References;

/// A key with the value that it is to have.
pub type Assignment<'a> = (&'a VariableName, &'a SecretValue);

impl EnvDocument {
    /// Sets several keys, each as [`EnvDocument::set`] does. It takes the time of one for those that have their values
    /// already, and for those that are new and stand in nobody's way.
    ///
    /// # Errors
    ///
    /// The place among the assignments of the first that cannot be made, and why; the document itself never changes.
    pub fn set_each(&self, assignments: &[Assignment<'_>], references: References) -> Result<Self, (usize, EnvEditError)> {
        let readings = Readings::of(self);
        // Of duplicates the last one counts, for both readers.
        let (python, node): (HashMap<_, _>, HashMap<_, _>) = (readings.as_python().collect(), readings.as_node().collect());
        let is_set = |&index: &usize| {
            let (key, value) = assignments[index];
            let (key, value) = (key.as_str(), Some(value.expose()));
            python.get(key) == Some(&value) && node.get(key) == Some(&value)
        };
        let left = (0..assignments.len()).filter(|index| !is_set(index));
        let (old, new): (Vec<usize>, Vec<usize>) = left.partition(|&index| python.contains_key(assignments[index].0.as_str()));
        let set = |document: &Self, index: usize| {
            let (key, value) = assignments[index];
            let set = document.set(key, value, references);
            set.map(|(document, _)| document).map_err(|error| (index, error))
        };
        let mut document = self.clone();
        for index in old {
            document = set(&document, index)?;
        }
        let Some((first, rest)) = new.split_first() else {
            return Ok(document);
        };
        // The first one is put behind what is there by all the rules; what follows has a whole line above it.
        document = set(&document, *first)?;
        let following: Vec<Assignment<'_>> = rest.iter().map(|&index| assignments[index]).collect();
        if let Some(all) = document.followed_by(&following, references) {
            return Ok(all);
        }
        for index in rest {
            document = set(&document, *index)?;
        }
        Ok(document)
    }

    /// The document with new lines behind it, if both readers then see exactly what they saw and these keys.
    fn followed_by(&self, assignments: &[Assignment<'_>], references: References) -> Option<Self> {
        let mut seen = HashSet::new();
        if !self.text.ends_with(['\r', '\n']) || !assignments.iter().all(|(key, _)| seen.insert(key.as_str())) {
            return None;
        }
        let mut lines = Zeroizing::new(String::new());
        for (key, value) in assignments {
            let value = value.expose();
            if references == References::Literal && pieces(value).iter().any(|piece| matches!(piece, EnvPiece::Reference { .. })) {
                return None;
            }
            let spelling = spellings(value).ok()?.into_iter().next()?;
            let line = Zeroizing::new(format!("{key}={}\n", *spelling));
            let line = self.with_line_breaks(&line);
            if lines.capacity() - lines.len() < line.len() {
                // Grown by hand: what a string leaves behind when it grows would not be wiped.
                let mut larger = Zeroizing::new(String::with_capacity((lines.len() + line.len()) * 2));
                larger.push_str(&lines);
                lines = larger;
            }
            lines.push_str(&line);
        }
        let end = self.text.len()..self.text.len();
        let edited = self.spliced(end, &lines);
        Readings::of(&edited)
            .are_those_with(&Readings::of(self), assignments)
            .then_some(edited)
    }
}

impl Readings<'_> {
    /// Whether these are the other ones and, behind them, the assignments, for python-dotenv and for node dotenv.
    fn are_those_with(&self, before: &Readings<'_>, assignments: &[Assignment<'_>]) -> bool {
        let wanted = || assignments.iter().map(|(key, value)| (key.as_str(), Some(value.expose())));
        let is_python = self.as_python().eq(before.as_python().chain(wanted()));
        let is_node = self.as_node().eq(before.as_node().chain(wanted()));
        is_python && is_node && self.problems == before.problems
    }

    fn as_python(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.python.iter().map(|binding| (binding.key(), binding.expose()))
    }

    fn as_node(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let read = self.node.iter();
        read.map(|assignment| (assignment.key.as_str(), Some(assignment.value.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::dotenv::Precedence;

    fn owned(pairs: &[(&str, &str)]) -> Vec<(VariableName, SecretValue)> {
        let owned = |(key, value): &(&str, &str)| {
            let value = SecretValue::new((*value).to_owned()).expect("text");
            (key.parse().expect("a name"), value)
        };
        pairs.iter().map(owned).collect()
    }

    fn set_each(before: &str, pairs: &[(&str, &str)]) -> Result<String, (usize, EnvEditError)> {
        let owned = owned(pairs);
        let assignments: Vec<Assignment<'_>> = owned.iter().map(|(key, value)| (key, value)).collect();
        let document = EnvDocument::parse(before.as_bytes()).expect("text");
        let edited = document.set_each(&assignments, References::Literal)?;
        for (key, value) in &owned {
            let read = edited.value(key.as_str(), &|_| None, Precedence::File).expect("no reference");
            assert_eq!(read.as_ref().map(SecretValue::expose), Some(value.expose()), "{key}");
        }
        Ok(edited.text().to_owned())
    }

    #[test]
    fn old_keys_keep_their_places_and_new_ones_are_in_order() {
        let text = set_each("# ours\nB=1 # b\nC=2", &[("A", "x y"), ("B", "2"), ("D", "it's"), ("E", "a\nb")]).expect("all fit");
        assert_eq!(text, "# ours\nB=2 # b\nC=2\nA='x y'\nD=\"it's\"\nE='a\nb'\n");
        let text = set_each("A=1\r\n", &[("B", "2"), ("C", "a\nb")]).expect("all fit");
        assert_eq!(text, "A=1\r\nB=2\r\nC='a\r\nb'\r\n");
    }

    #[test]
    fn a_value_that_would_swallow_the_line_behind_it_is_still_set() {
        // node dotenv takes `\'` for no end of a value where another quote follows further down.
        let text = set_each("", &[("A", "a b\\"), ("B", "c d"), ("C", "it's")]).expect("all fit");
        assert_eq!(text.lines().filter(|line| !line.is_empty()).count(), 3, "{text}");
        let twice = set_each("", &[("A", "1"), ("B", "2"), ("B", "2")]).expect("the same value");
        assert_eq!(twice, "A=1\nB=2\n");
    }

    #[test]
    fn what_has_its_value_already_is_left_as_it_is_spelled() {
        let before = "A='1'\nexport B = \"2\" # b\nC=`3`\n";
        let text = set_each(before, &[("A", "1"), ("B", "2"), ("C", "`3`"), ("D", "4")]).expect("all fit");
        assert!(
            text.starts_with("A='1'\nexport B = \"2\" # b\n") && text.ends_with("D=4\n"),
            "{text}"
        );
        // node dotenv knows backticks as quotes, so there the value was another one.
        assert!(!text.contains("C=`3`\n"), "{text}");
    }

    #[test]
    fn the_one_that_cannot_be_set_is_named() {
        let failed = set_each("D=1\n", &[("A", "1"), ("B", "${X}"), ("D", "2")]).expect_err("a reference");
        assert_eq!((failed.0, failed.1.code()), (1, "env_value_reference"));
    }

    #[test]
    fn ten_thousand_new_keys_take_no_quadratic_time() {
        let keys: Vec<String> = (0..10_000).map(|number| format!("KEY_{number}")).collect();
        let pairs: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "a value")).collect();
        let owned = owned(&pairs);
        let assignments: Vec<Assignment<'_>> = owned.iter().map(|(key, value)| (key, value)).collect();
        let begun = Instant::now();
        let edited = EnvDocument::default().set_each(&assignments, References::Literal).expect("all fit");
        assert_eq!(edited.keys().len(), 10_000);
        let again = edited.set_each(&assignments, References::Literal).expect("all are there");
        assert_eq!(again.text(), edited.text());
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "one by one it takes hours: {:?}",
            begun.elapsed()
        );
    }
}
