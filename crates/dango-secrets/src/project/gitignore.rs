//! The lines of `.gitignore` that keep secrets out of git: which are missing, and where they go; no file is touched here.

use zeroize::Zeroizing;

const COMMENT: &str = "# dango: secrets and local state, not to be committed";

/// What must not be committed, in the order of the file.
const RULES: &[Rule] = &[
    Rule::exact(".env"),
    Rule {
        pattern: ".env.*",
        exceptions: &["!.env.example"],
        reach: Some(".env."),
    },
    Rule::exact(".dlt/secrets.toml"),
    Rule::exact(".dlt/*.secrets.toml"),
    Rule {
        pattern: ".dango/*",
        exceptions: &[
            "!.dango/sources.yml",
            "!.dango/remote.toml",
            "!.dango/server.toml",
            "!.dango/project-id",
        ],
        reach: Some(".dango/"),
    },
    Rule::exact(".env.lock"),
    Rule::exact(".dlt/*.lock"),
    Rule::exact(".*.dango-*.tmp"),
];

/// A pattern and its exceptions, which count only behind it (gitignore(5), "PATTERN FORMAT").
struct Rule {
    pattern: &'static str,
    exceptions: &'static [&'static str],
    /// How the names begin that users may have made exceptions of.
    reach: Option<&'static str>,
}

impl Rule {
    const fn exact(pattern: &'static str) -> Self {
        Self {
            pattern,
            exceptions: &[],
            reach: None,
        }
    }
}

/// The file with the missing lines behind everything else, or `None` where none is missing.
///
/// What is there stays byte for byte, and its line ends are used. A pattern is missing, too, where a later line takes it
/// back; an exception that the user took back is not. The user's own exceptions to a pattern that is added are repeated
/// behind it, so they stay exceptions. A line for each of `names`, files of the project, comes last.
pub(super) fn complete(old: &[u8], names: &[String]) -> Option<Zeroizing<Vec<u8>>> {
    let lines = lines(old);
    let own: Vec<String> = names.iter().map(|name| literal(name)).collect();
    let mut missing: Vec<&[u8]> = Vec::new();
    for rule in RULES {
        let there = last(&lines, rule.pattern, Sign::Ignore).filter(|at| last(&lines, rule.pattern, Sign::Except) < Some(*at));
        if there.is_none() {
            missing.push(rule.pattern.as_bytes());
            missing.extend(rule.reach.iter().flat_map(|reach| exceptions_within(&lines, reach)));
        }
        for exception in rule.exceptions {
            let name = &exception[1..];
            let excepted = last(&lines, name, Sign::Except);
            let taken_back = last(&lines, name, Sign::Ignore) > excepted;
            let counts = there.is_some() && excepted > there;
            if !taken_back && !counts && !missing.contains(&exception.as_bytes()) {
                missing.push(exception.as_bytes());
            }
        }
    }
    missing.extend(own.iter().map(String::as_bytes).filter(|line| !lines.contains(line)));
    (!missing.is_empty()).then(|| append(old, &lines, &missing))
}

/// The pattern that matches one file of the project and nothing else (gitignore(5), "PATTERN FORMAT").
fn literal(name: &str) -> String {
    let mut pattern = String::from("/");
    for c in name.chars() {
        // A line cannot hold a line feed: what stands behind it in a name would be a pattern of its own, such as one that takes others back.
        if c.is_control() {
            pattern.push('?');
            continue;
        }
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '!' | '#' | ' ') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn append(old: &[u8], lines: &[&[u8]], missing: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let first_end = old.iter().position(|&byte| byte == b'\n');
    let end: &[u8] = match first_end {
        Some(at) if at > 0 && old[at - 1] == b'\r' => b"\r\n",
        _ => b"\n",
    };
    let mut new = Zeroizing::new(old.to_vec());
    if !old.is_empty() && !old.ends_with(b"\n") {
        new.extend_from_slice(end);
    }
    if !lines.contains(&COMMENT.as_bytes()) {
        if lines.last().is_some_and(|line| !line.is_empty()) {
            new.extend_from_slice(end);
        }
        new.extend_from_slice(COMMENT.as_bytes());
        new.extend_from_slice(end);
    }
    for line in missing {
        new.extend_from_slice(line);
        new.extend_from_slice(end);
    }
    new
}

/// The lines as git reads them: without a BOM in front, a CR or spaces behind.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end).collect();
    // Behind the last line feed is no line.
    lines.pop_if(|line| line.is_empty());
    lines
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Ignore,
    Except,
}

/// Where a pattern stands last, from 0; with or without the slash that binds it to this directory.
fn last(lines: &[&[u8]], pattern: &str, sign: Sign) -> Option<usize> {
    lines.iter().rposition(|line| {
        let body = match sign {
            Sign::Ignore => Some(*line),
            Sign::Except => line.strip_prefix(b"!"),
        };
        body.is_some_and(|body| body.strip_prefix(b"/").unwrap_or(body) == pattern.as_bytes())
    })
}

fn exceptions_within<'a>(lines: &[&'a [u8]], reach: &str) -> impl Iterator<Item = &'a [u8]> {
    lines.iter().copied().filter(move |line| {
        let name = line.strip_prefix(b"!").map(|name| name.strip_prefix(b"/").unwrap_or(name));
        name.is_some_and(|name| name.starts_with(reach.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_whatever_is_in_it() {
        assert_eq!(literal(".env.[a] !b"), "/.env.\\[a\\]\\ \\!b");
        let new = complete(b"", &[".env.x\n!.env\r".to_owned()]).expect("lines are missing");
        let lines = lines(&new);
        assert!(!lines.contains(&b"!.env".as_slice()));
        assert_eq!(lines.last(), Some(&b"/.env.x?\\!.env?".as_slice()));
    }
}
