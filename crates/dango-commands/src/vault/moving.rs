//! `dango vault move`: shown, asked, encrypted, moved, recorded. Whatever ends it in the middle, the same command goes on from there.

use clap::{Args, ValueEnum};
use dango_actions::Ending;
use dango_audit::{Detail, Event, Word};
use dango_secrets::home::{SharedFile, Whereabouts};
use dango_secrets::project::Project;
use dango_vault::{EnvTargets, MoveError, MoveReport, Targets, check_move_to_rows, move_to_directory, move_to_rows};
use serde::Serialize;

use super::{failures, plan, withdrawal};
use crate::Outcome;
use crate::arguments::Global;
use crate::database::{Address, DatabaseArguments, Schema, whereabouts};
use crate::failure::Failure;
use crate::key_access::holder_failure;
use crate::opened::{Opened, find_project};
use crate::output::Output;
use crate::prompt;
use crate::recorded::{count, file, project as draft_of_project, recorded};
use crate::signals::LastWords;

#[derive(Args, Debug)]
pub(crate) struct MoveArguments {
    /// Where the values are to be kept
    #[arg(long, value_name = "PLACE")]
    to: Destination,
    /// Say what would be moved, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    database: DatabaseArguments,
}

/// Where values are moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Destination {
    /// Sealed rows of a PostgreSQL database, for several servers
    Postgres,
    /// Files of this project's directory
    Files,
}

impl Destination {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Files => "files",
        }
    }

    pub(super) const fn other(self) -> Self {
        match self {
            Self::Postgres => Self::Files,
            Self::Files => Self::Postgres,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Postgres => "to_postgres",
            Self::Files => "to_files",
        }
    }
}

#[derive(Serialize)]
struct Planned {
    action: &'static str,
    to: &'static str,
    database: String,
    resumes: bool,
    files: Vec<plan::PlannedFile>,
}

#[derive(Serialize)]
struct Done {
    action: &'static str,
    to: &'static str,
    database: Option<String>,
    files: Vec<&'static str>,
    encrypted: usize,
    left: Vec<String>,
}

pub(crate) fn run(arguments: &MoveArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let project = find_project(global, output.host)?;
    let before = whereabouts(&project)?;
    let to = arguments.to;
    match (to, before) {
        (Destination::Postgres, Whereabouts::Returning | Whereabouts::Returned) => return Err(failures::other_way(to)),
        (Destination::Files, Whereabouts::Directory) => return report_unchanged(to, None, output),
        (Destination::Files, Whereabouts::Leaving) if !arguments.dry_run => {
            return withdrawal::run(project, &arguments.database, global, output);
        }
        _ => {}
    }
    let address = Address::require(&arguments.database, &project, output)?;
    let schema = address.look()?;
    let url = address.url.to_string();
    // Where nothing has been moved yet, the files are those of the directory; else one has to get at the rows to see them.
    let is_here = matches!(before, Whereabouts::Directory | Whereabouts::Leaving);
    let (opened, address) = match is_here {
        true => (Opened::at(project.clone(), output.host)?, Some(address)),
        false => (
            Opened::in_database(project.clone(), address.open(&project, output.host)?, output.host)?,
            None,
        ),
    };
    // Rows that were on their way do not count yet, and those that forget not any more, so nobody reads them; the files may be gone.
    let is_ending = matches!(
        (to, before),
        (Destination::Postgres, Whereabouts::Rows) | (Destination::Files, Whereabouts::Returned)
    );
    let files = match is_ending {
        true => Vec::new(),
        false => plan::files(&opened, output)?,
    };
    let resumes = !matches!(
        (to, before),
        (Destination::Postgres, Whereabouts::Directory) | (Destination::Files, Whereabouts::Rows)
    );
    if !output.json {
        plan::tell(&files, output);
    }
    if arguments.dry_run {
        return report_plan(to, url, resumes, files, &schema, output);
    }
    if !is_ending {
        prompt::confirm(&question(to, before, &files, &project, &url), global.yes, output)?;
    }
    let opened = match address {
        Some(address) => {
            if matches!(schema, Schema::ToBeMade) {
                address.make_schema(output)?;
            }
            Opened::in_database(project.clone(), address.open(&project, output.host)?, output.host)?
        }
        None => opened,
    };
    // Without the key no row is sealed and none opened: said before anything is begun.
    opened.keys.fetch().map_err(|error| holder_failure(&error))?;
    opened.warn_of_ignored_key(output);
    let mut encrypted = 0;
    if (to, before) == (Destination::Postgres, Whereabouts::Directory) {
        // Everything that can refuse is asked before anything is changed.
        if let Some(home) = opened.rows(output.host)? {
            check_move_to_rows(&project, &home, output.host.entropy.as_ref()).map_err(|error| failures::of_move(&error, to, &project))?;
        }
        let (secrets, env) = (opened.secrets(output)?, opened.env()?);
        opened.check_secrets(&secrets, output)?;
        opened.check_env(&env, output)?;
        if plan::plain(&files) > 0 {
            encrypted = encrypt_everything(&opened, output)?;
        }
    }
    let Some(report) = carry_out(&opened, to, output)? else {
        return report_unchanged(to, Some(url), output);
    };
    report_done(to, Some(&url), &report, encrypted, &opened, output)
}

