//! Whether an unsafe request may have been sent by a page of another site. The rule is that of Go 1.25's `CrossOriginProtection`,
//! without its exception for requests that carry neither header: those with a cookie are refused.

use axum::http::{HeaderMap, header};

use crate::problem::{Problem, code};
use crate::route::CrossSite;
use crate::site::Site;

/// Checks a request that changes something, by what the browser says about its origin.
///
/// # Errors
///
/// `cross_site`.
pub(crate) fn check(class: CrossSite, has_cookie: bool, headers: &HeaderMap, host: &str, site: &Site) -> Result<(), Problem> {
    let refused = || {
        Err(Problem::new(
            code!(cross_site),
            "this request may come from a page of another site, so it was not done",
        ))
    };
    if class == CrossSite::Safe {
        return Ok(());
    }
    let mut fetched = headers.get_all("sec-fetch-site").iter();
    match (fetched.next(), fetched.next()) {
        (Some(value), None) => {
            return match value.as_bytes() {
                b"same-origin" | b"none" => Ok(()),
                _ => refused(),
            };
        }
        (Some(_), Some(_)) => return refused(),
        (None, _) => {}
    }
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) if site.is_own_origin(host, origin) => Ok(()),
        (Some(_), _) => refused(),
        (None, _) if has_cookie && class == CrossSite::Cookie => refused(),
        (None, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: Site = Site::Loopback { port: 8800, tls: false };

    fn passes(class: CrossSite, has_cookie: bool, fetched: Option<&str>, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(value) = fetched {
            headers.insert("sec-fetch-site", value.parse().expect("a header"));
        }
        if let Some(value) = origin {
            headers.insert(header::ORIGIN, value.parse().expect("a header"));
        }
        check(class, has_cookie, &headers, "localhost:8800", &SITE).is_ok()
    }

    /// The truth table of row W1: 5 × 5 × 2 cases, and what no credential needs.
    #[test]
    fn the_truth_table() {
        let own = "http://localhost:8800";
        let origins = [
            None,
            Some(own),
            Some("null"),
            Some("http://127.0.0.1:8800"),
            Some("https://evil.example"),
        ];
        let fetched = [None, Some("same-origin"), Some("none"), Some("same-site"), Some("cross-site")];
        for class in [CrossSite::Cookie, CrossSite::Open] {
            for has_cookie in [true, false] {
                for site in fetched {
                    for origin in origins {
                        let expected = match (site, origin) {
                            (Some("same-origin" | "none"), _) => true,
                            (Some(_), _) => false,
                            (None, Some(origin)) => origin == own,
                            (None, None) => !(has_cookie && class == CrossSite::Cookie),
                        };
                        let found = passes(class, has_cookie, site, origin);
                        assert_eq!(found, expected, "{class:?} cookie={has_cookie} {site:?} {origin:?}");
                    }
                }
            }
        }
        assert!(passes(CrossSite::Safe, true, Some("cross-site"), Some("https://evil.example")));
    }

    #[test]
    fn a_header_that_is_there_twice_is_no_proof() {
        let mut headers = HeaderMap::new();
        headers.append("sec-fetch-site", "same-origin".parse().expect("a header"));
        headers.append("sec-fetch-site", "cross-site".parse().expect("a header"));
        assert!(check(CrossSite::Cookie, true, &headers, "localhost:8800", &SITE).is_err());
    }
}
