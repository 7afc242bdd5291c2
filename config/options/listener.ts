/** The tables `[[listener]]`: where clients reach a node. */
import { addresses, choice, integer, ipAddress, option, path, text } from '../option.ts';

export const listener = {
  protocol: option(choice(['pop3', 'imap', 'lmtp', 'poppwd']), { doc: 'What is spoken here.', example: 'pop3' }),
  address: option(ipAddress().optional(), {
    doc: 'The address to listen at; `0.0.0.0` or `::` for all. LMTP knows no passwords: who reaches it can deliver.',
    fallback: '127.0.0.1',
  }),
  port: option(integer(0, 65535).optional(), {
    doc: 'TCP port; 0 takes a free one, which `serve` prints. Not beside `path`.',
    fallback:
      '110 for pop3 and 143 for imap, 995 and 993 with `tls = "implicit"`, 106 for poppwd (8106 on macOS), none for lmtp',
    example: 1110,
  }),
  path: option(path().optional(), {
    doc: 'Unix socket instead of a port.',
    fallback: 'none',
    example: './var/n1/ipc/lmtpd',
  }),
  mode: option(text(/^0?[0-7]{3}$/, 'an octal mode such as "0660"', 'mode').optional(), {
    doc: "Permissions of the unix socket; who may write to it may connect. Its group is its directory's where that has the set-group-id bit. `ipc` in `data` lets nobody else in whatever its sockets' modes are.",
    fallback: "the system's, in which only the node's own user may write",
    example: '0660',
  }),
  channels: option(integer(0, 100_000).default(1000), {
    doc: 'Most connections at once; one more is refused with a temporary error. 0 closes the port.',
    unit: 'connections',
  }),
  tls: option(choice(['none', 'starttls', 'implicit']).default('none'), {
    doc: 'TLS on this listener, with the certificates of `[tls]`: `none`; `starttls`, when the client asks (POP3 STLS: RFC 2595 §4, IMAP STARTTLS: RFC 9051 §6.2.1, LMTP STARTTLS: RFC 3207); `implicit`, from the first octet (RFC 8314 §3). poppwd has no command for it. A unix socket needs none.',
  }),
  allow: option(addresses().optional(), {
    doc: 'Clients that may connect, by address; others are closed without a word. Absent with `allow-file` absent: all. [How to write one](../listeners.md#address-lists).',
    fallback: 'all',
    example: ['192.0.2.0/24', '!192.0.2.7', '2001:db8::/32'],
  }),
  'allow-file': option(path().optional(), {
    doc: 'A file with more of `allow`, a line each. Read at the start and by `homing admin reload`.',
    fallback: 'none',
    example: './allowed',
  }),
  'proxy-protocol': option(choice(['none', 'required']).default('none'), {
    doc: "`required`: only balancers connect here, and each connection begins with a header of the PROXY protocol, version 1 or 2, before TLS too. The client's address is then the one of the header. [More](../listeners.md#behind-a-balancer).",
  }),
  'proxy-trusted': option(addresses().optional(), {
    doc: 'The balancers that `proxy-protocol = "required"` believes; all others are closed without a word.',
    fallback: 'none',
    example: ['192.0.2.4', '192.0.2.5'],
  }),
  'connections-per-address': option(integer(0, 100_000).optional(), {
    doc: 'Most connections at once from one address, or from one network of 64 bits where it is IPv6; one more is refused with a temporary error. 0 is no limit.',
    fallback: 'three quarters of `channels`, except for lmtp and for clients on this machine, who have none',
    unit: 'connections',
  }),
  'connection-rate-per-address': option(integer(0, 1_000_000).optional(), {
    doc: "Most new connections from one address, counted in the same way. A minute's worth may come at once. 0 is no limit.",
    fallback: '6000, except for lmtp and for clients on this machine, who have no limit',
    unit: 'connections a minute',
  }),
  'limits-exempt': option(addresses().optional(), {
    doc: 'Addresses to which the two limits above do not apply: a webmail, a balancer without the PROXY protocol.',
    fallback: 'none',
    example: ['192.0.2.10'],
  }),
} as const;
