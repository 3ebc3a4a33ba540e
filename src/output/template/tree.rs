//! The tree of a parsed template.

use serde_json::Number;

use super::functions::Function;

/// A node of the tree.
#[derive(Clone, Debug)]
pub enum Node {
    /// Literal text.
    Text(String),
    /// `{{ pipeline }}`.
    Action(Pipeline),
    /// `{{if}}`.
    If(Branch),
    /// `{{range}}`.
    Range(Branch),
    /// `{{with}}`.
    With(Branch),
    /// `{{break}}`.
    Break,
    /// `{{continue}}`.
    Continue,
}

/// The parts of `if`, `range` and `with`.
#[derive(Clone, Debug)]
pub struct Branch {
    /// The condition or the iterated value.
    pub pipeline: Pipeline,
    /// Rendered if the value is true; by `range` for each item.
    pub body: Vec<Node>,
    /// Rendered if the value is false or empty.
    pub else_body: Vec<Node>,
}

/// Commands separated by `|`. Each result is the last argument of the next command.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Byte offset in the template.
    pub offset: usize,
    /// The variables that are set to the result.
    pub variables: Vec<String>,
    /// Whether the variables already exist (`=`, not `:=`).
    pub is_assignment: bool,
    /// The commands, at least one.
    pub commands: Vec<Command>,
}

/// A value, or a function with its arguments.
#[derive(Clone, Debug)]
pub enum Command {
    /// A value without a call.
    Value(Operand),
    /// A call.
    Call {
        /// Byte offset of the function's name.
        offset: usize,
        /// The function.
        function: &'static Function,
        /// The arguments, without the one from the pipe.
        arguments: Vec<Operand>,
    },
}

/// A value with the fields that are read from it.
#[derive(Clone, Debug)]
pub struct Operand {
    /// Byte offset in the template.
    pub offset: usize,
    /// Where the value comes from.
    pub primary: Primary,
    /// The fields that are read, in order.
    pub fields: Vec<String>,
}

/// Where a value comes from, before its fields are read.
#[derive(Clone, Debug)]
pub enum Primary {
    /// `.`.
    Dot,
    /// `$x`; `$` is the top-level data.
    Variable(String),
    /// `nil`.
    Nil,
    /// `true`.
    Bool(bool),
    /// `"text"`.
    String(String),
    /// `42`.
    Number(Number),
    /// `(pipeline)`.
    Pipeline(Box<Pipeline>),
    /// A function without arguments.
    Call(&'static Function),
}
