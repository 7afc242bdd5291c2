/** LMTP replies into octets: RFC 5321 §4.2, an enhanced status code at the head of each line: RFC 2034 §4. */
import type { Encoder } from '../wire/decoder.ts';
import { oneLine } from '../wire/text.ts';
import type { Reply } from './reply.ts';

/** A reply line, with its CRLF (RFC 5321 §4.5.3.1.5). */
const MAX_REPLY_OCTETS = 512;

export const lmtpEncoder: Encoder<Reply> = {
  encode(reply) {
    const { code, enhanced, lines } = reply;
    if (!Number.isInteger(code) || code < 200 || code > 599) throw new TypeError(`${code} is no reply code`);
    if (lines.length === 0) throw new TypeError('a reply has at least one line');
    // RFC 2034 §4: the class of the one must agree with the first digit of the other.
    if (enhanced !== undefined && !(/^[245]\.\d{1,3}\.\d{1,3}$/.test(enhanced) && enhanced[0] === String(code)[0])) {
      throw new TypeError(`${enhanced} does not go with ${code}`);
    }
    let text = '';
    lines.forEach((line, i) => {
      if (!/^[\t -~]*$/.test(line)) throw new TypeError('a reply line holds other than printable ASCII');
      const lead = i < lines.length - 1 ? `${code}-` : `${code} `; // RFC 5321 §4.2.1
      text += oneLine(lead + (enhanced === undefined ? line : `${enhanced} ${line}`), MAX_REPLY_OCTETS - 2) + '\r\n';
    });
    return Buffer.from(text, 'latin1');
  },
};
