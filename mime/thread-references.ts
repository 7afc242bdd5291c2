/**
 * THREAD REFERENCES: RFC 5256 §3, step by step as it numbers them. No recursion and no walk from each message to its root:
 * references that form loops, or one chain through a whole mailbox, cost what others do.
 */
import { Ancestry } from './ancestry.ts';
import type { ThreadEntry, ThreadMessage } from './thread.ts';

const NONE = -1;

/** @param messages  in the order of the mailbox, which decides between equal dates and identifiers */
export function threadByReferences(messages: readonly ThreadMessage[]): ThreadEntry[] {
  const thread = new Threads(messages, parentsOf(messages));
  thread.mergeSubjects();
  return thread.entries();
}

/**
 * Step 1: the parent of each message, and behind them of each that is only referred to: NONE where there is none. The
 * first message with an identifier has it; later ones, and those without, are referred to by nobody.
 */
function parentsOf(messages: readonly ThreadMessage[]): Int32Array {
  const nodes = new Map<string, number>();
  for (const [index, { messageId }] of messages.entries())
    if (messageId !== undefined && !nodes.has(messageId)) nodes.set(messageId, index);
  let size = messages.length;
  const ancestors = messages.map((message) =>
    referencesOf(message).map((id) => {
      let node = nodes.get(id);
      if (node === undefined) {
        node = size;
        size += 1;
        nodes.set(id, node);
      }
      return node;
    }),
  );
  const links = new Links(size);
  for (const [index, references] of ancestors.entries()) {
    for (let n = 1; n < references.length; n += 1) links.add(references[n - 1]!, references[n]!); // (A)
    links.replace(references.at(-1) ?? NONE, index); // (B)
  }
  return links.parents;
}

const referencesOf = ({ references, inReplyTo }: ThreadMessage): readonly string[] =>
  references.length > 0 || inReplyTo === undefined ? references : [inReplyTo];

class Links {
  readonly parents: Int32Array;
  readonly #children: Int32Array;
  readonly #ancestry: Ancestry;

  constructor(size: number) {
    this.parents = new Int32Array(size).fill(NONE);
    this.#children = new Int32Array(size);
    this.#ancestry = new Ancestry(size);
  }

  /** A link that exists is not changed, and none is made that would close a loop. */
  add(parent: number, child: number): void {
    if (parent === child || this.parents[child] !== NONE) return;
    // The child is the root of its tree: a loop if the parent is in it.
    if (this.#children[child]! > 0 && this.#ancestry.rootOf(parent) === child) return;
    this.#ancestry.link(child, parent);
    this.parents[child] = parent;
    this.#children[parent]! += 1;
  }

  replace(parent: number, child: number): void {
    const before = this.parents[child]!;
    if (before === parent) return;
    if (before !== NONE) {
      this.#ancestry.cut(child);
      this.parents[child] = NONE;
      this.#children[before]! -= 1;
    }
    if (parent !== NONE) this.add(parent, child);
  }
}

/** Steps 2 to 6. A node below `messages.length` is a message, any other a dummy. */
class Threads {
  readonly #messages: readonly ThreadMessage[];
  readonly #children = new Map<number, number[]>();
  #roots: number[] = [];
  #nextDummy: number;

  constructor(messages: readonly ThreadMessage[], parents: Int32Array) {
    this.#messages = messages;
    this.#nextDummy = parents.length;
    this.#prune(parents);
    this.#sort(); // step 4, and the children of real messages already
  }

