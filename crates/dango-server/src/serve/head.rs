//! The head of an HTTP/1 request looked at before hyper sees it: what two readers could understand in two ways is refused. The answer is
//! `refusal`'s.
//!
//! hyper forgives some of it: where a request has both `Content-Length` and `Transfer-Encoding` it takes the latter and nobody behind it
//! ever learns of the former. Whatever stands in front of the server may have decided otherwise, and then one of the two takes the rest
//! of a body for another request (RFC 9112 §6.1, §11.2).

/// How long a request's body is, as far as its head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes.
    Length(u64),
    /// As many as its chunks have.
    Chunked,
}

/// Why a head is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadHead {
    /// It is longer, or has more headers, than a request may have.
    TooLarge,
    /// The first line is not a method, a path and a version.
    RequestLine,
    /// The target is a whole URL, an authority or `*` (RFC 9112 §3.2.2 to §3.2.4).
    Target,
    /// There is no `Host`, or more than one (RFC 9112 §3.2).
    Host,
    /// Both `Content-Length` and `Transfer-Encoding`, or several of one.
    Framing,
    /// A `Content-Length` that is no number.
    Length,
    /// A `Transfer-Encoding` other than `chunked`.
    Encoding,
    /// A line that is continued, ends in something else than CRLF, or has no name.
    Line,
}

/// Finds the end of a head, the empty line included, from a position up to which it is known not to end.
pub(super) fn find_end(bytes: &[u8], from: usize) -> Option<usize> {
    // The end may have begun in what was looked at before.
    let mut at = from.saturating_sub(3);
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'\n') {
        let line_end = at + found + 1;
        match &bytes[line_end..] {
            [b'\n', ..] => return Some(line_end + 1),
            [b'\r', b'\n', ..] => return Some(line_end + 2),
            _ => at = line_end,
        }
    }
    None
}

/// Looks at a whole head, the empty line included.
pub(super) fn inspect(head: &[u8], most_headers: usize) -> Result<Framing, BadHead> {
    let mut lines = Lines(head);
    let request_line = lines.next().ok_or(BadHead::RequestLine)??;
    let version = inspect_request_line(request_line)?;
    let mut seen = Seen::default();
    for (index, line) in lines.enumerate() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if index >= most_headers {
            return Err(BadHead::TooLarge);
        }
        seen.note(line)?;
    }
    seen.framing(version)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    Http10,
    Http11,
}

fn inspect_request_line(line: &[u8]) -> Result<Version, BadHead> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (method, target, version) = (parts.next(), parts.next(), parts.next());
    let (Some(method), Some(target), Some(version), None) = (method, target, version, parts.next()) else {
        return Err(BadHead::RequestLine);
    };
    let version = match version {
        b"HTTP/1.1" => Version::Http11,
        b"HTTP/1.0" => Version::Http10,
        _ => return Err(BadHead::RequestLine),
    };
    match (method, target.first()) {
        ([], _) => Err(BadHead::RequestLine),
        (_, Some(b'/')) => Ok(version),
        _ => Err(BadHead::Target),
    }
}

/// What was seen of the headers that say where a request ends and whom it is for.
#[derive(Default)]
struct Seen {
    hosts: usize,
    lengths: usize,
    length: u64,
    encodings: usize,
}

impl Seen {
    fn note(&mut self, line: &[u8]) -> Result<(), BadHead> {
        let colon = line.iter().position(|byte| *byte == b':').ok_or(BadHead::Line)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        // A blank before the colon, or at the beginning of a line, is where readers differ.
        if name.is_empty() || name.iter().any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control()) {
            return Err(BadHead::Line);
        }
        if name.eq_ignore_ascii_case(b"host") {
            self.hosts += 1;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            self.lengths += 1;
            self.length = parse_length(value).ok_or(BadHead::Length)?;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.encodings += 1;
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(BadHead::Encoding);
            }
        }
        Ok(())
    }

    fn framing(&self, version: Version) -> Result<Framing, BadHead> {
        // What speaks HTTP/1.0, such as a health check, may know no Host.
        if self.hosts > 1 || (self.hosts == 0 && version == Version::Http11) {
            return Err(BadHead::Host);
        }
        match (self.lengths, self.encodings) {
            (0, 0) => Ok(Framing::Length(0)),
            (1, 0) => Ok(Framing::Length(self.length)),
            (0, 1) if version == Version::Http11 => Ok(Framing::Chunked),
            (0, 1) => Err(BadHead::Encoding),
            _ => Err(BadHead::Framing),
        }
    }
}

fn parse_length(value: &[u8]) -> Option<u64> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()
}

