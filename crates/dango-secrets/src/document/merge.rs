//! What dlt's merge of two settings files makes of inline tables; which files dlt reads, and in which order, is in [`dlt`](crate::dlt).

use dango_core::CredentialPath;

use super::SecretsDocument;
use super::tree::{Kind, NodeId, Tree};

impl SecretsDocument {
    /// The first table in braces of `below` into which dlt would have to put a table of this file that has a header of its own: its merge
    /// (tomlkit's `Inline tables cannot contain a table`) fails there, and with it every look-up.
    ///
    /// This file is the one that takes precedence; `below` is merged under it, the user's own settings under a project's.
    pub fn refused_by_merge(&self, below: &Self) -> Option<CredentialPath> {
        let mut pairs = vec![(Tree::ROOT, Tree::ROOT)];
        while let Some((ours, theirs)) = pairs.pop() {
            let is_inline = matches!(below.tree.node(theirs).kind, Kind::Inline { .. });
            let children: &[NodeId] = self.tree.children(ours).map_or(&[], |children| children.ids());
            for &child in children {
                if self.tree.children(child).is_none() {
                    continue;
                }
                let name = self.tree.node(child).key.name(&self.text);
                let other = below.tree.child(&below.text, theirs, name);
                match other.filter(|&other| below.tree.children(other).is_some()) {
                    Some(other) => pairs.push((child, other)),
                    None if is_inline && matches!(self.tree.node(child).kind, Kind::Table { .. }) => {
                        return below.tree.path(&below.text, theirs);
                    }
                    None => {}
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(project: &str, global: &str) -> Option<String> {
        let parse = |text: &str| SecretsDocument::parse(text.as_bytes()).expect("TOML");
        parse(project).refused_by_merge(&parse(global)).map(|path| path.to_string())
    }

    /// Measured with dlt 1.31.0.
    #[test]
    fn a_table_with_a_header_goes_into_no_table_in_braces() {
        for (global, project, expected) in [
            ("sources = {b={k='g'}}\n", "[sources.a]\nk='p'\n", Some("sources")),
            ("[sources]\na = {z='g'}\n", "[sources.a]\nk='p'\n", None),
            (
                "[sources]\na = {z='g'}\n",
                "[sources.a]\nk='p'\n[sources.a.credentials]\nx='1'\n",
                Some("sources.a"),
            ),
            ("[sources]\na = {}\n", "[sources.a.credentials]\nx='1'\n", Some("sources.a")),
            ("[sources]\na = {}\n", "[sources.a]\nk='1'\n", None),
            ("[sources]\na = {z='1'}\n", "[sources]\na = {k='1', credentials={x='2'}}\n", None),
            ("[sources]\na = {credentials={x='1'}}\n", "[sources.a.credentials]\nx='1'\n", None),
            ("[sources]\na.z='1'\n", "[sources.a.credentials]\nx='1'\n", None),
        ] {
            assert_eq!(refused(project, global).as_deref(), expected, "{global}{project}");
        }
    }
}
