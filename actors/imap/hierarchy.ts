/**
 * What LIST and LSUB tell of names: which match, and with which attributes. RFC 9051 §6.3.9 and §7.3.1, RFC 5258, RFC 3501 §6.3.9.
 * Pure: mailboxes and subscriptions go in, names come out.
 */
import type { ListSelection } from '../../protocols/imap/command.ts';
import { byName, type Listed, superiors } from './listing.ts';
import type { Pattern } from './patterns.ts';

export type Known = { readonly mailboxes: readonly Listed[]; readonly subscribed: readonly string[] };

export type Named = {
  readonly name: string;
  /** Absent: there is no such mailbox, but a subscription to it, or mailboxes below it. */
  readonly listed?: Listed | undefined;
  readonly isSubscribed: boolean;
  readonly hasChildren: boolean;
  /** Some name below it meets the selection (CHILDINFO). */
  readonly hasSelectedChildren: boolean;
};

type Node = { listed?: Listed; isSubscribed: boolean; hasChildren: boolean; hasSelected: boolean; hasUnshown: boolean };

/** The names that match, in order; RFC 9051 §6.3.9.3 says which. */
export function namesFor(
  known: Known,
  patterns: readonly Pattern[],
  selection: readonly ListSelection[],
): readonly Named[] {
  const nodes = nodesOf(known);
  const matches = (name: string): boolean => patterns.some((pattern) => pattern.matches(name));
  const isSelected = ({ listed, isSubscribed, hasChildren }: Node): boolean =>
    (selection.includes('SUBSCRIBED') ? isSubscribed : listed !== undefined || (hasChildren && !selects(selection))) &&
    (!selection.includes('SPECIAL-USE') || listed?.mailbox.specialUse !== undefined);
  for (const [name, node] of nodes) {
    if (!isSelected(node)) continue;
    const isShown = matches(name);
    for (const superior of superiors(name)) {
      const above = nodes.get(superior)!;
      above.hasSelected = true;
      if (!isShown) above.hasUnshown = true;
    }
  }
  const isRecursive = selection.includes('RECURSIVEMATCH');
  return [...nodes]
    .filter(([name, node]) => matches(name) && (isSelected(node) || (isRecursive && isParent(node))))
    .map(([name, { listed, isSubscribed, hasChildren, hasSelected }]) => ({
      name,
      listed,
      isSubscribed,
      hasChildren,
      hasSelectedChildren: hasSelected,
    }))
    .sort((a, b) => byName(a.name, b.name));
}

/**
 * RFC 3501 §6.3.9: the names subscribed to, and where the pattern stops at a level above one, that level, which is not.
 */
export function subscribedFor(
  known: readonly string[],
  pattern: Pattern,
): readonly Pick<Named, 'name' | 'isSubscribed'>[] {
  const found = new Map<string, boolean>();
  for (const name of known) {
    if (pattern.matches(name)) found.set(name, true);
    else {
      for (const superior of superiors(name))
        if (pattern.matches(superior) && !found.has(superior)) found.set(superior, known.includes(superior));
    }
  }
  return [...found].map(([name, isSubscribed]) => ({ name, isSubscribed })).sort((a, b) => byName(a.name, b.name));
}

/** Told for its children: redundant where those that matter are told themselves, and it is nothing by itself. */
const isParent = ({ listed, hasSelected, hasUnshown }: Node): boolean =>
  hasUnshown || (hasSelected && listed !== undefined);

const selects = (selection: readonly ListSelection[]): boolean =>
  selection.includes('SUBSCRIBED') || selection.includes('SPECIAL-USE');

function nodesOf({ mailboxes, subscribed }: Known): Map<string, Node> {
  const nodes = new Map<string, Node>();
  const nodeOf = (name: string): Node => {
    const there = nodes.get(name);
    if (there !== undefined) return there;
    const made = { isSubscribed: false, hasChildren: false, hasSelected: false, hasUnshown: false };
    nodes.set(name, made);
    return made;
  };
  for (const listed of mailboxes) {
    nodeOf(listed.place.shown).listed = listed;
    for (const superior of superiors(listed.place.shown)) nodeOf(superior).hasChildren = true;
  }
  for (const name of subscribed) {
    nodeOf(name).isSubscribed = true;
    for (const superior of superiors(name)) nodeOf(superior);
  }
  return nodes;
}
