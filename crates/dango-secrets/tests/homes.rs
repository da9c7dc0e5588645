//! The directory as a home, and rows in memory, under the suites that every home and every database is put under.

use std::cell::RefCell;
use std::sync::Arc;

use dango_secrets::home::{Directory, Home, MemoryRows, contract};

#[test]
fn a_directory_is_a_home() {
    let directories = RefCell::new(Vec::new());
    contract::homes(&|| {
        let directory = tempfile::tempdir().expect("a directory");
        let homes = [(); 2].map(|()| -> Arc<dyn Home> { Arc::new(Directory::at(directory.path())) });
        directories.borrow_mut().push(directory);
        homes
    });
}

#[test]
fn rows_in_memory_are_rows() {
    contract::rows(&|| Arc::new(MemoryRows::new()));
}
