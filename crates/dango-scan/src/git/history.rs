//! All that git has ever kept: every version of every file, reachable or not, and the messages of commits and tags.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
use std::thread;

use super::blobs::{Objects, Oid};
use super::program::{GitError, not_started};
use super::{Repository, Within};
use crate::content::{self, Searched};
use crate::scanner::{Scanner, Scratch, Sought};
use crate::survey::{Named, Survey, shown};
use crate::workers::spread;

/// How many objects one thread takes at once.
const PORTION: usize = 256;

/// Searches every object of a repository, each once.
///
/// A finding names the first commit that has it and the file's name there; the same thing in later versions of the file is not told again. What
/// no commit reaches any longer (an amended commit, a dropped stash) is found as well, without a commit. That a clone is shallow or partial is in
/// the survey.
///
/// # Errors
///
/// [`GitError`]; a repository in which something cannot be read has not been searched.
pub fn search(scanner: &Scanner, repository: &Repository, within: Within<'_>) -> Result<Survey, GitError> {
    let objects = objects(repository)?;
    let portions: Vec<&[Object]> = objects.chunks(PORTION).collect();
    let done = spread(
        &portions,
        || (None, Scratch::default()),
        |(running, scratch), portion| search_portion(scanner, Objects::kept(running, &repository.program)?, portion, scratch),
    );
    let mut survey = Survey::default();
    let lacking = repository.is_without()?;
    survey.partly.extend(lacking.map(|why| ("the history".to_owned(), why)));
    let (mut versions, mut messages) = (HashMap::new(), Vec::new());
    for part in done {
        for (object, searched) in part? {
            survey.bytes += searched.bytes;
            survey.texts += 1;
            match object.kind {
                Kind::Blob if !searched.parts.is_empty() || searched.unsearched.is_some() => {
                    versions.insert(object.oid.clone(), searched);
                }
                Kind::Commit | Kind::Tag if within.places.is_empty() => messages.push((object, searched)),
                _ => {}
            }
        }
    }
    tell_messages(scanner, messages, &mut survey);
    if !versions.is_empty() {
        let places = places(repository, versions.keys().collect())?;
        tell_versions(scanner, repository, within, versions, &places, &mut survey);
    }
    survey.finish();
    Ok(survey)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blob,
    Commit,
    Tag,
}

struct Object {
    oid: Oid,
    kind: Kind,
}

/// Every object but trees: names of files are found with their contents.
fn objects(repository: &Repository) -> Result<Vec<Object>, GitError> {
    let said = repository.program.ask(&[
        "cat-file",
        "--batch-all-objects",
        "--unordered",
        "--batch-check=%(objectname) %(objecttype)",
    ])?;
    let mut objects = Vec::new();
    for line in said.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let (oid, kind) = line.split_at(line.iter().position(|byte| *byte == b' ').unwrap_or(line.len()));
        let kind = match kind {
            b" blob" => Kind::Blob,
            b" commit" => Kind::Commit,
            b" tag" => Kind::Tag,
            b" tree" => continue,
            _ => return Err(GitError::Answer("an object is missing or damaged; `git fsck` says more")),
        };
        let oid = Oid::parse(oid).ok_or(GitError::Answer("an object has no name"))?;
        objects.push(Object { oid, kind });
    }
    Ok(objects)
}

fn search_portion<'o>(
    scanner: &Scanner,
    running: &mut Objects,
    portion: &'o [Object],
    scratch: &mut Scratch,
) -> Result<Vec<(&'o Object, Searched)>, GitError> {
    let kinds: HashMap<&Oid, &'o Object> = portion.iter().map(|object| (&object.oid, object)).collect();
    let oids: Vec<&'o Oid> = portion.iter().map(|object| &object.oid).collect();
    let mut done = Vec::with_capacity(portion.len());
    running.read(&oids, |oid, content| {
        let object = kinds[oid];
        let searched = match object.kind {
            Kind::Blob => content::search(scanner, content, Sought::Everything, scratch)?,
            Kind::Commit | Kind::Tag => content::search(scanner, message(content)?.as_slice(), Sought::Everything, scratch)?,
        };
        done.push((object, searched));
        Ok(())
    })?;
    Ok(done)
}

/// What somebody wrote: behind the first empty line; signatures and names stand before it.
fn message(content: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    const LONGEST: u64 = 16 << 20;
    let mut text = Vec::new();
    content.take(LONGEST).read_to_end(&mut text)?;
    let begin = text.windows(2).position(|pair| pair == b"\n\n").map_or(text.len(), |at| at + 2);
    Ok(text.split_off(begin))
}

