//! The rules of the house, as an ordinary test: the same code as `cargo xtask tidy`.

use dango_tests::workspace_root;
use xtask::tidy;

#[test]
fn no_rule_of_the_house_is_broken() {
    let findings = tidy::check(workspace_root()).expect("the workspace can be read");
    let list: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(list.is_empty(), "\n{}", list.join("\n"));
}
