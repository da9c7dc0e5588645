//! People in a program of your own: a user in SQLite, a login, a permission. `cargo run -p dango-tests --example identity`
#![allow(clippy::print_stdout, reason = "an example shows what it did")]
use std::{error::Error, sync::Arc};

use dango_core::{Clock, OsEntropy, SystemClock};
use dango_identity::*;
use dango_store::{StoreExt, log_in};
use dango_store_sqlite::{Open, SqliteStore};
use pollster::block_on; // Any runtime will do: the store has threads of its own.

fn main() -> Result<(), Box<dyn Error>> {
    let (folder, now) = (tempfile::tempdir()?, SystemClock.now());
    let store = SqliteStore::open(&folder.path().join("people.db"), Open::OrCreate)?;
    let key = IdentityKey::make(&OsEntropy)?; // Keep it, outside the database: without it no password opens anything.
    let hasher = PasswordHasher::with_defaults(&key, &OsEntropy)?;
    let password = Password::new("correct horse battery staple".to_owned())?;
    let chosen = StoredPassword::chosen(hasher.hash(&password, &OsEntropy)?, now);
    let ana = NewUser::with_password("ana@example.com".parse()?, Role::Editor, chosen, now, &OsEntropy)?;
    let inserting = store.write::<_, StoreError, _>(move |tx| Box::pin(async move { tx.insert_user(&ana).await }));
    println!("{:?}", block_on(inserting)?);
    let rules = Arc::new(LoginRules::new(&key, LockoutPolicy::default()));
    let login = log_in(&store, &rules, &hasher, "Ana@Example.com", &password, now, &OsEntropy);
    let LoginStep::Done(ana) = block_on(login)? else {
        return Err("a second factor is due".into());
    };
    println!("may sync: {}", ana.user().role.permissions().contains(Permission::SourceSync));
    Ok(())
}
