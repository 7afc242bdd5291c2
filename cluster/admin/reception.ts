/**
 * A node's end of the admin channel: opens what comes, sees that it was not seen before, has it done, and answers. Every
 * message, taken or refused, leaves a line in the log with `audit`, before anything is done.
 *
 * A refusal tells its reason only to the operator who is proved to have sent the message: to others it is one word. What an
 * operator signed and others may have sent again is not answered at all: it would pass for the answer to what he sent.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Result } from '../../kernel/result.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Service } from '../bus/bus.ts';
import { type Outcome, sealAnswer, sealRefused } from './answer.ts';
import type { AdminChannel, Answer } from './channel.ts';
import type { AnswerKeys, KeySet } from './keys.ts';
import {
  type AdminMessage,
  audienceOf,
  type Order,
  openShape,
  type Proved,
  shapeOf,
  type Unfit,
  type UnprovedRefusal,
} from './message.ts';
import type { GuardRefusal, ReplayGuard } from './replay-guard.ts';

export type ReceptionOptions = {
  readonly me: string;
  readonly cluster: string;
  readonly channel: AdminChannel;
  /** Read anew for each message: a key that was removed has no effect from then on. */
  readonly readKeys: () => Promise<Result<KeySet, string>>;
  readonly answers: AnswerKeys;
  readonly guard: ReplayGuard;
  readonly members: () => readonly string[];
  /** Must not refuse by throwing: what it throws is a fault. */
  readonly perform: (order: Order) => Promise<Outcome>;
  readonly clock: Clock;
  readonly log: Log;
};

/** Messages that are being looked at; what comes beyond is not looked at, and counted. */
const MAX_LOOKED_AT = 64;
/** Those of operators that are being done, apart: neither do slow orders keep others out, nor does a flood keep out orders. */
export const MAX_DONE_AT_ONCE = 256;
/** So many refusals are told one by one in each interval, and answered; the others are counted. */
const TOLD = 50;
const INTERVAL_MS = 10_000;

type ProvedRefusal = {
  readonly reason: Unfit | GuardRefusal | 'too-many';
  readonly operator: string;
  readonly message?: AdminMessage;
};

/**
 * No words for `replayed` and `other-node`: who sends a message again, or to a node that it is not for, is not the operator,
 * whose command does neither, but somebody who has seen it.
 */
const WORDS: Readonly<Record<Exclude<ProvedRefusal['reason'], 'claims' | 'replayed' | 'other-node'>, string>> = {
  'too-many': 'too many orders are under way at the node',
  'other-cluster': 'the message is for another cluster',
  'lives-too-long': 'the message lives longer than a minute',
  'not-yet':
    'the message is from the future, and would be acted on if it came again later: compare the clocks of the operator and of the node',
  expired: 'the message has expired: compare the clocks of the operator and of the node',
  'not-recorded': 'the message could not be recorded, so it was not acted on: see the disk of the node',
};

