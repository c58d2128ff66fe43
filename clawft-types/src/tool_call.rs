//! A provider's request to have a tool run.

use alloc::string::String;

use crate::fields::Fields;
use crate::json::{Value, Writer};

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// `c1`, `c2` … in the order of the session.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments as JSON text; the tool checks them.
    pub arguments: String,
}

impl ToolCall {
    /// Reads what [`ToolCall::write`] wrote.
    pub fn read(fields: &Fields<'_, '_>) -> Self {
        ToolCall {
            id: fields.string("id"),
            name: fields.string("name"),
            arguments: fields.get("arguments").unwrap_or(&Value::Null).to_json(),
        }
    }

    /// Writes `{"id":…,"name":…,"arguments":…}`.
    pub fn write(&self, out: &mut Writer) {
        out.open("{");
        out.string_member("id", &self.id);
        out.string_member("name", &self.name);
        out.key("arguments");
        out.raw(&self.arguments);
        out.close("}");
    }
}
