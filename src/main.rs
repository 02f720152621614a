//! The executable: exit status, logger, which mode; nothing else.

fn main() {}
