//! `dango man`: the manual, generated from the command tree.

use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use crate::Outcome;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct ManArguments {
    /// Write one page a command into this directory instead of printing the first
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(crate) fn run(arguments: &ManArguments, output: &mut Output<'_>) -> Outcome {
    let mut command = Arguments::command();
    command.build();
    match &arguments.output {
        None => {
            let page = render(&command).map_err(|error| Failure::refused(format!("cannot write the manual: {error}")))?;
            output.data(&page)
        }
        Some(directory) => {
            let directory = output.host.directory.join(directory);
            std::fs::create_dir_all(&directory)
                .map_err(|error| Failure::refused(format!("cannot make {}: {error}", directory.display())))?;
            let pages = write_pages(&command, "dango", &directory)?;
            output.say(format!("{pages} pages written to {}", directory.display()));
            Ok(())
        }
    }
}

fn render(command: &Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}

fn write_pages(command: &Command, name: &str, directory: &Path) -> Result<usize, Failure> {
    let path = directory.join(format!("{name}.1"));
    let failed = |error: std::io::Error| Failure::refused(format!("cannot write {}: {error}", path.display()));
    let page = render(&command.clone().display_name(name.to_owned())).map_err(failed)?;
    #[expect(
        clippy::disallowed_methods,
        reason = "a manual page is public and made anew each time; nothing is lost with a torn one"
    )]
    std::fs::write(&path, page).map_err(failed)?;
    let mut pages = 1;
    for child in command.get_subcommands().filter(|child| child.get_name() != "help") {
        pages += write_pages(child, &format!("{name}-{}", child.get_name()), directory)?;
    }
    Ok(pages)
}
