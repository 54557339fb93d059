//! The grammar of what receives the platform's events.

use std::net::SocketAddr;

use clap::Args;

use crate::app::receive::PublicUrl;

/// By which address the platform reaches this one.
#[derive(Debug, Args)]
pub(in crate::cli) struct PublicArgs {
    /// The address by which the platform reaches the receiver, with its path if it has one
    #[arg(long, env = "CALLOUT_PUBLIC_URL", value_name = "URL")]
    pub(in crate::cli) public_url: Option<PublicUrl>,
}

/// Where events are received.
#[derive(Debug, Args)]
#[command(next_help_heading = "Receiving")]
pub(in crate::cli) struct ReceiveArgs {
    /// Receive the platform's events here, such as 127.0.0.1:7700; without this and --public-url, `serve`
    /// alone receives
    #[arg(long, env = "CALLOUT_LISTEN", value_name = "ADDRESS")]
    pub(in crate::cli) listen: Option<SocketAddr>,
    #[command(flatten)]
    pub(in crate::cli) public: PublicArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "It receives beside a `run` on the same database, and goes on while none is there. Until SIGINT or \
                  SIGTERM."
)]
pub(in crate::cli) struct ServeArgs {
    /// Receive, and dial nobody
    #[arg(long)]
    pub(in crate::cli) no_dial: bool,
    #[command(flatten)]
    pub(in crate::cli) receive: ReceiveArgs,
}
