//! Settings from every place, and what is said where one is wrong.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use dango_core::OsEntropy;
use tempfile::TempDir;

use super::*;

fn project(file: &str) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    dango_secrets::storage::update(&directory.path().join(".dango/server.toml"), &OsEntropy, |_| {
        Ok::<_, std::convert::Infallible>(dango_secrets::storage::Edit::Replace(file.as_bytes().to_vec().into(), ()))
    })
    .expect("written");
    directory
}

fn read(directory: &TempDir, options: &[&str], variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let line: Vec<OsString> = ["dango-server"].iter().chain(options).map(OsString::from).collect();
    let line = parse_arguments(&line).unwrap_or_else(|error| panic!("{error}"));
    let environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    Unplaced::new(line.options, &environment)?.with_file(&Project::at(directory.path()), Path::new("/cwd"))
}

#[test]
fn an_option_comes_before_a_variable_before_the_file_before_the_default() {
    let variable = [("DANGO_SERVER_LISTEN", "127.0.0.1:2")];
    let port = |file, options: &[&str], variables: &[_]| read(&project(file), options, variables).expect("good").listen.port();
    let file = "listen = \"127.0.0.1:3\"\n";
    assert_eq!(port("", &[], &[]), 8800);
    assert_eq!(port(file, &[], &[]), 3);
    assert_eq!(port(file, &[], &variable), 2);
    assert_eq!(port(file, &["--listen", "127.0.0.1:1"], &variable), 1);
    assert_eq!(port(file, &["serve", "--listen", "127.0.0.1:1"], &variable), 1);
}

#[test]
fn a_list_of_a_stronger_place_replaces_the_weaker_one() {
    let directory = project("trusted_proxy = [\"10.0.0.0/8\", \"fd00::/8\"]\n");
    let count = |options: &[&str], variables: &[_]| read(&directory, options, variables).expect("good").trusted_proxies.len();
    assert_eq!(count(&[], &[]), 2);
    assert_eq!(count(&[], &[("DANGO_SERVER_TRUSTED_PROXY", "10.0.0.1, 10.0.0.2,10.0.0.3")]), 3);
    assert_eq!(count(&["--trusted-proxy", "::1"], &[]), 1);
    assert_eq!(count(&["--trusted-proxy", "::1", "--trusted-proxy", "::2"], &[]), 2);
}

#[test]
fn every_setting_can_be_given_in_every_place_that_the_table_says() {
    for setting in SETTINGS {
        let sample = match setting.value {
            "ADDRESS" => "127.0.0.1:0",
            "URL" if setting.name == "database-url" => "sqlite:/d",
            "URL" if setting.name == "database-owner-url" => "postgres://owner@localhost/d",
            "URL" => "https://a.example",
            "CIDR" => "10.0.0.0/8",
            "FORMAT" => "json",
            "LEVEL" => "warn",
            "NAME" => "nist",
            "ROLE" => "admin",
            "PROVIDER" => "google",
            "KIB" => "20000",
            "COUNT" | "SECONDS" | "DAYS" => "7",
            _ => "/f",
        };
        let other = match setting.name {
            "tls-cert" => vec!["--tls-key", "/k"],
            "tls-key" => vec!["--tls-cert", "/c"],
            "login-oidc-client" => vec!["--login-oidc-issuer", "https://a.example"],
            "login-oidc-issuer" => vec!["--login-oidc-client", "1234"],
            _ => vec![],
        };
        let option = format!("--{}", setting.name);
        let with_option = [&other[..], &[&option, sample]].concat();
        assert!(read(&project(""), &with_option, &[]).is_ok(), "{option}");
        assert!(
            read(&project(""), &other, &[(&setting.variable(), sample)]).is_ok(),
            "{}",
            setting.variable()
        );
        let file = project(&format!("{} = \"{sample}\"\n", setting.key()));
        assert_eq!(read(&file, &other, &[]).is_ok(), setting.places == Places::All, "{}", setting.key());
        // And what cannot be right is refused from everywhere.
        if setting.name != "project" {
            assert!(
                read(&project(""), &other, &[(&setting.variable(), "")]).is_err(),
                "{}",
                setting.variable()
            );
        }
    }
}

