//! Real PostgreSQL and MariaDB servers, and a MongoDB that the real driver takes for one: who is let in, who is not, and who is not there.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use dango_tests::{MariaDb, Postgres, Scratch, python, workspace_root};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};

use super::told_once;
use crate::answers::Answer;

/// A project with one source, whose credentials are a URL.
fn project(source_type: &str, url: &str) -> Scratch {
    let project = Scratch::initialised();
    project.write(".dango/sources.yml", format!("sources:\n  - {{name: db, type: {source_type}}}\n"));
    let key = if source_type == "mongodb" {
        "connection_url"
    } else {
        "credentials"
    };
    project.write(".dlt/secrets.toml", format!("[sources.db]\n{key} = '{url}'\n"));
    project
}

#[track_caller]
fn checked(source_type: &str, url: &str) -> (String, Value) {
    checked_in(&project(source_type, url))
}

#[track_caller]
fn checked_in(project: &Scratch) -> (String, Value) {
    told_once(&project.run(&["source", "check", "--json"]).hides(&["canary"]))
}

#[track_caller]
fn assert_each(source_type: &str, expected: &[(String, &str)]) {
    for (url, reason) in expected {
        let (_, found) = checked(source_type, url);
        let expected = if reason.is_empty() { json!(null) } else { json!(reason) };
        assert_eq!(found, expected, "{url}");
    }
}

#[test]
fn postgresql_tells_who_is_let_in() {
    let mut server = Postgres::new();
    server.role("loader", "canary");
    server.role("colon", "canary:@/?#");
    let _ = server.sql("postgres", "CREATE DATABASE sales");
    let _ = server.sql("postgres", "CREATE DATABASE closed");
    let _ = server.sql("postgres", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC");
    let port = server.port();
    let url = |rest: &str| format!("postgresql://loader:canary@127.0.0.1:{port}/{rest}");
    let expected = [
        (url("sales"), ""),
        (url("sales?sslmode=prefer"), ""),
        (url("sales?sslmode=disable"), ""),
        // The server speaks no TLS.
        (url("sales?sslmode=require"), "tls"),
        (url("sales").replace("postgresql:", "postgresql+psycopg2:"), ""),
        (format!("postgresql://colon:canary%3A%40%2F%3F%23@127.0.0.1:{port}/sales"), ""),
        (format!("postgresql://loader:wrong@127.0.0.1:{port}/sales"), "wrong_credential"),
        (format!("postgresql://nobody:canary@127.0.0.1:{port}/sales"), "wrong_credential"),
        (url("missing"), "not_found"),
        (url("closed"), "missing_permission"),
        (url("sales?sslmode=nonsense"), "malformed"),
        (
            format!("postgresql://loader:canary@/sales?host={}&port={port}", server.socket().display()),
            "",
        ),
        ("postgresql://loader:canary@no-such-host.invalid/sales".to_owned(), "unknown_host"),
        (format!("mssql+pyodbc://loader:canary@127.0.0.1:{port}/sales"), "no_check_for_way"),
    ];
    assert_each("postgres", &expected);
    // By its parts, as the wizard stores them.
    let parts = project("postgres", "");
    let text = format!(
        "[sources.db.credentials]\nhost = \"127.0.0.1\"\nport = {port}\ndatabase = \"sales\"\nusername = \"loader\"\npassword = \"canary\"\n"
    );
    parts.write(".dlt/secrets.toml", &text);
    assert_eq!(checked_in(&parts), ("accepted".to_owned(), json!(null)));
    // A password that is changed on the server is refused from then on.
    server.role("loader", "another");
    assert_eq!(
        told_once(&parts.run(&["source", "check", "--json", "--fresh"]).ending_with(3)).1,
        json!("wrong_credential")
    );
    server.role("loader", "canary");
    server.admit("local all all trust\nhost all all 127.0.0.1/32 md5\n");
    let _ = server.sql("postgres", "SET password_encryption = 'md5'; ALTER ROLE loader PASSWORD 'canary'");
    assert_each(
        "postgres",
        &[
            (url("sales"), ""),
            (format!("postgresql://loader:wrong@127.0.0.1:{port}/sales"), "wrong_credential"),
        ],
    );
    server.kill();
    assert_each("postgres", &[(url("sales"), "no_connection")]);
}

#[test]
fn postgresql_over_tls_is_as_strict_as_its_url() {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).expect("it is made");
    let mut server = Postgres::new();
    server.role("loader", "canary");
    server.write("server.crt", &cert.pem());
    server.write("server.key", &signing_key.serialize_pem());
    let _ = server.sql("postgres", "ALTER SYSTEM SET ssl = on");
    server.write("pg_hba.conf", "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n");
    server.restart();
    let port = server.port();
    let project = project("postgres", "");
    project.write("root.crt", cert.pem());
    for (host, options, expected) in [
        ("127.0.0.1", "", json!(null)),
        ("127.0.0.1", "?sslmode=disable", json!("wrong_credential")),
        ("127.0.0.1", "?sslmode=require", json!(null)),
        ("127.0.0.1", "?sslmode=verify-ca&sslrootcert=root.crt", json!(null)),
        ("127.0.0.1", "?sslmode=verify-full&sslrootcert=root.crt", json!("tls")),
        ("localhost", "?sslmode=verify-full&sslrootcert=root.crt", json!(null)),
        // Nobody of the system's authorities vouches for it.
        ("localhost", "?sslmode=verify-full", json!("tls")),
        ("localhost", "?sslrootcert=system", json!("tls")),
        ("localhost", "?sslrootcert=system&sslmode=verify-full", json!("tls")),
        ("localhost", "?sslrootcert=system&sslmode=require", json!("malformed")),
        // What only a full driver can promise is not promised.
        ("localhost", "?channel_binding=require", json!("unsupported_sign_in")),
        ("localhost", "?channel_binding=prefer&sslmode=require", json!(null)),
        ("localhost", "?require_auth=scram-sha-256", json!("unsupported_sign_in")),
        ("localhost", "?sslmode=verify-ca&sslrootcert=missing.crt", json!("malformed")),
    ] {
        let url = format!("postgresql://loader:canary@{host}:{port}/postgres{options}");
        project.write(".dlt/secrets.toml", format!("[sources.db]\ncredentials = '{url}'\n"));
        assert_eq!(checked_in(&project).1, expected, "{host} {options}");
    }
}

