//! What git tracks and does not ignore, and what `docker build` takes along.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dango_scan::git::{GitError, Repository};
use dango_secrets::document::SecretsDocument;
use dango_secrets::storage;
use dango_vault::{is_encrypted, is_encrypted_binding};

use super::private;
use crate::chart::{Chart, OWN_TABLE, one_line};
use crate::code::Code;
use crate::disk;
use crate::finding::{Finding, word};
use crate::glob;
use crate::repair::Repair;

/// The files that say what goes into an image.
const RECIPES: [&str; 2] = ["Dockerfile", "Containerfile"];

pub(super) fn check(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let site = chart.site;
    let files = private::files(site);
    match &chart.repository {
        Ok(repository) if repository.top().is_some() => in_repository(chart, repository, &files, found),
        Ok(_) | Err(GitError::NotARepository { .. }) => outside(chart, &files, found),
        Err(GitError::Missing) if !is_in_repository(site.project.root()) => outside(chart, &files, found),
        Err(error) => found.push(unasked(error)),
    }
    image(chart, &files, found);
}

fn unasked(error: &GitError) -> Finding {
    let fix = match error {
        GitError::Missing => "install git".to_owned(),
        GitError::ForeignOwner { folder } => {
            format!(
                "if you trust it: `git config --global --add safe.directory {}`",
                word(&folder.display().to_string())
            )
        }
        _ => "`git fsck` says whether the repository is damaged".to_owned(),
    };
    let message = format!("what git tracks and ignores is not known: {}", one_line(error));
    Finding::new(Code::GitUnasked, ".git", message, fix)
}

fn in_repository(chart: &Chart<'_>, repository: &Repository, files: &[PathBuf], found: &mut Vec<Finding>) {
    let root = disk::real(chart.site.project.root());
    // As git names them: the folder without links, the file itself as it is.
    let real = |path: &PathBuf| -> Option<PathBuf> { Some(disk::real(path.parent()?).join(path.file_name()?)) };
    let copies = private::copies(chart.site);
    let asked: Vec<PathBuf> = files.iter().chain(&copies).filter_map(real).collect();
    let standing = match repository.standing(&asked) {
        Ok(standing) => standing,
        Err(error) => return found.push(unasked(&error)),
    };
    let name = |path: &Path| path.strip_prefix(&root).unwrap_or(path).display().to_string();
    let tracked: BTreeSet<String> = standing.tracked.iter().map(|path| name(path)).collect();
    // What is encrypted as a whole may be committed: that is what people encrypt it for.
    for place in tracked.into_iter().filter(|place| !is_sealed(chart, place)) {
        found.push(Finding::new(
            Code::Tracked,
            place.clone(),
            format!("git tracks {place}, so everybody who has the repository has what is in it"),
            format!(
                "`git rm --cached {}` and commit that; then rotate what was in it, as the history keeps it: `dango scan --history` shows since when",
                word(&place)
            ),
        ));
    }
    let copied: Vec<PathBuf> = copies.iter().filter_map(real).collect();
    for path in standing.unignored.iter().filter(|path| !copied.contains(path)) {
        found.push(unignored(name(path)));
    }
}

/// Whether every value of a file is encrypted.
fn is_sealed(chart: &Chart<'_>, place: &str) -> bool {
    match place {
        ".dlt/secrets.toml" => {
            let entries = chart.secrets.as_ref().map(SecretsDocument::entries).unwrap_or_default();
            let mut values = entries.iter().filter(|entry| entry.path.parts()[0] != OWN_TABLE).peekable();
            values.peek().is_some() && values.all(|entry| is_encrypted(&entry.value))
        }
        ".env" => {
            let mut bindings = chart.env.iter().flat_map(|env| env.bindings()).peekable();
            bindings.peek().is_some() && bindings.all(is_encrypted_binding)
        }
        _ => false,
    }
}

/// Where no git is asked, the project's own `.gitignore` is what counts once there is one.
fn outside(chart: &Chart<'_>, files: &[PathBuf], found: &mut Vec<Finding>) {
    let site = chart.site;
    // A deployed project has neither a repository nor need of the file.
    let Ok(Some(contents)) = storage::read(&site.project.gitignore()) else {
        return;
    };
    let patterns = String::from_utf8_lossy(contents.bytes());
    for file in files {
        let place = site.name_of(file);
        if !glob::is_ignored(&patterns, &place) {
            found.push(unignored(place));
        }
    }
}

fn unignored(place: String) -> Finding {
    let message = format!(".gitignore does not name {place}, so the next `git add` takes it");
    let repair = Repair::Ignore { name: place.clone() };
    Finding::new(Code::NotIgnored, place, message, "`dango doctor --fix` adds it to .gitignore").with(repair)
}

/// A recipe that copies the whole folder copies what `.dockerignore` does not leave out.
fn image(chart: &Chart<'_>, files: &[PathBuf], found: &mut Vec<Finding>) {
    let site = chart.site;
    let root = site.project.root();
    for recipe in RECIPES {
        let Ok(Some(contents)) = storage::read(&root.join(recipe)) else {
            continue;
        };
        if !String::from_utf8_lossy(contents.bytes()).lines().any(copies_everything) {
            continue;
        }
        let patterns = match storage::read(&root.join(".dockerignore")) {
            Ok(contents) => contents.map(|contents| String::from_utf8_lossy(contents.bytes()).into_owned()),
            Err(_) => None,
        };
        let patterns = patterns.unwrap_or_default();
        let names = files.iter().map(|file| site.name_of(file));
        let copied: Vec<String> = names.filter(|name| !glob::is_left_out(&patterns, name)).collect();
        if copied.is_empty() {
            continue;
        }
        found.push(Finding::new(
            Code::InDockerImage,
            recipe,
            format!(
                "{recipe} copies the whole folder, and .dockerignore does not leave out {}",
                copied.join(", ")
            ),
            format!(
                "`printf '%s\\n' {} >> .dockerignore`",
                copied.iter().map(|name| word(name)).collect::<Vec<_>>().join(" ")
            ),
        ));
    }
}

/// Whether a line of a recipe copies the folder that it is in: `COPY . /app`, `ADD ./ .`.
fn copies_everything(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let is_copy = words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("COPY") || word.eq_ignore_ascii_case("ADD"));
    let mut words = words.skip_while(|word| word.starts_with("--") && !word.starts_with("--from"));
    is_copy && matches!(words.next(), Some("." | "./" | "*"))
}

fn is_in_repository(folder: &Path) -> bool {
    disk::real(folder)
        .ancestors()
        .any(|folder| disk::look(&folder.join(".git")).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_line_that_copies_the_whole_folder_counts() {
        for (line, expected) in [
            ("COPY . /app", true),
            ("copy --chown=1:1 ./ .", true),
            ("ADD . .", true),
            ("COPY --from=build . /app", false),
            ("COPY pipeline.py /app", false),
            ("# COPY . .", false),
        ] {
            assert_eq!(copies_everything(line), expected, "{line}");
        }
    }
}
