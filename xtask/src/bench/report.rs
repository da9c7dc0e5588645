//! The tables of a measurement, on the terminal and in `docs/benchmarks.md`.

use std::fs;
use std::path::Path;

use super::cases::{Case, Measure, Unit};
use super::measurement::Figures;
use crate::step::Failure;

const BEGIN: &str = "<!-- written by `cargo xtask bench --write` from here -->";
const END: &str = "<!-- to here -->";

/// A Markdown table; the last column says how the figure of each contestant relates to that of the first.
pub(super) fn table(case: &Case, figures: &[Figures], runs: usize) -> String {
    let (unit, best) = match case.measure {
        Measure::Milliseconds | Measure::Slow | Measure::Server(Unit::Milliseconds) => ("ms", "least"),
        Measure::Micros => ("µs", "least"),
        Measure::PerSecond | Measure::Server(Unit::PerSecond) => ("a second", "most"),
        Measure::Server(Unit::Mebibytes) => ("MiB", "least"),
    };
    let mut text = format!("### {}\n\n", case.title);
    if let Some(goal) = case.goal {
        text.push_str(&format!("{goal} {runs} runs.\n\n"));
    }
    text.push_str(&format!("| | median, {unit} | {best}, {unit} | relative |\n|---|---:|---:|---:|\n"));
    let ours = figures.first().map_or(f64::NAN, Figures::median);
    for (contestant, figures) in case.contestants.iter().zip(figures) {
        let best = if best == "most" { figures.most() } else { figures.least() };
        let (median, best, relative) = (figures.median(), best, figures.median() / ours);
        // A hundredth needs more places to be told from another.
        let places = if relative < 0.1 { 4 } else { 2 };
        text.push_str(&format!(
            "| {} | {median:.2} | {best:.2} | {relative:.places$} |\n",
            contestant.label
        ));
    }
    text
}

/// Replaces what stands between the document's markers.
pub(super) fn write(path: &Path, tables: &[String], runs: usize) -> Result<(), Failure> {
    let cannot = |error| Failure::new(format!("cannot update {}: {error}", path.display()));
    let document = fs::read_to_string(path).map_err(cannot)?;
    let replaced = replace(&document, &format!("{}\n\n{}", machine(runs), tables.join("\n")));
    let replaced = replaced.ok_or_else(|| Failure::new(format!("{} has no lines `{BEGIN}` and `{END}`", path.display())))?;
    fs::write(path, replaced).map_err(cannot)
}

fn replace(document: &str, text: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{text}\n{END}{after}"))
}

/// Says on what kind of machine it was, without naming one.
fn machine(runs: usize) -> String {
    let cores = std::thread::available_parallelism().map_or_else(|_| "?".to_owned(), |cores| cores.to_string());
    format!(
        "Measured with {runs} runs of each command on {cores} × {}, {}.",
        std::env::consts::ARCH,
        std::env::consts::OS
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let document = format!("# B\n\n{BEGIN}\nold\n{END}\n\nafter\n");
        assert_eq!(replace(&document, "new"), Some(format!("# B\n\n{BEGIN}\n\nnew\n{END}\n\nafter\n")));
    }

    #[test]
    fn a_document_without_markers_is_left_alone() {
        assert_eq!(replace("# B\n", "new"), None);
    }
}
