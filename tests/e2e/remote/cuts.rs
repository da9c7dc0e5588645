//! Links that are cut: at fifty random instants, and by Ctrl-C. The server's file is the old one or the new one, whole.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dango_tests::Sshd;

use super::set;
use crate::values::Dice;

const THREADS: u64 = 5;
const CUTS: u64 = 10;
/// Until a server has noticed that nobody is there any longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A way to a server that breaks after so many bytes in both directions together.
struct Wire {
    port: u16,
    left: Arc<AtomicU64>,
}

impl Wire {
    fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let wire = Self {
            port: listener.local_addr().unwrap().port(),
            left: Arc::new(AtomicU64::new(u64::MAX)),
        };
        let left = Arc::clone(&wire.left);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to, left) = (from.try_clone().unwrap(), to.try_clone().unwrap(), Arc::clone(&left));
                    thread::spawn(move || carry(from, to, &left));
                }
            }
        });
        wire
    }
}

/// Carries bytes one way until they are used up.
fn carry(mut from: TcpStream, mut to: TcpStream, left: &AtomicU64) {
    let mut buffer = [0; 512];
    while let Ok(length) = from.read(&mut buffer) {
        let length = length as u64;
        let before = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(length)));
        let allowed = before.unwrap_or(0).min(length);
        if length == 0 || to.write_all(&buffer[..allowed as usize]).is_err() || allowed < length {
            break;
        }
    }
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}

#[test]
fn a_link_that_is_cut_at_fifty_random_instants_leaves_the_old_file_or_the_new_one_whole() {
    let server = Sshd::new();
    let wires: Vec<Wire> = (0..THREADS).map(|_| Wire::to(server.port())).collect();
    let mut known = fs::read_to_string(server.known_hosts()).unwrap();
    known.extend(wires.iter().map(|wire| server.known_line(wire.port)));
    fs::write(server.known_hosts(), known).unwrap();
    let outcomes: Vec<(u64, u64)> = thread::scope(|scope| {
        let server = &server;
        let threads = wires
            .iter()
            .enumerate()
            .map(|(number, wire)| scope.spawn(move || cut(server, wire, number as u64)));
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (done, failed) = outcomes.iter().fold((0, 0), |(done, failed), one| (done + one.0, failed + one.1));
    assert_eq!(done + failed, THREADS * CUTS);
    assert!(failed > THREADS * CUTS / 2, "only {failed} were cut");
}

/// Sets a variable over a wire that breaks, again and again; gives how often it went through and how often not.
fn cut(server: &Sshd, wire: &Wire, number: u64) -> (u64, u64) {
    let folder = server.folder().join(format!("project-{number}"));
    fs::create_dir(&folder).unwrap();
    let file = folder.join(".env");
    let filler: String = (0..300)
        .map(|line| format!("FILLER_{line}='a value of some length, {line}'\n"))
        .collect();
    let text = |value: &str| format!("{filler}KEY={value}\n");
    fs::write(&file, text("first")).unwrap();
    let client = server.client_through(wire.port, folder.to_str().unwrap());
    wire.left.store(1 << 40, Ordering::Relaxed);
    let _ = set(&client, "KEY", "second").success();
    let whole = (1 << 40) - wire.left.load(Ordering::Relaxed);
    let mut dice = Dice::new(number);
    let (mut done, mut failed) = (0, 0);
    for round in 0..CUTS {
        let before = fs::read_to_string(&file).unwrap();
        let value = format!("round{round}");
        wire.left.store(dice.below(whole), Ordering::Relaxed);
        let answer = set(&client, "KEY", &value);
        settle(&folder);
        let after = fs::read_to_string(&file).unwrap();
        match answer.status {
            0 => assert_eq!(after, text(&value)),
            1 if answer.stderr.contains("nothing was changed") => assert_eq!(after, before),
            1 => {
                assert!(answer.stderr.contains("not known"), "{}", answer.stderr);
                assert!(after == before || after == text(&value), "neither the old file nor the new one");
            }
            status => panic!("status {status}: {}", answer.stderr),
        }
        if answer.status == 0 { done += 1 } else { failed += 1 }
    }
    (done, failed)
}

/// Waits until the server has noticed the end, which shows in that no temporary file is left.
fn settle(folder: &std::path::Path) {
    let deadline = Instant::now() + PATIENCE;
    let is_busy = || {
        fs::read_dir(folder)
            .unwrap()
            .any(|entry| entry.unwrap().file_name().to_string_lossy().ends_with(".tmp"))
    };
    while is_busy() {
        assert!(Instant::now() < deadline, "a temporary file is left in {}", folder.display());
        thread::yield_now();
    }
}
