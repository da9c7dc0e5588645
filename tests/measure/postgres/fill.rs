//! Fills a cluster: people and sessions as rows, a log whose chain is whole. Nothing is measured here.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::process::{Child, ChildStdin, Stdio};

use dango_audit::{Actor, Details, Draft, Event, Head, Label, Origin, Outcome as Ending, Personal, PersonalRefs, Stage, UserAgent, append};
use dango_core::{Clock, OsEntropy, SystemClock, Timestamp};
use dango_store_postgres::{DatabaseUrl, migrate};
use dango_tests::Postgres;

use super::super::Outcome;
use super::super::log::chain_key;
use super::filled::{DATABASE, Filled, OWNER, PASSWORD_OF_ROLES, SERVING, Size, identity_key};

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// Between one record and the next: ten million are a year.
const EVERY_MICROS: i64 = 3_000_000;
const EVENTS: [Event; 4] = [Event::LoginSuccess, Event::SecretSet, Event::SecretDeleted, Event::SessionRevoked];

/// Rows of the tables that do not matter for what is measured but for how many they are.
const PEOPLE: &str = "INSERT INTO users (id, email, email_canonical, email_likeness, role, active, must_change_password, epoch, created_at, updated_at) \
     SELECT decode(lpad(to_hex(n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'), 'hex'), email, email, email, \
     CASE WHEN n % 10 = 0 THEN 'editor' ELSE 'viewer' END, true, false, 0, AT + n, AT + n \
     FROM generate_series(1, USERS) AS n, LATERAL (SELECT 'bulk' || n || '@team.example' AS email) AS named";
const SESSIONS: &str = "INSERT INTO sessions (digest, id, user_id, stage, factors, authenticated_at, stepped_up_at, epoch, created_at, expires_at, \
     last_active_at, address, user_agent, mac, attempts) \
     SELECT sha256(('s' || n)::bytea), decode(lpad(to_hex(n), 12, '0') || '70008001' || lpad(to_hex(n), 12, '0'), 'hex'), \
     decode(lpad(to_hex(1 + n % USERS), 12, '0') || '70008000' || lpad(to_hex(1 + n % USERS), 12, '0'), 'hex'), 'full', 1, AT + n, AT + n, 0, AT + n, \
     AT + 2592000000000, AT + n, '192.0.2.1', 'AGENT', sha256(('m' || n)::bytea), 0 FROM generate_series(1, SESSIONS) AS n";

/// Indexes of the log are made once it is there; triggers have nothing to find in rows that are made here.
const BEFORE: &str =
    "ALTER TABLE audit DISABLE TRIGGER USER; DROP INDEX audit_by_time, audit_by_event, audit_by_actor, audit_by_actor_personal";
const AFTER: &str = "ALTER TABLE audit ENABLE TRIGGER USER";

pub(super) fn fill(filled: &Filled) -> Outcome {
    let (postgres, size) = (&filled.postgres, filled.size);
    postgres.role(SERVING, PASSWORD_OF_ROLES);
    postgres.role(OWNER, PASSWORD_OF_ROLES);
    let _ = postgres.sql("postgres", &format!("CREATE DATABASE {DATABASE} OWNER {OWNER}"));
    let owner = DatabaseUrl::parse(&postgres.url(OWNER, PASSWORD_OF_ROLES, DATABASE))?;
    let _ = migrate(owner, SERVING)?;
    let begun = SystemClock.now().unix_micros() - i64::try_from(size.records())? * EVERY_MICROS;
    let told = |sql: &str| {
        let sql = sql.replace("AGENT", AGENT).replace("AT ", &format!("{begun} "));
        sql.replace("USERS", &size.users.to_string())
            .replace("SESSIONS", &size.sessions().to_string())
    };
    run(postgres, &told(PEOPLE));
    run(postgres, &told(SESSIONS));
    let indexes = postgres.sql(
        DATABASE,
        "SELECT string_agg(indexdef, ';') FROM pg_indexes WHERE schemaname = 'dango' AND tablename = 'audit' AND indexname <> 'audit_pkey'",
    );
    run(postgres, BEFORE);
    write_log(postgres, size, begun)?;
    run(postgres, &format!("SET maintenance_work_mem = '512MB'; {indexes}"));
    run(postgres, AFTER);
    let _ = postgres.sql(DATABASE, "VACUUM ANALYZE");
    let _ = postgres.sql(DATABASE, "CHECKPOINT");
    Ok(())
}

fn run(postgres: &Postgres, sql: &str) {
    let _ = postgres.sql(DATABASE, &format!("SET search_path = dango, pg_temp; {sql}"));
}

