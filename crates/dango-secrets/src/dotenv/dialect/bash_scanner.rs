//! Walks over bash text: blanks, comments, and to the end of whatever brackets and quotes open; what words mean is not known here.

/// Bash finds no end of what was begun, or a token that must not stand here.
pub(super) struct Stop;

/// Walks over the text; never backwards but by [`Scanner::go_to`].
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    pub(super) fn text_from(&self, from: usize) -> &'t str {
        &self.text[from..self.at]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn advance(&mut self, c: char) {
        self.at += c.len_utf8();
    }

    pub(super) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn skip_line(&mut self) {
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    /// Skips spaces, tabs and escaped line breaks.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            if self.rest().starts_with([' ', '\t']) {
                self.at += 1;
            } else if self.rest().starts_with("\\\n") {
                self.at += 2;
            } else {
                return;
            }
        }
    }

    /// Skips to the next command. A line with nothing but a CR counts as blank: bash looks for a
    /// program of that name, finds none and goes on.
    pub(super) fn skip_space_and_comments(&mut self) {
        loop {
            self.skip_blanks();
            let rest = self.rest();
            if rest.starts_with('\n') {
                self.advance('\n');
            } else if rest.starts_with("\r\n") || rest == "\r" {
                self.at += 1;
            } else if rest.starts_with('#') {
                self.skip_line();
            } else {
                return;
            }
        }
    }

    /// Steps over a subshell or a process substitution.
    pub(super) fn parenthesized(&mut self) -> Result<(), Stop> {
        self.advance('(');
        self.skip_nested(Nested::Parenthesis).map(|_| ())
    }

    /// Steps behind the end of something begun, and tells whether a command substitution is inside. No recursion.
    pub(super) fn skip_nested(&mut self, outer: Nested) -> Result<bool, Stop> {
        let mut open = vec![outer];
        let mut doubles = 0usize;
        let mut runs = false;
        while let Some(c) = self.peek() {
            let inner = open.last().copied().unwrap_or(outer);
            self.advance(c);
            match c {
                '\\' => {
                    if let Some(next) = self.peek() {
                        self.advance(next);
                    }
                }
                _ if c == inner.closing() => {
                    doubles -= usize::from(inner == Nested::Double);
                    open.pop();
                    if open.is_empty() {
                        return Ok(runs);
                    }
                }
                '\'' if doubles == 0 && inner != Nested::Backquote => {
                    let end = self.rest().find('\'').ok_or_else(|| self.run_out())?;
                    self.go_to(self.at + end + 1);
                }
                '"' => {
                    doubles += 1;
                    open.push(Nested::Double);
                }
                '`' => {
                    runs = true;
                    open.push(Nested::Backquote);
                }
                '$' => match self.peek() {
                    Some('(') => {
                        runs = true;
                        self.advance('(');
                        open.push(Nested::Parenthesis);
                    }
                    Some('{') => {
                        self.advance('{');
                        open.push(Nested::Brace);
                    }
                    _ => {}
                },
                '(' if inner == Nested::Parenthesis => open.push(Nested::Parenthesis),
                _ => {}
            }
        }
        Err(Stop)
    }

    /// Remembers that reading went to the end of the text.
    pub(super) fn run_out(&mut self) -> Stop {
        self.go_to(self.text.len());
        Stop
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }
}

/// What can be open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nested {
    Parenthesis,
    Brace,
    Bracket,
    Double,
    Backquote,
}

impl Nested {
    fn closing(self) -> char {
        match self {
            Self::Parenthesis => ')',
            Self::Brace => '}',
            Self::Bracket => ']',
            Self::Double => '"',
            Self::Backquote => '`',
        }
    }
}
