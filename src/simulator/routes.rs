//! Which method of the API a request asks for.
//!
//! Paths are those of `FACTS` §1, with the older ones beside them: `/v1` and `/calling/v1` for either half of the
//! API, `call` for `calls`, a slash at the end. Ids and names are not percent-decoded.

/// The path that `FACTS` §1 suggests for callouts.
pub(super) const CALLOUTS: &str = "/calling/v1/callouts";

/// A method of the API, or a page of the simulator's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// `POST /calling/v1/callouts`.
    Callout,
    /// `GET /calling/v1/calls/id/{callId}`.
    Call(&'a str),
    /// A page of the simulator's own: for this machine, without authorisation.
    Own(Page),
    /// Every other method of the API, which is recorded as a request.
    Other(Method<'a>),
}

/// The simulator's own pages, CSV but for what was played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// `GET /simulator/ledger`: every call placed.
    Ledger,
    /// `GET /simulator/posts`: every POST of a callout.
    Posts,
    /// `GET /simulator/requests`: every other request.
    Requests,
    /// `GET /simulator/events`: every event told.
    Events,
    /// `GET /simulator/played`: what was heard and pressed in calls, as JSON.
    Played,
}

/// The methods around callouts (`FACTS` §5). The simulator records each such request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method<'a> {
    ManageCall {
        id: &'a str,
        leg: Option<&'a str>,
    },
    GetConference(&'a str),
    KickAll(&'a str),
    CommandParticipant {
        conference: &'a str,
        call: &'a str,
    },
    KickParticipant {
        conference: &'a str,
        call: &'a str,
    },
    ListRecordings,
    /// With an empty key the answer is 400 with the code 40002.
    DownloadRecording(&'a str),
    DeleteRecording(&'a str),
    ListNumbers,
    AssignNumbers,
    UnassignNumber,
    GetCallbacks(&'a str),
    SetCallbacks(&'a str),
    QueryNumber(&'a str),
}

/// Why a request has no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Miss {
    /// No such path: 404.
    Path,
    /// The path is there for other verbs: 405, which names them.
    Verb(&'static str),
}

impl Method<'_> {
    /// The path that `FACTS` §1 suggests for it. A request on another path used an older spelling.
    pub(super) fn suggested_path(self) -> String {
        const TRAFFIC: &str = "/calling/v1";
        const CONFIGURATION: &str = "/v1/configuration";
        match self {
            Self::ManageCall { id, leg: None } => format!("{TRAFFIC}/calls/id/{id}"),
            Self::ManageCall { id, leg: Some(leg) } => format!("{TRAFFIC}/calls/id/{id}/leg/{leg}"),
            Self::GetConference(id) | Self::KickAll(id) => format!("{TRAFFIC}/conferences/id/{id}"),
            Self::CommandParticipant { conference, call }
            | Self::KickParticipant { conference, call } => {
                format!("{TRAFFIC}/conferences/id/{conference}/{call}")
            }
            Self::ListRecordings => format!("{TRAFFIC}/recording"),
            Self::DownloadRecording(key) | Self::DeleteRecording(key) => {
                format!("{TRAFFIC}/recording/{key}")
            }
            Self::ListNumbers | Self::AssignNumbers | Self::UnassignNumber => {
                format!("{CONFIGURATION}/numbers")
            }
            Self::GetCallbacks(key) | Self::SetCallbacks(key) => {
                format!("{CONFIGURATION}/callbacks/applications/{key}")
            }
            Self::QueryNumber(number) => format!("/v1/calling/query/number/{number}"),
        }
    }

    /// Whether the method takes a body of JSON.
    pub(super) fn has_body(self) -> bool {
        matches!(
            self,
            Self::ManageCall { .. }
                | Self::CommandParticipant { .. }
                | Self::AssignNumbers
                | Self::UnassignNumber
                | Self::SetCallbacks(_)
        )
    }
}

/// Finds the route for a verb and a path.
pub(super) fn find<'a>(verb: &str, path: &'a str) -> Result<Route<'a>, Miss> {
    // Longer than any path below; the last segment takes the rest.
    const SEGMENTS_MAX: usize = 9;
    let mut segments = [""; SEGMENTS_MAX];
    let mut count = 0;
    for (slot, segment) in segments.iter_mut().zip(
        path.strip_prefix('/')
            .ok_or(Miss::Path)?
            .splitn(SEGMENTS_MAX, '/'),
    ) {
        *slot = segment;
        count += 1;
    }
    let (allowed, route) = match &segments[..count] {
        ["simulator", page] => own(page).ok_or(Miss::Path)?,
        ["calling", "v1", rest @ ..] | ["v1", rest @ ..] => api(verb, rest).ok_or(Miss::Path)?,
        _ => return Err(Miss::Path),
    };
    match route {
        Some(Route::Own(_)) if verb != "GET" => Err(Miss::Verb(allowed)),
        Some(route) => Ok(route),
        None => Err(Miss::Verb(allowed)),
    }
}

/// The verbs that a path answers to, and the route if the request's verb is one of them.
type Entry<'a> = (&'static str, Option<Route<'a>>);

fn own(page: &str) -> Option<Entry<'static>> {
    let page = match page {
        "ledger" => Page::Ledger,
        "posts" => Page::Posts,
        "requests" => Page::Requests,
        "events" => Page::Events,
        "played" => Page::Played,
        _ => return None,
    };
    Some(("GET", Some(Route::Own(page))))
}

/// The API's own paths, behind their version.
fn api<'a>(verb: &str, segments: &[&'a str]) -> Option<Entry<'a>> {
    let segments = match segments {
        // Here the slash has a meaning: a recording without a key.
        ["recording", ""] => {
            let route = by_key(verb, "");
            return Some(("GET, DELETE", route.map(Route::Other)));
        }
        [all @ .., ""] | all => all,
    };
    if segments.contains(&"") {
        return None;
    }
    match segments {
        ["callouts"] => return Some(("POST", (verb == "POST").then_some(Route::Callout))),
        ["calls" | "call", "id", id] if verb == "GET" => {
            return Some(("GET, PATCH", Some(Route::Call(id))));
        }
        _ => {}
    }
    let (allowed, method) = other(verb, segments)?;
    Some((allowed, method.map(Route::Other)))
}

