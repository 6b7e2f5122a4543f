//! Text to tokens. The whole text is cut at once: a query is short, and the parser may then look ahead freely.

use crate::Span;
use crate::float::parse_float;
use crate::parser::ParseError;

/// One token with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// The kinds of tokens. Keywords are identifiers here: most may also name a metric, which only the parser can tell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    Ident(String),
    Number(f64),
    /// Milliseconds.
    Duration(u64),
    String(String),
    /// A string whose bytes are no text, as a message shows it. Only the parser knows what it was meant to be.
    NotText(String),
    Symbol(&'static str),
    End,
}

impl TokenKind {
    /// The token as an error message shows it.
    pub(crate) fn describe(&self) -> String {
        match self {
            TokenKind::Ident(name) => format!("`{name}`"),
            TokenKind::Number(value) => format!("the number {value}"),
            TokenKind::Duration(millis) => {
                let length = std::time::Duration::from_millis(*millis);
                format!("the duration {}", model::format_duration(length))
            }
            TokenKind::String(_) => "a string".to_owned(),
            TokenKind::NotText(shown) => format!("{shown}, which is not UTF-8 as all texts are"),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::End => "the end of the query".to_owned(),
        }
    }
}

/// Longer symbols first, so that `==` is not read as `=` twice.
const SYMBOLS: [&str; 25] = [
    "==", "!=", "=~", "!~", "<=", ">=", "(", ")", "{", "}", "[", "]", ",", ":", "@", "=", "<", ">",
    "+", "-", "*", "/", "%", "^", ";",
];

/// Cuts a text into tokens; the last one is always [`TokenKind::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut lexer = Lexer {
        text,
        at: 0,
        brackets: 0,
    };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next()?;
        let last = token.kind == TokenKind::End;
        tokens.push(token);
        if last {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Inside `[…]` a colon separates range and step; elsewhere it belongs to names.
    brackets: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Token, ParseError> {
        self.skip_blanks();
        let start = self.at;
        let bytes = self.text.as_bytes();
        let Some(&first) = bytes.get(start) else {
            return Ok(self.token(start, TokenKind::End));
        };
        let digit_next = bytes.get(start + 1).is_some_and(u8::is_ascii_digit);
        let kind = match first {
            b'"' | b'\'' | b'`' => self.string(first)?,
            b'0'..=b'9' => self.number()?,
            b'.' if digit_next => self.number()?,
            _ if self.is_name_start(first) => self.name(),
            _ => self.symbol()?,
        };
        Ok(self.token(start, kind))
    }

    fn token(&self, start: usize, kind: TokenKind) -> Token {
        Token {
            kind,
            span: Span::new(start, self.at),
        }
    }

    fn skip_blanks(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'#' => {
                    let rest = &bytes[self.at..];
                    let line = rest.iter().position(|byte| *byte == b'\n');
                    self.at += line.unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    fn is_name_start(&self, byte: u8) -> bool {
        byte.is_ascii_alphabetic() || byte == b'_' || (byte == b':' && self.brackets == 0)
    }

    fn name(&mut self) -> TokenKind {
        let start = self.at;
        let bytes = self.text.as_bytes();
        while bytes
            .get(self.at)
            .is_some_and(|byte| self.is_name_start(*byte) || byte.is_ascii_digit())
        {
            self.at += 1;
        }
        TokenKind::Ident(self.text[start..self.at].to_owned())
    }

    fn symbol(&mut self) -> Result<TokenKind, ParseError> {
        let rest = &self.text[self.at..];
        let found = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
        let Some(symbol) = found else {
            let letter = rest.chars().next().unwrap_or('?');
            let span = Span::new(self.at, self.at + letter.len_utf8());
            return Err(ParseError::new(
                span,
                format!(
                    "{letter:?} has no meaning here; put names with unusual letters in quotes inside braces"
                ),
            ));
        };
        self.at += symbol.len();
        match *symbol {
            "[" => self.brackets += 1,
            "]" => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        Ok(TokenKind::Symbol(symbol))
    }

    fn number(&mut self) -> Result<TokenKind, ParseError> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let hex =
            bytes.get(start) == Some(&b'0') && matches!(bytes.get(start + 1), Some(b'x' | b'X'));
        while let Some(byte) = bytes.get(self.at) {
            let exponent_sign = matches!(byte, b'+' | b'-')
                && !hex
                && matches!(bytes[self.at - 1], b'e' | b'E')
                && bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit);
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.') || exponent_sign) {
                break;
            }
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        if let Some(value) = parse_float(word) {
            return Ok(TokenKind::Number(value));
        }
        let length = model::parse_duration(word).map_err(|error| {
            ParseError::new(
                Span::new(start, self.at),
                format!("`{word}` is neither a number nor a duration: {error}"),
            )
        })?;
        Ok(TokenKind::Duration(length.as_millis() as u64))
    }

    fn string(&mut self, quote: u8) -> Result<TokenKind, ParseError> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut out: Vec<u8> = Vec::new();
        self.at += 1;
        loop {
            let Some(&byte) = bytes.get(self.at) else {
                let span = Span::new(start, self.text.len());
                let message = format!("this string has no end; close it with {}", quote as char);
                return Err(ParseError::new(span, message));
            };
            self.at += 1;
            match byte {
                _ if byte == quote => break,
                b'\\' if quote != b'`' => self.escape(quote, &mut out)?,
                b'\n' if quote != b'`' => {
                    let span = Span::new(start, self.at);
                    let message =
                        "a string in quotes ends on its line; write \\n, or use backquotes";
                    return Err(ParseError::new(span, message));
                }
                _ => out.push(byte),
            }
        }
        Ok(match String::from_utf8(out) {
            Ok(text) => TokenKind::String(text),
            Err(error) => TokenKind::NotText(show_bytes(error.as_bytes())),
        })
    }

    /// Reads what follows a backslash. Source of the escapes: the Go language specification, "String literals".
    fn escape(&mut self, quote: u8, out: &mut Vec<u8>) -> Result<(), ParseError> {
        let start = self.at - 1;
        let letter = self.text.as_bytes().get(self.at).copied().unwrap_or(0);
        self.at += 1;
        let (digits, radix) = match letter {
            b'x' => (2, 16),
            b'u' => (4, 16),
            b'U' => (8, 16),
            b'0'..=b'7' => {
                self.at -= 1;
                (3, 8)
            }
            _ => {
                let byte = simple_escape(letter, quote).ok_or_else(|| {
                    self.bad_escape(start, "known: \\n \\r \\t \\a \\b \\f \\v \\\\ \\\" \\' \\xNN \\NNN \\uNNNN \\UNNNNNNNN")
                })?;
                out.push(byte);
                return Ok(());
            }
        };
        let code = self
            .text
            .get(self.at..self.at + digits)
            .filter(|word| word.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|word| u32::from_str_radix(word, radix).ok());
        let Some(code) = code else {
            return Err(self.bad_escape(start, "it needs more digits"));
        };
        self.at += digits;
        if matches!(letter, b'u' | b'U') {
            let Some(letter) = char::from_u32(code) else {
                return Err(self.bad_escape(start, "there is no such letter"));
            };
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(());
        }
        let Ok(byte) = u8::try_from(code) else {
            return Err(self.bad_escape(start, "the highest is \\377"));
        };
        out.push(byte);
        Ok(())
    }

    fn bad_escape(&self, start: usize, hint: &str) -> ParseError {
        let end = self.at.clamp(start + 1, self.text.len().max(start + 1));
        let message = format!("an unknown escape in a string; {hint}");
        ParseError::new(Span::new(start, end), message)
    }
}

