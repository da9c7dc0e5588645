//! The secrets and configuration that dlt itself sees: names, types and the order of its look-ups.
