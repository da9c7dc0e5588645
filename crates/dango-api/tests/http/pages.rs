//! Committed pages that a test writes: compared with what they are to be, and written anew on demand.

use std::path::Path;

/// Ends the test if a page is not what it is to be; with `UPDATE=1` it is written instead.
///
/// The path goes from the workspace's root.
#[expect(
    clippy::disallowed_methods,
    reason = "a developer asks for new pages by the environment, and gets them on disk"
)]
pub(crate) fn compare(page: &str, committed: &str, path: &str) {
    if std::env::var_os("UPDATE").is_some() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        std::fs::write(root.join(path), page).expect("the page can be written");
        return;
    }
    let differs = page.lines().zip(committed.lines()).find(|(one, other)| one != other);
    assert!(
        page == committed,
        "{path} is not what it is to be, first at {differs:?}; write it anew with UPDATE=1 and have the difference reviewed"
    );
}
