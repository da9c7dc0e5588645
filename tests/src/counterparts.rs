//! Where the real programs are that tests compare with. Installing them is the work of `cargo xtask setup`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use xtask::setup::Counterparts;

/// The workspace's root.
#[must_use]
pub fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests are a folder of the workspace")
}

/// A Python that imports dlt, python-dotenv, tomlkit, PyYAML and cryptography in their pinned versions.
///
/// # Panics
///
/// When it is not installed.
pub fn python() -> &'static Path {
    let python = &installed().python;
    assert!(
        python.is_file(),
        "{} does not exist: run `cargo xtask setup` first",
        python.display()
    );
    python
}

/// The Node interpreter; [`node_modules`] is where its packages are.
///
/// # Panics
///
/// When the packages are not installed.
pub fn node() -> &'static Path {
    node_modules();
    &installed().node
}

/// The folder that holds dotenv and dotenvx in their pinned versions, as for `NODE_PATH`.
///
/// # Panics
///
/// When it is not installed.
pub fn node_modules() -> &'static Path {
    let modules = &installed().node_modules;
    assert!(
        modules.join("dotenv").is_dir(),
        "{} holds no dotenv: run `cargo xtask setup` first",
        modules.display()
    );
    modules
}

fn installed() -> &'static Counterparts {
    static INSTALLED: OnceLock<Counterparts> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let Counterparts {
            python,
            node,
            node_modules,
        } = Counterparts::from_environment(workspace_root());
        // Tests run in folders of their own, so what the environment gives relatively is meant from the root.
        let absolute = |path: PathBuf| {
            if path.components().count() > 1 {
                workspace_root().join(path)
            } else {
                path
            }
        };
        Counterparts {
            python: absolute(python),
            node,
            node_modules: absolute(node_modules),
        }
    })
}
