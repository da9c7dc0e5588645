//! The pages, as a browser without script gets them: each test opens pages and sends forms, and looks at what comes back.

mod forms;
mod rows;
mod rules;
mod shape;
mod states;
mod who;

use crate::world::{Answer, Browser};

/// What browsers say that they take.
const ACCEPT: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");

impl Browser<'_> {
    /// Opens a page, as somebody does who types its address.
    pub(crate) fn open(&mut self, path: &str) -> Answer {
        self.send_with("GET", path, &[ACCEPT], None)
    }

    /// Sends a form.
    pub(crate) fn fill(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        self.send_with("POST", path, &[ACCEPT, FORM, SAME], Some(&body))
    }
}

fn encoded(text: &str) -> String {
    let bytes = text.bytes();
    bytes
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

impl Answer {
    /// Status and where it leads.
    pub(crate) fn way(&self) -> (u16, &str) {
        (self.status.as_u16(), self.header("location"))
    }
}