fn other<'a>(verb: &str, segments: &[&'a str]) -> Option<(&'static str, Option<Method<'a>>)> {
    Some(match *segments {
        ["calls" | "call", "id", id] => (
            "GET, PATCH",
            (verb == "PATCH").then_some(Method::ManageCall { id, leg: None }),
        ),
        ["calls" | "call", "id", id, "leg", leg] => {
            let leg = Some(leg);
            (
                "PATCH",
                (verb == "PATCH").then_some(Method::ManageCall { id, leg }),
            )
        }
        ["conferences", "id", id] => (
            "GET, DELETE",
            match verb {
                "GET" => Some(Method::GetConference(id)),
                "DELETE" => Some(Method::KickAll(id)),
                _ => None,
            },
        ),
        ["conferences", "id", conference, call] => (
            "PATCH, DELETE",
            match verb {
                "PATCH" => Some(Method::CommandParticipant { conference, call }),
                "DELETE" => Some(Method::KickParticipant { conference, call }),
                _ => None,
            },
        ),
        ["recording"] => ("GET", (verb == "GET").then_some(Method::ListRecordings)),
        ["recording", key] => ("GET, DELETE", by_key(verb, key)),
        ["configuration", "numbers"] => (
            "GET, POST, DELETE",
            match verb {
                "GET" => Some(Method::ListNumbers),
                "POST" => Some(Method::AssignNumbers),
                "DELETE" => Some(Method::UnassignNumber),
                _ => None,
            },
        ),
        ["configuration", "callbacks", "applications", key] => (
            "GET, POST",
            match verb {
                "GET" => Some(Method::GetCallbacks(key)),
                "POST" => Some(Method::SetCallbacks(key)),
                _ => None,
            },
        ),
        ["calling", "query", "number", number] => (
            "GET",
            (verb == "GET").then_some(Method::QueryNumber(number)),
        ),
        _ => return None,
    })
}

