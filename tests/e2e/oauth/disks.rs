//! A disk that is full when new tokens are to be stored, a real file system in a mount namespace of its own.

use dango_tests::provider::{Fake, Reuse, Rotating};
use dango_tests::{Output, Scratch, dango};

use super::rotating_project;
use crate::answers::Answer;

/// What the script says first where the first renewal has left the file as it was.
const UNCHANGED: &str = "unchanged after the first renewal";

/// Takes the project to a small file system, fills it but for what is left, renews there, makes room and renews again.
///
/// Whatever ends this script with 99 is no answer of dango's, but a broken promise or a test that could not run.
const SCRIPT: &str = r#"
set -u
mkdir ../mounted && mount -t tmpfs -o size=2m none ../mounted && cp -a . ../mounted && cd ../mounted || { echo "cannot mount here" >&2; exit 99; }
cp .dlt/secrets.toml ../before || exit 99
dd if=/dev/zero of=filler bs=4096 2>/dev/null; truncate -s -"$LEFT" filler || exit 99
"$DANGO" oauth refresh corp_data
status=$?
cmp -s ../before .dlt/secrets.toml && echo "$UNCHANGED"
ls -A . .dlt | grep -F .tmp && { echo "a temporary file was left" >&2; exit 99; }
rm filler
"$DANGO" oauth refresh corp_data || { echo "the grant is lost" >&2; exit 99; }
cat .dlt/secrets.toml
exit $status
"#;

fn refresh_there(project: &Scratch, left: usize) -> Output {
    let user = project.command("id", &["-u"]).run().success().stdout;
    let spaces = if user.trim() == "0" { "-m" } else { "-rm" };
    project
        .command("unshare", &[spaces, "sh", "-c", SCRIPT])
        .env("DANGO", dango())
        .env("LEFT", left.to_string())
        .env("UNCHANGED", UNCHANGED)
        .run()
}

#[test]
fn a_full_disk_costs_no_grant_and_once_there_is_room_the_renewal_succeeds() {
    let mut refused_before = 0;
    // The fuller, the earlier it fails: at the record of what is about to happen, at the tokens, at the record of what has happened.
    for left in (0..64).map(|step| step * 4096) {
        let fake = Fake::start(Rotating::new(Reuse::AfterSuccessor));
        let project = rotating_project(&fake);
        let output = refresh_there(&project, left);
        let unchanged = output.stdout.starts_with(UNCHANGED);
        assert!([0, 1].contains(&output.status), "{left} left: {output:?}");
        if output.status == 1 {
            let said = output.clone().says(&["space"]);
            assert!(!said.stderr.contains("canary-"), "{}", said.stderr);
            assert_ne!(
                said.stderr.contains("the change was made"),
                unchanged,
                "{left} left: {}",
                said.stderr
            );
            let asked = fake.asked("/token").len();
            if said.stderr.contains("nothing was changed") {
                refused_before += 1;
                assert_eq!(asked, 2, "{left} left: the provider was asked to connect and once there was room");
            }
        }
        let newest = fake.provider().given() - 1;
        assert!(
            output.stdout.contains(&format!("\"canary-r{newest}\"")),
            "{left} left: {}",
            output.stdout
        );
        assert_eq!(fake.provider().reuses(), 0, "{left} left");
        if output.status == 0 {
            assert!(!unchanged && refused_before > 0);
            return;
        }
    }
    panic!("256 KiB are too little to renew a connection");
}
