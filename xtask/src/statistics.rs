//! How alike two samples are: medians and the distance of Kolmogorov and Smirnov. Where samples come from is known elsewhere.

/// The middle of a sample; of an even number the upper of the two. Nothing for an empty one.
#[must_use]
pub fn median(sample: &[f64]) -> Option<f64> {
    sorted(sample).get(sample.len() / 2).copied()
}

/// The sample in ascending order.
#[must_use]
pub fn sorted(sample: &[f64]) -> Vec<f64> {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The greatest distance between the cumulative distributions of two samples: 0 where they are one, 1 where every value of one
/// is below every value of the other. It sees differences of place, of width and of shape alike.
#[must_use]
pub fn ks_distance(one: &[f64], other: &[f64]) -> f64 {
    let (one, other) = (sorted(one), sorted(other));
    let share = |sample: &[f64], limit: f64| sample.partition_point(|value| *value <= limit) as f64 / sample.len().max(1) as f64;
    let limits = one.iter().chain(&other);
    limits
        .map(|limit| (share(&one, *limit) - share(&other, *limit)).abs())
        .fold(0.0, f64::max)
}

/// The probability that two samples of one distribution are as far apart as this or farther, to the first order for large samples
/// (Kolmogorov's distribution; with Stephens's correction it is good from some 20 values on).
#[must_use]
pub fn ks_probability(distance: f64, one: usize, other: usize) -> f64 {
    let (one, other) = (one as f64, other as f64);
    let root = (one * other / (one + other)).sqrt();
    let scaled = (root + 0.12 + 0.11 / root) * distance;
    // The series converges slowly where the answer is 1 to many digits.
    if scaled < 0.2 {
        return 1.0;
    }
    let terms = (1..=100).map(|term| {
        let term = f64::from(term);
        let sign = if term % 2.0 == 1.0 { 1.0 } else { -1.0 };
        sign * (-2.0 * term * term * scaled * scaled).exp()
    });
    (2.0 * terms.sum::<f64>()).clamp(0.0, 1.0)
}

/// The distance that two samples of so many values each exceed with at most this probability if they are of one distribution,
/// whatever that is: `e · exp(-n d²)` bounds the probability for every n (Wei and Dudley, "Two-sample
/// Dvoretzky–Kiefer–Wolfowitz inequalities", Statistics & Probability Letters 82, 2012).
#[must_use]
pub fn ks_bound(values: usize, probability: f64) -> f64 {
    ((1.0 - probability.ln()) / values as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(first: f64, count: u32) -> Vec<f64> {
        (0..count).map(|number| first + f64::from(number)).collect()
    }

    #[test]
    fn a_sample_is_as_far_from_another_as_their_curves_are_apart() {
        assert_eq!(ks_distance(&line(0.0, 10), &line(0.0, 10)), 0.0);
        assert_eq!(ks_distance(&line(0.0, 10), &line(5.0, 10)), 0.5);
        assert_eq!(ks_distance(&line(0.0, 10), &line(100.0, 3)), 1.0);
        // The same middle, another width.
        let narrow: Vec<f64> = line(0.0, 100).iter().map(|value| 49.5 + (value - 49.5) / 100.0).collect();
        assert!(ks_distance(&line(0.0, 100), &narrow) > 0.45);
    }

    /// Computed with SciPy 1.17, `scipy.stats.ks_2samp(range(100), range(N, 100 + N), method="exact")`.
    #[test]
    fn the_probability_of_a_distance_is_near_the_exact_one_of_another_implementation() {
        for (distance, probability) in [(0.05, 0.9997), (0.1, 0.7021), (0.15, 0.2112), (0.2, 0.0364), (0.3, 0.0002)] {
            let found = ks_probability(distance, 100, 100);
            assert!((found - probability).abs() < 0.03, "{distance}: {found}");
        }
    }

    #[test]
    fn the_bound_holds_where_the_exact_probability_is_known() {
        // Beyond its bound for one in a thousand, a distance has at most that probability.
        for values in [50, 100, 150, 1000] {
            let bound = ks_bound(values, 0.001);
            assert!(ks_probability(bound, values, values) < 0.001, "{values}: {bound}");
        }
        assert!((ks_bound(150, 1e-9) - 0.3806).abs() < 0.0001);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[]), None);
    }
}
