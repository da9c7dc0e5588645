//! `.dlt/secrets.toml` as text and tree: values are found, replaced and removed by their span, so every other byte stays.
//!
//! [`SecretsDocument`] is one text that both dlt and dango read the same way; what they would read differently is
//! refused. [`SecretsDocument::set`] and [`SecretsDocument::unset`] make a new document and prove, with another parser,
//! that nothing but the wanted value changed. No file is opened here: see `storage`.
//!
//! ```
//! use dango_core::SecretValue;
//! use dango_secrets::References;
//! use dango_secrets::document::{NewValue, SecretsDocument};
//!
//! let document = SecretsDocument::parse(b"[sources.stripe]\napi_key = 'old' # rotate in May\n")?;
//! let text = SecretValue::new("new".to_owned())?;
//! let value = NewValue::String { text, references: References::Literal };
//! let (edited, _) = document.set(&"sources.stripe.api_key".parse()?, &value)?;
//! assert_eq!(edited.text(), "[sources.stripe]\napi_key = \"new\" # rotate in May\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agreement;
mod appendix;
mod builder;
mod comments;
mod edit;
mod encoding;
mod error;
mod extract;
mod inline;
mod insertion;
mod json;
mod layout;
mod merge;
mod new_value;
mod opened;
mod position;
mod proof;
mod read;
mod removal;
mod sameness;
mod scalar;
mod several;
mod spelled;
mod spelling;
mod syntax;
mod tomlkit;
mod tree;
mod value_text;

use dango_core::CredentialPath;
use zeroize::Zeroizing;

use crate::Value;
pub use comments::Comment;
pub use edit::EditError;
pub use error::{DocumentError, DocumentProblem};
pub use json::JsonProblem;
pub use new_value::{DatetimeText, NewType, NewValue, ParseNewTypeError, ParseNewValueError};
use opened::OpenedValues;
pub use read::Entry;
pub use spelled::{CommentChange, RespellError, Respelling};
use tree::Tree;
pub use value_text::ValueText;

/// A text of `.dlt/secrets.toml` that dlt reads, too, with a tree of where its values are.
///
/// The text is kept as it was given, byte for byte, and erased when dropped. There is no `Debug`.
#[derive(Clone)]
pub struct SecretsDocument {
    text: Zeroizing<String>,
    tree: Tree,
    opened: OpenedValues,
}

impl SecretsDocument {
    /// Reads a document; no bytes at all are an empty one. A byte order mark is kept, though dlt cannot read it.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] where the bytes are no TOML, or TOML that dlt's parser refuses or reads differently.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        Self::from_text(encoding::decode(bytes)?)
    }

    fn from_text(text: Zeroizing<String>) -> Result<Self, DocumentError> {
        encoding::check(&text)?;
        let tree = builder::build(&text)?;
        agreement::check(&text, &tree)?;
        let opened = OpenedValues::NONE;
        Ok(Self { text, tree, opened })
    }

    /// The text, exactly as it was given, a byte order mark included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the text begins with a byte order mark, on which dlt's parser fails.
    pub fn has_bom(&self) -> bool {
        encoding::bom_length(&self.text) > 0
    }

    /// The value or the table at a path; nothing else is decoded.
    pub fn value(&self, path: &CredentialPath) -> Option<Value> {
        self.reader().value_at(path)
    }

    /// The whole document, a [`Value::Table`].
    pub fn root(&self) -> Value {
        self.reader().value(Tree::ROOT)
    }

    /// Every value with its path, in the order of the file.
    ///
    /// Tables of every kind are walked and give nothing themselves; an array is one entry, of tables, too.
    pub fn entries(&self) -> Vec<Entry> {
        self.reader().entries()
    }

    /// Whether there is a table at a path, an empty or an inline one included.
    pub fn contains_table(&self, path: &CredentialPath) -> bool {
        self.reader().has_table_at(path)
    }
}
