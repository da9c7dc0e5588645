//! The JSON of requests and answers: types of their own, so that a field renamed inside changes no answer.

mod account;
mod requests;
mod secrets;
mod user;

pub(crate) use account::{ApiKey, Enrolment, IssuedKey, Session};
pub(crate) use requests::{
    AcceptInvite, AddUser, ChangePassword, ChangeRole, ClaimAdministrator, Code, DeleteUser, LogIn, MakeApiKey, PasswordAndCode,
    PasswordAndOptionalCode, PasswordOnly, SecondFactor, Secret, SetVariable,
};
pub(crate) use secrets::{Connection, Secrets};
pub(crate) use user::{AddedUser, LoggedIn, ResetPassword, User};
