//! Somebody has the database and not the key: they find nothing that opens anything, and what they change counts for nothing.

use std::path::Path;
use std::time::Duration;

use dango_core::{Clock, OsEntropy, SystemClock};
use dango_identity::{
    AllowList, AnySession, ApiKeyName, ApiKeyPolicy, ApiKeys, AuthFactor, CheckSessionError, Client, ExternalIdentity, FactorSet,
    IdentityKey, InsertLink, Invite, KeyScopes, NewApiKey, NewSession, NewUser, PlainToken, RemoveLink, Role, SecurityEpoch, SessionLimits,
    Sessions, Stage, StoreError, TokenKey, TotpCode, permit_link,
};
use dango_store::StoreExt;
use dango_store::contract::sample::{invited, user, user_id};
use dango_store_sqlite::{Open, SqliteStore};
use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};

type Error = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug)]
struct Failed(#[expect(dead_code, reason = "shown by a test that fails")] String);

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into().to_string())
    }
}

/// What an owner holds: texts, or the bytes behind them.
struct Held {
    session: String,
    canaries: Vec<(&'static str, Vec<u8>)>,
}

/// A user with everything there is, made by the rules themselves.
fn fill(store: &SqliteStore, key: &'static IdentityKey) -> Held {
    let work = store.write(move |tx| {
        Box::pin(async move {
            let now = SystemClock.now();
            // Without a password, so that a provider is all that opens the account.
            let owner = NewUser {
                password: None,
                ..user(1, Role::Admin, now)
            };
            let id = owner.user.id;
            let _ = tx.insert_user(&owner).await?;
            let mut canaries = Vec::new();

            let (invite, link) = Invite::make(&TokenKey::derive(key), now, &OsEntropy)?;
            let mut guest = invited(2, Role::Viewer, now);
            guest.user.invite_expires_at = Some(invite.expires_at);
            guest.invite = Some(invite);
            let _ = tx.insert_user(&guest).await?;
            canaries.push(("invitation", link.expose().as_bytes().to_vec()));

            let factors = dango_identity::SecondFactors::new(key);
            let enrolment = factors.begin_enrolment(tx, id, ("Dango", "a@example.com"), now, &OsEntropy).await?;
            let seed = enrolment.secret.expose_base32();
            let app = totp_rs::Builder::new()
                .with_secret(BASE32_NOPAD.decode(seed.expose().as_bytes())?)
                .build_noncompliant();
            let seconds = u64::try_from(now.unix_micros() / 1_000_000)?;
            let code = TotpCode::parse(&app.generate(seconds).to_string())?;
            let confirmed = factors.finish_enrolment(tx, id, &code, now, &OsEntropy).await?;
            canaries.push(("seed as text", seed.expose().as_bytes().to_vec()));
            canaries.push(("seed", BASE32_NOPAD.decode(seed.expose().as_bytes())?));
            for recovery in confirmed.codes.codes() {
                let text = recovery.expose_text().expose().to_owned();
                canaries.push(("recovery code without dashes", text.replace('-', "").into_bytes()));
                canaries.push(("recovery code", text.into_bytes()));
            }

            let sessions = Sessions::new(key, SessionLimits::default());
            let issued = sessions.begin(tx, login(id), now, &OsEntropy).await?;
            canaries.push(("session", issued.token.expose().as_bytes().to_vec()));
            let AnySession::Full(session) = issued.session else {
                return Err("a full session".into());
            };
            let keys = ApiKeys::new(key, ApiKeyPolicy::default());
            let new = NewApiKey {
                name: ApiKeyName::parse("deploy")?,
                expires_at: Some(dango_store::contract::sample::later(now, 3600)),
                scopes: KeyScopes::default(),
                allow_list: AllowList::default(),
            };
            let made = keys.make(tx, (&session, Role::Admin.permissions()), new, now, &OsEntropy).await?;
            // The first characters are shown in lists.
            canaries.push(("API key", made.key.expose().as_bytes()[8..].to_vec()));

            two_links(tx, &session, now).await?;
            Ok::<_, Failed>(Held {
                session: issued.token.expose().to_owned(),
                canaries,
            })
        })
    });
    pollster::block_on(work).expect("filled")
}

/// Two providers, of which the last must stay if there is no password.
async fn two_links(
    tx: &mut dyn dango_store::Transaction,
    session: &dango_identity::Session<dango_identity::Full>,
    now: dango_core::Timestamp,
) -> Result<(), Failed> {
    let identity = |issuer: &str, subject| ExternalIdentity::new(&format!("https://{issuer}.example"), subject).expect("printable");
    for (issuer, subject, expected) in [
        ("a", "1", InsertLink::Inserted),
        ("a", "1", InsertLink::Inserted),
        ("a", "2", InsertLink::IssuerTaken),
        ("b", "1", InsertLink::Inserted),
    ] {
        let permit = permit_link(session, identity(issuer, subject), Duration::from_secs(600), now)?;
        assert_eq!(tx.insert_link(&permit).await?, expected, "{issuer} {subject}");
    }
    assert_eq!(tx.remove_link(session.user(), "https://a.example").await?, RemoveLink::Removed);
    assert_eq!(tx.remove_link(session.user(), "https://b.example").await?, RemoveLink::LastFactor);
    assert_eq!(tx.links_of(session.user()).await?.len(), 1);
    Ok(())
}

fn login(user: dango_identity::UserId) -> NewSession {
    NewSession {
        user,
        epoch: SecurityEpoch::default(),
        factors: FactorSet::of(AuthFactor::Password).with(AuthFactor::Totp),
        stage: Stage::Full,
        client: Client::default(),
        device: None,
    }
}

/// Every form in which a secret could stand in a file.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.to_vec()];
    for encoding in [HEXLOWER, HEXUPPER, BASE64_NOPAD, BASE64URL_NOPAD] {
        forms.push(encoding.encode(secret).into_bytes());
    }
    // A token is text that is the form of bytes itself.
    if let Ok(bytes) = BASE64URL_NOPAD.decode(secret) {
        forms.push(HEXLOWER.encode(&bytes).into_bytes());
        forms.push(BASE64_NOPAD.encode(&bytes).into_bytes());
        forms.push(bytes);
    }
    forms
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn key() -> &'static IdentityKey {
    Box::leak(Box::new(IdentityKey::make(&OsEntropy).expect("random")))
}

