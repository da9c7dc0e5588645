//! What servers do by themselves, on three at once.
//!
//! | what | how often | on several servers |
//! |---|---|---|
//! | a checkpoint of the log | where one is due: looked at once a minute and at the end | each keeps one of its own, beside its own key: a witness that the others cannot change |
//! | the database's clock | twice a minute, and at each new connection | each compares its own |
//! | connections to providers | once a minute | each looks at the project's files; a renewal is claimed before it begins: `server::oauth_contention` |
//! | sessions that have ended, tries that no longer matter, old records of the log where that is wanted | at the start, then once an hour, the log once a day | one of them, which holds a lease in the database; another follows when it ends |
//! | traces | as they come | each sends its own |
//!
//! Nothing else runs. What has expired counts no more from that moment on, whether it is still there or not.

use dango_tests::{Server, dango_server};

use super::house::{House, start, wait_until};

/// So many sessions of everybody, and budgets of strangers, that nobody comes back for: more than go at a time.
const LEFT_BEHIND: &str = "\
    INSERT INTO dango.sessions (digest, id, user_id, stage, factors, authenticated_at, stepped_up_at, epoch, created_at, expires_at, \
    last_active_at, mac, attempts) SELECT sha256(convert_to(n::text, 'UTF8')), decode(md5(n::text), 'hex'), users.id, 'full', 1, 1, 1, 0, 1, \
    1, 1, sha256(''), 0 FROM generate_series(1, 3000) AS n, dango.users; \
    INSERT INTO dango.attempts (account, device_id, failures, total, level, \"window\", last_at) \
    SELECT sha256(convert_to(n::text, 'UTF8')), '', 1, 1, 0, 0, 1 FROM generate_series(1, 3000) AS n";

/// What of it is there.
const LEFT: &str =
    "SELECT (SELECT count(*) FROM dango.sessions WHERE expires_at = 1) + (SELECT count(*) FROM dango.attempts WHERE last_at = 1)";

/// Who has looked last.
const HOLDER: &str = "SELECT encode(holder, 'hex') FROM dango.project_claims WHERE project = 'database' AND name = 'retention'";

/// Ends the leases of those that are gone, as time does.
const AN_HOUR_LATER: &str = "UPDATE dango.project_claims SET until = 0 WHERE project = 'database'";

#[test]
fn what_has_ended_is_let_go_of_by_one_of_three_servers_and_by_another_where_that_one_was_killed() {
    let mut house = House::new();
    wait_until("one of the three has looked", || !house.sql(HOLDER).is_empty());
    let admin = house.admin(0);
    let _ = house.sql(LEFT_BEHIND);
    let records = house.sql("SELECT count(*) FROM dango.audit");
    // Whoever holds the lease is killed, and its hour is not over.
    house.servers.drain(..).for_each(Server::kill);
    let holder = house.sql(HOLDER);
    let _ = house.sql(AN_HOUR_LATER);
    house.servers = house.projects.iter().map(|project| start(project, &[])).collect();
    wait_until("nothing is left", || house.sql(LEFT) == "0");
    let told = |server: &Server| server.log().matches("let go of what has ended").count();
    wait_until("it is told", || house.servers.iter().map(told).sum::<usize>() > 0);
    assert_ne!(house.sql(HOLDER), holder);
    assert_eq!(house.everywhere(&admin, "/api/auth/me"), [200; 3], "who is there stays");
    let logs: Vec<String> = house.servers.drain(..).map(|server| server.stop().1).collect();
    let told: Vec<&str> = logs
        .iter()
        .flat_map(|log| log.lines())
        .filter(|line| line.contains("let go of what has ended"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let counts = [r#""sessions":3000"#, r#""attempts":3000"#];
    assert!(counts.iter().all(|count| told[0].contains(count)), "{told:?}");
    assert_eq!(
        house.sql("SELECT count(*) FROM dango.audit"),
        records,
        "nothing of it counted any more"
    );
}

#[test]
fn records_leave_the_log_where_that_is_wanted_once_and_the_rest_verifies() {
    let mut house = House::new();
    let mut admin = house.admin(0);
    let _ = house.add(&mut admin, "ben@team.example", "viewer");
    let records: u64 = house.sql("SELECT count(*) FROM dango.audit").parse().expect("a number");
    house.servers.drain(..).for_each(Server::kill);
    house.servers = house
        .projects
        .iter()
        .map(|project| start(project, &["--audit-retention-days", "1"]))
        .collect();
    wait_until("one has looked", || {
        house.sql("SELECT count(*) FROM dango.project_claims WHERE name = 'audit-retention' AND until > 0") == "1"
    });
    // Nothing is a day old, and a schedule that finds nothing says nothing.
    assert_eq!(house.sql("SELECT count(*) FROM dango.audit"), records.to_string());
    house.verify();
}

#[test]
fn each_server_keeps_a_checkpoint_of_the_one_log_and_none_of_them_writes_to_it_by_itself() {
    let mut house = House::new();
    let mut admin = house.admin(0);
    let _ = house.add(&mut admin, "ben@team.example", "viewer");
    let records = house.sql("SELECT count(*) FROM dango.audit");
    for server in house.servers.drain(..) {
        assert_eq!(server.stop().0, 0);
    }
    assert_eq!(house.sql("SELECT count(*) FROM dango.audit"), records, "ending writes nothing");
    for project in &house.projects {
        let note = project.read(".dango/audit-postgres.checkpoint");
        let size: u64 = note
            .lines()
            .nth(1)
            .and_then(|size| size.parse().ok())
            .unwrap_or_else(|| panic!("{note}"));
        assert!((1..=records.parse().expect("a number")).contains(&size), "{note}");
    }
    house.servers = house.projects.iter().map(|project| start(project, &[])).collect();
    for project in &house.projects {
        let said = project.command(dango_server(), &["verify"]).run();
        assert_eq!(said.status, 0, "{}", said.stderr);
    }
    house.verify();

    // A log that was cut off is one that each of them misses, though it is a chain.
    let _ = house.sql(
        "ALTER TABLE dango.audit DISABLE TRIGGER USER; ALTER TABLE dango.audit_head DISABLE TRIGGER USER; \
         DELETE FROM dango.audit WHERE seq > 3; DELETE FROM dango.audit_head",
    );
    for project in &house.projects {
        let said = project.command(dango_server(), &["verify"]).run();
        assert_eq!((said.status, said.stdout.as_str()), (3, ""), "{}", said.stderr);
        assert!(said.stderr.contains("tampered with"), "{}", said.stderr);
    }
}
