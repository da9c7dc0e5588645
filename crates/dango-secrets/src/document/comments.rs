//! The comments of a document, wherever they stand; what they say plays no part.

use std::ops::Range;

use super::SecretsDocument;
use super::tree::{Kind, NodeId};

/// A comment with its place. There is no `Debug`: people put secrets into comments.
#[derive(Clone, Copy)]
pub struct Comment<'d> {
    /// The line, from 1.
    pub line: usize,
    /// From the `#` to the end of the line, the line end left out.
    pub text: &'d str,
}

impl SecretsDocument {
    /// Every comment in the order of the file, those inside arrays and inline tables included.
    pub fn comments(&self) -> Vec<Comment<'_>> {
        let mut occupied: Vec<Range<usize>> = self.tree.sections.iter().map(|section| section.header.range()).collect();
        for id in self.tree.ids() {
            self.occupy(id, &mut occupied);
        }
        occupied.push(self.text.len()..self.text.len());
        occupied.sort_by_key(|range| (range.start, range.end));
        let mut comments = Vec::new();
        let (mut at, mut line, mut counted) = (0, 1, 0);
        for range in occupied {
            // Between keys, values and headers are only blanks, line ends, commas and comments.
            while let Some(found) = self.text.get(at..range.start).and_then(|gap| gap.find('#')) {
                let start = at + found;
                let end = self.text[start..].find('\n').map_or(self.text.len(), |length| start + length);
                line += count_newlines(&self.text[counted..start]);
                counted = start;
                let text = &self.text[start..end];
                comments.push(Comment {
                    line,
                    text: text.strip_suffix('\r').unwrap_or(text),
                });
                at = end;
            }
            at = at.max(range.end);
        }
        comments
    }

    /// Notes the parts of the text that a node takes and that hold no comment.
    fn occupy(&self, id: NodeId, occupied: &mut Vec<Range<usize>>) {
        let node = self.tree.node(id);
        let begin = node.begin as usize;
        match &node.kind {
            Kind::Scalar { span, .. } => occupied.push(begin..span.end()),
            // What lies in them takes its own part.
            Kind::Array { span, .. } | Kind::Inline { span, .. } => {
                occupied.push(begin..span.start() + 1);
                occupied.push(span.end() - 1..span.end());
            }
            Kind::Table { .. } | Kind::Tables { .. } => {}
        }
    }
}

fn count_newlines(text: &str) -> usize {
    text.bytes().filter(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_found_wherever_they_stand_and_nothing_else_is() {
        let text = "\u{feff}# one\r\n'#k' = '#no' # two\n[\"a#b\"] # three\nx = [ # four\n '#', # five\n]\n\
                    y = { a.b = \"#\", # six\n \"#c\" = 1 } # seven\nm = \"\"\"\n# no\n\"\"\"\n[[t]]#eight\n#nine";
        let document = SecretsDocument::parse(text.as_bytes()).expect("TOML");
        let found: Vec<(usize, &str)> = document.comments().iter().map(|comment| (comment.line, comment.text)).collect();
        let expected = [
            (1, "# one"),
            (2, "# two"),
            (3, "# three"),
            (4, "# four"),
            (5, "# five"),
            (7, "# six"),
            (8, "# seven"),
            (12, "#eight"),
            (13, "#nine"),
        ];
        assert_eq!(found, expected);
    }
}
