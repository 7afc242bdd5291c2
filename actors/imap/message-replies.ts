/** As replies.ts, for commands that speak of messages: what they are refused with, in words and response codes (RFC 5530 §3). */
import { untagged } from '../../protocols/imap/response.ts';
import { type Ending, type Outcome, refused, wrong } from './outcome.ts';

/** RFC 9051 §9 `seq-number`: an error of the client's, `*` in an empty mailbox too. */
export const noSuchNumber: Outcome = wrong('no message has that number');
/** RFC 2180 §4: another session expunged them, and this one was not told yet. */
export const someAreGone: Ending = {
  status: 'NO',
  code: 'EXPUNGEISSUED',
  text: 'some of the messages no longer exist',
};
/** RFC 9051 §6.4.5. */
export const unknownEncoding: Ending = {
  status: 'NO',
  code: 'UNKNOWN-CTE',
  text: 'a part has an encoding that is not known here',
};
/** RFC 9051 §6.3.3. */
export const readOnly: Outcome = refused('the mailbox is open for reading only');
/** RFC 4314 §4: the right `r` was taken away while it was selected. */
export const notReadable = untagged('NO', 'the mailbox may not be read any more', 'NOPERM');
export const noSuchFlag: Outcome = wrong('there is no such system flag');
/** RFC 9051 §6.4.4. All that are known are too many to be told. */
export const badCharset: Outcome = refused('a charset that is not known here', {
  code: 'BADCHARSET',
  charsets: ['UTF-8', 'US-ASCII'],
});
/** RFC 2045 and docs/smuggling.md: a message is refused, not mended. */
export const bareLf: Outcome = refused('a line of the message ends in LF without CR');
export const nulInText: Outcome = refused('NUL in a message that is not sent as literal8'); // RFC 3516 §4.4
export const tooManyMessages: Outcome = refused('too many messages at once', 'LIMIT');
/** RFC 3502 §6.3.11: nothing is appended then. */
export const givenUp: Outcome = refused('given up: nothing was appended');
