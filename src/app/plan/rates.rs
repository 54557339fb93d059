//! What a call may cost at worst, and amounts that people type.

use rust_decimal::Decimal;

use crate::app::{Error, Refusal};
use crate::domain::{CallLength, Destination, Hold, Leg, Money, Rates, Spend};
use crate::recipients::place_of;

/// What a minute of calling an endpoint costs at most: none where nobody says so.
pub(crate) fn rate(spend: &Spend, endpoint: &str) -> Option<Decimal> {
    let place = || {
        let (country, kind) = place_of(endpoint);
        Rates::place(&country, kind)
    };
    spend.rates.as_ref()?.of(endpoint, place)
}

/// The worst case of calling an endpoint, with the dearest of those whom the call can be connected to.
///
/// # Errors
/// Whose rate is not known, masked.
pub(crate) fn hold(
    spend: &Spend,
    to: &Destination,
    length: CallLength,
    legs: &[Leg],
) -> Result<Hold, String> {
    let hold = spend.hold(rate(spend, &to.endpoint), length);
    let mut hold = hold.ok_or_else(|| to.masked())?;
    let beside = dearest(spend, legs)?;
    hold.amount = hold.amount.checked_add(beside).ok_or_else(|| to.masked())?;
    Ok(hold)
}

/// What the dearest of those costs at most whom a call can be connected to; nothing where there is nobody.
///
/// # Errors
/// Whose rate is not known, masked.
pub(super) fn dearest(spend: &Spend, legs: &[Leg]) -> Result<Decimal, String> {
    let mut dearest = Decimal::ZERO;
    for leg in legs {
        let worst = rate(spend, &leg.to.endpoint).and_then(|rate| leg.worst(rate));
        dearest = dearest.max(worst.ok_or_else(|| leg.to.masked())?);
    }
    Ok(dearest)
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
