//! The projects that are measured in: made anew each time, all values synthetic.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::step::Failure;

/// Makes a project whose `secrets.toml` has this many sections of one credential and one setting.
pub(super) fn with_credentials(project: &Path, sections: usize) -> Result<(), Failure> {
    let mut text = String::from("# made by cargo xtask bench\n");
    for number in 1..=sections {
        let written = write!(
            text,
            "\n[sources.source_{number:04}]\napi_key = \"{}\"  # synthetic\naccount = {number}\n",
            value(number)
        );
        written.map_err(|error| Failure::new(error.to_string()))?;
    }
    make(project, ".dlt/secrets.toml", &text)
}

/// Makes a project whose `.env` has this many variables.
pub(super) fn with_variables(project: &Path, variables: usize) -> Result<(), Failure> {
    let text: String = (1..=variables)
        .map(|number| format!("{}='{}'\n", variable(number), value(number)))
        .collect();
    make(project, ".env", &text)
}

/// Makes a project with an identity key, which nobody else may read: else it is not used.
pub(super) fn with_identity_key(project: &Path, file: &str, key: &str) -> Result<(), Failure> {
    make(project, file, key)?;
    let private = fs::set_permissions(project.join(file), fs::Permissions::from_mode(0o600));
    private.map_err(|error| Failure::new(format!("cannot make the project {}: {error}", project.display())))
}

/// The path of a section's credential.
pub(super) fn path(number: usize) -> String {
    format!("sources.source_{number:04}.api_key")
}

/// The variable under which dlt reads a section's credential.
pub(super) fn name_for_dlt(number: usize) -> String {
    format!("SOURCES__SOURCE_{number:04}__API_KEY")
}

/// The name of a variable.
pub(super) fn variable(number: usize) -> String {
    format!("VARIABLE_{number:05}")
}

/// The value of a credential or variable.
pub(super) fn value(number: usize) -> String {
    format!("synthetic-{number:05}-abcdefghijklmnopqrstuvwxyz")
}

fn make(project: &Path, file: &str, text: &str) -> Result<(), Failure> {
    let cannot = |error| Failure::new(format!("cannot make the project {}: {error}", project.display()));
    if project.exists() {
        fs::remove_dir_all(project).map_err(cannot)?;
    }
    fs::create_dir_all(project.join(".dlt")).map_err(cannot)?;
    fs::create_dir_all(project.join(".dango")).map_err(cannot)?;
    fs::write(project.join(file), text).map_err(cannot)
}
