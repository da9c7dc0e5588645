//! `/`: leads everybody to where they begin.

use dango_actions::Holder;
use dango_identity::{Full, Role};

use super::Answer;
use crate::web::frame::see_other;
use crate::web::visit::Visit;

/// Administrators begin with the project's secrets, everybody else with their account.
pub(crate) async fn show(holder: Holder<Full>, _: Visit) -> Answer {
    Ok(see_other(match holder.user().role {
        Role::Admin => "/settings/secrets",
        Role::Editor | Role::Viewer => "/settings/account",
    }))
}
