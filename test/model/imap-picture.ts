/**
 * What one client believes of its selected mailbox, built from nothing but what it is told, and the rules that each response must
 * keep: RFC 9051 §7.4, §7.5; RFC 3501 §7.4; RFC 7162 §3.2 and §6. Throws Violation at the first that is broken.
 */
import { type ImapResponse, type ImapValue, numbersIn, pairsIn } from '../../bench/clients/imap-response.ts';
import { flagsOf, type Ledger, must } from './imap-ledger.ts';

export type Dialect = {
  readonly rev2: boolean;
  readonly condstore: boolean;
  readonly qresync: boolean;
};

export type Known = {
  uid: number | undefined;
  /** See `flagsOf`; undefined: never told. */
  flags: string | undefined;
  /** Under which `flags` were told; undefined: they were worked out, or nothing was said of it. */
  modSeq: number | undefined;
};

/** What the command that is being answered allows and asks. */
export type Asked = {
  readonly command: string;
  /** RFC 9051 §7.5.1, RFC 7162 §3.2.10. */
  readonly mayExpunge: boolean;
  /** SELECT and EXAMINE build a new picture. */
  readonly selects: boolean;
  /** Answers read at the owner after this time; undefined: what comes may have waited for long. */
  readonly readsSince: number | undefined;
};

export const nothingAsked: Asked = { command: '', mayExpunge: false, selects: false, readsSince: undefined };

type Data = Extract<ImapResponse, { readonly kind: 'data' }>;

export class Picture {
  readonly dialect: Dialect;
  readonly messages: Known[] = [];
  uidValidity: string | undefined;
  uidNext: number | undefined;
  /** As the client works it out: RFC 7162 §6. */
  highest = 0;
  /** HIGHESTMODSEQ as the SELECT gave it. */
  selectedAt = 0;
  /** Told as gone since the SELECT. */
  readonly vanished = new Set<number>();
  /** `VANISHED (EARLIER)` of the command being answered. */
  earlier: number[] = [];
  readonly #ledger: Ledger;
  readonly #onFlags: (uid: number, flags: string) => void;
  #fetched = 0;
  #coded: number | undefined;
  #hasExists = false;

  /** @param onFlags  hears each flags told of a message whose UID is known */
  constructor(dialect: Dialect, ledger: Ledger, onFlags: (uid: number, flags: string) => void) {
    this.dialect = dialect;
    this.#ledger = ledger;
    this.#onFlags = onFlags;
  }

  hear(response: ImapResponse, asked: Asked): void {
    if (response.kind === 'continue') return;
    if (response.kind !== 'data') {
      if (response.code?.name === 'HIGHESTMODSEQ') this.#code(Number(response.code.values[0]), asked);
      if (response.code?.name === 'UIDVALIDITY') this.#validity(String(response.code.values[0]));
      if (response.code?.name === 'UIDNEXT') this.uidNext = Number(response.code.values[0]);
      must(response.kind === 'tagged' || response.status !== 'BYE', `the server ends the connection: ${response.text}`);
      if (response.kind === 'tagged') this.#tagged();
      return;
    }
    switch (response.name) {
      case 'EXISTS':
        this.#exists(response.number!, asked);
        break;
      case 'EXPUNGE':
        this.#expunge(response.number!, asked);
        break;
      case 'VANISHED':
        this.#vanish(response.values, asked);
        break;
      case 'FETCH':
        this.#fetch(response, asked);
        break;
      case 'RECENT':
        must(!this.dialect.rev2, 'RECENT after ENABLE IMAP4rev2');
        must(response.number! <= this.messages.length, `RECENT ${response.number} of ${this.messages.length}`);
    }
  }

  get count(): number {
    return this.messages.length;
  }

  get uids(): readonly number[] {
    return this.messages.flatMap(({ uid }) => uid ?? []);
  }

  get isWhole(): boolean {
    return this.messages.every(({ uid, flags }) => uid !== undefined && flags !== undefined);
  }

  byUid(uid: number): Known | undefined {
    return this.messages.find((each) => each.uid === uid);
  }

