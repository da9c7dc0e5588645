//! The rules of second factors against published vectors, other programs' codes and the store in memory.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use dango_core::{OsEntropy, SecretValue, Timestamp};
use data_encoding::BASE32_NOPAD;
use pollster::block_on;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::*;
use crate::instant::after;
use crate::key::IdentityKey;
use crate::memory::MemoryStore;

/// The beginning of a period of 30 seconds.
const START: Timestamp = at(1_795_000_020);

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_micros(seconds * 1_000_000)
}

fn later(seconds: u64) -> Timestamp {
    after(START, Duration::from_secs(seconds))
}

fn secret(bytes: &[u8]) -> TotpSecret {
    TotpSecret::from_bytes(Zeroizing::new(bytes.to_vec())).expect("long enough")
}

fn code(text: &str) -> TotpCode {
    TotpCode::parse(text).expect("digits")
}

fn user() -> UserId {
    UserId::make(START, &OsEntropy).expect("random")
}

/// RFC 6238, appendix B, with the seeds of erratum 2866: as long as the hash.
#[test]
fn the_vectors_of_rfc_6238_come_out() {
    use TotpAlgorithm::{Sha1, Sha256, Sha512};
    let vectors = [
        (59, "94287082", Sha1),
        (59, "46119246", Sha256),
        (59, "90693936", Sha512),
        (1_111_111_109, "07081804", Sha1),
        (1_111_111_109, "68084774", Sha256),
        (1_111_111_109, "25091201", Sha512),
        (1_111_111_111, "14050471", Sha1),
        (1_111_111_111, "67062674", Sha256),
        (1_111_111_111, "99943326", Sha512),
        (1_234_567_890, "89005924", Sha1),
        (1_234_567_890, "91819424", Sha256),
        (1_234_567_890, "93441116", Sha512),
        (2_000_000_000, "69279037", Sha1),
        (2_000_000_000, "90698825", Sha256),
        (2_000_000_000, "38618901", Sha512),
        (20_000_000_000, "65353130", Sha1),
        (20_000_000_000, "77737706", Sha256),
        (20_000_000_000, "47863826", Sha512),
    ];
    for (second, text, algorithm) in vectors {
        let length = match algorithm {
            Sha1 => 20,
            Sha256 => 32,
            Sha512 => 64,
        };
        let seed: Vec<u8> = b"1234567890".iter().copied().cycle().take(length).collect();
        let parameters = TotpParameters::new(algorithm, 8, 30).expect("parameters");
        let step = secret(&seed).matching_step(&parameters, &code(text), None, at(second));
        assert_eq!(step, Some(TotpStep::from_number(second as u64 / 30)), "{second} {algorithm}");
    }
}

/// RFC 4226, appendix D: a counter is the number of a step.
#[test]
fn the_vectors_of_rfc_4226_come_out() {
    let codes = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
    ];
    for (counter, text) in codes.iter().enumerate() {
        let step = secret(b"12345678901234567890").matching_step(&TotpParameters::default(), &code(text), None, at(counter as i64 * 30));
        assert_eq!(step, Some(TotpStep::from_number(counter as u64)));
    }
}

/// See `vectors/generate.py`: pyotp 2.12 and oathtool 2.6 agree on each.
#[test]
fn ten_thousand_codes_are_those_of_pyotp_and_oathtool() {
    let mut checked = 0;
    for (i, text) in include_str!("vectors/codes.txt").split_whitespace().enumerate() {
        let secret = secret(&Sha256::digest(format!("dango totp vector {}", i % 10))[..20]);
        let second = 59 + i as i64 * 1_000_003;
        let step = secret.matching_step(&TotpParameters::default(), &code(text), None, at(second));
        // One in a million codes is that of the next step, too, and that one counts.
        assert!(step.is_some_and(|step| step.number() - second as u64 / 30 <= 1), "code {i}");
        checked += 1;
    }
    assert_eq!(checked, 10_000);
}

#[test]
fn a_code_of_the_steps_beside_is_accepted_and_of_no_other() {
    let secret = secret(&[7; 20]);
    let parameters = TotpParameters::default();
    let own = app_code(&secret, START);
    for (seconds, accepted) in [
        (-31, false),
        (-30, true),
        (-1, true),
        (0, true),
        (29, true),
        (30, true),
        (59, true),
        (60, false),
    ] {
        let now = Timestamp::from_unix_micros(START.unix_micros() + seconds * 1_000_000);
        let found = secret.matching_step(&parameters, &code(&own), None, now);
        assert_eq!(found.is_some(), accepted, "{seconds} s");
    }
}

