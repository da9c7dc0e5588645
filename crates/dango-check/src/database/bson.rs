//! BSON (<https://bsonspec.org/spec.html>), as much of it as signing in to MongoDB takes: written from a few kinds, read without trust.

use zeroize::Zeroizing;

/// How deep documents are read.
const DEEPEST: usize = 8;

/// A document that is being written.
pub(super) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    pub(super) fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(1024)))
    }

    pub(super) fn int(mut self, name: &str, value: i32) -> Self {
        self.element(0x10, name);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(super) fn boolean(mut self, name: &str, value: bool) -> Self {
        self.element(0x08, name);
        self.0.push(u8::from(value));
        self
    }

    pub(super) fn text(mut self, name: &str, value: &str) -> Self {
        self.element(0x02, name);
        self.length(value.len() + 1);
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(0);
        self
    }

    pub(super) fn binary(mut self, name: &str, value: &[u8]) -> Self {
        self.element(0x05, name);
        self.length(value.len());
        self.0.push(0);
        self.0.extend_from_slice(value);
        self
    }

    pub(super) fn document(mut self, name: &str, value: Self) -> Self {
        self.element(0x03, name);
        self.0.extend_from_slice(&value.finish());
        self
    }

    pub(super) fn finish(self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.0.len() + 5));
        let length = u32::try_from(self.0.len() + 5).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&self.0);
        bytes.push(0);
        bytes
    }

    fn element(&mut self, kind: u8, name: &str) {
        self.0.push(kind);
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(0);
    }

    fn length(&mut self, length: usize) {
        self.0.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    }
}

/// A value that was read; kinds that no sign-in needs are passed over.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Number(f64),
    Boolean(bool),
    Text(String),
    Binary(Vec<u8>),
    Array(Vec<Value>),
    Other,
}

/// The members of a document, in their order.
pub(super) type Members = Vec<(String, Value)>;

/// The members of a document; `None` where it is none.
pub(super) fn read(bytes: &[u8]) -> Option<Members> {
    document(bytes, 0).map(|(members, _)| members)
}

/// A document at the beginning of bytes, and what is behind it.
fn document(bytes: &[u8], depth: usize) -> Option<(Members, &[u8])> {
    if depth > DEEPEST {
        return None;
    }
    let (length, _) = int(bytes)?;
    let (whole, behind) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    let mut rest = whole.get(4..)?.strip_suffix(&[0])?;
    let mut members = Vec::new();
    while let Some((kind, after)) = rest.split_first() {
        let (name, after) = name(after)?;
        let (value, after) = value(*kind, after, depth)?;
        members.push((name, value));
        rest = after;
    }
    Some((members, behind))
}

fn value(kind: u8, bytes: &[u8], depth: usize) -> Option<(Value, &[u8])> {
    let skip = |length: usize| Some((Value::Other, bytes.get(length..)?));
    match kind {
        0x01 => {
            let (number, rest) = bytes.split_first_chunk()?;
            Some((Value::Number(f64::from_le_bytes(*number)), rest))
        }
        0x02 => {
            let (length, rest) = int(bytes)?;
            let (text, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            let text = std::str::from_utf8(text.strip_suffix(&[0])?).ok()?;
            Some((Value::Text(text.to_owned()), rest))
        }
        0x03 => document(bytes, depth + 1).map(|(_, rest)| (Value::Other, rest)),
        0x04 => {
            let (members, rest) = document(bytes, depth + 1)?;
            Some((Value::Array(members.into_iter().map(|(_, value)| value).collect()), rest))
        }
        0x05 => {
            let (length, rest) = int(bytes)?;
            let (inside, rest) = rest.get(1..)?.split_at_checked(usize::try_from(length).ok()?)?;
            Some((Value::Binary(inside.to_vec()), rest))
        }
        0x07 => skip(12),
        0x08 => {
            let (flag, rest) = bytes.split_first()?;
            Some((Value::Boolean(*flag != 0), rest))
        }
        0x09 | 0x11 => skip(8),
        0x0a => skip(0),
        0x10 => {
            let (number, rest) = int(bytes)?;
            Some((Value::Number(f64::from(number)), rest))
        }
        0x12 => {
            let (number, rest) = bytes.split_first_chunk()?;
            // No number that a sign-in has is beyond what a float holds exactly.
            i32::try_from(i64::from_le_bytes(*number))
                .map_or(Some((Value::Other, rest)), |number| Some((Value::Number(f64::from(number)), rest)))
        }
        _ => None,
    }
}

fn int(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((i32::from_le_bytes(*number), rest))
}

fn name(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let name = std::str::from_utf8(&bytes[..end]).ok()?;
    Some((name.to_owned(), &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The first two samples of https://bsonspec.org/faq.html.
    #[test]
    fn the_samples_of_the_specification_come_out() {
        let hello = b"\x16\x00\x00\x00\x02hello\x00\x06\x00\x00\x00world\x00\x00";
        assert_eq!(Writer::new().text("hello", "world").finish().as_slice(), hello);
        assert_eq!(read(hello), Some(vec![("hello".to_owned(), Value::Text("world".to_owned()))]));
        let awesome = b"\x31\x00\x00\x00\x04BSON\x00\x26\x00\x00\x00\x020\x00\x08\x00\x00\x00awesome\x00\x011\x00\x33\x33\x33\x33\x33\x33\x14\x40\x102\x00\xc2\x07\x00\x00\x00\x00";
        let items = vec![Value::Text("awesome".to_owned()), Value::Number(5.05), Value::Number(1986.0)];
        assert_eq!(read(awesome), Some(vec![("BSON".to_owned(), Value::Array(items))]));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_document_or_none(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..120)) {
            let _ = read(&bytes);
            let mut framed = u32::try_from(bytes.len() + 5).expect("short").to_le_bytes().to_vec();
            framed.extend_from_slice(&bytes);
            framed.push(0);
            let _ = read(&framed);
        }
    }
}
