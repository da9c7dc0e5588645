//! What is told of each request to whoever collects traces, and the header by which a proxy says to which trace it belongs. Where traces
//! go is not known here.

use std::time::Duration;

use axum::http::{HeaderMap, Method};
use dango_core::Timestamp;

/// Takes what is told of requests that were answered.
///
/// # Security
///
/// It is told words of the program's text, numbers and random ids alone: what a client sends cannot get into a trace.
pub trait Traces: Send + Sync {
    /// Takes one. It is called on the way of the answer, so it neither waits nor fails.
    fn record(&self, exchange: &Exchange<'_>);
}

/// A request that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange<'a> {
    /// The request's id, as the answer, the log and the audit log have it.
    pub request_id: &'a str,
    /// The method; `_OTHER` for one that HTTP does not know.
    pub method: &'static str,
    /// `http` or `https`, as browsers reach the server.
    pub scheme: &'static str,
    /// The path with its parameters in braces; nothing for what belongs to no operation.
    pub route: Option<&'static str>,
    /// The operation's name; nothing for what belongs to none.
    pub operation: Option<&'static str>,
    /// The status of the answer.
    pub status: u16,
    /// When it came.
    pub began: Timestamp,
    /// How long the answer took.
    pub took: Duration,
    /// The trace that it belongs to, if a trusted proxy says so.
    pub parent: Option<TraceParent>,
}

/// Whose part a request is in a trace (W3C Trace Context §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace_id: [u8; 16],
    /// The part that sent the request.
    pub parent_id: [u8; 8],
    /// Whether the sender keeps its part.
    pub is_sampled: bool,
}

impl TraceParent {
    /// Reads the one `traceparent` of a request; two, or what is none, count as none.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut found = headers.get_all("traceparent").iter();
        match (found.next(), found.next()) {
            (Some(only), None) => Self::parse(only.as_bytes()),
            _ => None,
        }
    }

    /// Parses version 00, and of a later version what it has in common with that one.
    fn parse(text: &[u8]) -> Option<Self> {
        let (head, rest) = text.split_at_checked(55)?;
        if [2, 35, 52].iter().any(|dash| head[*dash] != b'-') {
            return None;
        }
        let ([version], [flags]) = (hex(&head[..2])?, hex(&head[53..])?);
        let is_whole = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.first().is_none_or(|next| *next == b'-'),
        };
        let parent = Self {
            trace_id: hex(&head[3..35])?,
            parent_id: hex(&head[36..52])?,
            is_sampled: flags & 1 == 1,
        };
        (is_whole && parent.trace_id != [0; 16] && parent.parent_id != [0; 8]).then_some(parent)
    }
}

/// Bytes of hexadecimal digits in lower case, two each.
fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    data_encoding::HEXLOWER
        .decode_mut(text, &mut bytes)
        .ok()
        .filter(|length| *length == N)?;
    Some(bytes)
}

/// A method as traces name it (OpenTelemetry semantic conventions, `http.request.method`).
pub(crate) fn method_name(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_as_the_recommendation_says() {
        // W3C Trace Context §3.2.3, its own example.
        let example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent = TraceParent::parse(example.as_bytes()).expect("valid");
        assert_eq!(data_encoding::HEXLOWER.encode(&parent.trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(data_encoding::HEXLOWER.encode(&parent.parent_id), "00f067aa0ba902b7");
        assert!(parent.is_sampled);
        let unsampled = TraceParent::parse(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
        assert_eq!(unsampled.map(|parent| parent.is_sampled), Some(false));
        for later in [
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what",
        ] {
            assert!(TraceParent::parse(later.as_bytes()).is_some(), "{later}");
        }
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-zz",
            "00-4bf92f3577b34da6a3ce929d0e0e473ü-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceParent::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn two_traceparents_are_none_and_a_method_of_ones_own_is_not_repeated() {
        let mut headers = HeaderMap::new();
        let one = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().expect("a header");
        headers.insert("traceparent", one);
        assert!(TraceParent::of(&headers).is_some());
        headers.append(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-01".parse().expect("a header"),
        );
        assert_eq!(TraceParent::of(&headers), None);
        assert_eq!(method_name(&Method::PATCH), "PATCH");
        assert_eq!(method_name(&Method::from_bytes(b"CANARY").expect("a token")), "_OTHER");
    }
}
