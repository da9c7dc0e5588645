//! `dango vault status`: where the project's values are kept, which files, and whether they are being moved.

use clap::Args;
use dango_secrets::home::{SharedFile, Whereabouts};
use dango_secrets::project::Project;
use dango_secrets::storage;
use dango_vault::identify;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::Global;
use crate::database::{Address, DatabaseArguments, whereabouts};
use crate::failure::Failure;
use crate::opened::find_project;
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct StatusArguments {
    #[command(flatten)]
    database: DatabaseArguments,
}

#[derive(Serialize)]
struct Status {
    home: &'static str,
    #[serde(rename = "move")]
    moving: Option<&'static str>,
    database: Option<String>,
    /// Nothing where the database is not asked.
    reachable: Option<bool>,
    files: Vec<Kept>,
}

/// A file that is there.
#[derive(Serialize)]
struct Kept {
    file: &'static str,
    /// How often its row was written; nothing for a file.
    revision: Option<u64>,
}

pub(crate) fn run(arguments: &StatusArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let project = find_project(global, output.host)?;
    let whereabouts = whereabouts(&project)?;
    let address = Address::find(&arguments.database, &project, output)?;
    let is_here = matches!(whereabouts, Whereabouts::Directory | Whereabouts::Leaving);
    let mut status = Status {
        home: if is_here { "files" } else { "postgres" },
        moving: match whereabouts {
            Whereabouts::Leaving => Some("to_postgres"),
            Whereabouts::Returning | Whereabouts::Returned => Some("to_files"),
            _ => None,
        },
        database: address.as_ref().map(|address| address.url.to_string()),
        reachable: None,
        files: Vec::new(),
    };
    match (is_here, address) {
        (true, _) => status.files = here(&project)?,
        (false, Some(address)) => match there(address, &project, output) {
            Ok(files) => (status.reachable, status.files) = (Some(true), files),
            Err(failure) => {
                status.reachable = Some(false);
                output.warn(&failure.message);
                failure.hints.iter().for_each(|hint| output.hint(hint));
            }
        },
        (false, None) => output.hint("which database that is, DANGO_SERVER_DATABASE_URL or `--database-url` says"),
    }
    if output.json {
        return output.json(&status);
    }
    tell(&status, &project, output)
}

fn here(project: &Project) -> Result<Vec<Kept>, Failure> {
    let mut files = Vec::new();
    for file in SharedFile::ALL {
        if storage::is_there(&project.path(file)).map_err(|error| Failure::caused_by(&error))? {
            files.push(Kept {
                file: file.path(),
                revision: None,
            });
        }
    }
    Ok(files)
}

/// The rows, as far as one sees them without the key.
fn there(address: Address, project: &Project, output: &mut Output<'_>) -> Result<Vec<Kept>, Failure> {
    let rows = address.open(project, output.host)?.rows();
    let id = identify(project, output.host.entropy.as_ref()).map_err(|error| Failure::caused_by(&error))?;
    let mut files = Vec::new();
    for file in SharedFile::ALL {
        let revision = rows
            .revision(&id, file.name())
            .map_err(|error| Failure::refused(format!("{}: {error}", file.path())))?;
        match revision {
            Some(revision) => files.push(Kept {
                file: file.path(),
                revision: Some(revision),
            }),
            None => output.warn(format!(
                "{} is missing from the database, where every file of the project has a row",
                file.path()
            )),
        }
    }
    Ok(files)
}

fn tell(status: &Status, project: &Project, output: &mut Output<'_>) -> Outcome {
    let root = project.root().display();
    let place = match (status.home, &status.database) {
        ("files", _) => format!("files ({root})"),
        (_, Some(url)) => format!("postgres ({url})"),
        (home, None) => home.to_owned(),
    };
    let mut rows = vec![vec!["home".to_owned(), place]];
    if let Some(moving) = status.moving {
        let way = if moving == "to_postgres" { "to postgres" } else { "to files" };
        rows.push(vec!["move".to_owned(), format!("{way}, under way or interrupted")]);
    }
    for kept in &status.files {
        rows.push(vec![
            kept.file.to_owned(),
            kept.revision
                .map_or_else(|| "file".to_owned(), |revision| format!("row, revision {revision}")),
        ]);
    }
    output.table(&["VAULT", ""], &rows)?;
    match status.moving {
        Some("to_postgres") => output.hint("`dango vault move --to postgres` goes on; `dango vault move --to files` takes it back"),
        Some(_) => output.hint("`dango vault move --to files` goes on"),
        None => {}
    }
    Ok(())
}
