//! The command line contract, row by row: what is refused, in which words and with which exit status, and what is printed in which shape.

mod arguments;
mod env;
mod exchange;
mod init;
mod listing;
mod places;
mod redact;
mod references;
mod run;
mod signals;
mod source;
mod texts;
mod values;
