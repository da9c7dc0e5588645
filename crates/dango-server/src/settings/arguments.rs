//! The command line: every setting of the table as an option, and the few verbs. The only file that knows clap.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::layers::{Given, Layer, Origin};
use super::table::{Count, SETTINGS};

/// What the server is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Serve until it is told to end.
    Serve,
    /// Bring the database up to date and end.
    Migrate,
    /// Look whether it could serve, and end.
    Check,
    /// Verify the audit log and end.
    Verify,
    /// Print a new link for the first administrator, and end.
    SetupLink,
}

/// A command line that was understood.
pub(crate) struct CommandLine {
    pub(crate) verb: Verb,
    pub(crate) options: Layer,
}

const VERBS: [(&str, Verb, &str); 5] = [
    ("serve", Verb::Serve, "Serve until SIGTERM; this is what it does without a verb"),
    ("migrate", Verb::Migrate, "Bring the database up to date and end"),
    (
        "check",
        Verb::Check,
        "Look whether it could serve, without starting or making anything",
    ),
    (
        "verify",
        Verb::Verify,
        "Verify the audit log: whether it is as it was written; exit status 3 where it is not",
    ),
    (
        "setup-link",
        Verb::SetupLink,
        "Print a one-time link for the first administrator, in the place of any earlier one, and end",
    ),
];

/// Reads the command line; the error is what is to be printed, and knows its exit status.
pub(crate) fn parse(arguments: &[OsString]) -> Result<CommandLine, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    let verb = matches.subcommand().and_then(|(name, below)| {
        let verb = VERBS.iter().find(|(verb, ..)| *verb == name)?.1;
        Some((verb, below))
    });
    let (verb, below) = match verb {
        Some((verb, below)) => (verb, Some(below)),
        None => (Verb::Serve, None),
    };
    let mut options = of_matches(&matches);
    options.extend(below.map(of_matches).unwrap_or_default());
    Ok(CommandLine { verb, options })
}

fn command() -> Command {
    let verbs = VERBS.map(|(name, _, about)| Command::new(name).about(about).args(options()));
    Command::new("dango-server")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Serves a Dango project over HTTP")
        .after_help("Every option is also a variable, DANGO_SERVER_ and its name in capitals with _, and, but for --project, a key of\n.dango/server.toml, its name with _. An option comes before its variable, that before the file.")
        .args(options())
        .subcommands(verbs)
}

fn options() -> impl Iterator<Item = Arg> {
    SETTINGS.iter().map(|setting| {
        let action = match setting.count {
            Count::One => ArgAction::Set,
            Count::Many => ArgAction::Append,
        };
        Arg::new(setting.name)
            .long(setting.name)
            .value_name(setting.value)
            .help(format!("{} [default: {}]", setting.help, setting.default))
            .action(action)
    })
}

fn of_matches(matches: &ArgMatches) -> Layer {
    let given = SETTINGS.iter().filter_map(|setting| {
        let values = matches.get_many::<String>(setting.name)?;
        let given = values.map(|text| Given {
            text: text.clone(),
            origin: Origin::Option(setting.name),
        });
        Some((setting.name, given.collect()))
    });
    given.collect()
}
