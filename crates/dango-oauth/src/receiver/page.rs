//! The pages that the receiver shows: plain HTML, no script, nothing from elsewhere. What they say is escaped here.

use super::head::HeadError;

/// A page with its status.
pub(super) struct Page {
    status: &'static str,
    title: &'static str,
    sentences: Vec<String>,
}

impl Page {
    /// It worked.
    pub(super) fn success(what: &str) -> Self {
        Self {
            status: "200 OK",
            title: "Connected",
            sentences: vec![
                format!("{what} is connected to Dango."),
                "You can close this tab and go back to the terminal.".to_owned(),
            ],
        }
    }

    /// It did not work.
    pub(super) fn failure(why: &str) -> Self {
        Self {
            status: "400 Bad Request",
            title: "Not connected",
            sentences: vec![
                why.to_owned(),
                "The terminal says what to do next. You can close this tab.".to_owned(),
            ],
        }
    }

    /// A request that is not the answer.
    pub(super) fn refusal(error: HeadError) -> Self {
        Self {
            status: error.status(),
            title: "Not what Dango waits for",
            sentences: vec!["Dango goes on waiting for the answer of the provider.".to_owned()],
        }
    }

    /// The whole response.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let sentences: String = self.sentences.iter().map(|text| format!("<p>{}</p>\n", escape(text))).collect();
        let title = self.title;
        let body = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title} – Dango</title>\n</head>\n\
             <body>\n<main>\n<h1>{title}</h1>\n{sentences}</main>\n</body>\n</html>\n"
        );
        let allow = if self.status.starts_with("405") { "Allow: GET\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n{allow}\
             Cache-Control: no-store\r\nContent-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\
             Cross-Origin-Opener-Policy: same-origin\r\n\r\n",
            self.status,
            body.len()
        );
        [head.into_bytes(), body.into_bytes()].concat()
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
