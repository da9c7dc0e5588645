//! Who may do what over HTTP, as a reviewed page: written from the table of operations, and done by everybody on the running router.

use std::fmt::Write as _;

use dango_actions::Setup;
use dango_api::{ROUTES, Route, Site, Stage};
use dango_identity::{Permission, PermissionSet, Role};

use crate::world::{Browser, RIGHT, World};

const PAGE: &str = include_str!("../../matrix.md");

/// Whoever could ask, in the order of the columns.
const WHO: [Who; 14] = [
    Who::Anybody,
    Who::Partial,
    Who::MustChangePassword,
    Who::MustEnrol,
    Who::Person(Role::Viewer),
    Who::Person(Role::Editor),
    Who::Person(Role::Admin),
    Who::StaleAdmin,
    Who::Key(Role::Viewer),
    Who::Key(Role::Editor),
    Who::Key(Role::Admin),
    Who::AdminKey,
    Who::ReaderKey,
    Who::Malformed,
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Anybody,
    /// A login that waits for its second factor.
    Partial,
    MustChangePassword,
    MustEnrol,
    Person(Role),
    /// An administrator whose login is 11 minutes old.
    StaleAdmin,
    Key(Role),
    /// An administrator's key with the scope `admin`.
    AdminKey,
    /// An administrator's key that reads values and does nothing else.
    ReaderKey,
    /// An `Authorization` that is none, beside the cookie of an administrator.
    Malformed,
}

impl Who {
    fn name(self) -> String {
        match self {
            Self::Anybody => "anybody".to_owned(),
            Self::Partial => "partial".to_owned(),
            Self::MustChangePassword => "must change password".to_owned(),
            Self::MustEnrol => "must enrol".to_owned(),
            Self::Person(role) => role.to_string(),
            Self::StaleAdmin => "admin, 11 minutes later".to_owned(),
            Self::Key(role) => format!("{role}'s key"),
            Self::AdminKey => "admin's key, scope admin".to_owned(),
            Self::ReaderKey => format!("admin's key, scope {}", Permission::SourceViewCredentials),
            Self::Malformed => "malformed header, admin's cookie".to_owned(),
        }
    }
}

/// Operations on one's own account that need a proof that is minutes old.
const OF_FRESH_SESSIONS: [&str; 3] = ["make_api_key", "begin_link", "unlink"];

/// What the table says: nothing where the operation is reached, else the code of the refusal.
fn expected(route: &Route, who: Who) -> Option<&'static str> {
    let stage = route.stage();
    if stage == Stage::Open {
        return None;
    }
    let nobody = Some(if stage == Stage::Partial {
        "session_expired"
    } else {
        "authentication_required"
    });
    let is_due = |own: Stage, code| match stage {
        Stage::AnySession | Stage::Known => None,
        Stage::Partial => nobody,
        other if other == own => None,
        _ => Some(code),
    };
    match who {
        Who::Anybody | Who::Malformed => nobody,
        Who::Partial => match stage {
            Stage::Partial | Stage::AnySession => None,
            _ => nobody,
        },
        Who::MustChangePassword => is_due(Stage::PasswordChange, "password_change_required"),
        Who::MustEnrol => is_due(Stage::Enrolment, "mfa_enrolment_required"),
        Who::Person(_) | Who::StaleAdmin if stage == Stage::Partial => nobody,
        Who::Person(_) | Who::StaleAdmin if stage == Stage::Key => Some("key_required"),
        Who::Person(_) | Who::StaleAdmin if is_of_keys_alone(route) => Some("permission_denied"),
        Who::Person(role) => of_permission(route, role),
        Who::StaleAdmin if route.permission == Some(Permission::UsersManage) || OF_FRESH_SESSIONS.contains(&route.operation) => {
            Some("reauthentication_required")
        }
        Who::StaleAdmin => None,
        Who::Key(_) | Who::AdminKey | Who::ReaderKey if !matches!(stage, Stage::Known | Stage::SessionOrKey | Stage::Key) => {
            Some("session_required")
        }
        Who::ReaderKey => (route.permission.is_some() && !is_of_keys_alone(route)).then_some("permission_denied"),
        Who::Key(_) | Who::AdminKey if is_of_keys_alone(route) => Some("permission_denied"),
        Who::Key(Role::Admin) if route.permission == Some(Permission::UsersManage) => Some("permission_denied"),
        Who::Key(role) => of_permission(route, role),
        Who::AdminKey => None,
    }
}

/// Whether it takes what no session has, and no key that does not name it.
fn is_of_keys_alone(route: &Route) -> bool {
    route
        .permission
        .is_some_and(|permission| PermissionSet::OF_KEYS_ALONE.contains(permission))
}

fn of_permission(route: &Route, role: Role) -> Option<&'static str> {
    let may = route.permission.is_none_or(|permission| role.permissions().contains(permission));
    (!may).then_some("permission_denied")
}

