//! Many processes at one connection: one of them asks the provider, and nobody's work is lost.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::thread;

use dango_tests::Scratch;
use dango_tests::provider::{Fake, Reuse, Rotating, Trouble};

use super::{rotating_project, stored};
use crate::answers::{Answer, revealed, set, set_env};

const GROUPS: usize = 3;
const EACH: usize = 20;

#[test]
fn of_sixty_renewals_in_three_groups_of_processes_one_asks_the_provider_and_all_succeed() {
    let fake = Fake::start(Rotating::new(Reuse::Any));
    let project = rotating_project(&fake);
    project.write("folder/below/file", "");
    let lock = project.path().join(".dango/oauth-corp_data.lock");
    let held = OpenOptions::new().write(true).open(lock).expect("connecting has made it");
    held.lock().expect("free");
    let mut children: Vec<Child> = (0..GROUPS).flat_map(|group| start_group(&project, group)).collect();
    for child in &mut children {
        let mut said = BufReader::new(child.stderr.take().expect("it was asked for"));
        let mut warning = String::new();
        said.read_line(&mut warning).expect("text");
        // It is said once the connection was read, so each of them began before the first renewal.
        assert!(warning.contains("DANGO_OAUTH_CORP_TOKEN_URL"), "{warning}");
        child.stderr.replace(said.into_inner());
    }
    assert_eq!(fake.asked("/token").len(), 1, "the one that connected");
    held.unlock().expect("held");
    for child in children {
        let output = child.wait_with_output().expect("ended");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(fake.asked("/token").len(), 2, "one to connect, one to renew");
    assert_eq!(stored(&project), ("canary-a1".to_owned(), "canary-r1".to_owned()));
    // And what is stored is what the provider takes: it has seen no token twice.
    let _ = project.run(&["oauth", "refresh", "corp_data"]).success();
    assert_eq!((fake.provider().reuses(), stored(&project).1.as_str()), (0, "canary-r2"));
    let events = project
        .run(&["audit", "list", "--type", "oauth_refreshed", "--json"])
        .success()
        .json();
    assert_eq!(
        events["events"].as_array().map(Vec::len),
        Some(2),
        "those who found it done did nothing: {events}"
    );
}

/// As from a machine of its own: a process group, at another place of the project.
fn start_group(project: &Scratch, group: usize) -> Vec<Child> {
    let mut leader = 0;
    let start = |_| {
        let invocation = project.dango(&["oauth", "refresh", "corp_data"]);
        let invocation = match group {
            0 => invocation,
            1 => invocation.inside(project.path().join("folder/below")),
            _ => invocation.inside("/").env("DANGO_PROJECT_ROOT", project.path()),
        };
        let mut command = invocation.into_command();
        let child = command.process_group(leader).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let child = child.expect("started");
        if leader == 0 {
            leader = i32::try_from(child.id()).expect("a process id");
        }
        child
    };
    (0..EACH).map(start).collect()
}

#[test]
fn whoever_waits_uses_what_was_renewed_meanwhile_though_the_provider_is_slow() {
    let fake = Fake::start(Rotating::new(Reuse::Any));
    let project = rotating_project(&fake);
    let gate = dango_tests::provider::Gate::shut();
    fake.trouble("/token", [Trouble::HeldAnswer(gate.clone())]);
    thread::scope(|scope| {
        let first = scope.spawn(|| project.run(&["oauth", "refresh", "corp_data"]));
        gate.wait_for_somebody();
        let mut second = project.dango(&["oauth", "refresh", "corp_data"]).into_command();
        let mut second = second.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("started");
        let mut said = BufReader::new(second.stderr.take().expect("it was asked for"));
        said.read_line(&mut String::new()).expect("text");
        gate.open();
        let _ = first.join().expect("no panic").success();
        assert!(second.wait().expect("ended").success());
    });
    assert_eq!(fake.asked("/token").len(), 2, "one to connect, one to renew");
}

#[test]
fn renewals_and_the_changes_of_others_lose_nothing_of_each_other() {
    const TURNS: usize = 8;
    let fake = Fake::start(Rotating::new(Reuse::Any));
    let project = rotating_project(&fake);
    let add = ["source", "add", "stripe", "--name", "shop", "--field", "stripe_secret_key"];
    let _ = project.dango(&add).stdin("sk_before").run().success();
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..TURNS {
                let _ = project.run(&["oauth", "refresh", "corp_data"]).success();
            }
        });
        scope.spawn(|| {
            for turn in 0..TURNS {
                let edit = ["source", "edit", "shop", "--field", "stripe_secret_key"];
                let _ = project.dango(&edit).stdin(format!("sk_{turn}")).run().success();
            }
        });
        scope.spawn(|| (0..TURNS).for_each(|turn| set(&project, &format!("sources.other.key_{turn}"), &format!("value {turn}"))));
        scope.spawn(|| (0..TURNS).for_each(|turn| set_env(&project, &format!("KEY_{turn}"), &format!("value {turn}"))));
    });
    let env = project.read(".env");
    for turn in 0..TURNS {
        assert_eq!(revealed(&project, &format!("sources.other.key_{turn}")), format!("value {turn}"));
        assert!(env.contains(&format!("KEY_{turn}=")), "{env}");
    }
    assert_eq!(revealed(&project, "sources.shop.stripe_secret_key"), format!("sk_{}", TURNS - 1));
    assert_eq!(stored(&project).1, format!("canary-r{TURNS}"));
    assert!(env.contains("CORP_CLIENT_ID="), "{env}");
    let _ = project.run(&["oauth", "refresh", "corp_data"]).success();
    assert_eq!(fake.provider().reuses(), 0);
    assert_eq!(project.run(&["audit", "verify", "--json"]).success().json()["ok"], true);
}
