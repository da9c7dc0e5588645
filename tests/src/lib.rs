//! Shared by the end-to-end tests; empty on purpose, the tests live in `e2e/`.
