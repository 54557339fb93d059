//! What a person can do about an answer that is no success: the platform's codes (`FACTS` §8) against the
//! settings and options that are behind them.

use crate::sinch::problem::{ApiError, Problem};

/// What can be done about it where the platform said no, on a line of its own.
pub(super) fn behind(error: &ApiError) -> String {
    match error {
        ApiError::Refused(problem) => format!("\n{}", of_platform(problem)),
        _ => String::new(),
    }
}

/// What a person can do about a refusal.
pub(in crate::cli) fn of_platform(problem: &Problem) -> &'static str {
    match (problem.code, problem.status) {
        (Some(40001), _) => {
            "a value is not one that the platform takes: compare it with the documents, \
             --dry-run shows what was sent"
        }
        (Some(40002), _) => {
            "something that the platform requires is missing: --dry-run shows what was sent"
        }
        (Some(40003), _) => {
            "the platform does not understand the request, or does not know the application \
             key: compare the key with the dashboard, --dry-run shows what was sent"
        }
        (Some(40004), _) => {
            "the platform does not know this application: compare SINCH_APPLICATION_KEY with \
             the dashboard"
        }
        (Some(40005), _) => "write the number with a leading plus: +46701234567",
        (Some(40100), _) => {
            "the request came without authorisation: something between here and the platform \
             takes headers away, a proxy for example"
        }
        (Some(40101), _) => {
            "the request's time was not accepted: this machine's clock is wrong, or too far \
             from the platform's; `callout doctor` compares them"
        }
        (Some(40102), _) => {
            "the signature is wrong: copy SINCH_APPLICATION_SECRET whole from the dashboard, \
             and see that it belongs to SINCH_APPLICATION_KEY"
        }
        (Some(40108), _) => {
            "key and secret are not accepted: copy SINCH_APPLICATION_KEY and \
             SINCH_APPLICATION_SECRET again from the dashboard"
        }
        (_, 401) => {
            "the platform does not accept who we are: compare SINCH_APPLICATION_KEY and \
             SINCH_APPLICATION_SECRET with the dashboard"
        }
        (Some(40200), _) | (_, 402) => "the account is empty: top it up in the dashboard",
        (Some(40300), _) => {
            "the account may not call this destination: ask Sinch to open it, or check the \
             number"
        }
        (Some(40301), _) => {
            "the application does not take this authorisation: try the other one (--auth basic \
             or --auth signed)"
        }
        (Some(40400), _) => {
            "it is over, it never was, or it is known elsewhere only: calls, conferences and \
             recordings belong to one region (--region) and one application"
        }
        (_, 404 | 405) => {
            "there is no such method at this address: check SINCH_CALLING_URL and \
             SINCH_CONFIGURATION_URL; --paths older has the paths of older documents"
        }
        (_, 429) => "the platform asks us to slow down: try again in a while",
        (_, 300..=399) => {
            "the platform is elsewhere, and we do not follow: choose a region (--region), or \
             correct SINCH_CALLING_URL and SINCH_CONFIGURATION_URL"
        }
        (Some(50300), _) | (_, 503) => "the platform is down for a while: try again later",
        (_, 500..=599) => {
            "the platform failed: look whether it was done all the same, then try again; tell \
             Sinch the reference if it stays so"
        }
        (_, 403) => "the platform does not allow it: ask Sinch what the account may do",
        _ => "see the platform's documents for this code; --dry-run shows what was sent",
    }
}
