//! Parts of logs that the engine could not read.

use super::prefixes::Prefixes;
use super::source::LogSource;
use crate::api::http::client::Client;
use crate::api::resources::logs;
use crate::api::resources::nodes::{self, Node};
use crate::output::Ui;

/// Why the engine could not read a part of a log.
pub struct LogReadError {
    whose: String,
    nodes: Vec<String>,
    why: String,
}

impl LogReadError {
    /// Creates the error, with the names of the nodes whose IDs are in the engine's message.
    pub fn new(client: &Client, source: &LogSource, prefixes: Option<&Prefixes>, message: &[u8]) -> Self {
        let why = String::from_utf8_lossy(message).trim().to_owned();
        let ids = logs::node_ids_in(&why);
        let listed = if prefixes.is_none() && !ids.is_empty() {
            nodes::list(client).unwrap_or_default()
        } else {
            Vec::new()
        };
        let name = |id: &&str| match prefixes {
            Some(prefixes) => prefixes.node(id).to_owned(),
            None => listed.iter().find(|node| node.id == **id).map_or(*id, Node::name).to_owned(),
        };
        let nodes = ids.iter().map(name).collect();
        Self { whose: source.description(), nodes, why }
    }

    /// Prints an error message.
    pub fn print(self, ui: Ui) {
        let Self { whose, nodes, why } = self;
        let mut what = format!("the engine cannot read all of the log of {whose}");
        match &nodes[..] {
            [] => {}
            [node] => what += &format!(": node `{node}` is not available"),
            nodes => what += &format!(": nodes `{}` are not available", nodes.join("`, `")),
        }
        let hint = (!nodes.is_empty()).then_some("check the state of the nodes with `docker node ls`");
        ui.error(&what, [why], hint);
    }
}
