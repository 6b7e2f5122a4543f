//! Addresses that nothing may ever reach, whatever a plan or a contacts file says.
//!
//! A plan can be edited in a browser, and its steps and channels make requests. Machines in clouds hand their credentials to
//! whoever asks a link-local address, so one edited address would be enough to steal them. Loopback and private networks
//! stay allowed: watching what is inside is the purpose. (Sources: RFC 6890 and its registries, RFC 6052, RFC 3056, RFC 4380;
//! OWASP, "Server-Side Request Forgery Prevention".)

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;

/// Metadata services outside the link-local block: Azure's wire server, Alibaba's and Oracle's. Amazon's and Google's IPv6
/// ones are among [`METADATA_V6`].
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// The first 32 bits of the blocks that Amazon (`fd00:ec2::/32`: metadata, credentials of containers), Google
/// (`fd20:ce::/32`) and Scaleway (`fd00:42::/32`) keep for such services.
const METADATA_V6: [[u16; 2]; 3] = [[0xfd00, 0x0ec2], [0xfd20, 0x00ce], [0xfd00, 0x0042]];

/// An address that is refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    address: IpAddr,
    why: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.address, self.why)
    }
}

impl std::error::Error for Refused {}

/// Lets an address pass, or says why not.
pub(crate) fn permit(address: IpAddr) -> Result<(), Refused> {
    let why = match address {
        IpAddr::V4(address) => refusal_v4(address),
        IpAddr::V6(address) => refusal_v6(address),
    };
    why.map_or(Ok(()), |why| Err(Refused { address, why }))
}

/// The addresses that may be reached.
///
/// # Errors
/// When there are some and none may be.
pub(crate) fn permitted(
    addresses: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, Refused> {
    let (mut allowed, mut refused) = (Vec::new(), None);
    for address in addresses {
        match permit(address.ip()) {
            Ok(()) => allowed.push(address),
            Err(why) => refused = Some(why),
        }
    }
    match refused {
        Some(refused) if allowed.is_empty() => Err(refused),
        _ => Ok(allowed),
    }
}

/// Checks the host of a URL where it is an address. It is parsed already, so every spelling (`0xa9fea9fe`, `0251.0376…`)
/// has become the one that this reads; names are checked when they are resolved.
pub(crate) fn permit_url(url: &Url) -> Result<(), Refused> {
    let host = url.host_str().unwrap_or("");
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse().map_or(Ok(()), permit)
}

fn refusal_v4(address: Ipv4Addr) -> Option<&'static str> {
    if METADATA_V4.contains(&address) {
        Some("a cloud's metadata service")
    } else if address.is_link_local() {
        Some("link-local, where clouds keep credentials")
    } else if address.is_multicast() {
        Some("multicast")
    } else if address.is_broadcast() {
        Some("the broadcast address")
    } else if address.octets()[0] == 0 {
        Some("no address of a machine")
    } else {
        None
    }
}

fn refusal_v6(address: Ipv6Addr) -> Option<&'static str> {
    let segments = address.segments();
    if METADATA_V6.contains(&[segments[0], segments[1]]) {
        return Some("a cloud's metadata service");
    }
    if address.is_unicast_link_local() {
        return Some("link-local, where clouds keep credentials");
    }
    if address.is_multicast() {
        return Some("multicast");
    }
    if address.is_unspecified() {
        return Some("no address of a machine");
    }
    // `::1` looks like an IPv4 address in disguise (`0.0.0.1`) and is none.
    if address.is_loopback() {
        return None;
    }
    let disguised = inside(address).into_iter().flatten();
    disguised.filter_map(refusal_v4).next()
}

/// The IPv4 addresses that an IPv6 address may stand for: gateways and kernels send on to them.
fn inside(address: Ipv6Addr) -> [Option<Ipv4Addr>; 4] {
    let octets = address.octets();
    let segments = address.segments();
    let at = |places: [usize; 4]| Some(Ipv4Addr::from(places.map(|place| octets[place])));
    let last = at([12, 13, 14, 15]);
    // Where only one of several places holds the address, zeros say that this is not the one.
    let perhaps = |places| at(places).filter(|address| address.octets()[0] != 0);
    match segments {
        // Compatible (`::a.b.c.d`), mapped (`::ffff:a.b.c.d`) and translated (`::ffff:0:a.b.c.d`).
        [0, 0, 0, 0, 0, 0, _, _]
        | [0, 0, 0, 0, 0, 0xffff, _, _]
        | [0, 0, 0, 0, 0xffff, 0, _, _] => [last, None, None, None],
        // NAT64: the well-known prefix, and the local one, whose address lies at one of four places, around octet 8.
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => [last, None, None, None],
        [0x64, 0xff9b, 1, ..] => [
            last,
            perhaps([6, 7, 9, 10]),
            perhaps([7, 9, 10, 11]),
            perhaps([9, 10, 11, 12]),
        ],
        // 6to4.
        [0x2002, ..] => [at([2, 3, 4, 5]), None, None, None],
        // Teredo: the server, and the client with every bit turned.
        [0x2001, 0, ..] => {
            let client = Ipv4Addr::from([12, 13, 14, 15].map(|place| !octets[place]));
            [at([4, 5, 6, 7]), Some(client), None, None]
        }
        // ISATAP, under any prefix.
        [_, _, _, _, 0x0000 | 0x0200, 0x5efe, _, _] => [last, None, None, None],
        _ => [None; 4],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spellings of hosts in URLs, one a line: `no` or `ok`, then the host.
    const SPELLINGS: &str = include_str!("address_spellings.txt");

    #[test]
    fn every_spelling_is_judged() {
        let mut judged = 0;
        for line in SPELLINGS.lines() {
            let Some((expected, host)) = line.split_once(' ').filter(|(word, _)| *word != "#")
            else {
                continue;
            };
            judged += 1;
            let url = Url::parse(&format!("http://{host}:8765/latest/"));
            // What is no URL at all reaches nothing.
            let found = match url.map(|url| permit_url(&url)) {
                Ok(Ok(())) => "ok",
                Ok(Err(_)) => "no",
                Err(_) => "invalid",
            };
            assert_eq!(found, expected, "{host}");
        }
        assert!(judged >= 60, "{judged}");
    }

    #[test]
    fn what_a_name_resolves_to_is_filtered() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts
                .iter()
                .map(|text| SocketAddr::new(text.parse().unwrap(), 0))
                .collect()
        };
        let mixed = addresses(&["169.254.169.254", "10.0.0.8", "fe80::1"]);
        let kept = permitted(mixed.into_iter()).unwrap();
        assert_eq!(kept, addresses(&["10.0.0.8"]));
        let refused = permitted(addresses(&["::ffff:169.254.169.254"]).into_iter());
        assert_eq!(
            refused.unwrap_err().to_string(),
            "::ffff:169.254.169.254 is link-local, where clouds keep credentials"
        );
        assert_eq!(permitted(std::iter::empty()), Ok(Vec::new()));
    }
}
