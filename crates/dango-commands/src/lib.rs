//! The `dango` command line: one file per verb; rules live below, real things come from the `Host`.
#![warn(missing_docs)]
