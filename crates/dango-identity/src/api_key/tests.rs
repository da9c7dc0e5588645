//! The rules of API keys against the store in memory.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use dango_core::{OsEntropy, Timestamp};
use pollster::block_on;
use sha2::{Digest, Sha256};

use super::*;
use crate::client::Client;
use crate::epoch::SecurityEpoch;
use crate::id::{ApiKeyId, UserId};
use crate::instant::after;
use crate::key::IdentityKey;
use crate::memory::MemoryStore;
use crate::permission::{Permission, PermissionSet};
use crate::session::{AnySession, AuthFactor, FactorSet, Full, NewSession, Session, SessionLimits, Sessions, Stage};

const START: Timestamp = Timestamp::from_unix_micros(1_795_000_000_000_000);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn later(seconds: u64) -> Timestamp {
    after(START, Duration::from_secs(seconds))
}

fn user() -> UserId {
    UserId::make(START, &OsEntropy).expect("random")
}

fn from(address: &str) -> Client {
    Client {
        address: Some(address.parse().expect("an address")),
        user_agent: None,
    }
}

fn named(name: &str) -> NewApiKey {
    NewApiKey {
        name: ApiKeyName::parse(name).expect("a name"),
        expires_at: None,
        scopes: KeyScopes::default(),
        allow_list: AllowList::default(),
    }
}

struct House {
    keys: ApiKeys,
    sessions: Sessions,
    store: MemoryStore,
}

impl House {
    fn new() -> Self {
        let key = IdentityKey::make(&OsEntropy).expect("random");
        Self {
            keys: ApiKeys::new(&key, ApiKeyPolicy::default()),
            sessions: Sessions::new(&key, SessionLimits::default()),
            store: MemoryStore::new(),
        }
    }

    fn log_in(&mut self, user: UserId, now: Timestamp) -> Session<Full> {
        let new = NewSession {
            user,
            epoch: SecurityEpoch::default(),
            factors: FactorSet::of(AuthFactor::Password),
            stage: Stage::Full,
            client: Client::default(),
            device: None,
        };
        let issued = block_on(self.sessions.begin(&mut self.store, new, now, &OsEntropy)).expect("issued");
        match issued.session {
            AnySession::Full(session) => session,
            other => panic!("{other:?}"),
        }
    }

    fn make(&mut self, session: &Session<Full>, new: NewApiKey, now: Timestamp) -> Result<IssuedApiKey, MakeApiKeyError> {
        let owner = (session, PermissionSet::ALL);
        block_on(self.keys.make(&mut self.store, owner, new, now, &OsEntropy))
    }

    fn rotate(
        &mut self,
        session: &Session<Full>,
        id: ApiKeyId,
        overlap: Duration,
        now: Timestamp,
    ) -> Result<IssuedApiKey, MakeApiKeyError> {
        let owner = (session, PermissionSet::ALL);
        block_on(self.keys.rotate(&mut self.store, owner, id, (overlap, None), now, &OsEntropy))
    }

    fn check(&mut self, key: &PlainApiKey, now: Timestamp) -> Result<AuthenticatedKey, CheckApiKeyError> {
        block_on(self.keys.check(&mut self.store, key, &from("192.0.2.1"), now))
    }

    fn code(&mut self, key: &PlainApiKey, now: Timestamp) -> &'static str {
        self.check(key, now).map_or_else(|error| error.code(), |_| "ok")
    }

    fn listed(&mut self, owner: UserId) -> Vec<ApiKeyId> {
        let list = block_on(self.keys.list(&mut self.store, owner)).expect("a store");
        assert!(list.invalid.is_empty());
        list.keys.iter().map(|record| record.id).collect()
    }
}

fn refused(result: Result<IssuedApiKey, MakeApiKeyError>) -> &'static str {
    result.err().map_or("ok", |error| error.code())
}

#[test]
fn a_key_works_for_its_owner_and_is_stored_only_as_a_digest() {
    let mut house = House::new();
    let ada = user();
    let session = house.log_in(ada, START);
    let issued = house.make(&session, named("ci"), START).expect("made");
    let key = house.check(&issued.key, later(1)).expect("works");
    assert_eq!((key.owner(), key.id()), (ada, issued.record.id));
    assert_eq!(house.listed(ada), [issued.record.id]);
    let shown = format!("{:?}", issued.record);
    assert!(!shown.contains(&issued.key.expose()[8..]), "{shown}");
    assert!(shown.contains(&issued.key.expose()[..8]));
    let other = PlainApiKey::make(&OsEntropy).expect("random");
    assert_eq!(house.code(&other, later(1)), "api-key-unknown");
}