  #validity(uidValidity: string): void {
    this.uidValidity = uidValidity;
    this.#ledger.uidValidity ??= uidValidity;
    must(uidValidity === this.#ledger.uidValidity, `UIDVALIDITY ${uidValidity}, and was ${this.#ledger.uidValidity}`);
  }

  #code(modSeq: number, { selects }: Asked): void {
    this.#coded = modSeq;
    if (selects) this.selectedAt = modSeq;
  }

  /** RFC 7162 §6: what the server says by the code, else the highest that FETCH showed. */
  #tagged(): void {
    const highest = this.#coded ?? Math.max(this.highest, this.#fetched);
    this.highest = highest;
    this.#coded = undefined;
    this.#fetched = 0;
  }

  /** RFC 9051 §7.4.1, and in no response but EXPUNGE a mailbox gets smaller (§7.5.1). */
  #exists(count: number, { selects }: Asked): void {
    must(count >= this.count, `EXISTS ${count} after ${this.count}`);
    must(!selects || !this.#hasExists, 'EXISTS twice in the answer to one SELECT');
    this.#hasExists = selects;
    while (this.count < count) this.messages.push({ uid: undefined, flags: undefined, modSeq: undefined });
  }

  #expunge(number: number, { mayExpunge, command }: Asked): void {
    must(mayExpunge, `EXPUNGE while ${command || 'nothing'} is answered`);
    must(!this.dialect.qresync, 'EXPUNGE to a client that enabled QRESYNC');
    must(number >= 1 && number <= this.count, `EXPUNGE ${number} of ${this.count}`);
    this.#remove(number - 1);
  }

  #vanish(values: readonly ImapValue[], asked: Asked): void {
    must(this.dialect.qresync, 'VANISHED to a client that did not enable QRESYNC');
    const isEarlier = Array.isArray(values[0]);
    const uids = [...numbersIn(String(values.at(-1)))];
    if (isEarlier) {
      const { command, selects } = asked;
      must(selects || / VANISHED\)/.test(command), `VANISHED (EARLIER) in the answer to ${command}`);
      for (const uid of uids) must(this.byUid(uid) === undefined, `UID ${uid} vanished earlier, and has a number`);
      this.earlier.push(...uids);
      return;
    }
    must(asked.mayExpunge, `VANISHED while ${asked.command || 'nothing'} is answered`);
    for (const uid of uids) {
      const at = this.place(uid);
      must(at >= 0, `VANISHED ${uid}, which is not there`);
      this.messages[at]!.uid = uid;
      this.#remove(at);
    }
  }

  /** Where it is, or must be: of those told of and not asked about, one between lower UIDs and higher ones. */
  place(uid: number): number {
    const at = this.messages.findIndex((each) => each.uid === uid);
    if (at >= 0) return at;
    const after = this.messages.findLastIndex((each) => each.uid !== undefined && each.uid < uid);
    const next = this.messages.findIndex((each) => each.uid !== undefined && each.uid > uid);
    return after + 1 < (next < 0 ? this.count : next) ? after + 1 : -1;
  }

  #remove(at: number): void {
    const [{ uid } = { uid: undefined }] = this.messages.splice(at, 1);
    if (uid === undefined) return;
    this.vanished.add(uid);
    this.#ledger.vanish(uid);
  }

  #fetch(response: Data, asked: Asked): void {
    const at = response.number! - 1;
    const message = this.messages[at];
    must(message !== undefined, `FETCH of number ${response.number} of ${this.count}`);
    const items = pairsIn(response.values[0]);
    const uid = items.has('UID') ? Number(items.get('UID')) : undefined;
    // News may have waited for long; what tells the size was read for this command.
    const readsSince = items.has('RFC822.SIZE') ? asked.readsSince : undefined;
    if (uid !== undefined) this.#learn(at, uid, readsSince);
    const told = items.get('MODSEQ') as readonly ImapValue[] | undefined;
    const modSeq = told === undefined ? undefined : Number(told[0]);
    if (readsSince !== undefined && modSeq !== undefined) this.#checkFresh(message.uid, modSeq, readsSince);
    const list = items.get('FLAGS') as readonly string[] | undefined;
    this.#checkShape(list, uid, modSeq, asked);
    const flags = list === undefined ? undefined : flagsOf(list);
    if (modSeq !== undefined) this.#rise(message, modSeq, flags);
    if (flags === undefined) return;
    message.flags = flags;
    message.modSeq = modSeq;
    if (message.uid !== undefined) this.#onFlags(message.uid, flags);
    if (message.uid !== undefined && modSeq !== undefined) this.#ledger.state(message.uid, modSeq, flags);
  }

  #checkShape(
    flags: readonly string[] | undefined,
    uid: number | undefined,
    modSeq: number | undefined,
    { command }: Asked,
  ): void {
    const { rev2, condstore } = this.dialect;
    must(!rev2 || !flags?.includes('\\Recent'), '\\Recent after ENABLE IMAP4rev2');
    must(modSeq === undefined || condstore, 'MODSEQ to a client that did not enable CONDSTORE');
    const isAsked = /^(UID )?FETCH|^SELECT|^EXAMINE/.test(command);
    if (!condstore || isAsked) return;
    must(modSeq !== undefined && uid !== undefined, 'FETCH of a change without UID or MODSEQ'); // RFC 7162 §3.2.4
  }

  /** RFC 9051 §2.3.1.1: UIDs ascend with the numbers, and each stays with its message. */
  #learn(at: number, uid: number, readsSince: number | undefined): void {
    const message = this.messages[at]!;
    must(message.uid === undefined || message.uid === uid, `number ${at + 1} is UID ${uid}, and was ${message.uid}`);
    must(!this.vanished.has(uid), `UID ${uid} has vanished`);
    if (readsSince !== undefined) must(!this.#ledger.isGoneAt(uid, readsSince), `UID ${uid} was gone before`);
    if (message.uid !== undefined) return;
    for (const [other, each] of this.messages.entries()) {
      if (each.uid === undefined) continue;
      must(Math.sign(other - at) === Math.sign(each.uid - uid), `UID ${uid} at ${at + 1}, ${each.uid} at ${other + 1}`);
    }
    message.uid = uid;
    this.#ledger.sawUid(uid);
  }

  /** What another session was told before the command was sent is not undone by it. */
  #checkFresh(uid: number | undefined, modSeq: number, readsSince: number): void {
    if (uid === undefined) return;
    const least = this.#ledger.modSeqAt(uid, readsSince);
    must(modSeq >= least, `UID ${uid} is fetched with MODSEQ ${modSeq}, and had ${least} before`);
  }

  /** RFC 7162 §3.1: of one message it only rises, in the order in which it is told. */
  #rise(message: Known, modSeq: number, flags: string | undefined): void {
    const { modSeq: before, uid } = message;
    must(before === undefined || modSeq >= before, `UID ${uid} has MODSEQ ${modSeq} after ${before}`);
    if (modSeq === before && flags !== undefined) {
      must(message.flags === flags, `UID ${uid} at ${modSeq} has (${flags}), and had (${message.flags})`);
    }
    this.#fetched = Math.max(this.#fetched, modSeq);
    if (uid !== undefined) this.#ledger.sawModSeq(uid, modSeq);
  }

  /** This client changed flags under `.SILENT`: it works out by itself what they are, if it knew them (RFC 9051 §6.4.6). */
  workOut(uid: number, change: (flags: readonly string[]) => readonly string[]): void {
    const message = this.byUid(uid);
    if (message?.flags === undefined) return;
    message.flags = flagsOf(new Set(change(message.flags.split(' ').filter((flag) => flag !== ''))));
    message.modSeq = undefined;
  }

  /** What it keeps when it goes away. */
  kept(): Map<number, string | undefined> {
    return new Map(this.messages.flatMap(({ uid, flags }) => (uid === undefined ? [] : [[uid, flags] as const])));
  }
}
