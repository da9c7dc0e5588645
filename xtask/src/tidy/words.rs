//! Words that promise to finish something later, and paths that exist on one machine only.

use super::Finding;
use super::code::{line_of, word_places};
use super::tree::{SourceFile, SourceTree};

/// Macros that stand for code that is not there, or that only its author wants to see.
const MACROS: [&str; 3] = ["todo", "unimplemented", "dbg"];

/// Notes to oneself; put together here so that this file does not hold them.
const NOTES: [&str; 4] = [concat!("FIX", "ME"), concat!("TO", "DO"), concat!("X", "XX"), concat!("HA", "CK")];

/// What says that something better is to come.
const PROMISES: [&str; 2] = [concat!("for ", "now"), concat!("temporary ", "hack")];

/// Folders that exist on the machine of the one who wrote them.
const MACHINES: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];

/// People who may own a home in an example.
const EXAMPLE_HOMES: [&str; 6] = ["ada", "alice", "me", "u", "user", "you"];

/// Endings of the files in which people write; what tools write (lock files, recorded readings) has words of its own.
const WRITTEN: [&str; 8] = [".md", ".mjs", ".py", ".rs", ".sh", ".toml", ".yaml", ".yml"];

/// Checks the words of every file that a person writes.
pub(super) fn check(tree: &SourceTree) -> Vec<Finding> {
    let written = |file: &&SourceFile| file.path == ".ci/run" || WRITTEN.iter().any(|ending| file.path.ends_with(ending));
    tree.files()
        .filter(written)
        .flat_map(|file| macros(file).into_iter().chain(notes(file)).chain(machine_paths(file)))
        .collect()
}

fn macros(file: &SourceFile) -> Vec<Finding> {
    let places = MACROS.iter().flat_map(|name| {
        word_places(&file.code, name)
            .filter(|(_, rest)| rest[name.len()..].starts_with('!'))
            .map(move |(line, _)| (name, line))
    });
    places
        .map(|(name, line)| {
            Finding::at_line(
                &file.path,
                line,
                format!("`{name}!` is not finished code"),
                "write what belongs there",
            )
        })
        .collect()
}

fn notes(file: &SourceFile) -> Vec<Finding> {
    let lower = file.text.to_ascii_lowercase();
    let notes = NOTES
        .iter()
        .flat_map(|note| word_places(&file.text, note).map(move |(line, _)| (*note, line)));
    let promises = PROMISES
        .iter()
        .flat_map(|promise| word_places(&lower, promise).map(move |(line, _)| (*promise, line)));
    notes
        .chain(promises)
        .map(|(word, line)| {
            Finding::at_line(
                &file.path,
                line,
                format!("`{word}` puts something off"),
                "do it, or say plainly how it is",
            )
        })
        .collect()
}

fn machine_paths(file: &SourceFile) -> Vec<Finding> {
    let own = MACHINES.iter().flat_map(|path| file.text.match_indices(path)).map(|(at, _)| at);
    let homes = file
        .text
        .match_indices("/home/")
        .filter(|(at, home)| is_persons_home(&file.text[at + home.len()..]))
        .map(|(at, _)| at);
    own.chain(homes)
        .filter(|at| starts_a_path(&file.text[..*at]))
        .map(|at| {
            Finding::at_line(
                &file.path,
                line_of(&file.text, at),
                "a path of one machine",
                format!("use a relative path, or an example home: /home/{}", EXAMPLE_HOMES[0]),
            )
        })
        .collect()
}

fn is_persons_home(after: &str) -> bool {
    let name = after
        .split(|character: char| !character.is_ascii_alphanumeric() && !"_.-".contains(character))
        .next()
        .unwrap_or_default();
    name.starts_with(|character: char| character.is_ascii_alphabetic()) && !EXAMPLE_HOMES.contains(&name)
}

/// Says whether what follows begins a path, so that `network/work/` is none.
fn starts_a_path(before: &str) -> bool {
    !before.ends_with(|character: char| character.is_alphanumeric() || "._-}>)$/".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        check(&SourceTree::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn unfinished_macros_are_found_in_code_only() {
        let code = format!("//! A.\nfn a() {{ {}!() }}\n", MACROS[0]);
        assert!(problems("crates/a/src/b.rs", &code)[0].starts_with("crates/a/src/b.rs:2:"));
        assert!(problems("crates/a/src/b.rs", "// dbg!() is banned\nlet a = \"dbg!\";\n").is_empty());
    }

    #[test]
    fn notes_and_promises_are_found_in_comments_and_prose() {
        for word in NOTES.iter().chain(&PROMISES) {
            assert_eq!(problems("docs/a.md", &format!("fine\n{word}: later\n")).len(), 1, "{word}");
        }
        assert!(problems("docs/a.md", "the format for nowadays; a PHOTODOME\n").is_empty());
    }

    #[test]
    fn paths_of_one_machine_are_found_and_examples_are_not() {
        for path in MACHINES.iter().copied().chain([concat!("/ho", "me/jo/x")]) {
            assert_eq!(problems("README.md", &format!("see `{path}`\n")).len(), 1, "{path}");
        }
        assert!(problems("README.md", "in /home/ada/project, $ROOT/root/x, network/work/ and /home/<user>\n").is_empty());
    }
}
