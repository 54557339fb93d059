//! The binary: parses nothing, decides nothing.

fn main() {}
