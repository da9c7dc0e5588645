//! `dango audit list` on a server's project: its audit log, over HTTP.

use dango_client::Method;
use serde_json::Value;

use super::{Nothing, Server};
use crate::Outcome;
use crate::audit::ListArguments;
use crate::failure::Failure;
use crate::output::Output;

/// The most records that the server gives at once.
const PAGE: u32 = 500;

pub(crate) fn list(arguments: &ListArguments, server: &Server, output: &mut Output<'_>) -> Outcome {
    let mut left = arguments.limit;
    let mut cursor = arguments.cursor.clone();
    let mut events: Vec<Value> = Vec::new();
    loop {
        let size = left.min(PAGE);
        let mut query = vec![("limit", size.to_string())];
        query.extend(arguments.filter.query());
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let mut page: Value = server.read(Method::Get, &format!("/api/admin/audit?{}", encoded(&query)), None::<&Nothing>)?;
        match page["events"].take() {
            Value::Array(found) => events.extend(found),
            _ => {
                return Err(Failure::refused(format!(
                    "{}: the answer is not that of a Dango server",
                    server.url()
                )));
            }
        }
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        left -= size;
        if left == 0 || cursor.is_none() {
            break;
        }
    }
    if output.json {
        return output.json(&serde_json::json!({"events": events, "next_cursor": cursor}));
    }
    if events.is_empty() {
        output.say("nothing in the audit log matches");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = events.iter().map(row).collect();
    output.table(&crate::audit::HEADING, &rows)?;
    if let Some(cursor) = cursor {
        output.hint(format!("there are older ones: `--cursor {cursor}` goes on behind these"));
    }
    Ok(())
}

fn row(event: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let party = |party: &Value| match (party["label"].as_str(), party["id"].as_str(), party["kind"].as_str()) {
        (Some(name), _, Some("cli")) => format!("cli {name}"),
        (Some(name), ..) | (None, Some(name), _) => name.to_owned(),
        (None, None, kind) => kind.unwrap_or_default().to_owned(),
    };
    let at = text(&event["at"]);
    vec![
        at.get(..19).unwrap_or(&at).replacen('T', " ", 1),
        text(&event["event"]),
        text(&event["outcome"]),
        party(&event["actor"]),
        party(&event["target"]),
        crate::audit::details(&event["details"].to_string()),
    ]
}

/// A query with everything encoded that is no letter, digit, hyphen, dot or underscore (RFC 3986 §2.3).
fn encoded(query: &[(&str, String)]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match plain(byte) {
                true => char::from(byte).to_string(),
                false => format!("%{byte:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_encoded() {
        let query = [("actor", "ada+x@team.example".to_owned()), ("limit", "50".to_owned())];
        assert_eq!(encoded(&query), "actor=ada%2Bx%40team.example&limit=50");
    }
}
