//! What `dlt.secrets["…"]` makes of a text: dlt's `auto_cast`. Text for the environment is written in `text`, not here.

use zeroize::Zeroizing;

use super::json::{self, Root};
use super::number::{parse_float, parse_integer, strip};

/// What dlt turns a text into when it is asked for by name (`dlt.secrets["sources.x.token"]`).
///
/// Arguments that dlt injects are not cast this way: a `str` argument gets the text. There is no `Debug`: the
/// numbers may be secrets.
#[derive(Clone)]
#[non_exhaustive]
pub enum Cast {
    /// `true` or `false`, in any case.
    Boolean(bool),
    /// A whole number of any size: `-` where negative, then decimal digits without leading zeros.
    /// Hexadecimal text of more than 128 bits is `0x` and lower-case digits instead.
    Integer(Zeroizing<String>),
    /// A floating-point number, infinities and NaN included.
    Float(f64),
    /// A Python list, from a JSON array.
    List,
    /// A Python dict, from a JSON object.
    Table,
    /// The text itself, unchanged.
    Text,
}

/// The kind of a [`Cast`], without the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CastKind {
    /// `bool` in Python.
    Boolean,
    /// `int` in Python.
    Integer,
    /// `float` in Python.
    Float,
    /// `list` in Python.
    List,
    /// `dict` in Python.
    Table,
    /// `str` in Python: nothing was cast.
    Text,
}

impl Cast {
    /// What kind of value it is.
    pub fn kind(&self) -> CastKind {
        match self {
            Self::Boolean(_) => CastKind::Boolean,
            Self::Integer(_) => CastKind::Integer,
            Self::Float(_) => CastKind::Float,
            Self::List => CastKind::List,
            Self::Table => CastKind::Table,
            Self::Text => CastKind::Text,
        }
    }
}

impl CastKind {
    /// The name in lower case: `boolean`, `integer`, `float`, `list`, `table`, `text`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::List => "list",
            Self::Table => "table",
            Self::Text => "text",
        }
    }
}

impl std::fmt::Display for CastKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Casts a text as dlt 1.31 does for `dlt.secrets["…"]`: boolean, integer, float, JSON list or dict, else the text.
///
/// Numbers are what Python's `int()` and `float()` read (leading zeros, signs, `_` between digits, the digits of
/// every script), so `"00123"` and `"+15551234567"` lose their form. A JSON text that is neither array nor object stays text.
///
/// ```
/// use dango_secrets::dlt::{CastKind, auto_cast};
///
/// assert_eq!(auto_cast("00123").kind(), CastKind::Integer);
/// assert_eq!(auto_cast("1e5").kind(), CastKind::Float);
/// assert_eq!(auto_cast("sk_live_1e5").kind(), CastKind::Text);
/// ```
pub fn auto_cast(text: &str) -> Cast {
    if text.eq_ignore_ascii_case("true") {
        return Cast::Boolean(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Cast::Boolean(false);
    }
    let stripped = strip(text);
    if let Some(digits) = parse_integer(stripped) {
        return Cast::Integer(digits);
    }
    if let Some(number) = parse_float(stripped) {
        return Cast::Float(number);
    }
    match json::parse_root(text) {
        Some(Root::Array) => Cast::List,
        Some(Root::Object) => Cast::Table,
        Some(Root::Scalar) | None => Cast::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_looks_like_a_number_becomes_one() {
        for (text, kind) in [
            ("TRUE", CastKind::Boolean),
            ("true ", CastKind::Text),
            (" 12 ", CastKind::Integer),
            ("0x1F", CastKind::Integer),
            ("0X1F", CastKind::Text),
            ("nan", CastKind::Float),
            ("[1]", CastKind::List),
            ("{\"a\":1}", CastKind::Table),
            ("\"a\"", CastKind::Text),
            ("yes", CastKind::Text),
            ("", CastKind::Text),
        ] {
            assert_eq!(auto_cast(text).kind(), kind, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = auto_cast(&text).kind();
        }
    }
}
