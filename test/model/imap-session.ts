/**
 * One client of the model: a connection, what it enabled, its picture of the mailbox, and a keyword that nobody else sets, so
 * that it knows at every moment whether a message has it. Asks and listens; what to ask is imap-deeds.ts.
 */
import type { Answer, ImapClient } from '../../bench/clients/imap.ts';
import type { ImapResponse, ImapValue } from '../../bench/clients/imap-response.ts';
import { type Floor, type Ledger, must, Violation } from './imap-ledger.ts';
import { type Asked, type Dialect, nothingAsked, Picture } from './imap-picture.ts';

/** Where sessions connect to, whatever it is made of. */
export type Servers = {
  readonly nodes: number;
  /** Connected and logged in. */
  connect(node: number, onResponse: (response: ImapResponse) => void): Promise<ImapClient>;
  /** May a connection break, or a command be refused for the time being? */
  readonly mayFail: boolean;
};

export type SessionParts = {
  readonly name: string;
  readonly dialect: Dialect;
  readonly servers: Servers;
  readonly ledger: Ledger;
};

/** The connection was lost, or the server could not say: what was asked may have been done, or be done yet. */
export class Unknown extends Error {}

export class Session {
  readonly name: string;
  readonly keyword: string;
  readonly dialect: Dialect;
  readonly ledger: Ledger;
  readonly servers: Servers;
  picture: Picture;
  readOnly = false;
  node = 0;
  client: ImapClient | undefined;
  /** Whether a message has the own keyword. */
  readonly own = new Map<number, boolean>();
  /** Of these it is not known, and never will be: a STORE of it had no answer. */
  readonly unsure = new Set<number>();
  /** A STORE that changes it is on its way. */
  readonly storing = new Set<number>();
  /** UIDs whose flags the command being answered told. */
  readonly told = new Set<number>();
  /** Hears each response after the picture did, while a command wants to. */
  onResponse: ((response: ImapResponse) => void) | undefined;
  /** The picture has changed: for those who wait for news. */
  onNews: (() => void) | undefined;
  #asked: Asked[] = [];

  constructor(parts: SessionParts) {
    this.name = parts.name;
    this.keyword = `$of-${parts.name}`;
    this.dialect = parts.dialect;
    this.ledger = parts.ledger;
    this.servers = parts.servers;
    this.picture = this.#newPicture();
  }

  #newPicture(): Picture {
    return new Picture(this.dialect, this.ledger, (uid, flags) => this.#checkOwn(uid, flags));
  }

