//! Whether letters are words: by which of them stand beside one another in the names that programs have.

/// For each letter the letters that follow it often: the pairs that make up six sevenths of all pairs in the names of Python's standard
/// library, and no more than two sevenths of what chance puts together.
const FOLLOWERS: [&[u8]; 26] = [
    b"abcdgilmnprstu",
    b"aceilou",
    b"aehiklortu",
    b"aeilosu",
    b"acdefglmnpqrstvx",
    b"aefilor",
    b"ers",
    b"aeiot",
    b"abcdefglmnoprstvz",
    b"",
    b"e",
    b"adeilostuy",
    b"aeiop",
    b"acdefgiost",
    b"bcdlmnoprstuw",
    b"aeiloprsty",
    b"u",
    b"acdegimnorstuy",
    b"acehilopstu",
    b"acehioprstuy",
    b"abelmnprst",
    b"aei",
    b"ai",
    b"t",
    b"p",
    b"e",
];

/// Pairs of letters in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pairs {
    pub(super) all: usize,
    /// Those that words have.
    pub(super) of_words: usize,
}

impl Pairs {
    /// Counts them, without regard to case.
    pub(super) fn of(text: &[u8]) -> Self {
        let letters = |pair: &&[u8]| pair.iter().all(u8::is_ascii_alphabetic);
        text.windows(2).filter(letters).fold(Self::default(), |pairs, pair| {
            let [first, second] = [pair[0], pair[1]].map(|letter| letter.to_ascii_lowercase());
            Self {
                all: pairs.all + 1,
                of_words: pairs.of_words + usize::from(FOLLOWERS[usize::from(first - b'a')].contains(&second)),
            }
        })
    }

    /// Whether there are enough of them to say something.
    pub(super) const fn are_many(self) -> bool {
        self.all >= 6
    }

    /// Whether chance alone is more likely to have put them together.
    pub(super) const fn are_chance(self) -> bool {
        self.of_words * 10 <= self.all * 6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_what_a_machine_drew_is_chance() {
        for name in [
            "NonEmptyMaxLength64String",
            "getTokenFromRequestHeader2",
            "aws_secretsmanager_version_1",
            "MaxConn10Timeout30Retry5",
        ] {
            let pairs = Pairs::of(name.as_bytes());
            assert!(pairs.are_many() && !pairs.are_chance(), "{name}");
        }
        for drawn in ["lucWJjEhlxZW01cXI3YmVlcYnpxNGhzk", "k3jq9xvw2pzr7hbn5fjd", "QX7KZVJ2WMHQ3PBX"] {
            let pairs = Pairs::of(drawn.as_bytes());
            assert!(pairs.are_many() && pairs.are_chance(), "{drawn}");
        }
    }
}
