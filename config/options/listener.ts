/** The tables `[[listener]]`: where clients reach a node. */
import { choice, integer, ipAddress, option, path } from '../option.ts';

export const listener = {
  protocol: option(choice(['pop3', 'lmtp', 'poppwd']), { doc: 'What is spoken here.', example: 'pop3' }),
  address: option(ipAddress().optional(), {
    doc: 'The address to listen at; `0.0.0.0` or `::` for all. LMTP knows no passwords: who reaches it can deliver.',
    fallback: '127.0.0.1',
  }),
  port: option(integer(0, 65535).optional(), {
    doc: 'TCP port; 0 takes a free one, which `serve` prints. Exactly one of `port` and `path`.',
    fallback: 'none',
    example: 1110,
  }),
  path: option(path().optional(), {
    doc: 'Unix socket instead of a port.',
    fallback: 'none',
    example: './var/n1/ipc/lmtpd',
  }),
  channels: option(integer(0, 100_000).default(1000), {
    doc: 'Most connections at once; one more is refused with a temporary error. 0 closes the port.',
    unit: 'connections',
  }),
  tls: option(choice(['none', 'starttls', 'implicit']).default('none'), {
    doc: 'TLS on this listener, with the certificates of `[tls]`: `none`; `starttls`, when the client asks (POP3 STLS: RFC 2595 §4, LMTP STARTTLS: RFC 3207); `implicit`, from the first octet (RFC 8314 §3). poppwd has no command for it. A unix socket needs none.',
  }),
} as const;
