//! Builds and files beside what they are compared with, as JSON.

use crate::attribution::groups::Grouping;
use crate::error::Result;
use crate::output::view::View;
use crate::report::SCHEMA;

/// Builds and files beside what they are compared with, as `build-support report --format json`
/// gives them: the report of each where there is one, and the changes by every grouping.
///
/// # Errors
/// As [`View::changes`].
pub fn views(views: &[View]) -> Result<String> {
    let mut all = Vec::new();
    for view in views {
        let mut json = serde_json::to_value(view).expect("a view is plain data");
        if let Some(changes) = view.changes(&Grouping::ALL)? {
            json["changes"] = serde_json::to_value(changes).expect("a diff is plain data");
        }
        all.push(json);
    }
    let json = serde_json::json!({ "schema": SCHEMA, "views": all });
    Ok(format!("{json:#}\n"))
}
