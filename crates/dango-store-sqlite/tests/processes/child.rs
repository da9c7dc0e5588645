//! A second process: this test program again, doing what it is told on its standard input.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use dango_core::OsEntropy;
use dango_identity::{
    AccountChange, AccountKey, AttemptKey, BootstrapClaim, Charge, ClientClass, LockoutPolicy, Role, TokenDigest, TotpStep, UseClaim,
};
use dango_store::contract::sample::{active_totp, at, bytes, chain_key, draft, factor_id, invited, password, recovery, user, user_id};
use dango_store::{BoxFuture, StoreExt, StoreFailure, Transaction};
use dango_store_sqlite::{Open, SqliteStore};

const ARGUMENTS: [&str; 4] = ["--exact", "child_process", "--ignored", "--nocapture"];
/// What tells an answer from what the test program prints of itself.
const MARK: &str = "answer: ";

/// A running child; it ends when it is dropped.
pub(crate) struct Child {
    process: std::process::Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Child {
    pub(crate) fn new() -> Self {
        Self::spawn(Command::new("/proc/self/exe").args(ARGUMENTS))
    }

    /// A child that sees a disk of its own in place of a directory, and may mount more.
    pub(crate) fn with_own_disk(directory: &Path, size: &str) -> Self {
        let program = std::env::current_exe().expect("the program's path");
        let script = format!("mount -t tmpfs -o size={size},mode=0700 none \"$1\" && shift && exec \"$@\"");
        let rights = if rustix::process::geteuid().is_root() { "--mount" } else { "-rm" };
        let mut child = Self::spawn(
            Command::new("unshare")
                .args([rights, "sh", "-c", &script, "sh"])
                .arg(directory)
                .arg(program)
                .args(ARGUMENTS),
        );
        let mounts = child.run(&["shell", &format!("grep -q 'none {} tmpfs' /proc/mounts", directory.display())]);
        assert_eq!(
            mounts, "yes",
            "no disk of its own: this test needs `unshare --mount` as root, or `unshare -rm`"
        );
        child
    }

    fn spawn(command: &mut Command) -> Self {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the child process starts");
        let input = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        Self { process, input, output }
    }

    /// Tells the child to do something, and waits for its answer.
    pub(crate) fn run(&mut self, words: &[&str]) -> String {
        self.send(words);
        self.answer()
    }

    /// Tells the child to do something.
    pub(crate) fn send(&mut self, words: &[&str]) {
        writeln!(self.input, "{}", words.join("\t")).expect("the child process listens");
    }

    /// Waits for the child's next answer.
    pub(crate) fn answer(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            let length = self.output.read_line(&mut line).expect("the child process talks");
            assert_ne!(length, 0, "the child process ended without an answer");
            if let Some((_, answer)) = line.split_once(MARK) {
                return answer.trim_end_matches('\n').to_owned();
            }
        }
    }

