//! What every home, and every database of rows, is put under. Each function panics with what was wrong; they are for tests.

mod homes;
mod rows;

pub use homes::{MakeTwo, check as homes};
pub use rows::check as rows;
