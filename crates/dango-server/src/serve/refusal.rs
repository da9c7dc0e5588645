//! What the frame itself answers: problem documents (RFC 9457) for requests that no router sees. Everything else is the router's.

use axum::body::Body;
use dango_core::Entropy;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::head::BadHead;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NOSNIFF: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-content-type-options"),
    HeaderValue::from_static("nosniff"),
);

/// What a connection too many is answered, in plain HTTP; then it is closed. Nothing of the request is read.
pub(super) const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
    cache-control: no-store\r\nretry-after: 1\r\nx-request-id: none\r\nconnection: close\r\ncontent-length: 183\r\n\r\n\
    {\"type\":\"urn:dango:problem:too_many_connections\",\"title\":\"Service Unavailable\",\"status\":503,\
    \"detail\":\"Too many connections at once.\",\"code\":\"too_many_connections\",\"request_id\":\"none\"}";

impl BadHead {
    /// The stable code, for answers and for metrics.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "head_too_large",
            Self::RequestLine => "bad_request_line",
            Self::Target => "bad_target",
            Self::Host => "bad_host",
            Self::Framing => "ambiguous_length",
            Self::Length => "bad_content_length",
            Self::Encoding => "bad_transfer_encoding",
            Self::Line => "bad_header_line",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::TooLarge => "The head of the request is too large.",
            Self::RequestLine => "The first line has to be a method, a path and HTTP/1.1.",
            Self::Target => "The target of a request has to be a path.",
            Self::Host => "A request has exactly one Host.",
            Self::Framing => "A request has one Content-Length or one Transfer-Encoding.",
            Self::Length => "The Content-Length is no number.",
            Self::Encoding => "The only Transfer-Encoding is chunked.",
            Self::Line => "A header is malformed.",
        }
    }

    /// The answer; it closes the connection.
    pub(super) fn answer(self, entropy: &dyn Entropy) -> Response<Body> {
        let mut random = [0; 16];
        // Without randomness the id is all zeros: it names the answer in no log, and the answer is due all the same.
        let _ = entropy.fill(&mut random);
        let id = format!("{:032x}", u128::from_be_bytes(random));
        let status = self.status();
        let problem = serde_json::json!({
            "type": format!("urn:dango:problem:{}", self.code()),
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.detail(),
            "code": self.code(),
            "request_id": id,
        });
        let mut response = Response::new(Body::from(problem.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        headers.insert(NOSNIFF.0, NOSNIFF.1);
        if let Ok(id) = HeaderValue::from_str(&id) {
            headers.insert(REQUEST_ID, id);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_connection_too_many_is_whole() {
        let text = std::str::from_utf8(TOO_MANY).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
        let problem: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(problem["status"], 503);
    }
}
