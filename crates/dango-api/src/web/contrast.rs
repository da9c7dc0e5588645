//! Whether every text can be read on its ground, in light and dark (WCAG 2.2 §1.4.3 and §1.4.11), computed from the stylesheet's tokens.

use std::collections::HashMap;

const STYLE: &str = include_str!("../../assets/dango.css");

/// Text on its ground.
const TEXT: [(&str, &str); 29] = [
    ("ink", "paper"),
    ("ink", "raised"),
    ("ink", "sunken"),
    ("muted", "paper"),
    ("muted", "raised"),
    ("muted", "sunken"),
    ("link", "paper"),
    ("link", "raised"),
    ("link", "sunken"),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("on-danger", "danger"),
    ("red", "paper"),
    ("red", "raised"),
    ("red", "sunken"),
    ("green", "green-ground"),
    ("amber", "amber-ground"),
    ("red", "red-ground"),
    ("blue", "blue-ground"),
    ("indigo", "indigo-ground"),
    ("orange", "orange-ground"),
    ("gray", "gray-ground"),
    ("green", "raised"),
    ("amber", "raised"),
    ("blue", "raised"),
    ("indigo", "raised"),
    ("orange", "raised"),
    ("gray", "raised"),
    ("gray", "paper"),
];

/// Edges and rings that have to be seen.
const SHAPES: [(&str, &str); 8] = [
    ("field-line", "paper"),
    ("field-line", "raised"),
    ("focus", "paper"),
    ("focus", "raised"),
    ("focus", "sunken"),
    ("danger", "raised"),
    ("accent", "paper"),
    ("accent", "raised"),
];

/// The colours of the first block, each for light and dark.
fn tokens() -> HashMap<&'static str, [[u8; 3]; 2]> {
    let (block, _) = STYLE.split_once("\n}").expect("a block");
    let lines = block
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--")?.split_once(": light-dark("));
    let colour = |text: &str| {
        let digits = text.trim().strip_prefix('#').expect("a colour");
        std::array::from_fn(|place| u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).expect("digits"))
    };
    lines
        .map(|(name, rest)| {
            let (light, dark) = rest.trim_end_matches(");").split_once(',').expect("two colours");
            (name, [colour(light), colour(dark)])
        })
        .collect()
}

/// Relative luminance (WCAG 2.2).
fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn every_pair_can_be_told_apart_in_light_and_dark() {
    let tokens = tokens();
    let mut weak = String::new();
    for (pairs, least) in [(&TEXT[..], 4.5), (&SHAPES[..], 3.0)] {
        for (front, ground) in pairs {
            for scheme in 0..2 {
                let found = contrast(tokens[front][scheme], tokens[ground][scheme]);
                if found < least {
                    weak += &format!("{front} on {ground}, {}: {found:.2}\n", ["light", "dark"][scheme]);
                }
            }
        }
    }
    assert!(weak.is_empty(), "{weak}");
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 0.01);
}

#[test]
fn colours_stand_among_the_tokens_alone() {
    let (_, rules) = STYLE.split_once("\n}").expect("a block");
    let is_colour = |line: &&str| line.contains('#') && !line.trim_start().starts_with("/*");
    let colours: Vec<&str> = rules.lines().filter(is_colour).collect();
    // A QR code is read on white alone, whatever the scheme.
    assert_eq!(colours.len(), 1, "{colours:?}");
    assert!(colours[0].starts_with(".qr "));
    assert!(!STYLE.contains("@import") && !STYLE.contains("url("));
}
