//! What people do over HTTP: connected, checked, given back, with the file that comes of it.

use dango_actions::{
    ConnectionTrouble, FilesProblem, GrantedAccount, GrantedConnection, ProviderFailure, ProviderProblem, WantedConnection,
};

use super::*;

const BACK: &str = "https://dango.example/oauth/callback/corp_data";

fn wanted(name: &str) -> WantedConnection {
    WantedConnection {
        source_type: "corp_data".parse().expect("a type"),
        name: name.parse().expect("a name"),
    }
}

struct Flow {
    kept: Vec<u8>,
    state: String,
}

fn port(world: &World) -> ProviderConnections {
    ProviderConnections::new(world.desk())
}

fn begin(world: &World, port: &ProviderConnections, wanted: &WantedConnection) -> Flow {
    let begun = world.runtime.block_on(port.begin(wanted, BACK)).expect("begun");
    assert!(begun.url.starts_with("https://corp.example/authorize?"), "{}", begun.url);
    assert!(
        begun.url.contains("code_challenge_method=S256") && !begun.url.contains("canary"),
        "{}",
        begun.url
    );
    Flow {
        kept: begun.kept.to_vec(),
        state: begun.state.expose().to_owned(),
    }
}

fn redeem(
    world: &World,
    port: &ProviderConnections,
    wanted: &WantedConnection,
    kept: &[u8],
    query: &str,
) -> Result<Box<dyn GrantedConnection>, ProviderFailure> {
    world.runtime.block_on(async { port.redeem(wanted, kept, query).await })
}

fn answer(flow: &Flow) -> String {
    format!("code=canary-code&state={}&iss=https%3A%2F%2Fcorp.example", flow.state)
}

fn connect(world: &World, port: &ProviderConnections, name: &str) {
    let wanted = wanted(name);
    let flow = begin(world, port, &wanted);
    let granted = redeem(world, port, &wanted, &flow.kept, &answer(&flow));
    // As the use cases do it: on a thread without a runtime.
    pollster::block_on(granted.unwrap_or_else(|failure| panic!("{:?}", failure.word())).save()).expect("saved");
}

#[test]
fn a_source_is_connected_and_its_file_is_what_it_reads() {
    let world = World::new();
    let port = port(&world);
    let titles: Vec<String> = port.sources().into_iter().map(|source| source.title).collect();
    assert!(
        titles.contains(&"Google Sheets".to_owned()) && titles.contains(&"corp_data".to_owned()),
        "{titles:?}"
    );
    connect(&world, &port, "data");
    let expected = "[sources.data]\naccess_token = \"at-1\"\nrefresh_token = \"rt-1\"\n";
    let file = world.file();
    assert!(file.contains(expected), "{file}");
    for line in [
        "source_type = \"corp_data\"",
        "provider = \"corp\"",
        "identifier = \"ada@corp.example\"",
        "scopes = [\"data.read\", \"data.write\"]",
        "created_at = \"2026-11-22T12:00:00Z\"",
    ] {
        assert!(file.contains(line), "{file}");
    }
    assert!(!file.contains("canary"), "{file}");
}

#[test]
fn an_answer_that_is_not_to_this_flow_sends_its_code_nowhere() {
    let world = World::new();
    let port = port(&world);
    let (data, other) = (wanted("data"), wanted("other"));
    let (flow, another) = (begin(&world, &port, &data), begin(&world, &port, &data));
    let issuer = format!("code=canary-code&state={}&iss=https%3A%2F%2Fevil.example", flow.state);
    let denied = format!("error=access_denied&state={}&iss=https%3A%2F%2Fcorp.example", flow.state);
    let cases = [
        (&data, &flow.kept, issuer, ProviderProblem::StateMismatch),
        (&data, &another.kept, answer(&flow), ProviderProblem::StateMismatch),
        (&other, &flow.kept, answer(&flow), ProviderProblem::StateMismatch),
        (&data, &flow.kept, denied, ProviderProblem::ProviderDenied),
    ];
    for (wanted, kept, query, expected) in cases {
        let failure = redeem(&world, &port, wanted, kept, &query).err().expect("refused");
        assert_eq!(failure.problem(), expected, "{query}");
    }
    world.pass(601);
    let late = redeem(&world, &port, &data, &flow.kept, &answer(&flow)).err().expect("refused");
    assert_eq!(late.problem(), ProviderProblem::SessionExpired);
    assert!(world.corp.asked.lock().expect("whole").is_empty(), "nothing was sent");
}

#[test]
fn another_account_is_told_and_nothing_is_stored_before_somebody_says_so() {
    let world = World::new();
    world.connected(60);
    let port = port(&world);
    *world.corp.email.lock().expect("whole") = "bob@corp.example".to_owned();
    let data = wanted("data");
    let flow = begin(&world, &port, &data);
    let granted = redeem(&world, &port, &data, &flow.kept, &answer(&flow)).unwrap_or_else(|_| panic!("granted"));
    assert_eq!(granted.account(), GrantedAccount::IsAnother);
    assert!(world.file().contains("rt-0"));
    pollster::block_on(granted.save()).expect("saved");
    let file = world.file();
    assert!(file.contains("bob@corp.example") && !file.contains("rt-0"), "{file}");
}

