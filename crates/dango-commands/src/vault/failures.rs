//! What a person reads where a project cannot be moved, or was.

use dango_secrets::home::{HomeError, Whereabouts};
use dango_secrets::project::Project;
use dango_secrets::storage::{ReadError, WriteError};
use dango_vault::MoveError;

use super::moving::Destination;
use crate::failure::Failure;
use crate::key_access;

/// The project's values are not in files here.
pub(super) fn moved(project: &Project) -> Failure {
    Failure::refused(format!(
        "the values of {} were moved: they are kept in the database of its server now",
        project.root().display()
    ))
    .with_code("home_moved")
    .hint("`--server URL` works on them through a server; `dango login URL` makes the key for it")
    .hint("`dango vault move --to files` brings them back; `dango vault status` says where they are")
}

/// A file that cannot be read where it is kept.
pub(super) fn of_read(error: &ReadError) -> Failure {
    let failure = Failure::caused_by(error).with_code(error.code());
    match error {
        ReadError::Home(error) => of_home(failure, error),
        _ => failure,
    }
}

/// A move that did not get to its end, with what is to be done next.
pub(super) fn of_move(error: &MoveError, to: Destination, project: &Project) -> Failure {
    let failure = Failure::caused_by(error).with_code(error.code());
    let failure = match error {
        MoveError::OtherWay => return other_way(to),
        MoveError::Changed { .. } => failure.hint("close the program that writes there, then do it again"),
        MoveError::InTheWay { path } => failure.hint(format!(
            "what counts is in the database: put {} aside, then do it again",
            path.display()
        )),
        MoveError::Link { path } => failure.hint(format!(
            "put the file itself in its place: `cp --remove-destination \"$(readlink -f {path})\" {path}`",
            path = path.display()
        )),
        MoveError::LeaseLost => failure.hint("do it again when the database answers as it should"),
        MoveError::Home(error) | MoveError::Read(ReadError::Home(error)) | MoveError::Write(WriteError::Home(error)) => {
            of_home(failure, error)
        }
        MoveError::Write(WriteError::Locked { .. }) => failure.hint("another machine or program is at it; do it again in a moment"),
        _ => failure,
    };
    match Whereabouts::read(project.root()) {
        Ok(Whereabouts::Directory) => failure.hint("nothing was moved"),
        Ok(Whereabouts::Leaving) => failure
            .hint("nothing is lost: the files count still, and nobody changes them until this is ended")
            .hint("`dango vault move --to postgres` goes on; `dango vault move --to files` takes it back"),
        Ok(Whereabouts::Rows) => failure.hint("the values are in the database; `dango vault move --to postgres` ends what is left"),
        Ok(Whereabouts::Returning) => failure
            .hint("nothing is lost: what is in the database counts still, and nobody changes it until this is ended")
            .hint("`dango vault move --to files` goes on"),
        Ok(Whereabouts::Returned) => failure
            .hint("nothing is lost: the values are in files, and count there once the rows have forgotten them")
            .hint("`dango vault move --to files` ends what is left"),
        Err(_) => failure,
    }
}

/// A move in the other direction is to be ended first.
pub(super) fn other_way(to: Destination) -> Failure {
    Failure::caused_by(&MoveError::OtherWay)
        .with_code(MoveError::OtherWay.code())
        .hint(format!("`dango vault move --to {}` ends it", to.other().as_str()))
}

fn of_home(failure: Failure, error: &HomeError) -> Failure {
    match error {
        HomeError::Occupied { .. } => failure
            .hint("another machine has moved this project, by its .dango/project-id, or is about to: what is there counts")
            .hint("compare the two before anything is removed: `dango-server` with this database shows what is there"),
        HomeError::UnknownKey { .. } => failure.hint("bring the key that it was encrypted with: `dango key import FILE`, or DANGO_KEY"),
        HomeError::Keys { .. } => key_access::hints("key-not-chosen").into_iter().fold(failure, Failure::hint),
        HomeError::SetBack { .. } => failure.hint(
            "the database was put back from a backup, or somebody meddled with it; if it is as it should be, remove .dango/seen-rows",
        ),
        _ => failure,
    }
}
