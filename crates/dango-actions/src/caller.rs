//! Who wants something done, and from where. Whether they may is in `permit`.

use dango_audit::{Actor, Id, Label, Origin};
use dango_core::Timestamp;
use dango_identity::{
    AnySession, ApiKeyId, AuthContext, AuthenticatedKey, Client, KeyScopes, PermissionSet, Role, SecurityEpoch, SessionId, User, UserId,
};

/// Who wants something done, and from where.
///
/// It says who somebody is and was made from what proved it, a session or a key; it proves nothing by itself.
#[derive(Clone, Debug)]
pub struct Caller {
    who: Who,
    client: Client,
    session: Option<SessionId>,
    request: Option<Id>,
}

#[derive(Clone, Debug)]
pub(crate) enum Who {
    /// The machine's user at the terminal, who owns the files.
    Cli { uid: Option<Id>, name: Option<Label> },
    /// A person in a browser.
    User(Account),
    /// A program with a key.
    ApiKey {
        id: ApiKeyId,
        name: Label,
        owner: Account,
        scopes: KeyScopes,
        /// When the key ends, by itself or because another has taken its place.
        ends_at: Option<Timestamp>,
    },
    /// Dango by itself.
    System,
    /// Nobody yet.
    Anonymous,
}

/// An account as it was when the request was authenticated.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: UserId,
    pub(crate) email: Label,
    pub(crate) role: Role,
    pub(crate) epoch: SecurityEpoch,
    /// How the holder was proven; nothing for a session that is not full, and for keys.
    pub(crate) auth: Option<AuthContext>,
}

impl Account {
    fn of(user: &User, auth: Option<AuthContext>) -> Self {
        Self {
            id: user.id,
            email: Label::new(user.email.as_str()),
            role: user.role,
            epoch: user.epoch,
            auth,
        }
    }
}

impl Caller {
    /// The user of the operating system at the command line: number, where the system has numbers, and name.
    pub fn cli(uid: Option<u32>, name: Option<&str>) -> Self {
        let uid = uid.and_then(|uid| uid.to_string().parse().ok());
        Self::of(Who::Cli {
            uid,
            name: name.map(Label::new),
        })
    }

    /// The holder of a session. Only a full session, under no obligation, may do what the user's role may.
    pub fn user(user: &User, session: &AnySession, client: Client) -> Self {
        let auth = match session {
            AnySession::Full(session) => Some(*session.auth()),
            AnySession::Partial(_) | AnySession::Restricted(..) => None,
        };
        Self {
            client,
            session: Some(session.record().id),
            ..Self::of(Who::User(Account::of(user, auth)))
        }
    }

    /// The holder of an API key, who may do what the key's scopes and its owner's role both allow.
    pub fn api_key(key: &AuthenticatedKey, owner: &User, client: Client) -> Self {
        Self {
            client,
            ..Self::of(Who::ApiKey {
                id: key.id(),
                name: Label::new(key.record().name.as_str()),
                owner: Account::of(owner, None),
                scopes: key.record().scopes,
                ends_at: [key.record().expires_at, key.record().retiring_until].into_iter().flatten().min(),
            })
        }
    }

    /// Dango by itself: a schedule, a start of the server.
    pub fn system() -> Self {
        Self::of(Who::System)
    }

    /// Somebody who has proven nothing: whoever logs in or accepts an invitation.
    pub fn anonymous(client: Client) -> Self {
        Self {
            client,
            ..Self::of(Who::Anonymous)
        }
    }

    /// The holder of a session, by a request of this caller.
    pub(crate) fn become_user(self, user: &User, session: &AnySession) -> Self {
        Self {
            request: self.request,
            ..Self::user(user, session, self.client)
        }
    }

    /// The holder of an API key, by a request of this caller.
    pub(crate) fn become_key(self, key: &AuthenticatedKey, owner: &User) -> Self {
        Self {
            request: self.request,
            ..Self::api_key(key, owner, self.client)
        }
    }

    /// The same caller, with the request's id for the records.
    #[must_use]
    pub fn with_request(self, id: Id) -> Self {
        Self { request: Some(id), ..self }
    }

    fn of(who: Who) -> Self {
        Self {
            who,
            client: Client::default(),
            session: None,
            request: None,
        }
    }

    /// Whose account it is, for a person and for a key.
    pub fn user_id(&self) -> Option<UserId> {
        self.account().map(|account| account.id)
    }

    /// When the API key ends that the request was sent with, if it was one and has an end.
    pub const fn key_ends_at(&self) -> Option<Timestamp> {
        match &self.who {
            Who::ApiKey { ends_at, .. } => *ends_at,
            _ => None,
        }
    }

    /// Where the request came from.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) const fn who(&self) -> &Who {
        &self.who
    }

    pub(crate) const fn request(&self) -> Option<&Id> {
        self.request.as_ref()
    }

    pub(crate) const fn account(&self) -> Option<&Account> {
        match &self.who {
            Who::User(account) | Who::ApiKey { owner: account, .. } => Some(account),
            Who::Cli { .. } | Who::System | Who::Anonymous => None,
        }
    }

    /// What the caller may do; everything at the terminal.
    pub(crate) fn permissions(&self, role: Role) -> PermissionSet {
        match &self.who {
            Who::Cli { .. } | Who::System => PermissionSet::ALL,
            Who::User(account) if account.auth.is_some() => role.permissions().without(PermissionSet::OF_KEYS_ALONE),
            Who::ApiKey { scopes, .. } => scopes.effective(role.permissions()),
            Who::User(_) | Who::Anonymous => PermissionSet::EMPTY,
        }
    }

    pub(crate) fn actor(&self) -> Actor {
        match &self.who {
            Who::Cli { uid, name } => Actor::cli(uid.clone(), name.clone()),
            Who::User(account) => Actor::user(audit_id(account.id), account.email.clone()),
            Who::ApiKey { id, name, owner, .. } => Actor::api_key(audit_id(id), name.clone(), &audit_id(owner.id)),
            Who::System => Actor::system(),
            Who::Anonymous => Actor::unknown(),
        }
    }

    /// Who it is, for the history of values.
    pub(crate) fn name(&self) -> String {
        match &self.who {
            Who::Cli { name, .. } => name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default(),
            Who::User(account) => account.email.as_str().to_owned(),
            Who::ApiKey { name, owner, .. } => format!("{} (key {})", owner.email.as_str(), name.as_str()),
            Who::System => "dango".to_owned(),
            Who::Anonymous => String::new(),
        }
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin {
            ip: self.client.address,
            user_agent: self
                .client
                .user_agent
                .as_ref()
                .map(|agent| dango_audit::UserAgent::new(agent.as_str())),
            session: self.session.map(audit_id),
        }
    }
}

/// An id as audit records hold it.
pub(crate) fn audit_id(id: impl std::fmt::Display) -> Id {
    id.to_string().parse().expect("a UUID in lower case is an id of the log")
}
