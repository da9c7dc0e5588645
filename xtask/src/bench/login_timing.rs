//! Refused logins compared with one another: how long each kind takes, how far apart their distributions are, and a drawing of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::statistics::{ks_distance, ks_probability, sorted};
use crate::step::{self, Failure};

/// Where the drawing is.
pub(super) const DRAWING: &str = "docs/images/login-timing.svg";

/// What the program calls each kind, and what a reader calls it.
const KINDS: [(&str, &str); 3] = [
    ("unknown", "no such account"),
    ("inactive", "switched off, right password"),
    ("wrong-password", "wrong password"),
];

/// Milliseconds of one kind of refusal, in ascending order.
struct Curve {
    label: &'static str,
    values: Vec<f64>,
}

/// Has so many logins of each kind refused, in one random order, and describes what they took; a path gets the drawing.
pub(super) fn measure(program: &Path, drawing: Option<&Path>, count: usize) -> Result<String, Failure> {
    let said = step::quiet(Command::new(program).args(["refusals", &count.to_string()]))?;
    let curves = KINDS.map(|(name, label)| Curve {
        label,
        values: sorted(&values_of(name, &said)),
    });
    if let Some(curve) = curves.iter().find(|curve| curve.values.len() != count) {
        return Err(Failure::new(format!("{count} times were expected of {}", curve.label)));
    }
    if let Some(path) = drawing {
        let cannot = |error| Failure::new(format!("cannot write {}: {error}", path.display()));
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(cannot)?;
        fs::write(path, draw(&curves)).map_err(cannot)?;
    }
    Ok(table(&curves))
}

fn values_of(name: &str, said: &str) -> Vec<f64> {
    let lines = said.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    lines.filter_map(|micros| Some(micros.parse::<f64>().ok()? / 1000.0)).collect()
}

impl Curve {
    /// The value below which so many percent are.
    fn percentile(&self, percent: usize) -> f64 {
        self.values[(self.values.len() * percent / 100).min(self.values.len() - 1)]
    }
}

/// Every pair with the distance of its curves and the probability of that distance if there were no difference.
fn pairs(curves: &[Curve; 3]) -> [(&Curve, &Curve, f64, f64); 3] {
    [(0, 1), (0, 2), (1, 2)].map(|(one, other)| {
        let (one, other) = (&curves[one], &curves[other]);
        let distance = ks_distance(&one.values, &other.values);
        (one, other, distance, ks_probability(distance, one.values.len(), other.values.len()))
    })
}

