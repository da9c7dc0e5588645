//! `dango env lint`: what python-dotenv, node dotenv, docker and bash read differently, masked.

use dango_secrets::dotenv;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::{Failure, Status};
use crate::opened::Opened;
use crate::output::Output;

#[derive(Serialize)]
struct Row {
    line: usize,
    key: Option<String>,
    code: &'static str,
    message: String,
    readings: Vec<Sight>,
}

#[derive(Serialize)]
struct Sight {
    reader: &'static str,
    sees: String,
}

pub(crate) fn run(global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let document = opened.env()?;
    let rows: Vec<Row> = dotenv::lint(&document)
        .into_iter()
        .map(|finding| Row {
            line: finding.line,
            key: finding.key,
            code: finding.code,
            message: finding.message,
            readings: finding
                .readings
                .into_iter()
                .map(|reading| Sight {
                    reader: reading.reader.as_str(),
                    sees: reading.sees.to_string(),
                })
                .collect(),
        })
        .collect();
    if output.json {
        output.json(&rows)?;
    } else {
        let path = opened.project.env_file();
        for row in &rows {
            let key = row.key.as_deref().map(|key| format!("{key}: ")).unwrap_or_default();
            output.line(&crate::output::printable(&format!(
                "{}:{}: {key}{} [{}]",
                path.display(),
                row.line,
                row.message,
                row.code
            )))?;
            for sight in &row.readings {
                output.line(&format!("    {:<14} {}", sight.reader, sight.sees))?;
            }
        }
    }
    if rows.is_empty() {
        output.say("every line means the same to python-dotenv, node dotenv, docker and bash");
        return Ok(());
    }
    Err(Failure::silent(Status::Found))
}
