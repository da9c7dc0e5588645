//! What clients of the API rely on, without a socket between: each test sends requests and looks at answers alone.

#![expect(clippy::panic, reason = "a test that cannot go on says why")]

mod conventions;
mod files;
mod login;
mod secrets;
mod moves;
mod peers;
mod second_factor;
mod sessions;
mod world;