#[test]
fn what_is_wrong_is_named_by_its_place_and_not_repeated() {
    let message = |file: &str, options: &[&str], variables: &[_]| {
        let directory = project(file);
        let error = read(&directory, options, variables).expect_err("refused").to_string();
        assert!(!error.contains("canary"), "{error}");
        error.replace(&directory.path().display().to_string(), "P")
    };
    assert_eq!(
        message("", &[], &[("DANGO_SERVER_LISTN", "canary")]),
        "DANGO_SERVER_LISTN is no setting of the server"
    );
    assert_eq!(
        message("\n\ncanary = 1\n", &[], &[]),
        "P/.dango/server.toml:3:1: this key is no setting of the server"
    );
    assert_eq!(
        message("project = \"canary\"\n", &[], &[]),
        "P/.dango/server.toml:1:1: this key is no setting of the server"
    );
    assert_eq!(
        message("listen = [\"canary\"]\n", &[], &[]),
        "P/.dango/server.toml:1:1: this setting has one value, not an array"
    );
    assert_eq!(message("listen = canary\n", &[], &[]), "P/.dango/server.toml:1:10: this is no TOML");
    assert_eq!(
        message("idle_timeout = 0\n", &[], &[]),
        "P/.dango/server.toml:1:16: the value of idle-timeout has to be a whole number of seconds from 1 to 86400"
    );
    assert_eq!(
        message("", &["--log-format", "canary"], &[]),
        "--log-format: the value of log-format has to be human or json"
    );
    assert!(message("", &[], &[("DANGO_SERVER_DATABASE_URL", "postgres://u:canary@h:x/d")]).starts_with("DANGO_SERVER_DATABASE_URL: "));
    assert_eq!(
        message("tls_cert = \"c\"\n", &[], &[]),
        "P/.dango/server.toml:1:12: tls-cert needs tls-key"
    );
}

