//! `callout number list|assign|unassign`.

use super::{App, Desk, Exit, Failure, or_dash, sure};
use crate::app::by_hand::{self, e164};
use crate::cli::args::{AssignArgs, AssignmentArgs, CapabilityName, NumberCommand, UnassignArgs};
use crate::output;
use crate::sinch::numbers::{
    ASSIGNED_AT_ONCE_MAX, AssignNumbers, Capability, ListNumbers, OwnNumber, UnassignNumber,
};

const LOOK: &str = "callout number list";

pub(super) async fn number(command: NumberCommand, app: &App) -> Result<Exit, Failure> {
    match command {
        NumberCommand::List(api) => {
            let desk = Desk::open(api, app)?;
            if let Some(numbers) = desk.ask(&ListNumbers).await? {
                desk.say(
                    || table(&numbers, desk.client.application_key()),
                    || by_hand::numbers_json(&numbers),
                );
            }
            Ok(Exit::Done)
        }
        NumberCommand::Assign(args) => assign(&args, &Desk::open(args.api, app)?).await,
        NumberCommand::Unassign(args) => unassign(&args, &Desk::open(args.sure.api, app)?).await,
    }
}

async fn assign(args: &AssignArgs, desk: &Desk) -> Result<Exit, Failure> {
    if args.numbers.len() > ASSIGNED_AT_ONCE_MAX {
        return Err(Failure::usage(format!(
            "{} numbers: the platform takes {ASSIGNED_AT_ONCE_MAX} at once",
            args.numbers.len()
        )));
    }
    let numbers = args.numbers.iter().map(|number| e164(number));
    let method = AssignNumbers {
        numbers: numbers.collect::<Result<_, _>>()?,
        application_key: args.to.application.clone(),
        capability: capability(&args.to),
    };
    let unique: std::collections::BTreeSet<_> = method.numbers.iter().collect();
    if unique.len() < method.numbers.len() {
        return Err(Failure::usage("a number is given twice"));
    }
    let to = application(&args.to, desk);
    let done = match method.numbers.as_slice() {
        [number] => format!("{number} is assigned to {to}"),
        numbers => format!("{} numbers are assigned to {to}", numbers.len()),
    };
    desk.change(&method, &done, LOOK).await
}

async fn unassign(args: &UnassignArgs, desk: &Desk) -> Result<Exit, Failure> {
    let method = UnassignNumber {
        number: e164(&args.number)?,
        application_key: args.from.application.clone(),
        capability: capability(&args.from),
    };
    let from = application(&args.from, desk);
    let question = format!(
        "Take {} from {from}? Its calls go nowhere then.",
        method.number
    );
    sure(args.sure, &question)?;
    let done = format!("{} is no longer assigned to {from}", method.number);
    desk.change(&method, &done, LOOK).await
}

fn application(args: &AssignmentArgs, desk: &Desk) -> String {
    let own = desk.client.application_key();
    format!("application {}", args.application.as_deref().unwrap_or(own))
}

fn capability(args: &AssignmentArgs) -> Option<Capability> {
    args.capability.map(|capability| match capability {
        CapabilityName::Voice => Capability::Voice,
        CapabilityName::Sms => Capability::Sms,
    })
}

fn table(numbers: &[OwnNumber], own: &str) -> String {
    if numbers.is_empty() {
        return "the account owns no numbers: buy one in the Sinch dashboard".into();
    }
    output::table(
        ["NUMBER", "CAPABILITY", "APPLICATION"],
        numbers.iter().map(|number| {
            let application = match &number.application_key {
                Some(key) if key.eq_ignore_ascii_case(own) => format!("{key} (this one)"),
                key => or_dash(key.as_deref()).to_owned(),
            };
            let capability = or_dash(number.capability.as_deref()).to_owned();
            [number.number.clone(), capability, application]
        }),
    )
}
