/**
 * Subjects below `homing.<cluster>.` (docs/architecture.md, "The bus"). The one place that spells them.
 */

/**
 * A NATS subject token from any text: letters, digits, `-` and `_` stay; every other octet (and `=`) becomes `=XX`,
 * upper-case hex. Reversible by `fromToken`; also legal as a KV key, which rejects `@`.
 */
export function token(text: string): string {
  if (text === '') return '=';
  let out = '';
  for (const octet of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(octet);
    out += /[A-Za-z0-9_-]/.test(char) ? char : '=' + octet.toString(16).toUpperCase().padStart(2, '0');
  }
  return out;
}

/** The text that `token` encoded. */
export function fromToken(encoded: string): string {
  if (encoded === '=') return '';
  const octets: number[] = [];
  for (let at = 0; at < encoded.length; at++) {
    if (encoded[at] !== '=') octets.push(encoded.charCodeAt(at));
    else {
      octets.push(Number.parseInt(encoded.slice(at + 1, at + 3), 16));
      at += 2;
    }
  }
  return Buffer.from(octets).toString('utf8');
}

export type Subjects = ReturnType<typeof subjects>;

export function subjects(cluster: string) {
  const root = `homing.${token(cluster)}`;
  return {
    /** Served by authenticators, queue group `authenticators`. */
    auth: (operation: string) => `${root}.auth.${operation}`,
    /** Served by the leaseholder of that mailHost. */
    mail: (mailHost: string, operation: string) => `${root}.mail.${token(mailHost)}.${operation}`,
    /** Published by owners after commit. */
    changed: (mailHost: string, account: string) => `${root}.changed.${token(mailHost)}.${token(account)}`,
    /** Published by owners when they begin. */
    changedOwner: (mailHost: string) => `${root}.changed.${token(mailHost)}`,
    /** Served by that node. */
    node: (me: string, operation: string) => `${root}.node.${token(me)}.${operation}`,
    /**
     * Operators' signed messages: to that node, or to all. Which of the two is meant is said inside, under the signature; so
     * a node may be called `all`, or `inbox`.
     */
    admin: (me: string | undefined) => `${root}.admin.${me === undefined ? 'all' : token(me)}`,
    /** Where the answers to one such message come; without a name, what all such subjects begin with. */
    adminInbox: (id = '') => `${root}.admin.inbox.${id}`,
  };
}