fn simple_escape(letter: u8, quote: u8) -> Option<u8> {
    Some(match letter {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'\\' => b'\\',
        _ if letter == quote => quote,
        _ => return None,
    })
}

/// Bytes that are not text, as a literal shows them: letters where they are letters, `\xNN` elsewhere.
fn show_bytes(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        let tokens = tokens(text).unwrap();
        tokens.into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn words_numbers_and_durations() {
        assert_eq!(
            kinds("a:b 1e-3 1h30m .5 [5m:1] # note"),
            vec![
                TokenKind::Ident("a:b".to_owned()),
                TokenKind::Number(0.001),
                TokenKind::Duration(5_400_000),
                TokenKind::Number(0.5),
                TokenKind::Symbol("["),
                TokenKind::Duration(300_000),
                TokenKind::Symbol(":"),
                TokenKind::Number(1.0),
                TokenKind::Symbol("]"),
                TokenKind::End,
            ]
        );
    }

    #[test]
    fn strings() {
        assert_eq!(
            kinds(r#""a\n\x41\u00e9" 'it' `raw\n`"#),
            vec![
                TokenKind::String("a\nAé".to_owned()),
                TokenKind::String("it".to_owned()),
                TokenKind::String("raw\\n".to_owned()),
                TokenKind::End,
            ]
        );
        assert_eq!(
            kinds(r#""a\xff""#)[0],
            TokenKind::NotText(r#""a\xff""#.to_owned())
        );
        for text in ["\"open", "\"\\q\"", "\"\\x4\"", "\"a\nb\"", "5x", "€"] {
            assert!(tokens(text).is_err(), "{text}");
        }
    }
}
