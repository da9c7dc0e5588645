//! The pages, one file each: what it asks of the use cases, what it shows of their answers, and what it does with its form.

pub(super) mod account;
pub(super) mod audit;
pub(super) mod claim;
#[cfg(debug_assertions)]
pub(super) mod components;
mod connections;
pub(super) mod home;
pub(super) mod invite;
pub(super) mod login;
pub(super) mod logout;
pub(super) mod password;
pub(super) mod provider;
pub(super) mod secrets;
pub(super) mod users;

pub(crate) use connections::encoded;

use axum::response::Response;
use dango_identity::Password;
use zeroize::Zeroizing;

use super::components::{Countdown, Notice, Tone};
use super::visit::Visit;
use crate::problem::{Problem, code};

/// What a handler answers.
pub(crate) type Answer = Result<Response, Problem>;

/// What is wrong with a form: with one of its fields, or as a whole.
#[derive(Debug, Default)]
pub(crate) struct Wrong {
    /// By the name of the field.
    fields: Vec<(&'static str, String)>,
    notice: Option<Notice<'static>>,
}

impl Wrong {
    /// Something is wrong with one field.
    pub(crate) fn with_field(name: &'static str, text: impl Into<String>) -> Self {
        Self {
            fields: vec![(name, text.into())],
            notice: None,
        }
    }

    /// The form was refused.
    pub(crate) fn with_form(text: &'static str) -> Self {
        Self {
            fields: Vec::new(),
            notice: Some(Notice::new(Tone::Bad, text).of_form()),
        }
    }

    /// What is wrong with a field.
    pub(crate) fn of(&self, name: &str) -> Option<String> {
        let found = self.fields.iter().find(|(found, _)| *found == name);
        found.map(|(_, text)| text.clone())
    }

    /// What is wrong with the form as a whole.
    pub(crate) fn notice(&self) -> Option<&Notice<'static>> {
        self.notice.as_ref()
    }

    /// Whether what was typed into the form is wrong as a whole.
    pub(crate) fn is_refused(&self) -> bool {
        self.notice.as_ref().is_some_and(Notice::is_of_form)
    }

    /// The field to begin with: the first that is wrong, else the one that is first anyway.
    pub(crate) fn is_first(&self, name: &str, usual: &str) -> bool {
        self.fields.first().map_or(usual, |(first, _)| first) == name
    }

    /// The name of a field is missing in what was sent.
    pub(crate) fn missing(names: &[&'static str], visit: &Visit) -> Option<Self> {
        let empty = names.iter().filter(|name| visit.form.filled(name).is_none());
        let fields: Vec<_> = empty.map(|name| (*name, "Fill in this field.".to_owned())).collect();
        (!fields.is_empty()).then_some(Self { fields, notice: None })
    }

    /// What an action refused, said where it belongs: `new_password` is the field of a password that may not be chosen.
    pub(crate) fn refused(problem: &Problem, new_password: &'static str, visit: &Visit) -> Self {
        let countdown = || problem.wait().map(|seconds| Countdown::new(seconds, visit.now()));
        let notice = match problem.code().name {
            "weak_password" => {
                let issues: Vec<String> = problem.issues().map(sentence).collect();
                let text = if issues.is_empty() {
                    sentence(problem.detail())
                } else {
                    issues.join(" ")
                };
                return Self::with_field(new_password, text);
            }
            "password_unchanged" => return Self::with_field(new_password, "This is the password that you have now. Choose another one."),
            "account_locked" if problem.wait().is_some() => {
                Notice::new(Tone::Bad, "Too many tries have failed, so this account is locked for a while.").with(countdown())
            }
            "account_locked" => Notice::new(
                Tone::Bad,
                "Too many tries have failed. An administrator has to unlock this account.",
            ),
            "rate_limited" => Notice::new(Tone::Bad, "Too many tries from this address have failed.").with(countdown()),
            _ => Notice::new(Tone::Bad, sentence(problem.detail())),
        };
        Self {
            fields: Vec::new(),
            notice: Some(notice),
        }
    }
}

/// A text of an error as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

/// A password that somebody chooses, typed twice.
fn chosen(visit: &Visit, name: &'static str, again: &'static str) -> Result<Password, Wrong> {
    let (chosen, repeated) = (visit.form.value(name), visit.form.value(again));
    if chosen != repeated {
        return Err(Wrong::with_field(again, "The two passwords are not the same."));
    }
    typed(visit, name).map_err(|_| Wrong::with_field(name, "A password has at most 1024 bytes."))
}

/// A password as it was typed; one that is too long is nobody's.
fn typed(visit: &Visit, name: &str) -> Result<Password, Problem> {
    let mut text = Zeroizing::new(visit.form.value(name).unwrap_or_default().to_owned());
    let password = Password::new(std::mem::take(&mut *text));
    password.map_err(|_| Problem::new(code!(invalid_credentials), "the credentials are not right"))
}
