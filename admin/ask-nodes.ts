/**
 * An order for nodes that came over one node's control socket: that node asks the others over the bus, which is sealed, and
 * tells who answered what. Answers come as streams, since a list of sessions may be longer than one message.
 *
 * Every node writes an audit line of what it was made to do, with the node whose control socket it came by.
 */
import { NOT_UNDERSTOOD, type Outcome, outcomeIn } from '../cluster/admin/answer.ts';
import type { Order } from '../cluster/admin/message.ts';
import { type Bus, BusError, MAX_CHUNK, type Service } from '../cluster/bus/bus.ts';
import type { Members } from '../cluster/directory/directory.ts';
import type { Subjects } from '../cluster/subjects.ts';
import type { Log } from '../telemetry/log.ts';
import { answerable, BadArgument, optionalText, text } from './arguments.ts';
import { cannot, done, type Verb, type Verbs } from './control.ts';

export type NodeOutcome = { readonly node: string; readonly outcome: Outcome };

/** The same for signed messages and for the control socket. */
export type Gathered = {
  readonly answers: readonly NodeOutcome[];
  /** Nodes that said `refused` and no more. */
  readonly refused: readonly string[];
  readonly silent: readonly string[];
};

export type AskNodesOptions = {
  readonly me: string;
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly members: Members;
  readonly verbs: Verbs;
  readonly log: Log;
};

/** Does one order on this node. Never rejects: a fault is the log's to tell in full. */
export async function perform(verbs: Verbs, { verb, arguments: given }: Order, log: Log): Promise<Outcome> {
  const known = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!known) return cannot(`this node does not know the verb ${JSON.stringify(verb)}`);
  try {
    return await known(given);
  } catch (fault) {
    log.error('an admin verb failed', { verb, fault });
    return cannot(`${verb}: internal fault, see the log of the node`);
  }
}

/** Has this node do what operators order of it by other nodes' control sockets, and by its own. */
export function serveOrders({ me, bus, subjects, verbs, log }: AskNodesOptions): Promise<Service> {
  const audited = log.with({ audit: true });
  return bus.serveStream(subjects.node(me, 'admin'), async function* (request) {
    const { verb, arguments: given, by } = readRequest(request);
    const audit = { by, verb, arguments: given };
    audited.info('admin order taken', { outcome: 'taken', ...audit });
    const outcome = await perform(verbs, { verb, arguments: given }, log);
    if (outcome.ok) audited.info('admin order done', { outcome: 'done', ...audit });
    else audited.warn('admin order not done', { outcome: 'failed', reason: outcome.errors.join('; '), ...audit });
    const whole = Buffer.from(JSON.stringify(outcome));
    for (let at = 0; at < whole.length; at += MAX_CHUNK) yield new Uint8Array(whole.subarray(at, at + MAX_CHUNK));
  });
}

/** The control socket's verb `admin`: `verb`, `arguments`, `to` (one node, or all), `timeoutMs`. */
export const adminVerb = (options: AskNodesOptions): Verb =>
  answerable(async (given) => {
    const { arguments: inner = {}, timeoutMs } = given;
    if (!isRecord(inner)) throw new BadArgument('arguments: must be an object');
    if (typeof timeoutMs !== 'number' || !(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS))
      throw new BadArgument('timeoutMs: must be a number of milliseconds, at most an hour');
    const order = { verb: text(given, 'verb'), arguments: inner };
    return done(await askNodes(options, order, optionalText(given, 'to'), timeoutMs));
  });

const MAX_TIMEOUT_MS = 3_600_000;

/** @param to  one node; absent: every registered one */
export async function askNodes(
  { me, bus, subjects, members }: AskNodesOptions,
  order: Order,
  to: string | undefined,
  timeoutMs: number,
): Promise<Gathered> {
  const nodes = to === undefined ? members.list().map((member) => member.me) : [to];
  const request = { ...order, by: `the control socket of ${me}` };
  const asked = nodes.sort().map(async (node) => {
    const outcome = await read(bus.stream(subjects.node(node, 'admin'), request, { idleTimeoutMs: timeoutMs }));
    return { node, outcome };
  });
  const heard = await Promise.all(asked);
  return {
    answers: heard.flatMap(({ node, outcome }) => (outcome ? [{ node, outcome }] : [])),
    refused: [],
    silent: heard.flatMap(({ node, outcome }) => (outcome ? [] : [node])),
  };
}

/** Undefined: no whole answer came. */
async function read(chunks: AsyncIterable<Uint8Array>): Promise<Outcome | undefined> {
  const read: Uint8Array[] = [];
  try {
    for await (const chunk of chunks) read.push(chunk.slice());
  } catch (error) {
    if (error instanceof BusError) return undefined;
    throw error;
  }
  try {
    return outcomeIn(JSON.parse(Buffer.concat(read).toString('utf8'))); // a node sealed it, but perhaps of another version
  } catch {
    return NOT_UNDERSTOOD; // SyntaxError
  }
}

/** Sealed by a node, but perhaps of another version. */
function readRequest(request: unknown): Order & { readonly by: string } {
  const { verb, arguments: given, by } = isRecord(request) ? request : {};
  if (typeof verb !== 'string' || !isRecord(given) || typeof by !== 'string')
    throw new TypeError('an order between nodes has a verb, arguments and by whose control socket it came');
  return { verb, arguments: given, by };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
