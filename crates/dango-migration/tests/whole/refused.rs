//! What a move refuses: to be served from too early, to be taken for another one, to be taken back by whoever does not know it.

use std::sync::Arc;

use dango_core::SystemClock;
use dango_migration::{Migration, MigrationError, abort, finish};
use dango_store::StoreFailure;
use dango_store_postgres::{CONNECTIONS, PostgresStore, Standing, arriving, settle};
use dango_store_sqlite::{Begun, CopySource};
use tempfile::TempDir;

use crate::database::{Databases, SERVING};
use crate::moves::{add, begin, begun, is_the_same, move_all, open, target};

#[test]
fn nobody_is_served_before_it_is_settled_and_who_knows_the_mark_settles_it() {
    let databases = Databases::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (path, name) = (folder.path().join("dango.db"), databases.make());
    let store = open(&path);
    pollster::block_on(add(&*store, 1)).expect("added");
    let mut migration = begin(&databases, &path, &name).expect("begun");
    migration.copy(&mut |_| ()).expect("copied");
    let connect = |token: Option<[u8; 16]>| {
        let url = || databases.url(SERVING, &name);
        token.map_or(Ok(()), |token| settle(url(), token))?;
        PostgresStore::connect(url(), CONNECTIONS, Arc::new(SystemClock))
    };
    assert!(matches!(connect(None), Err(StoreFailure::Arriving)));
    assert!(matches!(connect(Some([8; 16])), Err(StoreFailure::Arriving)));
    // As if the program had been killed after the mark was set.
    migration.cut_over(None, &SystemClock, &mut |_| ()).expect("cut over");
    let unsettle = "UPDATE dango.arrival SET settled = false";
    let _ = databases.server.sql(&name, unsettle);
    assert!(matches!(connect(None), Err(StoreFailure::Arriving)));
    drop(connect(Some([7; 16])).expect("it knows the mark"));
    drop(connect(None).expect("it is settled"));
    let _ = databases.server.sql(&name, unsettle);
    let mut again = target(&databases, &name);
    assert!(matches!(finish(&mut again, [8; 16]), Err(MigrationError::OtherMove)));
    assert!(finish(&mut again, [7; 16]).expect("finished"));
    assert!(!finish(&mut again, [7; 16]).expect("it was done"));
    assert!(matches!(finish(&mut again, [8; 16]), Err(MigrationError::OtherMove)));
    drop(connect(None).expect("it is settled"));
    // A database that knows nothing of the move is never taken for the one.
    let anew = databases.make();
    assert!(matches!(
        finish(&mut target(&databases, &anew), [7; 16]),
        Err(MigrationError::Unknown)
    ));
    assert!(matches!(
        settle(databases.url(SERVING, &anew), [7; 16]),
        Err(StoreFailure::Damaged(_))
    ));
    // Nor does a file as it was before go on being moved, or being used as if nothing had been.
    assert_eq!(again.standing().expect("read"), Standing::Settled([7; 16]));
}

#[test]
fn of_two_calls_at_once_one_moves_it_and_the_other_says_so() {
    let databases = Databases::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (path, name) = (folder.path().join("dango.db"), databases.make());
    let store = open(&path);
    pollster::block_on(add(&*store, 1)).expect("added");
    let mut first = begin(&databases, &path, &name).expect("begun");
    first.copy(&mut |_| ()).expect("copied");
    let second = begin(&databases, &path, &name).expect("begun");
    let (mut source, mut back) = (CopySource::open(&path).expect("opened"), target(&databases, &name));

    // A move that was taken back is not cut over, though another one has begun.
    abort(&mut source, &mut back).expect("taken back");
    let again = Begun {
        token: [9; 16],
        ..begun(&name)
    };
    let mut third = Migration::begin(CopySource::open(&path).expect("opened"), target(&databases, &name), &again).expect("begun");
    third.copy(&mut |_| ()).expect("copied");
    assert!(first.cut_over(None, &SystemClock, &mut |_| ()).is_err());
    pollster::block_on(add(&*store, 2)).expect("the file counts");

    // And one that is over is not taken back.
    third.cut_over(None, &SystemClock, &mut |_| ()).expect("cut over");
    let _ = databases.server.sql(&name, "UPDATE dango.arrival SET settled = false");
    let moved = |error: MigrationError| {
        matches!(
            error,
            MigrationError::Store {
                failure: StoreFailure::Moved { .. },
                ..
            }
        )
    };
    assert!(moved(second.cut_over(None, &SystemClock, &mut |_| ()).expect_err("it was moved")));
    assert!(moved(abort(&mut source, &mut back).expect_err("it was moved")));
    let stranger = folder.path().join("other.db");
    drop(open(&stranger));
    let mut other = CopySource::open(&stranger).expect("opened");
    assert!(matches!(abort(&mut other, &mut back), Err(MigrationError::OtherMove)));
    assert!(finish(&mut back, [9; 16]).expect("finished"));
    is_the_same(&databases, &name, &path);
}

