//! The parser's words for what is wrong, in plainer ones that say what to do; never a part of the text.

/// What a syntax error of `toml_parser` means.
pub(super) fn explain(description: &str) -> &'static str {
    match description {
        "invalid basic string" | "invalid multi-line basic string" => {
            "this string is not closed or holds what must be escaped: a string in double quotes ends on its line, and `\"` and `\\` in it are written `\\\"` and `\\\\`"
        }
        "invalid literal string" | "invalid multi-line literal string" => {
            "this string is not closed: one in single quotes ends on its line and cannot hold a single quote"
        }
        "missing escaped value" => {
            "a backslash in double quotes begins an escape, and this is none: write `\\\\` for a backslash, or put the value in single quotes"
        }
        "too few unicode value digits" => "`\\x` needs 2 hexadecimal digits, `\\u` 4 and `\\U` 8",
        "invalid value" => "this escape names no Unicode character",
        "string values must be quoted" => "a text value must be in quotes",
        "missing opening quote" => "the quote at the start of this value is missing",
        "key with no value" | "missing value for key" | "missing assignment between key-value pairs" => {
            "a key is followed by `=` and a value; there is no `=` here"
        }
        "missing value" => "the value behind `=` is missing",
        "extra `=`" | "extra assignment between key-value pairs" | "unexpected `=` in array" => "there is an `=` too many",
        "invalid key-value pair" => "a line begins with a key, `[table]` or `#`",
        "unquoted keys cannot be empty" => "a key is missing here",
        "invalid unquoted key" => "a key with other characters than letters, digits, `-` and `_` must be in quotes",
        "keys cannot be multi-line basic strings" | "keys cannot be multi-line literal strings" => "a key cannot be a multi-line string",
        "invalid table" | "missing table open" | "unclosed table" | "unclosed array table" => {
            "a table header is one line of the form `[name]` or `[[name]]`"
        }
        "unexpected key or value" | "unexpected content between comment and newline" | "unexpected content" => {
            "nothing but a comment may follow on this line"
        }
        "unclosed array" => "the array is not closed by `]`",
        "unclosed inline table" => "the inline table is not closed by `}`",
        "missing array opening" => "this `]` closes no array",
        "missing inline table opening" => "this `}` closes no inline table",
        "extra comma in array" | "extra comma in inline table" => "there is a comma too many",
        "missing comma between array elements" | "missing comma between key-value pairs" => "there is a comma missing",
        "missing key for inline table element" | "invalid inline table element" => "an inline table is made of `key = value`",
        "invalid boolean" => "a boolean is `true` or `false`, in lower case",
        "invalid date-time" => "this is no date or time",
        "unexpected leading zero" => "a number has no leading zero: put it in quotes if the zero counts",
        "redundant numeric sign" | "unexpected sign" | "integers with a radix cannot be signed" => {
            "there is a sign too many in this number"
        }
        "`_` may only go between digits" => "`_` in a number stands between digits",
        "radix must be lowercase" => "`0x`, `0o` and `0b` are in lower case",
        "carriage return must be followed by newline" => "a carriage return without a line feed is no line end",
        "invalid comment" => "this character is not allowed in a comment",
        description if description.starts_with("invalid ") || description.starts_with("redundant ") => "this is no number",
        _ => "this is not valid TOML",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_of_the_parser_is_not_passed_on() {
        assert_eq!(explain("sk_live_canary"), "this is not valid TOML");
        assert_eq!(explain("invalid mantissa"), "this is no number");
    }
}
