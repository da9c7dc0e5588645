//! Both engines keep the same tables: what one knows of a column, the other does, too. Only what several servers need is PostgreSQL's alone.
#![allow(clippy::panic, reason = "these are tests")]

mod database;

use std::collections::BTreeSet;

use dango_store::copy::{Kind, TABLES};
use database::Databases;

/// A column as both engines can tell of it: table, name, kind, whether it may hold nothing.
type Column = (String, String, &'static str, bool);
/// The columns that no two rows share, with the condition under which.
type Unique = (String, Vec<String>, bool);

/// The steps of the other engine.
const MIGRATIONS_OF_SQLITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dango-store-sqlite/migrations");

/// A column with its table: its kind, and its place in the key by which rows are found, from one on, or 0.
type Moved = (String, String, &'static str);

#[test]
fn every_table_and_every_column_is_moved() {
    let databases = Databases::start();
    let name = databases.make();
    let kind = |kind| match kind {
        Kind::Flag => "flag",
        Kind::Integer => "integer",
        Kind::Text => "text",
        Kind::Blob => "blob",
    };
    let moved: BTreeSet<Moved> = TABLES
        .iter()
        .flat_map(|table| {
            table
                .columns
                .iter()
                .map(|column| (table.name.to_owned(), column.name.to_owned(), kind(column.kind)))
        })
        .collect();
    let there: BTreeSet<Moved> = columns_of_postgres(&databases, &name)
        .into_iter()
        .map(|(table, column, kind, _)| (table, column, kind))
        .collect();
    assert_eq!(moved, there);
    let uniques = uniques_of_postgres(&databases, &name);
    for table in TABLES {
        let key: Vec<String> = table.key_columns().iter().map(|column| column.name.to_owned()).collect();
        let is_unique = uniques.contains(&(table.name.to_owned(), key, false));
        assert_eq!(is_unique, table.is_unique, "{}", table.name);
    }
}

#[test]
fn the_tables_of_both_engines_are_the_same() {
    let databases = Databases::start();
    let name = databases.make();
    let sqlite = rusqlite::Connection::open_in_memory().expect("opened");
    let mut steps: Vec<_> = std::fs::read_dir(MIGRATIONS_OF_SQLITE)
        .expect("a folder")
        .map(|entry| entry.expect("a file").path())
        .collect();
    steps.sort();
    let mut versions = Vec::new();
    for step in &steps {
        sqlite.execute_batch(&std::fs::read_to_string(step).expect("a text")).expect("done");
        let (number, name) = step
            .file_stem()
            .and_then(|stem| stem.to_str()?.split_once('_'))
            .expect("a number and a name");
        versions.push(format!("{}|{name}", number.trim_start_matches('0')));
    }
    assert_eq!(columns_of_sqlite(&sqlite), columns_of_postgres(&databases, &name));
    assert_eq!(uniques_of_sqlite(&sqlite), uniques_of_postgres(&databases, &name));
    let ours = "SELECT version, name FROM dango.schema_migrations ORDER BY version";
    assert_eq!(versions.join("\n"), databases.server.sql(&name, ours));
}

fn all(sqlite: &rusqlite::Connection, sql: &str) -> Vec<String> {
    let mut statement = sqlite.prepare(sql).expect("a statement");
    let rows = statement.query_map((), |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("texts")
}

fn columns_of_sqlite(sqlite: &rusqlite::Connection) -> BTreeSet<Column> {
    // A flag is a number that is checked to be one of two.
    let sql = "SELECT tables.name || '|' || columns.name || '|' || \
               CASE WHEN tables.sql LIKE '%CHECK (' || columns.name || ' IN (0, 1))%' THEN 'boolean' ELSE columns.type END || '|' || columns.\"notnull\" \
               FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    all(sqlite, sql).iter().map(|line| column(line)).collect()
}

fn columns_of_postgres(databases: &Databases, name: &str) -> BTreeSet<Column> {
    let sql = "SELECT table_name, column_name, data_type, (is_nullable = 'NO')::int FROM information_schema.columns \
               WHERE table_schema = 'dango' AND table_name NOT IN ('arrival', 'audit_rules', 'audit_set_back', 'project_claims', 'project_files', 'schema_migrations', 'turn', 'writers')";
    databases.server.sql(name, sql).lines().map(column).collect()
}

fn column(line: &str) -> Column {
    let fields: Vec<&str> = line.split('|').collect();
    let [table, name, kind, needed] = fields[..] else {
        panic!("{line}")
    };
    let kind = match kind {
        "INTEGER" | "bigint" => "integer",
        "BLOB" | "bytea" => "blob",
        "TEXT" | "text" => "text",
        "boolean" => "flag",
        other => panic!("{table}.{name} is {other}"),
    };
    (table.to_owned(), name.to_owned(), kind, needed == "1")
}

fn uniques_of_sqlite(sqlite: &rusqlite::Connection) -> BTreeSet<Unique> {
    let indexes = "SELECT tables.name || '|' || indexes.partial || '|' || \
                   (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(indexes.name) ORDER BY seqno)) \
                   FROM sqlite_schema AS tables, pragma_index_list(tables.name) AS indexes WHERE tables.type = 'table' AND indexes.\"unique\"";
    // The key of a table whose rows have numbers is no index there.
    let keys = "SELECT tables.name || '|0|' || columns.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns \
                WHERE tables.type = 'table' AND columns.pk = 1 \
                AND NOT EXISTS (SELECT 1 FROM pragma_index_list(tables.name) AS indexes WHERE indexes.origin = 'pk')";
    all(sqlite, indexes)
        .iter()
        .chain(&all(sqlite, keys))
        .map(|line| unique(line))
        .collect()
}

fn uniques_of_postgres(databases: &Databases, name: &str) -> BTreeSet<Unique> {
    let sql = "SELECT tables.relname, (indpred IS NOT NULL)::int, string_agg(attname, ',' ORDER BY place) FROM pg_index \
               JOIN pg_class AS tables ON tables.oid = indrelid, unnest(indkey::smallint[]) WITH ORDINALITY AS columns (number, place) \
               JOIN pg_attribute ON attnum = number WHERE attrelid = indrelid AND indisunique AND relnamespace = 'dango'::regnamespace \
               AND tables.relname NOT IN ('arrival', 'audit_rules', 'audit_set_back', 'project_claims', 'project_files', 'schema_migrations', 'turn', 'writers') \
               GROUP BY tables.relname, indexrelid, indpred IS NOT NULL";
    databases.server.sql(name, sql).lines().map(unique).collect()
}

fn unique(line: &str) -> Unique {
    let fields: Vec<&str> = line.split('|').collect();
    let [table, partial, columns] = fields[..] else { panic!("{line}") };
    (table.to_owned(), columns.split(',').map(str::to_owned).collect(), partial == "1")
}
