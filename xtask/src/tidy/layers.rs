//! The one table of edges that are allowed between our crates, and the check of what cargo says against it.

use super::Finding;
use super::metadata::Metadata;

/// Each crate with the crates it may depend on, lowest layer first: an edge only goes up in this list, so down in the house.
pub(super) const EDGES: &[(&str, &[&str])] = &[
    ("dango-core", &[]),
    ("dango-secrets", &["dango-core"]),
    ("dango-keyring", &["dango-core"]),
    ("dango-identity", &["dango-core"]),
    ("dango-audit", &["dango-core"]),
    ("dango-store", &["dango-core", "dango-identity", "dango-audit"]),
    (
        "dango-store-sqlite",
        &["dango-core", "dango-identity", "dango-audit", "dango-store"],
    ),
    (
        "dango-actions",
        &["dango-core", "dango-secrets", "dango-identity", "dango-audit", "dango-store"],
    ),
    ("dango-vault", &["dango-core", "dango-secrets", "dango-keyring"]),
    // Keyring and vault are for its tests alone, in which the rows of projects' files are what they are for.
    (
        "dango-store-postgres",
        &[
            "dango-core",
            "dango-secrets",
            "dango-keyring",
            "dango-identity",
            "dango-audit",
            "dango-store",
            "dango-vault",
        ],
    ),
    // Both ends of a move, and what is between them. Identity and log are for what is sealed on the way, and for its tests.
    (
        "dango-migration",
        &[
            "dango-core",
            "dango-identity",
            "dango-audit",
            "dango-store",
            "dango-store-sqlite",
            "dango-store-postgres",
        ],
    ),
    (
        "dango-api",
        &[
            "dango-core",
            "dango-secrets",
            "dango-identity",
            "dango-audit",
            "dango-store",
            "dango-actions",
        ],
    ),
    ("dango-scan", &["dango-core", "dango-secrets"]),
    ("dango-sources", &["dango-core", "dango-secrets"]),
    ("dango-remote", &["dango-core", "dango-secrets"]),
    // Rules over everything that a project has on one machine, so it sees all that is below the use cases.
    (
        "dango-doctor",
        &[
            "dango-core",
            "dango-secrets",
            "dango-keyring",
            "dango-vault",
            "dango-scan",
            "dango-sources",
            "dango-remote",
        ],
    ),
    ("dango-client", &["dango-core"]),
    // Its table of providers is checked against the catalogue.
    ("dango-oauth", &["dango-core", "dango-sources"]),
    // Providers are called through the port that calls them for connections.
    ("dango-check", &["dango-core", "dango-sources", "dango-oauth"]),
    // What both doors need of stored connections; who may, and what is recorded, is above.
    (
        "dango-connections",
        &[
            "dango-core",
            "dango-secrets",
            "dango-keyring",
            "dango-vault",
            "dango-sources",
            "dango-oauth",
        ],
    ),
    // Credentials that take the places of others: where they are, and what is laid aside meanwhile.
    (
        "dango-rotation",
        &["dango-core", "dango-secrets", "dango-keyring", "dango-vault", "dango-sources"],
    ),
    // The only crate that knows the use cases and the vault: the one brings the port, the other what is behind it.
    (
        "dango-files",
        &[
            "dango-core",
            "dango-secrets",
            "dango-keyring",
            "dango-store",
            "dango-actions",
            "dango-vault",
            "dango-sources",
        ],
    ),
    (
        "dango-commands",
        &[
            "dango-core",
            "dango-secrets",
            "dango-keyring",
            "dango-identity",
            "dango-audit",
            "dango-store",
            "dango-store-postgres",
            "dango-actions",
            "dango-vault",
            "dango-scan",
            "dango-sources",
            "dango-oauth",
            "dango-check",
            "dango-connections",
            "dango-remote",
            "dango-rotation",
            "dango-doctor",
            "dango-client",
        ],
    ),
    ("dango-cli", &["dango-core", "dango-store", "dango-store-sqlite", "dango-commands"]),
    (
        "dango-server",
        &[
            "dango-core",
            "dango-secrets",
            "dango-identity",
            "dango-audit",
            "dango-store",
            "dango-store-sqlite",
            "dango-store-postgres",
            "dango-migration",
            "dango-actions",
            "dango-api",
            "dango-vault",
            "dango-files",
            "dango-oauth",
            "dango-connections",
        ],
    ),
    ("xtask", &[]),
    (
        "dango-tests",
        &[
            "dango-core",
            "dango-secrets",
            "dango-sources",
            "dango-identity",
            "dango-audit",
            "dango-store",
            "dango-store-sqlite",
            "dango-store-postgres",
            "dango-actions",
            "dango-files",
            "dango-keyring",
            "dango-store-postgres",
            "dango-vault",
            "xtask",
        ],
    ),
    ("dango-fuzz", &["dango-core", "dango-secrets", "dango-keyring", "dango-sources"]),
];

/// The file that holds [`EDGES`].
const TABLE: &str = "xtask/src/tidy/layers.rs";

/// Compares the edges that cargo knows with the table.
pub(super) fn check(workspace: &Metadata, fuzz: Option<&Metadata>) -> Vec<Finding> {
    let mut findings = rows_without_a_crate(workspace, fuzz);
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
            // A crate that its own tests build with another feature is no edge.
            if *needed != package.name && !allowed.contains(&needed.as_str()) {
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

fn rows_without_a_crate(workspace: &Metadata, fuzz: Option<&Metadata>) -> Vec<Finding> {
    let exists = |name: &str| {
        workspace
            .ours()
            .chain(fuzz.into_iter().flat_map(Metadata::ours))
            .any(|package| package.name == name)
    };
    let gone = EDGES.iter().filter(|(name, _)| !exists(name));
    gone.map(|(name, _)| {
        Finding::in_file(
            TABLE,
            format!("{name} does not exist"),
            "remove its row from EDGES and its edges from docs/architecture.md",
        )
    })
    .collect()
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

    fn problems(ours: &[(&str, &[&str])], fuzz: Option<&Metadata>) -> Vec<String> {
        check(&samples::workspace(ours, &[]), fuzz)
            .into_iter()
            .map(|finding| finding.problem)
            .collect()
    }

    #[test]
    fn a_workspace_with_exactly_the_edges_of_the_table_is_right() {
        let (fuzz, workspace) = EDGES.split_last().expect("the table is not empty");
        assert_eq!(problems(workspace, Some(&samples::workspace(&[*fuzz], &[]))), Vec::<String>::new());
    }

    #[test]
    fn an_upward_edge_is_found() {
        let found = problems(&[("dango-core", &["dango-secrets"]), ("dango-secrets", &["dango-core"])], None);
        assert!(
            found.contains(&"dango-core depends on dango-secrets, which the table does not allow".to_owned()),
            "{found:?}"
        );
    }

    #[test]
    fn a_crate_without_a_row_and_a_row_without_a_crate_are_found() {
        let found = problems(&[("dango-new", &[])], None);
        assert!(found.contains(&"dango-new is in no layer".to_owned()), "{found:?}");
        assert!(found.contains(&"dango-core does not exist".to_owned()), "{found:?}");
    }

    #[test]
    fn the_fuzz_targets_are_held_to_the_same_table() {
        let fuzz = samples::workspace(&[("dango-fuzz", &["dango-cli"])], &[]);
        let found = problems(&[], Some(&fuzz));
        assert!(
            found.contains(&"dango-fuzz depends on dango-cli, which the table does not allow".to_owned()),
            "{found:?}"
        );
    }
}
