//! Proxy variables in the environment are not obeyed: a proxy could resend a callout, or answer for
//! the platform. The variables are set for a child process, whose every request must arrive.

use std::net::TcpListener;

use crate::support::{Desk, Platform, people};

#[test]
fn proxy_variables_are_not_obeyed() {
    // Nobody accepts here; whoever connects waits in the backlog and is found afterwards.
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let platform = Platform::start(&["--time-scale", "0"]);
    let mut desk = Desk::at(&platform);
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ] {
        desk.set(name, &url);
    }
    desk.tts(&people(5), "calls_per_second = 100");
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    assert_eq!(platform.ledger().rows.len(), 5);
    proxy.set_nonblocking(true).unwrap();
    let nobody = proxy.accept().map(drop).unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}
