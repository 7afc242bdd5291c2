/**
 * What an IMAP session knows while it runs, and its commands (commands/) work with: who is logged in, what was enabled, the
 * selected mailbox's view, and whom to ask. The state of RFC 9051 §3 is the machine's; nothing here says anything to the client.
 */
import { type Clock, pause } from '../../kernel/clock.ts';
import type { Result } from '../../kernel/result.ts';
import type { Response } from '../../protocols/imap/response.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Constants } from './context.ts';
import { type NameRefusal, Names, type Place } from './names.ts';
import type { LoggedIn, OwnerSession, SessionServices } from './services.ts';

/** An owner that is there answers well within it; one that is not keeps nobody waiting. */
const PARTING_MS = 1_000;

/** What ENABLE knows (RFC 5161), and other commands enable besides (RFC 7162 §3.1). */
export type Enableable = 'IMAP4rev2' | 'CONDSTORE' | 'QRESYNC';

/** What the machine needs of the selected mailbox's view; view.ts is the whole of it. */
export interface SelectedView {
  /** Nothing of it can be heard ever again: `sync` throws. */
  readonly isLost?: boolean;
  /**
   * What the client is to be told now, in order. Without `mayExpunge` no EXPUNGE or VANISHED is among it, and sequence numbers
   * stay as they are (RFC 9051 §7.5.1).
   * @param options.ask  ask the owner even if no event came: NOOP, CHECK
   * @param options.withUid  UIDs in FETCH responses, as after a UID command (RFC 9051 §6.4.9)
   */
  sync(options: {
    readonly mayExpunge: boolean;
    readonly ask: boolean;
    readonly withUid: boolean;
  }): Promise<readonly Response[]>;
  /** Calls `listener` whenever a `sync` may have something to tell, in a turn of its own; at once if it has already. Ends it. */
  onNews(listener: () => void): () => void;
  /** The mailbox is not selected any more: hears of no change from now on. Resolves when what is to be noted of it is noted. */
  close(): Promise<void> | void;
}

export class ImapSession<View extends SelectedView = SelectedView> {
  /** Unique for ever (actors/session.ts `Caller.session`). */
  readonly id: string;
  readonly constants: Constants;
  readonly services: SessionServices;
  readonly clock: Clock;
  readonly log: Log;
  readonly enabled = new Set<Enableable>();
  /** The connection is over: what goes on by itself may end. */
  hasLeft = false;
  /** Set by SELECT and EXAMINE, whose handlers close the one before; undefined where none is selected. */
  view: View | undefined;
  #holder: LoggedIn | undefined;
  #names: Names | undefined;
  #stages = 0;
  #parting: Promise<void> | void = undefined;

  constructor(parts: {
    readonly id: string;
    readonly constants: Constants;
    readonly services: SessionServices;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.id = parts.id;
    this.constants = parts.constants;
    this.services = parts.services;
    this.clock = parts.clock;
    this.log = parts.log;
  }

  /** Once logged in: who it is. Throws before. */
  get holder(): LoggedIn {
    if (this.#holder === undefined) throw new Error('nobody is logged in');
    return this.#holder;
  }

  /** Are mailbox names UTF-8 on the wire (RFC 9051 §5.1)? */
  get isUtf8(): boolean {
    return this.enabled.has('IMAP4rev2');
  }

  /** IMAP4rev1 is spoken: \Recent is told, and the old SEARCH response (RFC 9051 appendix E). */
  get isRev1(): boolean {
    return !this.enabled.has('IMAP4rev2');
  }

  get names(): Names {
    this.#names ??= new Names(this.holder, this.constants, this.services.accounts);
    return this.#names;
  }

  /** The log-in was granted. */
  logIn(holder: LoggedIn): void {
    this.#holder = holder;
  }

  /** A mailbox by its name as sent, the reference of LIST aside. Says nothing of whether it is there. */
  resolve(mailbox: string): Result<Place, NameRefusal> {
    return this.names.resolve(mailbox, this.isUtf8);
  }

  /** The session with the owner of that mailHost; without one the holder's own. */
  owner(mailHost: string = this.holder.mailHost): Promise<Result<OwnerSession, 'unavailable'>> {
    return this.services.owner(mailHost);
  }

  /** Names a staged body; no two of this session have the same name. */
  nextStage(): string {
    return String(++this.#stages);
  }

  /** Closes the view, if there is one. */
  deselect(): void {
    if (this.view !== undefined) this.#parting = this.view.close();
    this.view = undefined;
  }

  /** Resolves when what is to be noted of the mailbox that was selected last is noted, or its owner takes too long. */
  async parted(): Promise<void> {
    if (this.#parting === undefined) return;
    const waited = new AbortController();
    const parted = this.#parting.then(() => waited.abort());
    await Promise.race([parted, pause(this.clock, PARTING_MS, waited.signal).catch(() => {})]);
  }
}
