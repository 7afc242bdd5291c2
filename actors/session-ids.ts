/** Names sessions: unique for ever, over all nodes and restarts, as numbered requests and APOP timestamps need them. */

/**
 * @param startId  unique to this start of this node, random; letters, digits and `-`
 * @returns a function that gives a new id at each call: `<startId>.<count>`, fit for a `msg-id`'s left side (RFC 1939 §7)
 */
export function sessionIds(startId: string): () => string {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(startId)) throw new RangeError('a start id is 1 to 64 letters, digits and hyphens');
  let count = 0;
  return () => `${startId}.${++count}`;
}