#[test]
fn making_a_key_needs_a_proof_of_the_last_ten_minutes() {
    let mut house = House::new();
    let session = house.log_in(user(), START);
    assert!(house.make(&session, named("a"), later(600)).is_ok());
    assert_eq!(refused(house.make(&session, named("b"), later(601))), "proof-too-old");
}

#[test]
fn the_end_of_a_key_is_in_the_future_at_most_a_year_away_and_exact() {
    let mut house = House::new();
    let session = house.log_in(user(), START);
    let ending = |at| NewApiKey {
        expires_at: Some(at),
        ..named("a")
    };
    assert_eq!(refused(house.make(&session, ending(START), START)), "expiry-past");
    let year = after(START, 365 * DAY);
    assert_eq!(
        refused(house.make(&session, ending(after(year, Duration::from_micros(1))), START)),
        "expiry-too-far"
    );
    let issued = house.make(&session, ending(year), START).expect("made");
    assert_eq!(house.code(&issued.key, later(365 * 86_400 - 1)), "ok");
    assert_eq!(house.code(&issued.key, year), "api-key-expired");
    assert_eq!(house.listed(session.user()), [issued.record.id], "an expired key stays in the list");
    assert_eq!(issued.record.state(year), ApiKeyState::Expired);

    let strict = ApiKeyPolicy {
        expiry: ExpiryRule::Required,
        ..ApiKeyPolicy::default()
    };
    house.keys = ApiKeys::new(&IdentityKey::make(&OsEntropy).expect("random"), strict);
    assert_eq!(refused(house.make(&session, named("a"), START)), "expiry-required");
}

#[test]
fn a_key_may_never_do_more_than_its_owner_then_and_now() {
    use Permission::{SourceSync, SourceView, UsersManage};
    let mut house = House::new();
    let session = house.log_in(user(), START);
    let viewer = PermissionSet::of(&[SourceView]);
    let scoped = |permissions, administration| NewApiKey {
        scopes: KeyScopes {
            permissions,
            administration,
        },
        ..named("a")
    };
    let mut make = |owner, new| block_on(house.keys.make(&mut house.store, (&session, owner), new, START, &OsEntropy));
    let both = PermissionSet::of(&[SourceView, SourceSync]);
    assert_eq!(
        refused(make(viewer, scoped(Some(both), Administration::Withheld))),
        "scope-exceeds-owner"
    );
    assert_eq!(refused(make(viewer, scoped(None, Administration::Granted))), "scope-exceeds-owner");
    let key = make(PermissionSet::ALL, scoped(Some(both), Administration::Withheld))
        .expect("made")
        .key;
    let admin = make(PermissionSet::ALL, scoped(None, Administration::Granted)).expect("made").key;
    let plain = make(PermissionSet::ALL, scoped(None, Administration::Withheld)).expect("made").key;
    let reads = NewApiKey {
        expires_at: Some(after(START, DAY)),
        ..scoped(Some(PermissionSet::OF_KEYS_ALONE), Administration::Withheld)
    };
    let reader = make(PermissionSet::ALL, reads).expect("made").key;
    let mut may = |key: &PlainApiKey, owner| house.check(key, START).expect("works").permissions(owner);
    assert_eq!(may(&key, PermissionSet::ALL), both);
    assert_eq!(may(&key, viewer), viewer, "the owner was demoted");
    assert_eq!(may(&key, PermissionSet::EMPTY), PermissionSet::EMPTY);
    let of_keys = PermissionSet::OF_KEYS_ALONE;
    assert_eq!(may(&admin, PermissionSet::ALL), PermissionSet::ALL.without(of_keys));
    assert_eq!(may(&reader, PermissionSet::ALL), of_keys, "only what is named");
    assert_eq!(may(&reader, viewer), PermissionSet::EMPTY);
    assert_eq!(may(&admin, viewer), viewer);
    assert!(!may(&plain, PermissionSet::ALL).contains(UsersManage));
    assert!(may(&plain, PermissionSet::ALL).contains(SourceSync));
}

#[test]
fn a_key_is_used_from_its_networks_only() {
    let mut house = House::new();
    let session = house.log_in(user(), START);
    let new = NewApiKey {
        allow_list: AllowList::parse(["192.0.2.0/24"]).expect("a network"),
        ..named("a")
    };
    let issued = house.make(&session, new, START).expect("made");
    let mut at = |client: &Client| {
        let checked = block_on(house.keys.check(&mut house.store, &issued.key, client, START));
        checked.map_or_else(|error| error.code(), |_| "ok")
    };
    assert_eq!(at(&from("192.0.2.200")), "ok");
    assert_eq!(at(&from("198.51.100.1")), "api-key-address-refused");
    assert_eq!(at(&Client::default()), "api-key-address-refused");
}

