/**
 * Names of mailboxes between the wire and the house, where they are Unicode: RFC 9051 §5.1, and RFC 3501 §5.1.3 for a client that
 * has not enabled IMAP4rev2. Knows no hierarchy and no mailbox.
 */
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { decodeModifiedUtf7, encodeModifiedUtf7 } from './modified-utf7.ts';

export type MailboxNameRefusal = 'not-modified-utf7' | 'control-character';

/**
 * The name that a command means; or the pattern, of which the wildcards stay what they are. INBOX in any case is `INBOX`
 * (RFC 9051 §5.1).
 * @param raw  as the decoder gave it
 * @param utf8Enabled  the client said ENABLE IMAP4rev2 (or UTF8=ACCEPT): names are UTF-8 (RFC 9051 §5.1)
 */
export function mailboxNameFrom(raw: string, utf8Enabled: boolean): Result<string, MailboxNameRefusal> {
  const name = utf8Enabled ? raw : decodeModifiedUtf7(raw);
  // Controls are asked about first: a name that holds one is no modified UTF-7 either.
  if (/[\p{Cc}\u2028\u2029]/u.test(name ?? raw)) return refuse('control-character'); // RFC 9051 §5.1, RFC 5198 §2
  if (name === undefined) return refuse('not-modified-utf7');
  return accept(/^inbox$/i.test(name) ? 'INBOX' : name);
}

/** The name as that client reads it. */
export function mailboxNameFor(name: string, utf8Enabled: boolean): string {
  return utf8Enabled ? name : encodeModifiedUtf7(name);
}
