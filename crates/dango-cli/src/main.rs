//! `dango`: real things in, the command line called.
fn main() {}
