//! Texts with places for values: filled as a row's address, header or body needs them. What a missing value means is said here alone.

use dango_core::SecretValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::outcome::Obstacle;
use crate::subject::Subject;

/// What stays as it is in a part of a path (RFC 3986 §2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How values are spelled where they go.
#[derive(Clone, Copy)]
pub(super) enum Spelling {
    /// As they are.
    Plain,
    /// Percent-encoded, as one part of a path.
    Path,
    /// As text of XML.
    Xml,
}

/// The text with every `{field}` replaced by its value.
pub(super) fn fill(template: &str, spelling: Spelling, subject: &Subject) -> Result<SecretValue, Obstacle> {
    let mut text = Zeroizing::new(String::with_capacity(4096));
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let (field, after) = behind.split_once('}').ok_or(Obstacle::Malformed)?;
        let value = subject.text(field).ok_or(Obstacle::Incomplete)?;
        text.push_str(before);
        match spelling {
            Spelling::Plain => text.push_str(value),
            Spelling::Path => text.extend(utf8_percent_encode(value, UNRESERVED)),
            Spelling::Xml => value.chars().for_each(|c| match c {
                '<' => text.push_str("&lt;"),
                '>' => text.push_str("&gt;"),
                '&' => text.push_str("&amp;"),
                c => text.push(c),
            }),
        }
        rest = after;
    }
    text.push_str(rest);
    SecretValue::new(std::mem::take(&mut *text)).map_err(|_| Obstacle::Malformed)
}

#[cfg(test)]
mod tests {
    use dango_sources::catalogue;

    use super::*;

    fn filled(template: &str, spelling: Spelling, value: &str) -> Result<String, Obstacle> {
        let spec = catalogue().find(&"zendesk".parse().expect("a type")).expect("is in the catalogue");
        let mut subject = Subject::new(spec, None);
        subject.put("email", SecretValue::new(value.to_owned()).expect("text"));
        fill(template, spelling, &subject).map(|text| text.expose().to_owned())
    }

    #[test]
    fn a_value_cannot_leave_its_place() {
        assert_eq!(
            filled("/a/{email}/b", Spelling::Path, "../x?y#z").as_deref(),
            Ok("/a/..%2Fx%3Fy%23z/b")
        );
        assert_eq!(
            filled("<a>{email}</a>", Spelling::Xml, "</a><b>&").as_deref(),
            Ok("<a>&lt;/a&gt;&lt;b&gt;&amp;</a>")
        );
        assert_eq!(filled("{email}/token", Spelling::Plain, "{token}").as_deref(), Ok("{token}/token"));
        assert_eq!(filled("{token}", Spelling::Plain, "x"), Err(Obstacle::Incomplete));
    }
}
