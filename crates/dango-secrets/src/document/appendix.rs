//! A table of a program's own at the end of a document, put there and taken away again byte for byte.

use dango_core::CredentialPath;
use zeroize::Zeroizing;

use super::edit::EditError;
use super::new_value::NewValue;
use super::spelled::{CommentChange, Respelling};
use super::spelling::{self, Lines};
use super::tree::{Found, Kind, Origin};
use super::{SecretsDocument, encoding, layout};

impl SecretsDocument {
    /// Makes a document in which the table at `path` has these values, each of them single.
    ///
    /// A table that has them all keeps its place; a new one goes to the end, from where
    /// [`SecretsDocument::without_appendix`] takes it away without a trace.
    ///
    /// # Errors
    ///
    /// As [`SecretsDocument::set`].
    pub fn with_appendix(&self, path: &CredentialPath, entries: &[(String, NewValue)]) -> Result<Self, EditError> {
        let paths: Vec<CredentialPath> = entries.iter().map(|(name, _)| path.child(name)).collect();
        if self.contains_table(path) {
            let spellings: Vec<_> = entries.iter().map(|(_, value)| spelling::value(value, Lines::One)).collect();
            let changes: Vec<_> = paths
                .iter()
                .zip(&spellings)
                .map(|(path, spelling)| respelling(path, spelling))
                .collect();
            if let Ok(edited) = self.respell(&changes) {
                return Ok(edited);
            }
            let values: Vec<_> = paths.into_iter().zip(entries.iter().map(|(_, value)| value.clone())).collect();
            return self.set_all(&values).map(|(edited, _)| edited);
        }
        let table = NewValue::Table(entries.to_vec());
        match self.proven(self.appended(path, entries), path, Some(&table)) {
            Ok(edited) => Ok(edited),
            Err(_) => self.set(path, &table).map(|(edited, _)| edited),
        }
    }

    /// Makes a document without the table at `path`, and without the blank line that was put before it.
    ///
    /// # Errors
    ///
    /// As [`SecretsDocument::unset`].
    pub fn without_appendix(&self, path: &CredentialPath) -> Result<Self, EditError> {
        if let Some(text) = self.unappended(path)
            && let Ok(edited) = self.proven(text, path, None)
        {
            return Ok(edited);
        }
        self.unset(path).map(|(edited, _)| edited)
    }

    fn appended(&self, path: &CredentialPath, entries: &[(String, NewValue)]) -> Zeroizing<String> {
        let newline = layout::newline(&self.text, 0);
        let mut section = format!("[{path}]");
        for (name, value) in entries {
            section.push_str(newline);
            section.push_str(&format!("{} = ", spelling::key(name)));
            section.push_str(&spelling::value(value, Lines::One));
        }
        let is_empty = self.text.len() == encoding::bom_length(&self.text);
        let is_open = !is_empty && !self.text.ends_with('\n');
        let blank = if is_empty { "" } else { newline };
        let (before, after) = if is_open { (newline, "") } else { ("", newline) };
        let mut text = Zeroizing::new(String::with_capacity(self.text.len() + section.len() + 8));
        for piece in [&self.text, before, blank, &section, after] {
            text.push_str(piece);
        }
        text
    }

    /// The text before the table was appended, where it stands in the one section that was made for it.
    fn unappended(&self, path: &CredentialPath) -> Option<Zeroizing<String>> {
        let Found::Node(id) = self.tree.find(&self.text, path.parts()) else {
            return None;
        };
        let Kind::Table {
            origin: Origin::Header(number),
            ..
        } = self.tree.node(id).kind
        else {
            return None;
        };
        let section = self.tree.sections.get(number as usize)?;
        let lines = layout::whole_lines(&self.text, section.header.start(), section.end as usize);
        let mut before = &self.text[..lines.start];
        let is_open = lines.end == self.text.len() && !self.text.ends_with('\n');
        for _ in 0..=usize::from(is_open) {
            let Some(shorter) = before.strip_suffix('\n') else { break };
            let shorter = shorter.strip_suffix('\r').unwrap_or(shorter);
            // A blank line above, or, for a file without a final line end, the line end that was missing.
            if is_open || shorter.is_empty() || shorter.ends_with('\n') {
                before = shorter;
            }
        }
        let mut text = Zeroizing::new(String::with_capacity(self.text.len()));
        text.push_str(before);
        text.push_str(&self.text[lines.end..]);
        Some(text)
    }
}

fn respelling<'a>(path: &'a CredentialPath, spelling: &'a str) -> Respelling<'a> {
    Respelling {
        path,
        spelling,
        comment: CommentChange::Keep,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> SecretsDocument {
        SecretsDocument::parse(text.as_bytes()).expect("TOML")
    }

    #[test]
    fn what_is_appended_goes_without_a_trace() {
        let path: CredentialPath = "dango.seal".parse().expect("a path");
        let entries = |counter| vec![("counter".to_owned(), NewValue::Integer(counter))];
        for text in [
            "",
            "a = 1",
            "a = 1\n",
            "a = 1\n\n",
            "a = 1\r\n\r\n",
            "a = 1\r\nb = 2",
            "\u{feff}a = 1",
            "# only\n",
            "[dango.oauth.x]\na = 1\n[sources]\nb = 2 # c\n",
            "a = 1\n\n# comment",
        ] {
            let with = parse(text).with_appendix(&path, &entries(1)).expect("fits");
            let again = with.with_appendix(&path, &entries(22)).expect("fits");
            assert!(again.text().contains("counter = 22"), "{}", again.text());
            assert_eq!(again.without_appendix(&path).expect("is there").text(), text);
        }
    }

    #[test]
    fn where_no_header_can_stand_the_table_goes_where_it_can() {
        let path: CredentialPath = "dango.seal".parse().expect("a path");
        let entries = [("counter".to_owned(), NewValue::Integer(1))];
        for text in ["dango = { x = 1 }\n", "dango.x = 1\n[a]\nb = 1\n"] {
            let with = parse(text).with_appendix(&path, &entries).expect("fits");
            assert!(with.contains_table(&path), "{}", with.text());
            let without = with.without_appendix(&path).expect("is there");
            assert!(!without.contains_table(&path) && without.value(&"dango.x".parse().expect("a path")).is_some());
        }
    }
}
