//! Each format by an example that no provider ever issued, and what looks like one and is none.

use std::collections::HashSet;

use super::*;
use crate::scanner::{Formats, Scanner};

/// The rules that a text is found by.
fn rules_in(text: &str) -> Vec<&'static str> {
    let (scanner, _) = Scanner::new([], Formats::Sought);
    scanner.scan(text.as_bytes()).iter().map(|hit| hit.rule).collect()
}

/// Characters that look drawn by a machine; the same each time, and in no file: a scanner shall not find them here.
fn drawn(alphabet: &str, length: usize) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        letters[(state >> 33) as usize % letters.len()]
    };
    (0..length).map(|_| next()).collect()
}

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &str = "0123456789abcdef";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

#[test]
fn each_format_is_found_in_code_in_json_in_a_url_and_alone() {
    let (alnum, hex, upper) = (|n| drawn(ALNUM, n), |n| drawn(HEX, n), |n| drawn(UPPER, n));
    let tokens = [
        ("aws-access-key-id", format!("AKIA{}", upper(16))),
        ("github-token", format!("ghp_{}", alnum(36))),
        ("github-token", format!("github_pat_{}_{}", alnum(22), alnum(59))),
        ("gitlab-token", format!("glpat-{}", alnum(20))),
        ("google-api-key", format!("AIza{}", alnum(35))),
        ("google-oauth-secret", format!("GOCSPX-{}", alnum(28))),
        ("google-oauth-token", format!("ya29.{}", alnum(120))),
        ("google-oauth-token", format!("1//0{}", alnum(60))),
        ("digitalocean-token", format!("dop_v1_{}", hex(64))),
        ("databricks-token", format!("dapi{}", hex(32))),
        ("npm-token", format!("npm_{}", alnum(36))),
        ("pypi-token", format!("pypi-AgEIcHlwaS5vcmc{}", alnum(90))),
        ("docker-token", format!("dckr_pat_{}", alnum(27))),
        ("vault-token", format!("hvs.{}", alnum(92))),
        ("terraform-token", format!("{}.atlasv1.{}", alnum(14), alnum(64))),
        ("huggingface-token", format!("hf_{}", drawn(&ALNUM[..52], 34))),
        ("slack-token", format!("xoxb-123456789012-{}-{}", "210987654321", alnum(24))),
        (
            "slack-webhook",
            format!("https://hooks.slack.com/services/T{}/B{}/{}", upper(9), upper(9), alnum(24)),
        ),
        ("stripe-key", format!("sk_live_{}", alnum(24))),
        ("stripe-key", format!("rk_live_{}", alnum(99))),
        ("facebook-token", format!("EAA{}ZBx{}ZCy{}", alnum(50), alnum(50), alnum(50))),
        ("openai-key", format!("sk-proj-{}T3BlbkFJ{}", alnum(74), alnum(74))),
        ("openai-key", format!("sk-{}T3BlbkFJ{}", alnum(20), alnum(20))),
        ("anthropic-key", format!("sk-ant-api03-{}AA", alnum(93))),
        ("sendgrid-key", format!("SG.{}.{}", alnum(22), alnum(43))),
        ("twilio-key", format!("SK{}", hex(32))),
        ("mailchimp-key", format!("{}-us12", hex(32))),
        ("mailgun-key", format!("key-{}", hex(32))),
        ("telegram-token", format!("123456789:AA{}", alnum(33))),
        ("shopify-token", format!("shpat_{}", hex(32))),
        ("airtable-token", format!("pat{}.{}", alnum(14), hex(64))),
        ("notion-token", format!("ntn_{}", alnum(46))),
        ("grafana-token", format!("glsa_{}_{}", alnum(32), hex(8))),
        ("postman-key", format!("PMAK-{}-{}", hex(24), hex(34))),
        ("age-secret-key", format!("AGE-SECRET-KEY-1{}", upper(58))),
    ];
    for (rule, token) in tokens {
        for text in [
            token.clone(),
            format!("x = \"{token}\"\n"),
            format!("{{\\\"k\\\":\\\"\\n{token}\\n\\\"}}"),
            format!("at=%3D{token}&next=1"),
        ] {
            assert_eq!(rules_in(&text), [rule], "{}", text.replace(&token, rule));
        }
        for text in [format!("x{token}"), format!("x_{token}")] {
            assert!(
                !rules_in(&text).contains(&rule) || rule == "slack-webhook",
                "{rule} within a longer word"
            );
        }
    }
}

