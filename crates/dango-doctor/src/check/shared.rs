//! Files that are made to be committed: whether a secret of the project, or a token of a known format, stands in one.

use std::collections::BTreeSet;
use std::path::PathBuf;

use dango_scan::{Formats, Scanner, Subject};
use dango_secrets::storage;
use dango_sources::Value;

use super::dlt::known_values;
use super::private;
use crate::chart::Chart;
use crate::code::Code;
use crate::disk;
use crate::finding::Finding;

/// Those in `.dango/`.
const OWN: [&str; 4] = ["sources.yml", "remote.toml", "server.toml", "providers.toml"];

pub(super) fn check(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let site = chart.site;
    let own = OWN.iter().map(|name| site.project.dango_dir().join(name));
    let names = disk::names(site.project.root()).unwrap_or_default();
    let examples = names.into_iter().filter_map(|name| name.into_string().ok());
    let examples = examples
        .filter(|name| private::is_example(name))
        .map(|name| site.project.root().join(name));
    let files: Vec<PathBuf> = own
        .chain(examples)
        .chain([site.project.dlt_dir().join("config.toml")])
        .filter(|path| disk::look(path).is_some_and(|seen| seen.is_file))
        .collect();
    let mut told = in_sources(chart, found);
    if files.is_empty() {
        return;
    }
    if found
        .iter()
        .any(|finding| matches!(finding.code, Code::SecretInConfig | Code::CredentialsInConfig))
    {
        told.insert(".dlt/config.toml".to_owned());
    }
    let (scanner, _) = Scanner::new(known_values(chart), Formats::Sought);
    for path in files {
        let place = site.name_of(&path);
        if told.contains(&place) {
            continue;
        }
        // What cannot be read is told where it is read.
        let Ok(Some(contents)) = storage::read(&path) else { continue };
        let hits = scanner.scan(contents.bytes());
        let mut lines = BTreeSet::new();
        for hit in hits.iter().filter(|hit| lines.insert(hit.line)) {
            let what = match &hit.subject {
                Subject::Known { path, .. } => format!("the value of {path}"),
                Subject::Token { what } => format!("something in the format of {what}"),
            };
            found.push(in_file(&place, hit.line, &what));
        }
    }
}

fn in_file(place: &str, line: u64, what: &str) -> Finding {
    Finding::new(
        Code::SecretInSharedFile,
        format!("{place}:{line}"),
        format!("{place}:{line}: {what} stands in a file that is made to be committed"),
        format!("take it out of {place} and rotate it; a secret belongs into .dlt/secrets.toml: `dango secrets set`"),
    )
}

/// A field of a source that is a secret by the catalogue, whatever it looks like. Answers which files are told of.
fn in_sources(chart: &Chart<'_>, found: &mut Vec<Finding>) -> BTreeSet<String> {
    let place = ".dango/sources.yml";
    let mut told = BTreeSet::new();
    for source in chart.sources.iter().flat_map(|file| file.sources()) {
        let Some(spec) = source.spec() else { continue };
        for (key, value) in source.members() {
            let is_secret = spec.field(key).is_some_and(|field| field.secret);
            if is_secret
                && value.as_text().is_some_and(|text| !text.trim().is_empty() && !text.contains("${"))
                && !matches!(value, Value::Null)
            {
                let line = u64::try_from(source.line()).unwrap_or(u64::MAX);
                found.push(in_file(
                    place,
                    line,
                    &format!("the field `{key}` of the source {}, which is a secret,", source.name()),
                ));
                told.insert(place.to_owned());
            }
        }
    }
    told
}
