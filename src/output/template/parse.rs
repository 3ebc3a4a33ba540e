//! Builds the tree of a template from its tokens, and checks everything that can be checked without data.

use super::TemplateError;
use super::functions::{Function, NAMES};
use super::lexer::{Segment, Token, TokenKind};
use super::tree::{Branch, Command, Node, Operand, Pipeline, Primary};

/// Maximum nesting. Deeper templates would overflow the stack.
const MAX_DEPTH: usize = 100;

type Result<T> = std::result::Result<T, TemplateError>;

/// The result of parsing.
pub struct ParsedTemplate {
    /// The tree.
    pub nodes: Vec<Node>,
    /// The top-level fields that the template reads, with their byte offsets.
    pub fields: Vec<(usize, String)>,
}

/// Parses the segments of a template.
pub fn parse(segments: Vec<Segment>) -> Result<ParsedTemplate> {
    let mut parser = Parser {
        segments: segments.into_iter(),
        variables: vec!["$".to_owned()],
        fields: Vec::new(),
        dot_depth: 0,
        range_depth: 0,
        depth: 0,
    };
    let (nodes, end) = parser.list()?;
    match end {
        ListEnd::Text => Ok(ParsedTemplate { nodes, fields: parser.fields }),
        ListEnd::End(offset) => Err(TemplateError::new(offset, "there is nothing to end")),
        ListEnd::Else(offset, _) => {
            Err(TemplateError::new(offset, "`else` is only valid in an `if`, `range` or `with`"))
        }
    }
}

/// Whether a command receives the result of the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    None,
    Piped,
}

struct Parser {
    segments: std::vec::IntoIter<Segment>,
    /// The variables in scope.
    variables: Vec<String>,
    fields: Vec<(usize, String)>,
    /// Number of enclosing `range` and `with` blocks. Inside of them, `.` is not the top-level data.
    dot_depth: usize,
    range_depth: usize,
    depth: usize,
}

/// What terminated a list of nodes.
enum ListEnd {
    Text,
    End(usize),
    Else(usize, Tokens),
}

#[derive(Clone, Copy, PartialEq)]
enum Control {
    If,
    Range,
    With,
}

