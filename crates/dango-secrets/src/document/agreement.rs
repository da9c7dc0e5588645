//! Documents that TOML allows and dlt's parser does not, for the order of their tables; single values are in `scalar`.

use std::collections::HashMap;

use super::error::{DocumentError, DocumentProblem};
use super::position::line_and_column;
use super::tomlkit::{self, Line};
use super::tree::{Kind, NodeId, Origin, Section, Tree};

/// Refuses a document that dlt's parser (tomlkit 0.15) refuses.
pub(super) fn check(text: &str, tree: &Tree) -> Result<(), DocumentError> {
    if is_simple(tree) {
        return Ok(());
    }
    let Some(number) = tomlkit::refused_section(&lines(text, tree)) else {
        return Ok(());
    };
    let Some(section) = tree.sections.get(number) else { return Ok(()) };
    let Some(path) = tree.path(text, section.table) else {
        return Ok(());
    };
    let (line, column) = line_and_column(text, section.header.start());
    let problem = DocumentProblem::OutOfOrder { path };
    Err(DocumentError { line, column, problem })
}

/// Whether the document has neither arrays of tables, nor a header for a table that an earlier one implied, nor one
/// that adds to dotted keys: the usual file, whatever the order, and one that tomlkit takes.
fn is_simple(tree: &Tree) -> bool {
    tree.sections.iter().skip(1).all(|section| {
        let is_new = tree.node(section.table).begin as usize == section.header.start();
        let is_plain = |id: NodeId| match &tree.node(id).kind {
            Kind::Table { origin, .. } => *origin != Origin::Dotted && !tree.is_element(id),
            _ => false,
        };
        let mut at = section.table;
        while at != Tree::ROOT && is_plain(at) {
            at = tree.node(at).parent;
        }
        is_new && at == Tree::ROOT
    })
}

/// The headers and keys of a document in the order of the file.
fn lines(text: &str, tree: &Tree) -> Vec<Line> {
    let mut names = Names::default();
    let mut lines = Vec::new();
    let mut sections = tree.sections.iter().enumerate().skip(1).peekable();
    let mut section = &tree.sections[0];
    for id in tree.ids() {
        let node = tree.node(id);
        let is_statement = matches!(node.kind, Kind::Scalar { .. } | Kind::Array { .. } | Kind::Inline { .. });
        if !is_statement {
            continue;
        }
        while let Some((number, next)) = sections.next_if(|(_, next)| next.header.start() < node.begin as usize) {
            lines.push(header(text, tree, next, number, &mut names));
            section = next;
        }
        if let Some(key) = names_from(text, tree, section.table, id, &mut names) {
            lines.push(Line::Key(key));
        }
    }
    for (number, next) in sections {
        lines.push(header(text, tree, next, number, &mut names));
    }
    lines
}

fn header(text: &str, tree: &Tree, section: &Section, number: usize, names: &mut Names) -> Line {
    Line::Header {
        path: names_from(text, tree, Tree::ROOT, section.table, names).unwrap_or_default(),
        is_array: tree.is_element(section.table),
        section: number,
    }
}

/// The names on the way from a table down to a node, or nothing for what lies in an array or in braces.
fn names_from(text: &str, tree: &Tree, table: NodeId, id: NodeId, names: &mut Names) -> Option<Vec<u32>> {
    let mut path = Vec::new();
    let mut at = id;
    while at != table {
        let node = tree.node(at);
        if at == Tree::ROOT || matches!(tree.node(node.parent).kind, Kind::Array { .. } | Kind::Inline { .. }) {
            return None;
        }
        if !tree.is_element(at) {
            path.push(names.number(node.key.name(text)));
        }
        at = node.parent;
    }
    path.reverse();
    Some(path)
}

/// Numbers for names, so that paths are cheap to copy and compare.
#[derive(Default)]
struct Names(HashMap<Box<str>, u32>);

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.0.get(name) {
            return number;
        }
        let number = super::tree::narrow(self.0.len());
        self.0.insert(name.into(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::super::builder;
    use super::*;
    use proptest::prelude::*;

    fn line() -> impl Strategy<Value = String> {
        let name = || proptest::collection::vec("[abc]", 1..4).prop_map(|parts| parts.join("."));
        prop_oneof![
            6 => name().prop_map(|name| format!("[{name}]\n")),
            1 => name().prop_map(|name| format!("[[{name}]]\n")),
            3 => name().prop_map(|name| format!("{name} = 1\n")),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        /// What justifies the short cut in [`check`].
        #[test]
        fn the_model_refuses_no_simple_document(lines in proptest::collection::vec(line(), 0..9)) {
            let text = lines.concat();
            if let Ok(tree) = builder::build(&text) && is_simple(&tree) {
                prop_assert_eq!(tomlkit::refused_section(&super::lines(&text, &tree)), None, "{}", text);
            }
        }
    }
}
