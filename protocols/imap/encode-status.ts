/** Status responses, tagged and untagged, with their codes: RFC 9051 §7.1, and continuation requests: §7.6. */
import { toBase64 } from '../sasl/base64.ts';
import { numberSet } from './encode-numbers.ts';
import { astring, atom, atoms, digits, flagList, humanText, objectId, positive, tag } from './encode-string.ts';
import type { Status } from './response.ts';
import type { ResponseCode } from './response-code.ts';

/** `(tag / "*") SP cond SP ["[" resp-text-code "]" SP] [text]`. */
export function status({ tag: of, status: condition, code, text }: Status, utf8: boolean): string {
  return `${of === undefined ? '*' : tag(of)} ${condition} ${respText(code, text, utf8)}\r\n`;
}

/** `"+" SP resp-text`. */
export function goOn(text: string, utf8: boolean): string {
  return `+ ${respText(undefined, text, utf8)}\r\n`;
}

/** `"+" SP base64`; the space stands also before nothing. */
export function challenge(octets: Uint8Array): string {
  return `+ ${toBase64(octets)}\r\n`;
}

function respText(code: ResponseCode | undefined, text: string, utf8: boolean): string {
  if (code !== undefined) return `[${respTextCode(code, utf8)}] ${humanText(text, utf8)}`;
  if (text.startsWith('[')) throw new TypeError('a text would be read as a response code');
  return humanText(text, utf8);
}

function respTextCode(code: ResponseCode, utf8: boolean): string {
  if (typeof code === 'string') return atom(code);
  switch (code.code) {
    case 'APPENDUID':
      return `APPENDUID ${positive(code.uidValidity)} ${numberSet(code.uids)}`;
    case 'COPYUID':
      return `COPYUID ${positive(code.uidValidity)} ${numberSet(code.sourceUids)} ${numberSet(code.destinationUids)}`;
    case 'BADCHARSET':
      if (code.charsets.length === 0) return 'BADCHARSET';
      return `BADCHARSET (${code.charsets.map((charset) => astring(charset, utf8)).join(' ')})`;
    case 'CAPABILITY':
      return `CAPABILITY ${atoms(code.capabilities)}`;
    case 'HIGHESTMODSEQ':
      return `HIGHESTMODSEQ ${positive(code.modSeq)}`;
    case 'MAILBOXID':
      return `MAILBOXID ${objectId(code.mailboxId)}`;
    case 'METADATA':
      if ('longentries' in code) return `METADATA LONGENTRIES ${digits(code.longentries)}`;
      return 'maxsize' in code ? `METADATA MAXSIZE ${digits(code.maxsize)}` : `METADATA ${atom(code.reason)}`;
    case 'MODIFIED':
      return `MODIFIED ${numberSet(code.messages)}`;
    case 'PERMANENTFLAGS':
      return `PERMANENTFLAGS ${flagList(code.flags)}`;
    case 'UIDNEXT':
      return `UIDNEXT ${positive(code.uidNext)}`;
    case 'UIDVALIDITY':
      return `UIDVALIDITY ${positive(code.uidValidity)}`;
    case 'UNSEEN':
      return `UNSEEN ${positive(code.sequence)}`;
  }
}