fn page() -> String {
    let mut text = String::from(
        "# Operations: who may\n\nA test writes this page from the table of operations and holds the running router against it; \
         `UPDATE=1 cargo test -p dango-api --test http matrix` writes it anew. Have the difference reviewed. *yes* is that the request \
         reaches the operation; anything else is the code of the refusal. What each role may do is in \
         `crates/dango-identity/role_permission_matrix.md`.\n\n",
    );
    let names = WHO.map(Who::name);
    writeln!(
        text,
        "| operation | needs | {} |\n|---|---|{}",
        names.join(" | "),
        "---|".repeat(WHO.len())
    )
    .expect("memory");
    for route in ROUTES.iter() {
        let cells = WHO.map(|who| expected(route, who).unwrap_or("yes"));
        let permission = route
            .permission
            .map_or_else(|| route.stage().name().replace('_', " "), |need| need.to_string());
        let (verb, path) = (route.verb.name(), route.path);
        writeln!(text, "| {verb} `{path}` | {permission} | {} |", cells.join(" | ")).expect("memory");
    }
    text
}

#[test]
fn the_matrix_is_the_reviewed_one() {
    crate::pages::compare(&page(), PAGE, "crates/dango-api/matrix.md");
}

/// A world with everybody in it.
struct Cast {
    world: World,
    /// Where viewers must have a second factor.
    strict: World,
    keys: Vec<(Who, String)>,
    temporary: String,
}

fn address(role: Role) -> String {
    format!("{role}@team.example")
}

const STALE: &str = "stale@team.example";
const TWO: &str = "two@team.example";
const NEW: &str = "new@team.example";

impl Cast {
    fn new() -> Self {
        let world = World::new();
        let mut keys = Vec::new();
        for role in Role::ALL {
            world.add(&address(role), role);
            let mut browser = world.signed_in(&address(role));
            keys.push((Who::Key(role), browser.make_key(&[]).1));
            if role == Role::Admin {
                keys.push((Who::AdminKey, browser.make_key(&["admin"]).1));
                keys.push((Who::ReaderKey, browser.make_key(&["source.view_credentials"]).1));
            }
        }
        world.add(STALE, Role::Admin);
        world.add(TWO, Role::Admin);
        world.signed_in(TWO).enrol();
        let (_, temporary) = world.with_temporary_password(NEW, Role::Admin);
        let setup = Setup {
            second_factor_roles: vec![Role::Viewer],
            ..Setup::default()
        };
        let strict = World::at(Site::Loopback { port: 8800, tls: false }, setup);
        strict.add(NEW, Role::Viewer);
        Self {
            world,
            strict,
            keys,
            temporary,
        }
    }

    fn browser(&self, who: Who) -> Browser<'_> {
        let mut browser = if who == Who::MustEnrol {
            self.strict.browser()
        } else {
            self.world.browser()
        };
        match who {
            Who::MustEnrol => drop(browser.log_in(NEW, RIGHT)),
            Who::Partial => drop(browser.log_in(TWO, RIGHT)),
            Who::MustChangePassword => drop(browser.log_in(NEW, &self.temporary)),
            Who::Person(role) => drop(browser.log_in(&address(role), RIGHT)),
            Who::StaleAdmin => drop(browser.log_in(STALE, RIGHT)),
            Who::Malformed => drop(browser.log_in(&address(Role::Admin), RIGHT)),
            Who::Anybody | Who::Key(_) | Who::AdminKey | Who::ReaderKey => {}
        }
        if who == Who::StaleAdmin {
            self.world.pass(11 * 60);
        }
        browser
    }
}

/// Asks for an operation as somebody: the refusal, if they are refused for who they are.
fn asked(route: &Route, browser: &mut Browser<'_>, headers: &[(&str, &str)]) -> Option<String> {
    const REFUSALS: [&str; 8] = [
        "key_required",
        "authentication_required",
        "session_expired",
        "session_required",
        "permission_denied",
        "reauthentication_required",
        "password_change_required",
        "mfa_enrolment_required",
    ];
    let path = route
        .path
        .replace("{id}", "0193d5a0-0000-7000-8000-000000000000")
        .replace("{key}", "NO_SUCH")
        .replace("{source_type}", "no_such")
        .replace("{provider}", "google");
    // What makes something has to be asked for rightly to be refused for the right reason; the rest stumbles over its body.
    let body = if route.operation == "make_api_key" {
        "{\"name\":\"ci\"}"
    } else {
        "{}"
    };
    let mut all = vec![("sec-fetch-site", "same-origin")];
    all.extend(headers);
    let answer = browser.send_with(route.verb.name(), &path, &all, Some(body));
    let is_refusal = !answer.status.is_success() && REFUSALS.contains(&answer.code().as_str());
    is_refusal.then(|| answer.code())
}

#[test]
fn the_running_router_is_the_matrix() {
    let cast = Cast::new();
    let mut wrong = String::new();
    let mut routes: Vec<&Route> = ROUTES.iter().collect();
    for who in WHO {
        let bearer = match cast.keys.iter().find(|(of, _)| *of == who) {
            Some((_, key)) => format!("Bearer {key}"),
            None if who == Who::Malformed => "Bearer of bad news".to_owned(),
            None => String::new(),
        };
        let headers = [("authorization", bearer.as_str())];
        let mut browser = cast.browser(who);
        // Nothing comes after a logout, and nothing after the end of a key.
        let last = if bearer.is_empty() { "log_out" } else { "end_own_key" };
        routes.sort_by_key(|route| route.operation == last);
        for route in &routes {
            let (found, expected) = (asked(route, &mut browser, &headers), expected(route, who));
            if found.as_deref() != expected {
                writeln!(wrong, "{} as {}: {found:?}, not {expected:?}", route.operation, who.name()).expect("memory");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
