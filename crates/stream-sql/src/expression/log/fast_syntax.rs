//! The expressions of FAST_REGEX_LOG_PARSE ("Character Class Symbols for Fast Regex"), as trees.

use std::str::Chars;

/// Parentheses in parentheses.
const MAX_DEPTH: usize = 50;
/// Repetitions of a repetition.
const MAX_CHAIN: usize = 10;
/// How large a tree may be: intervals are written out.
const MAX_NODES: usize = 20_000;
/// The longest part that counts as one of a fixed length.
const MAX_LENGTH: usize = 1_000_000;
/// How often a part may be repeated at most, and how many numbers an interval may have: both are written out.
const MAX_COUNT: u32 = 1_000;

/// A part of a pattern: in parentheses, or between them.
pub(super) struct Item {
    pub(super) nodes: Vec<Node>,
    pub(super) is_field: bool,
}

#[derive(Clone)]
pub(super) enum Node {
    /// One character, as a regular expression.
    Character(String),
    Sequence(Vec<Node>),
    Union(Vec<Node>),
    Repeat {
        node: Box<Node>,
        least: u32,
        most: Option<u32>,
    },
}

impl Node {
    /// How many characters it has, if always as many.
    pub(super) fn length(&self) -> Option<usize> {
        match self {
            Node::Character(_) => Some(1),
            Node::Sequence(nodes) => nodes.iter().map(Node::length).sum(),
            Node::Union(nodes) => {
                let first = nodes.first()?.length()?;
                nodes.iter().all(|node| node.length() == Some(first)).then_some(first)
            }
            Node::Repeat { node, least, most } if *most == Some(*least) => {
                node.length()?.checked_mul(*least as usize).filter(|length| *length <= MAX_LENGTH)
            }
            Node::Repeat { .. } => None,
        }
    }

    /// Itself in a row of nodes: `_+` is `_` and `_*`.
    pub(super) fn unrolled(self) -> Vec<Node> {
        match self {
            Node::Sequence(nodes) => nodes.into_iter().flat_map(Node::unrolled).collect(),
            Node::Repeat { node, least, most } if least > 0 && node.length().is_some() && most != Some(least) => {
                let rest = Node::Repeat { node: node.clone(), least: 0, most: most.map(|most| most - least) };
                let fixed = Node::Repeat { node, least, most: Some(least) };
                vec![fixed, rest]
            }
            node => vec![node],
        }
    }

    /// Appends it as a regular expression; lazy takes as little as it can.
    pub(super) fn write(&self, lazy: bool, out: &mut String) {
        let list = |nodes: &[Node], between: &str, out: &mut String| {
            out.push_str("(?:");
            for (place, node) in nodes.iter().enumerate() {
                if place > 0 {
                    out.push_str(between);
                }
                node.write(lazy, out);
            }
            out.push(')');
        };
        match self {
            Node::Character(regex) => out.push_str(regex),
            Node::Sequence(nodes) => list(nodes, "", out),
            Node::Union(nodes) => list(nodes, "|", out),
            Node::Repeat { node, least, most } => {
                list(std::slice::from_ref(node), "", out);
                let most = most.map_or(String::new(), |most| most.to_string());
                out.push_str(&format!("{{{least},{most}}}{}", if lazy { "?" } else { "" }));
            }
        }
    }
}

pub(super) fn parse(pattern: &str) -> Result<Vec<Item>, String> {
    let mut parser = Parser { rest: pattern.chars(), depth: 0, nodes: 0 };
    let mut items = Vec::new();
    let mut between = Vec::new();
    while let Some(c) = parser.peek() {
        match c {
            ')' => return Err("unmatched )".into()),
            '|' => return Err("| stands only within parentheses".into()),
            _ => {}
        }
        let node = parser.simple()?;
        let is_repeated = matches!(parser.peek(), Some('?' | '*' | '+' | '{'));
        let is_empty = matches!(&node, Node::Sequence(nodes) if nodes.is_empty());
        if c == '(' && !is_repeated && !is_empty {
            items.push(Item { nodes: std::mem::take(&mut between), is_field: false });
            items.push(Item { nodes: vec![node], is_field: true });
        } else {
            between.push(parser.repeated(node)?);
        }
    }
    items.push(Item { nodes: between, is_field: false });
    items.retain(|item| !item.nodes.is_empty());
    Ok(items)
}

