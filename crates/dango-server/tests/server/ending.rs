//! The end: on a signal, with what is in flight, and what systemd is told of it.

use std::io::{Read, Write};
use std::os::unix::net::UnixDatagram;

use rustix::process::Signal;

use crate::process::Place;

#[test]
fn told_to_end_it_ends_well_whoever_is_still_connected() {
    let place = Place::new();
    for signal in [Signal::TERM, Signal::INT] {
        let server = place.start(&[]);
        let mut idle = server.connect();
        idle.write_all(b"GET /api/health HTTP/1.1\r\nHost: a\r\n\r\n").expect("written");
        let mut answer = [0; 12];
        idle.read_exact(&mut answer).expect("answered");
        let mut half = server.connect();
        half.write_all(b"GET /api/health HTTP/1.1\r\nHo").expect("written");
        server.signal(signal);
        let (status, log) = server.ended();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(log.contains("ending: ") && log.contains("\"ended\""), "{log}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Place::new();
    // Nothing ends this one but the second signal: its head may take an hour.
    let mut server = place.start(&["--header-timeout", "3600", "--shutdown-timeout", "3600"]);
    let mut half = server.connect();
    half.write_all(b"GET /api/health HTTP/1.1\r\nHo").expect("written");
    server.signal(Signal::TERM);
    server.wait_for("ending: ");
    server.signal(Signal::TERM);
    let (status, _) = server.ended();
    assert!(matches!(status.code(), Some(0 | 1)));
}

#[test]
fn systemd_hears_that_it_is_ready_alive_and_ending() {
    let place = Place::new();
    let path = place.root().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket
        .set_read_timeout(Some(std::time::Duration::from_secs(30)))
        .expect("a timeout");
    let mut child = place
        .command(&["--listen", "127.0.0.1:0"])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "200000")
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let hear = || {
        let mut buffer = [0; 64];
        let count = socket.recv(&mut buffer).expect("it says something");
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    };
    assert_eq!(hear(), "READY=1");
    assert_eq!(hear(), "WATCHDOG=1");
    assert_eq!(hear(), "WATCHDOG=1");
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).expect("it is ours");
    while hear() != "STOPPING=1" {}
    assert!(child.wait().expect("it ends").success());
}