#[test]
fn a_refresh_token_that_is_not_given_again_stays_as_it_is_by_then_and_never_that_of_another_account() {
    for (account, expected) in [("ada@corp.example", Some("rt-9")), ("bob@corp.example", None)] {
        let world = World::new();
        world.connected(60);
        let port = port(&world);
        *world.corp.email.lock().expect("whole") = account.to_owned();
        let data = wanted("data");
        let flow = begin(&world, &port, &data);
        world.corp.befalls(Trouble::WithoutRefreshToken);
        let granted = redeem(&world, &port, &data, &flow.kept, &answer(&flow)).unwrap_or_else(|_| panic!("granted"));
        // Meanwhile another process has renewed what is stored.
        let renewed = world.file().replace("rt-0", "rt-9");
        fs::write(world.project.secrets_toml(), renewed).expect("written");
        pollster::block_on(granted.save()).expect("saved");
        let file = world.file();
        assert!(file.contains("at-alone") && file.contains(account), "{file}");
        match expected {
            Some(token) => assert!(file.contains(token), "{file}"),
            None => assert!(!file.contains("rt-"), "{file}"),
        }
    }
}

#[test]
fn an_account_that_somebody_else_connected_meanwhile_is_not_replaced_unasked() {
    let world = World::new();
    world.connected(60);
    let port = port(&world);
    let data = wanted("data");
    let flow = begin(&world, &port, &data);
    let granted = redeem(&world, &port, &data, &flow.kept, &answer(&flow)).unwrap_or_else(|_| panic!("granted"));
    assert_eq!(granted.account(), GrantedAccount::MayStay);
    let other = world
        .file()
        .replace("ada@corp.example", "bob@corp.example")
        .replace("rt-0", "rt-bob");
    fs::write(world.project.secrets_toml(), &other).expect("written");
    let error = pollster::block_on(granted.save()).expect_err("somebody has to look first");
    assert_eq!(error.word().as_str(), "account_mismatch");
    assert_eq!(world.file(), other);
}

#[test]
fn without_an_app_nothing_is_begun_and_what_no_provider_serves_is_not_supported() {
    let world = World::new();
    fs::remove_file(world.project.env_file()).expect("removed");
    let port = port(&world);
    let problem = |wanted: &WantedConnection| {
        world
            .runtime
            .block_on(port.begin(wanted, BACK))
            .err()
            .map(|failure| failure.problem())
    };
    assert_eq!(problem(&wanted("data")), Some(ProviderProblem::MissingCredentials));
    let postgres = WantedConnection {
        source_type: "postgres".parse().expect("a type"),
        name: "postgres".parse().expect("a name"),
    };
    assert_eq!(problem(&postgres), Some(ProviderProblem::Unsupported));
}

#[test]
fn a_check_renews_what_it_must_and_what_was_revoked_is_told() {
    let world = World::new();
    world.connected(7200);
    let desk = world.desk();
    let port = ProviderConnections::new(Arc::clone(&desk));
    let check = |name: &str| world.runtime.block_on(async { port.check(name).await });
    let checked = check("data").expect("asked");
    assert_eq!((checked.is_valid, checked.error), (true, None));
    assert!(world.file().contains("rt-1"), "the check had to renew, and has stored that");
    world.pass(7200);
    world.corp.befalls(Trouble::Refuses("invalid_grant"));
    let checked = check("data").expect("asked");
    assert!(!checked.is_valid);
    assert_eq!(checked.error.map(|(word, _)| word.as_str()), Some("revoked"));
    assert!(matches!(world.trouble(&desk), Some(ConnectionTrouble::Broken(_))));
    world.corp.befalls(Trouble::Unavailable);
    let checked = check("data").expect("asked");
    assert!(checked.is_valid, "trouble of the provider says nothing about it");
    assert_eq!(check("nothing").expect_err("is not there").problem(), &FilesProblem::NotFound);
}

#[test]
fn what_was_not_granted_is_told() {
    let world = World::new();
    world.connected(60);
    let desk = world.desk();
    assert_eq!(world.trouble(&desk), None);
    let less = world.file().replace(", \"data.write\"", "");
    fs::write(world.project.secrets_toml(), less).expect("written");
    let missing = vec!["data.write".to_owned()];
    assert_eq!(world.trouble(&desk), Some(ConnectionTrouble::Limited { missing }));
}

#[test]
fn a_connection_is_given_back_and_leaves_nothing_behind() {
    let world = World::new();
    world.connected(60);
    let port = port(&world);
    let gone = world.runtime.block_on(async { port.disconnect("data").await }).expect("removed");
    assert!(gone.revoked_at_provider);
    assert_eq!(world.corp.asked("/revoke"), 1);
    let file = world.file();
    assert!(!file.contains("data") && !file.contains("rt-0"), "{file}");
    let again = world.runtime.block_on(async { port.disconnect("data").await });
    assert_eq!(again.expect_err("is gone").problem(), &FilesProblem::NotFound);
}