  #checkOwn(uid: number, flags: string): void {
    this.told.add(uid);
    const has = flags.split(' ').includes(this.keyword);
    if (this.storing.has(uid) || this.unsure.has(uid) || this.ledger.replaced.has(uid)) return;
    const known = this.own.get(uid);
    const is = (there: boolean) => (there ? 'has' : 'does not have');
    must(known === undefined || known === has, `UID ${uid} ${is(has)} ${this.keyword}, and ${is(known!)} it`);
    this.own.set(uid, has);
  }

  async connect(node: number): Promise<void> {
    this.node = node;
    this.#asked = [];
    let client: ImapClient | undefined;
    client = await this.servers.connect(node, (response) => {
      if (client !== undefined && client === this.client) this.#hear(response);
    });
    this.client = client;
    const { rev2, condstore, qresync } = this.dialect;
    const wanted = [...(rev2 ? ['IMAP4rev2'] : []), ...(qresync ? ['QRESYNC'] : condstore ? ['CONDSTORE'] : [])];
    if (wanted.length > 0) await this.ok(`ENABLE ${wanted.join(' ')}`);
  }

  /** Vanishes, with whatever is still being answered. */
  disconnect(): void {
    this.ledger.note(`${this.name} vanishes`);
    this.client?.close();
    this.client = undefined;
  }

  /** `SELECT` and `EXAMINE`, with what comes in parentheses. @returns the picture before */
  async select(terms = '', readOnly = false): Promise<Picture> {
    const before = this.picture;
    this.picture = this.#newPicture();
    const floor = this.ledger.floor();
    await this.ok(`${readOnly ? 'EXAMINE' : 'SELECT'} INBOX${terms}`);
    this.readOnly = readOnly;
    const { selectedAt, uidNext } = this.picture;
    must(selectedAt >= floor.modSeq, `HIGHESTMODSEQ ${selectedAt} at SELECT, and ${floor.modSeq} was seen before`);
    must((uidNext ?? 0) > floor.uid, `UIDNEXT ${uidNext} at SELECT, and ${floor.uid} was seen before`);
    return before;
  }

  /** Must be OK. Throws Unknown where the servers may fail, and did. */
  async ok(command: string, literal?: Buffer): Promise<Answer> {
    const answer = await this.ask(command, literal);
    must(answer.status === 'OK', `${command}: ${textOf(answer)}`);
    return answer;
  }

  /** Whatever it answers, but that it can't be asked now. Several may be asked before the first is answered. */
  async ask(command: string, literal?: Buffer): Promise<Answer> {
    this.told.clear();
    const answer = await this.#send(command, literal);
    return this.#judged(command, answer);
  }

  /** @returns what says DONE */
  async idle(): Promise<() => Promise<Answer>> {
    this.#begin('IDLE');
    const done = await this.#whole(this.client!.idle());
    return async () => {
      this.ledger.note(`${this.name} C: DONE`);
      return this.#judged('IDLE', await this.#whole(done()));
    };
  }

  #send(command: string, literal: Buffer | undefined): Promise<Answer> {
    this.#begin(command);
    const octets = Buffer.from(command, 'latin1');
    const parts = literal === undefined ? [octets] : [octets, Buffer.from(` {${literal.length}+}\r\n`), literal];
    return this.#whole(this.client!.ask(Buffer.concat(parts)));
  }

  #begin(command: string): void {
    if (this.client === undefined) throw new Unknown('not connected');
    this.ledger.note(`${this.name} C: ${command}`);
    this.#asked.push({
      command,
      mayExpunge: mayExpunge(command),
      selects: /^(SELECT|EXAMINE) /.test(command),
      readsSince: this.ledger.time,
    });
  }

  async #whole<T>(answering: Promise<T>): Promise<T> {
    try {
      return await answering;
    } catch (fault) {
      if (fault instanceof Violation || !this.servers.mayFail) throw fault;
      throw new Unknown(String(fault));
    }
  }

  #judged(command: string, answer: Answer): Answer {
    const text = `${command}: ${textOf(answer)}`;
    must(answer.status !== 'BAD', text);
    const fails = ['UNAVAILABLE', 'SERVERBUG', 'INUSE'].includes(answer.code?.name ?? '');
    if (fails && answer.code?.name !== 'SERVERBUG' && this.servers.mayFail) throw new Unknown(text);
    must(!fails, text);
    return answer;
  }

  #hear(response: ImapResponse): void {
    this.ledger.note(`${this.name} S: ${shown(response)}`);
    this.picture.hear(response, this.#asked[0] ?? nothingAsked);
    if (response.kind === 'tagged') this.#asked.shift();
    this.onResponse?.(response);
    this.onNews?.();
  }

  floor(): Floor {
    return this.ledger.floor();
  }
}

/** RFC 9051 §7.5.1; UID commands may shift numbers. */
const mayExpunge = (command: string): boolean => !/^(FETCH|STORE|SEARCH|SORT|THREAD|LOGIN|ENABLE) /.test(command);

export const textOf = ({ status, code, text }: Answer): string => `${status} ${code ? `[${code.name}] ` : ''}${text}`;

function shown(response: ImapResponse): string {
  if (response.kind === 'continue') return `+ ${response.text}`;
  if (response.kind === 'data') {
    const { number, name, values } = response;
    return `* ${number === undefined ? '' : `${number} `}${name} ${values.map(shownValue).join(' ')}`.slice(0, 400);
  }
  const { status, code, text } = response;
  const coded = code ? `[${[code.name, ...code.values.map(shownValue)].join(' ')}] ` : '';
  return `${response.kind === 'tagged' ? response.tag : '*'} ${status} ${coded}${text}`;
}

function shownValue(value: ImapValue): string {
  if (value === null) return 'NIL';
  if (typeof value === 'string') return value;
  if (value instanceof Buffer) return JSON.stringify(value.toString('latin1'));
  return `(${(value as readonly ImapValue[]).map(shownValue).join(' ')})`;
}
