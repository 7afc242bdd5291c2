/**
 * The header lines that a final delivery puts before a message: RFC 5321 §4.4, RFC 6531 §3.7.3. Kept apart from the body by
 * the owner. In UTF-8 where the paths are (docs/lmtp.md).
 */
import type { Path } from '../../protocols/lmtp/command.ts';
import { isAddressLiteral, isDomain, printPath } from '../../protocols/lmtp/path.ts';

export type TraceFacts = {
  readonly reversePath: Path | null;
  readonly forwardPath: Path;
  /** As the client called itself; and its IP address, '' on a unix socket. */
  readonly clientDomain: string;
  readonly clientAddress: string;
  readonly hostName: string;
  readonly session: string;
  readonly smtputf8: boolean;
  /** The client's connection was under TLS. */
  readonly tls: boolean;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
};

/**
 * `Return-path-line` and `Time-stamp-line`, CRLF-ended. `for` names this recipient only, in this recipient's copy, so it
 * tells nobody of another (RFC 5321 §7.2).
 */
export function traceLines(facts: TraceFacts): Uint8Array {
  const { reversePath, forwardPath, hostName, session } = facts;
  const lines = [
    `Return-Path: ${printPath(reversePath)}`,
    `Received: from ${extendedDomain(facts)}`,
    `\tby ${hostName} with ${withProtocol(facts)} id ${session}`,
    `\tfor ${printPath(forwardPath)}; ${dateTime(facts.receivedAt)}`,
    '',
  ];
  return Buffer.from(lines.join('\r\n'), 'utf8');
}

/** RFC 3848 §1 and RFC 6531 §4.3, with the registry of both. The tail for AUTH has no use: LMTP here knows none. */
const withProtocol = ({ smtputf8, tls }: TraceFacts): string => `${smtputf8 ? 'UTF8' : ''}LMTP${tls ? 'S' : ''}`;

/** `Extended-Domain`: what the client says it is, and in TCP-info where it really called from. */
function extendedDomain({ clientDomain, clientAddress }: TraceFacts): string {
  const isName = isDomain(clientDomain.replaceAll('_', '-')); // as LHLO takes it (protocols/lmtp/parse-command.ts)
  const said = isName || isAddressLiteral(clientDomain) ? clientDomain : 'unknown';
  if (clientAddress === '') return said;
  return `${said} ([${clientAddress.includes(':') ? `IPv6:${clientAddress}` : clientAddress}])`;
}

/** `date-time` (RFC 5322 §3.3), in UTC. */
const dateTime = (ms: number): string => new Date(ms).toUTCString().replace('GMT', '+0000');
