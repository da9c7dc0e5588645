//! `/components`: each component in each of its states, for whoever works on the look. Only a debug build has it.

use askama::Template;
use axum::http::StatusCode;
use dango_identity::{AccountStatus, Role};

use super::Answer;
use crate::query::Query;
use crate::web::components::{
    Badge, Button, CodeField, Colour, Column, Countdown, Field, Kind, Moment, Notice, Pager, Sorting, Table, Tone, Weight,
};
use crate::web::frame::{Frame, page};
use crate::web::visit::Visit;

const COLUMNS: [Column; 3] = [
    Column::sorted("name", "Name"),
    Column::sorted("length", "Length"),
    Column::fixed("Actions"),
];

/// The page.
#[derive(Template)]
#[template(path = "pages/components.html")]
pub(crate) struct ComponentsPage<'a> {
    frame: Frame<'a>,
    badges: Vec<Badge>,
    buttons: Vec<Button<'a>>,
    fields: Vec<Field<'a>>,
    code_fields: Vec<CodeField<'a>>,
    notices: Vec<Notice<'a>>,
    moments: [Moment; 2],
    rows: (Vec<&'a String>, Pager),
}

/// `GET /components`.
pub(crate) async fn show(visit: Visit) -> Answer {
    let names: Vec<String> = (1..=120).map(|number| format!("ROW_{number:03}")).collect();
    let now = visit.now();
    let colours = Colour::ALL.into_iter().map(|colour| Badge::new(colour, colour.class()));
    let roles = Role::ALL.into_iter().map(Badge::from);
    let statuses = AccountStatus::ALL.into_iter().map(Badge::from);
    let dated = [Badge::new(Colour::Amber, "Expires").on(Moment::day(now))];
    let field = |id, kind| Field::new(id, id, "Label", kind);
    let tones = Tone::ALL
        .into_iter()
        .map(|tone| Notice::new(tone, "Something has happened, and this is what it was."));
    let waiting = Notice::new(Tone::Bad, "Too many tries have failed.").with(Some(Countdown::new(75, now)));
    let shown = ComponentsPage {
        frame: Frame {
            path: "/components",
            ..Frame::bare()
        },
        badges: colours.chain(roles).chain(statuses).chain(dated).collect(),
        buttons: Weight::ALL
            .into_iter()
            .map(|weight| Button::opening("Do It", weight, "sample"))
            .collect(),
        fields: vec![
            field("plain", Kind::Text),
            field("hinted", Kind::Email).hint("A hint says what is expected."),
            field("wrong", Kind::Password).error(Some("This is what is wrong.")),
            field("known", Kind::Mono).value("STRIPE_API_KEY").read_only(),
            field("lines", Kind::Lines),
        ],
        code_fields: vec![
            CodeField::new("code", "Authentication code"),
            CodeField::new("wrong-code", "Authentication code").error(Some("This code is not right.")),
        ],
        notices: tones.chain([waiting]).collect(),
        moments: [Moment::time(now), Moment::day(now)],
        rows: sorting(&visit.query).show(names.iter(), |row, wanted| row.to_lowercase().contains(wanted), Ord::cmp),
    };
    page(StatusCode::OK, &shown)
}

fn sorting(query: &Query) -> Sorting {
    Sorting::read(query, "", "table", &COLUMNS, ("name", false))
}

impl ComponentsPage<'_> {
    fn head(&self) -> Table<'_> {
        Table::head(&COLUMNS, &self.rows.1)
    }

    fn remove<'b>(&self, row: &'b str) -> Button<'b> {
        Button::opening("Delete", Weight::Careful, "sample").of_row(row, row)
    }
}
