//! Logs that the engine could not read completely.

use super::heads::Heads;
use super::source::Source;
use crate::api::http::client::Client;
use crate::api::resources::logs;
use crate::api::resources::nodes;
use crate::api::resources::nodes::Node;
use crate::output::Ui;

/// Why the engine could not read all of a log.
pub struct Unread {
    whose: String,
    nodes: Vec<String>,
    why: String,
}

impl Unread {
    /// With the names of the nodes that the engine names by ID.
    pub fn new(client: &Client, source: &Source, heads: Option<&Heads>, message: &[u8]) -> Self {
        let why = String::from_utf8_lossy(message).trim().to_owned();
        let ids = logs::nodes_in(&why);
        let listed = if heads.is_none() && !ids.is_empty() {
            nodes::list(client).unwrap_or_default()
        } else {
            Vec::new()
        };
        let name = |id: &&str| match heads {
            Some(heads) => heads.node(id).to_owned(),
            None => listed.iter().find(|node| node.id == **id).map_or(*id, Node::name).to_owned(),
        };
        let nodes = ids.iter().map(name).collect();
        Self { whose: source.called(), nodes, why }
    }

    /// Prints it as an error.
    pub fn print(self, ui: Ui) {
        let Self { whose, nodes, why } = self;
        let mut what = format!("the engine cannot read all of the log of {whose}");
        match &nodes[..] {
            [] => {}
            [node] => what += &format!(": node `{node}` is not available"),
            nodes => what += &format!(": nodes `{}` are not available", nodes.join("`, `")),
        }
        let hint = (!nodes.is_empty()).then_some("see the state of the nodes with `docker node ls`");
        ui.error(&what, [why], hint);
    }
}
