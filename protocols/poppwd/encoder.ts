/** poppwd replies into octets: a three-digit code, a space and a text, on one line that ends in CRLF (docs/poppwd.md). */
import type { Encoder } from '../wire/decoder.ts';
import { oneLine } from '../wire/text.ts';
import type { Reply } from './reply.ts';

const MAX_REPLY_OCTETS = 512;

export const poppwdEncoder: Encoder<Reply> = {
  encode: (reply) => Buffer.from(oneLine(`${reply.code} ${reply.text}`, MAX_REPLY_OCTETS - 2) + '\r\n'),
};