#[test]
fn a_login_provider_is_a_client_and_one_of_its_own_kind_has_an_issuer() {
    let logins = |options: &[&str]| read(&project(""), options, &[]).map(|settings| settings.logins);
    let none = logins(&[]).expect("nothing is needed");
    assert_eq!((none.clients, none.by_email), (vec![], vec![]));
    let oidc = ["--login-oidc-client", "1234", "--login-oidc-issuer", "https://login.example.com"];
    let both = [&oidc[..], &["--login-google-client", "a.apps.example", "--login-by-email", "oidc"]].concat();
    let both = logins(&both).expect("both");
    let expected = [
        (LoginName::Google, "a.apps.example".to_owned()),
        (LoginName::Oidc, "1234".to_owned()),
    ];
    assert_eq!(
        (both.clients.as_slice(), both.by_email.as_slice()),
        (&expected[..], &[LoginName::Oidc][..])
    );
    assert_eq!(both.oidc_issuer.as_deref(), Some("https://login.example.com"));
    for alone in [&oidc[..2], &oidc[2..]] {
        let error = logins(alone).expect_err("the other is missing").to_string();
        assert!(error.contains("needs"), "{error}");
    }
    for bad in [
        ["--login-by-email", "facebook"],
        ["--login-google-client", " padded"],
        ["--login-google-client", "caf\u{e9}"],
        ["--login-oidc-issuer", "http://login.example.com"],
        ["--login-oidc-title", " padded "],
    ] {
        assert!(logins(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn hashing_never_costs_less_than_the_floor() {
    for weak in [
        ["--hashing-memory-kib", "8"],
        ["--hashing-passes", "1"],
        ["--hashing-memory-kib", "4294967295"],
    ] {
        let error = read(&project(""), &weak, &[]).expect_err("refused");
        assert!(matches!(error, SettingsError::WeakHashing { .. }), "{error}");
    }
    assert!(read(&project(""), &["--hashing-memory-kib", "65536", "--hashing-passes", "3"], &[]).is_ok());
}

#[test]
fn paths_of_the_file_begin_at_the_project_and_others_where_the_command_is_typed() {
    let directory = project("tls_cert = \"c\"\ntls_key = \"k\"\ndatabase_url = \"sqlite:d\"\n");
    let settings = read(&directory, &["--tls-key", "k"], &[]).expect("good");
    let tls = settings.tls.expect("given");
    assert_eq!((tls.certificate, tls.key), (directory.path().join("c"), PathBuf::from("/cwd/k")));
    assert!(matches!(settings.database, Some(DatabaseSetting::File(path)) if path == directory.path().join("d")));
}

#[test]
fn a_password_of_a_database_is_taken_from_an_option_and_known_to_be_shown() {
    let with = "postgres://dango:canary@localhost/d";
    for name in ["database-url", "database-owner-url"] {
        let (option, variable) = (
            format!("--{name}"),
            format!("DANGO_SERVER_{}", name.replace('-', "_").to_uppercase()),
        );
        let settings = read(&project(""), &[&option, with], &[]).expect("good");
        assert_eq!(settings.shown_passwords, [name]);
        assert!(!format!("{settings:?}").contains("canary"));
        let without = read(&project(""), &[&option, "postgres://dango@localhost/d"], &[]).expect("good");
        let unseen = read(&project(""), &[], &[(&variable, with)]).expect("good");
        // An option that goes before the variable says nothing about it.
        let both = read(&project(""), &[&option, "postgres://dango@localhost/d"], &[(&variable, with)]).expect("good");
        assert!([without, unseen, both].iter().all(|settings| settings.shown_passwords.is_empty()));
    }
}

#[test]
fn a_password_of_a_database_is_taken_from_the_file_only_where_nobody_else_reads_it() {
    for key in ["database_url", "database_owner_url"] {
        let file = project(&format!("{key} = \"postgres://dango:canary@localhost/d\"\n"));
        let set_mode = |mode| std::fs::set_permissions(file.path().join(".dango/server.toml"), Permissions::from_mode(mode));
        for mode in [0o644, 0o640, 0o604, 0o602] {
            set_mode(mode).expect("ours");
            let error = read(&file, &[], &[]).expect_err("refused");
            assert!(matches!(error, SettingsError::Exposed { .. }) && !format!("{error} {error:?}").contains("canary"));
        }
        set_mode(0o600).expect("ours");
        let settings = read(&file, &[], &[]).expect("good");
        assert!(settings.shown_passwords.is_empty() && !format!("{settings:?}").contains("canary"));
        let open = project(&format!("{key} = \"postgres://dango@localhost/d\"\n"));
        std::fs::set_permissions(open.path().join(".dango/server.toml"), Permissions::from_mode(0o644)).expect("ours");
        assert!(read(&open, &[], &[]).is_ok(), "without a password others may read it");
    }
}

#[test]
fn a_wrong_command_line_is_wrong_usage() {
    for line in [
        &["dango-server", "--lisen", "x"][..],
        &["dango-server", "serv"],
        &["dango-server", "--listen"],
    ] {
        let line: Vec<OsString> = line.iter().map(OsString::from).collect();
        assert_eq!(parse_arguments(&line).err().map(|error| error.exit_code()), Some(2));
    }
}

#[test]
fn the_page_about_the_server_lists_every_setting_and_no_other() {
    let page = include_str!("../../../../docs/server.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `--")).collect();
    let expected: Vec<String> = SETTINGS
        .iter()
        .map(|setting| {
            let key = match setting.places {
                Places::All => format!("`{}`", setting.key()),
                Places::NotInFile => "-".to_owned(),
            };
            let many = if setting.count == Count::Many { " (any number)" } else { "" };
            format!(
                "| `--{} {}`{many} | `{}` | {key} | {} | {} |",
                setting.name,
                setting.value,
                setting.variable(),
                setting.help,
                setting.default
            )
        })
        .collect();
    assert_eq!(rows, expected);
}
