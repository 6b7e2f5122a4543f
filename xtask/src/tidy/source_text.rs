//! Rust source with comments and literals blanked out, so that a rule about code does not trip over a sentence. A real
//! parser would be exact about everything and cost most of xtask's build time; these few forms are all that can hide text.

/// The same text, line by line and character by character, with spaces for what is not code.
pub(super) fn code_of(text: &str) -> String {
    let mut scanner = Scanner {
        text: text.chars().collect(),
        at: 0,
        code: String::with_capacity(text.len()),
    };
    while scanner.at < scanner.text.len() {
        scanner.step();
    }
    scanner.code
}

struct Scanner {
    text: Vec<char>,
    at: usize,
    code: String,
}

impl Scanner {
    fn step(&mut self) {
        let in_name = self.at > 0 && is_name(self.text[self.at - 1]);
        match self.text[self.at] {
            '/' if self.peek(1) == Some('/') => self.line_comment(),
            '/' if self.peek(1) == Some('*') => self.block_comment(),
            '"' => self.string(),
            '\'' => self.quote(),
            'r' if !in_name || self.after_prefix() => self.raw_string(),
            _ => self.keep(),
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    fn keep(&mut self) {
        self.code.extend(self.peek(0));
        self.at += 1;
    }

    fn blank(&mut self, count: usize) {
        for _ in 0..count {
            let Some(c) = self.peek(0) else { return };
            self.code.push(if c == '\n' { '\n' } else { ' ' });
            self.at += 1;
        }
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.blank(1);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('*')) => {
                    depth += 1;
                    self.blank(2);
                }
                ('*', Some('/')) => {
                    depth -= 1;
                    self.blank(2);
                }
                _ => self.blank(1),
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.blank(1);
        while let Some(c) = self.peek(0) {
            self.blank(if c == '\\' { 2 } else { 1 });
            if c == '"' {
                return;
            }
        }
    }

    /// A character literal, or the mark of a lifetime.
    fn quote(&mut self) {
        if self.peek(1) == Some('\\') {
            self.blank(3);
            while self.peek(0).is_some_and(|c| c != '\'') {
                self.blank(1);
            }
            self.blank(1);
        } else if self.peek(2) == Some('\'') {
            self.blank(3);
        } else {
            self.keep();
        }
    }

    /// `br"…"` and `cr"…"`: the `r` stands after a one-letter prefix.
    fn after_prefix(&self) -> bool {
        let prefix = self.at.checked_sub(1).map(|at| self.text[at]);
        let before = self.at.checked_sub(2).map(|at| self.text[at]);
        matches!(prefix, Some('b' | 'c')) && !before.is_some_and(is_name)
    }

    /// `r"…"` and `r#"…"#`; any other `r` begins a name.
    fn raw_string(&mut self) {
        let mut marks = 0;
        while self.peek(1 + marks) == Some('#') {
            marks += 1;
        }
        if self.peek(1 + marks) != Some('"') {
            return self.keep();
        }
        self.blank(marks + 2);
        while let Some(c) = self.peek(0) {
            let ends = c == '"' && (1..=marks).all(|ahead| self.peek(ahead) == Some('#'));
            if ends {
                return self.blank(marks + 1);
            }
            self.blank(1);
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_code_is_blanked_in_place() {
        let cases = [
            ("a // x\nb", "a     \nb"),
            ("a /* x /* y */ z */ b", "a                   b"),
            (r#"f("x\"y", b)"#, "f(      , b)"),
            (r##"f(r#"x"y"#, b)"##, "f(        , b)"),
            ("f(br\"x\", b)", "f(b    , b)"),
            (
                "let r = 'x'; fn a<'a>(b: &'a str)",
                "let r =    ; fn a<'a>(b: &'a str)",
            ),
            (r"('\'', '\u{41}', x)", "(    ,         , x)"),
            ("for r#type in r", "for r#type in r"),
        ];
        for (text, expected) in cases {
            assert_eq!(code_of(text), expected, "{text}");
        }
    }
}
