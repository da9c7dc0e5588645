//! What is said to other providers: the ports of the use cases over `dango-oauth`. Who may, and what is recorded, is theirs to say.

mod kept;
mod login;

pub(crate) use login::Logins;