struct Parser<'p> {
    rest: Chars<'p>,
    depth: usize,
    /// How many there are so far.
    nodes: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn expect(&mut self, expected: char) -> Result<(), String> {
        if self.rest.next() == Some(expected) { Ok(()) } else { Err(format!("expected {expected}")) }
    }

    /// `a|bc`, up to a closing parenthesis or the end.
    fn union(&mut self) -> Result<Node, String> {
        let mut branches = vec![Vec::new()];
        loop {
            match self.peek() {
                None | Some(')') => break,
                Some('|') => {
                    self.rest.next();
                    branches.push(Vec::new());
                }
                Some(_) => {
                    let node = self.simple()?;
                    let node = self.repeated(node)?;
                    branches.last_mut().ok_or("no branch")?.push(node);
                }
            }
        }
        let mut branches: Vec<Node> = branches.into_iter().map(Node::Sequence).collect();
        Ok(if branches.len() == 1 { branches.remove(0) } else { Node::Union(branches) })
    }

    /// With what stands behind it: `? * + {n} {n,} {n,m}`.
    fn repeated(&mut self, node: Node) -> Result<Node, String> {
        let mut node = node;
        for _ in 0..MAX_CHAIN {
            let (least, most) = match self.peek() {
                Some('?') => (0, Some(1)),
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('{') => self.counts()?,
                _ => return Ok(node),
            };
            self.rest.next();
            node = Node::Repeat { node: Box::new(node), least, most };
        }
        Err(format!("more than {MAX_CHAIN} repetitions of one another"))
    }

    /// Up to the closing brace.
    fn counts(&mut self) -> Result<(u32, Option<u32>), String> {
        let text = self.rest.as_str();
        let end = text.find('}').ok_or("expected }")?;
        let counts = &text[1..end];
        self.rest = text[end..].chars();
        let number = |digits: &str| digits.parse().ok().filter(|count| *count <= MAX_COUNT);
        let (least, most) = match counts.split_once(',') {
            None => (number(counts), number(counts).map(Some)),
            Some((least, "")) => (number(least), Some(None)),
            Some((least, most)) => (number(least), number(most).map(Some)),
        };
        match (least, most) {
            (Some(least), Some(most)) if most.is_none_or(|most| least <= most) => Ok((least, most)),
            _ => Err(format!("{{{counts}}} is no count up to {MAX_COUNT}")),
        }
    }

    /// Counts nodes that come into being.
    fn grow(&mut self, nodes: usize) -> Result<(), String> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES { Err(format!("it has more than {MAX_NODES} parts")) } else { Ok(()) }
    }

    fn simple(&mut self) -> Result<Node, String> {
        self.grow(1)?;
        let c = self.rest.next().ok_or("the pattern ends too early")?;
        Ok(match c {
            '(' => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(format!("more than {MAX_DEPTH} parentheses in one another"));
                }
                let node = self.union()?;
                self.depth -= 1;
                self.expect(')')?;
                node
            }
            '.' => Node::Character(".".into()),
            '#' => Node::Character("(?!)".into()),
            '@' => Node::Repeat { node: Box::new(Node::Character(".".into())), least: 0, most: None },
            '"' => {
                let (text, rest) = self.rest.as_str().split_once('"').ok_or("expected \"")?;
                self.rest = rest.chars();
                self.grow(text.len())?;
                characters(text)
            }
            '<' => {
                let (name, rest) = self.rest.as_str().split_once('>').ok_or("expected >")?;
                self.rest = rest.chars();
                self.named(name)?
            }
            '[' => self.class()?,
            '\\' => Node::Character(literal(self.rest.next().ok_or("it ends with a backslash")?)),
            '&' => return Err("& (intersection) is not supported".into()),
            '?' | '*' | '+' | '{' => return Err(format!("{c}: nothing to repeat")),
            c => Node::Character(literal(c)),
        })
    }

    /// After `[`: characters and ranges.
    fn class(&mut self) -> Result<Node, String> {
        let mut class = String::from("[");
        if self.peek() == Some('^') {
            self.rest.next();
            class.push('^');
        }
        let start = class.len();
        loop {
            match self.rest.next().ok_or("expected ]")? {
                ']' if class.len() > start => break,
                '\\' => class.push_str(&literal(self.rest.next().ok_or("it ends with a backslash")?)),
                '-' => class.push('-'),
                c => class.push_str(&literal(c)),
            }
        }
        class.push(']');
        Ok(Node::Character(class))
    }

    /// `<Alpha>`, `<1-12>`
    fn named(&mut self, name: &str) -> Result<Node, String> {
        let class = match name {
            "Digit" | "Upper" | "Lower" | "ASCII" | "Alpha" | "Alnum" | "Punct" | "Cntrl" | "XDigit" => {
                format!("\\p{{{name}}}")
            }
            "Blank" => "[ \\t]".to_owned(),
            "Space" => "\\s".to_owned(),
            "Print" | "Graph" => "[\\p{Alnum}\\p{Punct}]".to_owned(),
            _ => return self.interval(name),
        };
        Ok(Node::Character(class))
    }

    /// Bounds of as many digits are of numbers of so many digits.
    fn interval(&mut self, name: &str) -> Result<Node, String> {
        let unknown = || format!("<{name}> is neither a class (<Alpha>, <Digit>, …) nor an interval (<1-12>)");
        let (low, high) = name.split_once('-').ok_or_else(unknown)?;
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<u32>().ok()).flatten().ok_or_else(unknown)
        };
        let (from, to) = (number(low)?, number(high)?);
        if to < from {
            return Err(unknown());
        }
        if to - from >= MAX_COUNT {
            return Err(format!("<{name}> has more than {MAX_COUNT} numbers"));
        }
        self.grow((to - from + 1) as usize * high.len())?;
        let width = if low.len() == high.len() { low.len() } else { 0 };
        Ok(Node::Union((from..=to).map(|number| characters(&format!("{number:0width$}"))).collect()))
    }
}

/// A character that means itself.
fn literal(c: char) -> String {
    if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() }
}

fn characters(text: &str) -> Node {
    Node::Sequence(text.chars().map(|c| Node::Character(literal(c))).collect())
}