/// Computed with Python's `zlib.crc32` in base62, digits before capitals before small letters.
#[test]
fn the_checksum_of_github_and_npm_is_the_crc_of_what_stands_before() {
    assert!(checks::has_checksum(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"));
    assert!(!checks::has_checksum(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq10"));
    assert!(!checks::has_checksum(b"short"));
}

#[test]
fn a_key_of_our_own_server_needs_its_checksum() {
    assert!(rules_in(&format!("dak_{}", drawn(ALNUM, 46))).is_empty());
}

#[test]
fn placeholders_and_the_examples_of_documents_are_not_found() {
    for text in [
        "AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "ghp_0123456789abcdefghijklmnopqrstuvwxyz",
        "sk_live_xxxxxxxxxxxxxxxxxxxxxxxx",
        "sk_live_your_stripe_key_goes_here_now",
        "xoxb-your-token-goes-here-please-now",
        "SG.xxxxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----",
        "if line.startswith('-----BEGIN RSA PRIVATE KEY-----'):\n    parse(line)\n",
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQ\n",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
        "postgres://user:password@localhost:5432/db",
        "postgres://app:Xy7kQp2rTz9@localhost/db",
        "https://user:$PASSWORD@host.example/",
        "mysql://root:{{ password }}@db/x",
        "amqp://guest:guest@rabbitmq:5672",
        "https://www.w3.org/1999/02/22-rdf-syntax-ns#type@2.0",
        "password = \"correct horse battery staple\"",
        "api_key = os.environ[\"STRIPE_API_KEY\"]",
        "token = getTokenFromRequestHeader(request)",
        "secret_name: arn:aws:secretsmanager:eu-central-1:1234:secret:x",
        "password_hash = \"5f4dcc3b5aa765d61d8327deb882cf99\"",
        "tokenizer = \"a1B2c3D4e5F6g7H8i9J0\"",
        "\"ClientToken\": \"527c5358-2a1a-4b9e-b1b9-7293b0ddff42\"",
        "cvs://:pserver:anoncvs@sources.shop.io:/cvs/src",
        "\"integrity\": \"sha512-x9Kq2LmZ0PqRs7TuVw3XyZ1AbCdEfGhIjKlMnOpQrStUv\"",
        "\"access_token\":\"2YotnFZFEjr1zCsicMWpAA\"",
        "api_token: T-55a68eb5-c785-4720-a2ca-8b03903bf641",
        "ClientRequestToken: NonEmptyMaxLength64String",
        "api_key: \"ABC123abc123ABC123abc123ABC123ab\"",
        "Next page token: eav1OzQB0OM8rLdGXOEsyQWSG",
        "otpauth://totp/alice?secret=JBSWY3DPEHPK3PXPJBSWY3DP&issuer=shop",
        "Authorization: Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW",
        "Authorization: Basic dXNlcjpwYXNzd29yZA==",
        "<img src=\"https://badges.shop.io/rating.svg?token=fh3LMNOV+JSWykSjtg1rA8kouSYkJoIDzGbvaByq5X0=\">",
        "SECRET_KEY = '%(name)s-%(stage)s: {0}, {1} and the_rest'",
        "Authorization: Bearer realm=\"https://auth.docker.io/token\"",
        "the bearer of_this_ticket_2026_seat_12 may enter",
        "password=os.environ.get('DB_PASSWORD_2')",
        "password: '0x5632724fb8ac3699296af26281e1d0f1'",
        "password: md59543f1d82624df2b31672ec0f7050460",
        "pwd: 'U2FsdGVkX1/4sRsZ624wbAJfDmagPLq2LsGDOcW/47M='",
        "password: 'bm90IG15IHJlYWwgcGFzc3dvcmQ='",
        "-----BEGIN RSA PRIVATE KEY----- MIIEpQIBAAKCAQEAuyf/lNrH9ck8DmNyo3fG... -----END RSA PRIVATE KEY-----",
    ] {
        assert_eq!(rules_in(text), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn private_keys_are_found_with_line_ends_of_any_kind_and_with_headers() {
    let line = drawn(ALNUM, 64);
    for text in [
        format!("-----BEGIN RSA PRIVATE KEY-----\n{line}\n"),
        format!("-----BEGIN PRIVATE KEY-----\r\n{line}\r\n"),
        format!("\"private_key\": \"-----BEGIN PRIVATE KEY-----\\n{line}\\n"),
        format!("'-----BEGIN EC PRIVATE KEY-----\\n' +\n  '{line}\\n' +"),
        format!("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B\n\n{line}\n"),
        format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{line}\n"),
        format!("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\n{line}\n"),
    ] {
        assert_eq!(rules_in(&text), ["private-key"], "{}", text.replace(&line, "…"));
    }
}

#[test]
fn passwords_in_urls_and_assigned_random_texts_are_found() {
    let (password, random) = (format!("Vq7{}", &drawn(ALNUM, 9)), drawn(ALNUM, 32));
    for (rule, text) in [
        (
            "url-password",
            format!("DATABASE_URL=postgresql+psycopg2://app:{password}@warehouse.shop.io:5432/x"),
        ),
        ("url-password", format!("git clone https://ada:{password}@git.shop.io/x.git")),
        ("secret-assignment", format!("API_KEY = '{random}'")),
        ("secret-assignment", format!("\"clientSecret\": \"{random}\",")),
        ("secret-assignment", format!("\\\"auth_token\\\": \\\"{random}\\\"")),
        ("secret-assignment", format!("export SHOP_PASSWORD={random}\n")),
        ("secret-assignment", format!("db_password: {random}\n")),
        ("secret-assignment", format!("const API_KEY: &'static str = \"{random}\";")),
        ("secret-assignment", format!("api_key: str = '{random}'")),
        ("secret-assignment", format!("curl -H \"X-Api-Key: {random}\" https://api.shop.io")),
        (
            "secret-assignment",
            format!("curl -H 'Authorization: Bearer {random}' https://api.shop.io"),
        ),
        ("secret-assignment", format!("GET /v1?api_key={random}&page=1")),
        ("secret-assignment", format!("<add key=\"ApiKey\" value=\"{random}\"/>")),
        ("secret-assignment", format!("<password>{random}</password>")),
        ("secret-assignment", format!("CREATE USER app PASSWORD '{}'", &random[..16])),
        ("secret-assignment", format!("spring.datasource.password={}\n", &random[..20])),
        ("secret-assignment", format!("DEPLOY_KEY: {random}\n")),
        ("secret-assignment", format!("{{\"auth\":\"{random}\"}}")),
        (
            "secret-assignment",
            format!("SECRET_KEY = '{}'", drawn("abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)", 50)),
        ),
        ("aws-secret-access-key", format!("aws_secret_access_key = {}", drawn(ALNUM, 40))),
        ("aws-secret-access-key", format!("\"SecretAccessKey\": \"{}\"", drawn(ALNUM, 40))),
        ("azure-storage-key", format!("AccountName=x;AccountKey={}==;", drawn(ALNUM, 86))),
    ] {
        assert_eq!(rules_in(&text), [rule], "{}", text.replace(&random, "…").replace(&password, "…"));
    }
}

/// A plain rule of kinds of characters finds four fifths of the first two, a third of the third, and next to none of the last.
#[test]
fn logins_on_command_lines_of_curl_are_found_and_variables_and_documents_are_not() {
    let (password, key) = ("gT7-kQ2vXz9p", drawn(ALNUM, 32));
    for command in [
        format!("curl -u loader:{password} https://api.acme.io/v1"),
        format!("$ curl -sSfu 'loader:{password}' https://api.acme.io/v1"),
        format!("curl https://api.acme.io/v1 \\\n    --user \"loader:{password}\""),
        format!("curl --user=loader:{password} https://api.acme.io"),
        format!("curl -uloader:{password} https://api.acme.io"),
        format!("curl --proxy-user loader:{password} -x proxy.acme.io:3128 https://example.com https://acme.io"),
        format!("run: curl -X POST -u {key}: https://api.acme.io/v1"),
        format!("curl -u \"{key}:x\" https://api.acme.io/v1"),
    ] {
        assert_eq!(rules_in(&command), ["curl-login"], "{command}");
    }
    for command in [
        "curl -u \"$API_USER:$API_PASSWORD\" https://api.acme.io".to_owned(),
        "curl -u loader:${PASSWORD1} https://api.acme.io".to_owned(),
        "curl -u user:password1 https://api.acme.io".to_owned(),
        "curl -u loader https://api.acme.io".to_owned(),
        "curl -u <id>:<secret1X> https://api.acme.io".to_owned(),
        format!("curl -u loader:{password} https://example.com/v1"),
        format!("curl -u loader:{password} http://localhost:8080"),
        format!("curl -X POST https://api.acme.io\nchown -u loader:{password} x"),
        format!("libcurl -u loader:{password}"),
        "curl ".to_owned(),
        "curl -u".to_owned(),
        "curl -u '".to_owned(),
    ] {
        assert!(rules_in(&command).is_empty(), "{command}");
    }
}

#[test]
fn nearly_all_that_machines_draw_from_any_alphabet_is_found() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    for (alphabet, length, least) in [(ALNUM, 32, 90), (HEX, 40, 90), (&ALNUM[26..], 32, 90), (UPPER, 40, 80)] {
        let letters = alphabet.as_bytes();
        let mut found = 0;
        for _ in 0..100 {
            let drawn: String = (0..length).map(|_| char::from(letters[below(letters.len())])).collect();
            found += rules_in(&format!("api_key = \"{drawn}\"")).len();
        }
        assert!(found >= least, "{found} of 100 in {alphabet}");
    }
}

#[test]
fn a_json_web_token_is_told_by_its_header() {
    use data_encoding::BASE64URL_NOPAD as B64;
    let token = |header: &str| {
        format!(
            "{}.{}.{}",
            B64.encode(header.as_bytes()),
            B64.encode(b"{\"sub\":\"ada\",\"exp\":1}"),
            drawn(ALNUM, 43)
        )
    };
    assert_eq!(rules_in(&format!("Bearer {}", token("{\"alg\":\"RS256\"}"))), ["json-web-token"]);
    assert!(rules_in(&token("{\"alg\":\"none\"}")).is_empty());
    assert!(rules_in(&token("{\"kid\":\"1234\"}")).is_empty());
}

#[test]
fn rules_have_one_id_each_a_source_and_anchors_that_the_search_can_find() {
    let ids: Vec<&str> = rules().map(|rule| rule.id).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    for rule in all() {
        assert!(
            !rule.source.is_empty() && !rule.what.is_empty() && !rule.anchors.is_empty(),
            "{}",
            rule.id
        );
        assert!(rule.anchors.iter().all(|anchor| anchor.text.len() >= 3), "{}", rule.id);
    }
}
