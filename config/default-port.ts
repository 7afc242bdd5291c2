/** The port of a listener that names none: RFC 1939 §3, RFC 9051 §2.1, RFC 8314 §3.1 and what poppwd's clients expect. Pure. */
import type { Listener } from './schema.ts';

/**
 * @param platform  as `process.platform` says it
 * @returns undefined where there is none: LMTP has no port of its own (RFC 2033 §5 forbids it the one of SMTP)
 */
export function defaultPort(
  protocol: Listener['protocol'],
  tls: Listener['tls'],
  platform: string,
): number | undefined {
  switch (protocol) {
    case 'pop3':
      return tls === 'implicit' ? 995 : 110;
    case 'imap':
      return tls === 'implicit' ? 993 : 143;
    case 'poppwd':
      return platform === 'darwin' ? 8106 : 106; // macOS has a service of its own on 106
    case 'lmtp':
      return undefined;
  }
}
