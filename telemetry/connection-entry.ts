/**
 * One entry of the connection log as a line, in the form that PMDF's connection logs have (docs/logs.md): date, source,
 * direction, code, transport, service, then `key=value`. Pure. Whatever a client gave, an entry is one line and each of
 * its fields one word.
 */
import { isIP } from 'node:net';
import type { Ends } from './connection-log.ts';

export type Code = 'A' | 'O' | 'C' | 'X';

export type Entry = {
  readonly wallMs: number;
  /** The node. */
  readonly source: string;
  readonly code: Code;
  readonly ends: Ends;
  /** `POP3`, `POPPASSD`. */
  readonly service: string;
  /** In their order; those undefined are left out. */
  readonly fields: Readonly<Record<string, string | number | undefined>>;
};

/** With its LF. `+`: the connection came in; there is no other direction here. */
export function entryLine({ wallMs, source, code, ends, service, fields }: Entry): string {
  const line = `${dateText(wallMs)} ${word(source)} + ${code} ${transport(ends)} ${service} session=${word(ends.session)}`;
  return `${Object.entries(fields).reduce((text, [key, value]) => (value === undefined ? text : `${text} ${key}=${word(String(value))}`), line)}\n`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const two = (value: number): string => String(value).padStart(2, '0');

/** `dd-Mon-yyyy hh:mm:ss.cc`, as VMS writes it, to hundredths; in UTC. */
export function dateText(wallMs: number): string {
  const date = new Date(wallMs);
  const day = `${two(date.getUTCDate())}-${MONTHS[date.getUTCMonth()]!}-${String(date.getUTCFullYear()).padStart(4, '0')}`;
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `${day} ${time}.${two(Math.floor(date.getUTCMilliseconds() / 10))}`;
}

/** `TCP|server-ip|server-port|client-ip|client-port`, or `UNIX|path`. */
function transport({ local, address, port }: Ends): string {
  if (isIP(local.address) === 0) return `UNIX|${word(local.address)}`;
  return ['TCP', word(local.address), local.port, word(address), port].join('|');
}

/** What may stand as it is: an account's name does, but for `%` and `|`. */
const SAFE = /^[A-Za-z0-9!#$&'*+,./:;=?@^_`{}~()[\]-]+$/;
const UNSAFE = /[^A-Za-z0-9!#$&'*+,./:;=?@^_`{}~()[\]-]/gu;

/** Other characters as `%XX` for each octet of their UTF-8, as in a URL: `decodeURIComponent` gives them back. */
function word(text: string): string {
  return SAFE.test(text) ? text : text.replace(UNSAFE, percentEncoded);
}

const percentEncoded = (character: string): string =>
  Array.from(Buffer.from(character, 'utf8'), (octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`).join(
    '',
  );
