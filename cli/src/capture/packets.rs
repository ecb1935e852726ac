//! Reads the packets of a pcap or pcapng file, and finds the TCP segments in them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_parser::traits::PcapNGPacketBlock as _;
use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};

use crate::text::count;

/// The data of a TCP segment.
pub(super) struct Segment<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    /// The number of its first byte, or of the SYN before it.
    pub(super) sequence: u32,
    pub(super) syn: bool,
    pub(super) ack: bool,
    pub(super) data: &'a [u8],
}

/// What the file has in addition to segments. The numbers count packets.
#[derive(Default)]
pub(super) struct Found {
    pub(super) packets: u64,
    /// The packets of each type that cannot be read.
    unknown_links: BTreeMap<i32, u64>,
    fragments: u64,
    /// Not captured to their end.
    cut_off: u64,
    /// Why the rest of the file was not read.
    end: Option<&'static str>,
}

impl Found {
    /// Returns a message for each thing that was left out.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (link, &packets) in &self.unknown_links {
            let packets = count(packets, "packet");
            notes.push(format!(
                "{packets} of the unknown link type {link}, left out"
            ));
        }
        if self.fragments > 0 {
            let packets = count(self.fragments, "fragment");
            notes.push(format!("{packets} of IP packets, left out"));
        }
        if self.cut_off > 0 {
            let packets = count(self.cut_off, "packet");
            notes.push(format!(
                "{packets} not captured to the end; capture with a larger snapshot length"
            ));
        }
        notes.extend(self.end.map(String::from));
        notes
    }
}

/// Calls `take` with each TCP segment of a file.
///
/// # Errors
///
/// If the file has no header of a capture.
pub(super) fn read(file: &[u8], take: &mut dyn FnMut(Segment<'_>)) -> Result<Found, &'static str> {
    // A block is at most as long as the file.
    let mut reader = create_reader(file.len().max(64), file)
        .map_err(|_| "it begins with neither a pcap nor a pcapng header")?;
    let mut links: Vec<Linktype> = Vec::new();
    let mut found = Found::default();
    loop {
        match reader.next() {
            Ok((bytes, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => links = vec![header.network],
                    PcapBlockOwned::Legacy(packet) => {
                        found.packet(links.first().copied(), packet.data, take);
                    }
                    PcapBlockOwned::NG(Block::SectionHeader(_)) => links.clear(),
                    PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                        links.push(interface.linktype);
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let link = links.get(packet.if_id as usize).copied();
                        found.packet(link, packet.packet_data(), take);
                    }
                    PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                        found.packet(links.first().copied(), packet.packet_data(), take);
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(bytes);
            }
            Err(PcapError::Eof) => break,
            Err(PcapError::Incomplete(_)) => {
                if reader.reader_exhausted() || reader.refill().is_err() {
                    found.end = Some("the file is cut off; its last packet is left out");
                    break;
                }
            }
            Err(PcapError::UnexpectedEof) => {
                found.end = Some("the file is cut off; its last packet is left out");
                break;
            }
            Err(_) => {
                found.end = Some("the file is damaged; the packets after that are left out");
                break;
            }
        }
    }
    Ok(found)
}

impl Found {
    fn packet(&mut self, link: Option<Linktype>, data: &[u8], take: &mut dyn FnMut(Segment<'_>)) {
        self.packets += 1;
        let link = link.unwrap_or(Linktype(-1));
        let Some(packet) = slice(link, data) else {
            if !is_known(link) {
                *self.unknown_links.entry(link.0).or_default() += 1;
            }
            return;
        };
        let (source, destination, payload) = match &packet.net {
            Some(LaxNetSlice::Ipv4(ip)) => (
                IpAddr::V4(ip.header().source_addr()),
                IpAddr::V4(ip.header().destination_addr()),
                ip.payload(),
            ),
            Some(LaxNetSlice::Ipv6(ip)) => (
                IpAddr::V6(ip.header().source_addr()),
                IpAddr::V6(ip.header().destination_addr()),
                ip.payload(),
            ),
            _ => return,
        };
        self.fragments += u64::from(payload.fragmented);
        self.cut_off += u64::from(payload.incomplete);
        if let Some(TransportSlice::Tcp(tcp)) = &packet.transport {
            take(Segment {
                from: SocketAddr::new(source, tcp.source_port()),
                to: SocketAddr::new(destination, tcp.destination_port()),
                sequence: tcp.sequence_number(),
                syn: tcp.syn(),
                ack: tcp.ack(),
                data: tcp.payload(),
            });
        }
    }
}

/// Length of the header of a BSD loopback packet.
const LOOPBACK: usize = 4;
/// Length of the headers of a packet that Linux captured on any interface.
const COOKED: usize = 16;
const COOKED2: usize = 20;

/// Splits a packet into its headers.
fn slice(link: Linktype, data: &[u8]) -> Option<LaxSlicedPacket<'_>> {
    let ether_type = |bytes: &[u8], at: usize| {
        let bytes = bytes.get(at..at + 2)?;
        Some(EtherType(u16::from_be_bytes([bytes[0], bytes[1]])))
    };
    match link {
        Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(data).ok(),
        Linktype::LINUX_SLL => Some(LaxSlicedPacket::from_ether_type(
            ether_type(data, COOKED - 2)?,
            data.get(COOKED..)?,
        )),
        Linktype::LINUX_SLL2 => Some(LaxSlicedPacket::from_ether_type(
            ether_type(data, 0)?,
            data.get(COOKED2..)?,
        )),
        Linktype::NULL | Linktype::LOOP => LaxSlicedPacket::from_ip(data.get(LOOPBACK..)?).ok(),
        Linktype::RAW | Linktype(12 | 14) | Linktype::IPV4 | Linktype::IPV6 => {
            LaxSlicedPacket::from_ip(data).ok()
        }
        _ => None,
    }
}

/// Returns whether the packets of a link type can be read.
fn is_known(link: Linktype) -> bool {
    [
        Linktype::ETHERNET,
        Linktype::LINUX_SLL,
        Linktype::LINUX_SLL2,
        Linktype::NULL,
        Linktype::LOOP,
        Linktype::RAW,
        Linktype(12),
        Linktype(14),
        Linktype::IPV4,
        Linktype::IPV6,
    ]
    .contains(&link)
}
