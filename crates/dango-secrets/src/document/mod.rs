//! `.dlt/secrets.toml` as text and tree: values are found, replaced and removed by their span, so every other byte stays.
