//! `dango run --redact`: known values and their usual forms never come out, everything else does, unchanged and without waiting.

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use dango_tests::{Output, Scratch, python};

use crate::answers::{Answer, set, set_env};

const SECRET: &str = "sk_live_51H8x/+canary\"q\\é";
const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0canary1\nAQEFAASCBKcwggSjAgEAAcanary2\n-----END PRIVATE KEY-----\n";

fn project() -> Scratch {
    let project = Scratch::initialised();
    set(&project, "sources.a.k", SECRET);
    set(&project, "sources.a.pem", PEM);
    set_env(&project, "ENV_SECRET", "envfile-canary-42");
    project
}

/// Runs a Python script below `run --redact`; `k`, `pem` and `e` are the secrets, `out(bytes)` writes at once.
fn script(project: &Scratch, script: &str) -> Output {
    let begin = "import base64, json, os, sys, time, urllib.parse\n\
        k, pem, e = (os.environ[n] for n in ('SOURCES__A__K', 'SOURCES__A__PEM', 'ENV_SECRET'))\n\
        def out(text):\n    os.write(1, text if isinstance(text, bytes) else text.encode())\n";
    project.run(&[
        "run",
        "--redact",
        "--",
        &python().display().to_string(),
        "-c",
        &format!("{begin}{script}"),
    ])
}

#[test]
fn every_usual_form_of_a_value_is_masked_on_both_streams() {
    let project = project();
    for (form, expression) in [
        ("plain", "k"),
        ("from .env", "e"),
        ("base64", "base64.b64encode(k.encode()).decode()"),
        (
            "base64 inside a text",
            "base64.b64encode(b'user:' + k.encode() + b'@host').decode()",
        ),
        ("url-safe base64", "base64.urlsafe_b64encode(k.encode()).decode()"),
        ("base64 without padding", "base64.b64encode(k.encode()).decode().rstrip('=')"),
        ("hex", "k.encode().hex()"),
        ("upper-case hex", "k.encode().hex().upper()"),
        ("URL", "urllib.parse.quote(k, safe='')"),
        ("URL of a form", "urllib.parse.quote_plus(k)"),
        ("JSON", "json.dumps(k)"),
        ("JSON without escapes", "json.dumps(k, ensure_ascii=False)"),
        ("repr", "repr({'k': k})"),
        ("one line of several", "pem.splitlines()[1]"),
        ("another line of several", "pem.splitlines()[2]"),
        ("all lines", "pem"),
        ("all lines in JSON", "json.dumps(pem)"),
    ] {
        for stream in ["sys.stdout", "sys.stderr"] {
            let answer = script(&project, &format!("print('before', {expression}, 'after', file={stream})")).success();
            let said = format!("{}{}", answer.stdout, answer.stderr);
            assert!(said.contains("before ") && said.contains(" after"), "{form}: {said}");
            assert!(said.contains("***"), "{form}: {said}");
            for part in ["canary", "63616e617279", "Y2FuYXJ5", "NhbmFye", "jYW5hcn", "sk_live"] {
                assert!(
                    !said.contains(part) && !said.to_lowercase().contains(&part.to_lowercase()),
                    "{form} shows {part}: {said}"
                );
            }
        }
    }
}

#[test]
fn a_value_split_over_writes_is_masked() {
    let project = project();
    let byte_by_byte = "for byte in ('a ' + k + ' b').encode():\n    out(bytes([byte]))";
    assert_eq!(script(&project, byte_by_byte).success().stdout, "a *** b");
    let halves = "out('a ' + k[:7]); sys.stderr.write('x'); sys.stderr.flush(); out(k[7:] + ' b')";
    let answer = script(&project, halves).success();
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("a *** b", "x"));
    let at_the_end = "out('a ' + k)";
    assert_eq!(script(&project, at_the_end).success().stdout, "a ***");
}

#[test]
fn output_that_holds_no_value_is_unchanged_byte_for_byte() {
    let project = project();
    let answer = script(&project, "out(bytes(range(256)) * 500); out('sk_live_51H8x'); out('\\n')");
    // The start of a value that never ends is no value.
    let digest = "import hashlib, sys; data = sys.stdin.buffer.read(); print(len(data), hashlib.sha256(data).hexdigest())";
    let _ = answer.success();
    let program = format!(
        "\"$DANGO\" run --redact -- \"$PYTHON\" -c 'import os; os.write(1, bytes(range(256)) * 200)' | \"$PYTHON\" -c '{digest}'; \
         \"$PYTHON\" -c 'import os; os.write(1, bytes(range(256)) * 200)' | \"$PYTHON\" -c '{digest}'"
    );
    let answer = project
        .command("sh", &["-c", &program])
        .env("DANGO", dango_tests::dango())
        .env("PYTHON", python())
        .run()
        .success();
    let lines: Vec<&str> = answer.stdout.lines().collect();
    assert!(lines.len() == 2 && lines[0] == lines[1], "{lines:?}");
}

#[test]
fn output_is_passed_on_before_the_command_goes_on() {
    // The command waits for an answer to each prompt: a filter that held the prompt back would never end.
    let project = project();
    let ask = "i=0; while [ $i -lt 20 ]; do printf 'sk_live_? '; read answer; i=$((i+1)); done; echo done";
    let mut command = project.dango(&["run", "--redact", "--", "sh", "-c", ask]).into_command();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("dango starts");
    let (mut input, mut output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    let begin = Instant::now();
    for _ in 0..20 {
        let mut prompt = [0; 10];
        output.read_exact(&mut prompt).expect("the prompt arrives");
        assert_eq!(&prompt, b"sk_live_? ");
        input.write_all(b"y\n").expect("the command reads");
    }
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "twenty prompts took {:?}",
        begin.elapsed()
    );
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("it ends");
    assert_eq!((rest.as_str(), child.wait().expect("it ends").code()), ("done\n", Some(0)));
}

#[test]
fn the_exit_status_is_the_commands_own_with_a_filter_too() {
    let project = project();
    for status in [0, 1, 3, 126, 255] {
        let _ = project
            .run(&["run", "--redact", "--", "sh", "-c", &format!("exit {status}")])
            .ending_with(status);
    }
}

#[test]
fn a_process_left_in_the_background_does_not_hold_it_up() {
    let project = project();
    let begin = Instant::now();
    let answer = project
        .run(&["run", "--redact", "--", "sh", "-c", "echo out; sleep 30 & exit 4"])
        .ending_with(4);
    assert_eq!(answer.stdout, "out\n");
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
}

#[test]
fn short_and_common_values_are_left_and_that_is_said() {
    let project = Scratch::initialised();
    set(&project, "sources.a.short", "e");
    set(&project, "sources.a.common", "true");
    let answer = project.run(&["run", "--redact", "--", "echo", "there are true trees"]).success();
    assert_eq!(answer.stdout, "there are true trees\n");
    let _ = answer.says(&["too short"]);
}

#[test]
fn a_value_from_outside_that_wins_is_masked_as_well() {
    let project = project();
    let words = ["run", "--redact", "--", "sh", "-c", "echo \"$SOURCES__A__K\""];
    let answer = project.dango(&words).env("SOURCES__A__K", "outside-canary-77").run().success();
    assert_eq!(answer.stdout, "***\n");
}
