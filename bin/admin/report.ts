/** What an operator is shown of the nodes' answers: a table of those that did it, and a line for each that did not. */
import type { Gathered, NodeOutcome } from '../../admin/ask-nodes.ts';
import type { SessionRow } from '../../admin/node-verbs.ts';
import { NOT_UNDERSTOOD } from '../../cluster/admin/answer.ts';
import { CommandError } from '../command-error.ts';
import { printTable } from '../commands/options.ts';

type Row = Readonly<Record<string, unknown>>;

/** Columns of each verb's table, beside the node. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  ping: ['state', 'sessions', 'version'],
  drain: ['state', 'sessions'],
  undrain: ['state', 'sessions'],
  kick: ['account', 'kicked'],
  nologin: ['nologin'],
  sessions: ['session', 'peer', 'protocol', 'state', 'account', 'age', 'tls'],
  disable: ['account', 'status', 'kicked'],
  enable: ['account', 'status'],
  reload: ['applied', 'needRestart'],
};

/** @throws CommandError when a node refused, failed or was silent; all that is to be seen is printed before */
export function report(verb: string, gathered: Gathered, asJson: boolean | undefined): void {
  const understood = understand(verb, gathered);
  if (asJson) console.log(JSON.stringify(plain(understood), null, 2));
  else {
    const rows = understood.answers.flatMap((answer) => rowsOf(verb, answer));
    if (rows.length > 0 || understood.answers.some(({ outcome }) => outcome.ok))
      printTable(rows, ['node', ...COLUMNS[verb]!]);
  }
  const lines = complaints(understood);
  if (lines.length > 0) throw new CommandError(...lines);
}

/** The same with a failure in the place of what a node of another version says and this program can't read. */
export const understand = (verb: string, { answers, ...others }: Gathered): Gathered => ({
  ...others,
  answers: answers.map(({ node, outcome }) => ({
    node,
    outcome: !outcome.ok || isUnderstood(verb, outcome.value) ? outcome : NOT_UNDERSTOOD,
  })),
});

function isUnderstood(verb: string, value: unknown): boolean {
  if (verb === 'sessions') return Array.isArray(value) && value.every(isSessionRow);
  if (!isRow(value)) return false;
  return !['ping', 'drain', 'undrain'].includes(verb) || isNodeState(value);
}

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);

const isSessionRow = (value: unknown): value is SessionRow =>
  isRow(value) &&
  typeof value['address'] === 'string' &&
  typeof value['port'] === 'number' &&
  typeof value['ageMs'] === 'number';

/** What `ping`, `drain` and `undrain` are answered with. */
export type NodeState = { readonly state: string; readonly sessions: number };
export const isNodeState = (value: unknown): value is NodeState =>
  isRow(value) && typeof value['state'] === 'string' && typeof value['sessions'] === 'number';

/** One line for each thing that went wrong; none: every node did it. */
export function complaints({ answers, refused, silent }: Gathered): readonly string[] {
  if (answers.length + refused.length + silent.length === 0) return ['no node answered'];
  return [
    ...answers.flatMap(({ node, outcome }) => (outcome.ok ? [] : outcome.errors.map((error) => `${node}: ${error}`))),
    ...refused.map((node) => `${node}: refused; the log of the node says why`),
    ...silent.map((node) => `${node}: did not answer`),
  ];
}

const plain = ({ answers, refused, silent }: Gathered) => ({
  answers: answers.map(({ node, outcome }) => ({ node, ...outcome })),
  refused,
  silent,
});

function rowsOf(verb: string, { node, outcome }: NodeOutcome): readonly Row[] {
  if (!outcome.ok) return [];
  if (verb === 'sessions')
    return (outcome.value as SessionRow[]).map((session) => ({ node, ...sessionCells(session) })); // understood
  const cells = Object.entries(outcome.value as Row).map(([key, value]) => [key, cell(value)]);
  return [{ node, ...Object.fromEntries(cells) }];
}

const cell = (value: unknown): unknown => (Array.isArray(value) ? value.join(', ') || undefined : value);

const sessionCells = ({ address, port, ageMs, tls, account, ...session }: SessionRow): Row => ({
  ...session,
  account,
  peer: address === '' ? undefined : `${address.includes(':') ? `[${address}]` : address}:${port}`,
  age: age(ageMs),
  tls: tls ? 'yes' : 'no',
});

/** `2d3h`, `4h5m`, `6m7s`, `8s`. */
function age(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, length]) => seconds >= length);
  if (first < 0) return '0s';
  return units
    .slice(first, first + 2)
    .map(([unit, length], at) => `${Math.floor((at === 0 ? seconds : seconds % units[first]![1]) / length)}${unit}`)
    .join('');
}
