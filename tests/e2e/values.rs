//! Texts that readers are known to get wrong, and as many made from the same pieces as a test asks for; always the same ones.

/// Texts of which each has broken a real reader or writer.
pub(crate) const NASTY: &[&str] = &[
    "",
    " ",
    "  ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\r\r",
    "a\rb",
    "a\r\nb",
    "a\nb",
    "a\n",
    "\na",
    "\r\na\r\n",
    " a",
    "a ",
    "\ta\t",
    "\u{a0}a\u{a0}",
    "\u{3000}",
    "'",
    "\"",
    "''",
    "\"\"",
    "'''",
    "\"\"\"",
    "'\"",
    "it's",
    "say \"hi\"",
    "'\"'\"",
    "`",
    "`date`",
    "\\",
    "\\\\",
    "\\\\\\",
    "\\n",
    "\\t",
    "\\\"",
    "\\'",
    "a\\",
    "\\u0041",
    "\\x41",
    "C:\\Users\\new",
    "$",
    "$$",
    "$A",
    "$HOME",
    "${",
    "${}",
    "${HOME}",
    "${HOME:-x}",
    "${NOT_SET_ANYWHERE}",
    "${A:?message}",
    "a${B}c${D}",
    "$${A}",
    "\\${A}",
    "$\\{A}",
    "$(date)",
    "{{ A }}",
    "env:HOME",
    "%PATH%",
    "pa$$w0rd$x",
    "!history",
    "true",
    "false",
    "True",
    "FALSE",
    "yes",
    "null",
    "None",
    "nan",
    "inf",
    "-inf",
    "0",
    "00123",
    "12",
    "-7",
    "+15551234567",
    "1e5",
    "1.0",
    ".5",
    "1_000",
    "0x1F",
    "0o17",
    "0b1",
    "9223372036854775808",
    "2024-01-02",
    "2024-01-02T03:04:05Z",
    "07:32:00",
    "{}",
    "[]",
    "{\"a\":1}",
    "{\"a\": \"b\\nc\", \"d\": [1, 2.5, null]}",
    "[1, \"two\"]",
    "{\"broken\"",
    "# no comment",
    "a#b",
    "a #b",
    "a=b",
    "=",
    "A=1",
    "export A=1",
    "[table]",
    "key = \"value\"",
    ";",
    "a;b",
    "a,b",
    "a|b",
    "a&b",
    "<configure me>",
    "~",
    "*",
    "?",
    "-",
    "--",
    "-n",
    "--help",
    "@",
    "dango:v1:x",
    "***",
    "\u{feff}",
    "\u{feff}bom",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{202e}gpj",
    "\u{200b}",
    "\u{200d}",
    "\u{fffd}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{e000}",
    "\u{10ffff}",
    "é",
    "e\u{301}",
    "ß",
    "İ",
    "٣",
    "１２",
    "日本語",
    "🍡",
    "👩‍👩‍👧",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{1}",
    "\u{7}",
    "\u{8}",
    "\u{b}",
    "\u{c}",
    "\u{e}",
    "\u{1f}",
    "\u{7f}",
    "\u{80}",
    "\u{9f}",
    "sk_live_51H8x/+=",
    "AKIAIOSFODNN7EXAMPLE",
    "postgresql://u:p%40s%23s@h:5432/d?sslmode=require",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg+/=\nabc\n-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\r\nMIIE\r\n-----END PRIVATE KEY-----\r\n",
    "line\\\ncontinued",
    "  indented\n    more\n",
    "a\n\nb\n\n",
    "x\"\"\"y\n'''z",
    "\"\"\"\n",
    "\n\"\"\"",
    "trailing quote\"",
    "trailing quotes\n\"\"",
    "\\\n",
    "eyJhbGciOiJIUzI1NiJ9.e30.abc-_",
];

/// Pieces that generated texts are put together from.
const PIECES: &[&str] = &[
    "a", "Z", "7", "key", " ", "  ", "\t", "\n", "\r", "\r\n", "'", "\"", "\"\"\"", "'''", "\\", "\\n", "\\\"", "$", "${A}", "${", "}",
    "{", "[", "]", "#", " #", "=", ":", ",", ";", "`", "$(", ")", "é", "日", "🍡", "\u{301}", "\u{2028}", "\u{1}", "\u{7f}", "\u{feff}",
    "%20", "true", "-----", "sk_live_",
];

/// Numbers that look random and are the same in every run (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    /// Starts the row of numbers that belongs to `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    fn character(&mut self) -> char {
        let ends = [0x80, 0x80, 0x80, 0x800, 0xd800, 0x1_0000, 0x11_0000];
        let end = self.pick(&ends);
        loop {
            match char::from_u32(self.below(end) as u32) {
                Some('\0') | None => {}
                Some(character) => return character,
            }
        }
    }
}

/// The nasty texts and then generated ones, `count` in all.
pub(crate) fn texts(count: usize) -> Vec<String> {
    let mut dice = Dice::new(20_261_121);
    let generated = std::iter::repeat_with(|| text(&mut dice));
    NASTY.iter().map(|&text| text.to_owned()).chain(generated).take(count).collect()
}

fn text(dice: &mut Dice) -> String {
    let length = 1 + dice.below(12);
    match dice.below(5) {
        0 => (0..length).map(|_| dice.pick(b"0123456789_.-+eExX") as char).collect(),
        1 => (0..length * 4).map(|_| dice.character()).collect(),
        2 => pem(dice, length * 3),
        3 => serde_json::json!({ text(dice): [text(dice), dice.below(1000), null_or_true(dice)] }).to_string(),
        _ => (0..length).map(|_| dice.pick(PIECES)).collect(),
    }
}

fn null_or_true(dice: &mut Dice) -> serde_json::Value {
    if dice.below(2) == 0 {
        serde_json::Value::Null
    } else {
        serde_json::Value::Bool(true)
    }
}

fn pem(dice: &mut Dice, lines: u64) -> String {
    let end = if dice.below(2) == 0 { "\n" } else { "\r\n" };
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let body: String = (0..lines)
        .map(|_| (0..64).map(|_| dice.pick(alphabet) as char).chain(end.chars()).collect::<String>())
        .collect();
    format!("-----BEGIN RSA PRIVATE KEY-----{end}{body}-----END RSA PRIVATE KEY-----{end}")
}
