//! Who may read and write: folders, files, owners, the folders above, and what new files get.

use std::path::Path;

use dango_secrets::storage::Closed;

use super::private;
use crate::chart::Chart;
use crate::code::Code;
use crate::disk::{self, Seen};
use crate::finding::{Finding, word};
use crate::repair::Repair;

/// The permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;
/// Those that let anybody write.
const ANYBODY_WRITES: u32 = 0o002;
/// A folder in which only who owns a file may take it away.
const STICKY: u32 = 0o1000;

pub(super) fn check(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let site = chart.site;
    let owner = disk::look(site.project.root()).map(|seen| seen.owner);
    for folder in [site.project.dango_dir(), site.project.dlt_dir()] {
        let Some(seen) = disk::look(&folder).filter(|seen| seen.is_dir) else {
            continue;
        };
        found.extend(open(chart, &folder, &seen, Code::FolderOpen));
        found.extend(foreign(chart, &folder, &seen, owner));
    }
    let settings = chart.settings.iter();
    let of_dlt = settings
        .filter(|file| file.kind == crate::chart::SettingsKind::Secrets)
        .map(|file| file.path.clone());
    let mut files = private::files(site);
    files.extend(of_dlt.filter(|path| !path.starts_with(site.project.root())));
    for file in files {
        let Some(seen) = disk::look(&file) else { continue };
        found.extend(open(chart, &file, &seen, Code::FileOpen));
        if file.starts_with(site.project.root()) {
            found.extend(foreign(chart, &file, &seen, owner));
        }
    }
    writable_above(chart, found);
    if let Some(umask) = site.umask.filter(|umask| umask & ANYBODY_WRITES == 0) {
        found.push(Finding::new(
            Code::UmaskOpen,
            "umask",
            format!("the umask is {umask:03o}, so every file that dlt or an editor makes may be written by anybody"),
            "`umask 077`, or 022, in the profile of the shell or in the service's settings",
        ));
    }
}

/// What others may do with a file or folder.
fn open(chart: &Chart<'_>, path: &Path, seen: &Seen, code: Code) -> Option<Finding> {
    if seen.mode & OTHERS == 0 {
        return None;
    }
    let place = chart.site.name_of(path);
    let (mode, wanted) = (seen.mode, if seen.is_dir { "700" } else { "600" });
    let can = match (seen.is_dir, seen.mode & 0o022 != 0) {
        (true, _) => "others may enter it",
        (false, true) => "others may write it",
        (false, false) => "others may read it",
    };
    // What lies outside of the project is not ours to change.
    let is_ours = disk::real(path).starts_with(disk::real(chart.site.project.root())) && chart.site.may_change(seen.owner);
    let repair = is_ours.then(|| Repair::Close {
        path: path.to_owned(),
        closed: Closed::ToOthers,
    });
    let message = format!("{place} has the permissions {mode:03o}: {can}");
    Some(Finding::new(code, place.clone(), message, format!("`chmod {wanted} {}`", word(&place))).with(repair))
}

/// A file of another user's than the project's.
fn foreign(chart: &Chart<'_>, path: &Path, seen: &Seen, owner: Option<u32>) -> Option<Finding> {
    let owner = owner.filter(|owner| *owner != seen.owner)?;
    let place = chart.site.name_of(path);
    Some(Finding::new(
        Code::OwnerDiffers,
        place.clone(),
        format!("{place} belongs to the user {}, the project to the user {owner}", seen.owner),
        format!("`sudo chown {owner} {}`", word(&place)),
    ))
}

/// The project's folder and those above it: who may write there may put other files in the place of ours.
fn writable_above(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let root = disk::real(chart.site.project.root());
    for folder in root.ancestors() {
        let Some(seen) = disk::look(folder) else { continue };
        if seen.mode & ANYBODY_WRITES == 0 || seen.mode & STICKY != 0 {
            continue;
        }
        let is_project = folder == root;
        let place = if is_project { ".".to_owned() } else { folder.display().to_string() };
        let repair = (is_project && chart.site.may_change(seen.owner)).then(|| Repair::Close {
            path: folder.to_owned(),
            closed: Closed::ToAnybodysWrites,
        });
        found.push(
            Finding::new(
                Code::FolderWritable,
                place.clone(),
                format!("anybody may write to the folder {place}, and so exchange the project's files"),
                format!("`chmod o-w {}`", word(&place)),
            )
            .with(repair),
        );
    }
}
