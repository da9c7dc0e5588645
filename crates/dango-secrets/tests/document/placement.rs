//! Where values go, how they are written and what goes with them: input and expected text, side by side.

use super::*;

#[test]
fn new_keys_go_where_their_neighbours_are() {
    let cases = [
        // Behind the last key of the table, before the blank line and the comment of the next.
        (
            "[a]\nx = 1 # c\n\n# about b\n[b]\ny = 2\n",
            "a.z",
            "[a]\nx = 1 # c\nz = \"v\"\n\n# about b\n[b]\ny = 2\n",
        ),
        // With the indentation of the key above, and the file's line ends.
        ("[a]\r\n\tx = 1\r\n[b]\r\n", "a.z", "[a]\r\n\tx = 1\r\n\tz = \"v\"\r\n[b]\r\n"),
        ("[a]\nx = '''\n  m'''\n", "a.z", "[a]\nx = '''\n  m'''\nz = \"v\"\n"),
        // No final line end before, none after.
        ("[a]\nx = 1", "a.z", "[a]\nx = 1\nz = \"v\""),
        ("[a]", "a.z", "[a]\nz = \"v\""),
        // Dotted keys beside dotted keys.
        (
            "[s]\na.x = 1\nb.x = 2\n# c\na.y = 3\nd = 4\n",
            "s.a.z",
            "[s]\na.x = 1\nb.x = 2\n# c\na.y = 3\na.z = \"v\"\nd = 4\n",
        ),
        ("s.a.x = 1\n\n[t]\n", "s.b.z", "s.a.x = 1\ns.b.z = \"v\"\n\n[t]\n"),
        // Inline tables.
        ("a = { x = 1 }\n", "a.z", "a = { x = 1, z = \"v\" }\n"),
        ("a = {}\n", "a.z", "a = {z = \"v\"}\n"),
        ("a = { x = 1, }\n", "a.z", "a = { x = 1, z = \"v\", }\n"),
        ("a = {\n  x = 1, # c\n}\n", "a.z", "a = {\n  x = 1, # c\n  z = \"v\",\n}\n"),
        ("a = {\n  x = 1 # c\n}\n", "a.z", "a = {\n  x = 1, # c\n  z = \"v\"\n}\n"),
        // A table that only longer headers imply gets a header of its own behind its group.
        (
            "[s.a.c]\nx = 1\n\n[t]\ny = 2\n",
            "s.a.z",
            "[s.a.c]\nx = 1\n\n[s.a]\nz = \"v\"\n\n[t]\ny = 2\n",
        ),
        // A new table goes behind the last of its group, not into the comments of the next one.
        (
            "[s.a]\nx = 1\n\n# ---- destinations ----\n\n[d.b]\ny = 2\n",
            "s.n.z",
            "[s.a]\nx = 1\n\n[s.n]\nz = \"v\"\n\n# ---- destinations ----\n\n[d.b]\ny = 2\n",
        ),
        (
            "[s.a]\nx = 1\n# about b\n[d.b]\n",
            "s.n.z",
            "[s.a]\nx = 1\n\n[s.n]\nz = \"v\"\n\n# about b\n[d.b]\n",
        ),
        (
            "[s.a]\nx = 1\n# old = 2\n\n[d.b]\n",
            "s.n.z",
            "[s.a]\nx = 1\n# old = 2\n\n[s.n]\nz = \"v\"\n\n[d.b]\n",
        ),
        ("[s.a]\nx = 1", "t.z", "[s.a]\nx = 1\n\n[t]\nz = \"v\""),
        ("# words\n", "t.z", "# words\n\n[t]\nz = \"v\"\n"),
        ("", "t.z", "[t]\nz = \"v\"\n"),
        ("\u{feff}", "t.z", "\u{feff}[t]\nz = \"v\"\n"),
        // Keys at the root.
        ("# about a\n[a]\nx = 1\n", "z", "z = \"v\"\n\n# about a\n[a]\nx = 1\n"),
        ("k = 1 # c\n\n[a]\n", "z", "k = 1 # c\nz = \"v\"\n\n[a]\n"),
        ("# words", "z", "# words\nz = \"v\""),
        ("[a]\n", "a.\"x y\".\"\"", "[a]\n\n[a.\"x y\"]\n\"\" = \"v\"\n"),
    ];
    for (text, at, expected) in cases {
        let (edited, outcome) = set(text, at, &string("v"));
        assert_eq!(edited, expected, "{at} in\n{text}");
        assert_eq!(outcome, SetOutcome::Created);
    }
}

