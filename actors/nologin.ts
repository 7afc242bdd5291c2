/**
 * While the file `etc/nologin` is there, clients of some protocols are told its first line instead of a greeting. It is
 * read at each connection, so that it needs no restart; sessions that stand go on, and mailboxes are served to other nodes.
 *
 * The line is an operator's, made fit here for any protocol's reply: one line of printable ASCII.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Encoder } from '../protocols/wire/decoder.ts';
import type { Log } from '../telemetry/log.ts';
import type { Said, Session, SessionActor } from './session.ts';

const GENERIC = 'no logins at the moment, try again later';
/** Leaves a POP3 reply of 512 octets (RFC 2449 §4) room for what stands before and after it. */
const MAX_TEXT = 480;
/** As much of the file as is looked at: it may be any file. */
const MAX_READ_OCTETS = 4096;

/** @returns what to say; undefined when the file is not there */
export function readNologin(path: string, log: Log): string | undefined {
  // Synchronous: one look at a local directory, without which each connection would wait for a turn of the thread pool.
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (!found.isFile()) return GENERIC; // a pipe would be waited for
    return nologinText(readBeginning(path));
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // gone meanwhile
    log.error('nologin is there and cannot be read', { path, fault });
    return GENERIC;
  }
}

/** The first line, without controls and letters beyond ASCII, cut to what fits. */
export function nologinText(octets: Uint8Array): string {
  const [line = ''] = new TextDecoder().decode(octets).split(/\r?\n|\r/, 1);
  const plain = line
    .normalize('NFKD')
    .replace(/\p{M}/gu, '') // ü is u and a mark by now
    .replace(/[\t ]+/g, ' ')
    .replace(/[\0-\x1f\x7f]/g, '')
    .replace(/[^ -~]/gu, '?')
    .trim();
  return plain === '' ? GENERIC : plain.slice(0, MAX_TEXT).trimEnd();
}

function readBeginning(path: string): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const octets = new Uint8Array(MAX_READ_OCTETS);
    return octets.subarray(0, readSync(file, octets, 0, MAX_READ_OCTETS, 0));
  } finally {
    closeSync(file);
  }
}

/** A session that says one line and ends: under implicit TLS after the handshake, as its client would not read it before. */
export const farewell = (line: Uint8Array, record: Session['record']): Session => ({
  actor: new Farewell(line),
  decoder: { push() {}, next: () => undefined, expect() {}, discard() {} },
  encoder: asItStands,
  record,
  end: () => Promise.resolve(),
});

const asItStands: Encoder<object> = { encode: (line) => line as Uint8Array };

/** The machine of it, by hand: over before it has begun. */
class Farewell implements SessionActor<object, object> {
  readonly #line: Uint8Array;
  #listener: ((said: Said<object>) => void) | undefined;
  #hasSpoken = false;

  constructor(line: Uint8Array) {
    this.#line = line;
  }

  start(): void {
    this.#hasSpoken = true;
    this.#listener?.({ type: 'reply', reply: this.#line });
  }

  send(): void {} // nothing is heard

  getSnapshot(): { status: string; value: string; hasTag(): boolean } {
    return { status: this.#hasSpoken ? 'done' : 'active', value: 'nologin', hasTag: () => false };
  }

  subscribe(): void {} // it moves in `start` only, which its driver calls itself

  on(_: '*', listener: (said: Said<object>) => void): void {
    this.#listener = listener;
  }
}
