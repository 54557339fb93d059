//! What the people of the simulated platform do in calls that ask.

use clap::Args;

use crate::simulator::{Legs, People};

/// Somebody's share is drawn from the seed and from their call.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The people of the simulated platform")]
pub(in crate::cli) struct PeopleArgs {
    /// Share of prompts of a menu after which somebody presses a key that is offered
    #[arg(long, default_value_t = People::default().press, value_name = "SHARE")]
    press: f64,
    /// Share of prompts of a menu after which somebody presses a wrong key
    #[arg(long, default_value_t = People::default().press_wrong, value_name = "SHARE")]
    press_wrong: f64,
    /// Share of prompts and texts in the middle of which somebody hangs up
    #[arg(long, default_value_t = People::default().leave, value_name = "SHARE")]
    leave: f64,
    /// Which offered key is pressed, by weight, as 1=0.6,2=0.2,9=0.05; without it each is as likely as the next
    #[arg(long, value_name = "KEY=WEIGHT", value_delimiter = ',', value_parser = weight)]
    keys: Vec<(String, f64)>,
    /// Share of people who press before the prompt is over
    #[arg(long, default_value_t = People::default().quick, value_name = "SHARE")]
    quick: f64,
    /// Share of calls that ask which a machine answers
    #[arg(long, default_value_t = People::default().machines, value_name = "SHARE")]
    machines: f64,
    /// Share of those calls of which the platform cannot tell who answered
    #[arg(long, default_value_t = People::default().unsure, value_name = "SHARE")]
    unsure: f64,
    /// Share of machines whose beep is not heard
    #[arg(long, default_value_t = People::default().no_beep, value_name = "SHARE")]
    no_beep: f64,
    /// The second leg of a call has no call id and no events of its own: it is a part of the first call's bill
    #[arg(long)]
    legs_within: bool,
}

impl PeopleArgs {
    pub(in crate::cli) fn people(&self) -> People {
        People {
            press: self.press,
            press_wrong: self.press_wrong,
            leave: self.leave,
            keys: self.keys.clone(),
            quick: self.quick,
            machines: self.machines,
            unsure: self.unsure,
            no_beep: self.no_beep,
        }
    }

    /// How second legs are told and billed.
    pub(in crate::cli) fn legs(&self) -> Legs {
        if self.legs_within {
            Legs::Within
        } else {
            Legs::Apart
        }
    }
}

/// A key and its weight.
fn weight(text: &str) -> Result<(String, f64), String> {
    text.split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .and_then(|(key, weight)| Some((key.to_owned(), weight.parse().ok()?)))
        .filter(|(_, weight): &(String, f64)| weight.is_finite() && *weight >= 0.0)
        .ok_or_else(|| "write a key and a weight, as 1=0.6".to_owned())
}
