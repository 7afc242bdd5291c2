/**
 * The delimiters that may come, while multiparts are open: RFC 2046 §5.1.1. A line is one when its beginning is; of several
 * that fit the longest is meant, and of equal ones the innermost. A prefix tree, so that a line costs its own length at
 * most, however many multiparts are open.
 */
const DASH = 0x2d;

/** Boundaries are 70 characters or less (RFC 2046 §5.1.1). Of longer ones this much is compared: as much as a line holds. */
export const MAX_BOUNDARY_OCTETS = 1000;

/** A line that is longer is a delimiter by its beginning, or none. */
export const MAX_DELIMITER_OCTETS = MAX_BOUNDARY_OCTETS + 4;

/** Most have one node after them: only where ways part is there a map. */
type Node<T> = {
  readonly octet: number;
  readonly parent: Node<T> | undefined;
  first: Node<T> | undefined;
  others: Map<number, Node<T>> | undefined;
  readonly owners: T[];
};

export type Match<T> = { readonly owner: T; readonly closes: boolean };

export class Boundaries<T> {
  readonly #root: Node<T> = newNode<T>(0, undefined);
  readonly #ends = new Map<T, Node<T>>();
  /** Octets compared so far: what the looking cost. */
  steps = 0;

  get isEmpty(): boolean {
    return this.#ends.size === 0;
  }

  /** @param boundary  latin1 text, not empty */
  open(owner: T, boundary: string): void {
    let node = this.#root;
    for (let at = 0; at < Math.min(boundary.length, MAX_BOUNDARY_OCTETS); at += 1) {
      const octet = boundary.charCodeAt(at);
      node = after(node, octet) ?? add(newNode(octet, node), node);
      this.steps += 1;
    }
    node.owners.push(owner);
    this.#ends.set(owner, node);
  }

  /** Innermost first: the last opened of equal boundaries is the first to close. */
  close(owner: T): void {
    const end = this.#ends.get(owner);
    if (end === undefined) return;
    this.#ends.delete(owner);
    end.owners.splice(end.owners.lastIndexOf(owner), 1);
    for (let node = end; node.parent !== undefined && isUnused(node); node = node.parent) {
      if (node.parent.first === node) node.parent.first = undefined;
      else node.parent.others?.delete(node.octet);
      this.steps += 1;
    }
  }

  /** @param line  its first MAX_DELIMITER_OCTETS, or all of it */
  match(line: Uint8Array): Match<T> | undefined {
    if (this.isEmpty || line[0] !== DASH || line[1] !== DASH) return undefined;
    let found: Match<T> | undefined;
    let node: Node<T> | undefined = this.#root;
    for (let at = 2; ; at += 1) {
      const owner: T | undefined = node.owners.at(-1);
      if (owner !== undefined) found = { owner, closes: line[at] === DASH && line[at + 1] === DASH };
      node = at < line.length ? after(node, line[at]!) : undefined;
      if (node === undefined) return found;
      this.steps += 1;
    }
  }
}

function newNode<T>(octet: number, parent: Node<T> | undefined): Node<T> {
  return { octet, parent, first: undefined, others: undefined, owners: [] };
}

function after<T>(node: Node<T>, octet: number): Node<T> | undefined {
  return node.first?.octet === octet ? node.first : node.others?.get(octet);
}

function add<T>(node: Node<T>, parent: Node<T>): Node<T> {
  if (parent.first === undefined) parent.first = node;
  else {
    parent.others ??= new Map();
    parent.others.set(node.octet, node);
  }
  return node;
}

const isUnused = (node: Node<unknown>): boolean =>
  node.owners.length === 0 && node.first === undefined && (node.others === undefined || node.others.size === 0);