#[test]
fn times_before_1970_and_at_the_end_of_time_break_nothing() {
    let secret = secret(&[7; 20]);
    for micros in [i64::MIN, -1, 0, i64::MAX] {
        let now = Timestamp::from_unix_micros(micros);
        let _ = secret.matching_step(&TotpParameters::default(), &code("000000"), None, now);
    }
}

/// What an app shows.
fn app_code(secret: &TotpSecret, now: Timestamp) -> String {
    totp_rs::Builder::new()
        .with_secret(secret.bytes())
        .build_noncompliant()
        .generate(now.unix_micros() as u64 / 1_000_000)
        .to_string()
}

struct House {
    factors: SecondFactors,
    store: MemoryStore,
}

/// A user with an app, enrolled at `START`.
struct Enrolled {
    user: UserId,
    secret: TotpSecret,
    codes: Vec<String>,
}

impl House {
    fn new() -> Self {
        Self {
            factors: SecondFactors::new(&IdentityKey::make(&OsEntropy).expect("random")),
            store: MemoryStore::new(),
        }
    }

    fn begin(&mut self, user: UserId, now: Timestamp) -> Result<Enrolment, BeginEnrolmentError> {
        let names = ("Dango", "ada@example.org");
        block_on(self.factors.begin_enrolment(&mut self.store, user, names, now, &OsEntropy))
    }

    fn finish(&mut self, user: UserId, text: &str, now: Timestamp) -> Result<Confirmation, FinishEnrolmentError> {
        block_on(self.factors.finish_enrolment(&mut self.store, user, &code(text), now, &OsEntropy))
    }

    fn enrolled(&mut self) -> Enrolled {
        let user = user();
        let secret = self.begin(user, START).expect("begins").secret;
        let confirmation = self.finish(user, &app_code(&secret, START), START).expect("confirms");
        Enrolled {
            user,
            secret,
            codes: texts(&confirmation.codes),
        }
    }

    fn totp(&mut self, user: UserId, text: &str, now: Timestamp) -> Result<ProvenFactor, VerifyFactorError> {
        block_on(self.factors.verify_totp(&mut self.store, user, &code(text), now))
    }

    fn recovery(&mut self, user: UserId, text: &str, now: Timestamp) -> Result<u32, VerifyFactorError> {
        let code = RecoveryCode::parse(text).expect("a code");
        block_on(self.factors.verify_recovery(&mut self.store, user, &code, now)).map(|(_, left)| left)
    }
}

fn texts(codes: &RecoveryCodes) -> Vec<String> {
    codes.codes().iter().map(|code| code.expose_text().expose().to_owned()).collect()
}

fn word<T>(result: Result<T, VerifyFactorError>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "ok")
}

#[test]
fn an_enrolment_protects_nothing_until_a_right_code_came() {
    let mut house = House::new();
    let ada = user();
    let enrolment = house.begin(ada, START).expect("begins");
    let right = app_code(&enrolment.secret, START);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    assert_eq!(word(house.totp(ada, &right, START)), "not-enabled");
    assert_eq!(
        house.finish(ada, wrong, START).err().map(|error| error.code()),
        Some("invalid-code")
    );
    assert!(block_on(house.store.factors_of(ada)).expect("a store").is_empty());
    assert_eq!(house.finish(ada, &right, START).ok().map(|it| it.codes.codes().len()), Some(10));
    let kinds: Vec<FactorKind> = block_on(house.store.factors_of(ada))
        .expect("a store")
        .iter()
        .map(|it| it.kind)
        .collect();
    assert_eq!(kinds, [FactorKind::Totp, FactorKind::Recovery]);
    assert_eq!(house.begin(ada, later(60)).err().map(|error| error.code()), Some("already-enabled"));
    assert_eq!(
        house.finish(ada, &right, START).err().map(|error| error.code()),
        Some("no-pending-setup")
    );
}

#[test]
fn an_abandoned_enrolment_is_dead_after_ten_minutes_and_a_new_one_replaces_it() {
    let mut house = House::new();
    let ada = user();
    let first = house.begin(ada, START).expect("begins");
    assert_eq!(first.expires_at, later(600));
    let late = app_code(&first.secret, later(600));
    assert_eq!(
        house.finish(ada, &late, later(600)).err().map(|error| error.code()),
        Some("no-pending-setup")
    );
    let second = house.begin(ada, later(600)).expect("begins again");
    assert_eq!(
        house.finish(ada, &late, later(600)).err().map(|error| error.code()),
        Some("invalid-code")
    );
    assert!(house.finish(ada, &app_code(&second.secret, later(1199)), later(1199)).is_ok());
}

