//! Whether a project's people are kept where the command line does not reach: in PostgreSQL, behind servers. What is there is not asked.

use std::ffi::OsStr;

use dango_secrets::project::Project;

use crate::database::{VARIABLE, server_settings};
use crate::failure::Failure;
use crate::host::Host;

/// The code of the refusal.
pub(super) const CODE: &str = "people_elsewhere";

/// Refuses to open, or to make, a file with people that no server of the project looks at.
pub(super) fn check(host: &Host, project: &Project) -> Result<(), Failure> {
    let by_variable = host
        .environment
        .get(OsStr::new(VARIABLE))
        .is_some_and(|url| url.as_encoded_bytes().starts_with(b"postgres"));
    if by_variable {
        return Err(elsewhere(VARIABLE.to_owned()));
    }
    let path = project.dango_dir().join("server.toml");
    let settings = server_settings(&path)?;
    let line = settings.and_then(|settings| line_of_postgres(&String::from_utf8_lossy(settings.bytes())));
    match line {
        Some(line) => Err(elsewhere(format!("{}:{line}", path.display()))),
        None => Ok(()),
    }
}

fn elsewhere(place: String) -> Failure {
    Failure::refused(format!(
        "the people and the log of this project are in PostgreSQL, behind its servers, as {place} says"
    ))
    .with_code(CODE)
    .hint("nothing was changed; ask a server: its pages, or its HTTP interface with an API key, do what this command does for a file")
    .hint("`dango-server auth enable|disable|recover` opens and closes the door there, and is the way back in; `dango-server verify` verifies the log")
}

/// The line on which the server's settings name PostgreSQL; its own reader says more about what is wrong with them.
fn line_of_postgres(settings: &str) -> Option<usize> {
    let names = |line: &str| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        (key.trim().trim_matches(['"', '\'']) == "database_url" && value.starts_with("postgres")).then_some(())
    };
    settings.lines().position(|line| names(line).is_some()).map(|line| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_setting_that_names_postgresql_counts() {
        assert_eq!(line_of_postgres("listen = \"a\"\ndatabase_url = \"postgres://d@h/d\"\n"), Some(2));
        assert_eq!(line_of_postgres("'database_url'='postgresql://d@h/d'"), Some(1));
        for other in [
            "",
            "database_url = \"sqlite:postgres\"",
            "# database_url = \"postgres://d@h/d\"",
            "database_owner_url = \"postgres://d@h/d\"",
        ] {
            assert_eq!(line_of_postgres(other), None, "{other}");
        }
    }
}
