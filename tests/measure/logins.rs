//! How many people log in a second, with everything that belongs to it, and how many bare hashes the same cores compute.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use argon2::{Algorithm, Argon2, Params, Version};
use dango_actions::{Actions, Caller, LogInError, LogInStep, Setup};
use dango_core::{Clock, OsEntropy, SystemClock};
use dango_identity::{Client, IdentityKey, NewUser, Password, PasswordHasher, Role, StoreError, StoredPassword};
use dango_store::StoreExt;
use dango_store_sqlite::{Open, SqliteStore};
use pollster::block_on;

use super::{Outcome, cores, spread};

const PASSWORD: &str = "correct horse battery staple";
/// So many people wait for each core: as on a server, the disk is waited for while others are hashed.
const FOR_EACH_CORE: usize = 8;

/// Logs so many people in, all at once: two transactions, a session and an audit record each.
pub(super) fn with_password(folder: &Path, count: usize) -> Outcome {
    let store = Arc::new(SqliteStore::open(&folder.join("people.db"), Open::OrCreate)?);
    let key = IdentityKey::make(&OsEntropy)?;
    add_people(&store, &key, count)?;
    let actions = Actions::new(store, &key, Setup::default(), Arc::new(SystemClock), Arc::new(OsEntropy))?;
    let threads = cores() * FOR_EACH_CORE;
    let begun = Instant::now();
    spread(threads, |thread| {
        (thread..count).step_by(threads).try_for_each(|number| {
            let password = Password::new(PASSWORD.to_owned()).expect("short enough");
            let step = block_on(actions.log_in(&Caller::anonymous(Client::default()), &address(number), password, None, None))?;
            assert!(matches!(step, LogInStep::Done(_)), "nobody has a second factor");
            Ok::<_, LogInError>(())
        })
    })?;
    println!("logins a second: {:.2}", count as f64 / begun.elapsed().as_secs_f64());
    Ok(())
}

/// Computes so many hashes of the same cost with the library alone, one thread for each core.
pub(super) fn raw_argon2id(count: usize) -> Outcome {
    let context = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19_456, 2, 1, Some(32))?);
    let threads = cores();
    let begun = Instant::now();
    spread(threads, |thread| {
        let mut output = [0; 32];
        (thread..count)
            .step_by(threads)
            .try_for_each(|number| context.hash_password_into(PASSWORD.as_bytes(), format!("salt{number:012}").as_bytes(), &mut output))
    })?;
    println!("hashes a second: {:.2}", count as f64 / begun.elapsed().as_secs_f64());
    Ok(())
}

fn address(number: usize) -> String {
    format!("user{number}@example.com")
}

fn add_people(store: &SqliteStore, key: &IdentityKey, count: usize) -> Outcome {
    let now = SystemClock.now();
    let hash = PasswordHasher::with_defaults(key, &OsEntropy)?.hash(&Password::new(PASSWORD.to_owned())?, &OsEntropy)?;
    let mut people = Vec::with_capacity(count);
    for number in 0..count {
        let chosen = StoredPassword::chosen(hash.clone(), now);
        people.push(NewUser::with_password(
            address(number).parse()?,
            Role::Viewer,
            chosen,
            now,
            &OsEntropy,
        )?);
    }
    let adding = store.write(move |tx| {
        Box::pin(async move {
            for new in &people {
                let _ = tx.insert_user(new).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    Ok(block_on(adding)?)
}
