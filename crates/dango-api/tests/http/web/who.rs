//! Who sees which page, as data: everybody opens every page of the table.

use std::fmt::Write as _;

use dango_actions::Setup;
use dango_api::{PAGES, Page, Site, Verb, Visitor};
use dango_identity::{Permission, Role};

use crate::world::{Browser, RIGHT, World};

const NEW: &str = "new@team.example";
const TWO: &str = "two@team.example";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Anybody,
    Partial,
    MustChangePassword,
    MustEnrol,
    Person(Role),
}

const WHO: [Who; 7] = [
    Who::Anybody,
    Who::Partial,
    Who::MustChangePassword,
    Who::MustEnrol,
    Who::Person(Role::Viewer),
    Who::Person(Role::Editor),
    Who::Person(Role::Admin),
];

/// The status, and where it leads: `""` for the page itself.
fn expected(page: &Page, who: Who) -> (u16, &'static str) {
    let login = (303, "/login");
    let obligation = |who| match who {
        Who::MustChangePassword => (303, "/setup"),
        _ => (303, "/settings/account"),
    };
    let shown = match (page.path, who) {
        ("/", Who::Person(Role::Admin)) => (303, "/settings/secrets"),
        ("/", Who::Person(_)) => (303, "/settings/account"),
        // There is no such link, and no such file.
        ("/invite/{token}", _) => (410, ""),
        ("/assets/{file}", _) => (404, ""),
        // Nobody has clicked, and nobody comes back.
        ("/oauth/connect/{source_type}", _) => (403, ""),
        ("/oauth/callback/{source_type}", Who::Person(role)) if !role.permissions().contains(Permission::ConfigManage) => (403, ""),
        ("/oauth/callback/{source_type}", _) => (303, "/settings/secrets"),
        ("/api/auth/oauth/{provider}/login" | "/api/auth/oauth/{provider}/callback", _) => (303, "/login"),
        _ => (200, ""),
    };
    match (page.visitor(), who) {
        (Visitor::Anybody | Visitor::Leaving | Visitor::Returning, _) => shown,
        (Visitor::Guest, Who::Anybody | Who::Partial) => shown,
        (Visitor::Guest, Who::Person(_)) => (303, "/"),
        (Visitor::Partial, Who::Partial) => shown,
        (Visitor::Partial | Visitor::PasswordChange, Who::Person(_)) => (303, "/"),
        (Visitor::PasswordChange, Who::MustChangePassword) | (Visitor::Enrolment, Who::MustEnrol) => shown,
        (_, Who::Anybody | Who::Partial) => login,
        (_, Who::MustChangePassword | Who::MustEnrol) => obligation(who),
        (_, Who::Person(role)) => match page.permission {
            Some(permission) if !role.permissions().contains(permission) => (403, ""),
            _ => shown,
        },
    }
}

struct Cast {
    world: World,
    /// Where viewers must have a second factor.
    strict: World,
    temporary: String,
}

impl Cast {
    fn new() -> Self {
        let world = World::new();
        for role in Role::ALL {
            world.add(&format!("{role}@team.example"), role);
        }
        world.add(TWO, Role::Admin);
        world.signed_in(TWO).enrol();
        let (_, temporary) = world.with_temporary_password(NEW, Role::Admin);
        let setup = Setup {
            second_factor_roles: vec![Role::Viewer],
            ..Setup::default()
        };
        let strict = World::at(Site::Loopback { port: 8800, tls: false }, setup);
        strict.add(NEW, Role::Viewer);
        Self { world, strict, temporary }
    }

    fn browser(&self, who: Who) -> Browser<'_> {
        let world = if who == Who::MustEnrol { &self.strict } else { &self.world };
        let mut browser = world.browser();
        match who {
            Who::Anybody => {}
            Who::Partial => drop(browser.log_in(TWO, RIGHT)),
            Who::MustChangePassword => drop(browser.log_in(NEW, &self.temporary)),
            Who::MustEnrol => drop(browser.log_in(NEW, RIGHT)),
            Who::Person(role) => drop(browser.log_in(&format!("{role}@team.example"), RIGHT)),
        }
        browser
    }
}

#[test]
fn everybody_sees_their_pages_and_is_led_elsewhere_from_the_others() {
    let cast = Cast::new();
    let mut wrong = String::new();
    for who in WHO {
        let mut browser = cast.browser(who);
        for page in PAGES.iter().filter(|page| page.verb == Verb::Get) {
            let path = page.path.replace("{token}", "x").replace("{file}", "x");
            let answer = browser.open(&path);
            let (status, way) = answer.way();
            let found = (status, way.split('?').next().unwrap_or_default());
            let expected = expected(page, who);
            if found != expected {
                writeln!(wrong, "{path} as {who:?}: {found:?}, not {expected:?}").expect("memory");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_a_role_may_not_see_says_so_with_a_way_back() {
    let cast = Cast::new();
    let mut viewer = cast.browser(Who::Person(Role::Viewer));
    for page in PAGES.iter().filter(|page| page.verb == Verb::Get && page.permission.is_some()) {
        let denied = viewer.open(page.path);
        assert_eq!(denied.status, 403, "{}", page.path);
        assert!(denied.text().contains("You may not see this") && denied.text().contains("href=\"/\""));
    }
    let denials = cast
        .world
        .events()
        .iter()
        .filter(|event| event.event == "permission_denied")
        .count();
    assert!(denials > 0, "a denial is recorded");
}
