//! Disks that are full or read-only under an encrypted project: nothing is half encrypted, and what can be read is read.

use dango_tests::{Output, Scratch, dango};

use super::with_key_file;
use crate::answers::Answer;

/// Copies the project onto a small file system of its own, takes the steps there, and ends as they do.
///
/// Whatever ends this script with 99 is a broken promise or a test that could not run.
const SCRIPT: &str = r#"
set -u
mkdir -p mounted && mount -t tmpfs -o size=1m none mounted && cp -a .dango .dlt .env mounted || { echo "cannot mount here" >&2; exit 99; }
cd mounted
read_only() { mount -o remount,ro "$PWD" || exit 99; }
leave() {
    rm -f filler
    free=$(df -k . | awk 'NR == 2 { print $4 }')
    dd if=/dev/zero of=filler bs=1k count=$((free - $1)) 2>/dev/null || exit 99
}
same() { cmp "$1" "../$1" || { echo "$1 was changed" >&2; exit 99; }; }
eval "$STEPS"
"#;

fn there(project: &Scratch, steps: &str) -> Output {
    let user = project.command("id", &["-u"]).run().success().stdout;
    let spaces = if user.trim() == "0" { "-m" } else { "-rm" };
    let command = project.command("unshare", &[spaces, "sh", "-c", SCRIPT]);
    command.env("DANGO", dango()).env("STEPS", steps).run()
}

/// A project with values that need more room than some of the disks have.
fn project() -> Scratch {
    let project = with_key_file();
    let values: String = (0..1_200).map(|n| format!("k{n} = \"value {n} {}\"\n", "x".repeat(40))).collect();
    project.write(super::SECRETS, format!("[sources.many]\n{values}"));
    project
}

#[test]
fn a_full_disk_leaves_everything_plain_or_under_keys_that_are_held() {
    let project = project();
    for left in [0, 8, 40, 100] {
        let steps =
            format!("leave {left}; $DANGO secrets encrypt --all; status=$?; same .dlt/secrets.toml; $DANGO run -- true && exit $status");
        let _ = there(&project, &steps).fails(1, &["space"]).hides(&["value 1"]);
    }
    let _ = project.run(&["secrets", "encrypt", "--all"]).success();
    for left in [0, 8, 40, 100] {
        let steps = format!("leave {left}; $DANGO key rotate; status=$?; same .dlt/secrets.toml; $DANGO run -- true && exit $status");
        let answer = there(&project, &steps).fails(1, &["space"]);
        assert!(!answer.stderr.contains("seal"), "{}", answer.stderr);
        let resumed = format!("leave {left}; $DANGO key rotate; rm filler; $DANGO key rotate && $DANGO run -- true");
        let _ = there(&project, &resumed).success();
    }
}

#[test]
fn encrypted_values_are_used_where_nothing_can_be_written() {
    let project = with_key_file();
    super::fill(&project);
    // What was seen last is not there to be compared with, and cannot be noted.
    let steps = "rm .dango/seen-*; read_only; $DANGO secrets get sources.eu.stripe_secret_key --reveal && $DANGO run -- printenv TOKEN";
    let answer = there(&project, steps).success();
    assert_eq!(
        (answer.stdout.as_str(), answer.stderr.as_str()),
        ("value-of-eu\nvalue-of-token\n", "")
    );
    let steps = "read_only; printf new | $DANGO secrets set sources.eu.stripe_secret_key";
    let _ = there(&project, steps).fails(1, &["read-only"]);
}
