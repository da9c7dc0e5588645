//! Many clients on one thread: keep-alive connections that ask raw requests and note how long each answer took. What they ask is known elsewhere.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// One answer.
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// From when it was asked for until it was there whole.
    pub(crate) took: Duration,
}

/// When clients ask.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// Each as soon as it has its answer.
    AtOnce,
    /// One of them at each beat, whether or not earlier ones have their answers; where all of them wait, as soon as one is free.
    Every(Duration),
}

/// What is asked, by the number of the client and how often it has asked.
pub(crate) type Question<'q> = &'q dyn Fn(usize, usize) -> Vec<u8>;

/// Clients of one server, connected.
pub(crate) struct Crowd {
    epoll: OwnedFd,
    clients: Vec<Client>,
}

struct Client {
    stream: TcpStream,
    asked: usize,
    /// What has come of an answer that is waited for, since when.
    waits: Option<Instant>,
    answer: Vec<u8>,
}

impl Crowd {
    pub(crate) fn connect(address: SocketAddr, count: usize) -> Result<Self, Box<dyn Error>> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut clients = Vec::with_capacity(count);
        for number in 0..count {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            epoll::add(&epoll, &stream, EventData::new_u64(number as u64), EventFlags::IN)?;
            clients.push(Client {
                stream,
                asked: 0,
                waits: None,
                answer: Vec::with_capacity(2048),
            });
        }
        Ok(Self { epoll, clients })
    }

    /// Asks for so long, and answers with everything that came in that time.
    pub(crate) fn ask(&mut self, pace: Pace, time: Duration, question: Question<'_>) -> Result<Vec<Answered>, Box<dyn Error>> {
        let begun = Instant::now();
        let mut answers = Vec::new();
        let mut idle: VecDeque<usize> = (0..self.clients.len())
            .filter(|client| self.clients[*client].waits.is_none())
            .collect();
        let mut beats = 0;
        let mut events = [const { MaybeUninit::<Event>::uninit() }; 256];
        while begun.elapsed() < time {
            let left = match pace {
                Pace::AtOnce => {
                    while let Some(client) = idle.pop_front() {
                        self.clients[client].send(client, question)?;
                    }
                    time
                }
                Pace::Every(beat) => {
                    while let Some(client) = idle.front().copied() {
                        if begun.elapsed() < beat * beats {
                            break;
                        }
                        idle.pop_front();
                        self.clients[client].send(client, question)?;
                        beats += 1;
                    }
                    beat
                }
            };
            let left = left.min(time.saturating_sub(begun.elapsed())).max(Duration::from_millis(1));
            let timeout = Timespec::try_from(left)?;
            let (ready, _) = epoll::wait(&self.epoll, &mut events, Some(&timeout))?;
            for event in ready {
                let number = usize::try_from(event.data.u64())?;
                if let Some((status, took)) = self.clients[number].receive()? {
                    answers.push(Answered { status, took });
                    idle.push_back(number);
                }
            }
        }
        Ok(answers)
    }
}

impl Client {
    fn send(&mut self, number: usize, question: Question<'_>) -> io::Result<()> {
        let request = question(number, self.asked);
        self.asked += 1;
        self.waits = Some(Instant::now());
        self.answer.clear();
        // A request is smaller than what the system takes of a connection on which nothing is on its way.
        self.stream.write_all(&request)
    }

    /// The status and the time of an answer that is whole.
    fn receive(&mut self) -> Result<Option<(u16, Duration)>, Box<dyn Error>> {
        let mut block = [0; 8192];
        loop {
            match self.stream.read(&mut block) {
                Ok(0) => return Err("the server has closed a connection".into()),
                Ok(count) => {
                    self.answer.extend_from_slice(&block[..count]);
                    // More would have filled the block.
                    if count < block.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        let Some(status) = whole(&self.answer)? else { return Ok(None) };
        let since = self.waits.take().ok_or("an answer came that nobody had asked for")?;
        Ok(Some((status, since.elapsed())))
    }
}

/// The status of an answer, once its head and all of its body are there.
pub(crate) fn whole(answer: &[u8]) -> Result<Option<u16>, Box<dyn Error>> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&answer[..end])?;
    let status = head.get(9..12).ok_or("that is no answer")?.parse()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    let length = length.ok_or("an answer has no length")??;
    Ok((answer.len() >= end + 4 + length).then_some(status))
}
