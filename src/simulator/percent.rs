//! Percent-encoding in paths and queries, read leniently: what is no code stands for itself.
//!
//! Requests are signed over the path as it was sent, so only what a segment means is decoded here.

/// What a segment of a path, or one side of a query's pair, means. A `+` is a plus: numbers begin
/// with one, and the API's documents send it as it is.
pub(super) fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = (byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        if let Some(value) = code.and_then(hex) {
            decoded.push(value);
            at += 3;
        } else {
            decoded.push(byte);
            at += 1;
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

/// The pairs of a query; a name without a value has an empty one.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
}

fn hex(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(value * 16 + u8::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_decoded_and_everything_else_stands_for_itself() {
        for (sent, meant) in [
            ("%2B46%280%29", "+46(0)"),
            ("a+b", "a+b"),
            ("caf%c3%A9", "café"),
            ("%", "%"),
            ("%2", "%2"),
            ("%zz", "%zz"),
            ("%+1", "%+1"),
            ("%ff", "%ff"),
        ] {
            assert_eq!(decode(sent), meant);
        }
        let read: Vec<_> = pairs("a=1&&b&c=%3D=").collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read, [pair("a", "1"), pair("b", ""), pair("c", "==")]);
    }
}
