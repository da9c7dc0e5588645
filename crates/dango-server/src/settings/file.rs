//! `.dango/server.toml` read as keys and texts with their places. Which keys there are is in `table`.

use std::ops::Range;

use toml_edit::{Document, Item, Value};

/// A place in the file, both from 1; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// One key with what it holds.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) values: Vec<(String, Place)>,
    pub(super) is_array: bool,
}

/// Why the file gives nothing. It repeats nothing of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileError {
    pub(super) place: Place,
    pub(super) problem: &'static str,
}

const NOT_TEXT: &str = "a setting is a string, a whole number, or an array of strings";

/// Reads every key at the top of the file.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Entry>, FileError> {
    let start = Place { line: 1, column: 1 };
    let text = std::str::from_utf8(bytes).map_err(|error| FileError {
        place: place_of(&String::from_utf8_lossy(&bytes[..error.valid_up_to()]), error.valid_up_to()),
        problem: "the file is not UTF-8",
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = Document::parse(text).map_err(|error| FileError {
        place: error.span().map_or(start, |span| place_of(text, span.start)),
        problem: "this is no TOML",
    })?;
    let at = |span: Option<Range<usize>>| span.map_or(start, |span| place_of(text, span.start));
    let table = document.as_table();
    let entry = |(key, item): (&str, &Item)| {
        let place = at(table.key(key).and_then(toml_edit::Key::span));
        let wrong = |span| FileError {
            place: at(span),
            problem: NOT_TEXT,
        };
        let value = item.as_value().ok_or_else(|| wrong(item.span()))?;
        let (values, is_array) = match value {
            Value::Array(array) => (array.iter().collect(), true),
            value => (vec![value], false),
        };
        let values = values
            .into_iter()
            .map(|value| {
                text_of(value)
                    .map(|text| (text, at(value.span())))
                    .ok_or_else(|| wrong(value.span()))
            })
            .collect::<Result<_, _>>()?;
        Ok(Entry {
            key: key.to_owned(),
            place,
            values,
            is_array,
        })
    };
    table.iter().map(entry).collect()
}

fn text_of(value: &Value) -> Option<String> {
    value
        .as_str()
        .map(str::to_owned)
        .or_else(|| value.as_integer().map(|number| number.to_string()))
}

fn place_of(text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Place {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_come_with_their_places_and_texts() {
        let entries = parse(b"# comment\nlisten = \"a\"\n  trusted_proxy = [ \"b\",\n 7 ]\n").expect("well-formed");
        let [listen, proxy] = entries.as_slice() else { panic!("two keys") };
        assert_eq!(
            (listen.key.as_str(), listen.place, listen.is_array),
            ("listen", Place { line: 2, column: 1 }, false)
        );
        assert_eq!(listen.values, [("a".to_owned(), Place { line: 2, column: 10 })]);
        assert_eq!((proxy.place, proxy.is_array), (Place { line: 3, column: 3 }, true));
        assert_eq!(proxy.values[1], ("7".to_owned(), Place { line: 4, column: 2 }));
    }

    #[test]
    fn what_is_wrong_is_named_by_place_and_never_repeated() {
        for (text, line, column, problem) in [
            ("a = 1\nb = canary", 2, 5, "this is no TOML"),
            ("a = 1\na = 2", 2, 1, "this is no TOML"),
            ("x = true", 1, 5, NOT_TEXT),
            ("[x]\ny = 1", 1, 1, NOT_TEXT),
            ("x = [\"a\", 1.5]", 1, 11, NOT_TEXT),
        ] {
            let error = parse(text.as_bytes()).err().expect("refused");
            assert_eq!((error.place, error.problem), (Place { line, column }, problem), "{text}");
        }
        let error = parse(b"a = 1\nb = \"\xff\"").err().expect("refused");
        assert_eq!(error.place, Place { line: 2, column: 6 });
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