#[test]
fn a_move_that_the_role_that_serves_does_not_see_is_taken_back_before_anything_is_copied() {
    let databases = Databases::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (path, name, elsewhere) = (folder.path().join("dango.db"), databases.make(), databases.make());
    drop(open(&path));
    let migration = begin(&databases, &path, &name).expect("begun");
    let seen = arriving(databases.url(SERVING, &elsewhere)).expect("asked");
    assert!(matches!(migration.seen_as(seen), Err(MigrationError::OtherDatabase)));
    let source = CopySource::open(&path).expect("opened");
    assert_eq!(source.begun().expect("read"), None);
    assert_eq!(target(&databases, &name).standing().expect("read"), Standing::Empty);
    let migration = begin(&databases, &path, &name).expect("begun");
    let seen = arriving(databases.url(SERVING, &name)).expect("asked");
    drop(migration.seen_as(seen).expect("it is the same database"));
}

#[test]
fn what_is_not_the_same_ends_the_move_and_the_old_database_counts() {
    let databases = Databases::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (path, name) = (folder.path().join("dango.db"), databases.make());
    let store = open(&path);
    pollster::block_on(add(&*store, 1)).expect("added");
    let mut migration = begin(&databases, &path, &name).expect("begun");
    migration.copy(&mut |_| ()).expect("copied");
    let _ = databases.server.sql(&name, "UPDATE dango.users SET role = 'admin'");
    assert!(matches!(
        migration.compare(&mut |_| ()),
        Err(MigrationError::Different { table: "users" })
    ));
    drop(migration);
    pollster::block_on(add(&*store, 2)).expect("it goes on as before");

    // Elsewhere nothing may begin, nor here from elsewhere.
    let (elsewhere, other): (String, TempDir) = (databases.make(), tempfile::tempdir().expect("a folder"));
    assert!(matches!(
        begin(&databases, &path, &elsewhere),
        Err(MigrationError::OtherPlace { .. })
    ));
    let stranger = other.path().join("dango.db");
    drop(open(&stranger));
    assert!(matches!(begin(&databases, &stranger, &name), Err(MigrationError::OtherMove)));
    drop(databases.open(&elsewhere));

    // Taken back, both are as they were, and of what belongs to the schema nothing is missing.
    let mut source = CopySource::open(&path).expect("opened");
    let mut back = target(&databases, &name);
    let fresh = databases.make();
    abort(&mut source, &mut back).expect("taken back");
    assert_eq!(
        (source.begun().expect("read"), back.standing().expect("read")),
        (None, Standing::Empty)
    );
    let everything = "SELECT string_agg(relname || ' ' || query_to_xml('SELECT * FROM dango.' || relname, true, true, '')::text, '|' ORDER BY relname) \
                      FROM pg_class WHERE relnamespace = 'dango'::regnamespace AND relkind = 'r'";
    let of_fresh = databases.server.sql(&fresh, everything);
    assert!(of_fresh.contains("audit_rules") && of_fresh.contains("86400000000"));
    assert_eq!(databases.server.sql(&name, everything), of_fresh);
    let sqlite = rusqlite::Connection::open(&path).expect("opened");
    let left = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'note%' OR name LIKE 'migration%'";
    assert_eq!(sqlite.query_row(left, (), |row| row.get::<_, i64>(0)).expect("read"), 0);
    let watched = "SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D'";
    assert_eq!(databases.server.sql(&name, watched), "0", "what watches over the log watches again");
    drop((source, sqlite));
    move_all(&databases, &path, &name).expect("and all over again");
    is_the_same(&databases, &name, &path);
    let seal =
        "SELECT dango.audit_seal(1, 1, at, at, hash, 'x', 'x') IS NOT NULL AND dango.audit_prune(1, 1) = 1 FROM dango.audit WHERE seq = 1";
    assert_eq!(databases.server.sql(&name, seal), "t", "the log can be pruned there");
    // Where people are already, nobody is moved to.
    let third = folder.path().join("third.db");
    drop(open(&third));
    assert!(matches!(begin(&databases, &third, &name), Err(MigrationError::Taken)));
}
