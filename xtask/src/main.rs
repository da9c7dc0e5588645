//! `cargo xtask setup | test | tidy | bench`.
fn main() {}
