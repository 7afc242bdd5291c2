/** What fuzzing clients send: octets and protocol-like lines drawn from a seed, the same for the same seed on every runtime. */
import type { Protocol } from './reply-watch.ts';

export class Noise {
  #state: number;

  /** @param stream  another sequence of the same seed for each */
  constructor(seed: number, stream: number) {
    this.#state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(stream + 1, 0xc2b2ae35)) >>> 0;
    for (let turn = 0; turn < 4; turn++) this.#next();
  }

  /** From 0 to `below` - 1. */
  integer(below: number): number {
    return Math.floor((this.#next() / 2 ** 32) * below);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.integer(list.length)]!;
  }

  octets(count: number): Buffer {
    const octets = Buffer.allocUnsafe(count);
    for (let at = 0; at < count; at++) octets[at] = this.#next() >>> 24;
    return octets;
  }

  /** Puts them into another order, in place. */
  shuffle<T>(list: T[]): T[] {
    for (let at = list.length - 1; at > 0; at--) {
      const other = this.integer(at + 1);
      [list[at], list[other]] = [list[other]!, list[at]!];
    }
    return list;
  }

  /** A keyword of the protocol, or nearly, with what may stand behind it, or not, and some kind of end. Never one that begins TLS. */
  line(protocol: Protocol): Buffer {
    const keyword = this.pick(KEYWORDS[protocol]);
    const spoilt = this.integer(6) === 0 ? this.#spoil(keyword) : keyword;
    const given = Array.from({ length: this.integer(4) }, () => this.#argument());
    return Buffer.from([spoilt, ...given].join(this.pick([' ', ' ', ' ', '  ', '\t', ''])) + this.pick(ENDS), 'latin1');
  }

  #spoil(keyword: string): string {
    const at = this.integer(keyword.length);
    return keyword.slice(0, at) + String.fromCharCode(this.integer(256)) + keyword.slice(at + this.integer(2));
  }

  #argument(): string {
    const one = this.pick(ARGUMENTS);
    switch (this.integer(8)) {
      case 0:
        return one.repeat(1 + this.integer(300));
      case 1:
        return this.octets(this.integer(40)).toString('latin1').replaceAll('\n', '.');
      case 2:
        return String(this.integer(2 ** 32) - 2 ** 31);
      default:
        return one;
    }
  }

  /** xorshift32, from 0 to 2^32 - 1. */
  #next(): number {
    let x = this.#state || 0x6d2b79f5;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }
}

const KEYWORDS: Readonly<Record<Protocol, readonly string[]>> = {
  pop3: 'USER PASS APOP AUTH CAPA LANG UTF8 STAT LIST UIDL RETR TOP DELE NOOP RSET QUIT user XTND *'.split(' '),
  lmtp: 'LHLO MAIL FROM:<a@b>|MAIL|RCPT TO:<victim0@example.test>|RCPT|DATA|BDAT 10|BDAT|RSET|NOOP|VRFY|EXPN|HELP|HELO|EHLO|QUIT|AUTH'
    .split('|')
    .concat('LHLO client.example.test'),
  poppwd: 'USER PASS NEWPASS QUIT user newpass HELP'.split(' '),
};

const ARGUMENTS: readonly string[] = [
  'victim0@example.test',
  'nobody@example.test',
  '<>',
  'TO:<victim0@example.test>',
  'FROM:<"a b"@example.test>',
  'FROM:<@a,@b:c@d>',
  'SIZE=99999999999999999999',
  'BODY=8BITMIME',
  'PLAIN',
  'AHZpY3RpbQB3cm9uZw==',
  '=',
  '*',
  '0',
  '-1',
  '1',
  '4294967296',
  'LAST',
  '%s%n',
  '../../etc/passwd',
  '\\',
  '"',
  '\u0000',
  '\u00ff\u00fe',
  '\u00c3\u0028',
  'x',
];

const ENDS: readonly string[] = [
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\n',
  '\r',
  '\r\r\n',
  '\0\r\n',
  '\r\n.\r\n',
  '',
];