#[test]
fn mariadb_tells_who_is_let_in() {
    let server = MariaDb::new();
    server.sql(
        "CREATE DATABASE sales; CREATE DATABASE closed;
         CREATE USER loader@'127.0.0.1' IDENTIFIED BY 'canary'; GRANT SELECT ON sales.* TO loader@'127.0.0.1';
         CREATE USER locked@'127.0.0.1' IDENTIFIED BY 'canary' ACCOUNT LOCK;
         CREATE USER ended@'127.0.0.1' IDENTIFIED BY 'canary' PASSWORD EXPIRE;",
    );
    let port = server.port();
    let url = |user: &str, password: &str, rest: &str| format!("mysql+pymysql://{user}:{password}@127.0.0.1:{port}/{rest}");
    let expected = [
        (url("loader", "canary", "sales"), ""),
        (url("loader", "canary", "sales").replace("mysql+pymysql", "mariadb"), ""),
        (url("loader", "wrong", "sales"), "wrong_credential"),
        (url("nobody", "canary", "sales"), "wrong_credential"),
        (url("locked", "canary", ""), "wrong_credential"),
        (url("loader", "canary", "closed"), "missing_permission"),
        (url("loader", "canary", "sales?ssl_mode=REQUIRED"), "tls"),
        (url("loader", "canary", "sales?ssl_mode=nonsense"), "malformed"),
        ("mysql://loader:canary@no-such-host.invalid/sales".to_owned(), "unknown_host"),
    ];
    assert_each("mysql", &expected);
    assert_eq!(checked("mysql", &url("ended", "canary", "")).0, "refused");
    drop(server);
    assert_each("mysql", &[(url("loader", "canary", "sales"), "no_connection")]);
}

