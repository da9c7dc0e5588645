//! Odd `.env` files, as people, editors and other tools leave them: `dango env` reads in them what python-dotenv reads.

use std::path::PathBuf;

use dango_tests::Scratch;
use serde_json::Value;

use crate::answers::Answer;
use crate::readers::python_dotenv;

/// Files that people, editors and other tools have left behind.
const ODD: &[&[u8]] = &[
    b"",
    b"\n\n",
    b"A",
    b"A=",
    b"A=1",
    b"A=1\n",
    b"A=1\r\nB=2\r\n",
    b"A=1\rB=2\r",
    b"\xef\xbb\xbfA=1\n",
    b"A = 1",
    b"  A=1",
    b"A= 1  ",
    b"A=1 # c",
    b"A=1# c",
    b"A=#b",
    b"A= #b",
    b"A=pa#ss",
    b"# A=1\nB=2",
    b"#A\nexport B=2",
    b"export A=1 B=2",
    b"export A",
    b"export  A = 'x'",
    b"exportA=1",
    b"A=1\nA=2\nA=3",
    b"A='1'\nA=${A}2",
    b"A-B=1\nA.B=2\n1A=3",
    "Ä=1".as_bytes(),
    b"A B=1",
    b"A: 1",
    b"=1\nB=2",
    b"'A'=1",
    b"'A B'=1",
    b"\"A\"=1",
    b"A=\"x y\"",
    b"A='x y'",
    b"A=`x y`",
    b"A=hello world",
    b"A=it's",
    b"A=\"x\"y\nB=2",
    b"A='x' 'y'\nB=2",
    b"A=\"x\nB=2",
    b"A='x\nB=2\nC='y'",
    b"A=\"x\" # c",
    b"A='x'# c",
    b"A=\"l1\nl2\"\nB=1",
    b"A='l1\r\nl2'\nB=1",
    b"A=\"a\\nb\\tc\\r\"",
    b"A=\"a\\\\b\"",
    b"A=\"a\\$b\"",
    b"A=\"say \\\"hi\\\"\"",
    b"A='it\\'s'",
    b"A='a\\\\b'",
    b"A='a\\nb'",
    b"A=a\\nb",
    b"A=\"\\a\\b\\f\\v\\x41\\u0041\"",
    b"A=C:\\Users\\new",
    b"A=one\\\ntwo",
    b"A=\"one\\\ntwo\"",
    b"A=\"trailing\\\\\"",
    b"A=${B}\nB=1",
    b"B=1\nA=${B}",
    b"B=1\nA='${B}'",
    b"B=1\nA=\"x${B}y${B}\"",
    b"A=${NOPE:-d}",
    b"A=${NOPE}",
    b"E=\nA=${E:-d}",
    b"A=${NOPE-d}",
    b"A=${NOPE:+d}",
    b"A=${NOPE:?d}",
    b"A=${}",
    b"A=${",
    b"A=$B$",
    b"A=${B}\nB=${A}",
    b"A=${A}",
    b"A=${HOME}",
    b"A=${NOPE:-${B}}\nB=1",
    b"A=${A B}",
    b"A=$(echo x)",
    b"A=pa$$w0rd$x",
    b"__proto__=x",
    b"A=-----BEGIN\nMII+/=\nabc\n-----END",
    b"A=\t1\t",
    b"A=\x0b1\x0c",
    "A=\u{a0}1\u{a0}".as_bytes(),
    "A=\u{2028}1".as_bytes(),
    "A=é日🍡 # ö".as_bytes(),
    b"A=1\x0bB=2",
    b"A==1",
    b"A=''",
    b"A=\"\"",
    b"A='",
    b"A=\"",
    b"A=\\",
    b"A=\x1b[31m",
    b"KEY\n=1",
    b"KEY=\n1",
    b"A=1 \\\nB=2",
    b"export\nA=1",
    b"export=1",
    b"A='1'\r\n\r\nB=\"2\"",
    b"A=1;B=2",
    b"A,B=1",
    b"[A]\nB=1",
    b"{\"A\": 1}",
    b"A=1\n\n\n#",
];

#[test]
fn odd_files_are_read_as_python_dotenv_reads_them() {
    let project = Scratch::initialised();
    let files: Vec<PathBuf> = (0..ODD.len()).map(|number| project.path().join(format!("odd/{number}"))).collect();
    for (number, contents) in ODD.iter().enumerate() {
        project.write(&format!("odd/{number}"), contents);
    }
    let mut different = Vec::new();
    for (contents, expected) in ODD.iter().zip(python_dotenv(&project, &files)) {
        project.write(".env", contents);
        let expected = expected.as_object().expect("python-dotenv reads all of these").clone();
        if let Some(difference) = difference(&project, &expected) {
            different.push(format!("{:?}: {difference}", String::from_utf8_lossy(contents)));
        }
    }
    assert!(
        different.is_empty(),
        "{} of {} files differ:\n{}",
        different.len(),
        ODD.len(),
        different.join("\n")
    );
}

#[test]
fn a_nul_is_an_error_with_its_place_because_no_environment_could_take_it() {
    let project = Scratch::initialised();
    project.write(".env", "A=1\nB=x\0y\n");
    let _ = project.run(&["env", "list"]).fails(1, &[".env:2:4", "NUL", "byte offset 7"]);
}

fn difference(project: &Scratch, expected: &serde_json::Map<String, Value>) -> Option<String> {
    let listed = project.run(&["env", "list", "--json"]);
    if listed.status != 0 {
        return Some(format!("not read: {}", listed.stderr));
    }
    let listed = listed.json();
    let mut keys: Vec<&str> = listed.as_array()?.iter().filter_map(|row| row["key"].as_str()).collect();
    let mut wanted: Vec<&str> = expected.keys().map(String::as_str).collect();
    keys.sort_unstable();
    wanted.sort_unstable();
    if keys != wanted {
        return Some(format!("keys {keys:?}, python-dotenv has {wanted:?}"));
    }
    expected.iter().find_map(|(key, value)| {
        let answer = project.run(&["env", "get", "--reveal", "--", key]);
        let got = (answer.status == 0).then(|| answer.stdout.strip_suffix('\n').unwrap_or("no line feed").to_owned());
        (got.as_deref() != value.as_str()).then(|| format!("{key} is {got:?}, python-dotenv has {value}"))
    })
}

#[test]
fn a_file_that_python_dotenv_cannot_decode_is_an_error_with_line_and_column() {
    let project = Scratch::initialised();
    project.write(".env", b"A=1\nB=x\xffy\n");
    assert_eq!(python_dotenv(&project, &[project.path().join(".env")])[0], Value::Null);
    let _ = project.run(&["env", "list"]).fails(1, &[".env:2:4"]);
    let _ = project.dango(&["env", "set", "C"]).stdin("x").run().fails(1, &[".env:2:4"]);
    assert_eq!(project.read_bytes(".env"), b"A=1\nB=x\xffy\n");
}
