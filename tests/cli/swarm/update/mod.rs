//! `update` on a real engine: the same lines through docker and through swarmctl make the same service.

mod compare;
mod edits;
mod lines;
