//! The bytes of a document checked before they are parsed: UTF-8, line ends, control characters.

use zeroize::Zeroizing;

use super::error::{DocumentError, DocumentProblem};
use super::position::line_and_column;

const BOM: &str = "\u{feff}";

/// The largest document read, in bytes.
const MAX_LENGTH: usize = 64 << 20;

/// How many bytes the byte order mark at the start of `text` takes: 3 or 0.
pub(super) fn bom_length(text: &str) -> usize {
    if text.starts_with(BOM) { BOM.len() } else { 0 }
}

/// Takes over bytes as a document's text, unchanged.
pub(super) fn decode(bytes: &[u8]) -> Result<Zeroizing<String>, DocumentError> {
    let error = |(line, column), problem| Err(DocumentError { line, column, problem });
    if is_utf16(bytes) {
        return error((1, 1), DocumentProblem::Utf16);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(cause) => {
            let offset = cause.valid_up_to();
            let valid = std::str::from_utf8(&bytes[..offset]).unwrap_or_default();
            error(line_and_column(valid, offset), DocumentProblem::NotUtf8 { offset })
        }
    }
}

/// Checks what TOML forbids everywhere, whatever the syntax around it, and what dlt reads differently.
pub(super) fn check(text: &str) -> Result<(), DocumentError> {
    let error = |offset, problem| {
        let (line, column) = line_and_column(text, offset);
        Err(DocumentError { line, column, problem })
    };
    if text.len() > MAX_LENGTH {
        return error(0, DocumentProblem::TooLarge { limit: MAX_LENGTH });
    }
    let bytes = text.as_bytes();
    // One branchless pass over the usual file, which has nothing of the kind.
    let suspicious = |byte: u8| (byte < 0x20) & (byte != b'\t') & (byte != b'\n') | (byte == 0x7f);
    if !bytes.iter().fold(false, |found, &byte| found | suspicious(byte)) {
        return Ok(());
    }
    for (offset, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\r' if bytes.get(offset + 1) == Some(&b'\n') => {}
            b'\r' => return error(offset, DocumentProblem::LoneCarriageReturn),
            0 => return error(offset, DocumentProblem::Nul),
            byte if suspicious(byte) => return error(offset, DocumentProblem::ControlCharacter { code: byte }),
            _ => {}
        }
    }
    Ok(())
}

/// UTF-16 by its byte order mark, or by the NUL beside its first, ASCII, character.
fn is_utf16(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) || matches!(bytes, [first, second, ..] if (*first == 0) != (*second == 0))
}
