//! What a call may cost at worst, and amounts that people type.

use rust_decimal::Decimal;

use crate::app::{Error, Refusal};
use crate::domain::{CallLength, Hold, Money, Rates, Spend};
use crate::recipients::place_of;

/// What a minute of calling an endpoint costs at most: none where nobody says so.
pub(crate) fn rate(spend: &Spend, endpoint: &str) -> Option<Decimal> {
    let place = || {
        let (country, kind) = place_of(endpoint);
        Rates::place(&country, kind)
    };
    spend.rates.as_ref()?.of(endpoint, place)
}

/// The worst case of calling an endpoint: none where its rate is not known.
pub(crate) fn hold(spend: &Spend, endpoint: &str, length: CallLength) -> Option<Hold> {
    spend.hold(rate(spend, endpoint), length)
}

/// Reads an amount of a person's, which must be in the run's currency.
pub(crate) fn amount(text: &str, currency: &str) -> Result<Decimal, Error> {
    let why = match Money::parse_positive(text) {
        Some((amount, given)) if given == currency => return Ok(amount),
        Some((_, given)) => format!(
            "the run's cap is in {currency}, not in {given}: currencies are never added together"
        ),
        None => format!("`{text}` is no amount with its currency, such as \"200.00 {currency}\""),
    };
    Err(Refusal::input("amount", why).into())
}