#[test]
fn the_code_that_confirmed_the_enrolment_logs_nobody_in() {
    let mut house = House::new();
    let ada = house.enrolled();
    assert_eq!(word(house.totp(ada.user, &app_code(&ada.secret, START), START)), "code-replayed");
    assert_eq!(word(house.totp(ada.user, &app_code(&ada.secret, later(30)), later(30))), "ok");
}

#[test]
fn a_code_works_once_and_none_of_an_earlier_step_after_it() {
    let mut house = House::new();
    let ada = house.enrolled();
    let (earlier, present, next) = (
        app_code(&ada.secret, later(300)),
        app_code(&ada.secret, later(330)),
        app_code(&ada.secret, later(360)),
    );
    assert_eq!(word(house.totp(ada.user, &present, later(330))), "ok");
    assert_eq!(word(house.totp(ada.user, &present, later(331))), "code-replayed");
    assert_eq!(word(house.totp(ada.user, &earlier, later(332))), "code-replayed");
    assert_eq!(word(house.totp(ada.user, &next, later(333))), "ok", "an app whose clock is ahead");
    assert_eq!(word(house.totp(ada.user, &present, later(334))), "code-replayed");
}

#[test]
fn a_clock_that_is_set_back_opens_no_used_step() {
    let mut house = House::new();
    let ada = house.enrolled();
    let used = app_code(&ada.secret, later(300));
    assert_eq!(word(house.totp(ada.user, &used, later(300))), "ok");
    for back in [299, 280, 270, 180, 150] {
        assert_eq!(
            word(house.totp(ada.user, &app_code(&ada.secret, later(back)), later(back))),
            "code-replayed",
            "{back}"
        );
    }
}

#[test]
fn of_fifty_that_bring_the_same_code_at_once_one_gets_in() {
    for round in 1..=10 {
        let mut house = House::new();
        let ada = house.enrolled();
        let now = later(30 * round);
        let text = app_code(&ada.secret, now);
        assert_eq!(
            race(
                |mut store| word(block_on(house.factors.verify_totp(&mut store, ada.user, &code(&text), now))),
                &house.store
            ),
            1
        );
    }
}

#[test]
fn of_fifty_that_bring_the_same_recovery_code_at_once_one_gets_in() {
    for _ in 0..10 {
        let mut house = House::new();
        let ada = house.enrolled();
        let typed = RecoveryCode::parse(&ada.codes[3]).expect("a code");
        let wins = race(
            |mut store| word(block_on(house.factors.verify_recovery(&mut store, ada.user, &typed, START))),
            &house.store,
        );
        assert_eq!(wins, 1);
        assert_eq!(block_on(house.store.count_recovery_codes(ada.user)).expect("a store"), 9);
    }
}

#[test]
fn of_fifty_that_confirm_the_same_enrolment_at_once_one_gets_codes() {
    let mut house = House::new();
    let ada = user();
    let secret = house.begin(ada, START).expect("begins").secret;
    let text = app_code(&secret, START);
    let wins = race(
        |mut store| {
            let finished = block_on(house.factors.finish_enrolment(&mut store, ada, &code(&text), START, &OsEntropy));
            finished.map_or_else(|error| error.code(), |_| "ok")
        },
        &house.store,
    );
    assert_eq!(wins, 1);
}

/// Runs fifty at once and counts how many say `ok`.
fn race(attempt: impl Fn(MemoryStore) -> &'static str + Sync, store: &MemoryStore) -> usize {
    let barrier = Barrier::new(50);
    thread::scope(|scope| {
        let tries: Vec<_> = (0..50)
            .map(|_| {
                let (store, barrier, attempt) = (store.clone(), &barrier, &attempt);
                scope.spawn(move || {
                    barrier.wait();
                    attempt(store)
                })
            })
            .collect();
        tries
            .into_iter()
            .map(|it| it.join().expect("joins"))
            .filter(|word| *word == "ok")
            .count()
    })
}