    /// Ends the child with SIGKILL, wherever it is.
    pub(crate) fn kill(mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("dead");
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the child does: a command a line, its words parted by tabs, until there are no more.
pub(crate) fn serve(input: impl BufRead) {
    let mut store = None;
    for line in input.lines() {
        let line = line.expect("text");
        let words: Vec<&str> = line.split('\t').collect();
        match obey(&mut store, &words) {
            Ok(text) => answer(&text),
            Err(failure) => answer(&format!("{}: {failure}", failure.code())),
        }
    }
}

fn answer(text: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{MARK}{text}").and_then(|()| output.flush()).expect("heard");
}

/// What somebody does once: whether it happened.
type Action = for<'t> fn(&'t mut dyn Transaction, u32) -> BoxFuture<'t, Result<bool, StoreFailure>>;

fn obey(held: &mut Option<SqliteStore>, words: &[&str]) -> Result<String, StoreFailure> {
    match *words {
        ["umask", bits] => {
            let bits = u32::from_str_radix(bits, 8).expect("octal");
            rustix::process::umask(rustix::fs::Mode::from_raw_mode(bits));
            return Ok("yes".to_owned());
        }
        ["open", path] => {
            *held = Some(SqliteStore::open(Path::new(path), Open::OrCreate)?);
            return Ok("yes".to_owned());
        }
        ["close"] => {
            *held = None;
            return Ok("yes".to_owned());
        }
        ["shell", script] => {
            let status = Command::new("sh").args(["-c", script]).stdin(Stdio::null()).status();
            return Ok(if status.expect("sh").success() { "yes" } else { "failed" }.to_owned());
        }
        _ => {}
    }
    let store = held.as_ref().expect("opened before");
    let action: Action = match *words {
        ["offer"] => |tx, _| Box::pin(async move { done(tx.offer_claim(&claim()).await) }),
        ["claim"] => |tx, process| {
            Box::pin(async move {
                let admin = user(1_000_000 + process, Role::Admin, at(1));
                let used = done(tx.use_claim(&claim().digest, &admin, at(1)).await)?;
                recorded(tx, used == UseClaim::Claimed).await
            })
        },
        ["set up"] => |tx, _| Box::pin(set_up(tx)),
        ["step"] => |tx, _| {
            Box::pin(async move {
                let advanced = done(tx.advance_totp_step(factor_id(1), TotpStep::from_number(101)).await)?;
                recorded(tx, advanced).await
            })
        },
        ["recovery"] => |tx, _| {
            Box::pin(async move {
                let digest = TokenDigest::from_bytes(bytes(7, 10));
                let consumed = done(tx.consume_recovery_code(user_id(1), &digest).await)?;
                recorded(tx, consumed.is_some()).await
            })
        },
        ["invite"] => |tx, process| {
            Box::pin(async move {
                let digest = TokenDigest::from_bytes(bytes(6, 2));
                let accepted = done(tx.accept_invite(&digest, &password(process, at(1)), at(1)).await)?;
                recorded(tx, accepted.is_some()).await
            })
        },
        ["demote"] => |tx, process| {
            Box::pin(async move {
                let other = user_id(if process % 2 == 0 { 1 } else { 3 });
                let change = done(tx.change_role(other, Role::Viewer, at(2)).await)?;
                recorded(tx, matches!(change, AccountChange::Changed(_))).await
            })
        },
        ["guess"] => |tx, _| {
            Box::pin(async move {
                let key = AttemptKey {
                    account: AccountKey::from_bytes(bytes(30, 1)),
                    client: ClientClass::Untrusted,
                };
                let charge = done(tx.charge_attempt(&key, &LockoutPolicy::default(), at(0)).await)?;
                recorded(tx, matches!(charge, Charge::Granted { .. })).await
            })
        },
        ["write", number] => return write(store, number.parse().expect("a number")).map(|()| "yes".to_owned()),
        ["forever", first] => {
            let first: u32 = first.parse().expect("a number");
            for number in first.. {
                write(store, number)?;
                answer("yes");
            }
            |_, _| Box::pin(async { Ok(false) })
        }
        ["until full"] => {
            for number in 0.. {
                write(store, number)?;
            }
            |_, _| Box::pin(async { Ok(false) })
        }
        ["count"] => {
            let (users, records, whole) = super::count(store);
            return Ok(format!("{users} {records} {whole}"));
        }
        _ => return Ok("no such command".to_owned()),
    };
    let process = std::process::id();
    let happened = pollster::block_on(store.write(move |tx| action(tx, process)))?;
    Ok(if happened { "yes" } else { "no" }.to_owned())
}

fn claim() -> BootstrapClaim {
    BootstrapClaim {
        digest: TokenDigest::from_bytes(bytes(40, 1)),
        expires_at: at(100),
    }
}

/// The failure behind a domain's error.
fn done<T, E: std::error::Error + 'static>(result: Result<T, E>) -> Result<T, StoreFailure> {
    result.map_err(|error| {
        StoreFailure::within(&error)
            .cloned()
            .unwrap_or_else(|| StoreFailure::damaged(error.to_string()))
    })
}

/// Writes the record of what happened, if it did.
async fn recorded(tx: &mut dyn Transaction, happened: bool) -> Result<bool, StoreFailure> {
    if happened {
        done(dango_audit::log::record(tx, &chain_key(), &OsEntropy, &draft(1, at(2))).await)?;
    }
    Ok(happened)
}

/// Two administrators, of whom one has a second factor, and somebody who was invited.
async fn set_up(tx: &mut dyn Transaction) -> Result<bool, StoreFailure> {
    for admin in done(tx.users().await)? {
        let _ = done(tx.insert_user(&user(1, Role::Admin, at(0))).await)?;
        let _ = done(tx.delete_user(admin.id).await)?;
    }
    let _ = done(tx.insert_user(&invited(2, Role::Viewer, at(0))).await)?;
    let _ = done(tx.insert_user(&user(3, Role::Admin, at(0))).await)?;
    done(
        tx.put_active_totp(&active_totp(1, user_id(1), at(0)), &recovery(1, user_id(1), at(0)))
            .await,
    )
}

/// An action and its record.
fn write(store: &SqliteStore, number: u32) -> Result<(), StoreFailure> {
    pollster::block_on(store.write(move |tx| {
        Box::pin(async move {
            let _ = done(tx.insert_user(&user(number, Role::Viewer, at(0))).await)?;
            recorded(tx, true).await.map(|_| ())
        })
    }))
}
