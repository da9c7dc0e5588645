//! How other programs read a `.env` file; python-dotenv, which counts, is the parent's parser.

pub(super) mod bash;
mod bash_scanner;
mod bash_word;
pub(super) mod docker;
pub(super) mod node;

#[cfg(test)]
mod tests;
