"""Which addresses of the network may be connected to: public ones, and those that READ_ALLOW names.

Standard library only, because the settings are checked before aiohttp is loaded.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from research.errors import UserError

WEB_PORTS = frozenset({80, 443})
MAX_PORT = 65_535
MIN_PREFIX = {4: 8, 6: 7}
"""A wider network in READ_ALLOW is a mistake: 0.0.0.0/0 would open this machine and its neighbours."""

# Because is_global of Python 3.11 has some of them for global: the registries of IANA have grown since.
_NOT_PUBLIC = tuple(
    map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "3fff::/20"))
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_COMPATIBLE, _NAT64 = IPv6Network("::/96"), IPv6Network("64:ff9b::/96")

_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_NUMERIC = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")
"""What ends in a number is an IPv4 address, in one of its many notations, and no name."""
_ENTRY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(:(?P<port>\d{1,5}))?")


@dataclass(frozen=True)
class Allow:
    """What may be connected to although it is private or has another port; by default nothing."""

    hosts: frozenset[tuple[str, int]] = frozenset()
    """Names, whatever address they have, each with a port; 0 stands for every port."""
    networks: frozenset[tuple[IPv4Network | IPv6Network, int]] = frozenset()
    """Networks, whatever name leads there, in the same way."""

    def permits(self, name: str, host: str, port: int) -> bool:
        """Return whether a connection may be made.

        Args:
            name: the host as the page's address has it.
            host: the concrete address that the connection is made to; anything but an IP address is refused.
            port: the concrete port.
        """
        try:
            address = ip_address(host)
        except ValueError:  # such as 127.1 or 0x7f000001, which the system would still connect to
            return False
        known = normalize_host(name)
        if not self.hosts.isdisjoint({(known, port), (known, 0)}):
            return True
        concrete = embedded(address)
        if any(allowed in (port, 0) and concrete in network for network, allowed in self.networks):
            return True
        return port in WEB_PORTS and is_public(address)

    def has_port(self, port: int) -> bool:
        """Return whether any connection to this port may be made."""
        ports = {port for _, port in self.hosts | self.networks}
        return port in WEB_PORTS or not ports.isdisjoint({port, 0})


def parse_allow(value: str) -> Allow:
    """Return what READ_ALLOW means: hosts, host:port or networks, separated by commas.

    Without a port an entry stands for every port, with one for this port alone.

    Raises:
        UserError: an entry that cannot be read; the message shows it.
    """
    hosts: set[tuple[str, int]] = set()
    networks: set[tuple[IPv4Network | IPv6Network, int]] = set()
    for entry in filter(None, (part.strip() for part in value.split(","))):
        network = _network(entry)
        if network:
            networks.add((network, 0))
            continue
        found = _ENTRY.fullmatch(entry)
        port = int(found["port"] or 0) if found else 0
        if not found or (found["port"] and not 1 <= port <= MAX_PORT):
            raise _bad(entry, "it is neither a host, host:port nor a network")
        address = _network(found["host"].removeprefix("[").removesuffix("]"))
        if address and "/" not in found["host"]:
            networks.add((address, port))
            continue
        name = normalize_host(found["host"])
        if not _HOST.fullmatch(name) or _NUMERIC.fullmatch(name):
            raise _bad(entry, "it is neither a host, host:port nor a network")
        hosts.add((name, port))
    return Allow(frozenset(hosts), frozenset(networks))


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    """Return the network or the one address that an entry is; None where it is neither."""
    try:
        network = ip_network(entry)
    except ValueError:
        try:
            wider = ip_network(entry, strict=False)
        except ValueError:
            return None
        raise _bad(entry, f"the network is {wider}") from None
    if network.prefixlen < MIN_PREFIX[network.version]:
        raise _bad(entry, f"the network is wider than /{MIN_PREFIX[network.version]}")
    return network


def _bad(entry: str, why: str) -> UserError:
    shown = ascii(entry if len(entry) <= 80 else f"{entry[:79]}…")
    return UserError(
        f"READ_ALLOW has {shown}, but {why}: write hosts, host:port or networks, separated by commas, such as"
        " READ_ALLOW=wiki.example.com,127.0.0.1:8080,10.20.0.0/16"
    )


def normalize_host(host: str) -> str:
    """Return a host in lower case, in ASCII and without the dot at its end; "" for what is no name."""
    try:
        name = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return ""
    return name.lower().removesuffix(".")


def embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 address leads to; the address itself where it has none."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public_host(host: str) -> bool:
    """Return whether a host is a public IP address; a name is none."""
    try:
        return is_public(ip_address(host))
    except ValueError:
        return False


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address belongs to the public internet, and to one host.

    Teredo's are refused whole: they lead to a machine behind somebody's NAT.
    """
    if isinstance(address, IPv6Address) and address.scope_id:
        return False
    concrete = embedded(address)
    if isinstance(concrete, IPv6Address) and concrete not in _GLOBAL_UNICAST:
        return False
    if any(concrete in network for network in _NOT_PUBLIC):
        return False
    return concrete.is_global and not (concrete.is_multicast or concrete.is_reserved)
