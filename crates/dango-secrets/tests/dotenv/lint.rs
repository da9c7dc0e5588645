//! What the linter tells about lines that readers of `.env` files read differently.

use dango_secrets::dotenv::{Reader, Sees, lint, lint_bytes};

use super::{document, refusal};

fn findings(text: &str) -> Vec<(usize, &'static str, Vec<String>)> {
    lint(&document(text))
        .into_iter()
        .map(|finding| {
            let readings = finding.readings.iter().map(|reading| reading.sees.to_string()).collect();
            (finding.line, finding.code, readings)
        })
        .collect()
}

#[test]
fn lint_is_silent_where_all_readers_agree() {
    assert_eq!(findings("# c\n\nA=1\nB=x_y-z\nC=\n  # d\n"), []);
}

#[test]
fn lint_tells_what_each_reader_sees() {
    for (line, code, sees) in [
        (
            "A='x y'",
            "quotes_kept",
            ["the value", "the value", "the value with its quotes", "the value"],
        ),
        (
            "A=pa#ss",
            "differs",
            ["the value", "another value (2 characters instead of 5)", "the value", "the value"],
        ),
        (
            "A=hello world",
            "runs_command",
            ["the value", "the value", "the value", "runs a command"],
        ),
        (
            "A=$(date)",
            "runs_command",
            ["the value", "the value", "the value", "runs a command"],
        ),
        (
            "A=it's",
            "shell_stops",
            ["the value", "the value", "the value", "an error: nothing from here on is read"],
        ),
        (
            "export A=1",
            "file_refused",
            ["the value", "the value", "an error: the whole file is refused", "the value"],
        ),
        (
            "A",
            "no_value",
            [
                "a key without a value",
                "no variable",
                "the variable of the host, if it is set there",
                "runs a command",
            ],
        ),
        (
            "A: 1",
            "unparsable",
            [
                "no variable",
                "a value (1 character)",
                "an error: the whole file is refused",
                "runs a command",
            ],
        ),
        (
            "A=${EXT}",
            "references_unexpanded",
            [
                "the value",
                "the value with its references not expanded",
                "the value with its references not expanded",
                "the value",
            ],
        ),
        (
            "A=$EXT",
            "differs",
            ["the value", "the value", "the value", "another value, expanded by the shell"],
        ),
        (
            "A=${}",
            "differs",
            [
                "the value",
                "the value with its references not expanded",
                "the value with its references not expanded",
                "an error: no variable",
            ],
        ),
        (
            "A=1 # c",
            "differs",
            ["the value", "the value", "another value (5 characters instead of 1)", "the value"],
        ),
    ] {
        let expected = (2, code, sees.map(str::to_owned).to_vec());
        assert_eq!(findings(&format!("Y=1\n{line}\nZ=1\n")), [expected], "{line:?}");
    }
}

#[test]
fn lint_goes_on_behind_every_problem() {
    let lines: Vec<usize> = findings("A=it's\nB=\"x\nexport C=1\nbad line\nD=1\nE='x y'\nD=2\nF=`x`\n")
        .into_iter()
        .map(|(line, ..)| line)
        .collect();
    assert_eq!(lines, [1, 2, 3, 4, 6, 7, 8]);
}

#[test]
fn lint_reports_duplicates_and_other_line_ends() {
    assert_eq!(findings("A=1\nB=1\nA=2\n"), [(3, "duplicate_key", vec![])]);
    let crlf = findings("A=1\r\n\r\n# c\r\nB=2\r\n");
    assert_eq!(crlf.len(), 2);
    assert_eq!(crlf[0].2[3], "another value (2 characters instead of 1)");
    assert_eq!(crlf[0].2[2], "the value");
}

#[test]
fn lint_shows_no_part_of_a_value() {
    let pem = "A=-----BEGIN KEY-----\nMIIEcanaryvQ\ncanary==\n-----END canary-----\n";
    let text = format!("{pem}B='canary canary'\nC=\"canary\nD=${{canary}} canary\n");
    let shown = format!("{:?}", lint(&document(&text)));
    assert!(!shown.contains("canary"), "{shown}");
    let error = refusal("", "K", "canary'\"#");
    assert!(!format!("{error:?} {error}").contains("canary"));
}

#[test]
fn lint_reads_files_that_cannot_be_parsed() {
    let findings = lint_bytes(b"A='x y'\r\nB=\xff\nC=\0\nD=1\n");
    let codes: Vec<_> = findings.iter().map(|finding| (finding.line, finding.code)).collect();
    assert!(codes.contains(&(1, "differs")), "{codes:?}");
    assert!(codes.contains(&(2, "not_utf8")), "{codes:?}");
    assert!(codes.contains(&(3, "nul")), "{codes:?}");
    let utf8 = findings.iter().find(|finding| finding.code == "not_utf8").expect("found");
    assert!(
        utf8.readings
            .iter()
            .any(|reading| reading.reader == Reader::PythonDotenv && reading.sees == Sees::FileRefused)
    );
}
