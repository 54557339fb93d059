//! `callout lookup NUMBER`.

use serde_json::Value;

use super::{App, Desk, Exit, Failure, or_dash, yes_no};
use crate::app::by_hand;
use crate::cli::args::LookupArgs;
use crate::cli::suppress;
use crate::domain::NumberForm;
use crate::output;
use crate::recipients::Parsed;
use crate::sinch::query::{NumberInfo, QueryNumber};

pub(super) async fn lookup(args: &LookupArgs, app: &App) -> Result<Exit, Failure> {
    let desk = Desk::open(args.api, app)?;
    let methods: Vec<QueryNumber> = args
        .numbers
        .iter()
        .map(|number| query(number, args))
        .collect::<Result<_, _>>()?;
    let (mut found, mut failure) = (Vec::new(), None);
    for method in &methods {
        match desk.ask(method).await {
            Ok(Some(info)) => found.push((method.number.as_str(), info)),
            Ok(None) => {}
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    // What is known already is not lost with what failed.
    if !found.is_empty() {
        desk.say(
            || table(&found),
            || Value::Array(found.iter().map(by_hand::lookup_json).collect()),
        );
    }
    failure.map_or(Ok(Exit::Done), Err)
}

/// A number as people know it, in E.164 where it can be read so. What we cannot read the platform may:
/// brackets and hyphens it takes itself. What could be two numbers is nobody's guess.
fn query(number: &str, args: &LookupArgs) -> Result<QueryNumber, Failure> {
    let numbers = suppress::numbers(&args.reading)?;
    let why = match numbers.normalise(number) {
        Ok(Parsed { e164: number, .. }) => return Ok(QueryNumber { number }),
        Err(why) => why,
    };
    let written = |c: char| c.is_ascii_digit() || " +()-./".contains(c);
    let platforms = args.reading.country.is_none() && args.reading.form == NumberForm::Any;
    if platforms && number.bytes().any(|b| b.is_ascii_digit()) && number.chars().all(written) {
        let number = number.to_owned();
        return Ok(QueryNumber { number });
    }
    let why = suppress::in_terms_of_here(&why.to_string());
    Err(Failure::usage(format!(
        "`{number}` is no number: {why}; write it with its country, such as +46701234567"
    )))
}

fn table(found: &[(&str, NumberInfo)]) -> String {
    output::table(
        ["NUMBER", "COUNTRY", "TYPE", "RESTRICTED", "A MINUTE"],
        found.iter().map(|(asked, info)| {
            let number = info.normalized_number.as_deref().unwrap_or(asked);
            [
                number.to_owned(),
                or_dash(info.country_id.as_deref()).to_owned(),
                or_dash(info.number_type.as_deref()).to_owned(),
                yes_no(info.restricted).to_owned(),
                info.rate.as_ref().map_or("-".into(), ToString::to_string),
            ]
        }),
    )
}
