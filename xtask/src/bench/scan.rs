//! `dango scan` against other scanners, on generated files with tokens in some of them; what a run is, is in `measurement.rs`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cases::{Case, Measure, Ours};
use super::measurement::Contestant;
use crate::setup::Counterparts;
use crate::step::{self, Failure};

/// A file's size, in bytes.
const FILE: usize = 50_000;
/// Every so many files one has a token.
const EVERY: usize = 20;

/// The comparison of a name, where it is one of these.
pub(super) fn prepare(name: &str, project: &Path, ours: &Ours, counterparts: &Counterparts) -> Result<Option<Case>, Failure> {
    let scanner = |name: &str| counterparts.python.with_file_name(name);
    let (kingfisher, detect_secrets) = (scanner("kingfisher"), scanner("detect-secrets"));
    Ok(Some(match name {
        "scan-tree" => {
            let last = files(project, 400)?;
            let cat = Contestant::new(
                "`cat` of all files, which looks at nothing",
                Path::new("bash"),
                &["-c", "find tree -type f -exec cat {} + | wc -c"],
                project,
            );
            case(
                "20 MB of text in 400 files",
                vec![
                    dango(&ours.dango, project, &last),
                    with_kingfisher(&kingfisher, project, &last),
                    cat,
                ],
            )
        }
        "scan-tokens" => {
            let last = files(project, 40)?;
            let arguments = ["scan", "--all-files", "--no-verify", "tree"];
            let slow = Contestant::new("`detect-secrets scan`", &detect_secrets, &arguments, project).answering(last.clone());
            case(
                "2 MB of text in 40 files",
                vec![
                    dango(&ours.dango, project, &last),
                    with_kingfisher(&kingfisher, project, &last),
                    slow,
                ],
            )
        }
        "scan-staged" => {
            files(project, 20)?;
            let git = |arguments: &[&str]| step::quiet(Command::new("git").current_dir(project).env("HOME", project).args(arguments));
            git(&["init", "--quiet"])?;
            git(&["add", "tree"])?;
            let diff = Contestant::new(
                "`git diff --cached`",
                Path::new("git"),
                &["--no-pager", "diff", "--cached"],
                project,
            );
            let staged = [
                "-c",
                "\"$0\" scan --staged --formats-only; [ $? -eq 3 ]",
                &ours.dango.to_string_lossy(),
            ];
            let mut case = case(
                "20 staged files, 1 MB",
                vec![Contestant::new("`dango scan --staged`", Path::new("bash"), &staged, project), diff],
            );
            case.goal = Some("A staged change is to take at most 100 ms.");
            case.measure = Measure::Milliseconds;
            case
        }
        _ => return Ok(None),
    }))
}

fn case(what: &str, contestants: Vec<Contestant>) -> Case {
    Case {
        measure: Measure::Slow,
        ..Case::new(format!("`dango scan`: {what}"), contestants)
    }
}

/// Ends with 3 where it finds something, which is what it is to do.
fn dango(dango: &Path, project: &Path, last: &str) -> Contestant {
    let script = "\"$0\" scan --formats-only tree; [ $? -eq 3 ]";
    Contestant::new(
        "`dango scan`",
        Path::new("bash"),
        &["-c", script, &dango.to_string_lossy()],
        project,
    )
    .answering(last.to_owned())
}

/// Ends with 200 there. It asks nobody whether a token is valid.
fn with_kingfisher(kingfisher: &Path, project: &Path, last: &str) -> Contestant {
    let script = "\"$0\" scan tree --no-validate --no-update-check --git-history none; [ $? -eq 200 ]";
    Contestant::new(
        "`kingfisher scan`",
        Path::new("bash"),
        &["-c", script, &kingfisher.to_string_lossy()],
        project,
    )
    .answering(last.to_owned())
}

/// Writes files of words, and answers the name of the last one that has a token.
fn files(project: &Path, count: usize) -> Result<String, Failure> {
    let cannot = |error| Failure::new(format!("cannot make the project {}: {error}", project.display()));
    if project.exists() {
        fs::remove_dir_all(project).map_err(cannot)?;
    }
    let mut drawn = Drawn(0x9e37_79b9_7f4a_7c15);
    let mut last = String::new();
    for number in 0..count {
        let name = format!("part_{number:05}.py");
        let folder: PathBuf = project.join(format!("tree/folder_{:02}", number % 20));
        let mut text = String::with_capacity(FILE + 200);
        if number % EVERY == 0 {
            last.clone_from(&name);
            writeln!(text, "use(\"{}\")", drawn.token(number / EVERY)).map_err(|error| Failure::new(error.to_string()))?;
        }
        while text.len() < FILE {
            let end = if drawn.next().is_multiple_of(8) { '\n' } else { ' ' };
            text.push_str(WORDS[drawn.next() % WORDS.len()]);
            text.push(end);
        }
        fs::create_dir_all(&folder).map_err(cannot)?;
        fs::write(folder.join(name), text).map_err(cannot)?;
    }
    Ok(last)
}

const WORDS: [&str; 24] = [
    "load",
    "pipeline",
    "source",
    "self.client",
    "rows",
    "=",
    "def",
    "return",
    "(value)",
    "[0]",
    "\"name\"",
    "if",
    "not",
    "in",
    "order_id",
    "42",
    "3.14",
    "import",
    "table",
    "schema",
    "#",
    "customers",
    "write_disposition",
    "None",
];

/// Numbers that look drawn, the same each time.
struct Drawn(u64);

impl Drawn {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize
    }

    fn text(&mut self, length: usize) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..length).map(|_| char::from(ALPHABET[self.next() % ALPHABET.len()])).collect()
    }

    /// A token that every one of the scanners knows; put together here, so that none stands in this file.
    fn token(&mut self, number: usize) -> String {
        match number % 4 {
            0 => format!("xoxb-{}-{}-{}", 471_829_365_047_u64, 592_837_461_502_u64, self.text(24)),
            1 => format!("sk_live_{}", self.text(24)),
            2 => format!("glpat-{}", self.text(20)),
            _ => format!("SG.{}.{}", self.text(22), self.text(43)),
        }
    }
}
