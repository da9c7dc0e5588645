//! Which type somebody meant who wrote something else.

use super::TypeSpec;

/// Longer texts are no slips of the finger.
const MAX_LENGTH: usize = 64;

pub(super) fn nearest(types: impl Iterator<Item = &'static TypeSpec> + Clone, text: &str) -> Option<&'static TypeSpec> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let wanted = letters(text);
    let names = |spec: &'static TypeSpec| [spec.name, spec.title].into_iter().chain(spec.also.iter().copied()).map(letters);
    if let Some(spec) = types.clone().find(|spec| names(spec).any(|name| name == wanted)) {
        return Some(spec);
    }
    let slips = |spec: &'static TypeSpec| names(spec).map(|name| distance(&name, &wanted)).min().unwrap_or(usize::MAX);
    let allowed = match wanted.len() {
        0..3 => 0,
        3..6 => 1,
        _ => 2,
    };
    let nearest = types.clone().min_by_key(|spec| slips(spec)).filter(|spec| slips(spec) <= allowed);
    // A part of a name counts where it is a part of one type's name only: `sheets`, but not `google`.
    nearest.filter(|_| wanted.len() >= 3).or_else(|| {
        let mut parts = types.filter(|spec| wanted.len() >= 3 && names(spec).any(|name| name.contains(&wanted)));
        parts.next().filter(|_| parts.next().is_none())
    })
}

/// The letters and digits of a name, in lower case: `Google Sheets`, `google-sheets` and `google_sheets` are one.
fn letters(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// How many letters must be added, taken away, replaced or swapped with their neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