#[test]
fn a_rotated_key_works_through_the_overlap_and_using_it_later_ends_the_family() {
    let mut house = House::new();
    let session = house.log_in(user(), START);
    let first = house.make(&session, named("ci"), START).expect("made");
    let id = first.record.id;
    let too_long = DAY + Duration::from_micros(1);
    assert_eq!(refused(house.rotate(&session, id, too_long, START)), "overlap-too-long");
    let second = house.rotate(&session, id, DAY, START).expect("rotated");
    assert_eq!((second.record.family, second.record.name.as_str()), (id, "ci"));
    assert_eq!(
        refused(house.rotate(&session, id, DAY, START)),
        "api-key-not-found",
        "it is being replaced already"
    );
    assert_eq!(house.code(&first.key, later(86_399)), "ok");
    assert_eq!(house.code(&second.key, later(86_399)), "ok");
    let retired = house.check(&first.key, later(86_400));
    assert!(matches!(retired, Err(CheckApiKeyError::Retired { revoked: 2, .. })), "{retired:?}");
    assert_eq!(house.code(&second.key, later(86_401)), "api-key-revoked");
    assert!(house.listed(session.user()).is_empty());
}

#[test]
fn of_fifty_rotations_at_once_one_happens() {
    let mut house = House::new();
    let session = house.log_in(user(), START);
    let first = house.make(&session, named("ci"), START).expect("made");
    let barrier = Barrier::new(50);
    let rotated = thread::scope(|scope| {
        let tries: Vec<_> = (0..50)
            .map(|_| {
                let mut store = house.store.clone();
                let (keys, session, barrier, id) = (&house.keys, &session, &barrier, first.record.id);
                scope.spawn(move || {
                    barrier.wait();
                    let owner = (session, PermissionSet::ALL);
                    block_on(keys.rotate(&mut store, owner, id, (DAY, None), START, &OsEntropy)).is_ok()
                })
            })
            .collect();
        tries.into_iter().map(|it| it.join().expect("joins")).filter(|won| *won).count()
    });
    assert_eq!(rotated, 1);
    assert_eq!(house.listed(session.user()).len(), 2);
}

#[test]
fn a_key_is_revoked_by_its_owner_alone_and_once() {
    let mut house = House::new();
    let (ada, eve) = (house.log_in(user(), START), house.log_in(user(), START));
    let issued = house.make(&ada, named("a"), START).expect("made");
    let mut revoke = |session| block_on(house.keys.revoke(&mut house.store, session, issued.record.id, START)).expect("a store");
    assert!(!revoke(&eve));
    assert!(revoke(&ada));
    assert!(!revoke(&ada));
    assert_eq!(house.code(&issued.key, START), "api-key-revoked");
    assert!(house.listed(ada.user()).is_empty());
    assert_eq!(refused(house.rotate(&ada, issued.record.id, DAY, START)), "api-key-not-found");

    let more = [house.make(&ada, named("b"), START), house.make(&ada, named("c"), START)];
    let kept = house.make(&eve, named("d"), START).expect("made");
    assert_eq!(block_on(house.store.revoke_api_keys_of(ada.user(), START)).expect("a store"), 2);
    for issued in more {
        assert_eq!(house.code(&issued.expect("made").key, START), "api-key-revoked");
    }
    assert_eq!(house.code(&kept.key, START), "ok");
}

