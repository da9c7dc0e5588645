//! The one place that touches the disk: whole reads, and locked, atomic, durable replacements.
