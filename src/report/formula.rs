//! Cells that a spreadsheet would run as a formula (OWASP, "CSV injection"), and how they are made safe.
//!
//! A cell is looked at whole and piece by piece: whoever reads the file with another delimiter than it was
//! written with, as a spreadsheet does that expects semicolons, has each piece as a cell.

use std::borrow::Cow;

/// What others split cells at, and what may hide it in front of a formula.
const DELIMITERS: [char; 5] = [',', ';', '\t', '\n', '\r'];
/// Digits of a telephone number.
const NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 7..=16;

/// The cell with a `'` in front of everything in it that a spreadsheet would run; as it is where nothing
/// would. Pieces between `delimiter`s are not looked at: such a cell is quoted.
pub(super) fn guarded(cell: &str, delimiter: char) -> Cow<'_, str> {
    let splits = |c: char| c != delimiter && DELIMITERS.contains(&c);
    let begins_with_one = cell.starts_with(DELIMITERS) && !cell.trim_matches(is_blank).is_empty();
    if !is_formula(cell) && !begins_with_one && !cell.contains(splits) {
        return Cow::Borrowed(cell);
    }
    let mut safe = String::with_capacity(cell.len() + 1);
    if begins_with_one {
        safe.push('\'');
    }
    for piece in cell.split_inclusive(splits) {
        // A quote that was written around the piece would be taken away by whoever reads it.
        if is_formula(piece.trim_start_matches('"')) {
            safe.push('\'');
        }
        safe.push_str(piece);
    }
    Cow::Owned(safe)
}

/// Whether a spreadsheet would run a cell. A telephone number, or an amount with its sign, is none.
fn is_formula(cell: &str) -> bool {
    let trimmed = cell
        .trim_start_matches(is_blank)
        .trim_end_matches(DELIMITERS);
    let Some(first) = trimmed.chars().next() else {
        return false;
    };
    let rest = &trimmed[first.len_utf8()..];
    match first {
        '=' | '@' | '\0' | '＝' | '＠' | '﹦' | '﹫' => true,
        '+' | '＋' | '﹢' => !is_amount(rest) && !is_telephone_number(rest),
        '-' | '－' | '﹣' | '−' => !is_amount(rest),
        _ => false,
    }
}

/// Whether it is not seen in front of a cell, and taken away by some who read it.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// Whether what follows a sign is digits with their marks: `12.50`, `1 234,50`.
fn is_amount(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && rest.ends_with(|c: char| c.is_ascii_digit())
        && rest
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | ' ' | '\u{a0}' | '\u{202f}'))
}

/// Whether what follows a plus is as many digits as a telephone number has, with what people write between
/// them.
fn is_telephone_number(rest: &str) -> bool {
    let digits = rest.chars().filter(char::is_ascii_digit).count();
    let written = |c: char| c.is_ascii_digit() || " ()-./\u{a0}".contains(c);
    NUMBER_DIGITS.contains(&digits) && rest.chars().all(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safe(cell: &str) -> Cow<'_, str> {
        guarded(cell, ',')
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_made_safe() {
        for formula in [
            "=HYPERLINK(\"http://x\")",
            "@SUM(A1)",
            "+cmd|' /C calc'!A0",
            "-2+3+cmd",
            "\rtext",
            "\ntext",
            " =1",
            "\u{a0}=1",
            "\u{3000}=1",
            "\u{200b}=1",
            "\u{feff}\u{2060} =1",
            "\0=1",
            "+",
            "-",
            "+1-1",
            "-1-1",
            "+1/1",
            "+1e3",
            "-2*3",
            "＝1",
            "＋a",
            "－a",
            "＠a",
            "--1",
            "-070-1234567",
        ] {
            assert_eq!(safe(formula), format!("'{formula}"), "{formula:?}");
        }
    }

    #[test]
    fn what_another_delimiter_would_make_a_cell_of_is_made_safe_as_well() {
        for (cell, made) in [
            ("x;=1", "x;'=1"),
            ("x; \u{200b}=1;y", "x;' \u{200b}=1;y"),
            ("x;\"=1\"", "x;'\"=1\""),
            ("x\t@a", "x\t'@a"),
            ("x\n=1", "x\n'=1"),
            ("=1;=2", "'=1;'=2"),
            ("\t=1", "'\t'=1"),
            ("\n=1", "'\n'=1"),
            ("Anna; -5 EUR; +46701740605", "Anna;' -5 EUR; +46701740605"),
        ] {
            assert_eq!(safe(cell), made, "{cell:?}");
        }
        assert_eq!(safe("x,=1"), "x,=1", "a comma is quoted");
        assert_eq!(guarded("x,=1;=1", ';'), "x,'=1;=1");
    }

    #[test]
    fn numbers_amounts_and_words_are_left_alone() {
        for plain in [
            "+46 (0)70-174 06 05",
            "+1-800-555-0100",
            "+46701740605",
            "-12.50",
            "+3",
            "-1 234,50",
            "-.5",
            "a=b",
            "a-b; c+d",
            "",
            " ",
            "O'Brien",
            "'=1",
            "Storgatan 5\n123 45 Lund",
        ] {
            assert_eq!(safe(plain), plain);
        }
    }
}
