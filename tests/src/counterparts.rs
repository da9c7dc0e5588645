//! Where the real programs are that tests compare with, the browser among them. Installing them is the work of `cargo xtask setup`.

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

/// A Python that imports dlt, python-dotenv, tomlkit, PyYAML, cryptography, schemathesis, google-auth and requests-oauthlib in their pinned
/// versions.
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

/// The folder that holds dotenv, dotenvx, playwright-core, axe-core, oidc-provider and oauth4webapi in their pinned versions, as for
/// `NODE_PATH`.
///
/// # Panics
///
/// When it is not installed.
pub fn node_modules() -> &'static Path {
    let modules = &installed().node_modules;
    for package in ["dotenv", "playwright-core", "axe-core", "oidc-provider", "oauth4webapi"] {
        assert!(
            modules.join(package).is_dir(),
            "{} holds no {package}: run `cargo xtask setup` first",
            modules.display()
        );
    }
    modules
}

/// The browser.
///
/// # Panics
///
/// When it is not installed.
pub fn chromium() -> &'static Path {
    let chromium = &installed().chromium;
    assert!(
        chromium.is_file(),
        "{} does not exist: run `cargo xtask setup` first, or name the browser in DANGO_TEST_CHROMIUM",
        chromium.display()
    );
    chromium
}

fn installed() -> &'static Counterparts {
    static INSTALLED: OnceLock<Counterparts> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let Counterparts {
            python,
            node,
            node_modules,
            chromium,
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
            chromium: absolute(chromium),
        }
    })
}