/// The lines of a head, each without its CRLF.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = Result<&'a [u8], BadHead>;

    fn next(&mut self) -> Option<Self::Item> {
        let end = self.0.iter().position(|byte| *byte == b'\n')?;
        let (line, rest) = (&self.0[..end], &self.0[end + 1..]);
        self.0 = rest;
        let line = line
            .strip_suffix(b"\r")
            .filter(|line| !line.iter().any(|byte| matches!(byte, b'\r' | 0)));
        Some(line.ok_or(BadHead::Line))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inspected(lines: &[&str]) -> Result<Framing, BadHead> {
        let head = format!("{}\r\n\r\n", lines.join("\r\n"));
        assert_eq!(find_end(head.as_bytes(), 0), Some(head.len()));
        inspect(head.as_bytes(), 10)
    }

    #[test]
    fn a_body_is_as_long_as_its_head_says() {
        let get = "GET /a?b=c HTTP/1.1";
        assert_eq!(inspected(&[get, "Host: a"]), Ok(Framing::Length(0)));
        assert_eq!(inspected(&[get, "host:a", "content-length:\t 12 "]), Ok(Framing::Length(12)));
        assert_eq!(inspected(&[get, "Host: a", "Transfer-Encoding: Chunked"]), Ok(Framing::Chunked));
        assert_eq!(inspected(&["GET / HTTP/1.0"]), Ok(Framing::Length(0)));
    }

    #[test]
    fn what_two_readers_could_understand_in_two_ways_is_refused() {
        let host = "Host: a";
        for (lines, why) in [
            (
                vec!["GET / HTTP/1.1", host, "Content-Length: 3", "Transfer-Encoding: chunked"],
                BadHead::Framing,
            ),
            (
                vec!["GET / HTTP/1.1", host, "Transfer-Encoding: chunked", "Content-Length: 3"],
                BadHead::Framing,
            ),
            (
                vec!["GET / HTTP/1.1", host, "Content-Length: 3", "Content-Length: 3"],
                BadHead::Framing,
            ),
            (
                vec!["GET / HTTP/1.1", host, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
                BadHead::Framing,
            ),
            (vec!["GET / HTTP/1.1", host, "Transfer-Encoding: gzip, chunked"], BadHead::Encoding),
            (vec!["GET / HTTP/1.1", host, "Transfer-Encoding:"], BadHead::Encoding),
            (vec!["GET / HTTP/1.0", host, "Transfer-Encoding: chunked"], BadHead::Encoding),
            (vec!["GET / HTTP/1.1", host, "Content-Length: +3"], BadHead::Length),
            (vec!["GET / HTTP/1.1", host, "Content-Length: 3, 3"], BadHead::Length),
            (
                vec!["GET / HTTP/1.1", host, "Content-Length: 99999999999999999999"],
                BadHead::Length,
            ),
            (vec!["GET / HTTP/1.1", host, "Content-Length : 3"], BadHead::Line),
            (vec!["GET / HTTP/1.1", host, " Content-Length: 3"], BadHead::Line),
            (vec!["GET / HTTP/1.1", host, "X: a\nContent-Length: 3"], BadHead::Line),
            (vec!["GET / HTTP/1.1", host, "X: a\rContent-Length: 3"], BadHead::Line),
            (vec!["GET / HTTP/1.1", host, "X: a\0"], BadHead::Line),
            (vec!["GET / HTTP/1.1", host, "no colon"], BadHead::Line),
            (vec!["GET / HTTP/1.1", host, "hOST: b"], BadHead::Host),
            (vec!["GET / HTTP/1.1", "X: a"], BadHead::Host),
            (vec!["GET http://a/ HTTP/1.1", host], BadHead::Target),
            (vec!["CONNECT a:1 HTTP/1.1", host], BadHead::Target),
            (vec!["OPTIONS * HTTP/1.1", host], BadHead::Target),
            (vec!["GET  / HTTP/1.1", host], BadHead::RequestLine),
            (vec!["GET / HTTP/2.0", host], BadHead::RequestLine),
            (vec!["GET /", host], BadHead::RequestLine),
            (vec![" / HTTP/1.1", host], BadHead::RequestLine),
        ] {
            assert_eq!(inspected(&lines), Err(why), "{lines:?}");
        }
        let many: Vec<String> = (0..11).map(|index| format!("X-{index}: a")).collect();
        let lines = [vec!["GET / HTTP/1.1"], many.iter().map(String::as_str).collect()].concat();
        assert_eq!(inspected(&lines), Err(BadHead::TooLarge));
    }

    proptest! {
        #[test]
        fn the_end_is_found_however_the_bytes_arrive(text in "[a\r\n]{0,40}", cuts in proptest::collection::vec(1_usize..6, 0..20)) {
            let bytes = text.as_bytes();
            let whole = find_end(bytes, 0);
            let (mut have, mut looked, mut found) = (0, 0, None);
            for cut in cuts.into_iter().chain(std::iter::repeat(7)) {
                have = bytes.len().min(have + cut);
                found = find_end(&bytes[..have], looked);
                looked = have;
                if found.is_some() || have == bytes.len() {
                    break;
                }
            }
            prop_assert_eq!(found, whole);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = inspect(&bytes, 10);
        }
    }
}
