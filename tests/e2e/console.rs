//! The console blocks of the README and of everything below `docs/`, run with the built binary as they stand there.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use dango_tests::console::run_document;
use dango_tests::{dango, python, workspace_root};

#[test]
fn every_console_block_of_the_documents_runs_as_it_is_written() {
    // Nothing but the binary is put before the system's programs, and the Python that has dlt.
    let programs = tempfile::tempdir().unwrap();
    symlink(dango(), programs.path().join("dango")).unwrap();
    let folders = [programs.path(), python().parent().unwrap()];
    let mut failures = Vec::new();
    let mut said = String::new();
    for path in documents() {
        let name = path.strip_prefix(workspace_root()).unwrap().display().to_string();
        let report = run_document(&name, &fs::read_to_string(&path).unwrap(), &folders);
        if name == "README.md" && report.commands == 0 {
            failures.push("README.md: it shows no command in a `console` block".to_owned());
        }
        said.push_str(&format!("{name}: {} commands run\n", report.commands));
        report
            .ignored
            .iter()
            .for_each(|block| said.push_str(&format!("not run: {block}\n")));
        failures.extend(report.failures);
    }
    // Written past the capture of passing tests: what is not run shall be seen.
    std::io::stderr().write_all(said.as_bytes()).unwrap();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn documents() -> Vec<PathBuf> {
    let readme = workspace_root().join("README.md");
    let mut documents: Vec<PathBuf> = readme.is_file().then_some(readme).into_iter().collect();
    collect(&workspace_root().join("docs"), &mut documents);
    documents
}

fn collect(folder: &Path, documents: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, documents);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            documents.push(path);
        }
    }
}
