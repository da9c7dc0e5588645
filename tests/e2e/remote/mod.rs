//! `dango remote` against a real sshd: what arrives on the server, who is refused, crowds, cut links, other shells. The server is the harness's.
//!
//! | What is promised | Test |
//! |---|---|
//! | set, list, get, delete | `variables::a_variable_is_set_listed_shown_and_deleted` |
//! | push, with a plan of each key before the question | `pushes::what_changes_is_shown_first_and_sent_after_yes` |
//! | two clients × 50 concurrent sets: 100 of 100 | `crowds::two_clients_with_fifty_variables_each_keep_all_hundred` |
//! | the link cut at 50 random instants: old or new, whole | `cuts::a_link_that_is_cut_at_fifty_random_instants_leaves_the_old_file_or_the_new_one_whole` |
//! | Ctrl-C: 130, and nothing later | `terminal::ctrl_c_ends_what_waits_for_the_server_and_nothing_is_changed_later` |
//! | a changed key of the host is refused | `host_keys::a_changed_key_is_refused_whatever_is_answered_and_whatever_its_type` |
//! | the server's disk full, or read-only | `refusals::a_full_disk_and_a_read_only_one_are_told_apart_and_the_file_is_as_it_was` |
//! | no permission | `refusals::who_may_not_read_or_write_is_told_so` |
//! | a failed read is never an empty file | `refusals::a_file_that_cannot_be_read_is_never_an_empty_one`, `refusals::a_file_of_which_only_a_part_arrives_…` |
//! | 1,000 variables | `crowds::a_thousand_variables_are_sent_listed_and_changed` |
//! | values arrive as python-dotenv there reads them | `variables::python_dotenv_on_the_server_reads_exactly_what_was_sent` |
//! | nothing secret in the list of processes | `records::no_value_is_ever_in_the_list_of_processes` |
//! | comments and order kept, what is the same not written | `variables::every_other_byte_of_the_file_stays_and_what_is_the_same_is_not_written` |
//! | each change in the audit log | `records::every_change_is_recorded_with_host_and_key_and_without_its_value` |
//! | a `dango` there is used; another program of that name is not | `records::a_dango_on_the_server_…`, `hostile::another_program_of_that_name_…` |
//! | any shell, any login that talks | `shells::*` |
//! | a server that means no good | `hostile::*` |

mod crowds;
mod cuts;
mod host_keys;
mod hostile;
mod pushes;
mod records;
mod refusals;
mod settings;
mod shells;
mod terminal;
mod variables;

use dango_tests::{Output, Scratch, dango};

use crate::answers::Answer;

/// Sets a variable on the server.
fn set(client: &Scratch, key: &str, value: &str) -> Output {
    client.dango(&["remote", "env", "set", "--raw", key]).stdin(value).run()
}

/// Lists the variables in a session of its own, which has no terminal that ssh could ask at.
fn listed_without_a_terminal(client: &Scratch) -> Output {
    let arguments = [
        "--wait".as_ref(),
        dango().as_os_str(),
        "remote".as_ref(),
        "env".as_ref(),
        "list".as_ref(),
    ];
    client.command("setsid", &arguments).run()
}

/// The keys that are listed.
fn listed(client: &Scratch) -> Vec<String> {
    let rows = client.run(&["remote", "env", "list", "--json"]).success().json();
    let rows = rows.as_array().expect("a list");
    rows.iter().map(|row| row["key"].as_str().expect("a key").to_owned()).collect()
}