impl Parser {
    fn list(&mut self) -> Result<(Vec<Node>, ListEnd)> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.segments.next() {
            let (offset, tokens) = match piece {
                Segment::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Segment::Action(offset, tokens) => (offset, tokens),
            };
            let mut tokens = Tokens { tokens: tokens.into_iter().peekable(), start: offset };
            let word = match tokens.peek() {
                Some(TokenKind::Word(word)) => word.clone(),
                _ => String::new(),
            };
            if let Some(control) = control(&word) {
                tokens.next();
                nodes.push(self.branch(control, tokens)?);
                continue;
            }
            match word.as_str() {
                "end" | "else" => {
                    tokens.next();
                    if word == "else" {
                        return Ok((nodes, ListEnd::Else(offset, tokens)));
                    }
                    tokens.expect_end()?;
                    return Ok((nodes, ListEnd::End(offset)));
                }
                "break" | "continue" => {
                    if self.range_depth == 0 {
                        return Err(TemplateError::new(
                            offset,
                            format!("`{word}` is only valid in a `range`"),
                        ));
                    }
                    tokens.next();
                    tokens.expect_end()?;
                    nodes.push(if word == "break" { Node::Break } else { Node::Continue });
                }
                "define" | "template" | "block" => {
                    return Err(TemplateError::new(offset, format!("`{word}` is not supported here")));
                }
                _ => {
                    let pipeline = self.pipeline(&mut tokens, 1)?;
                    tokens.expect_end()?;
                    nodes.push(Node::Action(pipeline));
                }
            }
        }
        Ok((nodes, ListEnd::Text))
    }

    /// Parses an `if`, `range` or `with` after its keyword, up to its `end`.
    fn branch(&mut self, control: Control, mut tokens: Tokens) -> Result<Node> {
        let start = tokens.start;
        self.enter(start)?;
        let scope_start = self.variables.len();
        let pipeline = self.pipeline(&mut tokens, if control == Control::Range { 2 } else { 1 })?;
        tokens.expect_end()?;
        let (changes_dot, repeats) = (control != Control::If, control == Control::Range);
        self.dot_depth += usize::from(changes_dot);
        self.range_depth += usize::from(repeats);
        let (body, end) = self.list()?;
        self.dot_depth -= usize::from(changes_dot);
        self.range_depth -= usize::from(repeats);
        let else_body = match end {
            ListEnd::End(_) => Vec::new(),
            ListEnd::Text => return Err(TemplateError::new(start, "its `{{end}}` is missing")),
            ListEnd::Else(offset, tokens) => self.else_body(control, offset, tokens)?,
        };
        self.variables.truncate(scope_start);
        self.depth -= 1;
        let branch = Branch { pipeline, body, else_body };
        Ok(match control {
            Control::If => Node::If(branch),
            Control::Range => Node::Range(branch),
            Control::With => Node::With(branch),
        })
    }

    fn else_body(&mut self, of: Control, offset: usize, mut tokens: Tokens) -> Result<Vec<Node>> {
        let word = match tokens.next().map(|token| token.kind) {
            None => {
                return match self.list()? {
                    (nodes, ListEnd::End(_)) => Ok(nodes),
                    (_, ListEnd::Text) => Err(TemplateError::new(offset, "its `{{end}}` is missing")),
                    (_, ListEnd::Else(offset, _)) => {
                        Err(TemplateError::new(offset, "there is an `else` already"))
                    }
                };
            }
            Some(TokenKind::Word(word)) => word,
            Some(_) => String::new(),
        };
        match control(&word) {
            Some(control) if control == of && of != Control::Range => Ok(vec![self.branch(control, tokens)?]),
            _ => Err(TemplateError::new(offset, "`else` can only be followed by `if` or `with`")),
        }
    }

    fn pipeline(&mut self, tokens: &mut Tokens, max_names: usize) -> Result<Pipeline> {
        let offset = tokens.offset();
        let (variables, is_assignment) = self.variable_names(tokens, max_names)?;
        let mut commands = Vec::new();
        loop {
            commands
                .push(self.command(tokens, if commands.is_empty() { Input::None } else { Input::Piped })?);
            if !tokens.take("|") {
                break;
            }
        }
        if !is_assignment {
            self.variables.extend(variables.iter().cloned());
        }
        Ok(Pipeline { offset, variables, is_assignment, commands })
    }

    /// Parses `$x :=`, `$x =`, and in a range `$i, $x :=`.
    fn variable_names(&mut self, tokens: &mut Tokens, max: usize) -> Result<(Vec<String>, bool)> {
        let is_next = |tokens: &Tokens| {
            let mut ahead = tokens.tokens.clone();
            let first = ahead.next().map(|token| token.kind);
            let second = ahead.next().map(|token| token.kind);
            matches!(first, Some(TokenKind::Variable(_)))
                && matches!(second, Some(TokenKind::Punctuation("," | ":=" | "=")))
        };
        let mut variables = Vec::new();
        if !is_next(tokens) {
            return Ok((variables, false));
        }
        let offset = tokens.offset();
        loop {
            match tokens.next().map(|token| token.kind) {
                Some(TokenKind::Variable(name)) if name != "$" => variables.push(name),
                _ => return Err(TemplateError::new(offset, "a variable consists of `$` and a name")),
            }
            if !tokens.take(",") {
                break;
            }
        }
        if variables.len() > max {
            return Err(TemplateError::new(offset, "two variables are only valid in a `range`"));
        }
        let is_assignment = tokens.take("=");
        if !is_assignment && !tokens.take(":=") {
            return Err(TemplateError::new(offset, "`:=` is missing"));
        }
        if is_assignment && let Some(name) = variables.iter().find(|name| !self.variables.contains(name)) {
            return Err(TemplateError::new(offset, format!("there is no variable `{name}`")));
        }
        Ok((variables, is_assignment))
    }

    fn command(&mut self, tokens: &mut Tokens, input: Input) -> Result<Command> {
        let offset = tokens.offset();
        let mut operands = Vec::new();
        while tokens.peek().is_some_and(|kind| !matches!(kind, TokenKind::Punctuation(")" | "|"))) {
            operands.push(self.operand(tokens)?);
        }
        if operands.is_empty() {
            return Err(TemplateError::new(offset, "a value is missing"));
        }
        let arguments = operands.split_off(1);
        for argument in &arguments {
            argument.check()?;
        }
        match operands.remove(0) {
            Operand { primary: Primary::Call(function), fields, .. } if fields.is_empty() => {
                function
                    .check(arguments.len() + usize::from(input == Input::Piped))
                    .map_err(|why| TemplateError::new(offset, why))?;
                Ok(Command::Call { offset, function, arguments })
            }
            Operand { primary: Primary::Nil, .. } => {
                Err(TemplateError::new(offset, "`nil` is not a command"))
            }
            operand if arguments.is_empty() && input == Input::None => {
                operand.check()?;
                Ok(Command::Value(operand))
            }
            _ => Err(TemplateError::new(offset, "only a function can have arguments")),
        }
    }

    fn operand(&mut self, tokens: &mut Tokens) -> Result<Operand> {
        let offset = tokens.offset();
        let mut fields = Vec::new();
        let primary = match tokens.next().map(|token| token.kind) {
            Some(TokenKind::Dot) => Primary::Dot,
            Some(TokenKind::Field(name)) => {
                if self.dot_depth == 0 {
                    self.fields.push((offset, name.clone()));
                }
                fields.push(name);
                Primary::Dot
            }
            Some(TokenKind::Variable(name)) if self.variables.contains(&name) => Primary::Variable(name),
            Some(TokenKind::Variable(name)) => {
                return Err(TemplateError::new(offset, format!("there is no variable `{name}`")));
            }
            Some(TokenKind::String(text)) => Primary::String(text),
            Some(TokenKind::Number(number)) => Primary::Number(number),
            Some(TokenKind::Word(word)) => match word.as_str() {
                "nil" => Primary::Nil,
                "true" | "false" => Primary::Bool(word == "true"),
                name => Primary::Call(Function::find(name).ok_or_else(|| {
                    TemplateError::new(
                        offset,
                        format!("there is no function `{name}`; the functions are {NAMES}"),
                    )
                })?),
            },
            Some(TokenKind::Punctuation("(")) => {
                self.enter(offset)?;
                let pipeline = self.pipeline(tokens, 0)?;
                if !tokens.take(")") {
                    return Err(TemplateError::new(offset, "its closing parenthesis is missing"));
                }
                self.depth -= 1;
                Primary::Pipeline(Box::new(pipeline))
            }
            Some(TokenKind::Punctuation(sign)) => {
                return Err(TemplateError::new(offset, format!("unexpected `{sign}`")));
            }
            None => return Err(TemplateError::new(offset, "a value is missing")),
        };
        while tokens
            .tokens
            .peek()
            .is_some_and(|token| token.follows_directly && matches!(token.kind, TokenKind::Field(_)))
        {
            if let Some(Token { offset, kind: TokenKind::Field(name), .. }) = tokens.next() {
                if fields.is_empty() && matches!(&primary, Primary::Variable(name) if name == "$") {
                    self.fields.push((offset, name.clone()));
                }
                fields.push(name);
            }
        }
        Ok(Operand { offset, primary, fields })
    }

    fn enter(&mut self, offset: usize) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            Err(TemplateError::new(offset, "the template is nested too deeply"))
        } else {
            Ok(())
        }
    }
}

