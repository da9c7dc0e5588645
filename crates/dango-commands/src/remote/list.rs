//! `dango remote list`: the deployed projects that are written down; nothing is connected to.

use serde::Serialize;

use super::read;
use crate::Outcome;
use crate::arguments::Global;
use crate::opened::Opened;
use crate::output::Output;

#[derive(Serialize)]
struct Row {
    name: String,
    host: String,
    path: String,
    identity: Option<String>,
    in_use: bool,
}

pub(crate) fn run(global: &Global, output: &mut Output<'_>) -> Outcome {
    let remotes = read(&Opened::find(global, output.host)?)?;
    let in_use = remotes.in_use().ok().map(|remote| remote.name.clone());
    let rows: Vec<Row> = remotes
        .all()
        .iter()
        .map(|remote| Row {
            name: remote.name.to_string(),
            host: remote.destination.to_string(),
            path: remote.directory.to_string(),
            identity: remote.identity.clone(),
            in_use: in_use.as_ref() == Some(&remote.name),
        })
        .collect();
    if output.json {
        return output.json(&rows);
    }
    if rows.is_empty() {
        output.say("no remote is known yet");
        output.hint("add one with `dango remote add NAME USER@HOST --path DIR`");
        return Ok(());
    }
    let cells: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let in_use = if row.in_use { "in use" } else { "" };
            vec![row.name, row.host, row.path, row.identity.unwrap_or_default(), in_use.to_owned()]
        })
        .collect();
    output.table(&["NAME", "HOST", "PATH", "IDENTITY", ""], &cells)
}
