//! Tests of the `.env` document that need no real reader.