fn tell_messages(scanner: &Scanner, messages: Vec<(&Object, Searched)>, survey: &mut Survey) {
    for (object, searched) in messages {
        let (name, commit) = match object.kind {
            Kind::Tag => ("message of a tag", None),
            _ => ("message of the commit", Some(object.oid.as_str().to_owned())),
        };
        let mut named = Named::new(name.to_owned(), name);
        for hit in searched.parts.into_iter().flat_map(|part| part.hits.hits) {
            survey.findings.push(named.finding(scanner, None, hit, commit.clone()));
        }
    }
}

/// Where a version of a file stands first.
struct Place {
    commit: Oid,
    name: Vec<u8>,
    /// The commit's number, older ones first.
    order: usize,
}

fn tell_versions(
    scanner: &Scanner,
    repository: &Repository,
    within: Within<'_>,
    versions: HashMap<Oid, Searched>,
    places: &HashMap<Oid, Vec<Place>>,
    survey: &mut Survey,
) {
    let mut told: Vec<(usize, String, Option<&Oid>, &Searched)> = Vec::new();
    for (oid, searched) in &versions {
        match places.get(oid) {
            Some(places) => {
                let wanted = places.iter().filter(|place| within.has(repository, &place.name));
                told.extend(wanted.map(|place| {
                    (
                        place.order,
                        shown(scanner, &String::from_utf8_lossy(&place.name)),
                        Some(&place.commit),
                        searched,
                    )
                }));
            }
            None if within.places.is_empty() => {
                told.push((
                    usize::MAX,
                    format!("version {} of a file that no commit reaches", &oid.as_str()[..12]),
                    None,
                    searched,
                ));
            }
            None => {}
        }
    }
    told.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    // The same thing in a file is one finding, and its first commit counts.
    let mut seen = HashSet::new();
    for (_, name, commit, searched) in told {
        if let Some(why) = searched.unsearched {
            survey.partly.push((name.clone(), why));
        }
        let mut named = Named::new(name.clone(), &name);
        for part in &searched.parts {
            for hit in &part.hits.hits {
                if !named.tells(part.within.as_deref(), hit) {
                    continue;
                }
                let finding = named.finding(
                    scanner,
                    part.within.as_deref(),
                    hit.clone(),
                    commit.map(|oid| oid.as_str().to_owned()),
                );
                if seen.insert((finding.file.clone(), hit.rule, hit.mark, finding.path().map(ToOwned::to_owned))) {
                    survey.findings.push(finding);
                }
            }
        }
    }
}

/// In which commit each version is first, under each of its names: all refs, all that logs of refs remember, older commits first.
fn places(repository: &Repository, wanted: HashSet<&Oid>) -> Result<HashMap<Oid, Vec<Place>>, GitError> {
    let commits = repository
        .program
        .ask(&["rev-list", "--all", "--reflog", "--topo-order", "--reverse"])?;
    let mut child = repository
        .program
        .command(&[
            "diff-tree",
            "--stdin",
            "--root",
            "-m",
            "-r",
            "--raw",
            "-z",
            "--no-renames",
            "--no-abbrev",
            "--no-ext-diff",
            "--no-textconv",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(not_started)?;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(GitError::Answer("it has no input or output"));
    };
    let read = thread::scope(|scope| {
        scope.spawn(move || {
            // Where it ends early, what it said is looked at below.
            let _ = input.write_all(&commits);
        });
        read_places(BufReader::new(output), &wanted)
    });
    let status = child.wait()?;
    match read {
        Ok(places) if status.success() => Ok(places),
        Ok(_) => Err(GitError::Answer(
            "it does not know in which commits something is; `git fsck` says more",
        )),
        Err(error) => Err(error),
    }
}

fn read_places(mut output: impl BufRead, wanted: &HashSet<&Oid>) -> Result<HashMap<Oid, Vec<Place>>, GitError> {
    let mut places: HashMap<Oid, Vec<Place>> = HashMap::new();
    let mut known: HashSet<(Oid, Vec<u8>)> = HashSet::new();
    let (mut commit, mut order) = (None, 0);
    let mut field = Vec::new();
    loop {
        field.clear();
        if output.read_until(0, &mut field)? == 0 {
            return Ok(places);
        }
        let text = field.strip_suffix(b"\0").unwrap_or(&field).trim_ascii();
        let Some(facts) = text.strip_prefix(b":") else {
            commit = Oid::parse(text).or(commit);
            order += 1;
            continue;
        };
        let new = facts.split(|byte| *byte == b' ').nth(3).and_then(Oid::parse);
        field.clear();
        output.read_until(0, &mut field)?;
        let name = field.strip_suffix(b"\0").unwrap_or(&field).to_vec();
        if let (Some(new), Some(commit)) = (new, &commit)
            && wanted.contains(&new)
            && known.insert((new.clone(), name.clone()))
        {
            places.entry(new).or_default().push(Place {
                commit: commit.clone(),
                name,
                order,
            });
        }
    }
}
