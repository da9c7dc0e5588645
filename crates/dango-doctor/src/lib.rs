//! What is wrong with a project, told with what to do about it, and put right where that is safe. No network, no database, no prompt.
//!
//! [`examine`] looks at a project on one machine, a [`Site`], and answers with [`Finding`]s: a stable [`Code`], the place, a sentence and the
//! fix. Some carry a [`Repair`], which [`Repair::carry_out`] does; who records it is above. What needs the database, the identity key or the
//! audit log is looked at above as well, and told with the same codes.
//!
//! # What is promised
//!
//! - No finding holds a value, and nothing is changed by looking.
//! - What cannot be looked at is a finding: a project that was not examined never looks like a healthy one.
//! - A repair destroys nothing: it takes permissions away, adds lines to `.gitignore`, removes a byte order mark and what writes that never
//!   ended have left, and writes defaults that dlt needs.
//! - Where dlt decides whether something is a fault, the rule is [`dango_secrets::dlt`]'s, which is compared with the real one.
#![warn(missing_docs)]

mod chart;
mod check;
mod code;
mod disk;
mod finding;
mod glob;
mod repair;
mod site;

pub use check::examine;
pub use code::Code;
pub use finding::Finding;
pub use repair::{Repair, RepairError};
pub use site::Site;