fn question(to: Destination, before: Whereabouts, files: &[plan::PlannedFile], project: &Project, url: &str) -> String {
    let what = format!("{} in {}", noun(plan::values(files), "value"), noun(files.len(), "file"));
    let place = project.root().display();
    match (to, before) {
        (Destination::Postgres, Whereabouts::Directory) => {
            format!("move {what} from {place} to {url}, encrypted, and remove the files?")
        }
        (Destination::Postgres, _) => format!("go on with the move of {what} from {place} to {url}?"),
        (Destination::Files, Whereabouts::Rows) => format!("move {what} from {url} to {place}, for no server to use there any more?"),
        (Destination::Files, _) => format!("go on with the move of {what} from {url} to {place}?"),
    }
}

pub(super) fn noun(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    }
}

/// Encrypts whatever is plain, so that a row holds no value that its own seal alone protects.
fn encrypt_everything(opened: &Opened, output: &mut Output<'_>) -> Result<usize, Failure> {
    let drafts = vec![file(Event::SecretsEncrypted, "secrets.toml"), file(Event::SecretsEncrypted, ".env")];
    let (secrets, env) = recorded(
        opened,
        drafts,
        output,
        |_| {
            let vault = opened.vault();
            let secrets = vault.encrypt_secrets(Targets::All).map_err(|error| opened.vault_failure(&error))?;
            let env = vault.encrypt_env(EnvTargets::All).map_err(|error| opened.vault_failure(&error))?;
            Ok((secrets, env))
        },
        |(secrets, env)| {
            // Without names: the log may be in the database, from which nobody without the key is to learn any.
            let numbers = [secrets.encrypted.len(), env.encrypted.len()];
            numbers.map(|number| Ending::done().with(Detail::Count, count(number))).to_vec()
        },
    )?;
    for left in &secrets.left {
        output.warn(format!("{} stays plain within the encrypted row: {}", left.path, left.reason));
    }
    Ok(secrets.encrypted.len() + env.encrypted.len())
}

