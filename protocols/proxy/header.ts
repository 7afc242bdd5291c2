/**
 * The PROXY protocol's header, versions 1 and 2, which a balancer sends before the client's first octet: HAProxy's
 * specification (proxy-protocol.txt, sections 2.1 and 2.2). Whose header is believed is not known here.
 */
import { ipAddress, ipAddressOf, printIpAddress } from '../../kernel/ip-address.ts';
import { crc32c } from './crc32c.ts';

export type Endpoint = { readonly address: string; readonly port: number };

export type ProxyHeader =
  /** The balancer speaks for itself (a health check), or does not say for whom: v2 LOCAL and UNSPEC, v1 UNKNOWN. */
  | { readonly kind: 'local' }
  | { readonly kind: 'tcp'; readonly source: Endpoint; readonly destination: Endpoint }
  /** The client reached the balancer by a unix socket. Paths; '' for none. */
  | { readonly kind: 'unix'; readonly source: string; readonly destination: string };

export type HeaderRead =
  /** Right so far, and more must come. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid'; readonly reason: string }
  /** `octets`: the header's own; what follows is the client's. */
  | { readonly kind: 'header'; readonly header: ProxyHeader; readonly octets: number };

/** §2.1: the longest line of version 1, its CRLF included. */
export const MAX_V1_OCTETS = 107;
/** Of the 65,551 that a header of version 2 could have: more than balancers send, with all that they like to tell. */
export const MAX_V2_OCTETS = 4096;

/** §2.2: no client of any protocol begins like this. */
const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const V1_BEGIN = Buffer.from('PROXY ', 'latin1');
const V2_FIXED_OCTETS = 16;
const CR = 0x0d;
const LF = 0x0a;
const LOCAL: ProxyHeader = { kind: 'local' };
const INCOMPLETE: HeaderRead = { kind: 'incomplete' };
const invalid = (reason: string): HeaderRead => ({ kind: 'invalid', reason });

/**
 * Reads the header at the beginning of what has come so far; never throws. An answer other than `incomplete` stays the
 * same whatever more comes, and is there after MAX_V2_OCTETS at the latest.
 */
export function readProxyHeader(octets: Uint8Array): HeaderRead {
  if (octets.length === 0) return INCOMPLETE;
  if (beginsAs(octets, V1_BEGIN)) return octets.length < V1_BEGIN.length ? INCOMPLETE : readV1(octets);
  if (beginsAs(octets, SIGNATURE)) return octets.length < V2_FIXED_OCTETS ? readV2Beginning(octets) : readV2(octets);
  return invalid('no PROXY header');
}

/** As far as both go. */
function beginsAs(octets: Uint8Array, beginning: Uint8Array): boolean {
  const length = Math.min(octets.length, beginning.length);
  for (let at = 0; at < length; at += 1) if (octets[at] !== beginning[at]) return false;
  return true;
}

// Version 1: a line of text (§2.1).

const PORT = '(0|[1-9][0-9]{0,4})';
const V1_TCP = new RegExp(`^PROXY TCP([46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) ${PORT} ${PORT}$`);

function readV1(octets: Uint8Array): HeaderRead {
  const end = octets.subarray(0, MAX_V1_OCTETS).indexOf(LF);
  if (end < 0) return octets.length < MAX_V1_OCTETS ? INCOMPLETE : invalid('the line is too long');
  if (octets[end - 1] !== CR) return invalid('the line does not end in CRLF');
  const line = Buffer.from(octets.buffer, octets.byteOffset, end - 1).toString('latin1');
  const header = v1Header(line);
  return header === undefined
    ? invalid('the line is not as it should be')
    : { kind: 'header', header, octets: end + 1 };
}

function v1Header(line: string): ProxyHeader | undefined {
  if (/^PROXY UNKNOWN( |$)/.test(line)) return LOCAL; // whatever follows, up to CRLF, says nothing
  const [, family, source, destination, from, to] = V1_TCP.exec(line) ?? [];
  const endpoint = (address: string | undefined, port: string | undefined): Endpoint | undefined => {
    if (address === undefined || address.includes(':') !== (family === '6')) return undefined;
    const bits = ipAddress(address);
    return bits === undefined || Number(port) > 65_535
      ? undefined
      : { address: printIpAddress(bits), port: Number(port) };
  };
  const [client, server] = [endpoint(source, from), endpoint(destination, to)];
  return client && server && { kind: 'tcp', source: client, destination: server };
}

