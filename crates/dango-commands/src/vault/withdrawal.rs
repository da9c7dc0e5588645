//! `dango vault move --to files` where the move to a database does not count yet: it is taken back, with that database or without it.

use dango_actions::Ending;
use dango_audit::{Detail, Event, Word};
use dango_secrets::project::Project;
use dango_vault::{MoveReport, take_back};

use super::moving::{Destination, noun, report_done, whereto};
use super::{failures, plan};
use crate::Outcome;
use crate::arguments::Global;
use crate::database::{Address, DatabaseArguments, SharedDatabase};
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::prompt;
use crate::recorded::{count, project as draft_of_project, recorded};

/// The code with which the log says that it is behind servers.
const LOG_ELSEWHERE: &str = "people_elsewhere";

pub(super) fn run(project: Project, database: &DatabaseArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let here = Opened::at(project.clone(), output.host)?;
    let files = plan::files(&here, output)?;
    if !output.json {
        plan::tell(&files, output);
    }
    let what = format!("{} in {}", noun(plan::values(&files), "value"), noun(files.len(), "file"));
    let question = format!("take the move back, and keep {what} in {}?", project.root().display());
    prompt::confirm(&question, global.yes, output)?;
    let reached = reach(&project, database, output);
    let (opened, url) = match reached {
        Ok(database) => {
            let url = database.url.to_string();
            (Opened::in_database(project, database, output.host)?, Some(url))
        }
        Err(failure) => {
            output.warn(&failure.message);
            failure.hints.iter().for_each(|hint| output.hint(hint));
            (here, None)
        }
    };
    let report = carry_out(&opened, output)?;
    if report.rows_left {
        output.warn("rows that never counted are still in the database, and never will; the next move to it replaces them");
    }
    report_done(Destination::Files, url.as_deref(), &report, 0, &opened, output)
}

fn reach(project: &Project, database: &DatabaseArguments, output: &mut Output<'_>) -> Result<SharedDatabase, Failure> {
    Address::require(database, project, output)?.open(project, output.host)
}

fn carry_out(opened: &Opened, output: &mut Output<'_>) -> Result<MoveReport, Failure> {
    let home = opened.rows(output.host)?;
    let change = |output: &mut Output<'_>| {
        let said = whereto(&opened.project, output);
        let taken = take_back(&opened.project, home.as_ref(), &said, output.host.entropy.as_ref());
        taken.map_err(|error| failures::of_move(&error, Destination::Files, &opened.project))
    };
    // Nobody's values are changed by it, and the files would stay closed for as long as a log is away that may never come back.
    if home.is_none() && opened.house().actions(output).is_err_and(|failure| failure.code == LOG_ELSEWHERE) {
        output.warn("the log is in that database, too: this is not recorded");
        return change(output);
    }
    let draft = draft_of_project(Event::ProjectMoved).with(Detail::Action, Word::new("to_files"));
    recorded(opened, vec![draft], output, change, |report| {
        vec![Ending::done().with(Detail::Count, count(report.moved.len()))]
    })
}
