//! Which files of a project hold secrets, by their names. They are looked at elsewhere.

use std::path::{Path, PathBuf};

use crate::disk;
use crate::site::Site;

/// What is private in `.dango/`; whatever else stands there, another version's or a person's, may be anybody's.
const OWN: [&str; 9] = [
    "identity.key",
    "key",
    "wrapped-keys",
    "history",
    "rotations",
    "dango.db",
    "dango.db-wal",
    "dango.db-shm",
    "auth.db",
];

/// Words in the name of a `.env` that is made to be shown.
const EXAMPLES: [&str; 5] = ["example", "sample", "template", "dist", "defaults"];

/// What is added to a name by who keeps a copy.
const COPIES: [&str; 11] = [
    "~", ".bak", ".backup", ".old", ".orig", ".save", ".copy", ".rej", ".swp", ".swo", ".tmp",
];

/// A folder of the project and the names in it.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) names: Vec<String>,
}

/// The folders in which there are files with secrets.
pub(super) fn folders(site: &Site<'_>) -> Vec<Folder> {
    let project = site.project;
    let folders = [project.root().to_owned(), project.dlt_dir(), project.dango_dir()];
    folders
        .into_iter()
        .map(|path| {
            let names = disk::names(&path).unwrap_or_default();
            let names = names.into_iter().filter_map(|name| name.into_string().ok()).collect();
            Folder { path, names }
        })
        .collect()
}

/// The files that hold secrets and are there.
pub(super) fn files(site: &Site<'_>) -> Vec<PathBuf> {
    of(site, |role, name| role.is_private(name))
}

/// Copies of such files.
pub(super) fn copies(site: &Site<'_>) -> Vec<PathBuf> {
    of(site, |role, name| role.is_copy(name))
}

/// Whether the name is that of a `.env` for others to read.
pub(super) fn is_example(name: &str) -> bool {
    name.strip_prefix(".env")
        .is_some_and(|rest| EXAMPLES.iter().any(|word| rest.contains(word)))
}

fn of(site: &Site<'_>, wanted: impl Fn(Role, &str) -> bool) -> Vec<PathBuf> {
    let roles = [Role::Root, Role::Dlt, Role::Dango];
    let folders = folders(site).into_iter().zip(roles);
    let named = folders.flat_map(|(folder, role)| {
        let names = folder.names.into_iter().filter(|name| wanted(role, name)).collect::<Vec<_>>();
        names.into_iter().map(move |name| folder.path.join(name))
    });
    named.filter(|path| disk::look(path).is_some_and(|seen| seen.is_file)).collect()
}

#[derive(Clone, Copy)]
enum Role {
    Root,
    Dlt,
    Dango,
}

impl Role {
    fn is_private(self, name: &str) -> bool {
        match self {
            Self::Root => {
                let is_one = name == ".env" || name.starts_with(".env.") && !is_example(name);
                is_one && !self.is_copy(name) && !name.ends_with(".lock")
            }
            Self::Dlt => name == "secrets.toml" || name.ends_with(".secrets.toml") && !is_hidden(name),
            Self::Dango => OWN.contains(&name),
        }
    }

    /// Whether a name is that of a private file with something added to it.
    fn is_copy(self, name: &str) -> bool {
        let original = |name: &str| match self {
            Self::Root => name == ".env",
            Self::Dlt => name == "secrets.toml" || name.ends_with(".secrets.toml"),
            Self::Dango => OWN.contains(&name),
        };
        let is_hidden_copy = name.strip_prefix('.').is_some_and(|rest| is_named_after(rest, original));
        let in_signs = name.strip_prefix('#').and_then(|rest| rest.strip_suffix('#'));
        let is_numbered_toml = matches!(self, Self::Dlt)
            && name != "secrets.toml"
            && name.starts_with("secrets")
            && name.ends_with(".toml")
            && !EXAMPLES.iter().any(|word| name.contains(word));
        is_named_after(name, original) || is_hidden_copy || in_signs.is_some_and(original) || is_numbered_toml
    }
}

fn is_named_after(name: &str, original: impl Fn(&str) -> bool) -> bool {
    COPIES.iter().any(|added| name.strip_suffix(added).is_some_and(&original))
}

fn is_hidden(name: &str) -> bool {
    Path::new(name)
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_files_are_told_from_copies_and_examples() {
        for (role, name, private, copy) in [
            (Role::Root, ".env", true, false),
            (Role::Root, ".env.production", true, false),
            (Role::Root, ".env.example", false, false),
            (Role::Root, ".env.bak", false, true),
            (Role::Root, ".env~", false, true),
            (Role::Root, "..env.swp", false, true),
            (Role::Root, ".env.lock", false, false),
            (Role::Root, ".envrc", false, false),
            (Role::Dlt, "secrets.toml", true, false),
            (Role::Dlt, "prod.secrets.toml", true, false),
            (Role::Dlt, "secrets.old.toml", false, true),
            (Role::Dlt, "#secrets.toml#", false, true),
            (Role::Dlt, ".secrets.toml.swp", false, true),
            (Role::Dlt, "secrets.example.toml", false, false),
            (Role::Dlt, "config.toml", false, false),
            (Role::Dango, "identity.key", true, false),
            (Role::Dango, "identity.key.bak", false, true),
            (Role::Dango, "sources.yml", false, false),
        ] {
            assert_eq!((role.is_private(name), role.is_copy(name)), (private, copy), "{name}");
        }
    }
}