#[test]
fn ten_wrong_codes_an_hour_close_the_account_to_codes_and_right_ones_do_not_count() {
    let mut house = House::new();
    let ada = house.enrolled();
    for step in 1..=20 {
        let now = later(30 * step);
        assert_eq!(
            word(house.totp(ada.user, &app_code(&ada.secret, now), now)),
            "ok",
            "right codes are not counted"
        );
    }
    let first = later(700);
    for wrong in 0..10 {
        let now = later(700 + wrong);
        assert_eq!(word(house.recovery(ada.user, "0000-0000-0000-0000", now)), "invalid-code");
    }
    let right = app_code(&ada.secret, later(720));
    let refused = house.totp(ada.user, &right, later(720));
    let hour = Duration::from_secs(3600);
    assert!(matches!(refused, Err(VerifyFactorError::TooManyAttempts { retry_at }) if retry_at == after(first, hour)));
    assert_eq!(word(house.recovery(ada.user, &ada.codes[0], later(720))), "too-many-codes");
    let last_second = later(700 + 3599);
    assert_eq!(
        word(house.totp(ada.user, &app_code(&ada.secret, last_second), last_second)),
        "too-many-codes"
    );
    let now = later(700 + 3600);
    assert_eq!(word(house.totp(ada.user, &app_code(&ada.secret, now), now)), "ok");
    assert_eq!(
        word(house.totp(user(), &right, later(720))),
        "not-enabled",
        "others are not touched"
    );
}

#[test]
fn parallel_guesses_never_exceed_the_ten_of_an_hour() {
    let mut house = House::new();
    let ada = house.enrolled();
    let wrong = RecoveryCode::parse("0000-0000-0000-0000").expect("a code");
    let tries = race(
        |mut store| match block_on(house.factors.verify_recovery(&mut store, ada.user, &wrong, START)) {
            Err(VerifyFactorError::InvalidCode) => "ok",
            _ => "refused",
        },
        &house.store,
    );
    assert_eq!(tries, 10);
}

#[test]
fn recovery_codes_are_ten_of_sixteen_characters_and_each_works_once_however_it_is_typed() {
    let mut house = House::new();
    let ada = house.enrolled();
    let mut distinct = ada.codes.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 10);
    for text in &ada.codes {
        let groups: Vec<&str> = text.split('-').collect();
        assert!(groups.len() == 4 && groups.iter().all(|group| group.len() == 4), "{text}");
    }
    let typed = ada.codes[0].to_lowercase().replace('-', " ").replace('1', "l").replace('0', "o");
    assert_eq!(house.recovery(ada.user, &typed, START).ok(), Some(9));
    assert_eq!(word(house.recovery(ada.user, &ada.codes[0], START)), "invalid-code");
    assert_eq!(house.recovery(ada.user, &ada.codes[9], START).ok(), Some(8));
}

#[test]
fn a_recovery_code_is_its_owners_alone() {
    let mut house = House::new();
    let (ada, eve) = (house.enrolled(), house.enrolled());
    assert_eq!(word(house.recovery(eve.user, &ada.codes[0], START)), "invalid-code");
    let code = RecoveryCode::parse(&ada.codes[0]).expect("a code");
    let key = crate::key::TokenKey::derive(&IdentityKey::make(&OsEntropy).expect("random"));
    assert!(
        code.digest(&key, ada.user) != code.digest(&key, eve.user),
        "a row moved to another user opens nothing"
    );
}

#[test]
fn new_recovery_codes_need_a_code_from_the_app_and_kill_the_old_ones() {
    let mut house = House::new();
    let ada = house.enrolled();
    let by_recovery = RecoveryCode::parse(&ada.codes[0]).expect("a code");
    let (proof, _) = block_on(house.factors.verify_recovery(&mut house.store, ada.user, &by_recovery, START)).expect("proves");
    let refused = block_on(house.factors.regenerate_recovery(&mut house.store, proof, START, &OsEntropy));
    assert_eq!(refused.err().map(|error| error.code()), Some("needs-totp"));
    let proof = house.totp(ada.user, &app_code(&ada.secret, later(60)), later(60)).expect("proves");
    let fresh = block_on(house.factors.regenerate_recovery(&mut house.store, proof, later(60), &OsEntropy)).expect("makes");
    assert_eq!(word(house.recovery(ada.user, &ada.codes[1], later(61))), "invalid-code");
    assert_eq!(house.recovery(ada.user, &texts(&fresh)[1], later(61)).ok(), Some(9));
}

