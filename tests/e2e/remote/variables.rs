//! Variables set, listed, shown and deleted on a server, and what is left of everything else in its file.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use dango_tests::{Canary, Sshd};

use super::{listed, set};
use crate::answers::Answer;
use crate::readers::python_dotenv;

#[test]
fn a_variable_is_set_listed_shown_and_deleted() {
    let server = Sshd::new();
    let client = server.client();
    let canary = Canary::new("remote");
    let _ = client
        .run(&["remote", "env", "list"])
        .success()
        .says(&["no variables in .env on prod yet"]);
    assert_eq!(server.names(), [""; 0], "looking leaves nothing behind");
    let created = set(&client, "TOKEN", canary.value()).success().says(&["TOKEN: created on prod"]);
    canary.assert_absent_from(&created);
    assert_eq!(server.read(".env"), format!("TOKEN={}\n", canary.value()));
    let mode = |file: &str| std::fs::metadata(server.project().join(file)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(".env"), 0o600);
    let list = client.run(&["remote", "env", "list"]).success();
    canary.assert_absent_from(&list);
    assert!(list.stdout.contains("TOKEN") && list.stdout.contains("***"), "{}", list.stdout);
    assert_eq!(client.run(&["remote", "env", "get", "TOKEN"]).success().stdout, "***\n");
    let shown = client.run(&["remote", "env", "get", "TOKEN", "--reveal"]).success();
    assert_eq!(shown.stdout, format!("{}\n", canary.value()));
    let done = client
        .dango(&["remote", "env", "set", "TOKEN", "--json"])
        .stdin("other")
        .run()
        .success();
    assert_eq!(done.json()["action"], "updated");
    let _ = client
        .run(&["remote", "env", "delete", "TOKEN"])
        .success()
        .says(&["TOKEN: deleted on prod"]);
    assert_eq!(server.read(".env"), "");
    for verb in ["get", "delete"] {
        let _ = client
            .run(&["remote", "env", verb, "TOKEN"])
            .fails(1, &["no such variable in .env on prod", "hint:"]);
    }
}

#[test]
fn the_form_with_a_value_behind_the_key_works_and_says_what_it_leaks() {
    let server = Sshd::new();
    let client = server.client();
    let _ = client
        .run(&["remote", "env", "set", "STRIPE_API_KEY=sk_live_xxx=="])
        .success()
        .says(&["STRIPE_API_KEY: created", "hint:", "argument list"])
        .hides(&["sk_live"]);
    assert_eq!(server.read(".env"), "STRIPE_API_KEY=sk_live_xxx==\n");
    let twice = ["remote", "env", "set", "A=sk_live", "--from-env", "HOME"];
    let _ = client.run(&twice).fails(2, &["twice"]).hides(&["sk_live"]);
    let _ = client
        .run(&["remote", "env", "set", "A-B=sk_live"])
        .fails(2, &[])
        .hides(&["sk_live", "A-B"]);
}

#[test]
fn every_other_byte_of_the_file_stays_and_what_is_the_same_is_not_written() {
    let server = Sshd::new();
    let client = server.client();
    let before = "# the warehouse\r\nexport HOST='db' # inside\r\n\r\nTOKEN=old # ours\r\nURL=pg://${HOST}/x";
    server.write(".env", before);
    let _ = set(&client, "TOKEN", "new").success();
    assert_eq!(server.read(".env"), before.replace("TOKEN=old", "TOKEN=new"));
    let inode = || std::fs::metadata(server.project().join(".env")).unwrap().ino();
    let written = inode();
    let same = set(&client, "TOKEN", "new").success();
    let _ = same.says(&["TOKEN: unchanged"]);
    assert_eq!(inode(), written, "an unchanged file is not written");
    let _ = client.run(&["remote", "env", "delete", "TOKEN"]).success();
    assert_eq!(server.read(".env"), before.replace("TOKEN=old # ours\r\n", ""));
    assert_eq!(listed(&client), ["HOST", "URL"]);
}

#[test]
fn a_file_that_others_could_read_is_closed_by_the_next_write() {
    let server = Sshd::new();
    let client = server.client();
    server.write(".env", "A=1\n");
    std::fs::set_permissions(server.project().join(".env"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let _ = set(&client, "A", "1").success();
    let mode = std::fs::metadata(server.project().join(".env")).unwrap().permissions().mode();
    assert_eq!((mode & 0o7777, server.read(".env").as_str()), (0o600, "A=1\n"));
}

#[test]
fn a_symbolic_link_stays_and_what_it_leads_to_is_replaced() {
    let server = Sshd::new();
    let client = server.client();
    let shared = server.folder().join("shared folder");
    std::fs::create_dir(&shared).unwrap();
    std::fs::write(shared.join("it's env"), "A=1\n").unwrap();
    symlink("../shared folder/it's env", server.project().join(".env")).unwrap();
    let _ = set(&client, "B", "2").success();
    assert!(server.project().join(".env").is_symlink());
    assert_eq!(std::fs::read_to_string(shared.join("it's env")).unwrap(), "A=1\nB=2\n");
}

#[test]
fn a_folder_of_any_name_is_found() {
    let server = Sshd::new();
    for name in ["with blank", "it's", "a\"b", "$HOME", "-x", "`id`", "é;ls", "*"] {
        let folder = server.folder().join(name);
        std::fs::create_dir(&folder).unwrap();
        let client = server.client_through(server.port(), &folder.display().to_string());
        let _ = set(&client, "A", "1").success();
        assert_eq!(std::fs::read_to_string(folder.join(".env")).unwrap(), "A=1\n", "{name}");
    }
}

#[test]
fn python_dotenv_on_the_server_reads_exactly_what_was_sent() {
    let server = Sshd::new();
    let client = server.client();
    let key = "-----BEGIN KEY-----\nMIIE+/x=\n$#\n-----END KEY-----\n";
    let values = [
        ("MULTI", key),
        ("SPACES", "  a b  "),
        ("HASH", "a #b"),
        ("QUOTES", "it's \"quoted\""),
        ("COMMAND", "$(id) `id` ; rm -rf / & |"),
        ("SLASH", "C:\\new\\table"),
        ("UNICODE", "é🍡\u{202e}\u{7f}"),
        ("EMPTY_LINES", "a\n\n\nb"),
        ("MARK", "end\nfail denied\ndone"),
    ];
    for (key, value) in values {
        let _ = set(&client, key, value).success();
    }
    let read = python_dotenv(&client, &[server.project().join(".env")]).remove(0);
    for (key, value) in values {
        assert_eq!(read[key], value, "{key}");
    }
    let before = server.read(".env");
    let _ = set(&client, "REFERENCE", "a${B}c")
        .fails(1, &["REFERENCE", "hint:"])
        .hides(&["${B}"]);
    assert_eq!(server.read(".env"), before);
}

#[test]
fn nothing_on_standard_input_replaces_no_value() {
    let server = Sshd::new();
    let client = server.client();
    server.write(".env", "A=1\n");
    let _ = client.run(&["remote", "env", "set", "A"]).fails(1, &["standard input"]);
    assert_eq!(server.read(".env"), "A=1\n");
}
