//! Rows to try stores with. They are well formed; nothing in them was made with a key.

use std::time::Duration;

use dango_audit::{Actor, ChainKey, Draft, Event, Label, Origin, Outcome, Stage as AuditStage, Target, UserAgent as AuditAgent};
use dango_core::{Entropy, EntropyError, Timestamp};
use dango_identity::{
    Activity, AllowList, ApiKeyId, ApiKeyName, ApiKeyPrefix, ApiKeyRecord, AuthContext, AuthFactor, Client, DeviceId, FactorId, FactorSet,
    Invite, InviteId, KeyScopes, NewUser, OauthFlowRecord, OauthStarter, PasswordOrigin, PasswordRecord, Permission, PermissionSet,
    RecoverySetRecord, Role, SealedColumn, SecurityEpoch, SessionId, SessionRecord, Stage, StoredPassword, TokenDigest, TotpParameters,
    TotpRecord, TotpState, TotpStep, User, UserAgent, UserId,
};

/// A point in time, so many seconds after one in 2023.
pub const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_micros(1_700_000_000_000_000 + seconds * 1_000_000)
}

/// The 16 bytes of an id of a kind: a UUID of version 7.
const fn uuid(kind: u8, number: u32) -> [u8; 16] {
    let [a, b, c, d] = number.to_be_bytes();
    [1, 0x92, kind, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, a, b, c, d]
}

/// The 32 bytes of a digest of a kind.
pub const fn bytes(kind: u8, number: u32) -> [u8; 32] {
    let mut bytes = [kind; 32];
    let [a, b, c, d] = number.to_be_bytes();
    (bytes[28], bytes[29], bytes[30], bytes[31]) = (a, b, c, d);
    bytes
}

/// The id of a user.
pub fn user_id(number: u32) -> UserId {
    UserId::from_bytes(uuid(1, number)).expect("version 7")
}

/// The id of a session.
pub fn session_id(number: u32) -> SessionId {
    SessionId::from_bytes(uuid(2, number)).expect("version 7")
}

/// The id of a factor.
pub fn factor_id(number: u32) -> FactorId {
    FactorId::from_bytes(uuid(3, number)).expect("version 7")
}

/// The id of an API key.
pub fn key_id(number: u32) -> ApiKeyId {
    ApiKeyId::from_bytes(uuid(4, number)).expect("version 7")
}

/// The id of a browser.
pub fn device_id(number: u32) -> DeviceId {
    DeviceId::from_bytes(uuid(5, number)).expect("version 7")
}

/// A password that nobody knows.
pub fn password_record(number: u32) -> PasswordRecord {
    let text = format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA{number:08}A");
    PasswordRecord::parse(&text).expect("a PHC string")
}

/// A password that its owner chose.
pub fn password(number: u32, now: Timestamp) -> StoredPassword {
    StoredPassword::chosen(password_record(number), now)
}

/// A password that is good for one login within an hour.
pub fn temporary_password(number: u32, now: Timestamp) -> StoredPassword {
    StoredPassword {
        record: password_record(number),
        set_at: now,
        origin: PasswordOrigin::Temporary {
            expires_at: later(now, 3600),
            used: false,
        },
    }
}

/// An invitation that is good for an hour.
pub fn invite(number: u32, now: Timestamp) -> Invite {
    Invite {
        id: InviteId::from_bytes(uuid(6, number)).expect("version 7"),
        digest: TokenDigest::from_bytes(bytes(6, number)),
        expires_at: later(now, 3600),
    }
}

/// A user who can log in.
pub fn user(number: u32, role: Role, now: Timestamp) -> NewUser {
    let email = format!("User{number}@example.com").parse().expect("an address");
    let user = User {
        id: user_id(number),
        email,
        role,
        activity: Activity::Active,
        invite_expires_at: None,
        must_change_password: false,
        epoch: SecurityEpoch::default(),
        created_at: now,
        updated_at: now,
        last_login: None,
    };
    NewUser {
        user,
        password: Some(password(number, now)),
        invite: None,
    }
}

/// A user who was invited.
pub fn invited(number: u32, role: Role, now: Timestamp) -> NewUser {
    let invite = invite(number, now);
    let mut new = user(number, role, now);
    new.user.invite_expires_at = Some(invite.expires_at);
    NewUser {
        password: None,
        invite: Some(invite),
        ..new
    }
}

/// A session; every other one comes from somewhere.
pub fn session(number: u32, user: UserId, epoch: SecurityEpoch, now: Timestamp) -> SessionRecord {
    let client = Client {
        address: Some([192, 0, 2, 7].into()),
        user_agent: Some(UserAgent::new("Firefox/140 «x»")),
    };
    let known = number.is_multiple_of(2);
    SessionRecord {
        id: session_id(number),
        digest: TokenDigest::from_bytes(bytes(2, number)),
        user,
        stage: Stage::Full,
        auth: AuthContext::at_login(FactorSet::of(AuthFactor::Password), now),
        epoch,
        created_at: now,
        expires_at: later(now, 86_400),
        last_active: now,
        client: if known { client } else { Client::default() },
        device: known.then(|| device_id(number)),
        mac: bytes(9, number),
    }
}

