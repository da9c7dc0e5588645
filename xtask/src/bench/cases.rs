//! The comparisons: what each measures, in which project, and against what. How it is measured lives in `measurement.rs`.

use std::path::Path;

use super::measurement::Contestant;
use super::projects;
use crate::setup::Counterparts;
use crate::step::Failure;

/// Every case, in the order of the document.
pub(super) const NAMES: [&str; 6] = ["get-10", "get-10000", "get-dlt", "run-100", "env-10000", "set-100"];

/// One comparison; the first contestant is ours.
pub(super) struct Case {
    pub(super) title: String,
    pub(super) contestants: Vec<Contestant>,
}

/// Writes the project of a case and names its contestants.
pub(super) fn prepare(name: &str, folder: &Path, dango: &Path, counterparts: &Counterparts) -> Result<Case, Failure> {
    let project = folder.join(name);
    match name {
        "get-10" => get(&project, dango, 10),
        "get-10000" => get(&project, dango, 10_000),
        "get-dlt" => get_like_dlt(&project, dango, counterparts),
        "run-100" => run_with(&project, dango, 100),
        "env-10000" => list_variables(&project, dango, counterparts, 10_000),
        "set-100" => set_often(&project, dango),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

/// One value out of a file, against a process that does nothing at all.
fn get(project: &Path, dango: &Path, sections: usize) -> Result<Case, Failure> {
    projects::with_credentials(project, sections)?;
    Ok(Case {
        title: format!("`dango secrets get`, a file of {sections} sections"),
        contestants: vec![get_last(project, dango, sections), empty_process(project)],
    })
}

/// One value out of a file, against the program whose file it is.
fn get_like_dlt(project: &Path, dango: &Path, counterparts: &Counterparts) -> Result<Case, Failure> {
    let sections = 10;
    projects::with_credentials(project, sections)?;
    let script = format!("import dlt; print(dlt.secrets['{}'])", projects::path(sections));
    let dlt = Contestant::new(
        "`python -c \"import dlt; dlt.secrets[…]\"`",
        &counterparts.python,
        &["-c", &script],
        project,
    );
    Ok(Case {
        title: "One value as a script gets it".to_owned(),
        contestants: vec![get_last(project, dango, sections), dlt.answering(projects::value(sections))],
    })
}

/// A command with every credential in its environment, against the command alone.
fn run_with(project: &Path, dango: &Path, credentials: usize) -> Result<Case, Failure> {
    projects::with_credentials(project, credentials)?;
    Ok(Case {
        title: format!("`dango run -- true` with {credentials} credentials"),
        contestants: vec![
            Contestant::new("`dango run -- true`", dango, &["run", "--", "true"], project),
            empty_process(project),
        ],
    })
}

/// A large `.env`, against the libraries that read it elsewhere.
fn list_variables(project: &Path, dango: &Path, counterparts: &Counterparts, variables: usize) -> Result<Case, Failure> {
    projects::with_variables(project, variables)?;
    let last = projects::variable(variables);
    let python = format!("import dotenv; values = dotenv.dotenv_values('.env'); print(len(values), '{last}' in values)");
    let node = format!(
        "const values = require('{}').parse(require('fs').readFileSync('.env')); console.log(Object.keys(values).length, '{last}' in values)",
        counterparts.node_modules.join("dotenv").display()
    );
    let dotenvx = counterparts.node_modules.join(".bin/dotenvx");
    Ok(Case {
        title: format!("Reading a `.env` of {variables} variables"),
        contestants: vec![
            Contestant::new("`dango env list`", dango, &["env", "list"], project).answering(last.clone()),
            Contestant::new("python-dotenv, `dotenv_values`", &counterparts.python, &["-c", &python], project)
                .answering(format!("{variables} True")),
            Contestant::new("node dotenv, `parse`", &counterparts.node, &["-e", &node], project).answering(format!("{variables} true")),
            Contestant::new("`dotenvx get`", &dotenvx, &["get"], project).answering(last),
        ],
    })
}

/// A hundred durable writes one after another, against as many pipelines that write nothing.
fn set_often(project: &Path, dango: &Path) -> Result<Case, Failure> {
    projects::with_credentials(project, 100)?;
    let times = |command: &str| format!("set -e; for number in {{0001..0100}}; do printf 'new-%s' $number | {command}; done");
    let ours = times("\"$0\" --quiet secrets set sources.source_$number.api_key");
    let dango = dango.to_string_lossy();
    Ok(Case {
        title: "100 times `dango secrets set`, each on the disk before the next begins".to_owned(),
        contestants: vec![
            Contestant::new(
                "100 × `dango secrets set`",
                Path::new("bash"),
                &["-o", "pipefail", "-c", &ours, &dango],
                project,
            ),
            Contestant::new("100 × `cat`", Path::new("bash"), &["-o", "pipefail", "-c", &times("cat")], project),
        ],
    })
}

fn get_last(project: &Path, dango: &Path, sections: usize) -> Contestant {
    let arguments = ["secrets", "get", "--reveal", &projects::path(sections)];
    Contestant::new("`dango secrets get`", dango, &arguments, project).answering(projects::value(sections))
}

fn empty_process(project: &Path) -> Contestant {
    Contestant::new("`true`, an empty process", Path::new("true"), &[], project)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_case_can_be_prepared_and_compares_something() {
        let folder = std::env::temp_dir().join(format!("xtask-bench-{}", std::process::id()));
        for name in NAMES {
            let case = prepare(name, &folder, Path::new("dango"), &Counterparts::at(Path::new("."))).expect(name);
            assert!(case.contestants.len() >= 2, "{name}");
        }
        std::fs::remove_dir_all(&folder).expect("a folder of our own");
    }
}
