//! What is promised of the file of values that are laid aside: it comes back as it was written, and opens in its own place alone.

use dango_core::OsEntropy;
use dango_keyring::MasterKey;

use super::*;

fn value(place: &str, role: AsideRole, text: &str) -> AsideValue {
    AsideValue {
        place: ValuePlace::Secret(place.parse().expect("a path")),
        role,
        text: SecretValue::new(text.to_owned()).expect("no NUL"),
    }
}

#[test]
fn what_is_laid_aside_comes_back_plain_or_sealed_and_only_in_its_own_place() {
    let keys = KeySet::new(MasterKey::make(&OsEntropy).expect("random"), None);
    let mut sealer = Sealer::new(&keys, &OsEntropy);
    let old = value("sources.a.k", AsideRole::Old, "\"a\\nb\t\r\n\\\"");
    let new = value("sources.a.k", AsideRole::New, "'new'");
    let mut asides = Asides::default();
    asides.put(Entry {
        name: "a".to_owned(),
        note: "taken".to_owned(),
        values: vec![Stored::plain(&old), Stored::seal("a", &new, &mut sealer).expect("sealed")],
    });
    let bytes = asides.to_bytes();
    let read = Asides::parse(&bytes).expect("what was written");
    let entry = read.find("a").expect("is there");
    assert_eq!((entry.note.as_str(), entry.is_sealed(), entry.values.len()), ("taken", true, 2));
    let texts: Vec<String> = entry
        .values
        .iter()
        .map(|stored| stored.open("a", Some(&keys)).expect("opens").text.expose().to_owned())
        .collect();
    assert_eq!(texts, ["\"a\\nb\t\r\n\\\"", "'new'"]);
    assert!(entry.values[1].open("b", Some(&keys)).is_err());
    assert!(matches!(entry.values[1].open("a", None), Err(AsideError::Closed { .. })));
    let moved = String::from_utf8(bytes.to_vec())
        .expect("text")
        .replace("sealed\tnew", "sealed\told");
    let moved = Asides::parse(moved.as_bytes()).expect("well-formed");
    assert!(moved.find("a").expect("is there").values[1].open("a", Some(&keys)).is_err());
}

#[test]
fn a_damaged_line_is_named_and_nothing_of_it_is_repeated() {
    for (text, line) in [
        ("x", 1),
        ("dango:rotations:v1\nplain\told\tpath\ta.b\tv\n", 2),
        ("dango:rotations:v1\nentry\ta\tn\nplain\told\tpath\ta.b\tcanary\\x\n", 3),
        ("dango:rotations:v1\nentry\ta\tn\nsealed\told\tpath\ta.b\tcanary\n", 3),
        ("dango:rotations:v1\nentry\ta\n", 2),
    ] {
        let error = Asides::parse(text.as_bytes()).err().expect("refused");
        assert_eq!(error, AsideError::Malformed { line });
        assert!(!error.to_string().contains("canary"));
    }
    assert!(Asides::parse(b"").is_ok_and(|asides| asides.entries().is_empty()));
}
