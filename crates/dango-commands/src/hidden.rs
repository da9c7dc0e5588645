//! A line typed on a terminal that shows nothing of it, not even its length; every other question is in `prompt`.
//!
//! The terminal's own line editor is not used: it cuts lines at 4,096 characters, and it hands what follows the
//! first line of a paste to the shell.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::cursor::Show;
use crossterm::event::{self, DisableBracketedPaste, EnableBracketedPaste, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use zeroize::Zeroizing;

/// How a line ended.
pub(crate) enum Typed {
    /// With Enter. A paste is in it whole, its line breaks as line feeds, the last of them left out.
    Line(Zeroizing<String>),
    /// With Escape, or with Ctrl-D on an empty line.
    Cancelled,
    /// With Ctrl-C.
    Interrupted,
}

/// How long a question that may be taken back waits for a key before it looks whether it was.
const GLANCE: Duration = Duration::from_millis(100);

/// Asks on the terminal, and reads until Enter. Ctrl-U empties the line; no other control key is ever a part of it.
pub(crate) fn read(label: &str) -> io::Result<Typed> {
    read_unless(label, &AtomicBool::new(false))
}

/// The same, but as if cancelled once `gone` is set, by another thread.
pub(crate) fn read_unless(label: &str, gone: &AtomicBool) -> io::Result<Typed> {
    let mut screen = io::stderr();
    write!(screen, "{label} ")?;
    screen.flush()?;
    let mode = RawMode::enter()?;
    // Room for every usual secret, so that growing leaves no copies of it in memory.
    let mut line = Zeroizing::new(String::with_capacity(64 * 1024));
    let typed = loop {
        if gone.load(Ordering::Acquire) {
            break Typed::Cancelled;
        }
        if !event::poll(GLANCE)? {
            continue;
        }
        match event::read()? {
            Event::Paste(text) => line.push_str(&pasted(&Zeroizing::new(text))),
            Event::Key(key) if key.kind != KeyEventKind::Release => match press(&key, &mut line) {
                Press::Goes => {}
                Press::Ends if is_half_a_key(&line) => line.push('\n'),
                Press::Ends => break Typed::Line(line),
                Press::Cancels => break Typed::Cancelled,
                Press::Interrupts => break Typed::Interrupted,
            },
            _ => {}
        }
    };
    drop(mode);
    writeln!(screen)?;
    Ok(typed)
}

/// Gives the terminal back as every other program expects it.
pub(crate) fn restore_terminal() {
    let _ = crossterm::execute!(io::stderr(), DisableBracketedPaste, Show);
    let _ = disable_raw_mode();
}

enum Press {
    Goes,
    Ends,
    Cancels,
    Interrupts,
}

fn press(key: &KeyEvent, line: &mut String) -> Press {
    let with_control = key
        .modifiers
        .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SUPER);
    match key.code {
        KeyCode::Enter => return Press::Ends,
        KeyCode::Esc => return Press::Cancels,
        KeyCode::Char('c') if with_control => return Press::Interrupts,
        KeyCode::Char('d') if with_control && line.is_empty() => return Press::Cancels,
        // A terminal sends these for Enter where the other end of a connection translates line ends.
        KeyCode::Char('j' | 'm') if with_control => return Press::Ends,
        KeyCode::Char('u') if with_control => line.clear(),
        KeyCode::Char('h') if with_control => drop(line.pop()),
        KeyCode::Char(_) if with_control => {}
        KeyCode::Char(c) => line.push(c),
        KeyCode::Tab => line.push('\t'),
        KeyCode::Backspace => drop(line.pop()),
        _ => {}
    }
    Press::Goes
}

/// A paste with line feeds; the one at its end came from copying a whole line.
fn pasted(text: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(text.replace("\r\n", "\n").replace('\r', "\n"));
    if text.ends_with('\n') {
        text.pop();
    }
    text
}

/// Whether a PEM block (RFC 7468) has begun and not ended.
///
/// A terminal that does not mark a paste as one sends its first line with an Enter behind it. Half a key is of no use, and
/// its other half must not become the answer to the next question or a command of the shell.
fn is_half_a_key(line: &str) -> bool {
    line.trim_start().starts_with("-----BEGIN ") && !line.contains("-----END ")
}

/// The terminal without echo and line editing, until it is dropped.
struct RawMode;

impl RawMode {
    fn enter() -> io::Result<Self> {
        enable_raw_mode()?;
        // A terminal that does not know this ignores it.
        let _ = crossterm::execute!(io::stderr(), EnableBracketedPaste);
        Ok(Self)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore_terminal();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_keys(keys: &[(KeyCode, KeyModifiers)]) -> String {
        let mut line = String::new();
        for (code, modifiers) in keys {
            press(&KeyEvent::new(*code, *modifiers), &mut line);
        }
        line
    }

    #[test]
    fn control_keys_are_no_letters() {
        let none = KeyModifiers::NONE;
        let keys = [
            (KeyCode::Char('w'), none),
            (KeyCode::Char('u'), KeyModifiers::CONTROL),
            (KeyCode::Char('z'), KeyModifiers::CONTROL),
            (KeyCode::Char('a'), none),
            (KeyCode::Char('B'), KeyModifiers::SHIFT),
            (KeyCode::Char('x'), none),
            (KeyCode::Backspace, none),
            (KeyCode::Left, none),
        ];
        assert_eq!(type_keys(&keys), "aB");
    }

    #[test]
    fn a_paste_keeps_its_lines_but_not_the_end_of_the_last() {
        assert_eq!(pasted("a\r\nb\rc\n").as_str(), "a\nb\nc");
        assert_eq!(pasted("a").as_str(), "a");
    }

    #[test]
    fn a_key_goes_on_to_its_last_line() {
        assert!(is_half_a_key("-----BEGIN PRIVATE KEY-----\nMIIE"));
        assert!(!is_half_a_key("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"));
        assert!(!is_half_a_key("sk_live"));
    }
}
