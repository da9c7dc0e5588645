//! The project that a server holds, in the place of the files here: the way to it, and which commands can take it. What they print is
//! with each command.

mod answers;
mod failures;
mod issue;
mod kept_key;
mod login;
mod logout;
mod offline;
mod people;
mod records;

use dango_client::{Answer, Client, Method, Outbound, Problem, ServerUrl, Trust};
use dango_core::{CredentialPath, Timestamp};
use dango_secrets::document::SecretsDocument;
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::storage;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::arguments::{Command, Global};
use crate::env::EnvCommand;
use crate::failure::Failure;
use crate::host::Host;
use crate::output::Output;
use crate::secrets::SecretsCommand;
use crate::source::SourceCommand;

pub(crate) use answers::{CredentialRow, Listing, Stored, StoredCredential, VariableRow};
use answers::{Nothing, Values};
pub(crate) use login::{LoginArguments, log_in};
pub(crate) use logout::{LogoutArguments, log_out};
use offline::OfflineCopy;
pub(crate) use offline::parse_age;
pub(crate) use people::run as auth;
pub(crate) use records::list as audit_list;

/// The permission to read values.
const READS: &str = "source.view_credentials";

/// What values are read for, as the server records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Purpose {
    Run,
    Sync,
    Get,
    Export,
}