  /**
   * Steps 2 and 3: messages below dummies go up to the next message above, or stay below the topmost dummy, which goes too
   * if only one is left to it.
   */
  #prune(parents: Int32Array): void {
    const below = childLists(parents);
    const anchors = new Int32Array(parents.length).fill(NONE);
    const queue: number[] = [];
    for (const [node, parent] of parents.entries()) if (parent === NONE) queue.push(node);
    for (let n = 0; n < queue.length; n += 1) {
      const node = queue[n]!;
      const anchor = anchors[node]!;
      if (anchor !== NONE && this.#isMessage(node)) this.#childrenOf(anchor).push(node);
      for (const child of below(node)) {
        anchors[child] = this.#isMessage(node) || anchor === NONE ? node : anchor;
        queue.push(child);
      }
    }
    for (const [node, parent] of parents.entries()) {
      if (parent !== NONE) continue;
      const children = this.#children.get(node) ?? [];
      if (this.#isMessage(node)) this.#roots.push(node);
      else if (children.length === 1) this.#roots.push(children[0]!);
      else if (children.length > 1) this.#roots.push(node);
    }
  }

  /** Step 5: threads with the same base subject are one. */
  mergeSubjects(): void {
    const table = this.#subjectTable();
    const moved = new Set<number>();
    const dummies: number[] = [];
    for (const root of this.#roots) {
      const subject = this.#first(root).baseSubject;
      const other = table.get(subject);
      if (other === undefined || other === root || moved.has(root)) continue;
      moved.add(root);
      if (!this.#isMessage(other)) {
        // Children of a dummy that goes, or the message itself.
        const added = this.#isMessage(root) ? [root] : this.#childrenOf(root);
        for (const node of added) this.#childrenOf(other).push(node);
      } else if (this.#isReply(root) && !this.#isReply(other)) {
        this.#childrenOf(other).push(root);
      } else {
        const dummy = this.#nextDummy;
        this.#nextDummy += 1;
        this.#childrenOf(dummy).push(other, root);
        moved.add(other);
        dummies.push(dummy);
        table.set(subject, dummy);
      }
    }
    this.#roots = [...this.#roots.filter((root) => !moved.has(root)), ...dummies];
    this.#sort(); // step 6
  }

  entries(): ThreadEntry[] {
    const entries: ThreadEntry[] = [];
    const stack = this.#roots.map((node) => ({ node, depth: 0 })).reverse();
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const { node, depth } = top;
      entries.push({ id: this.#isMessage(node) ? this.#messages[node]!.id : null, depth });
      const children = this.#children.get(node) ?? [];
      for (let n = children.length - 1; n >= 0; n -= 1) stack.push({ node: children[n]!, depth: depth + 1 });
    }
    return entries;
  }

  /** Step 5 (B): a dummy goes before a message, and an original before a reply. */
  #subjectTable(): Map<string, number> {
    const table = new Map<string, number>();
    for (const root of this.#roots) {
      const subject = this.#first(root).baseSubject;
      if (subject === '') continue;
      const other = table.get(subject);
      const isBetter =
        other === undefined ||
        (this.#isMessage(other) && (!this.#isMessage(root) || (this.#isReply(other) && !this.#isReply(root))));
      if (isBetter) table.set(subject, root);
    }
    return table;
  }

  /** All siblings by sent date; dummies, which are roots only, by their first child's. */
  #sort(): void {
    const messages = this.#messages;
    const byDate = (a: number, b: number) => messages[a]!.dateMs - messages[b]!.dateMs || a - b;
    for (const children of this.#children.values()) children.sort(byDate);
    const firsts = new Map(this.#roots.map((root) => [root, this.#firstNode(root)]));
    this.#roots.sort((a, b) => byDate(firsts.get(a)!, firsts.get(b)!));
  }

  #firstNode(root: number): number {
    return this.#isMessage(root) ? root : this.#childrenOf(root)[0]!;
  }

  /** What gives a thread its subject and date: the message itself, or a dummy's first child. */
  #first(root: number): ThreadMessage {
    return this.#messages[this.#firstNode(root)]!;
  }

  #isMessage(node: number): boolean {
    return node < this.#messages.length;
  }

  #isReply(node: number): boolean {
    return this.#isMessage(node) && this.#messages[node]!.isReplyOrForward;
  }

  #childrenOf(node: number): number[] {
    let children = this.#children.get(node);
    if (children === undefined) {
      children = [];
      this.#children.set(node, children);
    }
    return children;
  }
}

/** The children of each node, all in one array. */
function childLists(parents: Int32Array): (node: number) => Int32Array {
  const starts = new Int32Array(parents.length + 1);
  for (const parent of parents) if (parent !== NONE) starts[parent + 1]! += 1;
  for (let node = 0; node < parents.length; node += 1) starts[node + 1]! += starts[node]!;
  const lists = new Int32Array(starts[parents.length]!);
  const filled = starts.slice();
  for (const [node, parent] of parents.entries()) {
    if (parent === NONE) continue;
    lists[filled[parent]!] = node;
    filled[parent]! += 1;
  }
  return (node) => lists.subarray(starts[node]!, starts[node + 1]!);
}
