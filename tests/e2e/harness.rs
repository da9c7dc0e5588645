//! The harness itself, tried on the real counterparts and the built binary.

use dango_tests::{Scratch, dango, node, node_modules, python};

#[test]
fn the_pinned_python_reads_a_project_through_dlt_and_python_dotenv() {
    let project = Scratch::new();
    project.write(".dlt/secrets.toml", "[sources.stripe]\napi_key = \"from toml\"\n");
    project.write(".env", "NAME='from env'\n");
    let script = "import dlt, dotenv; print(dlt.secrets['sources.stripe.api_key'], dotenv.dotenv_values('.env')['NAME'])";
    assert_eq!(
        project.command(python(), &["-c", script]).run().success().stdout,
        "from toml from env\n"
    );
}

#[test]
fn the_pinned_node_packages_read_a_project() {
    let project = Scratch::new();
    project.write(".env", "NAME='from env'\n");
    let script = "console.log(require('dotenv').parse(require('fs').readFileSync('.env')).NAME)";
    assert_eq!(
        project
            .command(node(), &["-e", script])
            .env("NODE_PATH", node_modules())
            .run()
            .success()
            .stdout,
        "from env\n"
    );
}

#[test]
fn the_built_binary_is_found_and_starts() {
    assert!(dango().is_file());
    let _ = Scratch::new().run(&["--help"]).success();
}