#[test]
fn a_removed_factor_is_gone_with_its_codes_and_a_pending_enrolment() {
    let mut house = House::new();
    let ada = house.enrolled();
    let proof = house.totp(ada.user, &app_code(&ada.secret, later(60)), later(60)).expect("proves");
    let stale = ProvenFactor::for_tests(ada.user, AuthFactor::Totp);
    assert!(block_on(house.factors.disable(&mut house.store, proof)).is_ok());
    let again = block_on(
        house
            .factors
            .disable(&mut house.store, ProvenFactor::for_tests(ada.user, AuthFactor::Totp)),
    );
    assert_eq!(again.err().map(|error| error.code()), Some("not-enabled"));
    assert_eq!(
        word(house.totp(ada.user, &app_code(&ada.secret, later(120)), later(120))),
        "not-enabled"
    );
    assert_eq!(word(house.recovery(ada.user, &ada.codes[0], later(120))), "not-enabled");
    let none = block_on(house.factors.regenerate_recovery(&mut house.store, stale, later(120), &OsEntropy));
    assert_eq!(none.err().map(|error| error.code()), Some("not-enabled"));

    let pending = house.begin(ada.user, later(130)).expect("begins");
    assert!(!block_on(house.factors.reset(&mut house.store, ada.user)).expect("a store"));
    let text = app_code(&pending.secret, later(130));
    assert_eq!(
        house.finish(ada.user, &text, later(130)).err().map(|error| error.code()),
        Some("no-pending-setup")
    );
}

#[test]
fn a_sealed_secret_that_is_moved_to_another_user_opens_for_neither() {
    let mut house = House::new();
    let (ada, eve) = (house.enrolled(), house.enrolled());
    let foreign = block_on(house.store.active_totp(eve.user)).expect("a store").expect("enrolled");
    assert!(house.store.tamper_totp(ada.user, |row| row.secret = foreign.secret.clone()));
    let now = later(60);
    assert_eq!(word(house.totp(ada.user, &app_code(&eve.secret, now), now)), "column-damaged");
    // The whole row, its id included, but for the user.
    assert!(
        house
            .store
            .tamper_totp(ada.user, |row| *row = TotpRecord { user: ada.user, ..foreign })
    );
    assert_eq!(word(house.totp(ada.user, &app_code(&eve.secret, now), now)), "column-damaged");
}

#[test]
fn what_is_stored_holds_neither_secret_nor_codes() {
    let mut house = House::new();
    let ada = house.enrolled();
    let row = block_on(house.store.active_totp(ada.user)).expect("a store").expect("enrolled");
    let stored = row.secret.as_bytes();
    assert!(
        !stored
            .windows(8)
            .any(|window| ada.secret.bytes().windows(8).any(|part| part == window))
    );
    let shown = format!("{row:?}");
    assert!(!shown.contains(ada.secret.expose_base32().expose()));
}

/// An earlier Dango kept the secret as it is, and SHA-256 of each code without its dash.
#[test]
fn what_an_earlier_version_enrolled_goes_on_working_and_its_old_codes_do_not_count() {
    let mut house = House::new();
    let ada = user();
    let secret =
        TotpSecret::parse_base32(&SecretValue::new("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".to_owned()).expect("no NUL")).expect("base32");
    let hashes: Vec<[u8; 32]> = ["ABCDEFGH", "23456789", "LLLLLLLL"]
        .iter()
        .map(|code| Sha256::digest(code).into())
        .collect();
    let mut import = || block_on(house.factors.import(&mut house.store, ada, (&secret, &hashes), START, &OsEntropy));
    assert_eq!(import().ok(), Some(true));
    assert_eq!(import().ok(), Some(false), "nothing twice");
    let before = app_code(&secret, at(1_795_000_020 - 30));
    assert_eq!(word(house.totp(ada, &before, START)), "code-replayed");
    assert_eq!(word(house.totp(ada, &app_code(&secret, START), START)), "ok");
    assert_eq!(house.recovery(ada, "abcd-efgh", START).ok(), Some(2));
    assert_eq!(word(house.recovery(ada, "ABCD-EFGH", START)), "invalid-code");
    assert_eq!(
        house.recovery(ada, "LLLL-LLLL", START).ok(),
        Some(1),
        "L is a letter of its own there"
    );
}

