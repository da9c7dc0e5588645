//! Patterns as `.gitignore` and `.dockerignore` write them, matched against one name: for folders that no git and no docker is asked about.

/// Whether a file is left out by the last line of a `.gitignore` that matches it or a folder above it (gitignore(5), "PATTERN FORMAT").
pub(crate) fn is_ignored(patterns: &str, file: &str) -> bool {
    decided(patterns, file, |pattern| {
        match pattern.strip_suffix('/').unwrap_or(pattern).contains('/') {
            true => pattern.trim_start_matches('/').to_owned(),
            false => format!("**/{pattern}"),
        }
    })
}

/// The same for a `.dockerignore`, all of whose patterns begin at the top.
pub(crate) fn is_left_out(patterns: &str, file: &str) -> bool {
    decided(patterns, file, |pattern| {
        pattern.trim_start_matches("./").trim_start_matches('/').to_owned()
    })
}

fn decided(patterns: &str, file: &str, anchored: impl Fn(&str) -> String) -> bool {
    let mut ignored = false;
    for line in patterns
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (pattern, says) = match line.strip_prefix('!') {
            Some(pattern) => (pattern, false),
            None => (line, true),
        };
        let pattern = anchored(pattern);
        let folder = pattern.strip_suffix('/');
        let parts: Vec<&str> = folder.unwrap_or(&pattern).split('/').collect();
        let names: Vec<&str> = file.split('/').collect();
        // A pattern that ends with a slash matches folders alone.
        let longest = names.len() - usize::from(folder.is_some());
        if (1..=longest).any(|length| matches_path(&parts, &names[..length])) {
            ignored = says;
        }
    }
    ignored
}

fn matches_path(parts: &[&str], names: &[&str]) -> bool {
    match parts.split_first() {
        None => names.is_empty(),
        Some((&"**", rest)) => (0..=names.len()).any(|skipped| matches_path(rest, &names[skipped..])),
        Some((part, rest)) => match names.split_first() {
            Some((name, below)) => matches_name(part.as_bytes(), name.as_bytes()) && matches_path(rest, below),
            None => false,
        },
    }
}

fn matches_name(pattern: &[u8], name: &[u8]) -> bool {
    // Where the last star stands, and up to where it has taken the name: only that one is ever tried again.
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
                continue;
            }
            Some(b'?') => {
                at += 1;
                from += 1;
                continue;
            }
            Some(b'\\') if pattern.get(at + 1) == Some(&name[from]) => {
                at += 2;
                from += 1;
                continue;
            }
            Some(byte) if *byte == name[from] => {
                at += 1;
                from += 1;
                continue;
            }
            _ => {}
        }
        match &mut star {
            Some((place, taken)) => {
                *taken += 1;
                (at, from) = (*place + 1, *taken);
            }
            None => return false,
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_matches_decides() {
        for (patterns, file, ignored) in [
            (".env\n", ".env", true),
            ("/.env", ".env", true),
            ("*.toml", ".dlt/secrets.toml", true),
            ("secrets.toml\n", ".dlt/secrets.toml", true),
            (".dlt/", ".dlt/secrets.toml", true),
            ("secrets.toml/", ".dlt/secrets.toml", false),
            ("/secrets.toml", ".dlt/secrets.toml", false),
            (".dlt/*\n!.dlt/secrets.toml", ".dlt/secrets.toml", false),
            ("# .env\n", ".env", false),
            (".env*", ".env.local", true),
            ("**/secrets.toml", ".dlt/secrets.toml", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
        ] {
            assert_eq!(is_ignored(patterns, file), ignored, "{patterns:?} {file}");
        }
        assert!(
            !is_left_out("secrets.toml", ".dlt/secrets.toml"),
            "docker's patterns begin at the top"
        );
        assert!(is_left_out("**/secrets.toml\n", ".dlt/secrets.toml") && is_left_out(".dlt", ".dlt/secrets.toml"));
    }

    #[test]
    fn many_stars_take_no_long_time() {
        let (pattern, name) = ("*a".repeat(200), "a".repeat(199));
        assert!(!is_ignored(&pattern, &name));
    }
}