/// Which values are asked for.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// Credentials at or below a path, all without one, and all variables.
    Below(Option<&'a CredentialPath>),
    /// What is at a path, with the variables that it refers to.
    At(&'a CredentialPath),
    /// One variable, with those that it refers to.
    Variable(&'a str),
}

#[derive(Serialize)]
struct ReadValues<'a> {
    purpose: Purpose,
    only: Option<String>,
    key: Option<&'a str>,
}

/// A server with the key that this machine has there.
pub(crate) struct Server {
    client: Client,
    /// Where what it answered is kept; none where this user has no place for files.
    copy: Option<OfflineCopy>,
}

impl Server {
    /// The server that was chosen, if one was; nothing is sent yet.
    pub(crate) fn of(global: &Global, output: &mut Output<'_>) -> Result<Option<Self>, Failure> {
        let Some(text) = &global.server else { return Ok(None) };
        let url = parse_url(text)?;
        let key = kept_key::load(&url, output)?.key;
        let mut client = client(url, global)?;
        client.use_key(&key).map_err(|error| failures::call(error, client.server()))?;
        let copy = OfflineCopy::of(client.server(), &key, output.host).ok();
        Ok(Some(Self { client, copy }))
    }

    /// What the project has, masked.
    pub(crate) fn listing(&self) -> Result<Listing, Failure> {
        self.read(Method::Get, "/api/project/values", None::<&Nothing>)
    }

    /// What whoever changes values is told of what there is: it takes no permission to read values.
    pub(crate) fn stored(&self) -> Result<Stored, Failure> {
        self.read(Method::Get, "/api/secrets", None::<&Nothing>)
    }

    /// Values, opened; both documents are for reading.
    pub(crate) fn values(
        &self,
        purpose: Purpose,
        wanted: Wanted<'_>,
        output: &mut Output<'_>,
    ) -> Result<(SecretsDocument, EnvDocument), Failure> {
        let answer = self.send(Method::Post, "/api/project/values", Some(&request(purpose, wanted)))?;
        let text = answer.into_text().map_err(|error| failures::call(error, self.url()))?;
        Ok(self.documents(&text, output)?.documents)
    }

    /// The same for a run that may go on with what was kept, where nobody answers and that is no older than `age` microseconds.
    pub(crate) fn values_or_kept(
        &self,
        purpose: Purpose,
        age: Option<i64>,
        output: &mut Output<'_>,
    ) -> Result<(SecretsDocument, EnvDocument), Failure> {
        let Some(age) = age else {
            return self.values(purpose, Wanted::Below(None), output);
        };
        let url = self.url();
        // Whatever is said of a place for files is said again where one is needed.
        let copy = match &self.copy {
            Some(copy) => copy,
            None => {
                return Err(Failure::refused(
                    "there is no place for an offline copy: neither HOME nor XDG_CACHE_HOME says where",
                ));
            }
        };
        // Everything is asked for, so that what is kept serves every run.
        let body = request(purpose, Wanted::Below(None));
        match self.client.call(outbound(Method::Post, "/api/project/values", Some(&body))?) {
            Ok(Ok(answer)) => {
                let text = answer.into_text().map_err(|error| failures::call(error, url))?;
                let read = self.documents(&text, output)?;
                if let Err(failure) = copy.keep(&text, read.key_expires_at) {
                    output.warn(format!("no offline copy was kept: {}", failure.message));
                }
                Ok(read.documents)
            }
            Ok(Err(problem)) => Err(self.refused(&problem)),
            Err(error) if error.is_silence() => {
                let unreachable = failures::call(error, url);
                let (text, kept_at) = copy.read(age).map_err(|failure| unreachable.also(failure))?;
                output.insist(format!(
                    "{url} cannot be reached; going on with the offline copy of {}",
                    copy.told(kept_at)
                ));
                Ok(self.documents(&text, output)?.documents)
            }
            Err(error) => Err(failures::call(error, url)),
        }
    }

    /// Sends what changes something, and reads the answer; `look` is the command that shows afterwards whether it was done.
    pub(crate) fn change<T: DeserializeOwned>(&self, method: Method, path: &str, body: &impl Serialize, look: &str) -> Result<T, Failure> {
        let in_doubt = |error| failures::change(error, self.url(), look);
        let answered = self.client.call(outbound(method, path, Some(body))?).map_err(in_doubt)?;
        let answer = answered.map_err(|problem| self.refused(&problem))?;
        answer.json().map_err(in_doubt)
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &ServerUrl {
        self.client.server()
    }

    fn read<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<&impl Serialize>) -> Result<T, Failure> {
        let answer = self.send(method, path, body)?;
        answer.json().map_err(|error| failures::call(error, self.url()))
    }

    fn send(&self, method: Method, path: &str, body: Option<&impl Serialize>) -> Result<Answer, Failure> {
        let called = self.client.call(outbound(method, path, body)?);
        let answered = called.map_err(|error| failures::call(error, self.url()))?;
        answered.map_err(|problem| self.refused(&problem))
    }

    /// What a refusal means. Whoever may not read values any more reads no copy of what they once were given either.
    fn refused(&self, problem: &Problem) -> Failure {
        let failure = failures::problem(problem, self.url());
        let copy = self.copy.as_ref().filter(|_| may_not_read(problem));
        match copy.map(OfflineCopy::forget_if_there) {
            Some(Err(left)) => failure.hint(format!("the offline copy could not be removed: {}", left.message)),
            _ => failure,
        }
    }

    fn documents(&self, text: &dango_core::SecretValue, output: &mut Output<'_>) -> Result<Read, Failure> {
        let malformed = || failures::call(dango_client::CallError::Malformed, self.url());
        let values: Values = serde_json::from_str(text.expose()).map_err(|_| malformed())?;
        let secrets = SecretsDocument::parse(values.credentials.as_bytes()).map_err(|_| malformed())?;
        let variables = values.variables.into_iter().map(answers::Variable::into_given);
        let variables: Option<Vec<_>> = variables.collect();
        let env = EnvDocument::of_given(variables.ok_or_else(malformed)?);
        for warning in values.warnings {
            output.warn(format!("{}: {}", self.url(), warning.message));
        }
        Ok(Read {
            documents: (secrets, env),
            key_expires_at: values.key_expires_at.map(|end| end.parse()).transpose().map_err(|_| malformed())?,
        })
    }
}

/// Whether a refusal says, or may say, that whoever asked may not read values. A key that may read and does not change anything is one
/// that may read.
fn may_not_read(problem: &Problem) -> bool {
    match (problem.status, problem.permission.as_deref()) {
        (401, _) | (403, None) => true,
        (403, Some(permission)) => permission == READS,
        _ => false,
    }
}

/// What values were read.
struct Read {
    documents: (SecretsDocument, EnvDocument),
    key_expires_at: Option<Timestamp>,
}

/// Refuses what cannot be done on a project that a server holds, before anything is done to the files here in its place.
pub(crate) fn check_offered(command: &Command, global: &Global) -> Result<(), Failure> {
    if global.server.is_none() {
        return Ok(());
    }
    let is_offered = match command {
        Command::Secrets(command) => matches!(
            command,
            SecretsCommand::List(_)
                | SecretsCommand::Get(_)
                | SecretsCommand::Set(_)
                | SecretsCommand::Unset(_)
                | SecretsCommand::Export(_)
        ),
        Command::Env(command) => matches!(
            command,
            EnvCommand::List | EnvCommand::Get(_) | EnvCommand::Set(_) | EnvCommand::Unset(_)
        ),
        Command::Auth(command) => people::is_offered(command),
        Command::Audit(command) => matches!(command, crate::audit::AuditCommand::List(_)),
        Command::Run(_) | Command::Sync(_) | Command::Login(_) | Command::Logout(_) => true,
        // Whoever changes a credential should know where: here or there is not to be guessed from a variable that was set some day.
        Command::Rotate(_) | Command::Exposed(_) | Command::Oauth(_) => false,
        Command::Source(command) => matches!(command, SourceCommand::List | SourceCommand::Types(_)) && !global.is_server_given,
        // The variable alone does not keep anybody from working on what is here.
        _ => !global.is_server_given,
    };
    if is_offered {
        return Ok(());
    }
    let failure = Failure::refused("this command works on the files of a project, and not on a project that a server holds");
    Err(match global.is_server_given {
        true => failure.hint("run it on the server's machine, in the project's directory"),
        false => {
            // A malformed address is not repeated: it may hold a password.
            let url = global.server.as_deref().and_then(|text| text.parse::<ServerUrl>().ok());
            let there = url.map_or_else(|| "a server".to_owned(), |url| url.to_string());
            failure
                .hint(format!("DANGO_SERVER_URL chooses {there}; unset it to work on the files here"))
                .hint("to work on what is there, run the command on the server's machine, in the project's directory")
        }
    })
}

/// Whether an id can stand in a path as it is.
fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Reads the address of a server; a malformed one is wrong usage, and is not repeated: it may hold a password.
fn parse_url(text: &str) -> Result<ServerUrl, Failure> {
    text.parse()
        .map_err(|error: dango_client::ParseServerUrlError| Failure::usage(error.to_string()))
}

fn client(url: ServerUrl, global: &Global) -> Result<Client, Failure> {
    let trust = match &global.server_ca {
        None => Trust::default(),
        Some(path) => {
            let contents = storage::read(path).map_err(|error| Failure::caused_by(&error))?;
            let contents = contents.ok_or_else(|| Failure::refused(format!("{} is not there", path.display())))?;
            Trust::with_pem(contents.bytes()).map_err(|error| Failure::caused_by(&error).at(path))?
        }
    };
    Client::new(url.clone(), &trust).map_err(|error| failures::call(error, &url))
}

fn call(client: &Client, method: Method, path: &str, body: Option<&impl Serialize>) -> Result<Answer, Failure> {
    let called = client.call(outbound(method, path, body)?);
    let answered = called.map_err(|error| failures::call(error, client.server()))?;
    answered.map_err(|problem| failures::problem(&problem, client.server()))
}

fn outbound(method: Method, path: &str, body: Option<&impl Serialize>) -> Result<Outbound, Failure> {
    let written = body.map(|body| {
        // Room for every usual body, so that growing leaves no copies in memory.
        let mut text = Zeroizing::new(Vec::with_capacity(64 * 1024));
        serde_json::to_writer(&mut *text, body).map(|()| text)
    });
    Ok(Outbound {
        method,
        path: path.to_owned(),
        body: written.transpose().map_err(|error| Failure::caused_by(&error))?,
    })
}

fn request<'a>(purpose: Purpose, wanted: Wanted<'a>) -> ReadValues<'a> {
    let (only, key) = match wanted {
        Wanted::Below(only) => (only.map(ToString::to_string), None),
        Wanted::At(path) => (Some(path.to_string()), None),
        Wanted::Variable(key) => (None, Some(key)),
    };
    ReadValues { purpose, only, key }
}

