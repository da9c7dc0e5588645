//! `dango audit export`: the log for other programs, record by record as it is read.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use dango_actions::ExportAuditError;
use dango_audit::export::{ExportFormat, Exporter};
use dango_audit::query::Order;

use super::filter::FilterArguments;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::{Failure, Status, chain};
use crate::house::{House, fault, wait};
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    filter: FilterArguments,
    /// One JSON object a line, or a table
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", value_parser = ["jsonl", "csv"])]
    format: String,
    /// How many records at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Write into this new file, which only you may read, instead of to standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &ExportArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let filter = arguments.filter.filter(Order::OldestFirst, output.host.clock.now())?;
    let format = match arguments.format.as_str() {
        "csv" => ExportFormat::Csv,
        _ => ExportFormat::Jsonl,
    };
    let house = House::find(global, output.host)?;
    let actions = house.readable(output)?;
    let path = arguments.output.as_ref().map(|path| output.host.directory.join(path));
    let file = path.as_ref().map(|path| new_file(path.as_path())).transpose()?;
    let Some(actions) = actions else {
        return write_nothing(format, file.as_ref(), output);
    };
    let permit = house.permit(&actions, output)?;
    let limit = arguments.limit;
    let exported = match &file {
        Some(file) => {
            let sink = BufWriter::new(file);
            let exported = wait(actions.export_audit(&permit, filter, format, limit, sink));
            exported.and_then(|exported| {
                file.sync_all()?;
                Ok(exported)
            })
        }
        None => {
            let sink = BufWriter::new(&mut output.host.stdout);
            wait(actions.export_audit(&permit, filter, format, limit, sink))
        }
    };
    let exported = match (exported, &path) {
        (Ok(exported), _) => exported,
        (Err(error), path) => {
            if let Some(path) = path {
                // Half an export looks like a whole one.
                let _ = std::fs::remove_file(path);
            }
            return Err(failure(error));
        }
    };
    if let Some(error) = &exported.unrecorded {
        output.warn(format!("the export itself stands in no record: {}", chain(error)));
    }
    if let Some(path) = path {
        output.say(format!("{} records of the audit log are in {}", exported.records, path.display()));
    }
    Ok(())
}

/// Makes the file, which nobody else may read: addresses of people are in it.
fn new_file(path: &Path) -> Result<File, Failure> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::refused(format!("{} is there already", path.display())).hint("name another file, or remove that one")
        }
        _ => Failure::refused(format!("cannot make {}: {error}", path.display())),
    })
}

/// The export of a log in which there is nothing yet.
fn write_nothing(format: ExportFormat, file: Option<&File>, output: &mut Output<'_>) -> Outcome {
    let written = match file {
        Some(file) => Exporter::begin(format, file).and_then(Exporter::finish),
        None => Exporter::begin(format, &mut output.host.stdout).and_then(Exporter::finish),
    };
    written.map(|_| ()).map_err(|error| failure(error.into()))
}

fn failure(error: ExportAuditError) -> Failure {
    match error {
        // A reader that has seen enough (`| head`) is no failure.
        ExportAuditError::Write(error) if error.kind() == ErrorKind::BrokenPipe => Failure::silent(Status::Program(0)),
        ExportAuditError::Write(error) => Failure::refused(format!("the export could not be written: {error}")),
        ExportAuditError::Fault(error) => fault(&error),
        error => Failure::caused_by(&error),
    }
}
