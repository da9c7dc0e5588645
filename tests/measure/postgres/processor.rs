//! How much processor time processes have had: what does not change with what else a machine does.

use std::error::Error;
use std::fs;

use dango_tests::Postgres;
use rustix::param::clock_ticks_per_second;

/// Microseconds that a process has had, in itself and in the system (`utime` and `stime`, proc(5)).
pub(super) fn of_process(pid: u32) -> Result<f64, Box<dyn Error>> {
    let (_, micros) = stat(pid)?;
    Ok(micros)
}

/// The same of all processes of a database.
pub(super) fn of_database(postgres: &Postgres) -> Result<f64, Box<dyn Error>> {
    let first = fs::read_to_string(postgres.cluster().join("postmaster.pid"))?;
    let postmaster: u32 = first.lines().next().ok_or("the file is empty")?.trim().parse()?;
    let mut micros = of_process(postmaster)?;
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // One that has ended meanwhile was none that mattered.
        if let Ok((parent, taken)) = stat(pid)
            && parent == postmaster
        {
            micros += taken;
        }
    }
    Ok(micros)
}

/// A process's parent, and its processor time.
fn stat(pid: u32) -> Result<(u32, f64), Box<dyn Error>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name stands in brackets and may hold anything.
    let (_, rest) = text.rsplit_once(')').ok_or("no name")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = fields.get(11).zip(fields.get(12)).ok_or("too few fields")?;
    let ticks = ticks.0.parse::<f64>()? + ticks.1.parse::<f64>()?;
    let parent = fields.get(1).ok_or("too few fields")?.parse()?;
    Ok((parent, ticks * 1e6 / clock_ticks_per_second() as f64))
}
