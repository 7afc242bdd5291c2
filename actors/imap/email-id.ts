/**
 * EMAILID: RFC 8474 §5.1. The same for a message and its copies wherever they went, and for no other. Says whose message it was
 * first without telling that account's id, and can be looked for (§5.3): the number is in it as it is kept.
 */
import { createHash } from 'node:crypto';
import type { MessageEntry } from '../mailbox-owner/message-requests.ts';

/** Object identifiers of messages in mailboxes of one account. */
export class EmailIds {
  readonly #account: string;
  readonly #prefixes = new Map<string, string>();

  constructor(account: string) {
    this.#account = account;
  }

  of({ emailId, emailOf = this.#account }: Pick<MessageEntry, 'emailId' | 'emailOf'>): string {
    return `${this.#prefix(emailOf)}-${emailId}`;
  }

  /** The number of a message that began in this account; `other`: it is some other account's; undefined: no message has it. */
  parse(id: string): number | 'other' | undefined {
    const found = /^(M[A-Za-z0-9_-]{16})-([0-9]{1,15})$/.exec(id);
    if (found === null) return undefined;
    return found[1] === this.#prefix(this.#account) ? Number(found[2]) : 'other';
  }

  #prefix(account: string): string {
    let prefix = this.#prefixes.get(account);
    if (prefix === undefined) {
      prefix = `M${createHash('sha256').update(`email\0${account}`).digest('base64url').slice(0, 16)}`;
      this.#prefixes.set(account, prefix);
    }
    return prefix;
  }
}