/// An enrolment that waits to be confirmed for ten minutes.
pub fn pending_totp(number: u32, user: UserId, now: Timestamp) -> TotpRecord {
    TotpRecord {
        id: factor_id(number),
        user,
        parameters: TotpParameters::default(),
        secret: SealedColumn::from_bytes(bytes(3, number).to_vec()),
        created_at: now,
        state: TotpState::Pending {
            expires_at: later(now, 600),
        },
    }
}

/// An enrolment that counts.
pub fn active_totp(number: u32, user: UserId, now: Timestamp) -> TotpRecord {
    TotpRecord {
        state: TotpState::Active {
            confirmed_at: now,
            last_step: TotpStep::from_number(100),
        },
        ..pending_totp(number, user, now)
    }
}

/// Three recovery codes: the numbers from ten times this one on.
pub fn recovery(number: u32, user: UserId, now: Timestamp) -> RecoverySetRecord {
    RecoverySetRecord {
        id: FactorId::from_bytes(uuid(7, number)).expect("version 7"),
        user,
        created_at: now,
        digests: (0..3).map(|n| TokenDigest::from_bytes(bytes(7, 10 * number + n))).collect(),
    }
}

/// An API key; every other one may do less than its owner, from few places.
pub fn api_key(number: u32, owner: UserId, now: Timestamp) -> ApiKeyRecord {
    let narrow = number.is_multiple_of(2);
    let networks = if narrow { &["192.0.2.0/24", "2001:db8::/32"][..] } else { &[] };
    ApiKeyRecord {
        id: key_id(number),
        family: key_id(number / 4),
        owner,
        name: ApiKeyName::parse("deploy, naïve").expect("a name"),
        prefix: ApiKeyPrefix::parse(&format!("dak_{:04}", number % 4)).expect("a prefix"),
        digest: TokenDigest::from_bytes(bytes(4, number)),
        scopes: KeyScopes {
            permissions: narrow.then(|| PermissionSet::of(&[Permission::AuditView, Permission::SourceView])),
            ..KeyScopes::default()
        },
        allow_list: AllowList::parse(networks.iter().copied()).expect("networks"),
        created_at: now,
        expires_at: Some(later(now, 86_400)),
        retiring_until: None,
        revoked_at: None,
        last_used: None,
        mac: bytes(8, number),
    }
}

/// A flow that waits for ten minutes, begun by a starter: those with an even number are sessions, the others browsers.
pub fn oauth_flow(number: u32, starter: u32, now: Timestamp) -> OauthFlowRecord {
    let session = OauthStarter::Session {
        user: user_id(starter % 4),
        session: session_id(starter),
    };
    OauthFlowRecord {
        state: TokenDigest::from_bytes(bytes(50, number)),
        starter: match starter.is_multiple_of(2) {
            true => session,
            false => OauthStarter::Browser(TokenDigest::from_bytes(bytes(51, starter))),
        },
        sealed: SealedColumn::from_bytes(bytes(52, number).to_vec()),
        expires_at: later(now, 600),
    }
}

/// The key of the log.
pub fn chain_key() -> ChainKey {
    ChainKey::from_derived(&[7; 32])
}

/// Something that happened: a login of a user, from somewhere.
pub fn draft(number: u32, now: Timestamp) -> Draft {
    let id = user_id(number).to_string().parse().expect("an id");
    let label = Label::new(&format!("User{number}@example.com"));
    let origin = Origin {
        ip: Some([192, 0, 2, 7].into()),
        user_agent: Some(AuditAgent::new("Firefox/140")),
        session: None,
    };
    Draft::new(
        now,
        Event::LoginSuccess,
        Actor::user(id, label.clone()),
        AuditStage::Ended(Outcome::Success),
    )
    .on(Target::user(&user_id(number).to_string().parse().expect("an id"), label))
    .from(origin)
}

/// Numbers instead of randomness: the same from the same start.
pub struct Counting(std::sync::atomic::AtomicU64);

impl Counting {
    /// Starts somewhere.
    pub const fn from(start: u64) -> Self {
        Self(std::sync::atomic::AtomicU64::new(start))
    }
}

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in buffer.chunks_mut(8) {
            let number = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_be_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
        Ok(())
    }
}

/// A point in time so many seconds after another.
pub fn later(time: Timestamp, seconds: u64) -> Timestamp {
    let span = Duration::from_secs(seconds).as_micros();
    Timestamp::from_unix_micros(time.unix_micros() + i64::try_from(span).expect("no such long time"))
}
