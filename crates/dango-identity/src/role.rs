//! The three roles and what each may do.

use std::fmt;
use std::str::FromStr;

use crate::permission::{Permission, PermissionSet};

/// What a user is in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// May do everything.
    Admin,
    /// Works with data: runs, uploads, queries. Sees neither people nor secrets.
    Editor,
    /// Looks at results.
    Viewer,
}

impl Role {
    /// The roles, the mightiest first.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Editor, Self::Viewer];

    /// The name, as users and files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Viewer => "viewer",
        }
    }

    /// What the role may do.
    pub const fn permissions(self) -> PermissionSet {
        match self {
            Self::Admin => PermissionSet::ALL,
            Self::Editor => EDITOR,
            Self::Viewer => VIEWER,
        }
    }
}

const EDITOR: PermissionSet = PermissionSet::of(&[
    Permission::SourceView,
    Permission::SourceSync,
    Permission::SourceManage,
    Permission::CsvUpload,
    Permission::CsvDelete,
    Permission::DbtView,
    Permission::DbtRun,
    Permission::DbtManage,
    Permission::DashboardView,
    Permission::DashboardCreate,
    Permission::QueryExecute,
    Permission::HealthView,
    Permission::LogsView,
    Permission::ConfigView,
    Permission::NotebooksView,
    Permission::NotebooksExecute,
    Permission::NotebooksManage,
    Permission::GovernanceView,
    Permission::SchedulerView,
]);

const VIEWER: PermissionSet = PermissionSet::of(&[
    Permission::SourceView,
    Permission::DbtView,
    Permission::DashboardView,
    Permission::HealthView,
    Permission::LogsView,
    Permission::NotebooksView,
    Permission::GovernanceView,
    Permission::SchedulerView,
]);

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is the name of no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role: admin, editor or viewer")]
pub struct ParseRoleError;

impl FromStr for Role {
    type Err = ParseRoleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(ParseRoleError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Change the file by hand together with the table, and have both read.
    const MATRIX: &str = include_str!("../role_permission_matrix.md");

    fn matrix() -> String {
        let mut text = String::from(
            "# Roles and permissions\n\nWhat each role may do. A test compares this file with the table in the code.\n\n\
             | permission | admin | editor | viewer |\n|---|---|---|---|\n",
        );
        for permission in Permission::ALL {
            let cells = Role::ALL.map(|role| if role.permissions().contains(*permission) { "yes" } else { "–" });
            text += &format!("| {permission} | {} |\n", cells.join(" | "));
        }
        text
    }

    #[test]
    fn the_matrix_of_roles_and_permissions_is_the_reviewed_one() {
        assert!(matrix() == MATRIX, "role_permission_matrix.md should be:\n{}", matrix());
    }

    #[test]
    fn each_role_may_do_what_the_one_below_it_may() {
        let [admin, editor, viewer] = Role::ALL.map(Role::permissions);
        assert!(admin.covers(editor) && editor.covers(viewer));
        assert_eq!([admin, editor, viewer].map(|set| set.iter().count()), [29, 19, 8]);
    }

    #[test]
    fn a_role_has_one_name() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        for text in ["", "Admin", "root", "admin "] {
            assert_eq!(text.parse::<Role>(), Err(ParseRoleError));
        }
    }
}
