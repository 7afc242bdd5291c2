/**
 * Who stands behind a connection: the peer of the socket, or whom a balancer's PROXY header names, read here before the
 * session's first word and before TLS (protocols/proxy/header.ts). The balancer was found trustworthy by the caller.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../kernel/clock.ts';
import { type IpAddress, ipAddress, plainAddress } from '../kernel/ip-address.ts';
import { type HeaderRead, type ProxyHeader, readProxyHeader } from '../protocols/proxy/header.ts';
import type { Place } from './listener-socket.ts';
import type { Caller } from './session.ts';

export type Origin = {
  readonly ends: Pick<Caller, 'address' | 'port' | 'local'>;
  /** Of the client. `unix`: it came by a unix socket, ours or the balancer's, and so has none that could be on a list. */
  readonly address: IpAddress | 'unix';
};

/** How long a balancer may take: the specification's section 2 asks for 3 seconds at least, for a lost packet. */
export const HEADER_MS = 5_000;

/**
 * @param place  that it came to, which alone says whether it must have an address
 * @returns undefined when it is gone already: of a peer that has reset, the system tells no address any more
 */
export function peerOf(socket: Socket, place: Place): Origin | undefined {
  if ('path' in place) return unixOrigin(place.path);
  const { remoteAddress, remotePort = 0, localAddress, localPort } = socket;
  const address = remoteAddress === undefined ? undefined : ipAddress(remoteAddress);
  if (remoteAddress === undefined || address === undefined) return undefined;
  const local = { address: plainAddress(localAddress ?? place.address), port: localPort ?? place.port };
  return { ends: { address: plainAddress(remoteAddress), port: remotePort, local }, address };
}

/** For the logs: a client of whom nothing is known but where it came to. */
export const nobodyAt = (place: Place): Pick<Origin, 'ends'> =>
  'path' in place ? unixOrigin(place.path) : { ends: { address: '', port: 0, local: place } };

const unixOrigin = (path: string): Origin => ({
  ends: { address: '', port: 0, local: { address: path, port: 0 } },
  address: 'unix',
});

/** What the header makes of the peer. `isBalancer`: the balancer speaks for itself, and no client is named. */
export type Told = { readonly origin: Origin; readonly isBalancer: boolean };

export function originOf(header: ProxyHeader, peer: Origin): Told {
  switch (header.kind) {
    case 'local':
      return { origin: peer, isBalancer: true };
    case 'unix':
      return { origin: unixOrigin(header.destination), isBalancer: false };
    case 'tcp': {
      const { source, destination } = header;
      const address = ipAddress(source.address);
      if (address === undefined) throw new Error('a PROXY header was read that names no address');
      return { origin: { ends: { ...source, local: destination }, address }, isBalancer: false };
    }
  }
}

/** A header under way. */
export type Arrival = {
  /** It is awaited no longer: nothing is told any more, and the socket is still to be closed. */
  cancel(): void;
};

/**
 * Reads the header; what follows it is put back into the socket, which is left paused.
 * @param told  called once, never before this has returned: with the header, or in words why there is none; the socket is then still to be closed
 */
export function readHeader(socket: Socket, clock: Clock, told: (header: ProxyHeader | string) => void): Arrival {
  let held: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const read: HeaderRead = readProxyHeader(held);
    if (read.kind === 'invalid') end(read.reason);
    else if (read.kind === 'header') {
      socket.pause();
      if (held.length > read.octets) socket.unshift(held.subarray(read.octets));
      end(read.header);
    }
  };
  const onEnd = () => end('the connection ended before its header');
  const release = () => {
    deadline.cancel();
    socket.off('data', onData).off('end', onEnd).off('close', onEnd);
  };
  const end = (outcome: ProxyHeader | string) => {
    release();
    told(outcome);
  };
  const deadline = clock.after(HEADER_MS, () => end('the header did not come in time'));
  socket.on('error', () => {}); // 'close' follows
  socket.on('data', onData).on('end', onEnd).on('close', onEnd);
  return { cancel: release };
}
