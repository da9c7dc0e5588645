//! `dango init`: makes a project, or what is missing of one.

use std::path::PathBuf;

use clap::Args;
use dango_secrets::project::Project;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct InitArguments {
    /// Where [default: --project, else DANGO_PROJECT_ROOT, else the working directory]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    project: String,
    created: Vec<String>,
}

pub(crate) fn run(arguments: &InitArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let directory = match (&arguments.directory, &global.project) {
        (Some(directory), _) => output.host.directory.join(directory),
        (None, Some(project)) => project.clone(),
        (None, None) => output.host.directory.clone(),
    };
    let report = Project::init(&directory, output.host.entropy.as_ref()).map_err(|error| Failure::caused_by(&error))?;
    let created: Vec<String> = report
        .made
        .iter()
        .chain(&report.extended)
        // The project's directory itself is named by the message.
        .filter(|path| path.as_os_str() != ".")
        .map(|path| path.display().to_string())
        .collect();
    if output.json {
        return output.json(&Report {
            project: directory.display().to_string(),
            created,
        });
    }
    if created.is_empty() {
        output.say(format!("{} is a Dango project already; nothing was changed", directory.display()));
    } else {
        output.say(format!(
            "{} is a Dango project now; made: {}",
            directory.display(),
            created.join(", ")
        ));
    }
    output.hint("store a credential with `dango secrets set sources.NAME.api_key`, or pick a source with `dango source add`");
    Ok(())
}
