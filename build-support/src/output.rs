//! The report drawn: for a terminal, a pull request, a browser, an editor. Only text is made here;
//! the command prints it. Nothing here knows how anything was found.

pub mod bundle;
pub mod diagnostic;
pub mod hints;
pub mod html;
pub mod json;
pub mod markdown;
pub mod message;
pub mod progress;
pub mod svg;
pub mod text;
pub mod view;
