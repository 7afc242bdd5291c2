/** REFERENCES as RFC 5256 §3 words it, node by node and walk by walk: slow, and what the fast one is compared with. */
import type { Thread, ThreadMessage } from '../../mime/thread.ts';

type Node = { readonly message?: ThreadMessage; readonly index: number; parent: Node | undefined; children: Node[] };

export function threadLiterally(messages: readonly ThreadMessage[]): Thread[] {
  const nodes = new Map<string, Node>();
  const make = (message: ThreadMessage | undefined, index: number): Node => ({
    ...(message && { message }),
    index,
    parent: undefined,
    children: [],
  });
  const real = messages.map((message, index) => {
    const node = make(message, index);
    if (message.messageId !== undefined && !nodes.has(message.messageId)) nodes.set(message.messageId, node);
    return node;
  });
  const all = [...real];
  const find = (id: string): Node => {
    let node = nodes.get(id);
    if (node === undefined) {
      node = make(undefined, all.length);
      nodes.set(id, node);
      all.push(node);
    }
    return node;
  };
  const isAbove = (above: Node, below: Node): boolean => {
    for (let node: Node | undefined = below; node !== undefined; node = node.parent) if (node === above) return true;
    return false;
  };
  const link = (parent: Node, child: Node): void => {
    if (child.parent !== undefined || isAbove(child, parent)) return;
    child.parent = parent;
    parent.children.push(child);
  };
  const unlink = (child: Node): void => {
    if (child.parent !== undefined) child.parent.children = child.parent.children.filter((other) => other !== child);
    child.parent = undefined;
  };
  for (const node of real) {
    const { references, inReplyTo } = node.message!;
    const ids = references.length > 0 ? references : inReplyTo === undefined ? [] : [inReplyTo];
    const line = ids.map(find);
    for (let n = 1; n < line.length; n += 1) link(line[n - 1]!, line[n]!); // (1)(A)
    unlink(node); // (1)(B)
    if (line.length > 0) link(line.at(-1)!, node);
  }
  const root = make(undefined, -1);
  root.children = all.filter((node) => node.parent === undefined); // (2)
  prune(root, true); // (3)
  const first = (node: Node): Node => (node.message === undefined ? [...node.children].sort(byDate)[0]! : node);
  const byFirst = (a: Node, b: Node): number => byDate(first(a), first(b));
  root.children.sort(byFirst); // (4)
  const subject = (node: Node): string => first(node).message!.baseSubject;
  const isReply = (node: Node): boolean => node.message?.isReplyOrForward === true;
  const table = new Map<string, Node>(); // (5)(A)
  for (const node of root.children) {
    const key = subject(node);
    const other = table.get(key);
    if (key === '') continue;
    if (other === undefined) table.set(key, node);
    else if (other.message !== undefined && (node.message === undefined || (isReply(other) && !isReply(node))))
      table.set(key, node);
  }
  for (const node of [...root.children]) {
    // (5)(C)
    const key = subject(node);
    const other = table.get(key);
    if (key === '' || other === undefined || other === node || !root.children.includes(node)) continue;
    const remove = (gone: Node): void => {
      root.children = root.children.filter((child) => child !== gone);
    };
    if (node.message === undefined && other.message === undefined) {
      other.children.push(...node.children);
      remove(node);
    } else if (other.message === undefined || (isReply(node) && !isReply(other))) {
      other.children.push(node);
      remove(node);
    } else {
      const dummy = make(undefined, -1);
      dummy.children = [other, node];
      remove(other);
      remove(node);
      root.children.push(dummy);
      table.set(key, dummy);
    }
  }
  const sorted = (node: Node): Thread => {
    // (6)
    return { number: node.message?.id ?? null, children: node.children.sort(byDate).map(sorted) };
  };
  return root.children.sort(byFirst).map(sorted);
}

const byDate = (a: Node, b: Node): number => a.message!.dateMs - b.message!.dateMs || a.index - b.index;

function prune(node: Node, isRoot: boolean): void {
  for (const child of node.children) prune(child, false);
  node.children = node.children.flatMap((child) => {
    if (child.message !== undefined) return [child];
    if (child.children.length === 0) return [];
    return isRoot && child.children.length > 1 ? [child] : child.children;
  });
}