fn by_key<'a>(verb: &str, key: &'a str) -> Option<Method<'a>> {
    match verb {
        "GET" => Some(Method::DownloadRecording(key)),
        "DELETE" => Some(Method::DeleteRecording(key)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_verbs_find_their_route() {
        let callouts = "/calling/v1/callouts";
        assert_eq!(find("POST", callouts), Ok(Route::Callout));
        assert_eq!(find("POST", "/calling/v1/callouts/"), Ok(Route::Callout));
        assert_eq!(find("POST", "/v1/callouts"), Ok(Route::Callout));
        assert_eq!(find("GET", callouts), Err(Miss::Verb("POST")));
        assert_eq!(find("POST", "/calling/v1/callouts//"), Err(Miss::Path));
        assert_eq!(
            find("GET", "/calling/v1/calls/id/hex@1.2.3.4"),
            Ok(Route::Call("hex@1.2.3.4"))
        );
        assert_eq!(find("GET", "/calling/v1/calls/id/"), Err(Miss::Path));
        assert_eq!(
            find("GET", "/calling/v1/calls/id//leg/both"),
            Err(Miss::Path)
        );
        assert_eq!(find("GET", "/a/b/c/d/e/f/g/h/i/j/k"), Err(Miss::Path));
        assert_eq!(
            find("PATCH", "/calling/v1/calls/id/a/leg/b/c/d/e/f"),
            Err(Miss::Path)
        );
        assert_eq!(find("OPTIONS", "*"), Err(Miss::Path));
        assert_eq!(find("GET", ""), Err(Miss::Path));
        assert_eq!(find("POST", "/simulator/posts"), Err(Miss::Verb("GET")));
        assert_eq!(
            find("GET", "/simulator/requests"),
            Ok(Route::Own(Page::Requests))
        );
    }

    #[test]
    fn older_paths_find_the_route_and_are_told_from_the_suggested_one() {
        for (verb, suggested, older) in [
            ("PATCH", "/calling/v1/calls/id/x", "/calling/v1/call/id/x"),
            ("PATCH", "/calling/v1/calls/id/x", "/v1/call/id/x"),
            (
                "PATCH",
                "/calling/v1/calls/id/x/leg/both",
                "/v1/calls/id/x/leg/both/",
            ),
            (
                "GET",
                "/calling/v1/conferences/id/c",
                "/v1/conferences/id/c",
            ),
            (
                "DELETE",
                "/calling/v1/conferences/id/c/x",
                "/v1/conferences/id/c/x",
            ),
            ("GET", "/calling/v1/recording/k", "/v1/recording/k"),
            (
                "DELETE",
                "/v1/configuration/numbers",
                "/v1/configuration/numbers/",
            ),
            (
                "GET",
                "/v1/configuration/numbers",
                "/calling/v1/configuration/numbers",
            ),
            (
                "POST",
                "/v1/configuration/callbacks/applications/k",
                "/v1/configuration/callbacks/applications/k/",
            ),
            (
                "GET",
                "/v1/calling/query/number/+46",
                "/v1/calling/query/number/+46/",
            ),
        ] {
            let route = find(verb, suggested);
            assert_eq!(find(verb, older), route, "{verb} {older}");
            let Ok(Route::Other(method)) = route else {
                panic!("{verb} {suggested}: {route:?}");
            };
            assert_eq!(method.suggested_path(), suggested);
        }
        assert_eq!(
            find("PUT", "/v1/configuration/numbers"),
            Err(Miss::Verb("GET, POST, DELETE"))
        );
    }
}
