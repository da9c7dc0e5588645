//! Other programs and other processes at the same file, and processes that die.

use super::*;

#[test]
fn a_change_by_another_program_is_kept_whether_in_place_or_by_rename() {
    for renames in [false, true] {
        let (directory, path) = place();
        put(&path, "old\n");
        let calls = Cell::new(0);
        let seen = storage::update(&path, &OsEntropy, |old| {
            let old = old.unwrap_or_default();
            calls.set(calls.get() + 1);
            if calls.get() == 1 {
                let target = if renames { path.with_extension("editor") } else { path.clone() };
                put(&target, "old\ntheirs\n");
                fs::rename(target, &path).unwrap();
            }
            Ok::<_, Infallible>(Edit::Replace([old, b"ours\n"].concat().into(), old.len()))
        });
        assert_eq!(seen.unwrap(), "old\ntheirs\n".len(), "the last call's answer counts");
        assert_eq!(text(&path).as_deref(), Some("old\ntheirs\nours\n"));
        assert_eq!(calls.get(), 2);
        assert_eq!(names(directory.path()), [NAME, LOCK]);
    }
}

#[test]
fn an_editor_that_saves_at_any_instant_loses_nothing() {
    let (directory, path) = place();
    put(&path, "0\n");
    let beside = directory.path().join("editor");
    let mut kept_both = 0;
    for round in 1..=300 {
        let save = format!("{round}\n");
        put(&beside, &save);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                random_pause(4000);
                fs::rename(&beside, &path).unwrap();
            });
            append(&path, "ours\n").unwrap();
        });
        let end = text(&path).unwrap();
        assert!(end.starts_with(&save), "round {round}: the editor's file is gone, there is {end:?}");
        kept_both += usize::from(end.ends_with("ours\n"));
    }
    assert!(kept_both > 0, "no round raced");
    assert_eq!(names(directory.path()), [NAME, LOCK]);
}

/// Not to wait for anything, but to make the instant random.
fn random_pause(at_most_us: u64) {
    let mut random = [0; 4];
    OsEntropy.fill(&mut random).expect("randomness");
    std::thread::sleep(Duration::from_micros((u64::from(u32::from_le_bytes(random)) * at_most_us) >> 32));
}

#[test]
fn eight_threads_and_eight_processes_lose_no_update() {
    let (directory, path) = place();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let path = &path;
            scope.spawn(move || {
                for n in 0..25 {
                    append(path, &format!("thread {writer} {n}\n")).unwrap();
                }
            });
        }
    });
    let mut children: Vec<Child> = (0..8).map(|_| Child::new()).collect();
    for (writer, child) in children.iter_mut().enumerate() {
        child.send(&["append", path.to_str().unwrap(), &format!("process {writer}"), "25"]);
    }
    for mut child in children {
        assert_eq!(child.answer(), "ok");
    }
    let text = text(&path).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 400);
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 400);
    assert_eq!(names(directory.path()), [NAME, LOCK]);
}

#[test]
fn a_reader_never_sees_a_part() {
    let (_directory, path) = place();
    put(&path, whole(1));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0_u32;
            while !stop.load(Ordering::Relaxed) || reads == 0 {
                assert!(is_whole(&text(&path).expect("always there")));
                reads += 1;
            }
        });
        for n in 0..150 {
            set(&path, &whole(n * 7919 % 200_000)).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
}

#[test]
fn a_writer_killed_at_any_instant_leaves_a_whole_file_and_the_next_write_tidies_up() {
    let (directory, path) = place();
    set(&path, &whole(5)).unwrap();
    let mut leftovers = 0;
    for _ in 0..150 {
        let mut child = Child::new();
        child.send(&["forever", path.to_str().unwrap()]);
        assert_eq!(child.answer(), "ok", "it has begun");
        random_pause(8000);
        child.kill();
        assert!(is_whole(&text(&path).expect("always there")));
        leftovers += names(directory.path()).len() - 2;
        append(&path, "").unwrap();
        set(&path, &whole(5)).unwrap();
        assert_eq!(names(directory.path()), [NAME, LOCK]);
    }
    assert!(leftovers > 0, "no child died while it wrote");
}

#[test]
fn a_dead_process_holds_no_lock() {
    let (_directory, path) = place();
    let mut child = Child::new();
    child.send(&["hold", path.to_str().unwrap()]);
    assert_eq!(child.answer(), "ok", "it holds the lock");
    assert!(matches!(storage::read(&path), Ok(None)), "reading does not wait");
    child.kill();
    set(&path, "after").unwrap();
    assert_eq!(text(&path).as_deref(), Some("after"));
}
