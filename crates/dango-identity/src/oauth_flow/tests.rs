//! Tests of who may open the record of a flow.

use dango_core::OsEntropy;

use super::*;

const BEGIN: Timestamp = Timestamp::from_unix_micros(1_795_000_000_000_000);

fn flows() -> OauthFlows {
    OauthFlows::new(&IdentityKey::make(&OsEntropy).expect("random"))
}

fn state() -> PlainToken<kind::OauthState> {
    PlainToken::make(&OsEntropy).expect("random")
}

fn session() -> OauthStarter {
    OauthStarter::Session {
        user: UserId::make(BEGIN, &OsEntropy).expect("random"),
        session: SessionId::make(BEGIN, &OsEntropy).expect("random"),
    }
}

fn opened(flows: &OauthFlows, record: &OauthFlowRecord, starter: OauthStarter, connector: &str, micros: i64) -> &'static str {
    let now = Timestamp::from_unix_micros(BEGIN.unix_micros() + micros);
    match flows.open(record, (&starter, connector), now) {
        Ok(kept) if kept.as_slice() == b"kept" => "kept",
        Ok(_) => "something else",
        Err(error) => error.code(),
    }
}

#[test]
fn a_flow_opens_for_who_began_it_and_for_what_and_ten_minutes_long() {
    let flows = flows();
    let browser = flows.browser(&PlainToken::make(&OsEntropy).expect("random"));
    for starter in [session(), browser] {
        let record = flows
            .seal(&state(), (starter, "google_sheets"), b"kept", BEGIN, &OsEntropy)
            .expect("sealed");
        let open = |starter, connector, micros| opened(&flows, &record, starter, connector, micros);
        assert_eq!(open(starter, "google_sheets", 599_999_999), "kept");
        assert_eq!(open(starter, "google_sheets", 600_000_000), "oauth-flow-expired");
        assert_eq!(open(session(), "google_sheets", 1), "oauth-flow-other-starter");
        assert_eq!(open(starter, "google_ads", 1), "oauth-flow-other-connector");
    }
}

#[test]
fn another_session_of_the_same_user_is_somebody_else() {
    let flows = flows();
    let user = UserId::make(BEGIN, &OsEntropy).expect("random");
    let [one, other] = [0, 1].map(|_| OauthStarter::Session {
        user,
        session: SessionId::make(BEGIN, &OsEntropy).expect("random"),
    });
    let record = flows.seal(&state(), (one, "google"), b"kept", BEGIN, &OsEntropy).expect("sealed");
    assert_eq!(opened(&flows, &record, other, "google", 1), "oauth-flow-other-starter");
}

#[test]
fn a_row_that_was_changed_does_not_open() {
    let flows = flows();
    let (mine, theirs) = (session(), session());
    let record = flows.seal(&state(), (mine, "google"), b"kept", BEGIN, &OsEntropy).expect("sealed");
    let later = Timestamp::from_unix_micros(record.expires_at.unix_micros() + 1);
    for changed in [
        OauthFlowRecord {
            starter: theirs,
            ..record.clone()
        },
        OauthFlowRecord {
            state: flows.digest(&state()),
            ..record.clone()
        },
        OauthFlowRecord {
            expires_at: later,
            ..record.clone()
        },
    ] {
        let starter = changed.starter;
        assert_eq!(opened(&flows, &changed, starter, "google", 1), "oauth-flow-other-connector");
    }
    let other_key = self::flows();
    assert_eq!(opened(&other_key, &record, mine, "google", 1), "oauth-flow-other-connector");
}

#[test]
fn neither_state_nor_what_is_kept_is_in_the_row() {
    let flows = flows();
    let state = state();
    let record = flows
        .seal(&state, (session(), "google"), b"kept", BEGIN, &OsEntropy)
        .expect("sealed");
    let row = format!("{record:?} {:?}", record.state.as_bytes());
    assert!(!row.contains(state.expose()));
    assert!(!record.sealed.as_bytes().windows(4).any(|part| part == b"kept"));
}
