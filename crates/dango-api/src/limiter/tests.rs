//! How many tries of an address are let through, who waits and who is sent away.

use std::sync::atomic::AtomicI64;

use futures_util::FutureExt;

use super::*;

struct Standstill(AtomicI64);

impl Clock for Standstill {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(1_700_000_000_000_000 + self.0.load(Ordering::SeqCst) * 1_000_000)
    }

    fn local_offset_seconds(&self, _: Timestamp) -> i32 {
        0
    }
}

fn at(seconds: i64) -> Standstill {
    Standstill(AtomicI64::new(seconds))
}

fn limiter(quota: u32) -> Arc<FailureLimiter> {
    Arc::new(FailureLimiter::new(quota))
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

/// A try that fails at once; whether it was let through.
fn fails(limiter: &Arc<FailureLimiter>, from: Option<IpAddr>, seconds: i64) -> bool {
    let charged = limiter.charge(from, &at(seconds)).now_or_never();
    charged.expect("nothing is open").map(drop).is_ok()
}

#[test]
fn sixty_failures_in_any_minute_and_not_one_more() {
    let limiter = limiter(60);
    for second in 0..60 {
        assert!(fails(&limiter, address("192.0.2.1"), second), "{second}");
    }
    let refused = limiter.charge(address("192.0.2.1"), &at(59)).now_or_never().expect("at once").err();
    let reset = Duration::from_secs(1);
    let standing = Standing {
        quota: 60,
        remaining: 0,
        reset,
    };
    assert_eq!(refused, Some(NotCharged::Spent(standing)));
    // Another address is another matter; a second later one failure is a minute old.
    assert!(fails(&limiter, address("192.0.2.2"), 59));
    assert!(fails(&limiter, address("192.0.2.1"), 60));
    assert!(!fails(&limiter, address("192.0.2.1"), 60));
}

#[test]
fn a_success_costs_nothing() {
    let limiter = limiter(1);
    for _ in 0..100 {
        let charge = limiter.charge(address("192.0.2.1"), &at(0)).now_or_never().expect("at once");
        charge.expect("no failure yet").refund();
    }
    assert_eq!(limiter.standing(address("192.0.2.1"), at(0).now()).remaining, 1);
    assert!(limiter.lock().is_empty());
}

#[test]
fn parallel_tries_wait_for_each_other_and_only_failures_refuse_them() {
    let (limiter, clock) = (limiter(2), at(0));
    let charge = || limiter.charge(address("192.0.2.1"), &clock);
    let one = charge().now_or_never().expect("at once").expect("a place");
    let two = charge().now_or_never().expect("at once").expect("a place");
    let (mut third, mut fourth, mut gone) = (Box::pin(charge()), Box::pin(charge()), Box::pin(charge()));
    assert!((&mut gone).now_or_never().is_none() && (&mut third).now_or_never().is_none());
    assert!((&mut fourth).now_or_never().is_none());
    // Whoever hung up while waiting keeps nobody else from the place, before it is theirs and after.
    drop(gone);
    one.refund();
    let third = (&mut third).now_or_never().expect("the place of the first").expect("a place");
    assert!((&mut fourth).now_or_never().is_none());
    third.refund();
    drop(fourth);
    let fifth = charge().now_or_never().expect("at once").expect("a place");
    let mut sixth = Box::pin(charge());
    assert!((&mut sixth).now_or_never().is_none());
    drop((two, fifth));
    let refused = (&mut sixth).now_or_never().expect("no place will ever come").err();
    assert!(matches!(refused, Some(NotCharged::Spent(_))));
}

#[test]
fn few_wait_and_the_rest_is_sent_away() {
    let (limiter, clock) = (limiter(1), at(0));
    let charge = || limiter.charge(address("192.0.2.1"), &clock);
    let open = charge().now_or_never().expect("at once").expect("a place");
    let mut waiting: Vec<_> = (0..WAITING).map(|_| Box::pin(charge())).collect();
    assert!(waiting.iter_mut().all(|turn| turn.now_or_never().is_none()));
    assert_eq!(charge().now_or_never().expect("at once").err(), Some(NotCharged::Crowded));
    drop(open);
    for turn in waiting {
        assert!(matches!(turn.now_or_never().expect("refused").err(), Some(NotCharged::Spent(_))));
    }
}

#[test]
fn those_who_wait_take_no_more_than_their_share_of_all_requests() {
    let (limiter, clock) = (limiter(1), at(0));
    let from = |number: usize| limiter.charge(address(&format!("192.0.2.{number}")), &clock);
    let open: Vec<_> = (0..4).filter_map(|number| from(number).now_or_never()?.ok()).collect();
    let mut waiting: Vec<_> = (0..WAITING_IN_ALL).map(|number| Box::pin(from(number % 4))).collect();
    assert!(waiting.iter_mut().all(|turn| turn.now_or_never().is_none()));
    assert_eq!(from(3).now_or_never().expect("at once").err(), Some(NotCharged::Crowded));
    assert!(matches!(from(5).now_or_never(), Some(Ok(_))), "who need not wait is let in");
    waiting.pop();
    assert!(from(3).now_or_never().is_none(), "who has gone away has left a place");
    drop(open);
    drop(waiting);
    assert_eq!(limiter.waiting.load(Ordering::Relaxed), 0);
}

#[test]
fn addresses_of_one_64_count_as_one() {
    let limiter = limiter(2);
    assert!(fails(&limiter, address("2001:db8::1"), 0));
    assert!(fails(&limiter, address("2001:db8::ffff:1"), 0));
    assert!(!fails(&limiter, address("2001:db8::2"), 0));
    assert!(fails(&limiter, address("2001:db8:0:1::2"), 0));
}

#[test]
fn a_clock_that_is_set_back_locks_nobody_out_for_longer_than_a_minute() {
    let limiter = limiter(1);
    assert!(fails(&limiter, address("192.0.2.1"), 100_000));
    assert!(!fails(&limiter, address("192.0.2.1"), 0));
    assert!(fails(&limiter, address("192.0.2.1"), 60));
}

#[test]
fn strangers_cannot_fill_the_memory() {
    let limiter = limiter(2);
    for number in 0..(u32::try_from(ADDRESSES).unwrap_or(0) + 50) {
        let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(number));
        assert!(fails(&limiter, Some(address), 0));
    }
    assert!(limiter.lock().len() <= ADDRESSES);
}