fn table(curves: &[Curve; 3]) -> String {
    let mut text = format!(
        "### Refused logins\n\n{} of each kind in one random order.\n\n| | median, ms | 10th to 90th percentile, ms | relative |\n|---|---:|---:|---:|\n",
        curves[0].values.len()
    );
    let first = curves[0].percentile(50);
    for curve in curves {
        let [low, median, high] = [10, 50, 90].map(|percent| curve.percentile(percent));
        text.push_str(&format!(
            "| {} | {median:.2} | {low:.2} to {high:.2} | {:.3} |\n",
            curve.label,
            median / first
        ));
    }
    text.push_str("\n| Kolmogorov and Smirnov | distance | probability without any difference |\n|---|---:|---:|\n");
    for (one, other, distance, probability) in pairs(curves) {
        text.push_str(&format!("| {} / {} | {distance:.3} | {probability:.3} |\n", one.label, other.label));
    }
    text
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 380.0;
/// Left, right, top and bottom of the plot inside the drawing.
const PLOT: [f64; 4] = [56.0, 704.0, 44.0, 320.0];

/// Colours that are told apart on white and on black, and dashes for whoever cannot tell colours.
const STROKES: [(&str, &str); 3] = [("#2f81f7", ""), ("#d9730d", "8 4"), ("#2da44e", "2 3")];

/// The cumulative distributions, one over the other.
fn draw(curves: &[Curve; 3]) -> String {
    let [left, right, top, bottom] = PLOT;
    let first = curves.iter().map(|curve| curve.values[0]).fold(f64::INFINITY, f64::min);
    // The slowest hundredth is the disk's and the scheduler's, and would press everything else into a corner.
    let last = curves.iter().map(|curve| curve.percentile(99)).fold(first, f64::max);
    let (first, last, step) = axis(first, last);
    let x = |value: f64| left + (value.min(last) - first) / (last - first) * (right - left);
    let y = |share: f64| bottom - share * (bottom - top);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <title>How long refused logins take</title>\n\
         <desc>Cumulative distributions of the times of {} refused logins of each of three kinds, one over the other.</desc>\n\
         <style>text {{ fill: #6e7781 }} .grid {{ stroke: #8b949e; stroke-opacity: 0.35 }} .curve {{ fill: none; stroke-width: 2 }}\n\
         @media (prefers-color-scheme: dark) {{ text {{ fill: #b1bac4 }} }}</style>\n\
         <text x=\"{left}\" y=\"22\">Share of refused logins that have been answered after so many milliseconds</text>\n",
        curves[0].values.len()
    );
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let (at, percent) = (y(share), share * 100.0);
        svg.push_str(&format!(
            "<line class=\"grid\" x1=\"{left}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{percent} %</text>\n",
            left - 8.0,
            at + 4.0
        ));
    }
    let mut tick = first;
    while tick <= last + step / 2.0 {
        let at = x(tick);
        svg.push_str(&format!(
            "<line class=\"grid\" x1=\"{at:.1}\" y1=\"{top}\" x2=\"{at:.1}\" y2=\"{bottom}\"/>\n\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
            bottom + 18.0,
            (tick * 100.0).round() / 100.0
        ));
        tick += step;
    }
    for (number, (curve, (colour, dashes))) in curves.iter().zip(STROKES).enumerate() {
        let stroke = format!("stroke=\"{colour}\" stroke-dasharray=\"{dashes}\"");
        let count = curve.values.len() as f64;
        let points = curve.values.iter().zip(1_u32..);
        let points = points.take_while(|(value, _)| **value <= last);
        let points: Vec<String> = points
            .map(|(value, rank)| format!("{:.1},{:.1}", x(*value), y(f64::from(rank) / count)))
            .collect();
        svg.push_str(&format!("<polyline class=\"curve\" {stroke} points=\"{}\"/>\n", points.join(" ")));
        let (from, at) = (right - 358.0, bottom - 62.0 + 20.0 * number as f64);
        svg.push_str(&format!(
            "<line class=\"curve\" {stroke} x1=\"{from:.1}\" y1=\"{at:.1}\" x2=\"{:.1}\" y2=\"{at:.1}\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\">{}, median {:.2} ms</text>\n",
            from + 34.0,
            from + 42.0,
            at + 4.0,
            curve.label,
            curve.percentile(50)
        ));
    }
    let least = pairs(curves).into_iter().map(|(.., probability)| probability).fold(1.0, f64::min);
    let distance = pairs(curves).into_iter().map(|(_, _, distance, _)| distance).fold(0.0, f64::max);
    svg.push_str(&format!(
        "<text x=\"{left}\" y=\"{:.1}\">{} of each kind in random order; widest gap {distance:.3}, probability by chance {least:.3}</text>\n</svg>\n",
        HEIGHT - 16.0,
        curves[0].values.len()
    ));
    svg
}

/// Ends of an axis on round numbers around these values, and the round step between its marks.
fn axis(first: f64, last: f64) -> (f64, f64, f64) {
    let span = (last - first).max(0.01);
    let power = 10_f64.powf((span / 8.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = step.into_iter().find(|step| span / step <= 8.0).unwrap_or(power * 10.0);
    let (first, last) = ((first / step).floor() * step, (last / step).ceil() * step);
    (first, last.max(first + step), step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves(shift: f64) -> [Curve; 3] {
        let values = |first: f64| (0..100).map(|number| first + f64::from(number) / 50.0).collect();
        [(KINDS[0].1, 20.0), (KINDS[1].1, 20.0), (KINDS[2].1, 20.0 + shift)].map(|(label, first)| Curve {
            label,
            values: values(first),
        })
    }

    #[test]
    fn every_kind_has_its_curve_and_its_row() {
        let (drawn, told) = (draw(&curves(0.0)), table(&curves(0.0)));
        assert_eq!(drawn.matches("<polyline").count(), 3);
        for (_, label) in KINDS {
            assert!(drawn.contains(&format!("{label}, median 21.00 ms")), "{drawn}");
            assert!(told.contains(&format!("| {label} | 21.00 | 20.20 to 21.80 | 1.000 |")), "{told}");
        }
        assert!(drawn.contains("widest gap 0.000, probability by chance 1.000"), "{drawn}");
    }

    #[test]
    fn kinds_that_can_be_told_apart_are_told_so() {
        let told = table(&curves(1.0));
        assert!(
            told.contains("| no such account / switched off, right password | 0.000 | 1.000 |"),
            "{told}"
        );
        assert!(told.contains("| no such account / wrong password | 0.500 | 0.000 |"), "{told}");
        assert!(draw(&curves(1.0)).contains("widest gap 0.500, probability by chance 0.000"));
    }

    #[test]
    fn the_drawing_stays_inside_its_frame_even_with_one_that_took_for_ever() {
        let mut curves = curves(0.0);
        curves[0].values[99] = 10_000.0;
        let drawn = draw(&curves);
        let xs = drawn.split("points=\"").skip(1).flat_map(|points| {
            let points = points.split('"').next().expect("the attribute ends");
            points
                .split(' ')
                .map(|point| point.split(',').next().expect("two numbers").parse::<f64>().expect("a number"))
        });
        assert!(xs.clone().all(|x| (PLOT[0]..=PLOT[1]).contains(&x)));
        // The rest is not pressed into a corner.
        assert!(xs.fold(0.0, f64::max) > 600.0);
    }

    #[test]
    fn what_a_program_prints_is_read_in_milliseconds() {
        let said = "unknown: 1500.0\nunknown-not: 1\ninactive: 20\nunknown: 2000\n";
        assert_eq!(values_of("unknown", said), [1.5, 2.0]);
    }

    #[test]
    fn an_axis_is_marked_on_round_numbers() {
        let (first, last, step) = axis(20.3, 27.9);
        assert_eq!((first, last, step), (20.0, 28.0, 1.0));
        let (first, last, step) = axis(20.0, 20.0);
        assert!(first <= 20.0 && last >= 20.0 && step > 0.0005);
    }
}
