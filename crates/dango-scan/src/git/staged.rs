//! What is staged: the versions of files that the next commit takes, searched for what the ones before did not have.

use std::collections::HashMap;

use super::blobs::{Objects, Oid};
use super::program::GitError;
use super::{Repository, Within};
use crate::content::{self, Searched};
use crate::finding::Mark;
use crate::scanner::{Scanner, Scratch, Sought};
use crate::survey::{Name, Survey};
use crate::workers::spread;

/// How many changes one thread takes at once.
const PORTION: usize = 32;
/// Folders of other repositories have this mode.
const SUBMODULE: &[u8] = b"160000";

/// Searches what is staged for a commit.
///
/// What the version before has as often already is not told again: the change did not bring it.
///
/// # Errors
///
/// [`GitError`]; a repository in which something cannot be read has not been searched.
pub fn search(scanner: &Scanner, repository: &Repository, within: Within<'_>) -> Result<Survey, GitError> {
    let program = &repository.program;
    let head = match program.agrees(&["rev-parse", "--quiet", "--verify", "HEAD^{commit}"])? {
        true => "HEAD".to_owned(),
        // Before the first commit everything is new: the tree without a file, by its name.
        false => String::from_utf8_lossy(&program.ask(&["hash-object", "-t", "tree", "/dev/null"])?)
            .trim()
            .to_owned(),
    };
    let said = program.ask(&[
        "diff-index",
        "--cached",
        "--raw",
        "-z",
        "--no-renames",
        "--no-abbrev",
        "--no-ext-diff",
        "--no-textconv",
        "--ignore-submodules=all",
        "--diff-filter=ACMT",
        &head,
        "--",
    ])?;
    let changes: Vec<Change> = changes(&said)?
        .into_iter()
        .filter(|change| within.has(repository, &change.name))
        .collect();
    let portions: Vec<&[Change]> = changes.chunks(PORTION).collect();
    let done = spread(
        &portions,
        || (None, Scratch::default()),
        |(objects, scratch), portion| search_portion(scanner, Objects::kept(objects, program)?, portion, scratch),
    );
    let mut survey = Survey::default();
    for part in done {
        survey.join(part?);
    }
    survey.finish();
    Ok(survey)
}

struct Change {
    name: Vec<u8>,
    old: Option<Oid>,
    new: Oid,
}

/// Reads what `--raw -z` prints: `:MODE MODE OID OID STATUS`, NUL, name, NUL.
fn changes(said: &[u8]) -> Result<Vec<Change>, GitError> {
    const WRONG: GitError = GitError::Answer("a change has no two versions");
    let mut changes = Vec::new();
    let mut fields = said.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    while let Some(facts) = fields.next() {
        let name = fields.next().ok_or(WRONG)?.to_vec();
        let facts: Vec<&[u8]> = facts.split(|byte| *byte == b' ').collect();
        let [_, mode, old, new, _] = facts[..] else { return Err(WRONG) };
        let (old, new) = (Oid::parse(old).ok_or(WRONG)?, Oid::parse(new).ok_or(WRONG)?);
        if mode != SUBMODULE && !new.is_null() {
            changes.push(Change {
                name,
                old: Some(old).filter(|old| !old.is_null()),
                new,
            });
        }
    }
    Ok(changes)
}

fn search_portion(scanner: &Scanner, objects: &mut Objects, portion: &[Change], scratch: &mut Scratch) -> Result<Survey, GitError> {
    let mut survey = Survey::default();
    for change in portion {
        let mut searched = searched(scanner, objects, &change.new, scratch)?;
        if !searched.parts.is_empty()
            && let Some(old) = &change.old
        {
            subtract(&mut searched, &self::searched(scanner, objects, old, scratch)?);
        }
        let text = String::from_utf8_lossy(&change.name);
        let name = match change.old {
            None => Name::New(&text),
            Some(_) => Name::Old(&text),
        };
        survey.add_file(scanner, name, &text, searched);
    }
    Ok(survey)
}

fn searched(scanner: &Scanner, objects: &mut Objects, oid: &Oid, scratch: &mut Scratch) -> Result<Searched, GitError> {
    let mut searched = Searched::default();
    objects.read(&[oid], |_, content| {
        searched = content::search(scanner, content, Sought::Everything, scratch)?;
        Ok(())
    })?;
    Ok(searched)
}

/// Takes what was there before out of what is there now, as often as it was there.
fn subtract(now: &mut Searched, before: &Searched) {
    let mut there: HashMap<(&str, Mark), usize> = HashMap::new();
    for hit in before.parts.iter().flat_map(|part| &part.hits.hits) {
        *there.entry((hit.rule, hit.mark)).or_default() += 1;
    }
    for part in &mut now.parts {
        part.hits.hits.retain(|hit| match there.get_mut(&(hit.rule, hit.mark)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
    }
}
