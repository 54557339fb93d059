//! Which method of the API a request asks for: the one table to extend.
//!
//! Paths are those of `FACTS` §1; a call's id is opaque and taken as it stands in the path.

/// A method of the API, or a page of the simulator's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// `POST /calling/v1/callouts`, with or without a slash at the end.
    Callout,
    /// `GET /calling/v1/calls/id/{callId}`.
    Call(&'a str),
    /// `GET /simulator/ledger`: every call placed, as CSV.
    Ledger,
    /// `GET /simulator/posts`: every POST of a callout, as CSV.
    Posts,
}

/// Why a request has no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Miss {
    /// No such path: 404.
    Path,
    /// The path is there for other verbs: 405, which names them.
    Verb(&'static str),
}

/// Finds the route for a verb and a path.
pub(super) fn find<'a>(verb: &str, path: &'a str) -> Result<Route<'a>, Miss> {
    // No path of ours has more segments than this; the last one then holds all the rest.
    const SEGMENTS_MAX: usize = 8;
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
        ["calling", "v1", "callouts"] | ["calling", "v1", "callouts", ""] => {
            ("POST", Route::Callout)
        }
        // PATCH on this path, `…/leg/{callLeg}`, conferences, numbers, callbacks, recordings and
        // number queries (`FACTS` §5) join here; a path with several verbs then gets an inner match.
        ["calling", "v1", "calls", "id", id] if !id.is_empty() => ("GET", Route::Call(id)),
        ["simulator", "ledger"] => ("GET", Route::Ledger),
        ["simulator", "posts"] => ("GET", Route::Posts),
        _ => return Err(Miss::Path),
    };
    if verb == allowed {
        Ok(route)
    } else {
        Err(Miss::Verb(allowed))
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
        assert_eq!(find("GET", callouts), Err(Miss::Verb("POST")));
        assert_eq!(find("POST", "/calling/v1/callouts//"), Err(Miss::Path));
        assert_eq!(
            find("GET", "/calling/v1/calls/id/hex@1.2.3.4"),
            Ok(Route::Call("hex@1.2.3.4"))
        );
        assert_eq!(find("GET", "/calling/v1/calls/id/"), Err(Miss::Path));
        assert_eq!(find("GET", "/a/b/c/d/e/f/g/h/i/j/k"), Err(Miss::Path));
        assert_eq!(find("OPTIONS", "*"), Err(Miss::Path));
        assert_eq!(find("GET", ""), Err(Miss::Path));
    }
}
