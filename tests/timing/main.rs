//! Refused logins cannot be told apart by what they take: a statistical test, in a process of its own because it measures that process.
#![allow(clippy::expect_used, clippy::panic, reason = "tests stop loudly")]

use dango_tests::refusals::{self, Meter, Refusal};
use xtask::statistics::{ks_bound, ks_distance};

/// Refusals of each kind that must not be told apart.
const VALUES: usize = 150;
/// Refusals of each kind that must be: few are enough to see a hash that is missing or doubled.
const CONTROLS: usize = 40;
/// How often one comparison may fail although there is no difference.
const FALSE_ALARMS: f64 = 1e-9;

/// No bound on time is in it. All refusals happen in one random order, so if the kinds do not differ, every assignment of the
/// times to the kinds is as likely as any other, however busy the machine is: the distance of two samples then exceeds its bound
/// once in a thousand million runs. What is measured is processor time, because what other programs take is no part of it.
///
/// The same bound finds the two mistakes that are made here, in the same run: no hash, as the lock does that is told before anything
/// is hashed, and a hash of another cost, as an account has whose stored hash is dearer.
#[test]
fn refused_logins_are_told_apart_by_a_missing_or_a_dearer_hash_and_by_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let alike = Refusal::ALIKE.map(|refusal| (refusal, VALUES));
    let controls = [Refusal::Locked, Refusal::DearerHash].map(|refusal| (refusal, CONTROLS));
    let wanted = [&alike[..], &controls[..]].concat();
    let taken = refusals::sample(folder.path(), &wanted, Meter::ProcessorTime).unwrap_or_else(|error| panic!("{error}"));
    let times = |wanted: Refusal| -> Vec<f64> {
        let of_it = taken.iter().filter(|(refusal, _)| *refusal == wanted);
        of_it.map(|(_, micros)| *micros).collect()
    };
    let bound = ks_bound(VALUES, FALSE_ALARMS);
    for (number, one) in Refusal::ALIKE.into_iter().enumerate() {
        for other in &Refusal::ALIKE[number + 1..] {
            let distance = ks_distance(&times(one), &times(*other));
            assert!(
                distance <= bound,
                "{one} and {other} are told apart: {distance:.3}, {bound:.3} is allowed"
            );
        }
        for (control, _) in controls {
            let distance = ks_distance(&times(one), &times(control));
            assert!(distance > bound, "{one} and {control} are not told apart: {distance:.3}");
        }
    }
}
