//! Known values replaced by `***` in a stream of bytes.
//!
//! - [`is_maskable`] says which values are looked for at all;
//! - [`encoded_forms`] lists the spellings in which a value turns up in output, [`whole_forms`] those to search files for;
//! - [`Redactor`] holds all forms of all values, and a [`Filter`] per stream replaces them.
//!
//! Nothing is read or written here: the caller moves the bytes and keeps the time.

mod automaton;
mod encodings;
mod filter;
mod forms;
mod maskable;

pub use automaton::TooManyForms;
pub use filter::{Filter, MASK, MAX_DELAY, Redactor};
pub use forms::{MIN_FORM_BYTES, encoded_forms, whole_forms};
pub use maskable::is_maskable;
