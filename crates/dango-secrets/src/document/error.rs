//! Why bytes are no document that both dlt and dango read; errors of edits are not here.

use dango_core::CredentialPath;

/// Bytes that are no `.dlt/secrets.toml`, with the place and the reason.
///
/// # Security
///
/// It names keys, never a value, and repeats no line of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct DocumentError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1; a byte order mark takes none.
    pub column: usize,
    /// What is wrong there.
    pub problem: DocumentProblem,
}

/// What makes bytes no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentProblem {
    /// More bytes than any file of credentials has.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// The largest size read, in bytes.
        limit: usize,
    },
    /// UTF-16, with or without a byte order mark.
    #[error("the file is UTF-16; TOML is UTF-8, so save it as UTF-8")]
    Utf16,
    /// A byte that UTF-8 does not allow here (RFC 3629).
    #[error("the file is not UTF-8: byte {offset} (counted from 0) does not belong there")]
    NotUtf8 {
        /// The first bad byte, counted from 0.
        offset: usize,
    },
    /// The character NUL.
    #[error("the character NUL is not allowed in TOML")]
    Nul,
    /// A control character other than tab and line end, which TOML wants as an escape.
    #[error("the control character U+{code:04X} is not allowed in TOML; inside a string write it as `\\u{code:04X}`")]
    ControlCharacter {
        /// The character's code.
        code: u8,
    },
    /// A carriage return without a line feed: a line end for dlt, none for TOML.
    #[error("a carriage return without a line feed is no line end in TOML, but dlt reads it as one; use LF or CRLF")]
    LoneCarriageReturn,
    /// Text that is no TOML.
    #[error("{0}")]
    Syntax(&'static str),
    /// A key that has a value already.
    #[error("{path} is defined twice")]
    DuplicateKey {
        /// The key.
        path: CredentialPath,
    },
    /// A table header for what exists already.
    #[error("the table {path} is defined twice")]
    DuplicateTable {
        /// The table.
        path: CredentialPath,
    },
    /// A key or header below something that is no table, or no table that can be added to here.
    #[error("{path} cannot be extended here: it is a value or a table that is complete")]
    NotExtensible {
        /// The key that would have to be an open table.
        path: CredentialPath,
    },
    /// An integer outside -2⁶³ … 2⁶³-1. dlt reads it, other TOML readers do not.
    #[error("this integer does not fit into 64 bits; write it as a string")]
    IntegerTooLarge,
    /// A floating-point number outside IEEE 754 binary64.
    #[error("this number is too large for a 64-bit float; write it as a string")]
    FloatTooLarge,
    /// A date or time that does not exist, or that dlt cannot represent.
    #[error("this is no date or time that dlt can read: {0}")]
    Datetime(&'static str),
    /// Tables in an order that TOML allows and dlt's parser refuses or misreads.
    #[error("the table {path} is defined out of order, which dlt cannot read: move it directly behind the table it belongs to")]
    OutOfOrder {
        /// The table.
        path: CredentialPath,
    },
    /// Deeper nesting than dlt's parser takes.
    #[error("tables and arrays are nested more than {limit} levels deep")]
    TooDeep {
        /// The deepest nesting read.
        limit: usize,
    },
}

impl DocumentError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self.problem {
            DocumentProblem::TooLarge { .. } => "document_too_large",
            DocumentProblem::Utf16 | DocumentProblem::NotUtf8 { .. } => "document_not_utf8",
            DocumentProblem::Nul | DocumentProblem::ControlCharacter { .. } => "document_control_character",
            DocumentProblem::LoneCarriageReturn => "document_lone_cr",
            DocumentProblem::Syntax(_) => "document_syntax",
            DocumentProblem::DuplicateKey { .. } | DocumentProblem::DuplicateTable { .. } => "document_duplicate",
            DocumentProblem::NotExtensible { .. } => "document_not_extensible",
            DocumentProblem::IntegerTooLarge | DocumentProblem::FloatTooLarge => "document_number_too_large",
            DocumentProblem::Datetime(_) => "document_datetime",
            DocumentProblem::OutOfOrder { .. } => "document_out_of_order",
            DocumentProblem::TooDeep { .. } => "document_too_deep",
        }
    }
}
