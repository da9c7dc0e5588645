//! Files that are no ordinary ones: larger than memory, pipes, what fails while it is read, damaged packages, links that go round.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::symlink;

use dango_tests::dango;

use super::{known, project, scan};

#[test]
fn a_file_that_memory_does_not_hold_is_searched_to_its_end() {
    const SIZE: u64 = 200 << 20;
    let (project, canary) = project("large");
    let mut file = File::create(project.path().join("large.bin")).unwrap();
    file.seek(SeekFrom::Start(SIZE)).unwrap();
    write!(file, "\n{}", canary.value()).unwrap();
    // In KiB: the built program, which is mapped, and half of the file.
    let room = fs::metadata(dango()).unwrap().len() / 1024 + SIZE / 2048;
    let script = format!("ulimit -v {room}; exec \"$0\" scan --json");
    let output = project.command("sh", &["-c", &script, &dango().display().to_string()]).run();
    canary.assert_absent_from(&output);
    assert_eq!(output.status, 3, "{}", output.stderr);
    assert!(output.stdout.contains("\"large.bin\""), "{}", output.stdout);
}

#[test]
fn pipes_are_passed_over_and_links_that_go_round_are_not_followed() {
    let (project, canary) = project("round");
    let folder = project.path().join("a/b");
    fs::create_dir_all(&folder).unwrap();
    symlink("..", folder.join("up")).unwrap();
    symlink("self", folder.join("self")).unwrap();
    let _ = project.command("mkfifo", &["a/pipe"]).run().success();
    project.write("a/b/file.txt", canary.value());
    assert_eq!(scan(&project, &canary, &[]), [known("a/b/file.txt", 1, None)]);
}

/// Reading this file of the kernel's fails for everybody, from its first byte.
#[test]
fn what_fails_while_it_is_read_makes_the_search_incomplete() {
    let (project, canary) = project("failing");
    let refused = project.run(&["scan", "/proc/self/mem"]).ending_with(1);
    assert!(refused.stderr.contains("mem could not be read"), "{}", refused.stderr);
    assert!(refused.stderr.contains("not complete"), "{}", refused.stderr);
    project.write("a.txt", canary.value());
    let found = project.run(&["scan", "a.txt", "/proc/self/mem"]).ending_with(3);
    canary.assert_absent_from(&found);
    assert!(found.stderr.contains("mem could not be read"), "{}", found.stderr);
}

#[test]
fn a_damaged_package_is_searched_as_far_as_it_goes_and_named() {
    let (project, canary) = project("cut");
    let _ = project
        .command("sh", &["-c", "head -c 100000 /dev/urandom | gzip | head -c 50000 > cut.gz"])
        .run()
        .success();
    let output = project.run(&["scan"]).success();
    canary.assert_absent_from(&output);
    assert!(output.stderr.contains("cut.gz was searched in part"), "{}", output.stderr);
    assert!(
        output.stderr.contains("nothing found in what could be searched"),
        "{}",
        output.stderr
    );
}
