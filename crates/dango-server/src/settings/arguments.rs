//! The command line: every setting of the table as an option, and the few verbs. The only file that knows clap.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command};
use dango_identity::Email;

use super::layers::{Given, Layer, Origin};
use super::table::{Count, SETTINGS};

/// What the server is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Change who is let in, and end.
    Auth(Access),
}

/// A command line that was understood.
pub(crate) struct CommandLine {
    pub(crate) verb: Verb,
    pub(crate) options: Layer,
    /// For `migrate`: from which database into which, if that is what it is to do.
    pub(crate) moving: Option<Moving>,
}

/// Who is let in, changed at the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) verb: AccessVerb,
    /// Whether what would be asked is answered already.
    pub(crate) is_confirmed: bool,
    pub(crate) has_json: bool,
}

/// What is to be done about that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AccessVerb {
    /// Let people in again.
    Enable,
    /// Let nobody in.
    Disable,
    /// Add an emergency administrator under this address.
    Recover(Email),
}

/// What of one database is to be moved into another, as it was written.
#[derive(Clone)]
pub(crate) struct Moving {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) extent: Extent,
    pub(crate) has_json: bool,
}

/// How far a move is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// To its end.
    All,
    /// Up to the cut-over, which a later call does.
    Prepare,
    /// Back to where nothing has begun.
    Abort,
}

/// What stands below the options: where else settings come from, what is no setting because it is secret, and the exit statuses.
const AFTER_HELP: &str = "\
Every option is also a variable, DANGO_SERVER_ and its name in capitals with _, and, but for --project, a key of
.dango/server.toml, its name with _. An option comes before its variable, that before the file.

Environment:
  DANGO_PROJECT_ROOT         the project's directory, where no setting says it
  DANGO_IDENTITY_KEY         the key behind users and the audit log: 32 bytes as 64 hexadecimal digits or as base64
  DANGO_IDENTITY_KEY_FILE    a file with that key
  DANGO_KEY                  the encryption key of the project's values, in the same form
  DANGO_KEY_FILE             a file with that key
  DANGO_PASSPHRASE           opens a key that is kept under a passphrase
  PGPASSWORD                 the password for the PostgreSQL database, where its address has none
  PGPASSFILE                 a file of such passwords, in the place of ~/.pgpass
  DANGO_LOGIN_GOOGLE_SECRET  the secret of the client of --login-google-client
  DANGO_LOGIN_GITHUB_SECRET  the same for --login-github-client
  DANGO_LOGIN_OIDC_SECRET    the same for --login-oidc-client

Exit status: 0 done; 1 could not be done, was refused, or ended before all requests were finished; 2 wrong usage;
3 the audit log was tampered with; 70 a bug of ours.";

/// The verb about who is let in, and its own.
const AUTH: &str = "auth";
const ENABLE: &str = "enable";
const DISABLE: &str = "disable";
const RECOVER: &str = "recover";

/// The address of an emergency administrator, unless another is asked for.
const RECOVERY: &str = "recovery@localhost";

const VERBS: [(&str, Verb, &str); 5] = [
    ("serve", Verb::Serve, "Serve until SIGTERM; this is what it does without a verb"),
    (
        "migrate",
        Verb::Migrate,
        "Bring the database up to date and end; with --from and --to, move it into another one",
    ),
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
        let verb = match name {
            AUTH => Verb::Auth(access_of(below)?),
            name => VERBS.iter().find(|(verb, ..)| *verb == name)?.1.clone(),
        };
        Some((verb, below))
    });
    let (verb, below) = match verb {
        Some((verb, below)) => (verb, Some(below)),
        None => (Verb::Serve, None),
    };
    let mut options = of_matches(&matches);
    options.extend(below.map(of_matches).unwrap_or_default());
    let deepest = below.and_then(ArgMatches::subcommand).map(|(_, deepest)| deepest);
    options.extend(deepest.map(of_matches).unwrap_or_default());
    let moving = below.filter(|_| verb == Verb::Migrate).and_then(moving_of);
    Ok(CommandLine { verb, options, moving })
}

fn command() -> Command {
    let verbs = VERBS.map(|(name, verb, about)| {
        let command = Command::new(name).about(about).args(options());
        match verb {
            Verb::Migrate => command.args(of_moves()),
            _ => command,
        }
    });
    Command::new("dango-server")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Serves a Dango project over HTTP")
        .after_help(AFTER_HELP)
        .args(options())
        .subcommands(verbs)
        .subcommand(auth())
}

/// The verbs about who is let in.
fn auth() -> Command {
    let flag = |name: &'static str, help| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let verb = |name: &'static str, about| {
        Command::new(name)
            .about(about)
            .args(options())
            .arg(flag("yes", "Answer what would be asked with yes"))
            .arg(flag("json", "Write what was done to standard output as JSON"))
    };
    let email = Arg::new("email")
        .long("email")
        .value_name("EMAIL")
        .value_parser(str::parse::<Email>)
        .default_value(RECOVERY)
        .help("The address of the emergency administrator");
    Command::new(AUTH)
        .about("Open or close the door, or get back in, and end")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(options())
        .subcommands([
            verb(ENABLE, "Let people sign in again"),
            verb(DISABLE, "Let nobody sign in: no session and no API key counts, until `auth enable`"),
            verb(RECOVER, "Add an emergency administrator, and print a temporary password").arg(email),
        ])
}

fn access_of(matches: &ArgMatches) -> Option<Access> {
    let (name, matches) = matches.subcommand()?;
    let verb = match name {
        ENABLE => AccessVerb::Enable,
        DISABLE => AccessVerb::Disable,
        _ => AccessVerb::Recover(matches.get_one::<Email>("email").cloned()?),
    };
    Some(Access {
        verb,
        is_confirmed: matches.get_flag("yes"),
        has_json: matches.get_flag("json"),
    })
}

/// The options of a move, which are no settings.
fn of_moves() -> [Arg; 5] {
    let place =
        |name: &'static str, other: &'static str, value, help| Arg::new(name).long(name).value_name(value).requires(other).help(help);
    let flag = |name: &'static str, help| Arg::new(name).long(name).action(ArgAction::SetTrue).requires("from").help(help);
    [
        place(
            "from",
            "to",
            "URL",
            "Move people, sessions, keys and the log from this database (`sqlite:` and a path), while servers go on",
        ),
        place(
            "to",
            "from",
            "URL",
            "into this one, which is empty (`postgres:`), as the role that serves",
        ),
        flag("prepare", "Copy and compare everything, and leave the short rest to a later call"),
        flag("abort", "Take back a move that has begun, as long as it is not over").conflicts_with("prepare"),
        flag("json", "Write what was done to standard output as JSON"),
    ]
}

fn moving_of(matches: &ArgMatches) -> Option<Moving> {
    let text = |name| matches.get_one::<String>(name).cloned();
    Some(Moving {
        from: text("from")?,
        to: text("to")?,
        extent: match (matches.get_flag("prepare"), matches.get_flag("abort")) {
            (_, true) => Extent::Abort,
            (true, false) => Extent::Prepare,
            (false, false) => Extent::All,
        },
        has_json: matches.get_flag("json"),
    })
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
