//! The picture of the house in `docs/architecture.md`, compared edge by edge with the table of the layers.

use std::collections::BTreeMap;

use super::Finding;
use super::layers::EDGES;
use super::tree::SourceTree;

const DOCUMENT: &str = "docs/architecture.md";

/// Compares every `a --> b` of the document's mermaid block with the table, both ways.
pub(super) fn check(tree: &SourceTree) -> Vec<Finding> {
    let Some(document) = tree.file(DOCUMENT) else {
        return vec![Finding::in_file(
            DOCUMENT,
            "it does not exist",
            "describe the house there, with a mermaid block of its edges",
        )];
    };
    let drawn = parse_edges(&document.text);
    let mut findings = Vec::new();
    for (edge, line) in &drawn {
        if !is_allowed(edge) {
            findings.push(Finding::at_line(
                DOCUMENT,
                *line,
                format!("{} --> {} is drawn but not allowed", edge.0, edge.1),
                "remove it from the picture, or allow it in xtask/src/tidy/layers.rs and say why",
            ));
        }
    }
    for &(from, needs) in EDGES {
        for to in needs {
            if !drawn.contains_key(&(from, to)) {
                findings.push(Finding::in_file(
                    DOCUMENT,
                    format!("{from} --> {to} is allowed but not drawn"),
                    "draw it in the mermaid block",
                ));
            }
        }
        if !drawn.keys().any(|(a, b)| *a == from || *b == from) && !document.text.contains(&format!("  {from}\n")) {
            findings.push(Finding::in_file(
                DOCUMENT,
                format!("{from} is not in the picture"),
                "put it on a line by itself in the mermaid block",
            ));
        }
    }
    findings
}

fn is_allowed((from, to): &(&str, &str)) -> bool {
    EDGES.iter().any(|(name, needs)| name == from && needs.contains(to))
}

/// The edges inside mermaid blocks, each with its line.
fn parse_edges(document: &str) -> BTreeMap<(&str, &str), usize> {
    let mut edges = BTreeMap::new();
    let mut inside = false;
    for (index, line) in document.lines().enumerate() {
        match line.trim() {
            "```mermaid" => inside = true,
            "```" => inside = false,
            edge if inside => {
                if let Some((from, to)) = edge.split_once(" --> ") {
                    edges.insert((from.trim(), to.trim()), index + 1);
                }
            }
            _ => {}
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(extra: &str, without: &str) -> String {
        let edges: String = EDGES
            .iter()
            .flat_map(|(from, needs)| needs.iter().map(move |to| format!("  {from} --> {to}\n")))
            .filter(|edge| !edge.contains(without))
            .collect();
        format!("# House\n```mermaid\ngraph TD\n{edges}{extra}```\n")
    }

    fn problems(document: &str) -> Vec<String> {
        check(&SourceTree::of(&[(DOCUMENT, document)]))
            .into_iter()
            .map(|finding| finding.problem)
            .collect()
    }

    #[test]
    fn a_picture_with_exactly_the_edges_of_the_table_is_right() {
        assert_eq!(problems(&picture("", "nothing")), Vec::<String>::new());
    }

    #[test]
    fn an_edge_too_many_and_an_edge_too_few_are_found() {
        assert_eq!(
            problems(&picture("  dango-core --> dango-cli\n", "nothing")),
            ["dango-core --> dango-cli is drawn but not allowed"]
        );
        assert_eq!(
            problems(&picture("", "dango-cli --> dango-commands")),
            ["dango-cli --> dango-commands is allowed but not drawn"]
        );
    }

    #[test]
    fn a_missing_document_is_found() {
        assert_eq!(check(&SourceTree::of(&[])).len(), 1);
    }
}
