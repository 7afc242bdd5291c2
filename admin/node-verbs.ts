/**
 * What an operator may have a running node do (docs/admin.md), by whatever way the order came: each verb acts on this node
 * alone, and answers for it. Who may order it has been settled before. Every argument is looked at before it is used.
 */

import { type AccountRefusal, type Administration, no } from '../actors/authenticator/accounts.ts';
import { accountName } from '../actors/authenticator/names.ts';
import type { ClosedAccounts } from '../actors/closed-accounts.ts';
import type { Doors } from '../actors/doors.ts';
import type { LiveSession } from '../actors/live-session.ts';
import type { AccountStatus } from '../cluster/directory/account.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Result } from '../kernel/result.ts';
import { setAccountStatus } from './account-status.ts';
import { answerable, BadArgument, type Given, optionalText, text } from './arguments.ts';
import { type ControlAnswer, cannot, done, type Verb, type Verbs } from './control.ts';

/** What a change of the configuration file came to: keys as in the file. */
export type Reloaded = {
  /** In force from now on. */
  readonly applied: readonly string[];
  /** Differ from what the node was started with, and wait for its next start. */
  readonly needRestart: readonly string[];
};

export type NodeVerbsOptions = {
  readonly me: string;
  readonly version: string;
  readonly doors: Pick<Doors, 'size' | 'sessions' | 'drain' | 'undrain' | 'isDraining' | 'kick'>;
  /** Ends sessions by itself when an account is closed to its user, and knows how many. */
  readonly closed: Pick<ClosedAccounts, 'takeEnded'>;
  readonly administration: Pick<Administration, 'directory' | 'defaultDomain' | 'nextOperation'>;
  /** Puts the text in the place where listeners look for it; undefined removes it. */
  readonly setNologin: (text: string | undefined) => Promise<void>;
  readonly nologin: () => string | undefined;
  /** Refused: nothing was changed; with a line for each thing wrong. */
  readonly reload: () => Promise<Result<Reloaded, readonly string[]>>;
  readonly clock: Clock;
};

/** A live session as an operator is shown it. */
export type SessionRow = Omit<LiveSession, 'since' | 'accountId'> & { readonly ageMs: number };

/** A reply of POP3 holds no more (RFC 2449 §4); what else must not be in it is made fit where it is read. */
const MAX_NOLOGIN_OCTETS = 400;

export function nodeVerbs(options: NodeVerbsOptions): Verbs {
  const { doors, clock } = options;
  const verbs: Record<string, Verb> = {
    ping: async () => done(state(options)),
    drain: async () => doing(options, () => doors.drain()),
    undrain: async () => doing(options, () => doors.undrain()),
    kick: async (given) => kick(options, named(options, given)),
    nologin: async (given) => {
      const wanted = optionalText(given, 'text');
      if (wanted !== undefined) checkNologin(wanted);
      await options.setNologin(wanted);
      return done({ nologin: options.nologin() ?? null });
    },
    sessions: async () => done(doors.sessions().map((session) => row(session, clock))),
    disable: (given) => disable(options, named(options, given)),
    enable: async (given) => {
      const set = await setAccountStatus(options.administration, named(options, given), 'active');
      return set.ok
        ? done({ account: set.value.name, status: 'active' satisfies AccountStatus })
        : refused(set.refusal);
    },
    reload: async () => {
      const reloaded = await options.reload();
      return reloaded.ok ? done(reloaded.value) : cannot(...reloaded.refusal);
    },
  };
  return Object.fromEntries(Object.entries(verbs).map(([name, verb]) => [name, answerable(verb)]));
}

const state = ({ version, doors }: NodeVerbsOptions) => ({
  version,
  state: doors.isDraining ? 'draining' : 'serving',
  sessions: doors.size,
});

/** What can't be done with a port is for the operator to see to: it is named. */
async function doing(options: NodeVerbsOptions, change: () => Promise<void>): Promise<ControlAnswer> {
  try {
    await change();
  } catch (error) {
    return cannot(error instanceof Error ? error.message : String(error));
  }
  return done(state(options));
}

/** By what the account keeps for ever: its sessions may have begun under another name. Its old name will do as well. */
function kick({ administration: { directory }, doors }: NodeVerbsOptions, name: string): ControlAnswer {
  const last = directory.last(name);
  if (last === undefined) return refused(no('no-such-account', name).refusal);
  const account = directory.findById(last.id)?.name ?? name;
  return done({ account, kicked: doors.kick(last.id) });
}

/** When the status has changed on this node its sessions are ended, and what was granted before is one of them. */
async function disable({ administration, closed }: NodeVerbsOptions, name: string): Promise<ControlAnswer> {
  const set = await setAccountStatus(administration, name, 'disabled');
  if (!set.ok) return refused(set.refusal);
  const { name: account, id } = set.value;
  return done({ account, status: 'disabled' satisfies AccountStatus, kicked: await closed.takeEnded(id) });
}

const refused = ({ message }: AccountRefusal): ControlAnswer => cannot(message);

function named({ administration }: NodeVerbsOptions, given: Given): string {
  const name = accountName(text(given, 'account'), administration.defaultDomain);
  if (!name.ok) throw new BadArgument(`account: ${name.refusal}`);
  return name.value;
}

function checkNologin(wanted: string): void {
  if (Buffer.byteLength(wanted) > MAX_NOLOGIN_OCTETS)
    throw new BadArgument(`text: is longer than ${MAX_NOLOGIN_OCTETS} octets`);
  if (!/^[^\p{Cc}]*[^\p{Cc}\s][^\p{Cc}]*$/u.test(wanted))
    throw new BadArgument('text: must be one line of text, and not an empty one');
}

const row = ({ since, accountId: _, ...session }: LiveSession, clock: Clock): SessionRow => ({
  ...session,
  ageMs: Math.max(0, clock.wall() - since),
});
