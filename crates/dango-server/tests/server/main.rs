//! The built server as a process: settings, start, setup link, TLS, operations and the end.

mod ending;
mod logs;
mod process;
mod refusal;
mod setup;
mod tls;
