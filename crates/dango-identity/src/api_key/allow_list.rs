//! The networks from which an API key may be used.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// The networks from which a key may be used; an empty list allows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(Vec<IpNet>);

impl AllowList {
    const MAX_NETWORKS: usize = 64;

    /// Reads networks (`192.0.2.0/24`, `2001:db8::/32`) and single addresses.
    ///
    /// # Errors
    ///
    /// [`ParseAllowListError`] with the place in the list, counted from 0.
    pub fn parse<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, ParseAllowListError> {
        let mut list = Vec::new();
        for (index, text) in networks.into_iter().enumerate() {
            if index >= Self::MAX_NETWORKS {
                return Err(ParseAllowListError::TooMany);
            }
            let network = parse_network(text).ok_or(ParseAllowListError::NotANetwork { index })?;
            if !list.contains(&network) {
                list.push(network);
            }
        }
        Ok(Self(list))
    }

    /// Whether every address is allowed.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key may be used from an address. An IPv4 address in the form of IPv6 counts as what it is; an unknown address is
    /// in no network.
    pub fn allows(&self, address: Option<IpAddr>) -> bool {
        let inside = |address: IpAddr| self.0.iter().any(|network| network.contains(&address.to_canonical()));
        self.is_empty() || address.is_some_and(inside)
    }

    /// The networks as text, as a database stores them.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(IpNet::to_string)
    }
}

/// The network with its host bits cleared, so that each has one form.
fn parse_network(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpNet>() {
        Ok(network) => network.trunc(),
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    // No client has such an address after it is brought into its own form: the list would silently allow nobody.
    let mapped = matches!(network, IpNet::V6(network) if network.addr().to_ipv4_mapped().is_some());
    (!mapped).then_some(network)
}

/// A list that names no networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseAllowListError {
    /// An entry is neither a network nor an address.
    #[error("entry {index} is no network such as 192.0.2.0/24")]
    NotANetwork {
        /// Which, counted from 0.
        index: usize,
    },
    /// More than 64.
    #[error("more than 64 networks")]
    TooMany,
}

impl fmt::Display for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, network) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(f, "{separator}{network}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allows(list: &[&str], address: &str) -> bool {
        let list = AllowList::parse(list.iter().copied()).expect("networks");
        list.allows(Some(address.parse().expect("an address")))
    }

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        assert!(allows(&["192.0.2.0/24"], "192.0.2.255"));
        assert!(!allows(&["192.0.2.0/24"], "192.0.3.0"));
        assert!(allows(&["192.0.2.7"], "192.0.2.7") && !allows(&["192.0.2.7"], "192.0.2.8"));
        assert!(allows(&["2001:db8::/32", "10.0.0.0/8"], "10.255.0.1") && allows(&["2001:db8::/32"], "2001:db8:ffff::1"));
        assert!(
            allows(&["192.0.2.0/24"], "::ffff:192.0.2.9"),
            "IPv4 behind a socket of both families"
        );
        assert!(!allows(&["0.0.0.0/0"], "2001:db8::1"));
    }

    #[test]
    fn an_empty_list_allows_all_and_any_other_needs_a_known_address() {
        assert!(AllowList::default().allows(None));
        assert!(!AllowList::parse(["0.0.0.0/0", "::/0"]).expect("networks").allows(None));
    }

    #[test]
    fn what_is_no_network_is_named_by_its_place() {
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "example.org",
            "10.0.0.0/-1",
            "::/129",
            "::ffff:10.0.0.0/104",
            " 10.0.0.1",
        ] {
            assert_eq!(
                AllowList::parse(["::1", bad]),
                Err(ParseAllowListError::NotANetwork { index: 1 }),
                "{bad}"
            );
        }
        assert_eq!(AllowList::parse(vec!["::1"; 65]), Err(ParseAllowListError::TooMany));
        assert_eq!(
            AllowList::parse(["10.1.2.3/8", "10.0.0.0/8"]).expect("networks").to_string(),
            "10.0.0.0/8"
        );
    }

    proptest! {
        #[test]
        fn any_list_is_refused_or_reads_back(text in "[0-9a-f:./]{0,24}|\\PC{0,30}") {
            if let Ok(list) = AllowList::parse([text.as_str()]) {
                let written: Vec<String> = list.iter().collect();
                prop_assert_eq!(AllowList::parse(written.iter().map(String::as_str)), Ok(list));
            }
        }
    }
}