/// Moves and records it; nothing where it was there already.
fn carry_out(opened: &Opened, to: Destination, output: &mut Output<'_>) -> Result<Option<MoveReport>, Failure> {
    let Some(home) = opened.rows(output.host)? else { return Ok(None) };
    let words = format!(
        "interrupted: nothing is lost, and `dango vault move --to {}` goes on from there",
        to.as_str()
    );
    let draft = draft_of_project(Event::ProjectMoved).with(Detail::Action, Word::new(to.word()));
    let moved = recorded(
        opened,
        vec![draft],
        output,
        |output| {
            let _words = LastWords::keep(words);
            let entropy = output.host.entropy.as_ref();
            let moved = match to {
                Destination::Postgres => move_to_rows(&opened.project, &home, entropy),
                Destination::Files => move_to_directory(&opened.project, &home, &whereto(&opened.project, output), entropy),
            };
            match moved {
                Ok(report) => Ok(Some(report)),
                Err(MoveError::There) => Ok(None),
                Err(error) => Err(failures::of_move(&error, to, &opened.project)),
            }
        },
        |report| {
            vec![match report {
                Some(report) => Ending::done().with(Detail::Count, count(report.moved.len())),
                None => Ending::done().with(Detail::Action, Word::new("unchanged")),
            }]
        },
    )?;
    Ok(moved)
}

/// Where the files are, for whoever looks for them in the rows.
pub(super) fn whereto(project: &Project, output: &Output<'_>) -> String {
    format!(
        "in files again, where {} has moved them ({})",
        output.host.user,
        project.root().display()
    )
}

fn report_plan(
    to: Destination,
    url: String,
    resumes: bool,
    files: Vec<plan::PlannedFile>,
    schema: &Schema,
    output: &mut Output<'_>,
) -> Outcome {
    if output.json {
        return output.json(&Planned {
            action: "planned",
            to: to.as_str(),
            database: url,
            resumes,
            files,
        });
    }
    if matches!(schema, Schema::ToBeMade) {
        output.say(format!("{url}: the schema is to be made, and this role may"));
    }
    let what = match to {
        Destination::Postgres => format!("these would be moved to {url}, every value encrypted"),
        Destination::Files => format!("these would be moved from {url} to files"),
    };
    output.say(format!("{what}; nothing was changed"));
    Ok(())
}

fn report_unchanged(to: Destination, database: Option<String>, output: &mut Output<'_>) -> Outcome {
    if output.json {
        return output.json(&Done {
            action: "unchanged",
            to: to.as_str(),
            database,
            files: Vec::new(),
            encrypted: 0,
            left: Vec::new(),
        });
    }
    output.say(match database {
        Some(url) => format!("the project's values are in {url} already"),
        None => "the project's values are in files already".to_owned(),
    });
    Ok(())
}

pub(super) fn report_done(
    to: Destination,
    url: Option<&str>,
    report: &MoveReport,
    encrypted: usize,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Outcome {
    let left: Vec<String> = report.left.iter().map(|path| path.display().to_string()).collect();
    if output.json {
        return output.json(&Done {
            action: if report.resumed { "resumed" } else { "moved" },
            to: to.as_str(),
            database: url.map(str::to_owned),
            files: report.moved.iter().copied().map(SharedFile::path).collect(),
            encrypted,
            left,
        });
    }
    if encrypted > 0 {
        output.say(format!("{} encrypted first", noun(encrypted, "value")));
    }
    let resumed = if report.resumed { "an interrupted move is ended; " } else { "" };
    match to {
        Destination::Postgres => {
            let place = url.unwrap_or("the database");
            output.say(format!("{resumed}the project's values are in {place}, compared row by row"));
            if let Ok(keys) = opened.keys.fetch() {
                output.hint(format!(
                    "every server needs the key {}: `dango key export FILE`, or DANGO_KEY there; without it the rows open for nobody",
                    keys.active_id()
                ));
            }
            output.hint("`dango --server URL` works on them through a server; `dango vault move --to files` brings them back");
        }
        Destination::Files => {
            output.say(format!(
                "{resumed}the project's values are in files again, compared with their rows: {}",
                opened.project.root().display()
            ));
            output.hint("they are encrypted as they were in the database; `dango secrets decrypt --all` and `dango env decrypt --all` make them plain");
        }
    }
    for path in &left {
        output.warn(format!(
            "{path} was changed by another program after it was compared, and stays: it counts no more; look at it, then remove it"
        ));
    }
    Ok(())
}
