//! The one table of edges that are allowed between our crates, and the check of what cargo says against it.

use super::Finding;
use super::metadata::Metadata;

/// Each crate with the crates it may depend on, lowest layer first: an edge only goes up in this list, so down in the house.
pub(super) const EDGES: [(&str, &[&str]); 8] = [
    ("dango-core", &[]),
    ("dango-secrets", &["dango-core"]),
    ("dango-sources", &["dango-core", "dango-secrets"]),
    ("dango-commands", &["dango-core", "dango-secrets", "dango-sources"]),
    ("dango-cli", &["dango-core", "dango-commands"]),
    ("xtask", &[]),
    ("dango-tests", &["dango-core", "dango-secrets", "dango-sources", "xtask"]),
    ("dango-fuzz", &["dango-core", "dango-secrets", "dango-sources"]),
];

/// The file that holds [`EDGES`].
const TABLE: &str = "xtask/src/tidy/layers.rs";

/// Compares the edges that cargo knows with the table.
pub(super) fn check(workspace: &Metadata, fuzz: Option<&Metadata>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in workspace.ours().chain(fuzz.into_iter().flat_map(Metadata::ours)) {
        let Some((_, allowed)) = EDGES.iter().find(|(name, _)| *name == package.name) else {
            findings.push(Finding::in_file(
                TABLE,
                format!("{} is in no layer", package.name),
                "give it a row in EDGES and a place in docs/architecture.md",
            ));
            continue;
        };
        for needed in &package.path_dependencies {
            if !allowed.contains(&needed.as_str()) {
                findings.push(Finding::in_file(
                    TABLE,
                    format!("{} depends on {needed}, which the table does not allow", package.name),
                    "remove the dependency from its Cargo.toml, or allow the edge here and in docs/architecture.md and say why",
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::metadata::samples;
    use super::*;

    #[test]
    fn an_arrow_only_goes_down() {
        for (row, (name, needs)) in EDGES.iter().enumerate() {
            for needed in *needs {
                assert!(
                    EDGES[..row].iter().any(|(lower, _)| lower == needed),
                    "{name} → {needed} does not go down"
                );
            }
        }
    }

    #[test]
    fn an_upward_edge_is_found() {
        let findings = check(
            &samples::workspace(&[("dango-core", &["dango-secrets"]), ("dango-secrets", &["dango-core"])], &[]),
            None,
        );
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0].problem.contains("dango-core depends on dango-secrets"),
            "{}",
            findings[0]
        );
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        let findings = check(&samples::workspace(&[("dango-new", &[])], &[]), None);
        assert!(findings[0].problem.contains("dango-new is in no layer"), "{}", findings[0]);
    }

    #[test]
    fn the_fuzz_targets_are_held_to_the_same_table() {
        let fuzz = samples::workspace(&[("dango-fuzz", &["dango-cli"])], &[]);
        assert_eq!(check(&samples::workspace(&[], &[]), Some(&fuzz)).len(), 1);
    }
}