#[test]
fn the_uri_escapes_its_names_and_says_what_an_app_needs() {
    let secret = secret(b"12345678901234567890");
    let uri = |issuer, account| secret.uri(&TotpParameters::default(), issuer, account).expose().to_owned();
    assert_eq!(
        uri("Dango", "ada@example.org"),
        "otpauth://totp/Dango:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Dango"
    );
    for (issuer, account) in [
        ("a:b", "c:d&secret=X"),
        ("A&B=C#?/%", "é\n\"<script>"),
        ("", "x"),
        ("Dango", ""),
        ("\0", "\0"),
    ] {
        let uri = uri(issuer, account);
        assert!(
            uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"\\".contains(&byte)),
            "{uri}"
        );
        assert_eq!(uri.matches("secret=").count(), 1, "{uri}");
        let read = totp_rs::Totp::from_url_unchecked(&uri).expect("an app reads it");
        assert_eq!(read.secret().as_bytes(), b"12345678901234567890");
    }
    let other = TotpParameters::new(TotpAlgorithm::Sha256, 8, 60).expect("parameters");
    assert!(
        secret
            .uri(&other, "Dango", "ada")
            .expose()
            .contains("digits=8&algorithm=SHA256&issuer=Dango&period=60")
    );
}

#[test]
fn parameters_that_make_no_safe_code_are_refused() {
    for (digits, period) in [(5, 30), (9, 30), (6, 0), (6, 14), (6, 121)] {
        assert!(
            TotpParameters::new(TotpAlgorithm::Sha1, digits, period).is_err(),
            "{digits} {period}"
        );
    }
    assert_eq!("SHA512".parse(), Ok(TotpAlgorithm::Sha512));
    assert!("sha1".parse::<TotpAlgorithm>().is_err());
}

#[test]
fn a_foreign_secret_is_base32_of_128_to_1024_bits() {
    let parse = |text: &str| TotpSecret::parse_base32(&SecretValue::new(text.to_owned()).expect("no NUL")).ok();
    let long = "A".repeat(32);
    assert!(parse(&long).is_some() && parse(&long.to_lowercase()).is_some() && parse(&format!("{}====", "A".repeat(28))).is_some());
    let huge = BASE32_NOPAD.encode(&[1; 129]);
    for bad in [
        "",
        "AAAA",
        "1".repeat(32).as_str(),
        "é".repeat(16).as_str(),
        "AAAAAAAAAAAAAAAAAAAAAAAA",
        huge.as_str(),
    ] {
        assert!(parse(bad).is_none(), "{bad}");
    }
}

#[test]
fn codes_are_read_as_people_type_them_and_nothing_else_is_one() {
    for good in ["123456", " 123 456\n", "12345678", "1 2 3 4 5 6 7"] {
        assert!(TotpCode::parse(good).is_ok(), "{good}");
    }
    let blanks = format!("{}123456", " ".repeat(1000));
    for bad in [
        "",
        "12345",
        "123456789",
        "+12345",
        "12345a",
        "١٢٣٤٥٦",
        "１２３４５６",
        "123-456",
        blanks.as_str(),
    ] {
        assert!(TotpCode::parse(bad).is_err(), "{bad}");
    }
    let long = "A".repeat(1000);
    for bad in [
        "",
        "ABC",
        "UUUU-UUUU-UUUU-UUUU",
        "ABCD-EFGI",
        "AB10-EFGH",
        "ÄÄÄÄ-ÄÄÄÄ",
        long.as_str(),
    ] {
        assert!(RecoveryCode::parse(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_typed_recovery_code_is_refused_or_reads_as_itself(text in "[0-9A-Za-z -]{0,24}|\\PC{0,40}") {
        if let Ok(code) = RecoveryCode::parse(&text) {
            let shown = code.expose_text();
            let again = RecoveryCode::parse(shown.expose()).expect("its own text");
            let again = again.expose_text();
            prop_assert_eq!(again.expose(), shown.expose());
        }
        let _ = TotpCode::parse(&text);
    }

    #[test]
    fn no_code_is_accepted_for_a_used_step(seconds in 0i64..4_000_000_000, ahead in -1i64..=1, used in 0u64..3) {
        let secret = secret(&[9; 20]);
        let parameters = TotpParameters::default();
        let now = at(seconds);
        let own = app_code(&secret, at((seconds + ahead * 30).max(0)));
        let last = TotpStep::from_number(TotpStep::at(now, &parameters).number() + used);
        if let Some(step) = secret.matching_step(&parameters, &code(&own), Some(last), now) {
            prop_assert!(step > last);
        }
    }
}
