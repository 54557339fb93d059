//! Counts and the platform's codes in words, for people. Machine formats have the bare figures and codes.

/// A count with thousands apart: `12,480`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// So many of a thing, in the right number: `1 duplicate`, `2,000 duplicates`.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// What part of a whole, to the percent: `14 %`.
pub fn percent(part: u64, whole: u64) -> String {
    let whole = u128::from(whole);
    let share = (u128::from(part) * 100 + whole / 2).checked_div(whole);
    format!("{} %", share.unwrap_or(0))
}

/// What the platform's results mean.
const RESULTS: [(&str, &str); 4] = [
    ("ANSWERED", "answered"),
    ("BUSY", "busy"),
    ("NOANSWER", "no answer"),
    ("FAILED", "failed"),
];

/// What its reasons mean, where they say more than the result does.
const REASONS: [(&str, &str); 15] = [
    ("CALLEEHANGUP", "they hung up"),
    ("CALLERHANGUP", "our side hung up"),
    ("MANAGERHANGUP", "the platform was asked to hang up"),
    ("CANCEL", "cancelled before it was answered"),
    ("BLOCKED", "blocked"),
    ("NOCREDITPARTNER", "the account had no credit"),
    ("GENERALERROR", "no cause was told"),
    (
        "INVALIDSVAMLACTION",
        "the platform did not understand what the call was to do",
    ),
    ("CALLBACKERROR", "a callback was not answered as it must be"),
    ("CLIENTNETWORK", "trouble in the callee's network"),
    ("CONGESTION", "the network was congested"),
    ("USERNOTFOUND", "there is no such user"),
    ("OTHERPEERANSWERED", "another device answered"),
    ("ESTABLISHED", "it went on then"),
    ("TIMEOUT", "the time was over"),
];

/// How a call ended, with the platform's codes behind the words: `busy (BUSY)`, `no answer (NOANSWER
/// TIMEOUT)`, `answered, they hung up (ANSWERED CALLEEHANGUP)`. A code that is not known stands for itself.
pub fn ending(result: Option<&str>, reason: Option<&str>) -> String {
    let told = |code: Option<&str>| {
        let code = code.unwrap_or_default().trim();
        let none = code.is_empty() || code.eq_ignore_ascii_case("N/A");
        (!none).then(|| code.to_owned())
    };
    let (result, reason) = (told(result), told(reason));
    let meaning = |known: &[(&str, &'static str)], code: &Option<String>| {
        let code = code.as_deref()?;
        let (_, words) = known
            .iter()
            .find(|(known, _)| code.eq_ignore_ascii_case(known))?;
        Some(*words)
    };
    // Nobody answers until a time is over, always.
    let obvious = (result.as_deref()).is_some_and(|code| code.eq_ignore_ascii_case("NOANSWER"))
        && (reason.as_deref()).is_some_and(|code| code.eq_ignore_ascii_case("TIMEOUT"));
    let first = match (&result, meaning(&RESULTS, &result)) {
        (None, _) => "result not known".to_owned(),
        (Some(_), Some(words)) => words.to_owned(),
        (Some(code), None) => format!("ended with {code}"),
    };
    let second = meaning(&REASONS, &reason).filter(|_| !obvious);
    let words = [Some(first.as_str()), second]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ");
    let codes: Vec<&str> = [&result, &reason]
        .into_iter()
        .filter_map(|c| c.as_deref())
        .collect();
    if codes.is_empty() {
        return words;
    }
    format!("{words} ({})", codes.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_in_the_right_number() {
        let told = [0, 1, 2, 12_480].map(|n| counted(n, "duplicate", "duplicates"));
        assert_eq!(
            told,
            [
                "0 duplicates",
                "1 duplicate",
                "2 duplicates",
                "12,480 duplicates"
            ]
        );
        assert_eq!(percent(1, 8), "13 %");
        assert_eq!(percent(0, 0), "0 %");
        assert_eq!(percent(u64::MAX, u64::MAX), "100 %");
    }

    #[test]
    fn codes_stand_behind_their_words_and_what_was_not_told_stands_nowhere() {
        for (result, reason, words) in [
            (Some("BUSY"), Some("N/A"), "busy (BUSY)"),
            (Some("NOANSWER"), Some("N/A"), "no answer (NOANSWER)"),
            (
                Some("NOANSWER"),
                Some("TIMEOUT"),
                "no answer (NOANSWER TIMEOUT)",
            ),
            (
                Some("answered"),
                Some("CALLEEHANGUP"),
                "answered, they hung up (answered CALLEEHANGUP)",
            ),
            (
                Some("FAILED"),
                Some("TELEPATHY"),
                "failed (FAILED TELEPATHY)",
            ),
            (Some("VOICEMAIL"), None, "ended with VOICEMAIL (VOICEMAIL)"),
            (
                Some("N/A"),
                Some("BLOCKED"),
                "result not known, blocked (BLOCKED)",
            ),
            (None, None, "result not known"),
            (Some(""), Some(" "), "result not known"),
        ] {
            assert_eq!(ending(result, reason), words);
        }
    }
}
