//! Who did something, to what, and from where, as a caller says it. What was done is beside.

use std::net::IpAddr;

use dango_core::{CredentialPath, RemoteName, SourceName, SourceType, VariableName};

use crate::personal::{PersonalFacts, Subject};
use crate::words::{Id, Label, NAME_MAX, UserAgent, Word, harmless};

/// What kind of actor it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// A person in a browser, known or not.
    User,
    /// A program with an API key.
    ApiKey,
    /// Somebody at the command line.
    Cli,
    /// Dango by itself.
    System,
}

impl ActorKind {
    /// The kind's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ApiKey => "api_key",
            Self::Cli => "cli",
            Self::System => "system",
        }
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    kind: ActorKind,
    id: Option<Id>,
    subject: Subject,
    label: Option<Label>,
}

impl Actor {
    /// A user; the label is the e-mail address.
    pub fn user(id: Id, label: Label) -> Self {
        Self {
            kind: ActorKind::User,
            subject: Subject::user(&id),
            id: Some(id),
            label: Some(label),
        }
    }

    /// Somebody who is nobody's account. There is no label on purpose: what was typed may have been a password.
    pub fn unknown() -> Self {
        Self {
            kind: ActorKind::User,
            id: None,
            subject: Subject::unknown(),
            label: None,
        }
    }

    /// An API key; the label is its name, and where it was used from is data of its owner.
    pub fn api_key(id: Id, label: Label, owner: &Id) -> Self {
        Self {
            kind: ActorKind::ApiKey,
            id: Some(id),
            subject: Subject::user(owner),
            label: Some(label),
        }
    }

    /// A user of the operating system: number, where the system has numbers, and name.
    pub fn cli(uid: Option<Id>, label: Option<Label>) -> Self {
        Self {
            kind: ActorKind::Cli,
            subject: Subject::cli(uid.as_ref()),
            id: uid,
            label,
        }
    }

    /// Dango by itself.
    pub fn system() -> Self {
        Self {
            kind: ActorKind::System,
            id: None,
            subject: Subject::unknown(),
            label: None,
        }
    }

    /// What a record says about the actor as a person, if anything.
    pub(crate) fn facts(&self, origin: &Origin) -> Option<PersonalFacts> {
        let facts = PersonalFacts {
            subject: self.subject.clone(),
            label: self.label.as_ref().map(|label| label.as_str().to_owned()),
            ip: origin.ip.map(|ip| ip.to_canonical().to_string()),
            user_agent: origin.user_agent.as_ref().map(|agent| agent.as_str().to_owned()),
        };
        (!facts.is_empty()).then_some(facts)
    }

    pub(crate) fn kind(&self) -> ActorKind {
        self.kind
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_ref().map(Id::as_str)
    }
}

/// What kind of thing it was done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetKind {
    /// An account.
    User,
    /// A session.
    Session,
    /// An API key.
    ApiKey,
    /// An invitation.
    Invite,
    /// A value in `secrets.toml`.
    Secret,
    /// A variable in `.env`.
    Variable,
    /// A key that protects values.
    Key,
    /// A data source.
    Source,
    /// A stored OAuth connection.
    Connection,
    /// A deployed project.
    Remote,
    /// A file of the project.
    File,
    /// This log.
    Audit,
    /// The project as a whole.
    Project,
    /// The server.
    Server,
}

impl TargetKind {
    /// The kind's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Session => "session",
            Self::ApiKey => "api_key",
            Self::Invite => "invite",
            Self::Secret => "secret",
            Self::Variable => "variable",
            Self::Key => "key",
            Self::Source => "source",
            Self::Connection => "connection",
            Self::Remote => "remote",
            Self::File => "file",
            Self::Audit => "audit",
            Self::Project => "project",
            Self::Server => "server",
        }
    }
}

/// Which thing of its kind: an id, or a name that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetId(String);

impl From<&Id> for TargetId {
    fn from(id: &Id) -> Self {
        Self(id.as_str().to_owned())
    }
}

impl From<Word> for TargetId {
    fn from(word: Word) -> Self {
        Self(word.as_str().to_owned())
    }
}

macro_rules! from_name {
    ($($name:ty),*) => {
        $(
            impl From<&$name> for TargetId {
                fn from(name: &$name) -> Self {
                    Self(harmless(&name.to_string(), NAME_MAX))
                }
            }
        )*
    };
}

from_name!(CredentialPath, VariableName, SourceName, SourceType, RemoteName);

/// What it was done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    kind: TargetKind,
    id: Option<TargetId>,
    named: Option<(Subject, Label)>,
}

impl Target {
    /// The one thing of its kind, or one that has no id.
    pub fn of(kind: TargetKind) -> Self {
        Self {
            kind,
            id: None,
            named: None,
        }
    }

    /// A thing with an id or a name.
    pub fn new(kind: TargetKind, id: impl Into<TargetId>) -> Self {
        Self {
            id: Some(id.into()),
            ..Self::of(kind)
        }
    }

    /// An account; the label is the e-mail address.
    pub fn user(id: &Id, label: Label) -> Self {
        Self {
            named: Some((Subject::user(id), label)),
            ..Self::new(TargetKind::User, id)
        }
    }

    /// Something that belongs to a user and has a name that the user gave: an API key, a connection's account.
    #[must_use]
    pub fn named_by(mut self, owner: &Id, label: Label) -> Self {
        self.named = Some((Subject::user(owner), label));
        self
    }

    /// What a record says about the target as a person, if anything.
    pub(crate) fn facts(&self) -> Option<PersonalFacts> {
        let (subject, label) = self.named.as_ref()?;
        Some(PersonalFacts {
            subject: subject.clone(),
            label: Some(label.as_str().to_owned()),
            ip: None,
            user_agent: None,
        })
    }

    pub(crate) fn kind(&self) -> TargetKind {
        self.kind
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_ref().map(|id| id.0.as_str())
    }
}

/// Where it came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// What the client says it is.
    pub user_agent: Option<UserAgent>,
    /// The session's public id, never its token.
    pub session: Option<Id>,
}
