//! A template, read.

use serde_json::Number;

use super::functions::Function;

/// A part of a template.
#[derive(Clone, Debug)]
pub enum Node {
    /// Text as it stands.
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

/// What `if`, `range` and `with` have in common.
#[derive(Clone, Debug)]
pub struct Branch {
    /// What decides.
    pub pipeline: Pipeline,
    /// What comes if it is so.
    pub body: Vec<Node>,
    /// What comes otherwise.
    pub else_body: Vec<Node>,
}

/// Commands, each of which gets what the one before it gave, as its last argument.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Where it begins.
    pub at: usize,
    /// The variables that take its value.
    pub names: Vec<String>,
    /// They are there already.
    pub is_assignment: bool,
    /// At least one.
    pub commands: Vec<Command>,
}

/// A value, or a function with its arguments.
#[derive(Clone, Debug)]
pub enum Command {
    /// One value.
    Value(Operand),
    /// A call.
    Call {
        /// Where the function's name stands.
        at: usize,
        /// What is called.
        function: &'static Function,
        /// All arguments but the one from the pipe.
        arguments: Vec<Operand>,
    },
}

/// One value.
#[derive(Clone, Debug)]
pub struct Operand {
    /// Where it begins.
    pub at: usize,
    /// Where it comes from.
    pub base: Base,
    /// The fields that are taken of it.
    pub fields: Vec<String>,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
pub enum Base {
    /// `.`.
    Dot,
    /// `$x`; `$` is the data.
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
