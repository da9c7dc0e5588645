//! The head of a request to the receiver (RFC 9112 §2), read strictly, and whether it brings an answer.

use zeroize::Zeroizing;

use crate::flow::{CallbackAnswer, CallbackError};

/// The parts of a head that are looked at.
pub(super) struct Head {
    method: String,
    target: Zeroizing<String>,
    hosts: Vec<String>,
    prefetches: bool,
    is_embedded: bool,
    has_body: bool,
}

/// Why a request is not the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadError {
    Malformed,
    TooLarge,
    TooSlow,
    Method,
    OtherPath,
    OtherHost,
    NotNavigated,
    Answer(CallbackError),
    OtherState,
}

impl HeadError {
    /// The status to answer with (RFC 9110 §15.5).
    pub(super) const fn status(self) -> &'static str {
        match self {
            Self::Malformed | Self::Answer(_) | Self::OtherState => "400 Bad Request",
            Self::NotNavigated => "403 Forbidden",
            Self::OtherPath => "404 Not Found",
            Self::Method => "405 Method Not Allowed",
            Self::TooSlow => "408 Request Timeout",
            Self::OtherHost => "421 Misdirected Request",
            Self::TooLarge => "431 Request Header Fields Too Large",
        }
    }
}

impl Head {
    /// Reads a head without its empty line.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, HeadError> {
        let text = std::str::from_utf8(bytes).map_err(|_| HeadError::Malformed)?;
        let mut lines = text.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) = (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(HeadError::Malformed);
        };
        let visible = |text: &str| !text.is_empty() && text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        if !visible(method) || !visible(target) {
            return Err(HeadError::Malformed);
        }
        let mut head = Self {
            method: method.to_owned(),
            target: Zeroizing::new(target.to_owned()),
            hosts: Vec::new(),
            prefetches: false,
            is_embedded: false,
            has_body: false,
        };
        for line in lines {
            let (name, value) = line.split_once(':').ok_or(HeadError::Malformed)?;
            let value = value.trim_matches([' ', '\t']);
            if !visible(name) || value.contains(['\r', '\n', '\0']) {
                return Err(HeadError::Malformed);
            }
            head.take(&name.to_ascii_lowercase(), value);
        }
        Ok(head)
    }

    fn take(&mut self, name: &str, value: &str) {
        match name {
            "host" => self.hosts.push(value.to_owned()),
            // Chromium's name, the older one of WebKit, and Firefox's.
            "sec-purpose" | "purpose" | "x-moz" => self.prefetches |= value.to_ascii_lowercase().contains("prefetch"),
            // A page's image or frame is not somebody who comes back from a provider (Fetch Metadata).
            "sec-fetch-dest" => self.is_embedded |= value != "document",
            "content-length" => self.has_body |= value != "0",
            "transfer-encoding" => self.has_body = true,
            _ => {}
        }
    }

    /// The answer that the request brings to `host` and `path`.
    pub(super) fn answer_to(&self, host: &str, path: &str) -> Result<CallbackAnswer, HeadError> {
        if self.method != "GET" {
            return Err(HeadError::Method);
        }
        let (own_path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        if !own_path.starts_with('/') || self.has_body {
            return Err(HeadError::Malformed);
        }
        if own_path != path {
            return Err(HeadError::OtherPath);
        }
        match self.hosts.as_slice() {
            [only] if only.eq_ignore_ascii_case(host) => {}
            [_] => return Err(HeadError::OtherHost),
            _ => return Err(HeadError::Malformed),
        }
        if self.prefetches || self.is_embedded {
            return Err(HeadError::NotNavigated);
        }
        CallbackAnswer::parse(query).map_err(HeadError::Answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_head_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "(GET|POST|\\PC)[ /?=&A-Z.:\r\n0-9a-z]{0,100}") {
            for head in [Head::parse(&bytes), Head::parse(text.as_bytes())].into_iter().flatten() {
                prop_assert!(head.answer_to("127.0.0.1:8080", "/callback").is_err());
            }
        }
    }
}
