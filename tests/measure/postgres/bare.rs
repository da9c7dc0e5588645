//! What PostgreSQL does by itself, asked by its own `pgbench`: what the servers' figures are held against.

use std::error::Error;
use std::fs;

use super::super::Outcome;
use super::filled::{DATABASE, Filled};

/// Seconds of each measurement.
const TIME: &str = "4";

/// One statement that asks for nothing: there and back.
pub(super) fn round_trip(filled: &Filled) -> Outcome {
    println!("round trip: {:.2}", ask(filled, "SELECT 1;", "1")?.micros);
    Ok(())
}

/// A session's row alone.
pub(super) fn row(filled: &Filled) -> Outcome {
    let script = format!(
        "\\set n random(1, {})\nSELECT * FROM dango.sessions WHERE digest = sha256(('s' || :n)::bytea);",
        filled.size.sessions()
    );
    println!("row: {:.2}", ask(filled, &script, "1")?.micros);
    Ok(())
}

/// The rows of a page alone.
pub(super) fn rows(filled: &Filled) -> Outcome {
    let asked = ask(filled, "SELECT * FROM dango.audit ORDER BY seq DESC LIMIT 51;", "1")?;
    println!("page, ms: {:.3}", asked.micros / 1000.0);
    Ok(())
}

/// Rows that are on the disk before they are answered, in a table of one's own.
pub(super) fn inserts(filled: &Filled, clients: &str) -> Outcome {
    let _ = filled
        .postgres
        .sql(DATABASE, "CREATE TABLE IF NOT EXISTS own (at timestamptz, actor text, event text)");
    let asked = ask(filled, "INSERT INTO own VALUES (now(), 'ada', 'secret_set');", clients)?;
    println!("inserts a second: {:.2}", asked.per_second);
    Ok(())
}

/// What the largest tables take on the disk, with their indexes.
pub(super) fn sizes(filled: &Filled) -> Outcome {
    for (table, rows) in [
        ("audit", filled.size.records()),
        ("sessions", filled.size.sessions()),
        ("users", filled.size.users),
    ] {
        let bytes = |of: &str| {
            filled
                .postgres
                .sql(DATABASE, &format!("SELECT {of}('dango.{table}')"))
                .parse::<f64>()
        };
        let (table_alone, all) = (bytes("pg_table_size")?, bytes("pg_total_relation_size")?);
        println!(
            "{table}: {:.0} bytes a row, and {:.0} in indexes",
            table_alone / rows as f64,
            (all - table_alone) / rows as f64
        );
    }
    Ok(())
}

pub(super) struct Asked {
    pub(super) micros: f64,
    pub(super) per_second: f64,
}

/// Has a script run again and again by so many clients at once, each statement without a name, as the servers have it.
pub(super) fn ask(filled: &Filled, script: &str, clients: &str) -> Result<Asked, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("script.sql");
    fs::write(&file, script)?;
    let mut bench = filled.postgres.client("pgbench");
    bench
        .args(["-n", "-M", "extended", "-T", TIME, "-c", clients, "-f"])
        .arg(&file)
        .arg(DATABASE);
    let told = bench.output()?;
    let said = String::from_utf8_lossy(&told.stdout);
    if !told.status.success() {
        return Err(String::from_utf8_lossy(&told.stderr).into());
    }
    let number = |before: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(before))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    let (latency, per_second) = (number("latency average = "), number("tps = "));
    Ok(Asked {
        micros: latency.ok_or("pgbench tells no latency")? * 1000.0,
        per_second: per_second.ok_or("pgbench tells no rate")?,
    })
}
