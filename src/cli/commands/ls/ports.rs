//! Formats published ports for lists.

use crate::api::resources::rows::PortRow;

/// Formats the ports of the ingress network, with ranges: `*:8000-8002->80-82/tcp, *:8000->80/udp`.
pub fn published(ports: &[PortRow]) -> String {
    let mut ports: Vec<&PortRow> =
        ports.iter().filter(|port| port.mode != "host" && port.published > 0).collect();
    ports.sort_by_key(|port| (&port.protocol, port.published));
    let mut ranges: Vec<PortRange> = Vec::new();
    for port in ports {
        match ranges.last_mut() {
            Some(range) if range.extends_to(port) => {
                (range.published.1, range.target.1) = (port.published, port.target)
            }
            _ => ranges.push(PortRange {
                protocol: &port.protocol,
                published: (port.published, port.published),
                target: (port.target, port.target),
            }),
        }
    }
    let shown =
        |(first, last): (u32, u32)| if first < last { format!("{first}-{last}") } else { first.to_string() };
    let ranges =
        ranges.iter().map(|it| format!("*:{}->{}/{}", shown(it.published), shown(it.target), it.protocol));
    ranges.collect::<Vec<_>>().join(", ")
}

/// Consecutive published ports. Their targets are all the same port, or consecutive, or first the same and then
/// consecutive, because these are the ports that Docker combines.
struct PortRange<'a> {
    protocol: &'a str,
    published: (u32, u32),
    target: (u32, u32),
}

impl PortRange<'_> {
    fn extends_to(&self, port: &PortRow) -> bool {
        let is_next = |port: u32, last: u32| port.checked_sub(last).is_some_and(|step| step <= 1);
        self.protocol == port.protocol
            && is_next(port.published, self.published.1)
            && is_next(port.target, self.target.1)
            && (self.target.0 == self.target.1 || port.target > self.target.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(published: u32, target: u32, protocol: &'static str) -> PortRow<'static> {
        PortRow { protocol: protocol.into(), target, published, mode: "ingress".into() }
    }

    #[test]
    fn joins_neighboring_ports_as_docker_does() {
        let tcp = |pairs: &[(u32, u32)]| pairs.iter().map(|(p, t)| port(*p, *t, "tcp")).collect::<Vec<_>>();
        for (ports, shown) in [
            (tcp(&[]), ""),
            (tcp(&[(22222, 80)]), "*:22222->80/tcp"),
            (tcp(&[(8001, 81), (8000, 80), (8002, 82)]), "*:8000-8002->80-82/tcp"),
            (tcp(&[(80, 80), (81, 80), (82, 80)]), "*:80-82->80/tcp"),
            (tcp(&[(80, 80), (81, 81), (82, 80)]), "*:80-81->80-81/tcp, *:82->80/tcp"),
            (tcp(&[(80, 80), (81, 81), (82, 81)]), "*:80-81->80-81/tcp, *:82->81/tcp"),
            (tcp(&[(80, 80), (81, 80), (82, 81)]), "*:80-82->80-81/tcp"),
            (tcp(&[(80, 80), (82, 81)]), "*:80->80/tcp, *:82->81/tcp"),
            (tcp(&[(0, 80)]), ""),
        ] {
            assert_eq!(published(&ports), shown);
        }
        let mut host = port(443, 443, "tcp");
        host.mode = "host".into();
        assert_eq!(
            published(&[port(53, 53, "udp"), host, port(53, 53, "tcp")]),
            "*:53->53/tcp, *:53->53/udp"
        );
    }
}
