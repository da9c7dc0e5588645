//! Values as they are spelled: their own text found by path, and many of them spelled anew at once, with proof. What a text means is not decided here.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use dango_core::CredentialPath;

use super::error::DocumentError;
use super::layout::{self, Splice};
use super::tree::{Found, Kind, NodeId, Tree};
use super::{SecretsDocument, inline, proof};

/// One value spelled anew. There is no `Debug`: it may be a secret.
#[derive(Clone, Copy)]
pub struct Respelling<'a> {
    /// Where the value is; a table and an array of tables (`[[name]]`) have no spelling of their own.
    pub path: &'a CredentialPath,
    /// The text of a TOML value.
    pub spelling: &'a str,
    /// What becomes of the comment behind the statement that the value is in.
    pub comment: CommentChange<'a>,
}

/// What becomes of a comment behind a value.
#[derive(Clone, Copy)]
pub enum CommentChange<'a> {
    /// It stays.
    Keep,
    /// It goes, with the blanks before it.
    Take,
    /// This one, with the blanks before it, is put there, before one that is there already.
    Put(&'a str),
}

/// Why values were not spelled anew; it names paths, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RespellError {
    /// Nothing is there, or a table, or an array of tables.
    #[error("there is no single value at {path}")]
    NotAValue {
        /// The path.
        path: CredentialPath,
    },
    /// The same path twice.
    #[error("{path} is to be spelled twice")]
    Twice {
        /// The path.
        path: CredentialPath,
    },
    /// The file, edited, would be one that dlt cannot read.
    #[error("the values cannot be spelled so in this file: dlt could not read the result")]
    Unreadable {
        /// What would be wrong; line and column are those of the result.
        #[source]
        source: DocumentError,
    },
    /// More or something else changed than what was wanted; caught before anything was written.
    #[error("the values were not spelled anew: the result did not prove to be the same file with only these changes")]
    Unproven,
}

impl RespellError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAValue { .. } => "respell_not_a_value",
            Self::Twice { .. } => "respell_twice",
            Self::Unreadable { .. } => "respell_unreadable",
            Self::Unproven => "respell_unproven",
        }
    }
}

impl SecretsDocument {
    /// The text of a value as it stands in the file, quotes included; `None` for tables of every kind and where nothing is.
    pub fn spelling(&self, path: &CredentialPath) -> Option<&str> {
        let (_, span) = self.single(path)?;
        Some(&self.text[span])
    }

    /// The comment behind the statement that a value is in, with the blanks before it: `  # rotate in May`.
    ///
    /// For a value in an inline table that is the comment behind the outermost closing brace.
    pub fn comment_behind(&self, path: &CredentialPath) -> Option<&str> {
        let (id, _) = self.single(path)?;
        let range = self.comment_range(self.statement_end(id)?)?;
        Some(&self.text[range])
    }