// Version 2: octets (§2.2).

/** What each family's addresses take. */
const ADDRESS_OCTETS = [0, 12, 36, 216] as const;
const TLV_CRC32C = 0x03; // §2.2.3

/** Something may be wrong before all sixteen octets are there. */
function readV2Beginning(octets: Uint8Array): HeaderRead {
  const [command, transport] = [octets[12], octets[13]];
  if (command !== undefined && command !== 0x20 && command !== 0x21) return invalid('an unknown version or command');
  if (command === 0x21 && transport !== undefined && !isKnownTransport(transport))
    return invalid('an unknown family or transport');
  return INCOMPLETE;
}

/** §2.2: families 0 to 3, transports 0 to 2, "other values must be rejected". */
const isKnownTransport = (octet: number): boolean => octet >> 4 < ADDRESS_OCTETS.length && (octet & 0x0f) <= 2;

function readV2(octets: Uint8Array): HeaderRead {
  const beginning = readV2Beginning(octets);
  if (beginning.kind === 'invalid') return beginning;
  const whole = V2_FIXED_OCTETS + octets[14]! * 256 + octets[15]!;
  if (whole > MAX_V2_OCTETS) return invalid('the header is too long');
  const isLocal = octets[12] === 0x20; // LOCAL: the rest is skipped, its family included
  const family = isLocal ? 0 : octets[13]! >> 4;
  const tlvsAt = V2_FIXED_OCTETS + ADDRESS_OCTETS[family as 0 | 1 | 2 | 3];
  if (tlvsAt > whole) return invalid('the header is too short for its addresses');
  if (octets.length < whole) return INCOMPLETE;
  const header = octets.subarray(0, whole);
  const fault = isLocal || family === 0 ? undefined : tlvFault(header, tlvsAt);
  return fault === undefined ? { kind: 'header', header: v2Header(header, family), octets: whole } : invalid(fault);
}

/** A datagram's, or a family that is not told, names nobody that this connection could come from. */
function v2Header(header: Uint8Array, family: number): ProxyHeader {
  const isStream = (header[13]! & 0x0f) === 1;
  if (family === 0 || !isStream) return LOCAL;
  if (family === 3) return { kind: 'unix', source: pathAt(header, 16), destination: pathAt(header, 124) };
  const octets = family === 1 ? 4 : 16;
  const portsAt = V2_FIXED_OCTETS + 2 * octets;
  const endpoint = (at: number, portAt: number): Endpoint => ({
    address: printIpAddress(ipAddressOf(header.subarray(at, at + octets))),
    port: header[portAt]! * 256 + header[portAt + 1]!,
  });
  return {
    kind: 'tcp',
    source: endpoint(V2_FIXED_OCTETS, portsAt),
    destination: endpoint(V2_FIXED_OCTETS + octets, portsAt + 2),
  };
}

/** 108 octets, filled up with NULs. An abstract socket's name begins with one, and is none that could be shown. */
function pathAt(header: Uint8Array, at: number): string {
  const field = Buffer.from(header.buffer, header.byteOffset + at, 108);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? 108 : end);
}

/** What the extensions say is not used; a checksum that is there must be right (§2.2.3). */
function tlvFault(header: Uint8Array, begin: number): string | undefined {
  let at = begin;
  while (at < header.length) {
    const octets = at + 3 <= header.length ? header[at + 1]! * 256 + header[at + 2]! : Number.POSITIVE_INFINITY;
    const next = at + 3 + octets;
    if (next > header.length) return 'an extension is longer than the header';
    if (header[at] === TLV_CRC32C && !isIntact(header, at + 3, octets)) return 'the checksum is wrong';
    at = next;
  }
  return undefined;
}

/** The sum is over the whole header with its own four octets taken as 0. */
function isIntact(header: Uint8Array, at: number, octets: number): boolean {
  if (octets !== 4) return false;
  const told = Buffer.from(header.buffer, header.byteOffset + at, 4).readUInt32BE();
  return crc32c(Uint8Array.from(header).fill(0, at, at + 4)) === told;
}