#[test]
fn a_row_changed_by_hand_is_no_key() {
    type Change = (&'static str, fn(&mut ApiKeyRecord, UserId));
    let changes: [Change; 7] = [
        ("owner", |row, admin| row.owner = admin),
        ("scopes", |row, _| row.scopes.administration = Administration::Granted),
        ("permissions", |row, _| row.scopes.permissions = None),
        ("allow_list", |row, _| row.allow_list = AllowList::default()),
        ("expires_at", |row, _| row.expires_at = None),
        ("retiring_until", |row, _| row.retiring_until = Some(later(1 << 30))),
        ("family", |row, _| row.family = ApiKeyId::make(START, &OsEntropy).expect("random")),
    ];
    for (field, change) in changes {
        let mut house = House::new();
        let (session, admin) = (house.log_in(user(), START), user());
        let new = NewApiKey {
            expires_at: Some(later(60)),
            scopes: KeyScopes {
                permissions: Some(PermissionSet::EMPTY),
                administration: Administration::Withheld,
            },
            allow_list: AllowList::parse(["192.0.2.0/24"]).expect("a network"),
            ..named("a")
        };
        let issued = house.make(&session, new, START).expect("made");
        assert!(house.store.tamper_api_key(issued.record.id, |row| change(row, admin)));
        assert_eq!(house.code(&issued.key, later(1)), "api-key-row-invalid", "{field}");
        let owner = if field == "owner" { admin } else { session.user() };
        let list = block_on(house.keys.list(&mut house.store, owner)).expect("a store");
        assert!(list.keys.is_empty() && list.invalid == [issued.record.id], "{field}");
    }
}

#[test]
fn the_last_use_is_written_once_a_minute() {
    let mut house = House::new();
    let session = house.log_in(user(), START);
    let issued = house.make(&session, named("a"), START).expect("made");
    let client = from("192.0.2.9");
    let mut touch = |now| {
        let key = house.check(&issued.key, now).expect("works");
        block_on(house.keys.touch(&mut house.store, &key, &client, now)).expect("a store")
    };
    assert!(touch(START));
    assert!(!touch(later(59)));
    assert!(touch(later(60)));
    let stale = house.check(&issued.key, later(200)).expect("works");
    assert!(block_on(house.keys.touch(&mut house.store, &stale, &client, later(200))).expect("a store"));
    assert!(
        !block_on(house.keys.touch(&mut house.store, &stale, &client, later(201))).expect("a store"),
        "another request was first"
    );
    let last = house.check(&issued.key, later(202)).expect("works").record().last_used.clone();
    assert_eq!(last.map(|last| (last.at, last.client.address)), Some((later(200), client.address)));
}

#[test]
fn no_two_keys_of_an_owner_begin_alike() {
    let mut house = House::new();
    let session = house.log_in(user(), START);
    let issued = house.make(&session, named("a"), START).expect("made");
    let other = house.make(&session, named("b"), START).expect("made").record;
    let alike = ApiKeyRecord {
        id: ApiKeyId::make(START, &OsEntropy).expect("random"),
        digest: crate::TokenDigest::from_bytes([7; 32]),
        prefix: issued.record.prefix.clone(),
        ..other
    };
    let mut insert = |record: &ApiKeyRecord| block_on(house.store.insert_api_key(record)).expect("a store");
    assert_eq!(insert(&alike), ApiKeyWrite::Taken);
    let of_another = ApiKeyRecord { owner: user(), ..alike };
    assert_eq!(insert(&of_another), ApiKeyWrite::Written);
}

#[test]
fn a_key_of_an_earlier_version_goes_on_working_and_is_taken_over_once() {
    let mut house = House::new();
    let ada = user();
    let text = format!("dango_ak_{}", "Ab3_-".repeat(9).split_at(43).0);
    let imported = ImportedApiKey {
        owner: ada,
        name: ApiKeyName::parse("old").expect("a name"),
        prefix: ApiKeyPrefix::parse(&text[..12]).expect("a prefix"),
        sha256: Sha256::digest(text.as_bytes()).into(),
        scopes: KeyScopes::default(),
        created_at: START,
        expires_at: Some(later(600)),
        last_used_at: Some(START),
    };
    let mut import = |imported| block_on(house.keys.import(&mut house.store, imported, START, &OsEntropy)).ok();
    assert_eq!(import(imported.clone()), Some(true));
    assert_eq!(import(imported.clone()), Some(false));
    let key = PlainApiKey::parse(&text).expect("a key");
    assert_eq!(house.check(&key, later(599)).ok().map(|key| key.owner()), Some(ada));
    assert_eq!(house.code(&key, later(600)), "api-key-expired");
    let stored = block_on(house.store.api_keys_of(ada)).expect("a store");
    assert_ne!(stored[0].digest.as_bytes(), &imported.sha256, "the bare hash is not kept");
}

#[test]
fn names_are_one_line_of_1_to_128_characters() {
    for good in ["a", "CI – main", &"é".repeat(128)] {
        assert_eq!(ApiKeyName::parse(good).map(|name| name.to_string()).as_deref(), Ok(good));
    }
    for bad in ["", " ", "a\nb", "a\u{1b}[31m", &"a".repeat(129)] {
        assert!(ApiKeyName::parse(bad).is_err(), "{bad:?}");
    }
}
