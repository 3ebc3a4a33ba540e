//! Rendering: evaluates a parsed template with data.

use super::functions::{Implementation, LogicalOperator};
use super::tree::{Branch, Command, Node, Operand, Pipeline, Primary};
use super::value::Value;
use super::{RenderOptions, TemplateError};

type Result<T> = std::result::Result<T, TemplateError>;

/// State of one rendering of a template.
pub struct Renderer<'a> {
    options: RenderOptions,
    data: Value<'a>,
    /// The variables in scope, newest last.
    variables: Vec<(String, Value<'a>)>,
    out: String,
}

/// How rendering continues after a node.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// What `.` is in the body of a branch.
#[derive(Clone, Copy, Debug)]
enum BodyDot {
    /// The value that `.` has outside of the body, in an `if`.
    Outer,
    /// The value of the pipeline, in a `with`.
    Value,
}

impl<'a> Renderer<'a> {
    /// Creates a renderer for this data.
    pub fn new(options: RenderOptions, data: Value<'a>) -> Self {
        Self { options, variables: vec![("$".to_owned(), data.clone())], data, out: String::new() }
    }

    /// Renders the nodes.
    pub fn text(mut self, nodes: &[Node]) -> Result<String> {
        let data = self.data.clone();
        self.nodes(nodes, &data)?;
        Ok(self.out)
    }

    fn nodes(&mut self, nodes: &[Node], dot: &Value<'a>) -> Result<Flow> {
        for node in nodes {
            let flow = match node {
                Node::Text(text) => {
                    self.out.push_str(text);
                    Flow::Next
                }
                Node::Action(pipeline) => {
                    let value = self.pipeline(pipeline, dot)?;
                    if pipeline.variables.is_empty() {
                        self.out.push_str(&value.shown(self.options.destination));
                    }
                    Flow::Next
                }
                Node::If(branch) => self.branch(branch, dot, BodyDot::Outer)?,
                Node::With(branch) => self.branch(branch, dot, BodyDot::Value)?,
                Node::Range(branch) => self.range(branch, dot)?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn branch(&mut self, branch: &Branch, dot: &Value<'a>, body_dot: BodyDot) -> Result<Flow> {
        let scope_start = self.variables.len();
        let value = self.pipeline(&branch.pipeline, dot)?;
        let flow = if value.is_true() {
            let dot = match body_dot {
                BodyDot::Outer => dot,
                BodyDot::Value => &value,
            };
            self.nodes(&branch.body, dot)
        } else {
            self.nodes(&branch.else_body, dot)
        };
        self.variables.truncate(scope_start);
        flow
    }

    fn range(&mut self, branch: &Branch, dot: &Value<'a>) -> Result<Flow> {
        let scope_start = self.variables.len();
        let pipeline = &branch.pipeline;
        let value = self.commands(pipeline, dot)?;
        let pairs = pairs(&value).map_err(|why| TemplateError::new(pipeline.offset, why))?;
        if pairs.is_empty() {
            return self.nodes(&branch.else_body, dot);
        }
        for (key, item) in pairs {
            match &pipeline.variables[..] {
                [] => {}
                [name] => self.set(pipeline, name, item.clone()),
                [first, second, ..] => {
                    self.set(pipeline, first, key);
                    self.set(pipeline, second, item.clone());
                }
            }
            let flow = self.nodes(&branch.body, &item)?;
            self.variables.truncate(scope_start);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value<'a>) -> Result<Value<'a>> {
        let value = self.commands(pipeline, dot)?;
        for name in &pipeline.variables {
            self.set(pipeline, name, value.clone());
        }
        Ok(value)
    }

    fn set(&mut self, pipeline: &Pipeline, name: &str, value: Value<'a>) {
        let known =
            self.variables.iter_mut().rev().find(|(other, _)| pipeline.is_assignment && other == name);
        match known {
            Some((_, old)) => *old = value,
            None => self.variables.push((name.to_owned(), value)),
        }
    }

    fn commands(&mut self, pipeline: &Pipeline, dot: &Value<'a>) -> Result<Value<'a>> {
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(match command {
                Command::Value(operand) => self.operand(operand, dot)?,
                Command::Call { offset, function, arguments } => match function.call {
                    Implementation::ShortCircuit(operator) => {
                        self.short_circuit(operator, arguments, piped, dot)?
                    }
                    Implementation::Function(call) => {
                        let mut values = Vec::with_capacity(arguments.len() + 1);
                        for operand in arguments {
                            values.push(self.operand(operand, dot)?);
                        }
                        values.extend(piped);
                        if self.options.is_header && function.is_skipped_in_headers {
                            values.swap_remove(0)
                        } else {
                            let fails =
                                |why| TemplateError::new(*offset, format!("`{}`: {why}", function.name));
                            call(self.options, values).map_err(fails)?
                        }
                    }
                },
            });
        }
        Ok(piped.unwrap_or(Value::Nil))
    }

    /// Evaluates `or` or `and`. The arguments after the one that decides are not evaluated.
    fn short_circuit(
        &mut self,
        operator: LogicalOperator,
        arguments: &[Operand],
        piped: Option<Value<'a>>,
        dot: &Value<'a>,
    ) -> Result<Value<'a>> {
        let mut last = Value::Nil;
        for operand in arguments {
            last = self.operand(operand, dot)?;
            if operator.is_decided_by(&last) {
                return Ok(last);
            }
        }
        Ok(piped.unwrap_or(last))
    }

    fn operand(&mut self, operand: &Operand, dot: &Value<'a>) -> Result<Value<'a>> {
        let mut value = match &operand.primary {
            Primary::Dot => dot.clone(),
            Primary::Variable(name) => {
                let known = self.variables.iter().rev().find(|(other, _)| other == name);
                known.map_or(Value::Nil, |(_, value)| value.clone())
            }
            Primary::Nil => Value::Nil,
            Primary::Bool(is) => Value::Bool(*is),
            Primary::String(text) => Value::TemplateString(text.clone().into()),
            Primary::Number(number) => Value::Number(number.clone()),
            Primary::Pipeline(pipeline) => self.pipeline(pipeline, dot)?,
            Primary::Call(function) => match function.call {
                Implementation::Function(call) => {
                    call(self.options, Vec::new()).map_err(|why| TemplateError::new(operand.offset, why))?
                }
                Implementation::ShortCircuit(_) => Value::Nil,
            },
        };
        for name in &operand.fields {
            value = value.field(name).map_err(|why| TemplateError::new(operand.offset, why))?;
        }
        Ok(value)
    }
}

/// Returns what `range` iterates over: pairs of index or key, and item.
fn pairs<'a>(value: &Value<'a>) -> std::result::Result<Vec<(Value<'a>, Value<'a>)>, String> {
    match value {
        Value::Array { .. } | Value::List(_) => {
            let items = value.items().into_iter().enumerate();
            Ok(items.map(|(index, item)| (Value::Number(index.into()), item)).collect())
        }
        Value::Object(object) if !object.is_struct() => {
            let mut entries = object.entries();
            entries.sort_by_key(|(key, _)| *key);
            Ok(entries.into_iter().map(|(key, value)| (Value::DataString(key), value)).collect())
        }
        Value::Nil | Value::NilPointer => Ok(Vec::new()),
        other => Err(format!("`range` iterates over lists and maps, but this is {}", other.kind())),
    }
}