/// Writes a log that verifies: each person has an entry of personal data, and takes turns with the others.
fn write_log(postgres: &Postgres, size: Size, begun: i64) -> Outcome {
    let key = chain_key(&identity_key()?);
    let mut entries = Copy::into(postgres, "audit_personal (id, lookup, subject, label, ip, user_agent, salt)")?;
    let mut refs = Vec::new();
    for number in 1..=size.users {
        let facts = draft(number, Timestamp::from_unix_micros(begun), Event::LoginSuccess)?;
        let entry = Personal::make(facts.actor_facts().ok_or("the actor has a name")?, &OsEntropy)?;
        let row = entry.row();
        let lookup = entry.facts().lookup_key();
        entries.row(&[
            Cell::Bytes(row.id),
            Cell::Bytes(lookup.as_bytes()),
            Cell::Text(Some(row.subject)),
            Cell::Text(row.label),
            Cell::Text(row.ip),
            Cell::Text(row.user_agent),
            Cell::Bytes(row.salt),
        ])?;
        refs.push(PersonalRefs {
            actor: Some(entry.id()),
            target: None,
        });
    }
    entries.finish()?;
    let columns = "audit (seq, at, event, actor, target, outcome, origin, request_id, details, prev_hash, hash)";
    let mut records = Copy::into(postgres, columns)?;
    let mut head = Head::genesis();
    for number in 0..size.records() {
        let person = number % size.users;
        let at = Timestamp::from_unix_micros(begun + i64::try_from(number)? * EVERY_MICROS);
        // Not in step with the people, so that everybody has records of each kind.
        let event = EVENTS[usize::try_from((number + number / size.users) % 4)?];
        let (record, next) = append(&key, &head, &draft(person + 1, at, event)?, refs[usize::try_from(person)?]);
        let row = record.row();
        records.row(&[
            Cell::Number(row.seq),
            Cell::Number(row.at),
            Cell::Text(Some(row.event)),
            Cell::Text(Some(row.actor)),
            Cell::Text(row.target),
            Cell::Text(row.outcome),
            Cell::Text(Some(row.origin)),
            Cell::Text(row.request_id),
            Cell::Text(Some(row.details)),
            Cell::Bytes(row.prev_hash),
            Cell::Bytes(row.hash),
        ])?;
        head = next;
    }
    records.finish()?;
    let mut end = Copy::into(postgres, "audit_head (one, seq, hash, count, frontier, tag)")?;
    head.seal(&key).with_row(|row| {
        end.row(&[
            Cell::Number(1),
            Cell::Number(row.seq),
            Cell::Bytes(row.hash),
            Cell::Number(row.count),
            Cell::Bytes(row.frontier),
            Cell::Bytes(row.tag),
        ])
    })?;
    end.finish()
}

fn draft(person: u64, at: Timestamp, event: Event) -> Result<Draft, Box<dyn Error>> {
    let id = format!("{:08x}-{:04x}-7000-8000-{person:012x}", person >> 16, person & 0xffff).parse()?;
    let origin = Origin {
        ip: Some([192, 0, 2, person.to_le_bytes()[0]].into()),
        user_agent: Some(UserAgent::new(AGENT)),
        session: None,
    };
    let actor = Actor::user(id, Label::new(&format!("bulk{person}@team.example")));
    let draft = Draft::new(at, event, actor, Stage::Ended(Ending::Success));
    Ok(draft.from(origin).with_details(Details::new()))
}

/// Rows on their way into a table, as `COPY` takes them.
struct Copy {
    psql: Child,
    rows: BufWriter<ChildStdin>,
    line: String,
}

enum Cell<'c> {
    Number(i64),
    Text(Option<&'c str>),
    Bytes(&'c [u8]),
}

impl Copy {
    fn into(postgres: &Postgres, columns: &str) -> Result<Self, Box<dyn Error>> {
        let copy = format!("COPY dango.{columns} FROM STDIN");
        let mut psql = postgres.client("psql");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", DATABASE, "-c", &copy]);
        let mut psql = psql.stdin(Stdio::piped()).spawn()?;
        let rows = psql.stdin.take().ok_or("it was asked for")?;
        Ok(Self {
            psql,
            rows: BufWriter::with_capacity(1 << 20, rows),
            line: String::new(),
        })
    }

    fn row(&mut self, cells: &[Cell<'_>]) -> Outcome {
        self.line.clear();
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                self.line.push('\t');
            }
            match cell {
                Cell::Number(number) => write!(self.line, "{number}")?,
                Cell::Text(None) => self.line.push_str("\\N"),
                Cell::Text(Some(text)) => {
                    for letter in text.chars() {
                        match letter {
                            '\\' => self.line.push_str("\\\\"),
                            '\n' => self.line.push_str("\\n"),
                            '\r' => self.line.push_str("\\r"),
                            '\t' => self.line.push_str("\\t"),
                            other => self.line.push(other),
                        }
                    }
                }
                Cell::Bytes(bytes) => {
                    self.line.push_str("\\\\x");
                    self.line.push_str(&data_encoding::HEXLOWER.encode(bytes));
                }
            }
        }
        self.line.push('\n');
        Ok(self.rows.write_all(self.line.as_bytes())?)
    }

    fn finish(mut self) -> Outcome {
        self.rows.flush()?;
        drop(self.rows);
        match self.psql.wait()?.success() {
            true => Ok(()),
            false => Err("psql has refused what it was to copy".into()),
        }
    }
}