#[test]
fn objects_become_standard_tables() {
    let object = json(r#"{"user": "u", "options": {"ssl": true, "deep": {"n": 1}}, "list": [{"a": 1}], "none": {}}"#);
    let expected = "[s.db]\nuser = \"u\"\nlist = [{ a = 1 }]\n\n[s.db.options]\nssl = true\n\n[s.db.options.deep]\nn = 1\n\n[s.db.none]\n";
    assert_eq!(set("", "s.db", &object).0, expected);
    assert_eq!(
        set("[s]\ndb = 'url' # c\nx = 1\n", "s.db", &object),
        (format!("[s]\nx = 1\n\n{expected}"), SetOutcome::Replaced)
    );
    assert_eq!(set(expected, "s.db", &object).1, SetOutcome::Unchanged);
    assert_eq!(set("", "a.b", &json("{}")).0, "[a.b]\n");
    assert_eq!(
        set("s.x = 1\n", "s.db", &json(r#"{"u": {"v": 1}, "w": 2}"#)).0,
        "s.x = 1\ns.db.u.v = 1\ns.db.w = 2\n"
    );
    assert_eq!(
        set("s = { x = 1 }\n", "s.x", &json(r#"{"u": {"v": 1}}"#)).0,
        "s = { x = { u = { v = 1 } } }\n"
    );
}

#[test]
fn many_lines_stay_within_the_files_line_ends() {
    let pem = string("-----BEGIN-----\nAAAA\n-----END-----\n");
    assert_eq!(
        set("[a]\nk = 1 # c\n", "a.k", &pem).0,
        "[a]\nk = \"\"\"\n-----BEGIN-----\nAAAA\n-----END-----\n\"\"\" # c\n"
    );
    let one_line = "[a]\r\nk = \"-----BEGIN-----\\nAAAA\\n-----END-----\\n\" # c\r\n";
    assert_eq!(set("[a]\r\nk = 1 # c\r\n", "a.k", &pem).0, one_line);
    assert_eq!(set("a = { k = 1 }\n", "a.k", &string("1\n2")).0, "a = { k = \"1\\n2\" }\n");
}

#[test]
fn a_value_is_unchanged_only_with_the_same_references() {
    let reference = value(NewType::String, "${X}", References::Expand);
    assert_eq!(set("k = '${X}'\n", "k", &reference).1, SetOutcome::Unchanged);
    assert_eq!(
        set("k = '${X}'\n", "k", &string("${X}")),
        ("k = \"\\u0024{X}\"\n".to_owned(), SetOutcome::Replaced)
    );
    assert_eq!(set("k = \"\\u0024{X}\"\n", "k", &string("${X}")).1, SetOutcome::Unchanged);
    assert_eq!(set("k = \"\\u0024{X}\"\n", "k", &reference).0, "k = \"${X}\"\n");
    let both = value(NewType::String, "${X}${Y}", References::Expand);
    assert_eq!(set("k = \"${X}\\u0024{Y}\"\n", "k", &both).0, "k = \"${X}${Y}\"\n");
    assert_eq!(set("k = 1\n", "k", &string("1")).0, "k = \"1\"\n", "another type is another value");
}

#[test]
fn unset_takes_lines_with_their_comments_and_leaves_those_above() {
    let cases = [
        ("[a]\n# above\nx = 1 # behind\ny = 2\n", "a.x", "[a]\n# above\ny = 2\n", 1),
        ("[a]\nx = '''\n1\n2''' # c\ny = 2\n", "a.x", "[a]\ny = 2\n", 1),
        ("[a]\nx = 1\ny = 2", "a.y", "[a]\nx = 1", 1),
        ("x = 1", "x", "", 1),
        ("[a]\nx = 1\n", "a.x", "[a]\n", 1),
        // A table with everything in it, wherever it stands.
        (
            "# a\n[a] # h\n# in\nx = 1\n\ny = 2 # c\n# next\n\n[b]\nz = 3\n\n[a.c]\nw = 4\n",
            "a",
            "# a\n# next\n\n[b]\nz = 3\n\n",
            3,
        ),
        ("[s]\na.x = 1\nb = 2\na.y = 3 # c\n[s.a.z]\nq = 1\n", "s.a", "[s]\nb = 2\n", 3),
        ("[[a]]\nx = 1\n[a.sub]\n[b]\n[[a]]\n# c\n", "a", "[b]\n# c\n", 1),
        // Inline tables lose one comma.
        ("a = { x = 1, y = 2, z = 3 }\n", "a.x", "a = { y = 2, z = 3 }\n", 1),
        ("a = { x = 1, y = 2, z = 3 }\n", "a.y", "a = { x = 1, z = 3 }\n", 1),
        ("a = { x = 1, y = 2, z = 3 }\n", "a.z", "a = { x = 1, y = 2 }\n", 1),
        ("a = { x = 1 }\n", "a.x", "a = { }\n", 1),
        ("a = { b.x = 1, y = 2, b.z = 3 }\n", "a.b", "a = { y = 2 }\n", 2),
        ("a = { y = 2, b.x = 1, b.z = 3, }\n", "a.b", "a = { y = 2, }\n", 2),
        (
            "a = {\n  # above\n  x = 1, # c\n  y = 2\n}\n",
            "a.x",
            "a = {\n  # above\n  y = 2\n}\n",
            1,
        ),
        ("a = {\n  x = 1, # c\n  y = 2 # d\n}\n", "a.y", "a = {\n  x = 1 # c\n}\n", 1),
    ];
    for (text, at, expected, count) in cases {
        assert_eq!(unset(text, at), (expected.to_owned(), count), "{at} in\n{text}");
    }
}
