//! The JSON of requests and answers: types of their own, so that a field renamed inside changes no answer. Each has its schema beside it.

mod account;
mod audit;
mod outcome;
mod requests;
mod secrets;
mod user;
mod values;

pub(crate) use account::{ApiKey, BegunLink, Enrolment, IssuedKey, LoginWay, RecoveryCodes, Session};
pub(crate) use audit::{AuditHead, AuditPage, AuditVerdict};
pub(crate) use outcome::{Document, ProblemDocument, Revoked, Status, Success};
pub(crate) use requests::{
    AcceptInvite, AddUser, ChangePassword, ChangeRole, ClaimAdministrator, Code, DeleteCredential, DeleteUser, LogIn, MakeApiKey,
    PasswordAndCode, PasswordAndOptionalCode, PasswordOnly, ReadValues, SCOPE_ADMIN, SecondFactor, Secret, SetCredential, SetVariable,
};
pub(crate) use secrets::{CheckedConnection, Connection, Disconnected, Secrets, VariableDone, trouble_sentence};
pub(crate) use user::{AddedUser, InviteUrl, InvitedUser, LogInAnswer, LoggedIn, ResetPassword, SecondFactorDue, User, Verified};
pub(crate) use values::{CredentialDeleted, CredentialSet, Listing, Values};

/// Writes the types of answers, with their schemas. Every member is in every answer.
macro_rules! answers {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident $(<$life:lifetime>)? {
            $($(#[doc = $about:literal])* $member:ident: $type:ty $(= $closer:expr)?),* $(,)?
        }
    )*) => {$(
        $(#[doc = $doc])*
        #[derive(serde::Serialize)]
        pub(crate) struct $name $(<$life>)? {
            $($(#[doc = $about])* pub(crate) $member: $type),*
        }

        impl $(<$life>)? $crate::schema::Described for $name $(<$life>)? {
            fn schema(named: &mut $crate::schema::Named) -> $crate::schema::Schema {
                named.refer(stringify!($name), |named| {
                    $crate::schema::object!(named, false; $($(#[doc = $about])* $member: $type $(= $closer)?),*)
                })
            }
        }
    )*};
}
use answers;