/** Serves the channel until it is stopped; `stop` waits for what is being done. */
export async function startReception(options: ReceptionOptions): Promise<Service> {
  const { me, channel, clock } = options;
  const log = options.log.with({ audit: true });
  const audience = audienceOf(options.cluster, options.answers.publicJwk.kid);
  const underWay = new Set<Promise<void>>();
  let lookedAt = 0;
  /** Operators' messages that are being done, by operator and id. */
  const doing = new Set<string>();
  const tell = (count: number) =>
    log.warn('admin messages refused, not told one by one', { outcome: 'refused', count });
  const unproved = new Interval(clock, tell);
  /** Apart: whoever recorded a good message may send it for ever, and must not hide what becomes of others so. */
  const unfit = new Interval(clock, tell);

  /** @returns what is to be done, if anything is */
  const receive = async (octets: Uint8Array, answer: Answer): Promise<Proved | undefined> => {
    const shape = shapeOf(octets);
    if (!shape.ok) return refuseUnproved(shape.refusal, octets, answer);
    const keys = await options.readKeys();
    if (!keys.ok) return refuseAll(keys.refusal, octets, answer);
    const opened = await openShape(shape.value, { keys: keys.value, audience, me, nowMs: clock.wall() });
    if (!opened.ok) {
      if ('operator' in opened.refusal) return refuseProved(opened.refusal, octets, answer);
      return refuseUnproved(opened.refusal, octets, answer);
    }
    const { operator, message } = opened.value;
    // First of all: what was refused is not to be done when somebody sends it again.
    const taken = await options.guard.take(operator, message.id, message.expiresAtMs);
    if (!taken.ok) return refuseProved({ reason: taken.refusal, operator, message }, octets, answer);
    if (doing.size >= MAX_DONE_AT_ONCE) return refuseProved({ reason: 'too-many', operator, message }, octets, answer);
    return opened.value;
  };

  const refuseAll = async (reason: string, octets: Uint8Array, answer: Answer): Promise<undefined> => {
    if (!unproved.take()) return;
    log.error('admin message refused: the keys of operators can not be read', { outcome: 'refused', reason });
    answer(await sealRefused(options.answers.signing, octets, me));
  };

  const refuseUnproved = async (
    { reason, claimed }: UnprovedRefusal,
    octets: Uint8Array,
    answer: Answer,
  ): Promise<undefined> => {
    if (!unproved.take()) return;
    log.warn('admin message refused', { outcome: 'refused', reason, ...(claimed !== undefined && { claimed }) });
    answer(await sealRefused(options.answers.signing, octets, me));
  };

  const refuseProved = async (refusal: ProvedRefusal, octets: Uint8Array, answer: Answer): Promise<undefined> => {
    const { reason, operator, message } = refusal;
    if (!unfit.take()) return;
    log.warn('admin message refused', { outcome: 'refused', reason, ...auditOf(operator, message) });
    if (message === undefined || reason === 'claims') answer(await sealRefused(options.answers.signing, octets, me));
    else if (reason in WORDS && !doing.has(nameOf(operator, message))) {
      const words = WORDS[reason as keyof typeof WORDS];
      await answerWith({ ok: false, errors: [`refused: ${words}`] }, message, answer);
    }
  };

  const act = async ({ operator, message }: Proved, answer: Answer): Promise<void> => {
    const audit = auditOf(operator, message);
    log.info('admin message taken', { outcome: 'taken', ...audit });
    const outcome = await options
      .perform({ verb: message.verb, arguments: message.arguments })
      .catch((fault): Outcome => {
        log.error('an admin verb failed', { ...audit, fault });
        return { ok: false, errors: [`${message.verb}: internal fault, see the log of the node`] };
      });
    if (outcome.ok) log.info('admin message done', { outcome: 'done', ...audit });
    else log.warn('admin message not done', { outcome: 'failed', reason: outcome.errors.join('; '), ...audit });
    await answerWith(outcome, message, answer);
  };

  const answerWith = async (outcome: Outcome, message: AdminMessage, answer: Answer): Promise<void> => {
    const { signing } = options.answers;
    for (const part of await sealAnswer(signing, message, { node: me, members: options.members(), outcome }))
      answer(part);
  };

  const actNamed = async (proved: Proved, answer: Answer): Promise<void> => {
    const name = nameOf(proved.operator, proved.message);
    doing.add(name);
    await act(proved, answer).finally(() => doing.delete(name));
  };

  const service = await channel.serve(me, (octets, answer) => {
    if (lookedAt >= MAX_LOOKED_AT) return unproved.count();
    lookedAt += 1;
    const looked = receive(octets, answer).finally(() => {
      lookedAt -= 1;
    });
    const one = looked
      .then((proved) => proved && actNamed(proved, answer))
      .catch((fault) => log.error('an admin message could not be answered', { fault }));
    underWay.add(one);
    void one.finally(() => underWay.delete(one));
  });
  return {
    async stop() {
      await service.stop();
      await Promise.all(underWay);
      unproved.stop();
      unfit.stop();
    },
  };
}

const nameOf = (operator: string, message: AdminMessage): string => `${operator} ${message.id}`;

const auditOf = (operator: string, message: AdminMessage | undefined) => ({
  operator,
  ...(message && {
    verb: message.verb,
    arguments: message.arguments,
    message: message.id,
    ...(message.to !== undefined && { to: message.to }),
  }),
});

/** Lets so many through in each interval and counts the others, which are told of at its end. */
class Interval {
  readonly #clock: Clock;
  readonly #tell: (count: number) => void;
  #taken = 0;
  #untold = 0;
  #timer: { cancel(): void } | undefined;

  constructor(clock: Clock, tell: (count: number) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  take(): boolean {
    this.#begin();
    this.#taken += 1;
    if (this.#taken <= TOLD) return true;
    this.#untold += 1;
    return false;
  }

  /** One that nobody looked at. */
  count(): void {
    this.#begin();
    this.#untold += 1;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#end();
  }

  #begin(): void {
    this.#timer ??= this.#clock.after(INTERVAL_MS, () => this.#end());
  }

  #end(): void {
    if (this.#untold > 0) this.#tell(this.#untold);
    this.#taken = 0;
    this.#untold = 0;
    this.#timer = undefined;
  }
}
