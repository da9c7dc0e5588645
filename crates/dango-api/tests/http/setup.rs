//! The page on which the first administrator sets up the server, without script.

use dango_actions::{Caller, Machine};
use pollster::block_on;

use crate::world::{ORIGIN, RIGHT, World};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn link(world: &World) -> String {
    let permit = block_on(world.actions.permit::<Machine>(&Caller::cli(Some(1000), Some("ada")))).expect("the machine's user may");
    let link = block_on(world.actions.offer_claim(&permit)).expect("no administrator yet");
    let token = link.url().expose().rsplit('/').next().expect("a token").to_owned();
    format!("/setup/{token}")
}

fn body(email: &str, password: &str, again: &str) -> String {
    let encode = |text: &str| text.replace('@', "%40").replace(' ', "+");
    format!(
        "email={}&password={}&confirm_password={}",
        encode(email),
        encode(password),
        encode(again)
    )
}

#[test]
fn the_form_makes_the_administrator_once() {
    let world = World::new();
    let path = link(&world);
    for _ in 0..3 {
        let shown = world.send("GET", &path, &[], None);
        assert_eq!(
            (shown.status.as_u16(), shown.header("content-type")),
            (200, "text/html; charset=utf-8")
        );
        assert!(shown.header("content-security-policy").contains("form-action 'self'"));
        assert_eq!(
            (shown.header("referrer-policy"), shown.header("cache-control")),
            ("no-referrer", "no-store")
        );
        // The form goes to where it is from: the token stands in no text.
        assert!(!String::from_utf8_lossy(&shown.body).contains(path.trim_start_matches("/setup/")));
    }
    let good = body("ada@team.example", RIGHT, RIGHT);
    let done = world.send("POST", &path, &[FORM, ("origin", ORIGIN)], Some(&good));
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "/login"), "{}", done.text());
    assert!(
        done.cookies()
            .iter()
            .any(|cookie| cookie.starts_with("dango_notice=administrator_made;"))
    );
    assert_eq!(world.browser().log_in("ada@team.example", RIGHT).status, 200);
    let again = world.send(
        "POST",
        &path,
        &[FORM, ("origin", ORIGIN)],
        Some(&body("eve@team.example", RIGHT, RIGHT)),
    );
    assert_eq!(again.status, 410);
    assert!(String::from_utf8_lossy(&again.body).contains("dango-server setup-link"));
}

#[test]
fn what_is_wrong_is_said_beside_the_form_and_nothing_is_made() {
    let world = World::new();
    let path = link(&world);
    for (sent, status, said) in [
        (body("ada@team.example", RIGHT, "another"), 422, "not the same"),
        (body("ada@team.example", "short", "short"), 422, "at least 8 characters"),
        (body("<script>", RIGHT, RIGHT), 422, "not an e-mail address"),
        ("email=ada%40team.example".to_owned(), 422, "Fill in this field"),
    ] {
        let refused = world.send("POST", &path, &[FORM, ("origin", ORIGIN)], Some(&sent));
        let text = String::from_utf8_lossy(&refused.body).into_owned();
        assert_eq!(refused.status, status, "{text}");
        assert!(
            text.contains(said) && text.contains("aria-invalid=\"true\"") && !text.contains("<script>"),
            "{text}"
        );
        assert!(!text.contains(RIGHT));
    }
    let good = body("ada@team.example", RIGHT, RIGHT);
    assert_eq!(
        world
            .send("POST", &path, &[FORM, ("origin", "https://evil.example")], Some(&good))
            .status,
        403
    );
    assert_eq!(
        world.send("POST", &path, &[("content-type", "text/plain")], Some(&good)).status,
        415
    );
    assert_eq!(world.send("POST", &path, &[FORM, ("origin", ORIGIN)], Some(&good)).status, 303);
}
