//! What was left behind: temporary files of writes that never ended, and copies.

use std::ffi::OsStr;

use dango_secrets::storage;

use super::private;
use crate::chart::Chart;
use crate::code::Code;
use crate::disk;
use crate::finding::{Finding, word};
use crate::repair::Repair;

/// No write takes as long; the number of the process that made an older file has gone to another one. In microseconds.
const LONGEST_WRITE: i64 = 3_600 * 1_000_000;

pub(super) fn check(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let site = chart.site;
    let now = site.clock.now().unix_micros();
    for folder in private::folders(site) {
        for name in &folder.names {
            let Some((target, process)) = storage::target_of(OsStr::new(name)) else {
                continue;
            };
            let path = folder.path.join(name);
            let Some(seen) = disk::look_at_itself(&path).filter(|seen| seen.is_file) else {
                continue;
            };
            if disk::is_running(process) && now.saturating_sub(seen.modified.unix_micros()) < LONGEST_WRITE {
                continue;
            }
            let place = site.name_of(&path);
            // The lock of `.gitignore` is elsewhere; what is left beside it is no secret. A write of a link is one of the file that it leads to,
            // and clears away beside that.
            let target_path = folder.path.join(target);
            let is_here = disk::look_at_itself(&target_path).is_none() || disk::real(&target_path) == disk::real(&folder.path).join(target);
            let repair = (target != ".gitignore" && is_here).then(|| Repair::RemoveLeftovers {
                target: target_path.clone(),
            });
            let fix = match &repair {
                Some(_) => "`dango doctor --fix` removes it; so does the next write of that file".to_owned(),
                None => format!("`rm {}`", word(&place)),
            };
            let message = format!("{place} is what a write of {target} has left that never ended, and may hold secrets");
            found.push(Finding::new(Code::Leftover, place, message, fix).with(repair));
        }
    }
    for path in private::copies(site) {
        let place = site.name_of(&path);
        let message = format!("{place} looks like a copy of a file with secrets, which Dango neither encrypts nor rotates");
        found.push(Finding::new(
            Code::Copy,
            place.clone(),
            message,
            format!("`rm {}`, once nothing in it is needed", word(&place)),
        ));
    }
}
