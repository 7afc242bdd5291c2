/**
 * THREAD: RFC 5256 §3. What a message brings to it, the answer, and ORDEREDSUBJECT; REFERENCES is in thread-references.ts.
 * The answer is a flat list, since a thread may be as deep as the mailbox has messages.
 */

/** One message that matched the search, as its stored keys tell it. */
export type ThreadMessage = {
  /** The number that the answer names it by. */
  readonly id: number;
  /** From `messageIds`: the first in Message-ID. */
  readonly messageId: string | undefined;
  /** From `messageIds`: all in References. */
  readonly references: readonly string[];
  /** From `messageIds`: the first in In-Reply-To. */
  readonly inReplyTo: string | undefined;
  /** The base subject in the form of `casemap`. */
  readonly baseSubject: string;
  readonly isReplyOrForward: boolean;
  /** The sent date, or the internal date where there is none: UTC, in milliseconds. */
  readonly dateMs: number;
};

/**
 * One message in its thread, behind its parent: the last one before it of a depth less by one. `id` null: a message that
 * is not there holds those below it together; only at depth 0.
 */
export type ThreadEntry = { readonly id: number | null; readonly depth: number };

export type Thread = { readonly number: number | null; readonly children: readonly Thread[] };

/**
 * ORDEREDSUBJECT: RFC 5256 §3.
 * @param messages  in the order of the mailbox, which decides between equal dates
 */
export function threadByOrderedSubject(messages: readonly ThreadMessage[]): ThreadEntry[] {
  const bySubject = new Map<string, number[]>();
  for (const [index, message] of messages.entries()) {
    const thread = bySubject.get(message.baseSubject);
    if (thread === undefined) bySubject.set(message.baseSubject, [index]);
    else thread.push(index);
  }
  const byDate = (a: number, b: number) => messages[a]!.dateMs - messages[b]!.dateMs || a - b;
  const threads = [...bySubject.values()];
  for (const thread of threads) thread.sort(byDate);
  threads.sort((a, b) => byDate(a[0]!, b[0]!));
  return threads.flatMap((thread) => thread.map((index, n) => ({ id: messages[index]!.id, depth: n === 0 ? 0 : 1 })));
}

/** The same as a tree, which must be walked without recursion too. */
export function nestThreads(entries: Iterable<ThreadEntry>): Thread[] {
  const path: { readonly number: number | null; readonly children: Thread[] }[] = [{ number: null, children: [] }];
  for (const { id, depth } of entries) {
    path.length = depth + 1;
    const thread = { number: id, children: [] };
    path[depth]!.children.push(thread);
    path.push(thread);
  }
  return path[0]!.children;
}
