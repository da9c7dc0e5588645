//! Where a call goes: a provider's own host, an account's host below the provider's name, or a server that the user names.

use url::{Host, Url};

use super::call::{Call, Origin};
use super::template::{Spelling, fill};
use crate::outcome::Obstacle;
use crate::subject::Subject;

/// The address of a call.
///
/// # Security
///
/// An account's part of a host is labels of a host name, and the provider's name always follows: no value moves the call elsewhere.
pub(super) fn address(call: &Call, subject: &Subject) -> Result<Url, Obstacle> {
    let path = fill(call.path, Spelling::Path, subject)?;
    let origin = match call.origin {
        Origin::Fixed(template) => {
            let regional = subject.text("region_name");
            match template.split_once("{region_name}") {
                None => template.to_owned(),
                // The service's global address stands for the region that has it (`us-east-1`).
                Some((before, after)) => match regional {
                    Some(region) => format!("{before}{}{after}", labels(region)?),
                    None => format!("{before}us-east-1{after}"),
                },
            }
        }
        Origin::Account { field, suffix } => {
            let text = subject.text(field).ok_or(Obstacle::Incomplete)?;
            format!("https://{}{suffix}", account(text, suffix)?)
        }
        Origin::Own { field } => return own(subject.text(field).ok_or(Obstacle::Incomplete)?, path.expose()),
    };
    Url::parse(&format!("{origin}{}", path.expose())).map_err(|_| Obstacle::Malformed)
}

/// The account's part of a host: given alone, as the whole host, or as the address of a page there.
pub(super) fn account(text: &str, suffix: &str) -> Result<String, Obstacle> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix("https://").unwrap_or(&text);
    let text = text.split_once('/').map_or(text, |(host, _)| host);
    labels(text.strip_suffix(suffix).unwrap_or(text))
}

/// A text that is labels of a host name (RFC 1123 §2.1).
fn labels(text: &str) -> Result<String, Obstacle> {
    let is_label = |label: &str| {
        let inside = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        inside && !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    match text.len() <= 190 && text.split('.').all(is_label) {
        true => Ok(text.to_owned()),
        false => Err(Obstacle::Malformed),
    }
}

/// An address at the user's own server, below the folder that it is in.
fn own(text: &str, path: &str) -> Result<Url, Obstacle> {
    let text = text.trim();
    let whole = match text.contains("://") {
        true => text.to_owned(),
        false => format!("https://{text}"),
    };
    let mut base = Url::parse(&whole).map_err(|_| Obstacle::Malformed)?;
    if !base.username().is_empty() || base.password().is_some() || base.fragment().is_some() || base.query().is_some() {
        return Err(Obstacle::Malformed);
    }
    let is_local = match base.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) => false,
        None => return Err(Obstacle::Malformed),
    };
    match base.scheme() {
        "https" => {}
        "http" if is_local => {}
        "http" => return Err(Obstacle::InsecureAddress),
        _ => return Err(Obstacle::Malformed),
    }
    let folder = base.path().trim_end_matches('/').trim_end_matches("/index.php").to_owned();
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    base.set_path(&format!("{folder}{path}"));
    base.set_query(query);
    Ok(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_given_in_any_form_and_moves_the_call_nowhere() {
        for same in ["Example", "example.zendesk.com", "https://example.zendesk.com/agent?x=1"] {
            assert_eq!(account(same, ".zendesk.com").as_deref(), Ok("example"), "{same}");
        }
        for bad in [
            "evil.example#",
            "a@evil.example",
            "a:80",
            "a b",
            "",
            "-a",
            "é",
            "a..b",
            "evil.example?x",
        ] {
            assert_eq!(account(bad, ".zendesk.com"), Err(Obstacle::Malformed), "{bad}");
        }
        assert_eq!(account("evil.example/", ".zendesk.com").as_deref(), Ok("evil.example"));
    }

    #[test]
    fn a_server_of_the_users_own_is_reached_over_tls_or_on_this_machine() {
        let url = |text: &str| own(text, "/api/x?y=1").map(|url| url.to_string());
        assert_eq!(url("cms.example.com").as_deref(), Ok("https://cms.example.com/api/x?y=1"));
        assert_eq!(url("https://example.com/cms/").as_deref(), Ok("https://example.com/cms/api/x?y=1"));
        assert_eq!(url("http://127.0.0.1:1337").as_deref(), Ok("http://127.0.0.1:1337/api/x?y=1"));
        for clear in ["http://cms.example.com", "http://localhost", "http://10.0.0.1"] {
            assert_eq!(url(clear), Err(Obstacle::InsecureAddress), "{clear}");
        }
        for bad in [
            "ftp://a.example",
            "https://user:canary@a.example",
            "https://",
            "a b",
            "https://a.example/#x",
        ] {
            assert_eq!(url(bad), Err(Obstacle::Malformed), "{bad}");
        }
    }
}
