//! End-to-end tests of the binaries against real counterparts: one test binary, one module per concern.