#[test]
fn mariadb_over_tls_is_as_strict_as_its_url() {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).expect("it is made");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (certificate, key) = (folder.path().join("crt"), folder.path().join("key"));
    fs::write(&certificate, cert.pem()).expect("it is writable");
    fs::write(&key, signing_key.serialize_pem()).expect("it is writable");
    let options = [
        format!("--ssl-cert={}", certificate.display()),
        format!("--ssl-key={}", key.display()),
    ];
    let server = MariaDb::with(&[&options[0], &options[1]]);
    server.sql("CREATE USER loader@'%' IDENTIFIED BY 'canary' REQUIRE SSL;");
    let project = project("mysql", "");
    project.write("root.crt", cert.pem());
    for (host, options, expected) in [
        ("127.0.0.1", "", json!(null)),
        ("127.0.0.1", "?ssl_mode=DISABLED", json!("wrong_credential")),
        ("localhost", "?ssl_ca=root.crt", json!(null)),
        ("localhost", "?ssl_ca=root.crt&ssl_verify_identity=true", json!(null)),
        ("127.0.0.1", "?ssl_ca=root.crt&ssl_verify_identity=true", json!("tls")),
        ("localhost", "?ssl_mode=VERIFY_IDENTITY", json!("tls")),
    ] {
        let url = format!("mysql+pymysql://loader:canary@{host}:{}/{options}", server.port());
        project.write(".dlt/secrets.toml", format!("[sources.db]\ncredentials = '{url}'\n"));
        assert_eq!(checked_in(&project).1, expected, "{host} {options}");
    }
}

/// A MongoDB as far as signing in goes.
struct Mongo {
    child: Child,
    port: u16,
}

impl Mongo {
    fn start() -> Self {
        let mut child = Command::new(python())
            .arg(workspace_root().join("tests/providers/mongodb.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python starts");
        let users = json!({
            "loader": { "password": "canary", "mechanisms": ["SCRAM-SHA-1", "SCRAM-SHA-256"] },
            "old": { "password": "canary", "mechanisms": ["SCRAM-SHA-1"] },
            "a,b=c@d": { "password": "can:ary/%", "mechanisms": ["SCRAM-SHA-256"] },
        });
        writeln!(child.stdin.take().expect("it was asked for"), "{users}").expect("it reads");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it was asked for");
        BufReader::new(stdout).read_line(&mut line).expect("it tells its port");
        let port = line.trim().parse().expect("a port");
        Self { child, port }
    }

    /// Whether the real driver signs in with a URL.
    fn takes(&self, url: &str) -> bool {
        let script = "import sys, pymongo; pymongo.MongoClient(sys.argv[1], serverSelectionTimeoutMS=20000).admin.command('ping')";
        let status = Command::new(python())
            .args(["-I", "-c", script, url])
            .stderr(Stdio::null())
            .status()
            .expect("python starts");
        status.success()
    }
}

impl Drop for Mongo {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn mongodb_tells_who_is_let_in_as_the_real_driver_sees_it() {
    let server = Mongo::start();
    let url = |user: &str, rest: &str| format!("mongodb://{user}@127.0.0.1:{}/{rest}", server.port);
    for (url, reason) in [
        (url("loader:canary", ""), ""),
        (url("loader:canary", "?authMechanism=SCRAM-SHA-1"), ""),
        (url("loader:canary", "sales?authSource=admin"), ""),
        (url("old:canary", ""), ""),
        (url("a%2Cb%3Dc%40d:can%3Aary%2F%25", ""), ""),
        (url("loader:wrong", ""), "wrong_credential"),
        (url("nobody:canary", ""), "wrong_credential"),
        (url("old:canary", "?authMechanism=SCRAM-SHA-256"), "wrong_credential"),
        // The database of the URL is where the user is looked for.
        (url("loader:canary", "sales"), "wrong_credential"),
    ] {
        assert_each("mongodb", &[(url.clone(), reason)]);
        assert_eq!(server.takes(&url), reason.is_empty(), "the real driver differs: {url}");
    }
    let expected = [
        (format!("mongodb://127.0.0.1:{}/", server.port), "missing_permission"),
        (url("loader:canary", "?tls=true"), "tls"),
        (url("loader:canary", "?authMechanism=MONGODB-AWS"), "unsupported_sign_in"),
        ("mongodb+srv://loader:canary@cluster.example.com/".to_owned(), "unsupported_sign_in"),
        ("mongodb://loader:canary@no-such-host.invalid/".to_owned(), "unknown_host"),
        // The first that answers counts.
        (
            format!("mongodb://loader:canary@no-such-host.invalid,127.0.0.1:{}/", server.port),
            "",
        ),
        ("http://loader:canary@127.0.0.1/".to_owned(), "malformed"),
    ];
    assert_each("mongodb", &expected);
}
