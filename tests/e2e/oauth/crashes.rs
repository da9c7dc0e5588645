//! `kill -9` at any instant of a renewal, and answers that are lost on the way: the next renewal succeeds, and a provider that ends reused
//! grants has no reason to end ours.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use dango_tests::Scratch;
use dango_tests::provider::{Fake, Gate, Reply, Reuse, Rotating, Trouble};

use super::{connect, expire, rotating_project, stored};
use crate::answers::{Answer, names};
use crate::values::Dice;

const KILLS: usize = 30;

fn start(project: &Scratch) -> Child {
    let mut command = project.dango(&["oauth", "refresh", "corp_data"]).into_command();
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.spawn().expect("started")
}

fn kill(mut child: Child) -> bool {
    child.kill().expect("a child that was not waited for can be killed");
    child.wait().expect("a killed process ends").signal() == Some(9)
}

#[track_caller]
fn refresh(project: &Scratch) {
    let _ = project.run(&["oauth", "refresh", "corp_data"]).success();
}

/// What is stored is the newest that the provider has given.
#[track_caller]
fn assert_newest(project: &Scratch, fake: &Fake<Rotating>) {
    let newest = fake.provider().given() - 1;
    assert_eq!(stored(project), (format!("canary-a{newest}"), format!("canary-r{newest}")));
}

#[test]
fn a_renewal_that_is_killed_at_any_instant_costs_no_grant_and_the_next_one_succeeds() {
    let fake = Fake::start(Rotating::new(Reuse::AfterSuccessor));
    kill_at_random(&rotating_project(&fake), &fake, 7);
}

#[test]
fn nor_does_one_that_is_killed_while_it_stores_encrypted_tokens() {
    let fake = Fake::start(Rotating::new(Reuse::AfterSuccessor));
    let mut project = rotating_project(&fake);
    project.give("DANGO_KEY", "11".repeat(32));
    let _ = connect(&project, &["corp_data", "--encrypt"]);
    kill_at_random(&project, &fake, 8);
    assert!(!project.read(".dlt/secrets.toml").contains("canary-"), "they stay encrypted");
}

fn kill_at_random(project: &Scratch, fake: &Fake<Rotating>, seed: u64) {
    let begin = Instant::now();
    refresh(project);
    refresh(project);
    let usual = begin.elapsed() / 2;
    let clean = names(&project.path());
    let mut dice = Dice::new(seed);
    let mut killed = 0;
    for round in 0..KILLS {
        let instant = usual.mul_f64(dice.below(1_200) as f64 / 1_000.0);
        killed += usize::from(kill_at(project, instant));
        refresh(project);
        assert_newest(project, fake);
        assert_eq!(fake.provider().reuses(), 0, "round {round}, after {instant:?}");
    }
    assert!(killed > KILLS / 4, "only {killed} of {KILLS} were still alive, around {usual:?}");
    assert_eq!(names(&project.path()), clean, "the next renewal clears away what dead ones left");
    assert_eq!(project.run(&["audit", "verify", "--json"]).success().json()["ok"], true);
}

fn kill_at(project: &Scratch, instant: Duration) -> bool {
    let begin = Instant::now();
    let child = start(project);
    while begin.elapsed() < instant {
        std::hint::spin_loop();
    }
    kill(child)
}

#[test]
fn killed_before_the_provider_did_anything_nothing_has_happened() {
    let fake = Fake::start(Rotating::new(Reuse::Any));
    let project = rotating_project(&fake);
    let before = stored(&project);
    let gate = Gate::shut();
    fake.trouble("/token", [Trouble::Held(gate.clone())]);
    let child = start(&project);
    gate.wait_for_somebody();
    assert!(kill(child));
    gate.open();
    assert_eq!(stored(&project), before);
    refresh(&project);
    assert_newest(&project, &fake);
    assert_eq!((fake.provider().given(), fake.provider().reuses()), (2, 0));
}

#[test]
fn killed_while_the_answer_is_on_its_way_the_next_renewal_gets_it() {
    let fake = Fake::start(Rotating::new(Reuse::AfterSuccessor));
    let project = rotating_project(&fake);
    for _ in 0..3 {
        let before = stored(&project);
        let gate = Gate::shut();
        fake.trouble("/token", [Trouble::HeldAnswer(gate.clone())]);
        let child = start(&project);
        gate.wait_for_somebody();
        assert!(kill(child));
        gate.open();
        assert_eq!(stored(&project), before);
        refresh(&project);
        assert_newest(&project, &fake);
    }
    assert_eq!(fake.provider().reuses(), 0);
}

