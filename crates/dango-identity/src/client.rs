//! What is known of whoever made a request: address and user agent. Which address to believe is decided at the door.

use std::fmt;
use std::net::IpAddr;

/// Where a request came from, for lists of sessions and for allow-lists; no rule trusts the user agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The client's address, as the door determined it.
    pub address: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<UserAgent>,
}

/// What a client calls itself: at most 256 characters, none of them a control or formatting character.
///
/// It is text of a stranger: escape it wherever it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAgent(String);

impl UserAgent {
    const MAX_CHARS: usize = 256;

    /// Takes what a client sent, cuts it, and puts `U+FFFD` where a character would change how a line is read.
    pub fn new(text: &str) -> Self {
        let clean = |character| {
            if is_deceptive(character) {
                char::REPLACEMENT_CHARACTER
            } else {
                character
            }
        };
        Self(text.chars().take(Self::MAX_CHARS).map(clean).collect())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Control characters, line separators, and those that turn the direction of text or have no width.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_cut_and_stays_on_its_line() {
        assert_eq!(UserAgent::new("Firefox/140 (x)").as_str(), "Firefox/140 (x)");
        assert_eq!(
            UserAgent::new("a\r\n\u{1b}[31m\u{202e}b\0").as_str(),
            "a\u{fffd}\u{fffd}\u{fffd}[31m\u{fffd}b\u{fffd}"
        );
        assert_eq!(UserAgent::new(&"é".repeat(10_000)).as_str().chars().count(), 256);
    }

    #[test]
    fn cleaning_twice_changes_nothing() {
        let once = UserAgent::new("a\u{200b}b");
        assert_eq!(UserAgent::new(once.as_str()), once);
    }
}
