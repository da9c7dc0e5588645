//! Whether a page is well-formed: tags closed, names unique and found, every field labelled. What a browser would forgive is not forgiven.

use std::collections::HashSet;

const VOID: [&str; 6] = ["meta", "link", "input", "img", "br", "circle"];

/// A start tag with its attributes.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Tag<'a> {
    fn attribute(&self, name: &str) -> Option<&'a str> {
        let found = self.attributes.iter().find(|(found, _)| *found == name);
        found.map(|(_, value)| *value)
    }
}

/// Ends the test if a page is not well-formed.
pub(crate) fn check(what: &str, html: &str) {
    let tags = tags(what, html);
    let mut ids = HashSet::new();
    for tag in &tags {
        if let Some(id) = tag.attribute("id") {
            assert!(ids.insert(id), "{what}: the id {id} stands twice");
        }
        let has_unsafe = tag
            .attributes
            .iter()
            .any(|(name, value)| name.starts_with("on") || *name == "style" || value.starts_with("javascript:"));
        assert!(!has_unsafe && tag.name != "style", "{what}: <{}> has something inline", tag.name);
        assert!(
            tag.name != "img" || tag.attribute("alt").is_some(),
            "{what}: an image without words"
        );
        assert!(
            tag.name != "button" || tag.attribute("type").is_some(),
            "{what}: a button without a type"
        );
        assert!(
            tag.name != "script" || tag.attribute("src").is_some_and(|src| src.starts_with("/assets/")),
            "{what}: a script"
        );
    }
    let labelled: HashSet<&str> = tags
        .iter()
        .filter(|tag| tag.name == "label")
        .filter_map(|tag| tag.attribute("for"))
        .collect();
    for tag in &tags {
        for name in [
            "aria-describedby",
            "aria-labelledby",
            "for",
            "popovertarget",
            "data-opens",
            "data-copies",
            "data-downloads",
        ] {
            for id in tag.attribute(name).unwrap_or_default().split_whitespace() {
                assert!(ids.contains(id), "{what}: {name} names {id}, which is not there");
            }
        }
        let is_field = matches!(tag.name, "input" | "textarea" | "select");
        let is_hidden = tag.attribute("type") == Some("hidden") || tag.attribute("aria-hidden") == Some("true");
        if is_field && !is_hidden {
            let id = tag.attribute("id").unwrap_or_default();
            assert!(labelled.contains(id), "{what}: the field {id} has no label");
        }
        let link = tag.attribute("href").unwrap_or_default();
        assert!(tag.name != "a" || link.starts_with(['/', '#', '?']), "{what}: a link to {link}");
    }
    let count = |name: &str| tags.iter().filter(|tag| tag.name == name).count();
    assert_eq!((count("h1"), count("main"), count("title")), (1, 1, 1), "{what}");
    for odd in ["{{", "{%", "Some(", "None<", "&amp;amp;", "http://", "https://"] {
        assert!(!html.contains(odd), "{what}: {odd}");
    }
}

fn tags<'a>(what: &str, html: &'a str) -> Vec<Tag<'a>> {
    let (mut tags, mut open) = (Vec::new(), Vec::new());
    for piece in html.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').unwrap_or_else(|| panic!("{what}: <{piece} has no end"));
        if tag.starts_with('!') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{what}: </{name}> closes something else");
            continue;
        }
        let name = tag.split([' ', '\n', '/']).next().unwrap_or_default();
        if !VOID.contains(&name) && !tag.ends_with('/') {
            open.push(name);
        }
        tags.push(Tag {
            name,
            attributes: attributes(&tag[name.len()..]),
        });
    }
    assert!(open.is_empty(), "{what}: {open:?} are not closed");
    tags
}

fn attributes(text: &str) -> Vec<(&str, &str)> {
    let (mut found, mut rest) = (Vec::new(), text.trim_end_matches('/').trim());
    while !rest.is_empty() {
        let end = rest
            .find(|letter: char| letter == '=' || letter.is_whitespace())
            .unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        match behind.strip_prefix("=\"").and_then(|quoted| quoted.split_once('"')) {
            Some((value, behind)) => {
                found.push((name, value));
                rest = behind.trim_start();
            }
            None => {
                found.push((name, ""));
                rest = behind.trim_start();
            }
        }
    }
    found
}
