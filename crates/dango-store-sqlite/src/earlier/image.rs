//! The bytes of an SQLite database at one moment, taken without a lock and without leaving anything beside it. What is in them is not looked at.
//!
//! Whoever opens a database that keeps a write-ahead log with SQLite, to read it only, makes the log and its index beside it and may
//! leave them there; without them it would read what the log has already overtaken. So the file and its log are read as bytes and put
//! together here (<https://www.sqlite.org/fileformat2.html>, §1.3 and §4).

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use dango_store::EarlierError;
use zeroize::Zeroizing;

/// What a file of users, keys and sessions never comes near.
const LIMIT: u64 = 128 << 20;
const LIMIT_TEXT: &str = "128 MiB";

/// How often the files are read again because somebody wrote to them.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// A whole database, erased from memory when dropped.
pub(super) type Image = Zeroizing<Vec<u8>>;

/// Reads a database with all that is committed in its log.
pub(super) fn read(path: &Path) -> Result<Image, EarlierError> {
    let log_path = beside(path, "-wal");
    let mut before = Files::read(path, &log_path)?;
    for _ in 0..TRIES {
        // Twice the same, one after the other: in between nobody has moved anything from the log into the file.
        let again = Files::read(path, &log_path)?;
        if again == before {
            return again.together(path);
        }
        before = again;
        std::thread::sleep(PAUSE);
    }
    Err(EarlierError::Busy)
}

/// The file and its log, as they were read one after the other.
#[derive(PartialEq)]
struct Files {
    database: Image,
    log: Option<Image>,
}

impl Files {
    fn read(path: &Path, log: &Path) -> Result<Self, EarlierError> {
        Ok(Self {
            database: bytes(path)?.ok_or(EarlierError::Missing)?,
            log: bytes(log)?,
        })
    }

    fn together(self, path: &Path) -> Result<Image, EarlierError> {
        let Self { mut database, log } = self;
        if !database.is_empty() && !database.starts_with(MAGIC) {
            return Err(EarlierError::Foreign);
        }
        let is_journal_hot = bytes(&beside(path, "-journal"))?.is_some_and(|journal| journal.iter().take(8).any(|byte| *byte != 0));
        if is_journal_hot {
            return Err(EarlierError::Unfinished);
        }
        if let Some(log) = &log {
            apply(log, &mut database)?;
        }
        // Both versions of the format: "without a log". It has been put in, and an image in memory has none.
        match database.get_mut(18..20) {
            Some(versions) => versions.fill(1),
            None => return Err(EarlierError::Foreign),
        }
        Ok(database)
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A file's bytes; none where there is no such file.
fn bytes(path: &Path) -> Result<Option<Image>, EarlierError> {
    let is_missing = |error: &std::io::Error| error.kind() == ErrorKind::NotFound;
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(EarlierError::unreadable(error)),
    };
    // Before it is opened: opening a pipe would wait for whoever writes to it.
    if !found.is_file() {
        return Err(EarlierError::NotAFile);
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(EarlierError::unreadable(error)),
    };
    if found.len() > LIMIT {
        return Err(EarlierError::TooLarge { limit: LIMIT_TEXT });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0)));
    // One byte more than there may be says that there is more.
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(EarlierError::unreadable)?;
    if bytes.len() as u64 > LIMIT {
        return Err(EarlierError::TooLarge { limit: LIMIT_TEXT });
    }
    Ok(Some(bytes))
}

/// Puts every page of the log up to the last commit where it belongs. What does not belong to the log, because it is older or was not
/// finished, ends it, as it does for SQLite.
fn apply(log: &[u8], image: &mut Image) -> Result<(), EarlierError> {
    let Some(header) = Header::parse(log) else {
        return Ok(());
    };
    let page = header.page;
    let of_image = image.get(16..18).map(|size| match u16::from_be_bytes([size[0], size[1]]) {
        1 => 65_536,
        size => usize::from(size),
    });
    if of_image.is_some_and(|size| size != page) {
        return Err(EarlierError::damaged("the write-ahead log has pages of another size"));
    }
    let mut sum = header.sum;
    let mut waiting: Vec<(usize, &[u8])> = Vec::new();
    for frame in log[LOG_HEADER..].chunks_exact(FRAME_HEADER + page) {
        let (head, content) = frame.split_at(FRAME_HEADER);
        sum = checksum(checksum(sum, &head[..8], header.big_endian), content, header.big_endian);
        let number = word(head, 0) as usize;
        if number == 0 || head[8..16] != header.salts || [word(head, 16), word(head, 20)] != sum {
            break;
        }
        waiting.push((number, content));
        let pages = word(head, 4) as usize;
        if pages == 0 {
            continue;
        }
        let length = pages.saturating_mul(page);
        if length as u64 > LIMIT {
            return Err(EarlierError::TooLarge { limit: LIMIT_TEXT });
        }
        image.resize(length, 0);
        for (number, content) in waiting.drain(..) {
            // A page behind the end was cut off by the same commit.
            if let Some(place) = image
                .get_mut((number - 1).saturating_mul(page)..)
                .and_then(|rest| rest.get_mut(..page))
            {
                place.copy_from_slice(content);
            }
        }
    }
    Ok(())
}

/// What a log begins with.
struct Header {
    page: usize,
    salts: [u8; 8],
    big_endian: bool,
    sum: [u32; 2],
}

impl Header {
    fn parse(log: &[u8]) -> Option<Self> {
        let header = log.get(..LOG_HEADER)?;
        let magic = word(header, 0);
        let big_endian = magic & 1 == 1;
        let sum = checksum([0, 0], &header[..24], big_endian);
        let page = word(header, 8) as usize;
        let known = magic & !1 == 0x377f_0682 && word(header, 4) == 3_007_000;
        let sound = page.is_power_of_two() && (512..=65_536).contains(&page) && sum == [word(header, 24), word(header, 28)];
        (known && sound).then_some(Self {
            page,
            salts: header[16..24].try_into().ok()?,
            big_endian,
            sum,
        })
    }
}

/// The number at a place; all numbers of the log are big-endian.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// §4.2: two sums that run through the whole log, over words in the order that the magic number says.
fn checksum(start: [u32; 2], bytes: &[u8], big_endian: bool) -> [u32; 2] {
    let read = |word: &[u8]| {
        let word = [word[0], word[1], word[2], word[3]];
        if big_endian {
            u32::from_be_bytes(word)
        } else {
            u32::from_le_bytes(word)
        }
    };
    bytes.chunks_exact(8).fold(start, |[one, two], pair| {
        let one = one.wrapping_add(read(&pair[..4])).wrapping_add(two);
        [one, two.wrapping_add(read(&pair[4..])).wrapping_add(one)]
    })
}