impl Operand {
    /// Checks a function that is used as a value: it gets no arguments.
    fn check(&self) -> Result<()> {
        match self.primary {
            Primary::Call(function) => function.check(0).map_err(|why| TemplateError::new(self.offset, why)),
            _ => Ok(()),
        }
    }
}

fn control(word: &str) -> Option<Control> {
    match word {
        "if" => Some(Control::If),
        "range" => Some(Control::Range),
        "with" => Some(Control::With),
        _ => None,
    }
}

/// The remaining tokens of an action.
struct Tokens {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    start: usize,
}

impl Tokens {
    fn peek(&mut self) -> Option<&TokenKind> {
        self.tokens.peek().map(|token| &token.kind)
    }

    fn next(&mut self) -> Option<Token> {
        self.tokens.next()
    }

    /// Byte offset of the next token, or of the action itself if no token is left.
    fn offset(&mut self) -> usize {
        self.tokens.peek().map_or(self.start, |token| token.offset)
    }

    fn take(&mut self, sign: &str) -> bool {
        self.tokens
            .next_if(|token| matches!(token.kind, TokenKind::Punctuation(other) if other == sign))
            .is_some()
    }

    fn expect_end(&mut self) -> Result<()> {
        match self.tokens.peek() {
            None => Ok(()),
            Some(token) => Err(TemplateError::new(token.offset, "unexpected text at the end of this action")),
        }
    }
}
