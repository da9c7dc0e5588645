//! Settings of Dango's own that do not parse, files of profiles that nobody reads, and a clock that is behind the files.

use dango_remote::settings::{Remotes, SettingsError};
use dango_secrets::document::SecretsDocument;

use crate::chart::{Chart, one_line, read_file};
use crate::code::Code;
use crate::disk;
use crate::finding::Finding;

/// How far the clock may be behind a file: clocks of file servers differ a little. In microseconds.
const TOLERANCE: i64 = 300 * 1_000_000;

pub(super) fn check(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    remotes(chart, found);
    server(chart, found);
    profiles(chart, found);
    clock(chart, found);
}

fn remotes(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let path = chart.site.project.remote_toml();
    let Some(contents) = read_file(chart.site, &path, found) else {
        return;
    };
    let Err(error) = Remotes::parse(contents.bytes()) else { return };
    let place = chart.site.name_of(&path);
    let at = match &error {
        SettingsError::Document(error) => format!("{place}:{}:{}", error.line, error.column),
        _ => place.clone(),
    };
    let message = format!("{place} cannot be used: {}", one_line(&error));
    found.push(Finding::new(
        Code::RemoteMalformed,
        at,
        message,
        format!("correct {place} in an editor"),
    ));
}

/// Which keys it may have is the server's to say: `dango-server check`.
fn server(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let path = chart.site.project.dango_dir().join("server.toml");
    let Some(contents) = read_file(chart.site, &path, found) else {
        return;
    };
    let Err(error) = SecretsDocument::parse(contents.bytes()) else {
        return;
    };
    let place = chart.site.name_of(&path);
    let (line, column) = (error.line, error.column);
    found.push(Finding::new(
        Code::ServerMalformed,
        format!("{place}:{line}:{column}"),
        format!("{place} cannot be read: {}", error.problem),
        format!("correct line {line} of {place} in an editor; `dango-server check` says whether the server takes it"),
    ));
}

/// Files of a profile count in a workspace of dlt alone.
fn profiles(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    if chart.dlt.profile.is_some() {
        return;
    }
    let folder = chart.site.project.dlt_dir();
    for name in disk::names(&folder).unwrap_or_default() {
        let path = folder.join(&name);
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
            continue;
        };
        let is_of_profile = [".secrets.toml", ".config.toml"]
            .iter()
            .any(|end| name.strip_suffix(end).is_some_and(|profile| !profile.is_empty()));
        if is_of_profile && disk::look(&path).is_some_and(|seen| seen.is_file) {
            let place = chart.site.name_of(&path);
            found.push(Finding::new(
                Code::ProfileIgnored,
                place.clone(),
                format!("dlt does not read {place}: without the file .dlt/.workspace a project has no profiles"),
                "`touch .dlt/.workspace` makes the project a workspace of dlt; else take the file away",
            ));
        }
    }
}

/// A file that was changed in the future says that the clock is behind: codes, tokens and expiries are all judged by it.
fn clock(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let project = chart.site.project;
    let files = [
        project.secrets_toml(),
        project.env_file(),
        project.dango_dir().join("audit.checkpoint"),
    ];
    let now = chart.site.clock.now();
    let latest = files.iter().filter_map(|path| Some((disk::look(path)?.modified, path))).max();
    if let Some((modified, path)) = latest
        && modified.unix_micros().saturating_sub(now.unix_micros()) > TOLERANCE
    {
        let place = chart.site.name_of(path);
        found.push(Finding::new(
            Code::ClockBehind,
            place.clone(),
            format!("it is {now} by the clock, and {place} was changed at {modified}; sign-in codes, tokens and expiries are judged by the clock"),
            "set the clock (`timedatectl set-ntp true`); if the clock is right, `touch` the file",
        ));
    }
}
