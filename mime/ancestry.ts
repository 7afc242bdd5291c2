/**
 * Who is above whom in a forest that is made and unmade link by link: each step costs the logarithm of its size, also where
 * a mailbox is one thread of a hundred thousand messages. Sleator and Tarjan's link-cut trees; nodes are numbers from 0.
 */

/** The tree above a node is kept as paths, each a splay tree ordered from the top; 0 is none, so that nodes count from 1. */
export class Ancestry {
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  /** The parent in the splay tree; from its root, the node that the path hangs below. */
  readonly #up: Int32Array;

  /** @param size  how many nodes there are, each a tree of its own */
  constructor(size: number) {
    this.#left = new Int32Array(size + 1);
    this.#right = new Int32Array(size + 1);
    this.#up = new Int32Array(size + 1);
  }

  /** Puts the root of a tree below a node of another. */
  link(root: number, parent: number): void {
    this.#expose(root + 1);
    this.#up[root + 1] = parent + 1;
  }

  /** Takes a node that has a parent, and all below it, out of its tree. */
  cut(node: number): void {
    const x = node + 1;
    this.#expose(x);
    this.#up[this.#left[x]!] = 0;
    this.#left[x] = 0;
  }

  rootOf(node: number): number {
    let x = node + 1;
    this.#expose(x);
    while (this.#left[x] !== 0) x = this.#left[x]!;
    this.#splay(x);
    return x - 1;
  }

  /** Makes the way from the root to the node one path, with the node at the top of its splay tree. */
  #expose(node: number): void {
    let below = 0;
    for (let x = node; x !== 0; x = this.#up[x]!) {
      this.#splay(x);
      this.#right[x] = below;
      below = x;
    }
    this.#splay(node);
  }

  #isTop(x: number): boolean {
    const up = this.#up[x]!;
    return up === 0 || (this.#left[up] !== x && this.#right[up] !== x);
  }

  #splay(x: number): void {
    while (!this.#isTop(x)) {
      const up = this.#up[x]!;
      if (!this.#isTop(up)) {
        const isStraight = (this.#left[up] === x) === (this.#left[this.#up[up]!] === up);
        this.#rotate(isStraight ? up : x);
      }
      this.#rotate(x);
    }
  }

  #rotate(x: number): void {
    const up = this.#up[x]!;
    const above = this.#up[up]!;
    if (!this.#isTop(up)) {
      if (this.#left[above] === up) this.#left[above] = x;
      else this.#right[above] = x;
    }
    const [near, far] = this.#left[up] === x ? [this.#left, this.#right] : [this.#right, this.#left];
    const moved = far[x]!;
    near[up] = moved;
    if (moved !== 0) this.#up[moved] = up;
    far[x] = up;
    this.#up[up] = x;
    this.#up[x] = above;
  }
}
