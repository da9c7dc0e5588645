//! The parts that pages are made of: each has one partial, and its sample states are on a page that only a debug build serves.

mod badge;
mod button;
mod field;
mod moment;
mod notice;
mod table;

pub(crate) use badge::{Badge, Colour};
pub(crate) use button::{Button, Weight};
pub(crate) use field::{CodeField, Field, Kind};
pub(crate) use moment::Moment;
pub(crate) use notice::{Countdown, Notice, Tone};
pub(crate) use table::{Column, Pager, Sorting, Table};
