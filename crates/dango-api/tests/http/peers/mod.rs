//! Mistakes that servers of this kind have made: one test for each, named after the kind of mistake. What concerns OAuth is not here.

mod guessing;
mod identity;
mod lifetime;
