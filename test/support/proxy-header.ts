/** PROXY headers as a balancer makes them, versions 1 and 2: HAProxy's specification, section 2. For tests alone. */
import { isIPv4 } from 'node:net';
import { ipAddress } from '../../kernel/ip-address.ts';
import { crc32c } from '../../protocols/proxy/crc32c.ts';
import type { Endpoint } from '../../protocols/proxy/header.ts';

export const v1 = (source: Endpoint, destination: Endpoint): Buffer =>
  Buffer.from(
    `PROXY TCP${isIPv4(source.address) ? 4 : 6} ${source.address} ${destination.address} ${source.port} ${destination.port}\r\n`,
  );

export const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** The octets behind the fixed sixteen may be anything. */
export function v2Raw(command: number, transport: number, rest: Uint8Array): Buffer {
  const fixed = Buffer.from([command, transport, rest.length >> 8, rest.length & 0xff]);
  return Buffer.concat([SIGNATURE, fixed, rest]);
}

export type Tlv = { readonly type: number; readonly value: Uint8Array };

export const tlvs = (all: readonly Tlv[]): Buffer =>
  Buffer.concat(
    all.map(({ type, value }) => Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value])),
  );

export function v2(source: Endpoint, destination: Endpoint, more: readonly Tlv[] = []): Buffer {
  const isV4 = isIPv4(source.address);
  const bits = (address: string) => {
    const hex = ipAddress(address)!.toString(16).padStart(32, '0');
    return Buffer.from(isV4 ? hex.slice(-8) : hex, 'hex');
  };
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  return v2Raw(
    0x21,
    isV4 ? 0x11 : 0x21,
    Buffer.concat([bits(source.address), bits(destination.address), ports, tlvs(more)]),
  );
}

export const v2Local = (rest: Uint8Array = new Uint8Array(0)): Buffer => v2Raw(0x20, 0x00, rest);

export function v2Unix(source: string, destination: string): Buffer {
  const paths = Buffer.alloc(216);
  paths.write(source, 0, 108, 'utf8');
  paths.write(destination, 108, 108, 'utf8');
  return v2Raw(0x21, 0x31, paths);
}

/** With its checksum, which is the last of its extensions. */
export function v2Summed(source: Endpoint, destination: Endpoint, more: readonly Tlv[] = []): Buffer {
  const header = v2(source, destination, [...more, { type: 0x03, value: new Uint8Array(4) }]);
  header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}