/// The folder of one kind of this program's own files, as the XDG base directory specification has it.
fn own_folder(host: &Host, variable: &str, below_home: &str) -> Result<std::path::PathBuf, Failure> {
    let folder = host.path_variable(variable).filter(|path| path.is_absolute());
    let folder = folder.or_else(|| host.home().map(|home| home.join(below_home)));
    let folder = folder.ok_or_else(|| Failure::refused(format!("neither HOME nor {variable} says where files of this user are")))?;
    Ok(folder.join("dango"))
}

/// A server's address as the name of a file: what is no letter, digit, dot or hyphen as `_` and its number.
fn file_name(url: &ServerUrl) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    url.as_str()
        .bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("_{byte:02x}"),
        })
        .collect()
}

/// Makes a folder that nobody else may enter, with those above it.
fn make_folder(folder: &std::path::Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| Failure::refused(format!("cannot make {}: {error}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whoever_may_not_read_values_is_said_to() {
        let refused = |status, permission: Option<&str>| Problem {
            status,
            code: String::new(),
            detail: String::new(),
            retry_after: None,
            permission: permission.map(str::to_owned),
        };
        for (status, permission, expected) in [
            (401, None, true),
            (403, None, true),
            (403, Some(READS), true),
            (403, Some("config.manage"), false),
            (404, None, false),
            (503, None, false),
        ] {
            assert_eq!(may_not_read(&refused(status, permission)), expected, "{status} {permission:?}");
        }
    }

    #[test]
    fn two_servers_have_two_files() {
        let name = |url: &str| file_name(&url.parse().expect("an address"));
        assert_eq!(name("https://dango.example.com:8443"), "https_3a_2f_2fdango.example.com_3a8443");
        assert_ne!(name("http://localhost:1"), name("http://localhost:11"));
    }
}
