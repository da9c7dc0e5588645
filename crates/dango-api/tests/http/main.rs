//! What clients of the API rely on, without a socket between: each test sends requests and looks at answers alone.

#![expect(clippy::panic, reason = "a test that cannot go on says why")]

mod accounts;
mod api_keys;
mod audit;
mod connections;
mod conventions;
mod documented;
mod external;
mod files;
mod fuzz;
mod hostile;
mod links;
mod login;
mod matrix;
mod moves;
mod openapi;
mod page;
mod pages;
mod passwords;
mod peers;
mod people;
mod provider;
mod rates;
mod second_factor;
mod secrets;
mod sessions;
mod setup;
mod stages;
mod values;
mod web;
mod world;