    /// Makes a document in which these values are spelled so; every byte outside of them and of the named comments stays.
    ///
    /// # Errors
    ///
    /// [`RespellError`]: a path without a value of its own, or a result that is not proven to be the same document
    /// but for these values.
    pub fn respell(&self, changes: &[Respelling<'_>]) -> Result<Self, RespellError> {
        let mut splices = Vec::with_capacity(changes.len());
        let mut wanted: HashMap<NodeId, &str> = HashMap::with_capacity(changes.len());
        let mut taken = HashSet::new();
        for change in changes {
            let path = || change.path.clone();
            let (id, span) = self.single(change.path).ok_or_else(|| RespellError::NotAValue { path: path() })?;
            if wanted.insert(id, change.spelling).is_some() {
                return Err(RespellError::Twice { path: path() });
            }
            let end = self.statement_end(id).unwrap_or(span.end);
            splices.push(Splice::insert_at(span, change.spelling));
            match change.comment {
                CommentChange::Keep => {}
                CommentChange::Take if taken.insert(end) => {
                    splices.extend(self.comment_range(end).map(|range| Splice::insert_at(range, "")));
                }
                CommentChange::Take => {}
                CommentChange::Put(comment) => splices.push(Splice::insert_at(end..end, comment)),
            }
        }
        let text = layout::splice(&self.text, splices);
        let edited = Self::from_text(text).map_err(|source| RespellError::Unreadable { source })?;
        if is_same_but_for(self, &edited, &wanted) && proof::accepts(&edited.text) {
            Ok(edited)
        } else {
            Err(RespellError::Unproven)
        }
    }

    /// A value with a span of its own, and that span.
    fn single(&self, path: &CredentialPath) -> Option<(NodeId, Range<usize>)> {
        let Found::Node(id) = self.tree.find(&self.text, path.parts()) else {
            return None;
        };
        match &self.tree.node(id).kind {
            Kind::Scalar { span, .. } | Kind::Array { span, .. } => Some((id, span.range())),
            _ => None,
        }
    }

    /// Where the outermost value ends that a node lies in.
    fn statement_end(&self, id: NodeId) -> Option<usize> {
        let mut outermost = id;
        while let Some(braces) = inline::enclosing(&self.tree, self.tree.node(outermost).parent) {
            outermost = braces;
        }
        match &self.tree.node(outermost).kind {
            Kind::Scalar { span, .. } | Kind::Array { span, .. } | Kind::Inline { span, .. } => Some(span.end()),
            _ => None,
        }
    }

    /// The blanks and the comment that follow on the line, up to its end.
    fn comment_range(&self, from: usize) -> Option<Range<usize>> {
        let rest = &self.text[from..];
        if !rest.trim_start_matches([' ', '\t']).starts_with('#') {
            return None;
        }
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let line = line.strip_suffix('\r').unwrap_or(line);
        Some(from..from + line.len())
    }
}

/// Whether two documents have the same keys, tables and values in the same order and the same spelling, but for the
/// nodes in `wanted`, which have the given spelling.
fn is_same_but_for(before: &SecretsDocument, after: &SecretsDocument, wanted: &HashMap<NodeId, &str>) -> bool {
    let (old, new) = (&before.tree, &after.tree);
    let mut old_ids = old.ids().skip(1).peekable();
    let mut new_ids = new.ids().skip(1).peekable();
    // Where a node of `before` is in `after`; nodes are numbered in the order of the text.
    let mut images: Vec<NodeId> = vec![Tree::ROOT; old.nodes.len()];
    loop {
        let (old_id, new_id) = match (old_ids.next(), new_ids.next()) {
            (None, None) => return true,
            (Some(old_id), Some(new_id)) => (old_id, new_id),
            _ => return false,
        };
        let (one, other) = (old.node(old_id), new.node(new_id));
        images[old_id.index()] = new_id;
        let is_in_place = one.key.name(&before.text) == other.key.name(&after.text) && images[one.parent.index()] == other.parent;
        if !is_in_place {
            return false;
        }
        match wanted.get(&old_id) {
            Some(spelling) => {
                if own_text(after, new_id) != Some(*spelling) {
                    return false;
                }
                // What lies in them is their own affair.
                while old_ids.next_if(|&id| is_below(old, id, old_id)).is_some() {}
                while new_ids.next_if(|&id| is_below(new, id, new_id)).is_some() {}
            }
            None if std::mem::discriminant(&one.kind) != std::mem::discriminant(&other.kind) => return false,
            None if matches!(one.kind, Kind::Scalar { .. }) && own_text(before, old_id) != own_text(after, new_id) => return false,
            None => {}
        }
    }
}

fn own_text(document: &SecretsDocument, id: NodeId) -> Option<&str> {
    match &document.tree.node(id).kind {
        Kind::Scalar { span, .. } | Kind::Array { span, .. } | Kind::Inline { span, .. } => Some(&document.text[span.range()]),
        _ => None,
    }
}

/// Whether a node lies below another, which was made before it.
fn is_below(tree: &Tree, id: NodeId, ancestor: NodeId) -> bool {
    id > ancestor && super::removal::is_within(tree, id, ancestor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> SecretsDocument {
        SecretsDocument::parse(text.as_bytes()).expect("TOML")
    }

    fn path(text: &str) -> CredentialPath {
        text.parse().expect("a path")
    }

    fn respelled(text: &str, at: &str, spelling: &str, comment: CommentChange<'_>) -> Result<String, RespellError> {
        let path = path(at);
        let change = Respelling {
            path: &path,
            spelling,
            comment,
        };
        parse(text).respell(&[change]).map(|document| document.text().to_owned())
    }

    #[test]
    fn a_value_is_given_as_it_is_spelled() {
        let document = parse("a = 0x1F\nb = [ 1, # one\n 2 ]  # two\r\nc = { d = 'x' } # both\n[[t]]\n");
        assert_eq!(document.spelling(&path("a")), Some("0x1F"));
        assert_eq!(document.spelling(&path("b")), Some("[ 1, # one\n 2 ]"));
        assert_eq!(document.comment_behind(&path("b")), Some("  # two"));
        assert_eq!(document.spelling(&path("c.d")), Some("'x'"));
        assert_eq!(document.comment_behind(&path("c.d")), Some(" # both"));
        for none in ["c", "t", "x", "a.b"] {
            assert_eq!(document.spelling(&path(none)), None, "{none}");
        }
    }

    #[test]
    fn a_comment_is_taken_and_put_back_byte_for_byte() {
        let text = "k = 1\t# one\r\nc = { d = 'x', e = 2 } # both\r\n";
        for (at, spelling, comment) in [("k", "1", "\t# one"), ("c.d", "'x'", " # both"), ("c.e", "2", " # both")] {
            let taken = respelled(text, at, "\"new\"", CommentChange::Take).expect("fits");
            assert!(!taken.contains(comment), "{taken}");
            assert_eq!(respelled(&taken, at, spelling, CommentChange::Put(comment)).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_would_change_more_than_the_value_is_refused() {
        let text = "a = 1\nb = 2\n";
        for bad in ["1\nc = 3", "1 # x", " 1", "1, 2", ""] {
            assert!(respelled(text, "a", bad, CommentChange::Keep).is_err(), "{bad:?}");
        }
        assert!(respelled(text, "a", "1", CommentChange::Put(" # x\nc = 3")).is_err());
        assert!(respelled(text, "a", "1", CommentChange::Put("2")).is_err());
        assert_eq!(
            respelled(text, "x", "1", CommentChange::Keep),
            Err(RespellError::NotAValue { path: path("x") })
        );
        assert_eq!(
            respelled(text, "a", "{ x = 1 }", CommentChange::Keep).as_deref(),
            Ok("a = { x = 1 }\nb = 2\n")
        );
    }
}
