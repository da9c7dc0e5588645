//! How long a page of the audit log takes over HTTP, wherever in the log it is and whatever is asked for.

use std::time::Instant;

use dango_tests::Answer;

use super::super::Outcome;
use super::filled::Filled;

const PAGES: usize = 200;

/// Asks for pages of 50 records, a different place each time, and prints the median.
pub(super) fn read(filled: &Filled, which: &str) -> Outcome {
    let mut house = filled.house()?;
    let (records, people) = (filled.size.records(), filled.size.users);
    let first = house
        .administrator()
        .get(&format!("/api/admin/audit?limit=1&cursor={}", records / 2));
    let day = event(&first)?.get(..10).ok_or("a record has no time")?.to_owned();
    let mut taken = Vec::with_capacity(PAGES);
    for number in 0..PAGES as u64 {
        let middle = records / 2 - number * 7;
        let asked = match which {
            "newest" => String::new(),
            "middle" => format!("&cursor={middle}"),
            "event" => format!("&type=secret_deleted&cursor={middle}"),
            "actor" => format!("&actor=bulk{}%40team.example", 1 + number * 37 % people),
            "day" => format!("&since={day}&until={day}"),
            _ => return Err(super::USAGE.into()),
        };
        let begun = Instant::now();
        let answer = house.administrator().get(&format!("/api/admin/audit?limit=50{asked}"));
        taken.push(begun.elapsed().as_secs_f64() * 1000.0);
        event(&answer)?;
    }
    taken.sort_by(f64::total_cmp);
    println!("page, ms: {:.3}", taken[PAGES / 2]);
    println!("slowest hundredth, ms: {:.3}", taken[PAGES * 99 / 100]);
    Ok(())
}

/// The time of the first record of a page, which has one.
fn event(answer: &Answer) -> Result<String, Box<dyn std::error::Error>> {
    let at = answer.json()["events"][0]["at"].as_str().map(str::to_owned);
    at.ok_or_else(|| format!("a page without records: {} {}", answer.status, answer.text).into())
}