#[test]
fn the_files_hold_nothing_that_opens_anything() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    let store = SqliteStore::open(&path, Open::OrCreate).expect("opened");
    let held = fill(&store, key());
    let search = |when| {
        for name in ["dango.db", "dango.db-wal", "dango.db-shm"] {
            let Ok(file) = std::fs::read(path.with_file_name(name)) else {
                continue;
            };
            for (what, secret) in &held.canaries {
                for form in forms(secret) {
                    assert!(!contains(&file, &form), "{name} holds a {what} {when}");
                }
            }
        }
    };
    search("while it is open");
    let whole = [path.clone(), path.with_file_name("dango.db-wal")]
        .map(|path| std::fs::read(path).expect("read"))
        .concat();
    let digest = pollster::block_on(store.read(|tx| Box::pin(async { tx.sessions_of(user_id(1)).await }))).expect("read");
    assert!(contains(&whole, digest[0].record.digest.as_bytes()), "what is there is found");
    drop(store);
    search("after it was closed");
}

fn raw(path: &Path, sql: &'static str) {
    pollster::block_on(async {
        let mut connection = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(false)
            .connect()
            .await
            .expect("opened");
        connection.execute("PRAGMA ignore_check_constraints = ON").await.expect("set");
        connection.execute(sql).await.expect(sql);
        connection.close().await.expect("closed");
    });
}

fn check(store: &SqliteStore, key: &'static IdentityKey, token: &str) -> Result<AnySession, CheckSessionError> {
    let token = PlainToken::parse(token).expect("a token");
    let work = store.read(move |tx| {
        Box::pin(async move {
            let sessions = Sessions::new(key, SessionLimits::default());
            Ok::<_, StoreError>(sessions.check(tx, &token, SystemClock.now()).await)
        })
    });
    pollster::block_on(work).expect("read")
}

#[test]
fn a_session_that_was_changed_by_hand_is_refused_as_what_it_is() {
    let changes = [
        "UPDATE sessions SET user_id = (SELECT id FROM users WHERE role = 'viewer')",
        "UPDATE sessions SET expires_at = expires_at + 1",
        "UPDATE sessions SET stage = 'enrolment-required'",
        "UPDATE sessions SET stage = 'superuser'",
        "UPDATE sessions SET factors = 200",
        "UPDATE sessions SET address = 'nowhere'",
        "UPDATE sessions SET device_id = x'00'",
        "UPDATE sessions SET mac = zeroblob(32)",
        "UPDATE sessions SET mac = x''",
        "UPDATE sessions SET last_active_at = last_active_at + 1",
        "UPDATE sessions SET created_at = created_at + 1",
        "UPDATE sessions SET epoch = epoch + 1",
        "UPDATE sessions SET user_id = x'00000000000070008000000000000000'",
        "UPDATE sessions SET user_id = zeroblob(16)",
        "UPDATE sessions SET id = zeroblob(16)",
        // The same id but for the bits that every id has.
        "UPDATE sessions SET id = unhex(substr(hex(id), 1, 12) || '0' || substr(hex(id), 14))",
        "UPDATE users SET epoch = -1",
        "DELETE FROM users",
    ];
    for sql in changes {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("dango.db");
        let (store, key) = (SqliteStore::open(&path, Open::OrCreate).expect("opened"), key());
        let held = fill(&store, key);
        assert!(matches!(check(&store, key, &held.session), Ok(AnySession::Full(_))));
        raw(&path, sql);
        let refused = check(&store, key, &held.session);
        assert!(
            matches!(refused, Err(CheckSessionError::RowInvalid { .. })),
            "{sql}: {:?}",
            refused.err()
        );
    }
}

#[test]
fn a_copy_without_the_key_opens_no_session() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    let store = SqliteStore::open(&path, Open::OrCreate).expect("opened");
    let held = fill(&store, key());
    let refused = check(&store, key(), &held.session);
    assert!(matches!(refused, Err(CheckSessionError::Unknown)), "{:?}", refused.err());
}
