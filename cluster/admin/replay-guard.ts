/**
 * Which messages this node has acted on: each at most once, also after the node was started again, for as long as a message
 * lives. A text file of one line a message; the line is on the disk before the message may act.
 *
 * Whoever deletes the file can act as an administrator anyway. A line that can't be read means that others may be missing:
 * then every message that could have been among them is taken for seen.
 */
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { CLOCK_SKEW_MS, MAX_LIFETIME_MS } from './message.ts';

/** `replayed` acted on already, or perhaps; `not-recorded` the disk would not take it, so that it must not act. */
export type GuardRefusal = 'replayed' | 'not-recorded';

export type ReplayGuard = {
  /** May this message act? Its name is on the disk when the answer is yes. */
  take(operator: string, id: string, expiresAtMs: number): Promise<Result<null, GuardRefusal>>;
  close(): Promise<void>;
};

/** Only operators' own messages are remembered; a thousand a second, and none could be taken any more. */
const MAX_REMEMBERED = 65_536;
/** Written anew when so many lines are of no more use. */
const REWRITE_AFTER = 1_000;

/**
 * @param openFile  of node:fs/promises; an argument, so that a test can have it fail
 * @throws when the file can't be read or made
 */
export async function openReplayGuard(path: string, clock: Clock, openFile: typeof open = open): Promise<ReplayGuard> {
  const { seen, forgottenUntilMs: read } = await readSeen(path, clock);
  /** Messages that expire before this may have been seen and forgotten: a clock that was put back does not revive them. */
  let forgottenUntilMs = read;
  let useless = 0;
  /** What is written to `file` may not be in the file of that name, or may be half a line. */
  let isBroken = false;
  let file = await rewrite();
  let last: Promise<unknown> = Promise.resolve();

  function forget(): void {
    for (const [key, expiresAtMs] of seen) {
      if (expiresAtMs + CLOCK_SKEW_MS > clock.wall()) continue;
      seen.delete(key);
      useless += 1;
      forgottenUntilMs = Math.max(forgottenUntilMs, expiresAtMs);
    }
  }

  /** @returns the new file, open at its end and in its place for good */
  async function rewrite(): Promise<FileHandle> {
    isBroken = true; // from the rename on the former file has no name, and what is added to it is lost
    forget();
    const lines = [...seen].map(([key, expiresAtMs]) => `${expiresAtMs} ${key}\n`);
    const next = await openFile(`${path}.new`, 'w', 0o600);
    try {
      await next.writeFile(`${FIRST} ${forgottenUntilMs}\n${lines.join('')}`);
      await next.sync();
      await rename(`${path}.new`, path);
      const directory = await openFile(dirname(path), 'r');
      await directory.sync().finally(() => directory.close());
    } catch (error) {
      await next.close();
      throw error;
    }
    useless = 0;
    isBroken = false;
    return next;
  }

  async function record(key: string, expiresAtMs: number): Promise<void> {
    if (isBroken || useless > REWRITE_AFTER) {
      const before = file;
      file = await rewrite(); // `seen` has the new one already
      await before.close();
      return;
    }
    isBroken = true; // until it is whole: half a line must not get another behind it
    await file.writeFile(`${expiresAtMs} ${key}\n`); // where the last writing ended
    await file.datasync();
    isBroken = false;
  }

  return {
    async take(operator, id, expiresAtMs) {
      const key = `${operator} ${id}`;
      forget();
      if (seen.has(key) || expiresAtMs <= forgottenUntilMs || seen.size >= MAX_REMEMBERED) return refuse('replayed');
      seen.set(key, expiresAtMs); // at once: its copy may be the next
      const recording = last.then(() => record(key, expiresAtMs));
      last = recording.catch(() => {});
      return recording.then(
        () => accept(null),
        () => refuse('not-recorded'),
      );
    },
    async close() {
      await last;
      await file.close();
    },
  };
}

/** What the first line begins with; behind it the expiry up to which messages were forgotten. */
const FIRST = 'homing-admin-seen 1';

async function readSeen(path: string, clock: Clock) {
  const seen = new Map<string, number>();
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return { seen, forgottenUntilMs: 0 };
  const [first = '', ...lines] = text.split('\n');
  const torn = lines.pop(); // what a line end does not close was not acted on
  const [, until] = first.startsWith(`${FIRST} `) ? (/^([0-9]+)$/.exec(first.slice(FIRST.length + 1)) ?? []) : [];
  let isDamaged = until === undefined || torn === undefined;
  for (const line of lines) {
    const [, expiresAtMs, key] = /^([0-9]+) (\S+ \S+)$/.exec(line) ?? [];
    if (key === undefined) isDamaged = true;
    else seen.set(key, Number(expiresAtMs));
  }
  const anyUntilMs = isDamaged ? clock.wall() + MAX_LIFETIME_MS + 2 * CLOCK_SKEW_MS : 0;
  return { seen, forgottenUntilMs: Math.max(Number(until ?? 0), anyUntilMs) };
}
