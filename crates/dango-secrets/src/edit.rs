//! The words that edits of both files share: what a `${NAME}` in a new value means, and what an edit did.

/// What `${NAME}` in a new value means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum References {
    /// The text itself. In `secrets.toml` it is written as `\u0024{`, which dlt reads as `${` and dango does not
    /// resolve; in `.env` there is no way to write it, and such a value is refused.
    Literal,
    /// References to variables, written plainly.
    Expand,
}

/// What setting a value did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum SetOutcome {
    /// There was nothing; now there is a value.
    Created,
    /// There was another value.
    Replaced,
    /// There was the same value already; no byte differs.
    Unchanged,
}
