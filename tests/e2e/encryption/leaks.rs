//! After `encrypt --all`, and after everything that is done later, no six bytes of any value are in any file of the project.

use dango_tests::{Scratch, Windows};

use super::{SECRETS, encrypt_all, with_key_file};
use crate::answers::revealed;

/// Values as people have them; none of their windows is anything else in a project.
const VALUES: &[&str] = &[
    "sk_live_Qx7vPz41JkTn",
    "hunter2Hunter3",
    "postgres://root7:p%40Wz9@db.intern:5432/x?y=1",
    "-----BEGIN ZKEY-----",
    "MIIEvQIBADANBgkq+/hkiG9w0==",
    "7382910564",
    "2031-02-27T07:32:00Z",
    "3.14159265358979",
    "alpha-Tag-9",
    "inline-Wv83Kq",
    "naïve-日本語-🍡🍡",
    "env-Zk4Lq8Rt",
    "quoted env-Yh2Mn6",
    "new-Gt5Vb1Xs",
    "newer-Dw8Cr3Ke",
    "taken-in-Pq0Ns7Uf",
];

/// Each kind of value, each with a comment that repeats it in some form.
fn secrets() -> String {
    let hex: String = VALUES[0].bytes().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "# by hand\n[sources.s]\ntoken = '{}' # rotate {} before May\npassword = \"{}\"# is {}!\nurl = \"{}\" # p%40Wz9@db\n\
         pem = \"\"\"\n{}\n{}\n\"\"\" # {}\nnumber = {} # {}\nuntil = {} # until {}\nratio = {}\n\
         tags = [ \"{}\", 7, '{}' ] # {} and {}\nlogin = {{ user = \"{}\", name = 'x' }} # user {}\n\
         unicode = \"{}\" # {}\nhex = \"{}\" # hex of the token: {hex}\n",
        VALUES[0],
        VALUES[0],
        VALUES[1],
        VALUES[1],
        VALUES[2],
        VALUES[3],
        VALUES[4],
        VALUES[4],
        VALUES[5],
        VALUES[5],
        VALUES[6],
        VALUES[6],
        VALUES[7],
        VALUES[8],
        VALUES[1],
        VALUES[8],
        VALUES[1],
        VALUES[9],
        VALUES[9],
        VALUES[10],
        VALUES[10],
        VALUES[0],
    )
}

fn env() -> String {
    format!(
        "# by hand\nexport A={} # was {}\nB=\"{}\" # and {}\nA={}\n",
        VALUES[11], VALUES[11], VALUES[12], VALUES[12], VALUES[12]
    )
}

#[track_caller]
fn assert_no_window(project: &Scratch, when: &str) {
    let found = Windows::of(VALUES.iter().copied()).found_below(&project.path());
    assert_eq!(found, Vec::<String>::new(), "{when}");
}

#[track_caller]
fn set(project: &Scratch, path: &str, value: &str) {
    crate::answers::set(project, path, value);
    assert_eq!(revealed(project, path), value);
}

#[test]
fn no_six_bytes_of_any_value_are_left_in_any_file() {
    let project = with_key_file();
    project.write(SECRETS, secrets());
    project.write(".env", env());
    let everything = Windows::of(VALUES.iter().copied()).found_below(&project.path());
    assert!(everything.len() > 300, "the search finds them while they are plain");
    encrypt_all(&project);
    assert_no_window(&project, "encrypted");

    set(&project, "sources.s.token", VALUES[13]);
    set(&project, "sources.s.token", VALUES[14]);
    set(&project, "sources.s.new.deep", VALUES[13]);
    crate::answers::set_env(&project, "A", VALUES[13]);
    crate::answers::set_env(&project, "NEW", VALUES[14]);
    assert_no_window(&project, "set anew");

    let _ = project.run(&["key", "rotate"]).success();
    assert_no_window(&project, "rotated");

    let _ = project.run(&["secrets", "rollback", "sources.s.token@2"]).success();
    assert_eq!(revealed(&project, "sources.s.token"), VALUES[0]);
    let _ = project.run(&["env", "rollback", "A@1"]).success();
    assert_no_window(&project, "rolled back");

    let _ = project.run(&["secrets", "unset", "sources.s.password"]).success();
    let _ = project.run(&["env", "unset", "NEW"]).success();
    assert_no_window(&project, "unset");

    let import = project.dango(&["secrets", "import", "/dev/stdin", "--format", "json", "--overwrite"]);
    let json = format!(
        "{{\"sources\": {{\"s\": {{\"token\": \"{}\", \"more\": \"{}\"}}}}}}",
        VALUES[15], VALUES[15]
    );
    let _ = import.stdin(json).run().success();
    assert_eq!(revealed(&project, "sources.s.more"), VALUES[15]);
    assert_no_window(&project, "imported");

    project.write(".dango/sources.yml", "sources:\n  - {name: eu, type: stripe, sync: 'true'}\n");
    let edit = ["source", "edit", "eu", "--field", "stripe_secret_key"];
    let _ = project.dango(&edit).stdin(VALUES[0]).run().success();
    assert_eq!(revealed(&project, "sources.eu.stripe_secret_key"), VALUES[0]);
    let add = ["source", "add", "stripe", "--name", "us", "--field", "stripe_secret_key"];
    let _ = project.dango(&add).stdin(VALUES[1]).run().success();
    assert_no_window(&project, "through a source");

    let _ = project.dango(&["key", "export", "backup"]).stdin(VALUES[1]).run().success();
    let _ = project.run(&["sync", "eu"]).success();
    let _ = project.run(&["run", "--redact", "--", "true"]).success();
    let _ = project.run(&["secrets", "reseal"]).success();
    assert_no_window(&project, "used");
    let home = Windows::of(VALUES.iter().copied()).found_below(&project.home());
    assert_eq!(home, Vec::<String>::new());
}

#[test]
fn comments_that_hold_a_value_come_back_when_it_is_decrypted() {
    let project = with_key_file();
    project.write(SECRETS, secrets());
    project.write(".env", env());
    encrypt_all(&project);
    let _ = project.run(&["secrets", "decrypt", "--all"]).success();
    let _ = project.run(&["env", "decrypt", "--all"]).success();
    assert_eq!((project.read(SECRETS), project.read(".env")), (secrets(), env()));
}

#[test]
fn a_line_that_holds_a_value_and_cannot_be_encrypted_is_reported_without_it() {
    let project = with_key_file();
    let text = format!("# the old one was {}\n[sources.s]\ntoken = \"{}\"\n", VALUES[0], VALUES[0]);
    project.write(SECRETS, text);
    let answer = project.run(&["secrets", "encrypt", "--all"]).success();
    assert!(answer.stderr.contains("secrets.toml:1"), "the line is named: {}", answer.stderr);
    assert!(!answer.stderr.contains(VALUES[0]) && !answer.stdout.contains(VALUES[0]));
}
