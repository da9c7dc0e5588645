//! The PostgreSQL backend of `dango-store`: one schema for any number of servers, which take turns at writing. No rule of the domains
//! lives here.
//!
//! - [`PostgresStore`]: a database that was connected to; a [`Store`](dango_store::Store);
//! - [`DatabaseUrl`]: where it is and who one is there, as `postgres://` writes it;
//! - [`Surroundings`]: the password and the authorities that an address leaves to the environment;
//! - [`ProjectRows`]: the files of projects that several servers share, sealed by whoever puts them there;
//! - [`DatabaseClock`]: the time of the database, on which all servers agree;
//! - [`CopyTarget`]: a database into which another one is being moved; [`settle`]: from here on it counts;
//! - [`migrate`]: the schema and the rights of the role that serves, made by the owner; [`migrate_alone`] where one role is both;
//! - [`inspect`]: whether one could serve from it, found out without changing anything.
#![warn(missing_docs)]

mod address;
mod clock;
mod column;
mod connection;
mod copy;
mod door;
mod failure;
mod line;
mod migration;
mod owner;
mod project_rows;
mod reading;
mod role;
mod statements;
mod store;
mod surroundings;
mod tables;
mod threads;
mod tls;
mod transaction;
mod turn;
mod url;
mod writer;

pub use clock::DatabaseClock;
pub use copy::{Arrival, CopyTarget, OpenStep, Standing, arriving, settle};
pub use owner::{Inspected, inspect, migrate, migrate_alone};
pub use project_rows::ProjectRows;
pub use role::ServingRole;
pub use store::{CONNECTIONS, PostgresStore};
pub use surroundings::{Surroundings, SurroundingsError};
pub use url::{DatabaseUrl, ParseUrlError};
