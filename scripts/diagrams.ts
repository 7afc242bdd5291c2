/**
 * Draws each state machine that runs into docs/diagrams/<name>.md, as a Mermaid state diagram. `npm run diagrams`;
 * with `--check` it writes nothing and fails when a file is not what it would write.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { imapMachine } from '../actors/imap/machine.ts';
import { lmtpMachine } from '../actors/lmtp/machine.ts';
import { mailboxOwnerMachine, mailHostMachine } from '../actors/mailbox-owner/machine.ts';
import { pop3Machine } from '../actors/pop3/machine.ts';
import { poppwdMachine } from '../actors/poppwd/machine.ts';
import { childMachine } from '../actors/supervisor.ts';

type Drawn = {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly machine: AnyStateMachine;
};

/** Every machine of the product: add yours here. */
const machines: readonly Drawn[] = [
  { name: 'pop3', title: 'The POP3 session (RFC 1939 §3)', source: 'actors/pop3/machine.ts', machine: pop3Machine },
  { name: 'imap', title: 'The IMAP session (RFC 9051 §3)', source: 'actors/imap/machine.ts', machine: imapMachine },
  { name: 'lmtp', title: 'The LMTP session (RFC 2033 §4)', source: 'actors/lmtp/machine.ts', machine: lmtpMachine },
  { name: 'poppwd', title: 'The poppwd session', source: 'actors/poppwd/machine.ts', machine: poppwdMachine },
  {
    name: 'mail-host',
    title: 'A mailHost on one node: from waiting for its lease to giving it back',
    source: 'actors/mailbox-owner/machine.ts',
    machine: mailHostMachine,
  },
  {
    name: 'mailbox-owner',
    title: "An account's mailbox owner: started on demand, asleep when idle",
    source: 'actors/mailbox-owner/machine.ts',
    machine: mailboxOwnerMachine,
  },
  {
    name: 'supervised-child',
    title: "A supervised child's life",
    source: 'actors/supervisor.ts',
    machine: childMachine,
  },
];

/** One arrow for each pair of states, labelled with what leads from the one to the other. */
export function mermaid(machine: AnyStateMachine): string {
  const lines = ['stateDiagram-v2', ...states(machine.root, '  ')];
  for (const [arrow, labels] of arrows(machine.root)) lines.push(`  ${arrow} : ${[...labels].join(', ')}`);
  lines.push(...notes(machine.root));
  return lines.join('\n') + '\n';
}

const children = (node: AnyStateNode): readonly AnyStateNode[] => Object.values(node.states);
const idOf = (node: AnyStateNode): string => node.path.join('_');

/** States with their children inside, each with its beginning and its end. */
function* states(node: AnyStateNode, indent: string): Generator<string> {
  for (const child of children(node)) {
    const isNest = children(child).length > 0;
    yield `${indent}state "${child.key}" as ${idOf(child)}${isNest ? ' {' : ''}`;
    if (isNest) {
      yield* states(child, indent + '  ');
      yield `${indent}}`;
    }
    if (node.config.initial === child.key) yield `${indent}[*] --> ${idOf(child)}`;
    if (child.type === 'final') yield `${indent}${idOf(child)} --> [*]`;
  }
}

function arrows(root: AnyStateNode): ReadonlyMap<string, ReadonlySet<string>> {
  const drawn = new Map<string, Set<string>>();
  for (const node of everyNode(root))
    for (const transition of [...node.transitions.values(), node.always ?? []].flat())
      for (const target of transition.target ?? []) {
        // What the root hears holds in every state that commands are sent to; Mermaid wants an arrow from each.
        const sources = node === root ? children(root).filter((child) => child !== target && listens(child)) : [node];
        for (const source of sources) {
          const arrow = `${idOf(source)} --> ${idOf(target)}`;
          drawn.set(arrow, (drawn.get(arrow) ?? new Set()).add(labelOf(node, transition)));
        }
      }
  return drawn;
}

/** Events that a state answers and stays. */
function* notes(root: AnyStateNode): Generator<string> {
  for (const node of everyNode(root).filter((each) => each !== root)) {
    const events = [...node.transitions.values()].flat().filter((transition) => transition.target === undefined);
    const names = new Set(events.map(({ eventType }) => eventType));
    if (names.size > 0) yield `  note right of ${idOf(node)} : answers ${[...names].join(', ')}`;
  }
}

/** Is anything ever sent to it? Only states with the tag `ready`, or with one inside, are sent commands. */
const listens = (node: AnyStateNode): boolean => node.tags.includes('ready') || children(node).some(listens);

const everyNode = (node: AnyStateNode): readonly AnyStateNode[] => [node, ...children(node).flatMap(everyNode)];

function labelOf(node: AnyStateNode, { eventType, guard }: { eventType: string; guard?: unknown }): string {
  const [, outcome] = /^xstate\.(done|error)\.actor\./.exec(eventType) ?? [];
  const [, delay] = /^xstate\.after\.([^.]+)\./.exec(eventType) ?? [];
  const asked = node.invoke.map(({ src }) => (typeof src === 'string' ? src : 'asked')).join(', ');
  const event =
    outcome === 'done'
      ? `${asked} answered`
      : outcome === 'error'
        ? `${asked} broke`
        : delay
          ? `after ${delay}`
          : eventType;
  const named = guardName(guard);
  return [event === '' ? undefined : event, named && `[${named}]`].filter(Boolean).join(' ') || 'at once';
}

function guardName(guard: unknown): string | undefined {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'function') return guard.name;
  return (guard as { type?: string } | undefined)?.type;
}

const page = ({ title, source, machine }: Drawn): string =>
  `# ${title}\n\nDrawn from \`${source}\` by \`npm run diagrams\`; do not edit.\n\n\`\`\`mermaid\n${mermaid(machine)}\`\`\`\n`;

function main(isCheck: boolean): number {
  const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'docs', 'diagrams');
  const wanted = new Map(machines.map((drawn) => [`${drawn.name}.md`, page(drawn)]));
  if (!isCheck) {
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of wanted) writeFileSync(join(folder, file), text);
    return 0;
  }
  const present = readdirSync(folder);
  const stale = [...wanted].filter(
    ([file, text]) => !present.includes(file) || readFileSync(join(folder, file), 'utf8') !== text,
  );
  const orphans = present.filter((file) => !wanted.has(file));
  for (const [file] of stale)
    console.error(`${relative('.', join(folder, file))}: not up to date, run: npm run diagrams`);
  for (const file of orphans) console.error(`${relative('.', join(folder, file))}: no machine of that name is drawn`);
  return stale.length + orphans.length;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.exitCode = main(process.argv.includes('--check')) ? 1 : 0;
