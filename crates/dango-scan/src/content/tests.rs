//! What is packed or in UTF-16 is found, and what is damaged is searched as far as it goes.

use std::io::Write as _;

use dango_core::SecretValue;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

use super::*;
use crate::known::KnownValue;
use crate::scanner::Formats;

const VALUE: &str = "hunter22-in-a-box";

fn searched(content: &[u8]) -> Searched {
    let value = SecretValue::new(VALUE.to_owned()).unwrap();
    let (scanner, _) = Scanner::new([KnownValue::new("K", value)], Formats::Sought);
    search(&scanner, content, Sought::Everything, &mut Scratch::default()).unwrap()
}

fn places(searched: &Searched) -> Vec<(Option<&str>, u64)> {
    let parts = searched.parts.iter();
    parts
        .flat_map(|part| part.hits.hits.iter().map(|hit| (part.within.as_deref(), hit.line)))
        .collect()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(content).unwrap();
    packed.finish().unwrap()
}

/// A member as zip writers that know its size lay it out, or, streaming, with the size behind it.
fn member(name: &str, content: &[u8], is_streamed: bool) -> Vec<u8> {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
    packed.write_all(content).unwrap();
    let packed = packed.finish().unwrap();
    let size = u32::try_from(packed.len()).unwrap().to_le_bytes();
    let flags = if is_streamed { 8u16 } else { 0 }.to_le_bytes();
    let header_size = if is_streamed { [0; 4] } else { size };
    let name_length = u16::try_from(name.len()).unwrap().to_le_bytes();
    let parts: [&[u8]; 9] = [
        b"PK\x03\x04",
        &[20, 0],
        &flags,
        &[8, 0],
        &[0; 8],
        &header_size,
        &[0; 4],
        &name_length,
        &[0, 0],
    ];
    let mut bytes = parts.concat();
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(&packed);
    if is_streamed {
        bytes.extend_from_slice(&[b"PK\x07\x08".as_slice(), &[0; 4], &size, &[0; 4]].concat());
    }
    bytes
}

fn zip(is_streamed: bool) -> Vec<u8> {
    let first = member("a/one.txt", format!("\n{VALUE}").as_bytes(), is_streamed);
    let second = member("two.log.gz", &gzip(format!("\n\n{VALUE}").as_bytes()), is_streamed);
    [first, second, b"PK\x01\x02 the directory is not read".to_vec()].concat()
}

#[test]
fn packed_files_are_searched_also_within_one_another() {
    assert_eq!(places(&searched(&gzip(format!("a\n{VALUE}\n").as_bytes()))), [(None, 2)]);
    for is_streamed in [false, true] {
        let searched = searched(&zip(is_streamed));
        assert_eq!(places(&searched), [(Some("a/one.txt"), 2), (Some("two.log.gz"), 3)]);
        assert_eq!(searched.unsearched, None);
    }
    assert_eq!(
        places(&searched(&gzip(&zip(true)))),
        [(Some("a/one.txt"), 2), (Some("two.log.gz"), 3)]
    );
}

#[test]
fn what_was_cut_off_is_searched_as_far_as_it_goes_and_said_to_be_incomplete() {
    let mut log = gzip(
        format!(
            "{VALUE}\n{}",
            (0..100_000)
                .map(|n: u32| n.wrapping_mul(2_654_435_761).to_string())
                .collect::<String>()
        )
        .as_bytes(),
    );
    log.truncate(log.len() / 2);
    let cut = searched(&log);
    assert_eq!((places(&cut), cut.unsearched), (vec![(None, 1)], Some(NOT_TO_ITS_END)));
    let zip = zip(false);
    for length in 0..zip.len() {
        searched(&zip[..length]);
    }
    assert_eq!(searched(b"PK\x03\x04 no archive at all").unsearched, Some(NOT_TO_ITS_END));
}

#[test]
fn utf_16_is_searched_as_text_in_either_byte_order() {
    let text = format!("\u{feff}é\r\n\u{1f361} {VALUE}");
    for unit in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes] {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(unit).collect();
        let searched = searched(&bytes);
        assert_eq!(places(&searched), [(None, 2)]);
        assert_eq!(searched.parts[0].hits.hits[0].column, 3);
    }
}

#[test]
fn utf_16_without_a_mark_is_read_in_either_order() {
    let text = format!("a line\r\nkey={VALUE}\r\n");
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for content in [little, big] {
        assert_eq!(places(&searched(&content)), [(None, 2)]);
    }
}
