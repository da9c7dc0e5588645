//! Disks that take nothing: full ones and read-only ones, each a real file system in a mount namespace of its own.

use dango_tests::{Output, Scratch, dango};

use super::{BOTH, Kept};
use crate::answers::Answer;

/// Lays out a small file system with the old file in it, takes the steps, and ends as `dango` did.
///
/// Whatever ends this script with 99 is no answer of dango's, but a broken promise or a test that could not run.
const SCRIPT: &str = r#"
set -u
mkdir mounted && mount -t tmpfs -o size=128k none mounted && cd mounted || { echo "cannot mount here" >&2; exit 99; }
mkdir -m 700 .dlt .dango && printf '%s' "$OLD" > "$FILE" || exit 99
eval "$PREPARE" || exit 99
printf '%s' "$VALUE" | "$DANGO" $COMMAND
status=$?
printf '%s' "$OLD" | cmp - "$FILE" || { echo "the file was changed" >&2; exit 99; }
ls -A . .dlt | grep -F .tmp && { echo "a temporary file was left" >&2; exit 99; }
exit $status
"#;

/// Sets a large value on such a file system after the preparing steps.
fn set_there(kept: Kept, prepare: &str) -> Output {
    let project = Scratch::new();
    let user = project.command("id", &["-u"]).run().success().stdout;
    let spaces = if user.trim() == "0" { "-m" } else { "-rm" };
    project
        .command("unshare", &[spaces, "sh", "-c", SCRIPT])
        .env("DANGO", dango())
        .env("COMMAND", format!("{} set {}", kept.command, kept.path(0, 0)))
        .env("FILE", kept.file)
        .env("OLD", kept.old)
        .env("VALUE", "v".repeat(100_000))
        .env("PREPARE", prepare)
        .run()
}

#[test]
fn a_full_disk_is_said_with_the_path_and_the_file_is_as_it_was() {
    for kept in BOTH {
        for left in ["0", "4096", "40960"] {
            let fill = format!("dd if=/dev/zero of=filler bs=4096 2>/dev/null; truncate -s -{left} filler");
            let answer = set_there(kept, &fill).fails(1, &["space"]).hides(&["vvvv"]);
            assert!(answer.stderr.contains("mounted"), "the place is to be named: {}", answer.stderr);
        }
    }
}

#[test]
fn a_read_only_disk_is_said_with_the_path_and_the_file_is_as_it_was() {
    for kept in BOTH {
        let answer = set_there(kept, "mount -o remount,ro mounted 2>/dev/null || mount -o remount,ro \"$PWD\"").fails(1, &["read-only"]);
        assert!(answer.hides(&["vvvv"]).stderr.contains("mounted"), "the place is to be named");
    }
}

#[test]
fn reading_goes_on_where_nothing_can_be_written() {
    for kept in BOTH {
        let project = Scratch::new();
        let script = r#"
            mkdir mounted && mount -t tmpfs none mounted && cd mounted && mkdir -m 700 .dlt .dango && printf '%s' "$OLD" > "$FILE" || exit 99
            mount -o remount,ro "$PWD" || exit 99
            "$DANGO" $COMMAND list
        "#;
        let user = project.command("id", &["-u"]).run().success().stdout;
        let spaces = if user.trim() == "0" { "-m" } else { "-rm" };
        let answer = project
            .command("unshare", &[spaces, "sh", "-c", script])
            .env("DANGO", dango())
            .env("COMMAND", kept.command)
            .env("FILE", kept.file)
            .env("OLD", kept.old)
            .run();
        assert!(answer.success().stdout.contains("***"), "the stored credential is listed");
    }
}
