//! The command tree and its options, as clap parses them; what they mean is with each command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::Host;
use crate::audit::AuditCommand;
use crate::auth::AuthCommand;
use crate::completions::CompletionsArguments;
use crate::doctor::DoctorArguments;
use crate::env::EnvCommand;
use crate::exposed::ExposedArguments;
use crate::init::InitArguments;
use crate::key::KeyCommand;
use crate::man::ManArguments;
use crate::oauth::OauthArguments;
use crate::remote::RemoteCommand;
use crate::rotate::RotateArguments;
use crate::run::RunArguments;
use crate::scan::ScanArguments;
use crate::secrets::SecretsCommand;
use crate::server::{LoginArguments, LogoutArguments};
use crate::source::SourceCommand;
use crate::sync::SyncArguments;
use crate::vault::VaultCommand;

/// What stands below the list of commands: the variables that are looked at, and the exit statuses.
const AFTER_HELP: &str = "\
Environment:
  DANGO_PROJECT_ROOT       the project's directory
  DANGO_KEY                the encryption key: 32 bytes as 64 hexadecimal digits or as base64
  DANGO_KEY_FILE           a file with that key
  DANGO_PASSPHRASE         opens a key that is kept under a passphrase
  DANGO_IDENTITY_KEY       the key behind users and the audit log, in the same form
  DANGO_IDENTITY_KEY_FILE  a file with that key
  DANGO_OAUTH_CALLBACK_URL where `dango oauth` waits for the browser, on this machine
  DANGO_OAUTH_TIMEOUT      for how many seconds it waits
  DANGO_SERVER_DATABASE_URL the PostgreSQL database that `dango vault move` and servers use
  PGPASSWORD               the password for it, where its address has none
  PGPASSFILE               a file of such passwords, in the place of ~/.pgpass
  DANGO_SERVER_URL         the server that holds the project, in the place of the files here
  DANGO_SERVER_KEY         an API key for it, in the place of the one that `dango login` has kept
  DANGO_SERVER_CA          a file of authorities to trust as well
  DANGO_SSH_KNOWN_HOSTS    the file of known host keys, in the place of ~/.ssh/known_hosts
  EDITOR, VISUAL           the program that opens files
  NO_COLOR                 no colour

Exit status: 0 done; 1 could not be done or was refused; 2 wrong usage; 3 a check found something.";

/// Keeps a data team's credentials: stores them safely, edits secrets.toml and .env without spoiling
/// them, and hands them to the programs that need them.
#[derive(Parser, Debug)]
#[command(
    name = "dango",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    subcommand_required = true
)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// The project's directory [default: DANGO_PROJECT_ROOT, else the nearest parent with .dango/ or .dlt/]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub(crate) project: Option<PathBuf>,
    /// Work on the project that this server holds [also: DANGO_SERVER_URL]
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    pub(crate) server: Option<String>,
    /// Trust the authorities in this file as well, in PEM, for the server's certificate [also: DANGO_SERVER_CA]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub(crate) server_ca: Option<PathBuf>,
    /// Whether `--server` itself was given, and not the variable alone.
    #[arg(skip)]
    pub(crate) is_server_given: bool,
    /// Print data as JSON
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,
    /// Say nothing on standard error but warnings and errors
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) quiet: bool,
    /// Use no colour [also: NO_COLOR]
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) no_color: bool,
    /// Answer confirmations with yes
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) yes: bool,
}

impl Global {
    /// Takes what was not given on the command line from the environment.
    pub(crate) fn settle(&mut self, host: &Host) {
        if self.project.is_none() {
            self.project = host.path_variable("DANGO_PROJECT_ROOT");
        }
        if let Some(project) = &mut self.project {
            *project = host.directory.join(&*project);
        }
        self.is_server_given = self.server.is_some();
        if self.server.is_none() {
            let server = host.variable("DANGO_SERVER_URL").filter(|url| !url.is_empty());
            self.server = server.map(str::to_owned);
        }
        if self.server_ca.is_none() {
            self.server_ca = host.path_variable("DANGO_SERVER_CA");
        }
        if let Some(file) = &mut self.server_ca {
            *file = host.directory.join(&*file);
        }
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make a project, or complete one, without changing what is there
    Init(InitArguments),
    /// Credentials in .dlt/secrets.toml
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Variables in .env
    #[command(subcommand)]
    Env(EnvCommand),
    /// The encryption key: where it is, what it protects, a new one, a backup
    #[command(subcommand)]
    Key(KeyCommand),
    /// Where the values are kept: in files, or in a database for several servers
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Run a program with .env and every credential in its environment
    Run(RunArguments),
    /// Data sources and the credentials they need
    #[command(subcommand)]
    Source(SourceCommand),
    /// Connections to providers: Google, Facebook and others
    Oauth(OauthArguments),
    /// Check that a source's credentials are complete, then run its sync command
    Sync(SyncArguments),
    /// Replace a source's credential step by step, so that there is always one that works
    Rotate(RotateArguments),
    /// Deal with a credential that somebody may have seen: revoke, replace, look for it, write a record
    Exposed(ExposedArguments),
    /// Look for what is wrong with the project, and say what to do about it
    Doctor(DoctorArguments),
    /// Look for the project's own values, and for token formats, where they must not be
    Scan(ScanArguments),
    /// Users: who may sign in, and what they may do
    #[command(subcommand)]
    Auth(AuthCommand),
    /// The audit log: what happened, and whether the log still says so
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Deployed projects: the variables in the .env of a server, over ssh
    #[command(subcommand)]
    Remote(RemoteCommand),
    /// Make an API key on a server and keep it here, for `--server`
    Login(LoginArguments),
    /// End this machine's API key on a server, and forget it
    Logout(LogoutArguments),
    /// Print a completion script for a shell
    Completions(CompletionsArguments),
    /// Print the manual page, or write one page a command into a directory
    Man(ManArguments),
}
