//! Splits a template into text and the tokens of its actions.

use std::borrow::Cow;
use std::str::FromStr as _;

use serde_json::Number;

use super::{Escapes, TemplateError};

/// A part of a template: text or an action.
#[derive(Debug)]
pub enum Segment {
    /// Literal text.
    Text(String),
    /// The tokens between `{{` and `}}`, and the byte offset of the action.
    Action(usize, Vec<Token>),
}

/// A token of an action.
#[derive(Clone, Debug)]
pub struct Token {
    /// Byte offset in the template.
    pub offset: usize,
    /// Whether the token follows another one without white space between them.
    pub follows_directly: bool,
    /// The kind of token, with its value.
    pub kind: TokenKind,
}

/// What a token is, with its value.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind {
    /// `.`.
    Dot,
    /// `.Name`.
    Field(String),
    /// `$` or `$x`.
    Variable(String),
    /// A keyword or the name of a function.
    Word(String),
    /// `"text"`.
    String(String),
    /// `42`.
    Number(Number),
    /// `(`, `)`, `|`, `,`, `:=` and `=`.
    Punctuation(&'static str),
}

type Result<T> = std::result::Result<T, TemplateError>;

/// Splits the template.
pub fn segments(text: &str, escapes: Escapes) -> Result<Vec<Segment>> {
    let (mut segments, mut offset) = (Vec::new(), 0);
    let mut trims_start = false;
    loop {
        let rest = &text[offset..];
        let length = rest.find("{{").unwrap_or(rest.len());
        let has_action = length < rest.len();
        let inner = offset + length + 2;
        // `{{- ` removes white space before the action, ` -}}` removes it after the action.
        let trims_end = has_action && text[inner..].starts_with('-') && is_blank_at(text, inner + 1);
        let mut plain = Cow::Borrowed(&rest[..length]);
        if escapes == Escapes::Interpret && plain.contains('\\') {
            plain = plain.replace("\\t", "\t").replace("\\n", "\n").into();
        }
        let mut plain = plain.as_ref();
        if trims_start {
            plain = plain.trim_start_matches(is_blank);
        }
        if trims_end {
            plain = plain.trim_end_matches(is_blank);
        }
        if !plain.is_empty() {
            segments.push(Segment::Text(plain.to_owned()));
        }
        if !has_action {
            return Ok(segments);
        }
        let mut action = ActionLexer { text, offset: inner + usize::from(trims_end), start: offset + length };
        if action.comment()? {
            trims_start = action.end().unwrap_or_default()
        } else {
            let (tokens, trims) = action.tokens()?;
            segments.push(Segment::Action(action.start, tokens));
            trims_start = trims;
        }
        offset = action.offset;
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_blank_at(text: &str, offset: usize) -> bool {
    text[offset..].starts_with(is_blank)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Reads one action.
struct ActionLexer<'t> {
    text: &'t str,
    offset: usize,
    start: usize,
}

impl ActionLexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.offset..]
    }

    /// Consumes the end of the action if it is next. Returns whether it trims the text that follows.
    fn end(&mut self) -> Option<bool> {
        let blanks = self.rest().len() - self.rest().trim_start_matches(is_blank).len();
        let end = &self.rest()[blanks..];
        let (length, trims) = match end {
            end if end.starts_with("}}") => (2, false),
            end if end.starts_with("-}}") && blanks > 0 => (3, true),
            _ => return None,
        };
        self.offset += blanks + length;
        Some(trims)
    }

    /// Consumes a comment, which must be the only content of its action.
    fn comment(&mut self) -> Result<bool> {
        let Some(comment) = self.rest().trim_start_matches(is_blank).strip_prefix("/*") else {
            return Ok(false);
        };
        let Some(length) = comment.find("*/") else {
            return Err(TemplateError::new(self.start, "the comment is not closed"));
        };
        self.offset = self.text.len() - comment.len() + length + 2;
        let after = Self { text: self.text, offset: self.offset, start: self.start }.end();
        match after {
            Some(_) => Ok(true),
            None => {
                Err(TemplateError::new(self.start, "an action with a comment must not contain anything else"))
            }
        }
    }

    fn tokens(&mut self) -> Result<(Vec<Token>, bool)> {
        let mut tokens = Vec::new();
        loop {
            let before = self.offset;
            if let Some(trims) = self.end() {
                return Ok((tokens, trims));
            }
            let blanks = self.rest().len() - self.rest().trim_start_matches(is_blank).len();
            self.offset += blanks;
            if self.rest().is_empty() {
                return Err(TemplateError::new(self.start, "the action is not closed: `}}` is missing"));
            }
            let offset = self.offset;
            let follows_directly = before == offset && !tokens.is_empty();
            tokens.push(Token { offset, follows_directly, kind: self.token()? });
        }
    }

    fn token(&mut self) -> Result<TokenKind> {
        for sign in ["(", ")", "|", ",", ":=", "="] {
            if self.rest().starts_with(sign) {
                self.offset += sign.len();
                return Ok(TokenKind::Punctuation(sign));
            }
        }
        let mut chars = self.rest().chars();
        let (first, second) = (chars.next().unwrap_or_default(), chars.next().unwrap_or_default());
        match first {
            '"' => self.quoted(),
            '`' => self.raw(),
            '\'' => self.character(),
            '.' if !second.is_ascii_digit() => {
                self.offset += 1;
                Ok(if is_word(second) { TokenKind::Field(self.word()) } else { TokenKind::Dot })
            }
            '$' => {
                self.offset += 1;
                Ok(TokenKind::Variable(format!("${}", self.word())))
            }
            '0'..='9' | '.' | '-' | '+' => self.number(),
            c if is_word(c) => Ok(TokenKind::Word(self.word())),
            c => Err(TemplateError::new(self.offset, format!("unexpected `{c}`"))),
        }
    }

    fn word(&mut self) -> String {
        let length = self.rest().find(|c| !is_word(c)).unwrap_or(self.rest().len());
        let word = self.rest()[..length].to_owned();
        self.offset += length;
        word
    }

    fn number(&mut self) -> Result<TokenKind> {
        let offset = self.offset;
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
        let length = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        let text = self.rest()[..length].replace('_', "");
        self.offset += length;
        let plain = text.strip_prefix('+').unwrap_or(&text);
        let hex = plain.strip_prefix("0x").and_then(|digits| i64::from_str_radix(digits, 16).ok());
        let number = match hex {
            Some(number) => Some(number.into()),
            None if plain.contains(['.', 'e', 'E']) => plain.parse().ok().and_then(Number::from_f64),
            None => Number::from_str(plain).ok(),
        };
        number
            .map(TokenKind::Number)
            .ok_or_else(|| TemplateError::new(offset, format!("`{text}` is not a number")))
    }

    fn quoted(&mut self) -> Result<TokenKind> {
        let start = self.offset;
        self.offset += 1;
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(TokenKind::String(text)),
                Some('\\') => text.push(self.escape()?),
                None | Some('\n') => {
                    return Err(TemplateError::new(start, "the string has no closing quote"));
                }
                Some(c) => text.push(c),
            }
        }
    }

    fn raw(&mut self) -> Result<TokenKind> {
        let inner = &self.rest()[1..];
        let Some(length) = inner.find('`') else {
            return Err(TemplateError::new(self.offset, "the string has no closing quote"));
        };
        let text = inner[..length].to_owned();
        self.offset += length + 2;
        Ok(TokenKind::String(text))
    }

    /// `'a'` is a number in Go: the code point of the character.
    fn character(&mut self) -> Result<TokenKind> {
        let start = self.offset;
        self.offset += 1;
        let c = match self.next() {
            Some('\\') => Some(self.escape()?),
            other => other,
        };
        match (c, self.next()) {
            (Some(c), Some('\'')) => Ok(TokenKind::Number(u32::from(c).into())),
            _ => Err(TemplateError::new(start, "single quotes must contain exactly one character")),
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.offset += c.len_utf8();
        Some(c)
    }

    /// Reads an escape sequence after its backslash.
    fn escape(&mut self) -> Result<char> {
        let offset = self.offset - 1;
        let c = match self.next() {
            Some('n') => Some('\n'),
            Some('t') => Some('\t'),
            Some('r') => Some('\r'),
            Some('a') => Some('\u{7}'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('v') => Some('\u{b}'),
            Some(c @ ('\\' | '"' | '\'')) => Some(c),
            Some('x') => self.coded(2, 16),
            Some('u') => self.coded(4, 16),
            Some('U') => self.coded(8, 16),
            Some('0'..='7') => {
                self.offset -= 1;
                self.coded(3, 8)
            }
            _ => None,
        };
        c.ok_or_else(|| TemplateError::new(offset, "invalid escape in a string"))
    }

    fn coded(&mut self, digits: usize, radix: u32) -> Option<char> {
        let code = u32::from_str_radix(self.rest().get(..digits)?, radix).ok()?;
        self.offset += digits;
        char::from_u32(code)
    }
}