#[test]
fn new_tokens_are_stored_before_a_check_uses_them() {
    let fake = Fake::start(Rotating::new(Reuse::AfterSuccessor));
    let project = rotating_project(&fake);
    expire(&project);
    let gate = Gate::shut();
    fake.trouble("/userinfo", [Trouble::HeldAnswer(gate.clone())]);
    let mut command = project.dango(&["oauth", "check"]).into_command();
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = quiet.spawn().expect("started");
    gate.wait_for_somebody();
    assert!(kill(child));
    gate.open();
    assert_eq!(fake.provider().given(), 2, "the check had to renew");
    assert_newest(&project, &fake);
    refresh(&project);
    assert_eq!(fake.provider().reuses(), 0);
}

#[test]
fn what_is_lost_on_the_way_is_asked_for_again_later() {
    let fake = Fake::start(Rotating::new(Reuse::AfterSuccessor));
    let project = rotating_project(&fake);
    let before = project.read(".dlt/secrets.toml");
    fake.trouble("/token", [Trouble::LostRequest, Trouble::LostAnswer, Trouble::LostAnswer]);
    for _ in 0..3 {
        let failed = project.run(&["oauth", "refresh", "corp_data"]);
        let _ = failed.fails(1, &["what is stored stays", "try again later"]).hides(&["canary-"]);
        assert_eq!(project.read(".dlt/secrets.toml"), before);
    }
    refresh(&project);
    assert_newest(&project, &fake);
    assert_eq!(
        (fake.provider().given(), fake.provider().reuses()),
        (2, 0),
        "the same successor came"
    );
}

#[test]
fn a_grant_that_the_provider_ended_for_a_lost_answer_is_said_to_be_dead_and_stays_until_somebody_connects() {
    let fake = Fake::start(Rotating::new(Reuse::Any));
    let project = rotating_project(&fake);
    let before = project.read(".dlt/secrets.toml");
    fake.trouble("/token", [Trouble::LostAnswer]);
    let _ = project.run(&["oauth", "refresh", "corp_data"]).fails(1, &["try again later"]);
    for _ in 0..2 {
        let dead = project.run(&["oauth", "refresh", "corp_data"]);
        let _ = dead.fails(
            1,
            &["takes the connection corp_data no more", "dango oauth corp_data --name corp_data"],
        );
        assert_eq!(project.read(".dlt/secrets.toml"), before);
    }
    assert_eq!(fake.provider().reuses(), 1);
    let _ = connect(&project, &["corp_data"]);
    refresh(&project);
    assert_newest(&project, &fake);
}

#[test]
fn answers_that_say_nothing_about_the_grant_cost_none() {
    let fake = Fake::start(Rotating::new(Reuse::Any));
    let project = rotating_project(&fake);
    let before = project.read(".dlt/secrets.toml");
    let answers = [
        Reply::page(503, "Service Unavailable"),
        Reply::empty(500),
        Reply::json(429, "{\"error\":\"too_many_requests\"}").with("Retry-After", "30"),
        Reply::page(200, "<html>canary: please log in to this network</html>"),
        Reply::page(403, "<html>canary: blocked by the firewall</html>"),
        Reply::redirect("http://169.254.169.254/latest/meta-data/"),
        Reply::endless(),
        Reply::json(200, "{}"),
        Reply::json(200, "{\"access_token\":\"\",\"token_type\":\"Bearer\"}"),
        Reply::json(200, "{\"access_token\":\"canary\\u0000x\",\"token_type\":\"Bearer\"}"),
        Reply::json(400, "{\"error\":\"server_error\"}"),
        Reply::json(401, "{\"error\":\"invalid_client\",\"error_description\":\"canary\"}"),
    ];
    let count = answers.len();
    fake.trouble("/token", answers.map(Trouble::Instead));
    for round in 0..count {
        let failed = project.run(&["oauth", "refresh", "corp_data"]);
        let failed = failed.fails(1, &["was not renewed"]).hides(&["canary"]);
        assert!(!failed.stderr.contains("no more"), "round {round}: {}", failed.stderr);
        assert_eq!(project.read(".dlt/secrets.toml"), before, "round {round}");
    }
    assert_eq!(fake.asked("/token").len(), count + 1, "each was asked once");
    refresh(&project);
    assert_newest(&project, &fake);
}
